//! `[[service.signer]]` to signers: certificates and keys from files, keys in security modules.

use std::path::Path;
use std::sync::Arc;

use super::{Files, MAX_FILE};
use crate::cli::exit::Complaint;
use crate::cli::files::read_named;
use crate::service::NamedSigner;
use crate::service::pkcs11::{TokenError, TokenKey};
use crate::service::settings::{KeySettings, PinSource, Pkcs11Settings, SignerSettings};
use crate::sign::{Signer, SigningCertificate};

impl Files {
    /// A signer as `[[service.signer]]` describes it.
    pub(super) fn signer(&self, own: &SignerSettings) -> Result<NamedSigner, Complaint> {
        let certificate = read_named("service.signer.certificate", &self.path(&own.certificate), MAX_FILE)?;
        let wrong = |reason: String| Complaint::new(format!("service.signer {:?}: {reason}", own.name));
        match &own.key {
            KeySettings::File(file) => {
                let key = read_named("service.signer.key", &self.path(file), MAX_FILE)?;
                let signer = Signer::new(&key, &certificate, &own.x5u).map_err(|reason| wrong(reason.to_string()))?;
                Ok(NamedSigner::new(&own.name, signer).authorising(&own.rph, own.rph_clients.clone()))
            }
            KeySettings::Pkcs11(settings) => {
                let certificate =
                    SigningCertificate::new(&certificate, &own.x5u).map_err(|reason| wrong(reason.to_string()))?;
                let key =
                    self.token_key(settings, &certificate).map_err(|reason| wrong(format!("pkcs11: {reason}")))?;
                let signer = NamedSigner::elsewhere(&own.name, certificate, key);
                Ok(signer.authorising(&own.rph, own.rph_clients.clone()))
            }
        }
    }

    fn token_key(
        &self,
        settings: &Pkcs11Settings,
        certificate: &SigningCertificate,
    ) -> Result<Arc<TokenKey>, TokenError> {
        let mut settings = settings.clone();
        if settings.module.contains('/') {
            settings.module = self.path(&settings.module).display().to_string();
        }
        let source = match settings.pin.clone() {
            Some(PinSource::File(file)) => Some(PinSource::File(self.path(&file).display().to_string())),
            source => source,
        };
        self.token_keys.key(&settings, Arc::new(move || read_pin(source.as_ref())), certificate)
    }
}

/// The PIN where its source says that it stands.
fn read_pin(source: Option<&PinSource>) -> Result<Option<String>, String> {
    let pin = match source {
        None => return Ok(None),
        Some(PinSource::File(file)) => {
            let bytes = read_named("pin_file", Path::new(file), MAX_FILE).map_err(|reason| reason.to_string())?;
            String::from_utf8(bytes).map_err(|_| format!("pin_file {file}: not UTF-8"))?
        }
        Some(PinSource::Variable(name)) => variable(name)?,
    };
    // Editors end a line that they write.
    let pin = pin.trim_end_matches(['\r', '\n']);
    if pin.is_empty() { Err("the PIN is empty".to_owned()) } else { Ok(Some(pin.to_owned())) }
}

#[expect(clippy::disallowed_methods, reason = "an edge; the configuration names the variable")]
fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|reason| format!("pin_variable {name}: {reason}"))
}
