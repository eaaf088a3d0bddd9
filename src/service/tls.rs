//! TLS of the service itself, and the certificates that clients show (RFC 8446). This is the web's PKI or one's own, not
//! the STI's: nothing of it says whose calls are believed.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

/// The files that `[service.tls]` names.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct TlsFiles {
    /// The service's certificate and those above it, in PEM.
    pub certificate: Vec<u8>,
    /// Its private key, in PEM.
    pub key: Vec<u8>,
    /// The authorities of clients, in PEM; none asks clients for no certificate.
    pub client_ca: Option<Vec<u8>>,
}

impl TlsFiles {
    /// The files' contents.
    #[must_use]
    pub const fn new(certificate: Vec<u8>, key: Vec<u8>, client_ca: Option<Vec<u8>>) -> Self {
        Self { certificate, key, client_ca }
    }
}

impl fmt::Debug for TlsFiles {
    /// Without the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsFiles({} bytes of certificates)", self.certificate.len())
    }
}

/// How connections are secured: one certificate, whatever is spoken over them.
#[derive(Clone, Debug)]
pub struct Tls {
    http: Arc<ServerConfig>,
    sip: Arc<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// Which of them is wrong, and what is.
    pub fn new(files: &TlsFiles) -> Result<Self, String> {
        // Named, so that nothing else in the process can choose another.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(|reason| reason.to_string())?;
        let builder = match &files.client_ca {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(pem).map_err(|reason| format!("client_ca: {reason}"))? {
                    roots.add(authority).map_err(|reason| format!("client_ca: {reason}"))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|reason| format!("client_ca: {reason}"))?)
            }
        };
        let chain = certificates(&files.certificate).map_err(|reason| format!("certificate: {reason}"))?;
        let key = PrivateKeyDer::from_pem_slice(&files.key).map_err(|reason| format!("key: {reason}"))?;
        let config = builder.with_single_cert(chain, key).map_err(|reason| format!("certificate: {reason}"))?;
        let speaking = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        // RFC 7301 §6; "sip/2" was registered for RFC 3261.
        Ok(Self { http: speaking(b"http/1.1"), sip: speaking(b"sip/2") })
    }

    pub(super) fn http(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.http))
    }

    pub(super) fn sip(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.sip))
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(list) if list.is_empty() => Err("no certificate in it".to_owned()),
        Ok(list) => Ok(list),
        Err(reason) => Err(reason.to_string()),
    }
}
