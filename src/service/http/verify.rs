//! `POST /v1/verify`: the whole verdict, as `stirtrace verify` prints it, of a call in JSON or of a SIP message.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use super::App;
use super::answer::{Seen, json_response};
use super::body::{NoBody, accepts_json, media_type, whole};
use super::client::Client;
use crate::number::NumberPlan;
use crate::service::treatment::Treatment;
use crate::sip::call::Call;
use crate::sip::json_call::JsonCall;
use crate::sip::message::Message;
use crate::verify::Verdict;

/// Judges one call.
pub(super) async fn verify(State(app): State<App>, request: Request) -> Response {
    match answer(&app, request).await {
        Ok(response) => response,
        Err(unread) => {
            let error = json!({"kind": unread.kind, "detail": unread.detail, "hint": unread.hint});
            json_response(unread.status, &json!({"error": error}))
        }
    }
}

async fn answer(app: &App, request: Request) -> Result<Response, Unread> {
    let standing = app.engine().standing();
    let limit = standing.settings().limits.body;
    if !accepts_json(request.headers()) {
        let unread =
            Unread::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", "the answer is JSON, which Accept excludes");
        return Err(unread.hint("leave Accept out, or name application/json"));
    }
    let client = Client::of(&request);
    let form = Form::of(media_type(request.headers()).as_deref())?;
    let body = whole(request, limit).await.map_err(|reason| match reason {
        NoBody::TooLong => {
            let detail = format!("the body has more than {limit} octets");
            Unread::new(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLong", detail).hint("send one call at a time")
        }
        NoBody::Broken => Unread::new(StatusCode::BAD_REQUEST, "BrokenBody", "the body broke off"),
    })?;
    let call = form.call(&body, &standing.policy().number_plan)?;
    let verdict = app.engine().verify(&call, app.now()).await;
    let treatment = standing.treatment().treat(&call, &verdict, client.peer());
    app.metrics().count_treatment(treatment.action);
    let mut response = json_response(StatusCode::OK, &Judged { verdict: &verdict, treatment: &treatment });
    response.extensions_mut().insert(Seen::of(&verdict).because(treatment.because));
    Ok(response)
}

/// A verdict, and what the carrier's policy makes of the call.
#[derive(Serialize)]
struct Judged<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    treatment: &'a Treatment,
}

/// What the body is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Json,
    Message,
}

impl Form {
    fn of(media_type: Option<&str>) -> Result<Self, Unread> {
        match media_type {
            Some("application/json") => Ok(Self::Json),
            // RFC 3261 §27.5.
            Some("message/sip") => Ok(Self::Message),
            other => {
                let detail = format!("the body is {}", other.unwrap_or("of no type that is named"));
                let unread = Unread::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", detail);
                Err(unread.hint("send application/json, or a SIP message as message/sip"))
            }
        }
    }

    fn call(self, body: &Bytes, plan: &NumberPlan) -> Result<Call, Unread> {
        match self {
            Self::Json => {
                let bad = |detail: String, hint| Unread::new(StatusCode::BAD_REQUEST, "NoCall", detail).hint(hint);
                let text = std::str::from_utf8(body)
                    .map_err(|_| bad("the body is not UTF-8".to_owned(), "JSON is written in UTF-8 (RFC 8259 §8.1)"))?;
                let call = JsonCall::parse(text).and_then(|call| call.into_call(plan));
                call.map_err(|reason| bad(reason.to_string(), reason.hint()))
            }
            Self::Message => {
                let read = Message::parse(body);
                let (message, _) = read.map_err(|reason| {
                    let unread = Unread::new(StatusCode::BAD_REQUEST, "NoSipMessage", reason.to_string());
                    unread.hint("send the message as it came, start line and header fields with their line ends")
                })?;
                Ok(Call::from_message(&message, plan))
            }
        }
    }
}

/// Why a body was not judged.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Unread {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    hint: Option<&'static str>,
}

impl Unread {
    fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), hint: None }
    }

    fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}
