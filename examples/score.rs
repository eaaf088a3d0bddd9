//! Scores answers against a practice world's truth: `cargo run --example score -- DIR ANSWERS`.
//!
//! ```sh
//! stirtrace lab calls world --seed 7
//! stirtrace trace --config world/stirtrace.toml --format json world/requests.csv > answers.jsonl
//! cargo run --example score -- world answers.jsonl
//! ```
//!
//! Prints a table, and every miss in full; exits 1 when the answers are not as good as they have to be.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "an example talks to whoever runs it"
)]

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, answers] = arguments.as_slice() else {
        eprintln!("usage: score DIR ANSWERS");
        return ExitCode::from(2);
    };
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let texts = read(&Path::new(folder).join("truth.jsonl")).and_then(|truth| Ok((truth, read(Path::new(answers))?)));
    match texts.and_then(|(truth, answers)| Score::of(&truth, &answers)) {
        Ok(score) => {
            print!("{}", score.table());
            if score.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

/// How good answers are.
#[derive(Debug, Default)]
pub(crate) struct Score {
    /// Requests.
    pub(crate) requests: usize,
    /// Status as the truth has it.
    status: Ratio,
    /// Calls that were to be found.
    pub(crate) found: Ratio,
    network: Ratio,
    /// The upstream, of what was answered.
    pub(crate) upstream: Ratio,
    /// The line, where one call alone fits.
    pub(crate) record: Ratio,
    attestation: Ratio,
    signer: Ratio,
    chain: Ratio,
    /// Findings that accuse the innocent.
    pub(crate) forbidden: usize,
    findings: usize,
    /// Every miss, in full.
    pub(crate) misses: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ratio {
    good: usize,
    all: usize,
}

impl Ratio {
    /// So many in a thousand.
    pub(crate) fn per_mille(self) -> usize {
        (self.good * 1000).checked_div(self.all).unwrap_or(1000)
    }

    fn note(&mut self, is_good: bool) -> bool {
        self.all += 1;
        self.good += usize::from(is_good);
        is_good
    }
}

impl Score {
    /// Compares line by line; the requests are in the same order.
    pub(crate) fn of(truth: &str, answers: &str) -> Result<Self, String> {
        let read = |text: &str| text.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>();
        let truth = read(truth).map_err(|error| format!("the truth: {error}"))?;
        let answers = read(answers).map_err(|error| format!("the answers: {error}"))?;
        if truth.len() != answers.len() {
            return Err(format!("{} requests and {} answers", truth.len(), answers.len()));
        }
        let mut score = Self { requests: truth.len(), ..Self::default() };
        for (truth, answer) in truth.iter().zip(&answers) {
            if truth["id"] != answer["request"]["id"] {
                return Err(format!("{} is answered where {} is asked", answer["request"]["id"], truth["id"]));
            }
            let faults = score.compare(truth, answer);
            if !faults.is_empty() {
                score.misses.push(format!("{}\n  truth  {truth}\n  answer {}", faults.join("; "), brief(answer)));
            }
        }
        Ok(score)
    }

    fn compare(&mut self, truth: &Value, answer: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let status = &answer["status"];
        // Another network that has the call may have one where the nearest has several.
        let is_nearest =
            truth["network"].is_null() || truth["network"] == answer["network"] || answer["network"].is_null();
        if is_nearest && !self.status.note(holds(&truth["status"], status)) {
            faults.push(format!("status {status}, not {}", truth["status"]));
        }
        self.findings(truth, answer, &mut faults);
        let was_found = status == "found" || status == "ambiguous";
        if truth["status"][0] != "found" {
            // Of several calls that agree equally, the right one must be among those shown.
            let is_among = truth["status"][0] != "ambiguous" || !was_found || !is_nearest || shows(answer, truth);
            if !is_among {
                self.record.note(false);
                faults.push("the call is not among the matches".to_owned());
            }
            return faults;
        }
        self.found.note(was_found);
        if status != "found" {
            return faults;
        }
        let mut must = |ratio: &mut Ratio, is_good: bool, what: &str| {
            if !ratio.note(is_good) {
                faults.push(what.to_owned());
            }
        };
        let is_nearest = truth["network"] == answer["network"];
        must(&mut self.network, is_nearest, "a network that is not the nearest");
        // Whichever network answers: its own upstream, its own line.
        let Some(part) = part(truth, answer) else {
            must(&mut self.upstream, false, "a network that has another call");
            return faults;
        };
        must(&mut self.upstream, part["upstream"] == answer["upstream"]["name"], "another upstream");
        let alone = truth["alone"] == true;
        let first = &answer["matches"][0]["record"];
        must(&mut self.record, if alone { is_of(first, part) } else { shows(answer, part) }, "another record");
        if alone {
            must(&mut self.attestation, part["attest"] == answer["signature"]["attest"], "another attestation");
            if is_nearest {
                must(&mut self.signer, truth["signer"] == answer["signature"]["signer"]["spc"], "another signer");
            }
            must(&mut self.chain, is_of_chain(answer, truth), "a hop that was none");
        }
        faults
    }

    fn findings(&mut self, truth: &Value, answer: &Value, faults: &mut Vec<String>) {
        for finding in answer["findings"].as_array().into_iter().flatten() {
            self.findings += 1;
            if !holds(&truth["findings"], &finding["finding"]) && truth["alone"] == true {
                self.forbidden += 1;
                faults.push(format!("{} was not the case", finding["finding"]));
            }
        }
    }

    /// Whether it is as good as it has to be: upstreams 99.9 %, found 99 %, lines 99.9 %, nobody accused wrongly.
    pub(crate) fn is_good(&self) -> bool {
        let (upstream, record) = (self.upstream.per_mille(), self.record.per_mille());
        upstream >= 999 && record >= 999 && self.found.per_mille() >= 990 && self.forbidden == 0
    }

    /// The table, and every miss.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{} requests, {} findings\n", self.requests, self.findings);
        for (name, ratio) in [
            ("status as it should be", self.status),
            ("found, of what was there", self.found),
            ("the nearest network", self.network),
            ("upstream, of what was answered", self.upstream),
            ("record line", self.record),
            ("attestation", self.attestation),
            ("signer", self.signer),
            ("recorded hops in the path", self.chain),
        ] {
            let share = ratio.per_mille();
            text += &format!("{name:<32}{:>8} of {:>8}  {:>3}.{} %\n", ratio.good, ratio.all, share / 10, share % 10);
        }
        text += &format!("{:<32}{:>8}\n", "forbidden findings", self.forbidden);
        for miss in &self.misses {
            text += &format!("\n{miss}\n");
        }
        text
    }
}

/// What the answering network has of the call.
fn part<'a>(truth: &'a Value, answer: &Value) -> Option<&'a Value> {
    truth["networks"].as_array()?.iter().find(|part| part["network"] == answer["network"])
}

