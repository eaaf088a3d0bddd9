//! `POST /stir/v1/signing` (F29, F30, F32).

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Exception;
use super::members::Members;
use crate::number::{Identity, NumberPlan};
use crate::passport::json::Json;
use crate::passport::{Attestation, is_uuid};
use crate::service::attestation::{Asked, AttestationPolicy, Origid};
use crate::service::engine::NotSigned;
use crate::service::http::App;
use crate::service::http::answer::{Seen, json_response};
use crate::service::http::body::json_body;
use crate::service::http::client::Client;
use crate::sign::{Error, SignRequest};
use crate::time::UnixTime;

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
    let decided = match standing.attestation().map(|policy| asked.by_policy(policy, &client)) {
        Some(Ok(decided)) => decided,
        Some(Err(because)) => return Ok(asked.refused(because, tells)),
        None => asked.as_it_says(),
    };
    let signed = app.engine().sign(decided.signer.as_deref(), &decided.request, app.now()).await;
    app.metrics().count_signature(signed.is_ok());
    let signed = signed.map_err(refusal)?;
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
    attest: Attestation,
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

/// A signingRequest.
struct SigningRequest {
    attest: Attestation,
    origid: String,
    orig: Identity,
    dest: Vec<Identity>,
    iat: UnixTime,
    is_ms: bool,
}

impl SigningRequest {
    fn read(body: &[u8], plan: &NumberPlan) -> Result<Self, Exception> {
        let root = Json::parse_object(body).map_err(|reason| Exception::Unparsable { reason: reason.to_string() })?;
        let request = Members::new("", &root)?.object("", "signingRequest")?;
        let is_ms = request.get("ppt").is_some();
        check_type(&request)?;
        let attest = attestation(request.text("attest")?)?;
        let dest = request.parties("dest", "dest", plan)?;
        let iat = UnixTime::from_seconds(request.seconds("iat")?);
        let orig: Identity = request.party("orig", "orig", plan)?;
        let origid = request.text("origid")?;
        if !is_uuid(origid) {
            return Err(Exception::invalid("origid", format!("{origid:?} is no UUID")));
        }
        Ok(Self { attest, origid: origid.to_owned(), orig, dest, iat, is_ms })
    }

    fn request(&self, attest: Attestation, origid: &str) -> SignRequest {
        SignRequest::shaken(attest, origid, self.orig.clone(), self.dest.clone()).issued_at(self.iat)
    }

    /// Where no policy is configured.
    fn as_it_says(&self) -> Decided {
        Decided {
            request: self.request(self.attest, &self.origid),
            attest: self.attest,
            signer: None,
            because: format!("the request says {}, and no policy is configured", self.attest),
        }
    }

    /// What the attestation policy makes of it, and who signs. The client's origination identifier stays, unless the
    /// policy has one for its customers and trunks. Where it signs nothing, that is said why.
    fn by_policy(&self, policy: &AttestationPolicy, client: &Client) -> Result<Decided, String> {
        let (customer, trunk) = policy.origin(client.customer(), None, client.address());
        let asked = Asked::of(&self.orig).from_customer(customer).over_trunk(trunk).requesting(Some(self.attest));
        let decision = policy.decide(&asked);
        let Some(attest) = decision.attest else { return Err(decision.because) };
        let origid = match &decision.origid {
            Origid::Fixed(uuid) => uuid,
            Origid::PerCall => &self.origid,
        };
        let request = self.request(attest, origid);
        Ok(Decided { request, attest, signer: decision.signer, because: decision.because })
    }

    /// The policy signs nothing. Which rule says so is for the log, and for clients who may know the rules.
    fn refused(&self, because: String, tells: bool) -> Response {
        let reason = if tells { because.clone() } else { "the policy does not have this call signed".to_owned() };
        let mut response = Exception::Policy { status: StatusCode::FORBIDDEN, reason }.into_response();
        response.extensions_mut().insert(self.parties().because(because));
        response
    }

    fn seen(&self, decided: Decided) -> Seen {
        Seen { attest: Some(decided.attest.as_str()), ..self.parties() }.because(decided.because)
    }

    fn parties(&self) -> Seen {
        let to = self.dest.first().map(ToString::to_string);
        Seen { from: Some(self.orig.to_string()), to, ..Seen::default() }
    }
}

/// F32: what is asked for is shaken, in as many words or by default.
fn check_type(request: &Members<'_, '_>) -> Result<(), Exception> {
    if request.get("ppt").is_some() {
        let ppt = request.text("ppt")?;
        if ppt != "shaken" {
            let reason = format!("{ppt:?}: only PASSporTs of type shaken are signed here");
            return Err(Exception::invalid("ppt", reason));
        }
    }
    match ["div", "rph", "sph", "rcd"].into_iter().find(|claim| request.get(claim).is_some()) {
        Some(claim) => Err(Exception::invalid(claim, "a shaken PASSporT has no such claim")),
        None => Ok(()),
    }
}

fn attestation(text: &str) -> Result<Attestation, Exception> {
    text.parse().map_err(|_| Exception::invalid("attest", format!("{text:?} is none of A, B and C")))
}

/// What the client can mend is said to it; what is ours is logged.
fn refusal(reason: NotSigned) -> Exception {
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
        Error::NotAuthorized { .. } | Error::InvalidIdentity { .. } => "orig",
        Error::NoDestination | Error::TooManyDestinations { .. } => "dest",
        Error::InvalidOrigid { .. } => "origid",
        Error::ClaimConstraintViolated(_) => "signingRequest",
        _ => {
            tracing::error!(reason = %error, "a call could not be signed");
            return Exception::Internal;
        }
    };
    Exception::invalid(parameter, error.to_string())
}
