//! Whom to trust, read from what the options name: roots, CRLs and their signers, the archive.

use std::path::Path;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::certificate::bundle::{Bundle, Limits};
use crate::certificate::crl::Crl;
use crate::cli::archive::Archive;
use crate::cli::args::{RevocationArgs, TrustArgs};
use crate::cli::exit::Complaint;
use crate::cli::fetching::{Fetching, fetched, url_of};
use crate::cli::files::{Input, inputs, read_named};
use crate::fetch::Kind;
use crate::time::UnixTime;
use crate::trust::TrustAnchors;
use crate::trust::sti_pa::{Policy, StiPaList};
use crate::verify::{self, Materials};

/// Whom to trust, who is revoked, and where certificates lie.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    anchors: TrustAnchors,
    crls: Vec<Crl>,
    crl_signers: Vec<Certificate>,
    pub(crate) archive: Option<Archive>,
    /// When the first of the STI-PA's lists ends, if there is one.
    pub(crate) list_expires: Option<UnixTime>,
}

impl Trust {
    /// Reads what the options name. The present instant decides whether a trust list is still good.
    pub(crate) fn resolve(args: &TrustArgs, fetching: Option<&Fetching>, now: UnixTime) -> Result<Self, Complaint> {
        let archive = args.certs.as_deref().map(Archive::open).transpose()?;
        let mut signers = Vec::new();
        for path in &args.trust_signer {
            signers.extend(read_certificates("--trust-signer", path)?);
        }
        let reader = RootReader { signers, archive: archive.as_ref(), fetching, now };
        let mut anchors = TrustAnchors::new();
        let mut list_expires: Option<UnixTime> = None;
        for path in &args.trust {
            if let Some(url) = url_of(path) {
                let bytes = fetched("--trust", Kind::TrustList, fetching, url)?;
                let roots = reader.read_list(path, &bytes)?;
                list_expires = list_expires.into_iter().chain(roots.expires).min();
                anchors.extend(roots.anchors.certificates().iter().cloned());
                continue;
            }
            for input in inputs(std::slice::from_ref(path)) {
                let input = input.map_err(|unlisted| no_roots(path, &unlisted.reason))?;
                let roots = reader.read(path, &input)?;
                list_expires = list_expires.into_iter().chain(roots.expires).min();
                anchors.extend(roots.anchors.certificates().iter().cloned());
            }
        }
        Ok(Self { anchors, crls: Vec::new(), crl_signers: Vec::new(), archive, list_expires })
    }

    /// The same with CRLs and their signers.
    pub(crate) fn with_revocation(
        mut self,
        args: &RevocationArgs,
        fetching: Option<&Fetching>,
    ) -> Result<Self, Complaint> {
        for path in &args.crl {
            let bytes = match url_of(path) {
                Some(url) => fetched("--crl", Kind::Crl, fetching, url)?,
                None => read_named("--crl", path, Crl::MAX_LENGTH)?,
            };
            // An unreadable CRL is an error, never silence: whoever it revokes would pass.
            self.crls.push(Crl::from_bytes(&bytes).map_err(|reason| {
                Complaint::new(format!("--crl {}: {reason}", path.display())).hint("get it again, in PEM or DER")
            })?);
        }
        for path in &args.crl_signer {
            self.crl_signers.extend(read_certificates("--crl-signer", path)?);
        }
        Ok(self)
    }

    /// Whom to trust.
    pub(crate) const fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// Whether nobody is trusted.
    pub(crate) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Materials with everything that does not depend on the call.
    pub(crate) fn materials(&self) -> Materials {
        Materials::on(Arc::new(self.to_trust()))
    }

    /// Whom to trust, and who is revoked, as a verifier wants it.
    pub(crate) fn to_trust(&self) -> verify::Trust {
        let mut trust = verify::Trust::new();
        trust.set_anchors(self.anchors.clone());
        self.crls.iter().for_each(|crl| trust.add_crl(crl.clone()));
        self.crl_signers.iter().for_each(|signer| trust.add_crl_signer(signer.clone()));
        trust
    }
}

