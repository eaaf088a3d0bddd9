//! The same tokens verified by stirtrace and by other libraries, each a process of its own, in turn: ratios from one run.
//!
//! `run DIR WORKER...` starts the workers and measures them; `make DIR` writes the tokens; `work NAME DIR` is a worker.
//! A worker says `ready`, and answers each line, a number of passes over all tokens, with microseconds for a token.

mod tokens;
mod workers;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", folder] => tokens::make(folder),
        ["work", name, folder] => workers::work(name, folder),
        ["list"] => workers::NAMES.iter().for_each(|name| println!("{name}")),
        ["run", folder, rounds, foreign @ ..] => run(folder, rounds.parse().expect("a number of rounds"), foreign),
        _ => eprintln!("usage: stirtrace-peers make DIR | list | work NAME DIR | run DIR ROUNDS [NAME=COMMAND]..."),
    }
}

/// A worker's process.
struct Peer {
    name: String,
    child: Child,
    asked: ChildStdin,
    told: BufReader<ChildStdout>,
    microseconds: Vec<f64>,
}

impl Peer {
    /// Starts a worker; none where it does not get ready, which is said.
    fn start(name: &str, command: &mut Command) -> Option<Self> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = child.map_err(|reason| eprintln!("{name}: not measured: {reason}")).ok()?;
        let (asked, told) = (child.stdin.take()?, child.stdout.take()?);
        let mut peer = Self { name: name.to_owned(), child, asked, told: BufReader::new(told), microseconds: Vec::new() };
        let mut line = String::new();
        if peer.told.read_line(&mut line).is_err() || line.trim() != "ready" {
            eprintln!("{name}: not measured: it did not get ready ({})", line.trim());
            return None;
        }
        Some(peer)
    }

    fn measure(&mut self, passes: u32) -> f64 {
        writeln!(self.asked, "{passes}").expect("the worker listens");
        let mut line = String::new();
        self.told.read_line(&mut line).expect("the worker answers");
        line.trim().parse().unwrap_or_else(|_| panic!("{} answered {line:?}", self.name))
    }
}

fn run(folder: &str, rounds: usize, foreign: &[&str]) {
    let own = std::env::current_exe().expect("this program has a path");
    let mut peers: Vec<Peer> = workers::NAMES
        .iter()
        .filter_map(|name| Peer::start(name, Command::new(&own).args(["work", name, folder])))
        .collect();
    for (name, command) in foreign.iter().filter_map(|peer| peer.split_once('=')) {
        let mut words = command.split(' ');
        let program = words.next().unwrap_or_default();
        peers.extend(Peer::start(name, Command::new(program).args(words).arg(folder)));
    }
    // As many passes as take some 40 ms, so that all are measured alike.
    let passes: Vec<u32> = peers
        .iter_mut()
        .map(|peer| (40_000.0 / (peer.measure(1) * f64::from(tokens::COUNT))).clamp(1.0, 100.0) as u32)
        .collect();
    for _ in 0..rounds {
        for (peer, passes) in peers.iter_mut().zip(&passes) {
            let microseconds = peer.measure(*passes);
            peer.microseconds.push(microseconds);
        }
    }
    print(&peers);
    for mut peer in peers {
        drop(peer.asked);
        let _ = peer.child.wait();
    }
}

/// Medians, and how many times longer than ours: the median of the ratios of the rounds.
fn print(peers: &[Peer]) {
    let of = |name: &str| peers.iter().find(|peer| peer.name == name);
    let (Some(single), Some(batch)) = (of(workers::SINGLE), of(workers::BATCH)) else { return };
    println!("{:<44} {:>9} {:>13} {:>13}", "", "us/token", "x ours single", "x ours of 32");
    for peer in peers {
        let ratio = |ours: &Peer| {
            median(peer.microseconds.iter().zip(&ours.microseconds).map(|(other, own)| other / own).collect())
        };
        let microseconds = median(peer.microseconds.clone());
        println!("{:<44} {microseconds:>9.2} {:>13.2} {:>13.2}", peer.name, ratio(single), ratio(batch));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
