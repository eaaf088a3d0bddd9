//! One Identity header on its way to a verdict: read, and put to the checks that need nothing but itself
//! (RFC 8224 §6.2 step 1, RFC 8225 §4 and §5, RFC 8588 §4 and §5).

use crate::certificate::url;
use crate::identity_header::IdentityHeader;
use crate::number::{Identity, NumberPlan};
use crate::passport::{Attestation, Claims, CompactPassport, Destination, Deviation, Header, Party, Passport};
use crate::passport::{HeaderCache, Token, is_uuid};
use crate::sip::call::{Call, IdentityField};
use crate::sip::service_urn;
use crate::sip::uri::SipUri;
use crate::verify::error::Error;
use crate::verify::examination::Examination;
use crate::verify::policy::Policy;
use crate::verify::rich_call_data;
use crate::verify::rules;
use crate::verify::signature::Unsettled;
use crate::verify::stage::Part;

/// One Identity header under examination.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) header: Option<IdentityHeader>,
    /// The token in full form, as received or rebuilt.
    pub(super) passport: Option<Box<Passport>>,
    /// The token where it came in compact form.
    compact: Option<CompactPassport>,
    pub(super) ppt: Option<String>,
    pub(super) kind: Kind,
    /// `orig`, canonical.
    pub(super) orig: Option<Identity>,
    /// `dest`, canonical.
    pub(super) dest: Vec<Identity>,
    /// `div`, canonical.
    pub(super) div: Option<Identity>,
    pub(super) examination: Examination,
    /// Its signature, until it is judged.
    pub(super) unsettled: Option<Unsettled>,
    /// What its rich call data came to, if it has any.
    pub(super) rich_call_data: Option<Box<rich_call_data::Found>>,
}

/// The PASSporT types by what verification does with them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// No `ppt`: RFC 8225 alone.
    Base,
    /// RFC 8588.
    Shaken,
    /// RFC 8946.
    Div,
    /// RFC 8443, RFC 9027: it speaks for the call's priority, not for the caller.
    Rph,
    /// RFC 9795.
    Rcd,
    /// All others: ignored, neither for nor against the call (B-V1, A23).
    Unsupported,
}

impl Kind {
    fn of(ppt: Option<&str>) -> Self {
        match ppt {
            None => Self::Base,
            Some("shaken") => Self::Shaken,
            Some("div") => Self::Div,
            Some("rph") => Self::Rph,
            Some("rcd") => Self::Rcd,
            Some(_) => Self::Unsupported,
        }
    }

    /// What the check of the type shows.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "none: a base PASSporT",
            Self::Shaken => "shaken",
            Self::Div => "div",
            Self::Rph => "rph",
            Self::Rcd => "rcd",
            Self::Unsupported => "unsupported",
        }
    }

    const fn required_claims(self) -> &'static [&'static str] {
        match self {
            // F4, D2, D3.
            Self::Shaken => &["attest", "dest", "iat", "orig", "origid"],
            // E2.
            Self::Div => &["dest", "div", "iat", "orig"],
            // E8.
            Self::Rph => &["dest", "iat", "orig", "rph"],
            Self::Base | Self::Rcd | Self::Unsupported => &["dest", "iat", "orig"],
        }
    }
}

impl Subject {
    /// Reads one header value and makes every check that needs only itself and the policy.
    pub(super) fn read(field: &IdentityField, call: &Call, policy: &Policy, headers: &HeaderCache) -> Self {
        let mut subject = Self {
            header: None,
            passport: None,
            compact: None,
            ppt: None,
            kind: Kind::Base,
            orig: None,
            dest: Vec::new(),
            div: None,
            examination: Examination::new(),
            unsettled: None,
            rich_call_data: None,
        };
        subject.read_header(field, policy);
        if let Some(token) = subject.read_token(headers) {
            subject.take_token(token, call);
        }
        if subject.kind == Kind::Unsupported {
            // RFC 8946 §4.2: a diversion may begin at it all the same.
            subject.read_destinations(call, policy);
            return subject;
        }
        subject.check_info();
        if let Some(passport) = subject.passport.take() {
            subject.check_jose_header(passport.header());
            subject.check_claims(passport.claims(), call, policy);
            subject.check_spelling(&passport, policy);
            subject.passport = Some(passport);
        }
        subject
    }

    /// Where the signer's certificate lies, when the header says so in a way that may be followed.
    pub(super) fn credential_url(&self) -> Option<&str> {
        let url = self.header.as_ref()?.info.as_deref()?;
        url::check(url).is_ok().then_some(url)
    }

