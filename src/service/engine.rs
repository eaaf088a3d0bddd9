//! What every front end calls: a call in, a verdict out; a request in, a signed identity out (RFC 8224 §6.1, §6.2).

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;
use futures_util::future::join_all;

use crate::fetch::Fetched;
use crate::number::NumberPlan;
use crate::service::evidence::Evidence;
use crate::service::metrics::Metrics;
use crate::service::replay::ReplayCache;
use crate::service::rich_call_data::complete;
use crate::service::signer::KeyFailure;
use crate::service::sip::SipCounter;
use crate::service::standing::{Load, Standing};
use crate::service::telemetry::{self, Attributes, Telemetry};
use crate::sign::{self, SignRequest, SignedIdentity};
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::{CheckResult, Error, Materials, PassportReport, Verdict};

/// Judges and signs calls; shared by all front ends, it works on as many threads as call it.
///
/// A warm call waits for nobody: what it needs stands in one [`Standing`], which a reload replaces as a whole.
pub struct Engine {
    standing: ArcSwap<Standing>,
    loader: Box<dyn Load>,
    clock: Box<dyn Fn() -> UnixTime + Send + Sync>,
    metrics: Metrics,
    evidence: Option<Evidence>,
    telemetry: Option<Telemetry>,
    replay: Option<ReplayCache>,
    sip: OnceLock<SipCounter>,
}

/// By whose rules a call is judged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Rules {
    /// As configured.
    #[default]
    Configured,
    /// ATIS-1000082: its codes, and only `shaken` counts (F34).
    Atis1000082,
}

impl Engine {
    /// An engine of what the loader reads. `clock` tells the present instant.
    ///
    /// # Errors
    /// What the loader found wrong.
    pub fn new(loader: Box<dyn Load>, clock: impl Fn() -> UnixTime + Send + Sync + 'static) -> Result<Self, String> {
        let now = clock();
        let loaded = loader.load(now)?;
        let max_age = loaded.settings.policy.max_age;
        let replay = loaded.settings.replay.as_ref().map(|settings| ReplayCache::new(settings, max_age));
        let standing = Standing::new(loaded, None, now)?;
        Ok(Self {
            standing: ArcSwap::from_pointee(standing),
            loader,
            clock: Box::new(clock),
            metrics: Metrics::new(),
            evidence: None,
            telemetry: None,
            replay,
            sip: OnceLock::new(),
        })
    }

    /// The same with every verdict kept.
    #[must_use]
    pub fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence: Some(evidence), ..self }
    }

    /// The same with traces of its requests.
    #[must_use]
    pub fn with_telemetry(self, telemetry: Telemetry) -> Self {
        Self { telemetry: Some(telemetry), ..self }
    }

    /// Where traces go, if they are made.
    #[must_use]
    pub const fn telemetry(&self) -> Option<&Telemetry> {
        self.telemetry.as_ref()
    }

    /// What it works with at the moment.
    #[must_use]
    pub fn standing(&self) -> Arc<Standing> {
        self.standing.load_full()
    }

    /// The present instant, by its clock.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        (self.clock)()
    }

    /// Where verdicts are kept, if they are.
    #[must_use]
    pub const fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_ref()
    }

    /// Has the counts of a SIP front end shown with its own; the first one stays.
    pub fn show_sip(&self, counter: SipCounter) {
        let _ = self.sip.set(counter);
    }

    pub(crate) fn sip(&self) -> Option<&SipCounter> {
        self.sip.get()
    }

    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Reads everything anew. Calls under way keep what they began with; it blocks, so call it off the async threads.
    ///
    /// # Errors
    /// What is wrong; what was loaded before stays.
    pub fn reload(&self) -> Result<(), String> {
        let now = self.now();
        let before = self.standing.load();
        let read = self.loader.load(now).and_then(|loaded| Standing::new(loaded, Some(&before), now));
        self.metrics.count_reload(read.is_ok());
        self.standing.store(Arc::new(read?));
        Ok(())
    }

    /// Judges a call, at the instant `now`, as configured.
    pub async fn verify(&self, call: &Call, now: UnixTime) -> Verdict {
        self.verify_by(Rules::Configured, call, now).await
    }

    /// Judges a call by these rules.
    pub async fn verify_by(&self, rules: Rules, call: &Call, now: UnixTime) -> Verdict {
        let judged = self.judge(rules, call, now);
        telemetry::span("verify", judged, |verdict, attributes| attributes.verdict(verdict)).await
    }

    async fn judge(&self, rules: Rules, call: &Call, now: UnixTime) -> Verdict {
        let standing = self.standing.load_full();
        let verifier = match rules {
            Rules::Configured => &standing.verifier,
            Rules::Atis1000082 => &standing.atis,
        };
        let began = Instant::now();
        // Ask, then judge.
        let mut materials = Materials::on(Arc::clone(&standing.trust));
        let mut fetched: Vec<(String, Arc<Fetched>)> = Vec::new();
        // All at once: a call with many PASSporTs waits no longer than the slowest of their hosts.
        let urls = verifier.missing(call, &materials);
        let obtained = join_all(urls.iter().map(|url| standing.credentials.get(url, now))).await;
        for (url, obtained) in urls.into_iter().zip(obtained) {
            materials.insert(&url, obtained.credential);
            fetched.extend(obtained.fetched.map(|fetched| (url, fetched)));
        }
        // Some 20 us for a warm certificate: handing it to another thread would cost as much.
        let mut verdict = verifier.verify(call, &materials, now);
        if !fetched.is_empty() {
            if replace_failed(&standing, &verdict, &mut fetched, &mut materials, now).await {
                verdict = verifier.verify(call, &materials, now);
            }
            keep_trusted(&standing, &verdict, &fetched);
        }
        if verdict.missing_resources().next().is_some() {
            let judge = |materials: &Materials| verifier.verify(call, materials, now);
            verdict = complete(&standing, verdict, &mut materials, (now, began.elapsed()), judge).await;
        }
        // RFC 8224 §12.1.
        let replays = self.replays(call, &verdict, &verifier.policy().number_plan, now).await;
        if !replays.is_empty() {
            verdict = verifier.verify(&Call { replays, ..call.clone() }, &materials, now);
        }
        self.note(call, &verdict);
        verdict
    }

    /// RFC 8224 §12.1: tokens that came with another call before.
    async fn replays(&self, call: &Call, verdict: &Verdict, plan: &NumberPlan, now: UnixTime) -> Vec<(String, String)> {
        match &self.replay {
            Some(replay) => {
                let asked = replay.replays(call, verdict, plan, now);
                let tell = |found: &Vec<_>, attributes: &mut Attributes| {
                    attributes.integer("stirtrace.replays", found.len());
                };
                telemetry::waited("replay question", asked, tell).await
            }
            None => Vec::new(),
        }
    }

    /// The memory of tokens, if there is one.
    #[must_use]
    pub const fn replay(&self) -> Option<&ReplayCache> {
        self.replay.as_ref()
    }

    fn note(&self, call: &Call, verdict: &Verdict) {
        let kind = verdict.decisive().and_then(|report| report.error.as_ref()).map_or("", Error::kind);
        self.metrics.count_verdict(verdict.conclusion.as_str(), kind);
        if let Some(evidence) = &self.evidence {
            evidence.keep(call, verdict);
        }
    }

    /// Signs a call with the signer of that name, or the first.
    ///
    /// # Errors
    /// When nobody signs here, the call may not be signed, or the key gives no signature.
    pub async fn sign(
        &self,
        signer: Option<&str>,
        request: &SignRequest,
        now: UnixTime,
    ) -> Result<SignedIdentity, NotSigned> {
        let signed = async {
            let standing = self.standing.load_full();
            let own = standing.signer(signer).ok_or_else(|| NotSigned::NoSigner { name: signer.map(str::to_owned) })?;
            own.sign(request, now).await
        };
        let signed = telemetry::span("sign", signed, tell_signed).await;
        if let Err(NotSigned::KeyFailed { signer, failure }) = &signed {
            self.metrics.count_key_failure(signer, failure.word());
        }
        signed
    }
}

