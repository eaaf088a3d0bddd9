//! What the engine makes of the redirect server's calls: signed by the attestation policy, verified and treated.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::service::attestation::Asked;
use crate::service::engine::Engine;
use crate::service::sip::listener::Answering;
use crate::service::sip::redirect::Outcome;
use crate::service::sip::server::{Job, Task};
use crate::service::tls::Tls;
use crate::service::treatment::Peer;
use crate::service::uuid;
use crate::sign::SignRequest;
use crate::sip::call::Call;
use crate::verify::Error;

/// An engine that answers SIP.
#[derive(Debug)]
pub struct EngineAnswers {
    engine: Arc<Engine>,
}

impl EngineAnswers {
    /// The engine's answers.
    #[must_use]
    pub const fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    async fn verify(&self, call: &Call, source: IpAddr) -> Outcome {
        let verdict = self.engine.verify(call, self.engine.now()).await;
        let treatment = self.engine.standing().treatment().treat(call, &verdict, Peer::Address(source));
        self.engine.metrics().count_treatment(treatment.action);
        let error = verdict.decisive().and_then(|report| report.error.as_ref()).map(Error::kind);
        tracing::debug!(call_id = call.call_id, verdict = %verdict.conclusion, error, because = treatment.because, "sip verified");
        Outcome::Verified(treatment)
    }

    /// Whatever keeps a call from being signed, it goes on: who must not sign need not stop it (RFC 8224 §6.1).
    async fn sign(&self, job: &Job) -> Outcome {
        let signed = self.signed(job).await;
        self.engine.metrics().count_signature(signed.is_ok());
        match signed {
            Ok(outcome) => outcome,
            Err(because) => {
                tracing::debug!(call_id = job.call.call_id, because, "sip not signed");
                Outcome::Unsigned
            }
        }
    }

    async fn signed(&self, job: &Job) -> Result<Outcome, String> {
        let call = &job.call;
        if !call.identities.is_empty() {
            return Err("the call has an Identity already".to_owned());
        }
        // B9, F1.
        let originator = call.asserted.first().or(call.from.as_ref()).ok_or("the call names no caller")?;
        let called = call.to.as_ref().or(call.request_uri.as_ref()).ok_or("the call names nobody called")?;
        let now = self.engine.now();
        let standing = self.engine.standing();
        let policy = standing.attestation().ok_or("stirtrace.toml has no [service.signing]")?;
        let address = job.source.address.ip();
        let (customer, trunk) = policy.origin(job.customer.as_deref(), job.trunk.as_deref(), Some(address));
        let decision = policy.decide(&Asked::of(originator).from_customer(customer).over_trunk(trunk));
        let Some(attest) = decision.attest else { return Err(decision.because) };
        let origid = decision.origid.to_uuid(uuid::octets).map_err(|reason| reason.to_string())?;
        let request = SignRequest::shaken(attest, origid, originator.clone(), vec![called.clone()]);
        let request = match call.date.as_ref().and_then(|date| date.time) {
            Some(date) => request.dated(date),
            None => request,
        };
        let signed = self.engine.sign(decision.signer.as_deref(), &request, now).await;
        let signed = signed.map_err(|error| format!("{error}; {}", decision.because))?;
        tracing::debug!(call_id = call.call_id, attest = attest.as_str(), because = decision.because, "sip signed");
        Ok(Outcome::Signed { identity: signed.to_string(), at: signed.claims().iat.unwrap_or(now) })
    }
}

impl Answering for EngineAnswers {
    fn answer(&self, job: Box<Job>) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        let answered = async move {
            match job.task {
                Task::Sign => self.sign(&job).await,
                Task::Verify => self.verify(&job.call, job.source.address.ip()).await,
            }
        };
        Box::pin(async move {
            match self.engine.telemetry() {
                // SIP has no traceparent.
                Some(telemetry) => telemetry.request("INVITE", None, answered, |_, _| {}).await,
                None => answered.await,
            }
        })
    }

    fn tls(&self) -> Option<Tls> {
        self.engine.standing().tls().cloned()
    }
}
