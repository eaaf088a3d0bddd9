//! A call as a case describes it: its tokens, the SIP message around them, the policy, and what is at hand.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use stirtrace::certificate::crl::Crl;
use stirtrace::number::{Identity, NumberPlan};
use stirtrace::sip::{Call, Message};
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{
    CrlPolicy, Materials, Policy, PrioritySigner, PrioritySigners, Profile, Require, Verdict, Verifier,
};

use crate::lab;
use crate::token::Token;

/// One call to be verified. Every member has a default that makes it pass.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Scene {
    pub(crate) tokens: Vec<Token>,
    pub(crate) call: CallText,
    pub(crate) policy: PolicyText,
    pub(crate) materials: MaterialsText,
    /// The instant judged, RFC 3339.
    pub(crate) at: String,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            tokens: vec![Token::default()],
            call: CallText::default(),
            policy: PolicyText::default(),
            materials: MaterialsText::default(),
            at: "2026-05-04T12:00:00Z".to_owned(),
        }
    }
}

/// The message around the tokens. Null leaves a field out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CallText {
    pub(crate) form: Form,
    pub(crate) method: String,
    pub(crate) request_uri: String,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    /// P-Asserted-Identity, one field each.
    pub(crate) asserted: Vec<String>,
    /// Seconds from the instant judged to Date.
    pub(crate) date: Option<i64>,
    /// Date as written, instead.
    pub(crate) date_text: Option<String>,
    /// More header lines.
    pub(crate) fields: Vec<String>,
    pub(crate) style: Style,
    /// Of a bare header: who is said to call and to be called.
    pub(crate) caller: Option<String>,
    pub(crate) called: Option<String>,
    /// The call with which the first token came before.
    pub(crate) replayed_from: Option<String>,
}

impl Default for CallText {
    fn default() -> Self {
        Self {
            form: Form::Invite,
            method: "INVITE".to_owned(),
            request_uri: "sip:+12155550131@us.example;user=phone".to_owned(),
            from: Some("\"Twill\" <sip:+12155550112@carrier.example;user=phone>;tag=1".to_owned()),
            to: Some("<sip:+12155550131@us.example;user=phone>".to_owned()),
            asserted: Vec::new(),
            date: Some(0),
            date_text: None,
            fields: Vec::new(),
            style: Style::Lines,
            caller: None,
            called: None,
            replayed_from: None,
        }
    }
}

/// What the tokens come in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    Invite,
    Bare,
}

/// How Identity fields are written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Style {
    Lines,
    CompactName,
    Folded,
    Joined,
    LineFeedsOnly,
}

/// The policy where it is not the default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicyText {
    pub(crate) strict: bool,
    pub(crate) require_shaken: bool,
    pub(crate) max_age: Option<i64>,
    pub(crate) max_diverted_age: Option<i64>,
    /// `use`, `require`, `require-fresh`.
    pub(crate) crl: Option<String>,
    /// Who may authorise priorities: namespaces by service provider code; every provider where none is named.
    pub(crate) priority_signers: Option<BTreeMap<String, Vec<String>>>,
    /// `international`, or a number of digits: international with that many.
    pub(crate) number_plan: Option<String>,
}

/// What is at hand besides the archive and the three roots.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MaterialsText {
    /// Which roots, as files of `certs/`; all three where none is named.
    pub(crate) anchors: Option<Vec<String>>,
    /// What lies at a URL or at a signer's URL instead: a file of `certs/`, or `text:`, or `unavailable:`.
    pub(crate) served: BTreeMap<String, String>,
    /// CRLs, as files of `certs/`.
    pub(crate) crls: Vec<String>,
    /// Who may sign indirect ones, as files of `certs/`; the STI-PA's signer where none is named.
    pub(crate) crl_signers: Option<Vec<String>>,
    /// What lies at the URLs that rich call data names, or `unavailable:` and why.
    pub(crate) resources: BTreeMap<String, String>,
    /// Nothing is known of any URL.
    pub(crate) no_archive: bool,
}

