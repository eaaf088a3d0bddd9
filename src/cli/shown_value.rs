//! One Identity value taken apart, for `inspect`.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::caret::Caret;
use crate::cli::findings::{Finding, Findings, Severity};
use crate::cli::text::{Text, Tone};
use crate::identity_header::IdentityHeader;
use crate::passport::{Attestation, Claims, Party, Passport, Token};
use crate::rich_call_data::RichCallData;
use crate::verify::Part;

/// What an Identity value says. Nothing in it is believed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownValue {
    /// `full` or `compact`; none where the token cannot be read.
    form: Option<&'static str>,
    /// The header field's parameters; none where it has no readable form.
    parameters: Option<Parameters>,
    /// The JOSE header.
    header: Option<Map<String, Value>>,
    /// The claims.
    claims: Option<Map<String, Value>>,
    /// How many bytes the signature has.
    signature_bytes: Option<usize>,
    /// What is odd.
    findings: Vec<Finding>,
    /// Why it cannot be read.
    error: Option<ReadError>,
    #[serde(skip)]
    value: String,
    #[serde(skip)]
    token: Option<Token>,
}

/// The header field's parameters.
#[derive(Clone, Debug, Serialize)]
struct Parameters {
    info: Option<String>,
    alg: Option<String>,
    ppt: Option<String>,
    others: Map<String, Value>,
}

/// Why a value cannot be read.
#[derive(Clone, Debug, Serialize)]
struct ReadError {
    part: &'static str,
    detail: String,
    /// Bytes from the value's start.
    offset: Option<usize>,
}

impl ShownValue {
    /// Takes a value apart.
    pub(crate) fn of(value: &str) -> Self {
        let mut shown = Self {
            form: None,
            parameters: None,
            header: None,
            claims: None,
            signature_bytes: None,
            findings: Vec::new(),
            error: None,
            value: value.to_owned(),
            token: None,
        };
        match IdentityHeader::parse(value) {
            Ok(field) => shown.read(&field),
            Err(error) => {
                let (detail, offset) = (error.to_string(), error.offset());
                shown.error = Some(ReadError { part: part_name(Part::Value), detail, offset });
            }
        }
        shown
    }

    fn read(&mut self, field: &IdentityHeader) {
        let mut findings = Findings::default();
        findings.of_field(field);
        let others = field.parameters.iter();
        let others = others.map(|one| (one.name.clone(), one.value.clone().map_or(Value::Null, Value::String)));
        self.parameters = Some(Parameters {
            info: field.info.clone(),
            alg: field.alg.clone(),
            ppt: field.ppt.clone(),
            others: others.collect(),
        });
        match Token::parse(&field.token) {
            Ok(token) => {
                self.read_token(field, &token, &mut findings);
                self.token = Some(token);
            }
            Err(error) => {
                let offset = error.offset().map(|offset| offset + field.token_offset);
                self.error = Some(ReadError { part: "token", detail: error.to_string(), offset });
            }
        }
        self.findings = findings.0;
    }

    fn read_token(&mut self, field: &IdentityHeader, token: &Token, findings: &mut Findings) {
        match token {
            Token::Full(passport) => {
                self.form = Some("full");
                self.header = Some(passport.header_members());
                self.claims = Some(passport.claim_members());
                self.signature_bytes = Some(passport.signature().len());
                findings.of_both(field, passport.header());
                findings.of_passport(passport);
            }
            Token::Compact(compact) => {
                self.form = Some("compact");
                self.signature_bytes = Some(compact.signature().len());
            }
        }
    }

    /// Whether verification would refuse it for its form.
    pub(crate) fn has_errors(&self) -> bool {
        self.error.is_some() || self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// What people read.
    pub(crate) fn text(&self, text: &mut Text) {
        match &self.token {
            Some(Token::Full(passport)) => print_passport(passport, text),
            Some(Token::Compact(_)) => {
                text.field("form", "compact: only a signature; header and claims are rebuilt from the signalling");
            }
            None => {}
        }
        if let Some(parameters) = &self.parameters {
            self.print_parameters(parameters, text);
        }
        if let Some(bytes) = self.signature_bytes {
            text.field("signature", format_args!("{bytes} bytes, not verified here"));
        }
        for finding in &self.findings {
            let tone = if finding.severity == Severity::Error { Tone::Bad } else { Tone::Doubt };
            text.name("odd").put(tone, if finding.severity == Severity::Error { "✗ " } else { "! " });
            text.plain(&finding.detail).put(Tone::Faint, format_args!("  {}", finding.rule)).end();
        }
        if let Some(error) = &self.error {
            text.name("unreadable").put(Tone::Bad, "✗ ").plain(format_args!("{}: {}", error.part, error.detail)).end();
            Caret::new(&self.value, error.offset).print(text);
        }
    }

    fn print_parameters(&self, parameters: &Parameters, text: &mut Text) {
        let x5u = self.header.as_ref().and_then(|header| header.get("x5u")).and_then(Value::as_str);
        if parameters.info.as_deref() != x5u {
            text.name("info").put(Tone::Name, parameters.info.as_deref().unwrap_or("-")).end();
        }
        let named = [("alg", &parameters.alg), ("ppt", &parameters.ppt)];
        let shown = named.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_deref()?)));
        let others = parameters.others.iter().map(|(name, value)| match value.as_str() {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        });
        let shown: Vec<_> = shown.chain(others).collect();
        if !shown.is_empty() {
            text.field("parameters", shown.join("; "));
        }
    }
}

