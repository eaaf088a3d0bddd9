//! `POST /stir/v1/signing` (F29, F30, F32).

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Exception;
use super::signing_request::{SigningRequest, Wanted};
use crate::passport::{Attestation, ResourcePriority};
use crate::service::attestation::{Asked, AttestationPolicy, Origid};
use crate::service::engine::NotSigned;
use crate::service::http::App;
use crate::service::http::answer::{Seen, json_response};
use crate::service::http::body::json_body;
use crate::service::http::client::Client;
use crate::service::signer::NamedSigner;
use crate::service::standing::Standing;
use crate::sign::{Error, SignRequest};

/// Signs one call.
pub(in crate::service::http) async fn sign(State(app): State<App>, request: Request) -> Response {
    match answer(&app, request).await {
        Ok(response) => response,
        Err(exception) => exception.into_response(),
    }
}

async fn answer(app: &App, request: Request) -> Result<Response, Exception> {
    let standing = app.engine().standing();
    let plan = standing.policy().number_plan;
    let client = Client::of(&request);
    let body = json_body(request, standing.settings().limits.body).await?;
    let asked = SigningRequest::read(&body, &plan)?;
    let tells = standing.settings().atis82.attestation_reason;
    let decided = match (&asked.wanted, standing.attestation()) {
        // What a client may not have is no rule of somebody else's.
        (Wanted::Rph { priorities, .. }, _) => {
            asked.by_permission(priorities, &standing, &client).map_err(|because| (because, true))
        }
        (_, Some(policy)) => asked.by_policy(policy, &client).map_err(|because| (because, tells)),
        (_, None) => Ok(asked.as_it_says()),
    };
    let decided = match decided {
        Ok(decided) => decided,
        Err((because, tells)) => return Ok(asked.refused(because, tells)),
    };
    let signed = app.engine().sign(decided.signer.as_deref(), &decided.request, app.now()).await;
    app.metrics().count_signature(signed.is_ok());
    let signed = signed.map_err(|reason| refusal(reason, &asked))?;
    let mut members = Map::new();
    members.insert("identity".to_owned(), Value::String(signed.to_string()));
    if asked.is_ms {
        // F32: the same under the name that TS 24.229 has.
        members.insert("identityHeader".to_owned(), Value::String(signed.to_string()));
    }
    let mut response = json_response(StatusCode::OK, &json!({"signingResponse": members}));
    if tells {
        response.headers_mut().insert(REASON, header_value(&decided.because));
    }
    response.extensions_mut().insert(asked.seen(decided));
    Ok(response)
}

/// What is signed, by whom, and why.
struct Decided {
    request: SignRequest,
    attest: Option<Attestation>,
    signer: Option<String>,
    because: String,
}

/// The standard's body has no place for why a call gets its attestation (F30); a header field takes nothing from it. It is
/// sent where the configuration lets clients know the rules.
const REASON: HeaderName = HeaderName::from_static("attestation-reason");

/// Names of customers and trunks may have any character.
fn header_value(text: &str) -> HeaderValue {
    let escape =
        |c: char| if c.is_ascii_graphic() || c == ' ' { c.to_string() } else { c.escape_default().to_string() };
    let plain: String = text.chars().map(escape).collect();
    HeaderValue::from_str(&plain).unwrap_or(HeaderValue::from_static("none"))
}

impl SigningRequest {
    /// Where no policy is configured.
    fn as_it_says(&self) -> Decided {
        let (attest, said) = match &self.wanted {
            Wanted::Shaken { attest, .. } => (Some(*attest), attest.as_str()),
            Wanted::Div { .. } => (None, "div"),
            Wanted::Rph { .. } => (None, "rph"),
        };
        Decided {
            request: self.to_sign(None),
            attest,
            signer: None,
            because: format!("the request says {said}, and no policy is configured"),
        }
    }

