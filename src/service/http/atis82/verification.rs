//! `POST /stir/v1/verification` (F29, F31, F32, F34).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Exception;
use super::request::{Form, VerificationRequest};
use super::result::{Outcome, Reason, outcome};
use super::said::Said;
use crate::service::engine::Rules;
use crate::service::http::App;
use crate::service::http::answer::{Seen, json_response};
use crate::service::http::body::json_body;
use crate::service::http::client::Client;
use crate::service::settings::{Atis82Settings, ReasonNames};
use crate::verify::{PassportReport, RichCallDataReport, RichCallDataStatus, Status, Verdict, Verstat};

/// Verifies one call.
pub(in crate::service::http) async fn verify(State(app): State<App>, request: Request) -> Response {
    match answer(&app, request).await {
        Ok(response) => response,
        Err(exception) => exception.into_response(),
    }
}

async fn answer(app: &App, request: Request) -> Result<Response, Exception> {
    let standing = app.engine().standing();
    let policy = standing.policy();
    let plan = policy.number_plan;
    let client = Client::of(&request);
    let body = json_body(request, standing.settings().limits.body).await?;
    let asked = VerificationRequest::read(&body, &plan)?;
    let settings = standing.settings().atis82;
    let now = app.now();
    // E3 comes before everything that is in the Identity.
    if now.seconds_since(asked.time).unsigned_abs() > policy.max_age.unsigned_abs() {
        app.metrics().count_verdict("none", "StaleDate");
        let said = Said::of(Outcome::Result(Reason::stale_time()));
        return Ok(respond(&Answer { said, verdict: None, form: asked.form, settings }));
    }
    // E15 holds iat against the time of the request, which lies near enough to now: so that is the instant judged.
    let verdict = app.engine().verify_by(Rules::Atis1000082, &asked.call, asked.time).await;
    let outcome = match outcome(&verdict, &asked.to, &plan) {
        Outcome::InvalidIdentity(reason) => return Err(Exception::invalid("identity", reason)),
        Outcome::Unable => return Err(Exception::Internal),
        outcome => outcome,
    };
    let (manner, _) = standing.treatment().manner(client.peer());
    let treatment = standing.treatment().treat(&asked.call, &verdict, client.peer());
    app.metrics().count_treatment(treatment.action);
    let said = Said::treated(outcome, &verdict, manner, &treatment);
    let mut response = respond(&Answer { said, verdict: Some(&verdict), form: asked.form, settings });
    response.extensions_mut().insert(Seen::of(&verdict).because(treatment.because));
    Ok(response)
}

fn respond(answer: &Answer<'_>) -> Response {
    json_response(axum::http::StatusCode::OK, &json!({"verificationResponse": answer.members()}))
}

/// The answer to be written.
struct Answer<'a> {
    said: Said,
    verdict: Option<&'a Verdict>,
    form: Form,
    settings: Atis82Settings,
}

impl Answer<'_> {
    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("verstat".to_owned(), (*self.said.verstat).into());
        if let Some(reason) = &self.said.reason {
            let [code, text, description] = match self.settings.reason_names {
                ReasonNames::Camel => ["reasonCode", "reasonText", "reasonDesc"],
                ReasonNames::Lower => ["reasoncode", "reasontext", "reasondesc"],
            };
            // F31: integers; one client takes a code in quotes for none.
            members.insert(code.to_owned(), reason.code.into());
            members.insert(text.to_owned(), (*reason.text).into());
            members.insert(description.to_owned(), reason.description.clone().into());
        }
        if let Some(verdict) = self.verdict {
            if self.settings.attestation {
                let told = Some(verdict).filter(|_| self.said.attests);
                let attest = told.and_then(|verdict| verdict.attest).map(|attest| attest.as_str());
                members.insert("attest".to_owned(), attest.into());
                members.insert("origid".to_owned(), told.and_then(|verdict| verdict.origid.clone()).into());
            }
            if self.form == Form::Ms {
                self.add_ms(verdict, &mut members);
            }
        }
        members
    }

    /// F32: what each PASSporT came to.
    fn add_ms(&self, verdict: &Verdict, members: &mut Map<String, Value>) {
        members.insert("verstatValue".to_owned(), (*self.said.verstat).into());
        if !self.said.attests {
            return;
        }
        let diversions: Vec<Value> = verdict.passports.iter().filter_map(div_result).collect();
        if !diversions.is_empty() {
            members.insert("divResult".to_owned(), diversions.into());
        }
        if let Some(priority) = &verdict.priority {
            members.insert("verstatPriority".to_owned(), priority.verstat.as_str().into());
        }
        let shown = |place: usize| verdict.rich_call_data.iter().find(|own| own.passport == place);
        let reports = verdict.passports.iter().enumerate();
        let results: Vec<Value> = reports.map(|(place, report)| verify_result(report, shown(place))).collect();
        members.insert("verifyResults".to_owned(), results.into());
    }
}

/// H28: what became of a diversion, by whom it was diverted from.
fn div_result(report: &PassportReport) -> Option<Value> {
    if report.ppt.as_deref() != Some("div") {
        return None;
    }
    let verstat = match report.status {
        Status::Valid => Verstat::TnValidationPassed,
        Status::Invalid => Verstat::TnValidationFailed,
        _ => Verstat::NoTnValidation,
    };
    let claims = report.passport().map(crate::passport::Passport::claim_members).unwrap_or_default();
    let mut result = match claims.get("div") {
        Some(Value::Object(diverted)) => diverted.clone(),
        _ => Map::new(),
    };
    result.insert("verstatValue".to_owned(), verstat.as_str().into());
    Some(result.into())
}

fn verify_result(report: &PassportReport, rich_call_data: Option<&RichCallDataReport>) -> Value {
    let mut result = Map::new();
    result.insert("ppt".to_owned(), report.ppt.clone().into());
    let passed = report.status == Status::Valid;
    result.insert("status".to_owned(), if passed { "pass" } else { "fail" }.into());
    if !passed {
        let reason = match report.status {
            Status::Unsupported => unsupported(report),
            _ => Reason::of(report),
        };
        if let Some(reason) = reason {
            result.insert("reasonCode".to_owned(), reason.code.into());
            result.insert("reasonText".to_owned(), (*reason.text).into());
            result.insert("reasonDesc".to_owned(), reason.description.into());
        } else if let Some(reason) = rich_call_data.and_then(|own| own.reason.clone()) {
            // E17: it is not wrong, so there is no code for it; nobody knows whether it is right.
            result.insert("reasonDesc".to_owned(), reason.into());
        }
    }
    if let Some(passport) = report.passport() {
        result.insert("passport".to_owned(), passport.as_str().into());
        if passed {
            let mut claims = passport.claim_members();
            // E17, H31: the others are valid all the same.
            if rich_call_data.is_some_and(|own| own.status != RichCallDataStatus::Verified) {
                claims.retain(|name, _| !matches!(name.as_str(), "crn" | "rcd" | "rcdi"));
            }
            result.insert("validClaims".to_owned(), claims.into());
        }
    }
    json!({"verifyResult": result})
}

/// B-V1: it says nothing, for or against; the client should know why it has no result.
fn unsupported(report: &PassportReport) -> Option<Reason> {
    let ppt = report.ppt.as_deref().unwrap_or_default();
    Some(Reason {
        case: None,
        code: 428,
        text: "Use Supported PASSporT Format".into(),
        description: format!("PASSporTs of type {ppt:?} are not verified here; shaken, div, rph and rcd are."),
        verstat: Verstat::NoTnValidation,
    })
}