/// The part's name in the output.
fn part_name(part: Part) -> &'static str {
    match part {
        Part::Value => "header value",
        Part::JoseHeader => "JOSE header",
        Part::Payload => "claims",
    }
}

fn print_passport(passport: &Passport, text: &mut Text) {
    let (header, claims) = (passport.header(), passport.claims());
    text.field("type", header.ppt.as_deref().unwrap_or("base (no ppt)"));
    print_claims(claims, text);
    if let Some(x5u) = &header.x5u {
        text.name("x5u").put(Tone::Name, x5u).end();
    }
    let members = passport.claim_members();
    let rich_call_data = RichCallData::read(&members).ok().flatten();
    if let Some(own) = &rich_call_data {
        print_rich_call_data(own, text);
    }
    let known = ["attest", "dest", "div", "iat", "orig", "origid", "rph", "sph"];
    for (name, value) in members {
        let shown = rich_call_data.is_some() && ["crn", "rcd", "rcdi"].contains(&name.as_str());
        let read = shown || known.contains(&name.as_str()) && !claims.faults.iter().any(|fault| fault.member == name);
        if !read {
            text.field(&name, value);
        }
    }
    for (name, value) in passport.header_members() {
        if !["alg", "ppt", "typ", "x5u"].contains(&name.as_str()) {
            text.field(&format!("header {name}"), value);
        }
    }
}

fn print_claims(claims: &Claims, text: &mut Text) {
    if let Some(attest) = &claims.attest {
        text.name("attest").put(Tone::Strong, attest).plain(attestation_meaning(attest)).end();
    }
    if let Some(orig) = &claims.orig {
        text.field("orig", orig.as_str());
    }
    if let Some(dest) = &claims.dest {
        let parties: Vec<_> = dest.parties().map(|party| party.as_str().to_owned()).collect();
        text.field("dest", parties.join(", "));
    }
    if let Some(div) = claims.div.as_ref().map(Party::as_str) {
        text.field("div", div);
    }
    if let Some(iat) = claims.iat {
        text.field("iat", iat);
    }
    if let Some(origid) = &claims.origid {
        text.field("origid", origid);
    }
    if claims.rph.is_some() {
        text.field("rph", priorities_meaning(claims));
    }
    if let Some(sph) = &claims.sph {
        text.field("sph", sph);
    }
}

/// What an `rph` claim says, in a few words (RFC 8443 §3).
pub(crate) fn priorities_meaning(claims: &Claims) -> String {
    let values: Vec<_> = claims.rph.iter().flatten().map(ToString::to_string).collect();
    format!("authorises the priority {}", values.join(", "))
}

/// RFC 9795 §5.
fn print_rich_call_data(own: &RichCallData, text: &mut Text) {
    let lines = [
        ("name", own.name()),
        ("number", own.alternate_number()),
        ("call reason", own.call_reason()),
        ("picture", own.icon()),
        ("card", own.card_url()),
    ];
    for (name, words) in lines {
        if let Some(words) = words {
            text.field(name, words);
        }
    }
    if let Some(card) = own.card() {
        text.field("card", card);
    }
    let pointers: Vec<_> = own.pointers().collect();
    if !pointers.is_empty() {
        text.field("digests", format_args!("of {}", pointers.join(", ")));
    }
}

/// What an attestation says, in a few words (RFC 8588 §4).
pub(crate) fn attestation_meaning(attest: &str) -> &'static str {
    match attest.parse() {
        Ok(Attestation::A) => " full: the signer knows the caller and its right to the number",
        Ok(Attestation::B) => " partial: the signer knows the caller, not its right to the number",
        Ok(Attestation::C) => " gateway: the signer knows only where the call entered its network",
        _ => "",
    }
}
