//! What a record's PASSporTs are worth as of the call, by the means that `stirtrace.toml` names.

use crate::cdr::Record;
use crate::cli::args::{RevocationArgs, TrustArgs};
use crate::cli::configuration::Configured;
use crate::cli::credentials::Credentials;
use crate::cli::exit::Complaint;
use crate::cli::printer::Printer;
use crate::cli::trust::Trust;
use crate::clock;
use crate::number::Identity;
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::{Policy, Verdict, Verifier};

/// The verifier with its materials, filled as records ask for them.
pub(super) struct Judge {
    verifier: Verifier,
    credentials: Credentials<'static>,
}

impl Judge {
    /// With the trust that the configuration names.
    pub(super) fn new(configured: &Configured, printer: &mut Printer) -> Result<Self, Complaint> {
        let trust = configured.trust(TrustArgs::default());
        let revocation = configured.revocation(RevocationArgs::default());
        let trust =
            Trust::resolve(&trust, None, clock::now()).and_then(|trust| trust.with_revocation(&revocation, None));
        let trust = trust.map_err(|complaint| of_file(configured, &complaint))?;
        if trust.is_empty() {
            printer.warn(&format!("{} names no trust: no signature can be believed", configured.file.display()));
        }
        let no_archive =
            |place: &str| format!("stirtrace.toml names no certificates; put it at FOLDER/{place} and name the folder");
        let credentials = Credentials::new(trust, None, no_archive);
        Ok(Self { verifier: Verifier::new(Policy::default()), credentials })
    }

    /// The verdict on a record's PASSporTs at an instant; none where it carries none.
    pub(super) fn judge(&mut self, record: &Record, at: UnixTime) -> Option<Verdict> {
        if record.identity.is_empty() {
            return None;
        }
        let mut call = Call::bare(record.identity.iter().map(String::as_str));
        call.call_id.clone_from(&record.ingress.call_id);
        call.from = record.calling.canonical.map(Identity::Number);
        call.to = record.called.canonical.map(Identity::Number);
        Some(self.credentials.judge(&self.verifier, &call, at))
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
