//! Whom TLS trusts when something is fetched: the system's roots, and those that were named (RFC 5280 §6.1; apart from
//! the STI's own).

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::fetch::fetcher::error::CannotFetch;
use crate::fetch::fetcher::settings::Settings;

/// TLS 1.2 and 1.3, verified by webpki in this process, which asks nobody.
pub(super) fn tls(settings: &Settings) -> Result<ClientConfig, CannotFetch> {
    config(roots(settings)?)
}

#[cfg(feature = "otel")]
/// The same for whoever sends elsewhere than to a signer: by the system's roots, or by none.
pub(crate) fn tls_to(system_roots: bool) -> Result<ClientConfig, CannotFetch> {
    if system_roots {
        return tls(&Settings::default());
    }
    config(RootCertStore::empty())
}

fn config(roots: RootCertStore) -> Result<ClientConfig, CannotFetch> {
    let failed = |why: String| CannotFetch::Tls { why };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|reason| failed(reason.to_string()))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(settings: &Settings) -> Result<RootCertStore, CannotFetch> {
    let mut store = RootCertStore::empty();
    for (index, pem) in settings.tls_roots.iter().enumerate() {
        let bad = |why: String| CannotFetch::BadTlsRoot { place: index + 1, why };
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|reason| bad(reason.to_string()))?;
            store.add(certificate).map_err(|reason| bad(reason.to_string()))?;
        }
        if store.len() == before {
            return Err(bad("no certificate in PEM".to_owned()));
        }
    }
    if settings.system_roots {
        // A store may hold certificates that nobody can use; those of one bad file are no reason to trust none.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if store.is_empty() { Err(CannotFetch::NoTlsRoots) } else { Ok(store) }
}