    /// What `ppi` would name: the compact form of the token.
    pub(super) fn ppi(&self) -> Option<String> {
        let compact = self.compact.as_ref().map(CompactPassport::to_text);
        compact.or_else(|| self.passport.as_deref().map(Passport::to_compact))
    }

    /// The attestation it claims, if it is one.
    pub(super) fn attestation(&self) -> Option<Attestation> {
        if self.kind != Kind::Shaken {
            return None;
        }
        self.passport.as_ref()?.claims().attest.as_deref()?.parse().ok()
    }

    // RFC 8224 §4: the header field's grammar.
    fn read_header(&mut self, field: &IdentityField, policy: &Policy) {
        match IdentityHeader::parse(&field.value) {
            Ok(header) => {
                self.examination.pass(rules::IDENTITY_SYNTAX, "");
                self.ppt = header.ppt.clone();
                for deviation in &header.deviations {
                    self.note_deviation(deviation, policy);
                }
                self.header = Some(header);
            }
            Err(reason) => {
                let error = malformed(Part::Value, reason.to_string(), reason.offset());
                self.examination.fail(rules::IDENTITY_SYNTAX, error);
            }
        }
    }

    // RFC 8225 §6, §7: three segments, JSON in two of them.
    fn read_token(&mut self, headers: &HeaderCache) -> Option<Token> {
        let header = self.header.as_ref()?;
        match Token::parse_with(&header.token, headers) {
            Ok(token) => {
                self.examination.pass(rules::TOKEN_FORM, "");
                Some(token)
            }
            Err(reason) => {
                let part = match &reason {
                    crate::passport::Error::Json { segment, .. } => match segment {
                        crate::passport::Segment::Header => Part::JoseHeader,
                        _ => Part::Payload,
                    },
                    _ => Part::Value,
                };
                let offset = reason.offset().map(|offset| header.token_offset + offset);
                self.kind = Kind::of(self.ppt.as_deref());
                self.examination.fail(rules::TOKEN_FORM, malformed(part, reason.to_string(), offset));
                if self.kind == Kind::Unsupported {
                    self.fail_unsupported();
                }
                None
            }
        }
    }

    fn take_token(&mut self, token: Token, call: &Call) {
        match token {
            Token::Full(passport) => {
                self.check_ppt(passport.header());
                if self.kind != Kind::Unsupported {
                    self.examination.pass(rules::FULL_FORM, "");
                }
                self.passport = Some(passport);
            }
            Token::Compact(compact) => {
                self.take_compact(&compact, call);
                self.compact = Some(compact);
            }
        }
    }

    // RFC 8224 §6.2 step 1, §4.1: the type is known, and header and token name the same one.
    fn check_ppt(&mut self, header: &Header) {
        if header.ppt.is_some() && header.ppt != self.ppt {
            self.ppt.clone_from(&header.ppt);
        }
        self.kind = Kind::of(self.ppt.as_deref());
        if self.kind == Kind::Unsupported {
            self.fail_unsupported();
            return;
        }
        self.examination.pass(rules::PPT_SUPPORTED, self.kind.as_str());
        let parameter = self.header.as_ref().and_then(|own| own.ppt.as_deref());
        match (parameter, header.ppt.as_deref()) {
            (None, None) => self.examination.pass(rules::PPT_AGREES, ""),
            // RFC 3261 §7.3.1: the parameter is a token, so its case tells nothing; the token's own member is JSON.
            (Some(own), Some(token)) if own.eq_ignore_ascii_case(token) => {
                self.examination.pass(rules::PPT_AGREES, "");
            }
            // G7: tolerated; check_spelling tells, and refuses it where the policy is strict.
            (None, Some(_)) => {}
            _ => {
                let error = Error::PptMismatch { parameter: parameter.map(str::to_owned), header: header.ppt.clone() };
                self.examination.fail(rules::PPT_AGREES, error);
            }
        }
    }

    fn fail_unsupported(&mut self) {
        let ppt = self.ppt.clone().unwrap_or_default();
        self.examination.fail(rules::PPT_SUPPORTED, Error::UnsupportedPpt { ppt });
    }