impl Scene {
    pub(crate) fn from_json(value: Value) -> Self {
        serde_json::from_value(value).unwrap()
    }

    pub(crate) fn at(&self) -> UnixTime {
        UnixTime::parse_rfc3339(&self.at).unwrap()
    }

    /// The values of the Identity headers.
    pub(crate) fn values(&self) -> Vec<String> {
        self.tokens.iter().map(|token| token.value(self.at())).collect()
    }

    pub(crate) fn verdict(&self, profile: Profile) -> Verdict {
        self.verdict_on(&self.values(), profile)
    }

    /// The verdict where the Identity headers have these values.
    pub(crate) fn verdict_on(&self, values: &[String], profile: Profile) -> Verdict {
        self.verdict_by(&Verifier::new(self.policy(profile)), values)
    }

    /// The verdict of this verifier.
    pub(crate) fn verdict_by(&self, verifier: &Verifier, values: &[String]) -> Verdict {
        let call = self.call_of(values);
        let mut materials = self.materials_for(verifier, &call);
        let mut verdict = verifier.verify(&call, &materials, self.at());
        // A card, and then its pictures.
        for _ in 0..2 {
            let urls: Vec<String> = verdict.missing_resources().map(|resource| resource.url().to_owned()).collect();
            for url in urls {
                match self.materials.resources.get(&url).map(|what| (what, what.strip_prefix("unavailable:"))) {
                    Some((_, Some(reason))) => materials.mark_resource_unavailable(&url, reason),
                    Some((body, None)) => materials.add_resource(&url, body.as_bytes()),
                    None => {}
                }
            }
            verdict = verifier.verify(&call, &materials, self.at());
        }
        verdict
    }

    pub(crate) fn policy(&self, profile: Profile) -> Policy {
        let mut policy = Policy::default();
        policy.profile = profile;
        policy.strict = self.policy.strict;
        policy.max_age = self.policy.max_age.unwrap_or(policy.max_age);
        policy.max_diverted_age = self.policy.max_diverted_age.unwrap_or(policy.max_diverted_age);
        if self.policy.require_shaken {
            policy.require = Require::Shaken;
        }
        policy.crl = match self.policy.crl.as_deref() {
            None | Some("use") => CrlPolicy::Use,
            Some("require") => CrlPolicy::Require,
            Some("require-fresh") => CrlPolicy::RequireFresh,
            Some(other) => panic!("no such CRL policy: {other}"),
        };
        if let Some(signers) = &self.policy.priority_signers {
            let signers = signers.iter().map(|(spc, namespaces)| PrioritySigner::new(spc, namespaces));
            policy.priority_signers = PrioritySigners::Only(signers.collect());
        }
        policy.number_plan = match self.policy.number_plan.as_deref() {
            None => NumberPlan::NORTH_AMERICAN,
            Some("international") => NumberPlan::INTERNATIONAL,
            Some(digits) => {
                let mut plan = NumberPlan::INTERNATIONAL;
                plan.max_digits = digits.parse().unwrap();
                plan
            }
        };
        policy
    }

    /// The call around these values, as its own text reads.
    pub(crate) fn call_of(&self, values: &[String]) -> Call {
        let plan = self.policy(Profile::Rfc).number_plan;
        let mut call = match self.call.form {
            Form::Invite => {
                let text = self.message(values);
                let (message, length) = Message::parse(text.as_bytes()).unwrap();
                assert_eq!(length, text.len());
                Call::from_message(&message, &plan)
            }
            Form::Bare => {
                let mut call = Call::bare(values.iter().map(String::as_str));
                let party = |text: &String| Identity::Number(plan.canonicalise(text).unwrap());
                call.from = self.call.caller.as_ref().map(party);
                call.to = self.call.called.as_ref().map(party);
                call
            }
        };
        if let Some(earlier) = &self.call.replayed_from {
            let token = values[0].split(';').next().unwrap().trim().to_owned();
            call.replays.push((token, earlier.clone()));
        }
        call
    }