/// Reads roots: PEM, DER, or the STI-PA's signed list.
struct RootReader<'a> {
    /// Who may sign the list.
    signers: Vec<Certificate>,
    /// Where the certificate of the list's signer may lie.
    archive: Option<&'a Archive>,
    /// Where it may be got, else.
    fetching: Option<&'a Fetching>,
    now: UnixTime,
}

impl RootReader<'_> {
    fn read(&self, named: &Path, input: &Input) -> Result<Roots, Complaint> {
        let (Input::Named(path) | Input::Found(path)) = input else {
            return Err(no_roots(named, "roots are not read from standard input"));
        };
        let bytes = read_named("--trust", path, Limits::OWN_FILE.octets)?;
        let start = bytes.trim_ascii_start();
        if start.starts_with(b"{") || start.starts_with(b"eyJ") {
            return self.read_list(path, &bytes);
        }
        let anchors = TrustAnchors::from_pem(&bytes).map_err(|reason| no_roots(path, &reason.to_string()))?;
        Ok(Roots { anchors, expires: None })
    }

    /// F21: only the pinned signer's list counts, only until it expires.
    fn read_list(&self, path: &Path, bytes: &[u8]) -> Result<Roots, Complaint> {
        if self.signers.is_empty() {
            let complaint =
                Complaint::new(format!("--trust {}: a signed list, and nobody is pinned to sign it", path.display()));
            return Err(complaint.hint("name the STI-PA's certificate, or its root, with --trust-signer PEM"));
        }
        let supplied = self.list_certificates(bytes);
        let policy = Policy { pinned: &self.signers, supplied: &supplied, previous_sequence: None, now: self.now };
        let list = StiPaList::verify(bytes, &policy).map_err(|reason| {
            Complaint::new(format!("--trust {}: {reason}", path.display()))
                .hint("get the list again from the STI-PA, and see that --trust-signer names who signs it")
        })?;
        Ok(Roots { anchors: list.anchors().clone(), expires: Some(list.expires()) })
    }

    /// What the archive holds at the URL of the list's signer: it may lead from a pinned root to the signer.
    fn list_certificates(&self, bytes: &[u8]) -> Vec<Certificate> {
        let url = StiPaList::signer_url(bytes);
        let archived = url.as_deref().and_then(|url| self.archive?.read(url).ok());
        let fetch = || Some(self.fetching?.certificate(url.as_deref()?).ok()?.body.to_vec());
        let found = archived.or_else(fetch);
        let bundle = found.and_then(|body| Bundle::read(&body, &Limits::UNTRUSTED).ok());
        bundle.map(|bundle| bundle.certificates).unwrap_or_default()
    }
}

/// The roots of one file.
struct Roots {
    anchors: TrustAnchors,
    /// When the STI-PA's list ends that they stand in.
    expires: Option<UnixTime>,
}

fn no_roots(path: &Path, reason: &str) -> Complaint {
    Complaint::new(format!("--trust {}: {reason}", path.display()))
        .hint("name a PEM file of trusted roots, a folder of such files, or the STI-PA's signed list")
}

/// The certificates of a file that an option names, all of them usable.
fn read_certificates(option: &str, path: &Path) -> Result<Vec<Certificate>, Complaint> {
    let complain = |reason: String| {
        Complaint::new(format!("{option} {}: {reason}", path.display())).hint("name a certificate in PEM or DER")
    };
    let bundle = Bundle::read(&read_named(option, path, Limits::OWN_FILE.octets)?, &Limits::OWN_FILE);
    let bundle = bundle.map_err(|reason| complain(reason.to_string()))?;
    match bundle.problems.first() {
        Some(problem) => Err(complain(problem.to_string())),
        None => Ok(bundle.certificates),
    }
}
