//! What the service works with at a time: policy, trust, certificates at hand, keys. Read whole, replaced whole, so that
//! no call sees half of a change.

use std::fmt;
use std::sync::Arc;

use crate::fetch::Fetcher;
use crate::service::attestation::AttestationPolicy;
use crate::service::credentials::{Archive, Credentials};
use crate::service::http::Bearer;
use crate::service::settings::{Settings, SignerSettings};
use crate::service::signer::NamedSigner;
use crate::service::tls::{Tls, TlsFiles};
use crate::service::treatment::TreatmentSettings;
use crate::time::UnixTime;
use crate::verify::{Policy, Profile, Require, Trust, Verifier};

/// Reads everything anew: at the start, and whenever the service is told to read again.
///
/// Whoever runs the service knows where files lie and what they are called; the service does not.
pub trait Load: Send + Sync {
    /// Reads it as of the instant `now`.
    ///
    /// # Errors
    /// What is wrong and what to do about it, in words for whoever runs the service. What was loaded before stays.
    fn load(&self, now: UnixTime) -> Result<Loaded, String>;
}

impl<F: Fn(UnixTime) -> Result<Loaded, String> + Send + Sync> Load for F {
    fn load(&self, now: UnixTime) -> Result<Loaded, String> {
        self(now)
    }
}

/// What was read.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// The `[service]` table; its policy is what a verifier accepts.
    pub settings: Settings,
    /// Whom to trust, and who is revoked.
    pub trust: Trust,
    /// When the STI-PA's list ends that the trust rests on; none where it rests on files of roots.
    pub trust_list_expires: Option<UnixTime>,
    /// The certificates at hand, by URL.
    pub archive: Option<Arc<dyn Archive>>,
    /// What gets those that are not at hand, where that is allowed.
    pub fetcher: Option<Fetcher>,
    /// Who signs; the first unless a rule names another.
    pub signers: Vec<NamedSigner>,
    /// The files of keys that `[service.tokens]` names, each with its name.
    pub token_keys: Vec<(String, Vec<u8>)>,
    /// The files that `[service.tls]` names.
    pub tls: Option<TlsFiles>,
}

impl Loaded {
    /// Settings alone: nobody is trusted, nobody signs.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anchors = self.trust.anchors().certificates().len();
        write!(f, "Loaded({anchors} anchors, {} CRLs, {:?})", self.trust.crls().len(), self.signers)
    }
}

/// What was loaded, made ready to judge and sign with.
#[derive(Debug)]
pub struct Standing {
    /// As configured.
    pub(crate) verifier: Verifier,
    /// As ATIS-1000082 wants it: its codes, and only `shaken` counts (F34).
    pub(crate) atis: Verifier,
    pub(crate) trust: Arc<Trust>,
    pub(crate) trust_list_expires: Option<UnixTime>,
    pub(crate) credentials: Credentials,
    pub(crate) signers: Vec<NamedSigner>,
    attestation: Option<AttestationPolicy>,
    pub(crate) loaded_at: UnixTime,
    settings: Settings,
    bearer: Option<Bearer>,
    tls: Option<Tls>,
}

impl Standing {
    /// Makes it of what was loaded; the one `before` gives what is remembered of certificates and keys and stays true.
    pub(crate) fn new(loaded: Loaded, before: Option<&Self>, now: UnixTime) -> Result<Self, String> {
        let policy = loaded.settings.policy.clone();
        let verifier = match before {
            Some(before) => before.verifier.with_policy(policy.clone()),
            None => Verifier::new(policy.clone()),
        };
        let atis = Policy { profile: Profile::Atis, require: Require::Shaken, ..policy };
        let settings = &loaded.settings;
        let going_on = |signer: NamedSigner| match before {
            Some(before) => before.go_on(signer, settings),
            None => signer,
        };
        let signers = loaded.signers.into_iter().map(going_on).collect();
        let bearer = loaded.settings.tokens.as_ref().map(|tokens| Bearer::new(tokens, &loaded.token_keys));
        let tls = loaded.tls.as_ref().map(Tls::new);
        Ok(Self {
            atis: verifier.with_policy(atis),
            verifier,
            trust: Arc::new(loaded.trust),
            trust_list_expires: loaded.trust_list_expires,
            credentials: Credentials::new(loaded.archive, loaded.fetcher, before.map(|before| &before.credentials)),
            signers,
            attestation: loaded.settings.signing.clone().map(AttestationPolicy::new),
            loaded_at: now,
            bearer: bearer.transpose().map_err(|reason| format!("service.tokens.keys: {reason}"))?,
            tls: tls.transpose().map_err(|reason| format!("service.tls.{reason}"))?,
            settings: loaded.settings,
        })
    }

    /// A signer of a configuration read anew: one that stands there as before is the same, failing or not.
    fn go_on(&self, signer: NamedSigner, settings: &Settings) -> NamedSigner {
        let is_it = |own: &&SignerSettings| own.name == signer.name();
        let is_same = self.settings.signers.iter().find(is_it) == settings.signers.iter().find(is_it);
        match self.signer(Some(signer.name())).filter(|_| is_same) {
            Some(before) => signer.going_on_from(before),
            None => signer,
        }
    }

    /// The `[service]` table.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// When the STI-PA's list ends that the trust rests on, if it rests on one.
    #[must_use]
    pub const fn trust_list_expires(&self) -> Option<UnixTime> {
        self.trust_list_expires
    }

    /// What fetches, if anything may be fetched.
    pub(crate) const fn fetcher(&self) -> Option<&Fetcher> {
        self.credentials.fetcher()
    }

    pub(crate) const fn bearer(&self) -> Option<&Bearer> {
        self.bearer.as_ref()
    }

    pub(crate) const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Whom to trust, and who is revoked.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What a verifier accepts, as configured.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.verifier.policy()
    }

    /// What is signed, of whose calls, if the configuration says so.
    #[must_use]
    pub const fn attestation(&self) -> Option<&AttestationPolicy> {
        self.attestation.as_ref()
    }

    /// What becomes of calls after their verdict.
    #[must_use]
    pub const fn treatment(&self) -> &TreatmentSettings {
        &self.settings.treatment
    }

    /// When it was read.
    #[must_use]
    pub const fn loaded_at(&self) -> UnixTime {
        self.loaded_at
    }

    /// The signer of a name; the first where none is named.
    #[must_use]
    pub fn signer(&self, name: Option<&str>) -> Option<&NamedSigner> {
        let mut signers = self.signers.iter();
        match name {
            Some(name) => signers.find(|signer| signer.name() == name),
            None => signers.next(),
        }
    }
}