fn tell_signed(signed: &Result<SignedIdentity, NotSigned>, attributes: &mut Attributes) {
    match signed {
        Ok(signed) => {
            if let Some(attest) = signed.claims().attest.as_deref() {
                attributes.text("stirtrace.attest", attest);
            }
        }
        Err(NotSigned::Refused(_)) => attributes.word("stirtrace.reason", "refused"),
        Err(NotSigned::NoSigner { .. }) => attributes.fault("no-signer"),
        Err(NotSigned::KeyFailed { failure, .. }) => attributes.fault(failure.word()),
    }
}

/// G21: the owner of a fetched certificate that failed a signature may have changed keys; whether another one lies
/// there now.
async fn replace_failed(
    standing: &Standing,
    verdict: &Verdict,
    fetched: &mut [(String, Arc<Fetched>)],
    materials: &mut Materials,
    now: UnixTime,
) -> bool {
    let is_wrong = |url: &str| {
        verdict.passports.iter().any(|report| {
            let signed_by = report.signer.as_ref().and_then(|signer| signer.x5u());
            signed_by == Some(url) && report.check("signature") == Some(CheckResult::Fail)
        })
    };
    let wrong = fetched.iter_mut().filter(|(url, _)| is_wrong(url));
    let asked = wrong.map(|(url, own)| async move { (standing.credentials.again(own, now).await, url, own) });
    let mut replaced = false;
    for (other, url, own) in join_all(asked).await {
        let Some(other) = other else { continue };
        materials.insert(url, other.credential);
        if let Some(other) = other.fetched {
            *own = other;
        }
        replaced = true;
    }
    replaced
}

/// What led to a trusted root is kept, for old calls to be judged by; anybody can have anything else fetched.
fn keep_trusted(standing: &Standing, verdict: &Verdict, fetched: &[(String, Arc<Fetched>)]) {
    for (url, own) in fetched {
        let is_trusted = |report: &PassportReport| {
            let signed_by = report.signer.as_ref().and_then(|signer| signer.x5u());
            signed_by == Some(url.as_str()) && report.check("path") == Some(CheckResult::Pass)
        };
        if verdict.passports.iter().any(is_trusted) {
            standing.credentials.keep(own);
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({:?})", self.standing.load())
    }
}

/// Why a call was not signed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSigned {
    /// The signer's private key gave no signature.
    #[error("the key of signer {signer:?} does not sign: {failure}")]
    KeyFailed {
        /// The signer's name.
        signer: String,
        /// Why not.
        failure: KeyFailure,
    },
    /// No signer of that name, or none at all.
    #[error("{}", match name { Some(name) => format!("no signer is called {name:?}"), None => "no signer is configured".to_owned() })]
    NoSigner {
        /// The name asked for.
        name: Option<String>,
    },
    /// The signer may not sign it.
    #[error("{0}")]
    Refused(#[source] sign::Error),
}
