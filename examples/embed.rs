//! Verification inside a switch: no runtime, no files, no clock but the one you hand in.
//!
//! `cargo run --example embed` judges one INVITE with the lab's certificates. With `default-features = false` the same
//! code builds without the command line and everything behind it.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use stirtrace::number::NumberPlan;
use stirtrace::passport::Attestation;
use stirtrace::sip::{Call, Message};
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{Conclusion, Materials, Policy, Verifier};

const INVITE: &[u8] = include_bytes!("invites/signed.sip");
const ROOTS: &[u8] = include_bytes!("../certs/roots.pem");
const CERTIFICATE: &[u8] = include_bytes!("../certs/archive/certificates.lab.example/twill.pem");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Once, at start: whom to trust, and by which policy. Share the verifier between threads.
    let verifier = Verifier::new(Policy::default());
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(ROOTS)?);

    // For each call: what the message says ...
    let (message, _) = Message::parse(INVITE)?;
    let call = Call::from_message(&message, &NumberPlan::NORTH_AMERICAN);

    // ... which certificates are missing (get them from your cache or fetcher) ...
    for url in verifier.missing(&call, &materials) {
        match url.as_str() {
            "https://certificates.lab.example/twill.pem" => materials.add_certificate(&url, CERTIFICATE),
            _ => materials.mark_unavailable(&url, "not in the cache"),
        }
    }

    // ... and the verdict, at the instant that your clock says. Here: when the INVITE was sent.
    let now = call.date.as_ref().and_then(|date| date.time).unwrap_or(UnixTime::from_seconds(1_777_896_001));
    let verdict = verifier.verify(&call, &materials, now);

    println!("{} {}", verdict.conclusion, verdict.verstat);
    if let Some(signer) = &verdict.signer {
        let attest = verdict.attest.map_or("none", Attestation::as_str);
        println!("signed by {} with attestation {attest}", signer.spc().unwrap_or("?"));
    }
    match verdict.conclusion {
        Conclusion::Passed => println!("let it through"),
        _ => {
            for reason in &verdict.reasons {
                println!("Reason: {reason}");
            }
        }
    }
    Ok(())
}
