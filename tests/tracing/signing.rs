//! PASSporTs signed and verified with the lab's throw-away keys.
#![expect(clippy::disallowed_methods, reason = "tests read files")]

use std::fs;
use std::path::{Path, PathBuf};

use stirtrace::cdr::Record;
use stirtrace::certificate::bundle::{Bundle, Limits};
use stirtrace::certificate::crl::Crl;
use stirtrace::number::Identity;
use stirtrace::passport::Attestation;
use stirtrace::sign::{SignRequest, Signer};
use stirtrace::sip::Call;
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{Materials, Policy, Verdict, Verifier};

use super::{Line, PLAN};

fn lab(path: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs").join(path);
    fs::read(&path).unwrap_or_else(|reason| panic!("{}: {reason}", path.display()))
}

fn folder(name: &str) -> &'static str {
    if name == "larkspur" { "certificates.lab.example:8443" } else { "certificates.lab.example" }
}

impl Line {
    /// Signed by a provider of the lab, a second before the record's start, for the numbers that the record has.
    pub(crate) fn signed(self, by: &str, attest: Attestation) -> Self {
        let at = self.record.start.plus_seconds(-1);
        self.signed_at(by, attest, at)
    }

    pub(crate) fn signed_at(self, by: &str, attest: Attestation, at: UnixTime) -> Self {
        let called = self.record.called.raw.clone();
        self.signed_for(by, attest, at, &called)
    }

    /// Signed for another called number.
    pub(crate) fn signed_for(self, by: &str, attest: Attestation, at: UnixTime, called: &str) -> Self {
        let certificate = lab(&format!("archive/{}/{by}.pem", folder(by)));
        let url = format!("https://{}/{by}.pem", folder(by));
        let signer = Signer::new(&lab(&format!("keys/{by}.pem")), &certificate, &url).unwrap();
        let party = |text: &str| Identity::Number(PLAN.canonicalise(text).unwrap());
        let origid = "5b0f6c1e-2b54-4c39-9b1a-0e5a2f3c4d01";
        let request = SignRequest::shaken(attest, origid, party(&self.record.calling.raw), vec![party(called)]);
        let header = signer.sign(&request, at).unwrap().to_string();
        self.with(|record| record.identity = vec![header])
    }
}

/// The verdict on a record's PASSporTs with the lab's roots, certificates and CRL.
pub(crate) fn judge(record: &Record, at: UnixTime) -> Option<Verdict> {
    if record.identity.is_empty() {
        return None;
    }
    let mut call = Call::bare(record.identity.iter().map(String::as_str));
    call.from = record.calling.canonical.map(Identity::Number);
    call.to = record.called.canonical.map(Identity::Number);
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(&lab("roots.pem")).unwrap());
    materials.add_crl(Crl::from_bytes(&lab("crl/indirect.pem")).unwrap());
    let signers = Bundle::read(&lab("crl-signer.pem"), &Limits::OWN_FILE).unwrap().certificates;
    signers.into_iter().for_each(|signer| materials.add_crl_signer(signer));
    let verifier = Verifier::new(Policy::default());
    for url in verifier.missing(&call, &materials) {
        let name = url.rsplit('/').next().unwrap().trim_end_matches(".pem");
        materials.add_certificate(&url, &lab(&format!("archive/{}/{name}.pem", folder(name))));
    }
    Some(verifier.verify(&call, &materials, at))
}