    /// The SIP message as it goes over the wire.
    pub(crate) fn message(&self, values: &[String]) -> String {
        let call = &self.call;
        let mut lines = vec![
            format!("{} {} SIP/2.0", call.method, call.request_uri),
            "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK74bf9".to_owned(),
            "Max-Forwards: 70".to_owned(),
            "Call-ID: 7f3a@carrier.example".to_owned(),
            format!("CSeq: 1 {}", call.method),
        ];
        let mut field = |name: &str, value: Option<&String>| lines.extend(value.map(|text| format!("{name}: {text}")));
        field("From", call.from.as_ref());
        field("To", call.to.as_ref());
        call.asserted.iter().for_each(|asserted| field("P-Asserted-Identity", Some(asserted)));
        let date = call.date.map(|offset| self.at().plus_seconds(offset).to_sip_date().unwrap());
        field("Date", call.date_text.as_ref().or(date.as_ref()));
        lines.extend(call.fields.iter().cloned());
        match call.style {
            Style::Lines | Style::LineFeedsOnly => {
                lines.extend(values.iter().map(|value| format!("Identity: {value}")))
            }
            Style::CompactName => lines.extend(values.iter().map(|value| format!("y:{value}"))),
            Style::Folded => {
                lines.extend(values.iter().map(|value| format!("Identity:\r\n {}", value.replace(';', "\r\n\t;"))));
            }
            Style::Joined => lines.push(format!("Identity: {}", values.join(" , "))),
        }
        lines.push("Content-Length: 0".to_owned());
        let text = lines.join("\r\n") + "\r\n\r\n";
        if call.style == Style::LineFeedsOnly { text.replace("\r\n", "\n") } else { text }
    }

    /// Ask, then judge: the archive gives what the verifier asks for, and nothing else.
    pub(crate) fn materials_for(&self, verifier: &Verifier, call: &Call) -> Materials {
        let mut materials = Materials::new();
        materials.set_anchors(match &self.materials.anchors {
            None => lab::roots(),
            Some(files) => {
                let mut anchors = TrustAnchors::new();
                for path in files {
                    anchors.extend(TrustAnchors::from_pem(&lab::file(path)).unwrap().certificates().iter().cloned());
                }
                anchors
            }
        });
        for path in &self.materials.crls {
            materials.add_crl(Crl::from_bytes(&lab::file(path)).unwrap());
        }
        let sti_pa = ["crl-signer.pem".to_owned()];
        for path in self.materials.crl_signers.as_deref().unwrap_or(&sti_pa) {
            for certificate in TrustAnchors::from_pem(&lab::file(path)).unwrap().certificates() {
                materials.add_crl_signer(certificate.clone());
            }
        }
        for url in verifier.missing(call, &materials) {
            self.serve(&url, &mut materials);
        }
        materials
    }

    fn serve(&self, url: &str, materials: &mut Materials) {
        let own = self.materials.served.iter().find(|(key, _)| *key == url || lab::url_of(key) == Some(url));
        match own.map(|(_, what)| what.split_once(':').unwrap_or((what, ""))) {
            Some(("unavailable", reason)) => materials.mark_unavailable(url, reason),
            Some(("text", text)) => materials.add_certificate(url, text.as_bytes()),
            Some((path, _)) => materials.add_certificate(url, &lab::file(path)),
            None if self.materials.no_archive => {}
            None => {
                // A token under another URL is served its signer's certificate.
                let signer = self.tokens.iter().find(|token| token.x5u.as_deref() == Some(url));
                let body = signer.map(|token| lab::file(&lab::entry(&token.signer).archive));
                if let Some(body) = body.or_else(|| lab::archived(url)) {
                    materials.add_certificate(url, &body);
                }
            }
        }
    }
}
