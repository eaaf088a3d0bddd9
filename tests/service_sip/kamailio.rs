//! Kamailio with the configurations of `examples/kamailio`: sipp calls, Kamailio asks, and a phone of our own looks at the
//! INVITE that arrives. Skipped, with a word, where Kamailio, its modules or sipp are not installed.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use stirtrace::passport::Attestation;

use crate::front_end::{CALLED, FrontEnd, diversion, forged, identity, scenario, sipp};

/// A call, and what is to come of it.
struct Case {
    name: &'static str,
    fields: String,
    code: u16,
    /// In the INVITE that arrives; in the rejection, where it does not.
    holds: Vec<(&'static str, &'static str)>,
}

/// The scenarios that a carrier's proxy meets, but for folded fields: sipp does not send them folded.
fn cases() -> Vec<Case> {
    let passed = |more: &[(&'static str, &'static str)]| {
        let mut holds = vec![("P-Asserted-Identity", "12155550112;verstat=TN-Validation-Passed@")];
        holds.extend(more);
        holds
    };
    let unknown = || vec![("P-Asserted-Identity", "12155550112;verstat=No-TN-Validation@")];
    let good = |attest| identity(attest, CALLED, 0);
    let bad = || forged(&good(Attestation::A));
    let [a, b, c] = [Attestation::A, Attestation::B, Attestation::C].map(good);
    let case = |name, fields, code, holds| Case { name, fields, code, holds };
    vec![
        case("signed A", format!("Identity: {a}"), 200, passed(&[("P-Attestation-Indicator", "A")])),
        case("signed B", format!("Identity: {b}"), 200, passed(&[("P-Attestation-Indicator", "B")])),
        case("signed C", format!("Identity: {c}"), 200, passed(&[("P-Attestation-Indicator", "C")])),
        case("bad signature", format!("Identity: {}", bad()), 438, vec![("Reason", "STIR ;cause=438")]),
        case("stale", format!("Identity: {}", identity(Attestation::A, CALLED, 90)), 200, unknown()),
        case(
            "several",
            format!("Identity: {}\nIdentity: {}", bad(), good(Attestation::B)),
            200,
            passed(&[("P-Attestation-Indicator", "B")]),
        ),
        case("compact name", format!("y: {}", good(Attestation::C)), 200, passed(&[("P-Attestation-Indicator", "C")])),
        case(
            "joined",
            format!("Identity: {},{}", bad(), good(Attestation::C)),
            200,
            passed(&[("P-Attestation-Indicator", "C")]),
        ),
        case(
            "diverted",
            format!(
                "Identity: {}\nIdentity: {}",
                identity(Attestation::B, "12155550177", 0),
                diversion("12155550177", CALLED)
            ),
            200,
            passed(&[("P-Attestation-Indicator", "B")]),
        ),
        case("for somebody else", format!("Identity: {}", identity(Attestation::A, "12155550177", 0)), 200, unknown()),
    ]
}

/// Kamailio, until it is dropped.
struct Kamailio {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Kamailio {
    /// None where it cannot run.
    fn start(configuration: &str, stirtrace: &str, next_hop: SocketAddr, more: &[&str]) -> Option<Self> {
        let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kamailio").join(configuration);
        let mut command = Command::new("kamailio");
        command.arg("-f").arg(configuration).args(["-E", "-m", "64", "-M", "8", "-Y"]).arg(folder.path());
        command.args(["-A", &format!("LISTEN=udp:{address}"), "-A", &format!("NEXT_HOP=\"sip:{next_hop}\"")]);
        command.args(["-A", &format!("STIRTRACE=\"{stirtrace}\"")]).args(more);
        match command.arg("-c").output() {
            Err(_) => return skip("kamailio is not installed"),
            Ok(checked) if !checked.status.success() => {
                let said = String::from_utf8_lossy(&checked.stderr).into_owned();
                assert!(said.contains("could not find module"), "{said}");
                return skip("kamailio-utils-modules or kamailio-extra-modules is not installed");
            }
            Ok(_) => {}
        }
        let arguments: Vec<_> =
            command.get_args().filter(|argument| *argument != "-c").map(ToOwned::to_owned).collect();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child =
            Command::new("kamailio").args(arguments).arg("-DD").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let kamailio = Self { child, address, folder };
        kamailio.wait();
        Some(kamailio)
    }

