//! `stirtrace serve` with its signing keys in a security module (PKCS #11), here SoftHSM: it signs, says what is wrong,
//! and works again when the token does. Skipped, with a word, where SoftHSM is not installed.
#![cfg(feature = "cli")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests move files, tell, and may panic"
)]

#[path = "../command/mod.rs"]
#[expect(dead_code, reason = "calls are made by other tests, too")]
mod command;
mod lost_sessions;
#[path = "../command/served.rs"]
#[expect(dead_code, reason = "started in other ways by other tests")]
mod served;
mod softhsm;

use std::time::{Duration, Instant, SystemTime};

use command::{Desk, certs};
use serde_json::{Value, json};
use served::Served;
use softhsm::{PIN, SoftHsm};

const BY_FILE: &str = "token = \"twill\"\nkey = \"shaken\"\npin_file = \"pin\"\n";

fn configuration(pkcs11: &str) -> String {
    let certs = certs().display().to_string();
    format!(
        "trust = [\"{certs}/roots.pem\"]\ncertificates = \"{certs}/archive\"\n[service]\nlisten = \"127.0.0.1:0\"\n\
         [service.log]\nlevel = \"requests\"\n[[service.signer]]\nname = \"twill\"\n\
         certificate = \"{certs}/archive/certificates.lab.example/twill.pem\"\n\
         x5u = \"https://certificates.lab.example/twill.pem\"\n{pkcs11}"
    )
}

/// A desk with a token that holds Twill's key, and another's.
fn desk() -> Option<(Desk, SoftHsm)> {
    let desk = Desk::new();
    let softhsm = SoftHsm::on(&desk)?;
    softhsm.token("twill");
    softhsm.import("twill", "twill", "shaken", "a1b2");
    softhsm.import("twill", "cascade", "other", "c3");
    Some((desk, softhsm))
}

