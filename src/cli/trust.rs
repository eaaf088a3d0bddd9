//! Whom to trust, read from what the options name: roots, CRLs and their signers, the archive.

use std::path::Path;

use crate::certificate::Certificate;
use crate::certificate::bundle::{Bundle, Limits};
use crate::certificate::crl::Crl;
use crate::cli::archive::Archive;
use crate::cli::args::{RevocationArgs, TrustArgs};
use crate::cli::exit::Complaint;
use crate::cli::files::{Input, inputs, read_named};
use crate::time::UnixTime;
use crate::trust::TrustAnchors;
use crate::verify::Materials;

/// Whom to trust, who is revoked, and where certificates lie.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    anchors: TrustAnchors,
    crls: Vec<Crl>,
    crl_signers: Vec<Certificate>,
    pub(crate) archive: Option<Archive>,
}

impl Trust {
    /// Reads what the options name. The present instant decides whether a trust list is still good.
    pub(crate) fn resolve(args: &TrustArgs, _now: UnixTime) -> Result<Self, Complaint> {
        let mut anchors = TrustAnchors::new();
        for path in &args.trust {
            for input in inputs(std::slice::from_ref(path)) {
                let input = input.map_err(|unlisted| no_roots(path, &unlisted.reason))?;
                anchors.extend(read_roots(path, &input)?.certificates().iter().cloned());
            }
        }
        let archive = args.certs.as_deref().map(Archive::open).transpose()?;
        Ok(Self { anchors, crls: Vec::new(), crl_signers: Vec::new(), archive })
    }

    /// The same with CRLs and their signers.
    pub(crate) fn with_revocation(mut self, args: &RevocationArgs) -> Result<Self, Complaint> {
        for path in &args.crl {
            let bytes = read_named("--crl", path, Crl::MAX_LENGTH)?;
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
        let mut materials = Materials::new();
        materials.set_anchors(self.anchors.clone());
        self.crls.iter().for_each(|crl| materials.add_crl(crl.clone()));
        self.crl_signers.iter().for_each(|signer| materials.add_crl_signer(signer.clone()));
        materials
    }
}

fn no_roots(path: &Path, reason: &str) -> Complaint {
    Complaint::new(format!("--trust {}: {reason}", path.display()))
        .hint("name a PEM file of trusted roots, or a folder of such files")
}

fn read_roots(named: &Path, input: &Input) -> Result<TrustAnchors, Complaint> {
    let (Input::Named(path) | Input::Found(path)) = input else {
        return Err(no_roots(named, "roots are not read from standard input"));
    };
    let bytes = read_named("--trust", path, Limits::OWN_FILE.octets)?;
    TrustAnchors::from_pem(&bytes).map_err(|reason| no_roots(path, &reason.to_string()))
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