    /// What the attestation policy makes of it, and who signs. Where it signs nothing, that is said why.
    fn by_policy(&self, policy: &AttestationPolicy, client: &Client) -> Result<Decided, String> {
        // Of a diversion, the policy is asked about the number that is diverted, as if it called: whoever may not show
        // the number must not send its calls elsewhere either.
        let (shown, requested) = match &self.wanted {
            Wanted::Div { diverted } => (diverted, None),
            Wanted::Shaken { attest, .. } => (&self.orig, Some(*attest)),
            Wanted::Rph { .. } => (&self.orig, None),
        };
        let (customer, trunk) = policy.origin(client.customer(), None, client.address());
        let asked = Asked::of(shown).from_customer(customer).over_trunk(trunk).requesting(requested);
        let decision = policy.decide(&asked);
        let is_diversion = matches!(self.wanted, Wanted::Div { .. });
        // D8, E3: whoever diverts a number says that it is his, as A does.
        let Some(attest) = decision.attest.filter(|attest| !is_diversion || *attest == Attestation::A) else {
            let wants = if is_diversion { "; a diversion wants A for the number that is diverted" } else { "" };
            return Err(decision.because + wants);
        };
        let (attest, request) = match (&self.wanted, &decision.origid) {
            // The client's origination identifier stays, unless the policy has one for its customers and trunks.
            (Wanted::Shaken { .. }, Origid::Fixed(uuid)) => (Some(attest), self.to_sign(Some((attest, uuid)))),
            (Wanted::Shaken { origid, .. }, Origid::PerCall) => (Some(attest), self.to_sign(Some((attest, origid)))),
            // F26: it attests nothing.
            _ => (None, self.to_sign(None)),
        };
        Ok(Decided { request, attest, signer: decision.signer, because: decision.because })
    }

    /// E8: who signs is the first signer that may authorise all of the namespaces for this client; nobody unless the
    /// configuration says so, for priority is taken from everybody else.
    fn by_permission(
        &self,
        priorities: &[ResourcePriority],
        standing: &Standing,
        client: &Client,
    ) -> Result<Decided, String> {
        let namespaces: BTreeSet<&str> = priorities.iter().map(ResourcePriority::namespace).collect();
        let shown = namespaces.iter().copied().collect::<Vec<_>>().join(", ");
        let may_have_signed = standing.attestation().is_none_or(|policy| {
            let (customer, trunk) = policy.origin(client.customer(), None, client.address());
            let asked = Asked::of(&self.orig).from_customer(customer).over_trunk(trunk);
            policy.decide(&asked).attest.is_some()
        });
        let may = |own: &&NamedSigner| own.may_authorise(priorities, client.customer(), may_have_signed);
        let Some(signer) = standing.signers.iter().find(may) else {
            return Err(format!("no signer may authorise priorities of {shown} for {}", client.name()));
        };
        let because = format!("signer {:?} may authorise priorities of {shown}", signer.name());
        Ok(Decided { request: self.to_sign(None), attest: None, signer: Some(signer.name().to_owned()), because })
    }

    /// Nothing is signed. Which rule says so is for the log, and for clients who may know the rules.
    fn refused(&self, because: String, tells: bool) -> Response {
        let reason = if tells { because.clone() } else { "the policy does not have this call signed".to_owned() };
        let mut response = Exception::Policy { status: StatusCode::FORBIDDEN, reason }.into_response();
        response.extensions_mut().insert(self.parties().because(because));
        response
    }

    fn seen(&self, decided: Decided) -> Seen {
        Seen { attest: decided.attest.map(Attestation::as_str), ..self.parties() }.because(decided.because)
    }

    fn parties(&self) -> Seen {
        let to = self.dest.first().map(ToString::to_string);
        Seen { from: Some(self.orig.to_string()), to, ..Seen::default() }
    }
}

/// What the client can mend is said to it; what is ours is logged.
fn refusal(reason: NotSigned, asked: &SigningRequest) -> Exception {
    let error = match reason {
        NotSigned::Refused(error) => error,
        // Told when it began.
        NotSigned::KeyFailed { .. } => {
            tracing::debug!(%reason, "a call could not be signed");
            return Exception::Internal;
        }
        NotSigned::NoSigner { .. } => {
            tracing::error!(%reason, "a call could not be signed");
            return Exception::Internal;
        }
    };
    let parameter = match &error {
        Error::StaleIat { .. } | Error::StaleDate { .. } => "iat",
        Error::NotAuthorized { .. } => asked.speaker(),
        Error::InvalidIdentity { .. } => "orig",
        Error::NoDestination | Error::NotDiverted { .. } | Error::TooManyDestinations { .. } => "dest",
        Error::CallbackWithoutEmergency => "sph",
        Error::TooManyPriorities { .. } => "rph.auth",
        Error::InvalidOrigid { .. } => "origid",
        Error::ClaimConstraintViolated(_) => "signingRequest",
        _ => {
            tracing::error!(reason = %error, "a call could not be signed");
            return Exception::Internal;
        }
    };
    Exception::invalid(parameter, error.to_string())
}