    /// Until it answers.
    fn wait(&self) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let own = socket.local_addr().unwrap();
        let ping = format!(
            "OPTIONS sip:{} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK0\r\nFrom: <sip:t@{own}>;tag=1\r\n\
             To: <sip:{}>\r\nCall-ID: ping\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n",
            self.address, self.address
        );
        let answers = (0..100).any(|_| {
            let _ = socket.send_to(ping.as_bytes(), self.address);
            socket.recv(&mut [0; 2_000]).is_ok()
        });
        assert!(answers, "{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its first process ends the others when it is told to.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn skip<T>(reason: &str) -> Option<T> {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
    None
}

/// A phone that takes every call, and shows the INVITEs that it got.
fn phone() -> (SocketAddr, Receiver<String>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let (sender, invites) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if !text.starts_with("INVITE ") {
                continue;
            }
            let echoed: String = text
                .lines()
                .filter(|line| ECHOED.iter().any(|name| line.starts_with(name)))
                .fold(String::new(), |answer, line| {
                    answer + line + if line.starts_with("To:") { ";tag=phone\r\n" } else { "\r\n" }
                });
            let _ = socket.send_to(format!("SIP/2.0 200 OK\r\n{echoed}Content-Length: 0\r\n\r\n").as_bytes(), from);
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    (address, invites)
}

const ECHOED: [&str; 5] = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];

/// Lets sipp make every call, and looks at what arrives; none where sipp is not installed.
fn run(cases: &[Case], kamailio: &Kamailio, invites: &Receiver<String>) -> Option<()> {
    for case in cases {
        let (field, holds) = if case.code == 200 { ("CSeq", "INVITE") } else { case.holds[0] };
        let text =
            scenario("sip_verify").replace("@@FIELDS@@", &case.fields).replace("@@CODE@@", &case.code.to_string());
        let text = text.replace("@@FIELD@@", field).replace("@@HOLDS@@", holds);
        sipp(&text, kamailio.address, &["-t", "u1", "-m", "1"])?;
        if case.code != 200 {
            assert!(invites.try_recv().is_err(), "{}: it arrived", case.name);
            continue;
        }
        let invite = invites.recv_timeout(Duration::from_secs(10)).unwrap();
        for (name, holds) in &case.holds {
            let found = invite.lines().any(|line| line.starts_with(&format!("{name}: ")) && line.contains(holds));
            assert!(found, "{}: no {name} with {holds} in\n{invite}\n{}", case.name, kamailio.log());
        }
    }
    Some(())
}

#[test]
fn kamailio_asks_the_redirect_server() {
    let front_end = FrontEnd::start(|_| {});
    let (phone, invites) = phone();
    let stirtrace = format!("sip:{}", front_end.udp);
    let Some(kamailio) = Kamailio::start("redirect.cfg", &stirtrace, phone, &[]) else { return };
    let mut cases = cases();
    // Without Identity the redirect signs, and the call goes on with what was signed.
    cases.push(Case {
        name: "unsigned",
        fields: "X-Unsigned: 1".to_owned(),
        code: 200,
        holds: vec![("Identity", "ppt=shaken")],
    });
    run(&cases, &kamailio, &invites);
}

/// `stirtrace serve` as a carrier runs it, until it is dropped.
#[cfg(feature = "cli")]
struct Service {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

#[cfg(feature = "cli")]
impl Service {
    fn start() -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let certs = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs");
        let folder = tempfile::tempdir().unwrap();
        let (roots, archive) = (certs.join("roots.pem"), certs.join("archive"));
        let toml = format!(
            "trust = {roots:?}\ncertificates = {archive:?}\n[service]\nlisten = \"{address}\"\n\
             [service.atis82]\nattestation = true\n[service.replay]\n"
        );
        std::fs::write(folder.path().join("stirtrace.toml"), toml).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_stirtrace"))
            .args(["serve", "--config", "stirtrace.toml"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let service = Self { child, address, folder };
        let listens = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            std::net::TcpStream::connect(address).is_ok()
        });
        let log = std::fs::read_to_string(service.folder.path().join("log")).unwrap_or_default();
        assert!(listens, "{log}");
        service
    }
}

#[cfg(feature = "cli")]
impl Drop for Service {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

#[cfg(feature = "cli")]
#[test]
fn kamailio_asks_over_http() {
    let service = Service::start();
    let (phone, invites) = phone();
    let stirtrace = format!("stirtrace=>http://{};timeout=10", service.address);
    for more in [&[][..], &["-A", "ATIS"][..]] {
        let Some(kamailio) = Kamailio::start("http.cfg", &stirtrace, phone, more) else { return };
        let mut cases = cases();
        cases.iter_mut().filter(|case| case.code == 200).for_each(|case| {
            let verstat = case.holds[0].1.trim_start_matches("12155550112;verstat=").trim_end_matches('@');
            case.holds.push(("X-Verstat", verstat));
        });
        let holds = vec![("X-Verstat", "No-TN-Validation"), ("P-Asserted-Identity", "verstat=No-TN-Validation@")];
        cases.push(Case { name: "unsigned", fields: "X-Unsigned: 1".to_owned(), code: 200, holds });
        if run(&cases, &kamailio, &invites).is_none() {
            return;
        }
    }
}