fn start(desk: &Desk, softhsm: &SoftHsm) -> Served {
    let variables = [("SOFTHSM2_CONF", softhsm.configuration.to_str().unwrap()), ("TWILL_PIN", PIN)];
    Served::start_with(&desk.path("."), &[], &variables)
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn signing() -> Value {
    json!({"signingRequest": {"attest": "A", "orig": {"tn": "12155550112"}, "dest": {"tn": ["12155550131"]},
        "iat": now(), "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}})
}

fn sign(served: &Served) -> (u16, Value) {
    let (code, body) = served.ask("POST", "/stir/v1/signing", &signing().to_string());
    (code, serde_json::from_str(&body).unwrap())
}

fn verstat(served: &Served, identity: &Value) -> Value {
    let request = json!({"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]},
        "time": now(), "identity": identity}});
    served.post("/stir/v1/verification", &request)["verificationResponse"]["verstat"].clone()
}

fn metric(served: &Served, name: &str) -> Option<u64> {
    let (_, page) = served.ask("GET", "/metrics", "");
    page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// Signs until that is answered by this code; whatever keeps a token away is not over at once.
fn sign_until(served: &Served, wanted: u16) -> Value {
    let began = Instant::now();
    loop {
        let (code, body) = sign(served);
        if code == wanted {
            return body;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{code} {body}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_token_signs_what_verifies_and_its_pin_is_told_nowhere() {
    let Some((desk, softhsm)) = desk() else { return };
    let by_id = "token = \"twill\"\nkey_id = \"A1B2\"\npin_variable = \"TWILL_PIN\"\nsessions = 2\n";
    for table in [BY_FILE, by_id] {
        desk.write("stirtrace.toml", configuration(&softhsm.table(table)));
        let served = start(&desk, &softhsm);
        // ES256: r || s, 64 octets (RFC 7518 §3.4).
        let (code, signed) = sign(&served);
        assert_eq!(code, 200, "{signed}");
        let identity = &signed["signingResponse"]["identity"];
        assert_eq!(verstat(&served, identity), "TN-Validation-Passed", "{identity}");
        assert_eq!(metric(&served, "stirtrace_signing_key_up{signer=\"twill\"}"), Some(1));
        served.signal("TERM");
        let (code, log) = served.wait();
        assert_eq!(code, 0, "{log}");
        assert!(!log.contains(PIN), "{log}");
    }
}

#[test]
fn many_calls_at_once_are_signed_over_few_sessions() {
    let Some((desk, softhsm)) = desk() else { return };
    desk.write("stirtrace.toml", configuration(&softhsm.table(&format!("{BY_FILE}sessions = 3\nwait_seconds = 20"))));
    let served = start(&desk, &softhsm);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let (code, signed) = sign(&served);
                        assert_eq!(code, 200, "{signed}");
                        assert_eq!(verstat(&served, &signed["signingResponse"]["identity"]), "TN-Validation-Passed");
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    assert_eq!(metric(&served, "stirtrace_signatures_total{outcome=\"signed\"}"), Some(200));
}

#[test]
fn a_token_that_goes_away_costs_signatures_only_and_signs_again_when_it_is_back() {
    let Some((desk, softhsm)) = desk() else { return };
    desk.write("stirtrace.toml", configuration(&softhsm.table(BY_FILE)));
    let mut served = start(&desk, &softhsm);
    let identity = sign_until(&served, 200)["signingResponse"]["identity"].clone();
    softhsm.pull();
    let refused = sign_until(&served, 500);
    assert_eq!(refused["requestError"]["policyException"]["messageId"], "POL5000");
    let told = served.says("does not sign");
    assert_eq!((&told["signer"], &told["level"]), (&json!("twill"), &json!("ERROR")));
    // Calls are verified all the same, and everything else is read anew.
    assert_eq!(verstat(&served, &identity), "TN-Validation-Passed");
    served.signal("HUP");
    served.says("are read anew");
    let (code, _) = sign(&served);
    assert_eq!(code, 500);
    assert_eq!(metric(&served, "stirtrace_signing_key_up{signer=\"twill\"}"), Some(0));
    assert!(metric(&served, "stirtrace_signing_key_failures_total{signer=\"twill\",why=\"refused\"}").unwrap() >= 2);
    softhsm.put_back();
    let signed = sign_until(&served, 200);
    assert_eq!(verstat(&served, &signed["signingResponse"]["identity"]), "TN-Validation-Passed");
    served.says("signs again");
    assert_eq!(metric(&served, "stirtrace_signing_key_up{signer=\"twill\"}"), Some(1));
    served.signal("TERM");
    assert_eq!(served.wait().0, 0);
}

#[test]
fn what_keeps_a_token_from_signing_is_said_at_the_start() {
    let Some((desk, softhsm)) = desk() else { return };
    desk.write("wrong-pin", "11111111");
    let library = format!("module = \"{}\"\n", softhsm.library);
    let table = |more: &str| format!("[service.signer.pkcs11]\n{more}");
    let cases = [
        (
            softhsm.table("token = \"twill\"\nkey = \"shakn\"\npin_file = \"pin\""),
            "no EC private key \"shakn\"; it has",
        ),
        (
            softhsm.table("token = \"twil\"\nkey = \"shaken\"\npin_file = \"pin\""),
            "no token \"twil\" is there; there is \"twill\"",
        ),
        (softhsm.table("token = \"twill\"\nkey = \"other\"\npin_file = \"pin\""), "not by the key of"),
        (
            softhsm.table("token = \"twill\"\nkey = \"shaken\"\npin_file = \"wrong-pin\""),
            "refused the PIN (PinIncorrect)",
        ),
        (softhsm.table("token = \"twill\"\nkey = \"shaken\"\npin_file = \"nobody\""), "nobody"),
        (softhsm.table("token = \"twill\"\nkey = \"shaken\"\npin_variable = \"NO_SUCH_PIN\""), "NO_SUCH_PIN"),
        (softhsm.table("token = \"twill\"\nkey = \"shaken\""), "name pin_file or pin_variable"),
        (
            table("module = \"/nowhere/lib.so\"\ntoken = \"twill\"\nkey = \"shaken\"\npin_file = \"pin\""),
            "/nowhere/lib.so cannot be loaded",
        ),
        (
            table(&format!("{library}token = \"twill\"\nkey = \"shaken\"\npin = \"{PIN}\"")),
            "a PIN does not stand in the configuration",
        ),
    ];
    for (own, word) in cases {
        desk.write("stirtrace.toml", configuration(&own));
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_stirtrace"))
            .args(["serve", "--config", "stirtrace.toml"])
            .env("SOFTHSM2_CONF", &softhsm.configuration)
            .current_dir(desk.path("."))
            .output()
            .unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{own}{said}");
        assert!(said.contains(word), "{word}: {said}");
        assert!(!said.contains(PIN) && !said.contains("11111111"), "{said}");
    }
}