    // RFC 8225 §7; RFC 8588 §3, RFC 8946 §3 and RFC 8443 §3 have no compact form.
    fn take_compact(&mut self, compact: &CompactPassport, call: &Call) {
        // RFC 3261 §7.3.1: here the parameter alone names the type, and its case tells nothing.
        self.kind = Kind::of(self.ppt.as_deref().map(str::to_ascii_lowercase).as_deref());
        match self.kind {
            Kind::Unsupported => self.fail_unsupported(),
            Kind::Shaken | Kind::Div | Kind::Rph => self.examination.fail(rules::FULL_FORM, Error::CompactForm),
            Kind::Rcd => self.examination.cannot(
                rules::FULL_FORM,
                "compact: the rich call data that was signed is not rebuilt from the message",
            ),
            Kind::Base => {
                let info = self.header.as_ref().and_then(|header| header.info.as_deref());
                match (info, signalled_claims(call)) {
                    (Some(info), Some(claims)) => {
                        self.passport = Some(Box::new(compact.rebuild(&Header::new(None, info), &claims)));
                        self.examination.pass(rules::FULL_FORM, "compact; rebuilt from From, To and Date");
                    }
                    _ => self.examination.cannot(
                        rules::FULL_FORM,
                        "compact: info, From, To and Date are all needed to rebuild what was signed",
                    ),
                }
            }
        }
    }

    // RFC 8224 §4: info is mandatory. ATIS-1000074 §5.3.1: where it may lead.
    fn check_info(&mut self) {
        let Some(header) = &self.header else { return };
        match (&header.info, &header.info_fault) {
            (Some(info), _) => {
                self.examination.pass(rules::INFO, info.clone());
                match url::check(info) {
                    Ok(()) => self.examination.pass(rules::X5U_ALLOWED, ""),
                    Err(reason) => {
                        let error = Error::X5uNotAllowed { url: info.clone(), reason };
                        self.examination.fail(rules::X5U_ALLOWED, error);
                    }
                }
            }
            (None, Some(fault)) => {
                let error = Error::MissingInfo { reason: fault.clone(), malformed: true };
                self.examination.fail(rules::INFO, error);
            }
            (None, None) => {
                let reason = "the parameter info is missing".to_owned();
                self.examination.fail(rules::INFO, Error::MissingInfo { reason, malformed: false });
            }
        }
    }

    fn check_jose_header(&mut self, jose: &Header) {
        let examination = &mut self.examination;
        for fault in &jose.faults {
            let reason = format!("the header's {} is {}", fault.member, fault.reason);
            examination.fail(rules::TOKEN_FORM, malformed(Part::JoseHeader, reason, None));
        }
        if jose.critical {
            // RFC 7515 §4.1.11: what is critical and unknown makes the token invalid (G33).
            let reason = "the header's crit demands what no PASSporT has".to_owned();
            examination.fail(rules::TOKEN_FORM, malformed(Part::JoseHeader, reason, None));
        }
        match jose.typ.as_deref() {
            Some("passport") => examination.pass(rules::TYP, ""),
            _ => examination.fail(rules::TYP, Error::WrongType { typ: jose.typ.clone() }),
        }
        // A2, B6: the allow-list has one algorithm; the key is not touched for any other.
        let parameter = self.header.as_ref().and_then(|header| header.alg.as_deref());
        match (jose.alg.as_deref(), parameter) {
            (Some("ES256"), None) => examination.pass(rules::ALG, "ES256"),
            // RFC 3261 §7.3.1: the parameter is a token, so its case tells nothing.
            (Some("ES256"), Some(own)) if own.eq_ignore_ascii_case("ES256") => examination.pass(rules::ALG, "ES256"),
            (Some("ES256"), Some(own)) => {
                examination.fail(rules::ALG, Error::WrongAlgorithm { alg: Some(own.to_owned()) })
            }
            _ => examination.fail(rules::ALG, Error::WrongAlgorithm { alg: jose.alg.clone() }),
        }
        // B7: the same text, not the same place.
        if let Some(info) = self.header.as_ref().and_then(|header| header.info.as_deref()) {
            if jose.x5u.as_deref() == Some(info) {
                examination.pass(rules::X5U_EQUALS_INFO, "");
            } else {
                examination
                    .fail(rules::X5U_EQUALS_INFO, Error::X5uMismatch { x5u: jose.x5u.clone(), info: info.to_owned() });
            }
        } else {
            examination.skip(rules::X5U_EQUALS_INFO, "there is no info to compare with");
        }
    }