fn holds(list: &Value, value: &Value) -> bool {
    list.as_array().is_some_and(|list| list.contains(value))
}

fn is_of(record: &Value, truth: &Value) -> bool {
    let own = |place: &Value| place[0] == record["file"] && place[1] == record["line"];
    truth["records"].as_array().is_some_and(|records| records.iter().any(own))
}

/// Whether any of the matches is the call.
fn shows(answer: &Value, truth: &Value) -> bool {
    let matches = answer["matches"].as_array().into_iter().flatten();
    matches.into_iter().any(|own| {
        let also = own["also"].as_array().into_iter().flatten();
        is_of(&own["record"], truth) || also.into_iter().any(|record| is_of(record, truth))
    })
}

/// Hops that records show must be the call's.
fn is_of_chain(answer: &Value, truth: &Value) -> bool {
    let hops = answer["chain"].as_array().into_iter().flatten();
    let recorded = hops.into_iter().filter(|hop| hop["source"] == "record" && !hop["provider"].is_null());
    let networks = || truth["networks"].as_array().into_iter().flatten();
    let is_hop = |hop: &Value| holds(&truth["chain"], hop) || networks().any(|part| part["network"] == *hop);
    recorded.into_iter().all(|hop| is_hop(&hop["provider"]))
}

/// What an answer says that matters here.
fn brief(answer: &Value) -> Value {
    let of = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), answer[*name].clone())).collect();
    Value::Object(of(&[
        "request",
        "status",
        "because",
        "network",
        "upstream",
        "matches",
        "signature",
        "findings",
        "chain",
    ]))
}
