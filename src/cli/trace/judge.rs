//! What a record's PASSporTs are worth as of the call, by the means that `stirtrace.toml` names.

use crate::cdr::Record;
use crate::cli::archive::Place;
use crate::cli::args::{RevocationArgs, TrustArgs};
use crate::cli::configuration::Configured;
use crate::cli::exit::Complaint;
use crate::cli::printer::Printer;
use crate::cli::recorded::Recorded;
use crate::cli::trust::Trust;
use crate::clock;
use crate::time::UnixTime;
use crate::verify::{Materials, Policy, Verdict, Verifier};

/// The verifier with its materials, filled as records ask for them.
pub(super) struct Judge {
    trust: Trust,
    verifier: Verifier,
    materials: Materials,
}

impl Judge {
    /// With the trust that the configuration names.
    pub(super) fn new(configured: &Configured, printer: &mut Printer) -> Result<Self, Complaint> {
        let trust = configured.trust(TrustArgs::default());
        let revocation = configured.revocation(RevocationArgs::default());
        let trust = Trust::resolve(&trust, clock::now()).and_then(|trust| trust.with_revocation(&revocation));
        let trust = trust.map_err(|complaint| of_file(configured, &complaint))?;
        if trust.is_empty() {
            printer.warn(&format!("{} names no trust: no signature can be believed", configured.file.display()));
        }
        Ok(Self { materials: trust.materials(), verifier: Verifier::new(Policy::default()), trust })
    }

    /// The verdict on a record's PASSporTs at an instant; none where it carries none.
    pub(super) fn judge(&mut self, record: &Record, at: UnixTime) -> Option<Verdict> {
        if record.identity.is_empty() {
            return None;
        }
        let call = Recorded::call(record);
        for url in self.verifier.missing(&call, &self.materials) {
            self.obtain(&url);
        }
        Some(self.verifier.verify(&call, &self.materials, at))
    }

    fn obtain(&mut self, url: &str) {
        match self.trust.archive.as_ref().map(|archive| archive.read(url)) {
            Some(Ok(body)) => self.materials.add_certificate(url, &body),
            Some(Err(reason)) => self.materials.mark_unavailable(url, reason.to_string()),
            None => {
                let place =
                    Place::of(url).map_or_else(|_| "host/path".to_owned(), |p| p.to_path().display().to_string());
                let reason =
                    format!("stirtrace.toml names no certificates; put it at FOLDER/{place} and name the folder");
                self.materials.mark_unavailable(url, reason);
            }
        }
    }
}

/// Nobody gave an option: the file's key of that name is meant.
fn of_file(configured: &Configured, complaint: &Complaint) -> Complaint {
    let what = complaint.what();
    let Some((option, rest)) = what.strip_prefix("--").and_then(|own| own.split_once(' ')) else {
        return complaint.clone();
    };
    let key = if option == "certs" { "certificates".to_owned() } else { option.replace('-', "_") };
    let placed = Complaint::new(format!("{}: {key} {rest}", configured.file.display()));
    complaint.next().map_or_else(|| placed.clone(), |hint| placed.clone().hint(hint))
}