    // RFC 8225 §5, RFC 8588 §4 and §5, RFC 8946 §3.
    fn check_claims(&mut self, claims: &Claims, call: &Call, policy: &Policy) {
        let required = self.kind.required_claims();
        let mut sound = true;
        for fault in &claims.faults {
            if required.contains(&fault.member.as_str()) || (self.kind == Kind::Rph && fault.member == "sph") {
                sound = false;
                let error = Error::InvalidClaim { claim: fault.member.clone(), reason: fault.reason.clone() };
                self.examination.fail(rules::CLAIMS, error);
            } else {
                self.examination.warn(rules::CLAIMS, format!("{}: {}; not needed here", fault.member, fault.reason));
            }
        }
        for claim in required.iter().filter(|claim| !claims_has(claims, claim)) {
            sound = false;
            self.examination.fail(rules::CLAIMS, Error::MissingClaim { claim: (*claim).to_owned() });
        }
        if sound {
            self.examination.pass(rules::CLAIMS, "");
        }
        if self.kind == Kind::Shaken {
            self.check_shaken_claims(claims);
        }
        if self.kind == Kind::Rph {
            self.check_priority(claims, call);
        }
        self.orig = claims.orig.as_ref().and_then(|party| self.canonical("orig", party.into(), call, policy));
        let div = claims.div.as_ref().filter(|_| self.kind == Kind::Div);
        self.div = div.and_then(|party| self.canonical("div", party.into(), call, policy));
        let dest = claims.dest.iter().flat_map(Named::all);
        self.dest = dest.filter_map(|party| self.canonical("dest", party, call, policy)).collect();
    }

    fn check_shaken_claims(&mut self, claims: &Claims) {
        match claims.attest.as_deref().map(|text| (text, text.parse::<Attestation>())) {
            Some((_, Ok(attest))) => self.examination.pass(rules::ATTEST, attest.as_str()),
            // D2: upper case, one letter. G36: nothing near it counts.
            Some((text, Err(_))) => {
                self.examination.fail(rules::ATTEST, Error::InvalidAttestation { attest: text.to_owned() });
            }
            None => {}
        }
        match claims.origid.as_deref() {
            Some("") => {
                let error = Error::InvalidClaim { claim: "origid".to_owned(), reason: "an empty string".to_owned() };
                self.examination.fail(rules::ORIGID, error);
            }
            Some(origid) if is_uuid(origid) => self.examination.pass(rules::ORIGID, ""),
            // G12: the field has many shapes of it.
            Some(origid) => self.examination.warn(rules::ORIGID, format!("{origid:?} is no UUID")),
            None => {}
        }
    }

    /// `dest` of a type whose own rules are not judged here: what cannot be read is left out.
    fn read_destinations(&mut self, call: &Call, policy: &Policy) {
        let dest = self.passport.iter().flat_map(|passport| &passport.claims().dest).flat_map(Named::all);
        self.dest = dest.filter_map(|party| identity(party, call, policy)).collect();
    }

    /// RFC 8224 §8.3, §8.5: the identity that a claim means (G3, G4).
    fn canonical(&mut self, claim: &str, party: Named<'_>, call: &Call, policy: &Policy) -> Option<Identity> {
        let (Named::Number(text) | Named::Uri(text)) = party;
        let Some(identity) = identity(party, call, policy) else {
            let reason = format!("{text:?} is no {}", if matches!(party, Named::Uri(_)) { "URI" } else { "number" });
            self.examination.fail(rules::CLAIMS, Error::InvalidClaim { claim: claim.to_owned(), reason });
            return None;
        };
        if let Identity::Number(number) = &identity
            && number.as_str() != text
        {
            let detail = format!("{claim} says {text:?}; canonical is {number}");
            self.note_deviation(&Deviation::refused_when_strict("G3", &detail), policy);
        }
        Some(identity)
    }

    /// Spec G and A20: read all the same, with a warning, unless the policy is strict.
    fn check_spelling(&mut self, passport: &Passport, policy: &Policy) {
        for deviation in passport.deviations() {
            self.note_deviation(deviation, policy);
        }
        let parameter = self.header.as_ref().is_some_and(|header| header.ppt.is_some());
        if passport.header().ppt.is_some() && !parameter {
            let detail = "the header field has no ppt parameter; the token has one";
            self.note_deviation(&Deviation::refused_when_strict("G7", detail), policy);
        }
        match (passport.header().canonical, passport.claims().canonical) {
            (true, true) => self.examination.pass(rules::CANONICAL, ""),
            (header, _) if policy.strict => {
                let part = if header { Part::Payload } else { Part::JoseHeader };
                let reason = "the JSON is not in RFC 8225's canonical form".to_owned();
                self.examination.fail(rules::CANONICAL, malformed(part, reason, None));
            }
            _ => self.examination.warn(
                rules::CANONICAL,
                "member order or white space is not canonical; the signature is over the bytes received",
            ),
        }
    }

