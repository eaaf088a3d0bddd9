//! What is odd about an Identity value and its PASSporT, told without judging a call (spec A, B, F, G).

use serde::Serialize;

use crate::identity_header::IdentityHeader;
use crate::passport::{Attestation, Claims, Deviation, Fault, Header, PSAP_CALLBACK, Passport, is_uuid};
use crate::rich_call_data::RichCallData;

/// One oddity.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// The rule that it breaks.
    pub(crate) rule: &'static str,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What stands there.
    pub(crate) detail: String,
}

/// How bad an oddity is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Verification refuses it.
    Error,
    /// Verification reads it all the same.
    Warning,
}

/// The findings of a thing, in the order found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    fn error(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.0.push(Finding { rule, severity: Severity::Error, detail: detail.into() });
    }

    fn warning(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.0.push(Finding { rule, severity: Severity::Warning, detail: detail.into() });
    }

    fn deviations<'a>(&mut self, deviations: impl IntoIterator<Item = &'a Deviation>) {
        for deviation in deviations {
            self.warning(deviation.rule, deviation.detail.clone());
        }
    }

    fn faults(&mut self, rule: &'static str, faults: &[Fault]) {
        for fault in faults {
            self.error(rule, format!("{}: {}", fault.member, fault.reason));
        }
    }

    /// The header field's own.
    pub(crate) fn of_field(&mut self, field: &IdentityHeader) {
        self.deviations(&field.deviations);
        match (&field.info, &field.info_fault) {
            (_, Some(fault)) => self.error("H6", format!("info cannot be read: {fault}")),
            (None, None) => self.error("H6", "no info parameter: nothing says where the certificate lies"),
            (Some(_), None) => {}
        }
        // RFC 3261 §7.3.1: parameters are tokens, whose case tells nothing.
        if field.alg.as_deref().is_some_and(|alg| !alg.eq_ignore_ascii_case("ES256")) {
            self.error("H11", format!("alg={} where ES256 belongs", field.alg.as_deref().unwrap_or_default()));
        }
    }

    /// The token's own.
    pub(crate) fn of_passport(&mut self, passport: &Passport) {
        self.deviations(passport.deviations());
        self.of_header(passport.header());
        self.of_claims(passport.claims(), passport.header().ppt.as_deref());
        self.of_rich_call_data(passport);
        let length = passport.signature().len();
        if length != 64 {
            let der = if passport.signature().first() == Some(&0x30) { "; it looks like DER" } else { "" };
            self.error("G10", format!("the signature has {length} bytes where 64 belong{der}"));
        }
        if !(passport.header().canonical && passport.claims().canonical) {
            self.warning("G5", "the JSON is not in canonical form; it is verified as it stands");
        }
    }

    /// What the field and its token say differently.
    pub(crate) fn of_both(&mut self, field: &IdentityHeader, header: &Header) {
        match (&field.ppt, &header.ppt) {
            // An empty parameter is named already.
            (None, Some(_)) if self.0.iter().any(|finding| finding.rule == "G7") => {}
            (None, Some(ppt)) => self.warning("G7", format!("no ppt parameter, though the token says {ppt:?}")),
            (Some(own), other) if !other.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(own)) => {
                let other = other.as_deref().map_or_else(|| "none".to_owned(), |ppt| format!("{ppt:?}"));
                self.error("H12", format!("ppt={own}, but the token says {other}"));
            }
            _ => {}
        }
        if let (Some(info), Some(x5u)) = (&field.info, &header.x5u)
            && info != x5u
        {
            self.error("G8", format!("info and x5u differ: {info} and {x5u}"));
        }
    }

    fn of_header(&mut self, header: &Header) {
        self.faults("F4", &header.faults);
        match header.alg.as_deref() {
            Some("ES256") => {}
            other => self.error("H11", format!("alg is {} where \"ES256\" belongs", shown(other))),
        }
        match header.typ.as_deref() {
            Some("passport") => {}
            other => self.error("G36", format!("typ is {} where \"passport\" belongs", shown(other))),
        }
        if header.critical {
            self.error("G33", "crit demands what nobody here understands");
        }
        match header.x5u.as_deref() {
            None => self.error("H7", "no x5u: nothing says where the certificate lies"),
            Some(x5u) => self.of_url(x5u),
        }
    }

    fn of_url(&mut self, url: &str) {
        let Some((scheme, rest)) = url.split_once("://") else {
            return self.error("F8", format!("x5u {url} is no URL"));
        };
        if !scheme.eq_ignore_ascii_case("https") {
            self.warning("G13", format!("x5u is fetched over {scheme}, not https"));
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
        if port.is_some_and(|port| !matches!(port, "443" | "8443")) {
            self.warning("G13", format!("x5u names port {}; 443 and 8443 are allowed", port.unwrap_or_default()));
        }
        if host != authority || rest.contains(['?', '#']) {
            self.warning("F8", "x5u has a user, a query or a fragment, which are not allowed");
        }
    }

    fn of_claims(&mut self, claims: &Claims, ppt: Option<&str>) {
        self.faults("H13", &claims.faults);
        let shaken = ppt == Some("shaken");
        let missing = [
            ("orig", claims.orig.is_none()),
            ("dest", claims.dest.is_none()),
            ("iat", claims.iat.is_none()),
            ("attest", shaken && claims.attest.is_none()),
            ("origid", shaken && claims.origid.is_none()),
            ("div", ppt == Some("div") && claims.div.is_none()),
            ("rph", ppt == Some("rph") && claims.rph.is_none()),
        ];
        for (claim, is_missing) in missing {
            if is_missing && !claims.faults.iter().any(|fault| fault.member == claim) {
                self.error("F4", format!("the claim {claim} is missing"));
            }
        }
        if let Some(attest) = claims.attest.as_deref().filter(|attest| attest.parse::<Attestation>().is_err()) {
            self.error("H14", format!("attest is {attest:?} where A, B or C belongs"));
        }
        if let Some(sph) = claims.sph.as_deref().filter(|sph| *sph != PSAP_CALLBACK) {
            self.error("H30", format!("sph is {sph:?} where only {PSAP_CALLBACK:?} exists"));
        }
        if let Some(origid) = claims.origid.as_deref().filter(|origid| !is_uuid(origid)) {
            self.warning("G12", format!("origid {origid:?} is no UUID"));
        }
        self.of_numbers(claims);
    }

    /// What can be told without what it names by URL; beside another type it is no reason to refuse the PASSporT (E19, H31).
    fn of_rich_call_data(&mut self, passport: &Passport) {
        let is_own = passport.header().ppt.as_deref() == Some("rcd");
        let fault = match RichCallData::read(&passport.claim_members()) {
            Ok(Some(own)) => own.check_values().and_then(|()| own.resources()).err(),
            Ok(None) if is_own => return self.error("E14", "neither of the claims rcd and crn is there"),
            Ok(None) => None,
            Err(reason) => Some(reason),
        };
        if let Some(fault) = fault {
            let rule = if fault.claim().is_some() { "H13" } else { "H31" };
            let severity = if is_own { Severity::Error } else { Severity::Warning };
            self.0.push(Finding { rule, severity, detail: fault.to_string() });
        }
    }

    fn of_numbers(&mut self, claims: &Claims) {
        let singles = [("orig", &claims.orig), ("div", &claims.div)];
        let singles = singles.into_iter().filter_map(|(claim, party)| match party {
            Some(crate::passport::Party::Number(number)) => Some((claim, number)),
            _ => None,
        });
        let several = claims.dest.iter().flat_map(|dest| &dest.numbers).map(|number| ("dest", number));
        for (claim, number) in singles.chain(several) {
            if !number.bytes().all(|c| matches!(c, b'0'..=b'9' | b'#' | b'*')) {
                self.warning("G3", format!("{claim}.tn is {number:?}; canonical numbers are digits, '#' and '*' only"));
            }
        }
    }
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| format!("{value:?}"))
}