    fn note_deviation(&mut self, deviation: &Deviation, policy: &Policy) {
        let rule = rules::deviation(deviation.rule);
        if !(policy.strict && deviation.strict_refuses) {
            self.examination.warn(rule, format!("{} ({})", deviation.detail, deviation.rule));
            return;
        }
        let error = match deviation.rule {
            "G1" | "G2" | "G3" | "A17" => Error::InvalidClaim {
                claim: deviation.detail.split(['.', ' ']).next().unwrap_or_default().to_owned(),
                reason: format!("{}; a strict policy refuses it", deviation.detail),
            },
            "G7" => Error::PptMismatch { parameter: None, header: self.ppt.clone() },
            _ => malformed(Part::Value, format!("{}; a strict policy refuses it", deviation.detail), None),
        };
        self.examination.fail(rule, error);
    }
}

/// One party that a claim names, as its text stands.
#[derive(Clone, Copy)]
enum Named<'a> {
    Number(&'a str),
    Uri(&'a str),
}

impl<'a> Named<'a> {
    fn all(destination: &'a Destination) -> impl Iterator<Item = Self> {
        let numbers = destination.numbers.iter().map(|text| Self::Number(text));
        numbers.chain(destination.uris.iter().map(|text| Self::Uri(text)))
    }
}

impl<'a> From<&'a Party> for Named<'a> {
    fn from(party: &'a Party) -> Self {
        match party {
            Party::Number(text) => Self::Number(text),
            Party::Uri(text) => Self::Uri(text),
        }
    }
}

/// What a compact PASSporT signed, as the signalling has it (RFC 8225 §7, RFC 8224 §4.1; B9, B10).
fn signalled_claims(call: &Call) -> Option<Claims> {
    let orig = party(call.asserted.first().or(call.from.as_ref())?);
    let dest = match party(call.to.as_ref()?) {
        Party::Number(number) => Destination::new(vec![number], Vec::new()),
        Party::Uri(uri) => Destination::new(Vec::new(), vec![uri]),
    };
    let iat = call.date.as_ref()?.time?;
    Some(Claims { orig: Some(orig), dest: Some(dest), iat: Some(iat), canonical: true, ..Claims::default() })
}

/// A claim's number is global, without a `+` to say so (A10): 4522345678 is Danish. Only where the signalling does not
/// know it as it stands is it taken for one that lacks its country code (G4).
fn identity(party: Named<'_>, call: &Call, policy: &Policy) -> Option<Identity> {
    let text = match party {
        Named::Number(text) => text,
        Named::Uri(text) => return canonical_uri(text),
    };
    let global = NumberPlan { north_american: false, ..policy.number_plan };
    let as_it_stands = global.canonicalise(text).map(Identity::Number)?;
    let mut signalled =
        call.asserted.iter().chain(call.from.as_ref()).chain(call.to.as_ref()).chain(call.request_uri.as_ref());
    if signalled.any(|known| *known == as_it_stands) {
        return Some(as_it_stands);
    }
    policy.number_plan.canonicalise(text).map(Identity::Number)
}

fn party(identity: &Identity) -> Party {
    match identity {
        Identity::Number(number) => Party::Number(number.to_string()),
        Identity::Uri(uri) => Party::Uri(uri.clone()),
    }
}

/// RFC 8224 §8.5 for SIP URIs, RFC 5031 §3 for `urn:service:sos` (E10); others compare as they stand.
fn canonical_uri(text: &str) -> Option<Identity> {
    match text.parse::<SipUri>() {
        Ok(uri) => uri.canonical().map(Identity::Uri),
        Err(_) if text.contains(':') => Some(Identity::Uri(service_urn(text).unwrap_or_else(|| text.to_owned()))),
        Err(_) => None,
    }
}

fn claims_has(claims: &Claims, name: &str) -> bool {
    let present = match name {
        "attest" => claims.attest.is_some(),
        "dest" => claims.dest.is_some(),
        "div" => claims.div.is_some(),
        "iat" => claims.iat.is_some(),
        "orig" => claims.orig.is_some(),
        "rph" => claims.rph.is_some(),
        _ => claims.origid.is_some(),
    };
    present || claims.faults.iter().any(|fault| fault.member == name)
}

fn malformed(part: Part, reason: String, offset: Option<usize>) -> Error {
    Error::MalformedIdentity { part, reason, offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_of_other_schemes_compare_as_they_stand() {
        assert_eq!(canonical_uri("urn:service:sos"), Some(Identity::Uri("urn:service:sos".to_owned())));
        assert_eq!(canonical_uri("SIP:Alice@Example.COM;x=y"), Some(Identity::Uri("sip:alice@example.com".to_owned())));
        assert_eq!(canonical_uri("nonsense"), None);
    }
}
