//! `[service.treatment]` of a `stirtrace.toml`.

use toml::de::DeValue;

use crate::document::{Flaw, Misplaced, Table, elements};
use crate::passport::Attestation;
use crate::service::fault::Fault;
use crate::service::treatment::{
    Action, Conditions, Diverted, Manner, PeerManner, ReasonProtocol, Rejection, TreatmentRule, TreatmentSettings,
    VerstatForm,
};
use crate::service::values::{self, Reader};
use crate::verify::{Conclusion, Error, Verstat};
use crate::zone::nearest;

impl TreatmentSettings {
    /// Reads the table as a file of its own.
    ///
    /// # Errors
    /// Everything that is wrong in it, with its place.
    pub fn parse(toml: &str) -> Result<Self, Vec<Misplaced<Fault>>> {
        values::parse(toml, Self::read)
    }

    /// Reads how calls are treated.
    pub(crate) fn read(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Self {
        reader.known(table, &known(&["peer"]));
        let general = reader.manner(table, &Manner::default());
        let peers = reader.tables(table, "peer").iter().map(|peer| reader.peer_manner(peer, &general)).collect();
        Self { general, peers }
    }
}

/// The keys of a manner, and these.
fn known(more: &[&'static str]) -> Vec<&'static str> {
    let manner = ["rule", "otherwise", "require_identity", "reject_anonymous", "diverted", "verstat", "reason"];
    manner.iter().chain(more).copied().collect()
}

impl Reader<'_> {
    fn peer_manner(&mut self, table: &Table<'_, '_>, general: &Manner) -> PeerManner {
        self.known(table, &known(&["name", "addresses", "clients"]));
        if ["addresses", "clients"].iter().all(|key| table.get(key).is_none()) {
            self.missing(table, "addresses");
        }
        PeerManner {
            name: self.string(table, "name"),
            addresses: self.ranges(table, "addresses"),
            clients: self.client_names(table, "clients"),
            manner: self.manner(table, general),
        }
    }

    /// What the table does not say is as in `usual`; its rules come before those.
    fn manner(&mut self, table: &Table<'_, '_>, usual: &Manner) -> Manner {
        let mut rules: Vec<_> = self.tables(table, "rule").iter().map(|rule| self.treatment_rule(rule)).collect();
        rules.extend(usual.rules.iter().cloned());
        Manner {
            rules,
            otherwise: self.word(table, "otherwise", &ACTIONS, ACTION_WORDS).unwrap_or(usual.otherwise),
            require_identity: self.flag(table, "require_identity").unwrap_or(usual.require_identity),
            reject_anonymous: self.flag(table, "reject_anonymous").unwrap_or(usual.reject_anonymous),
            diverted: self.word(table, "diverted", &DIVERTED, DIVERTED_WORDS).unwrap_or(usual.diverted),
            verstat: self.word(table, "verstat", &FORMS, FORM_WORDS).unwrap_or(usual.verstat),
            reason: self.word(table, "reason", &PROTOCOLS, PROTOCOL_WORDS).unwrap_or(usual.reason),
        }
    }

    fn treatment_rule(&mut self, table: &Table<'_, '_>) -> TreatmentRule {
        self.known(table, &["verdict", "verstat", "error", "attest", "action", "code", "phrase"]);
        if table.get("action").is_none() {
            self.missing(table, "action");
        }
        let conditions = Conditions {
            verdict: self.words(table, "verdict", &CONCLUSIONS, CONCLUSION_WORDS),
            verstat: self.words(table, "verstat", &VERSTATS, VERSTAT_WORDS),
            error: self.errors(table),
            attest: self.words(table, "attest", &ATTESTATIONS, ATTESTATION_WORDS),
        };
        let action = self.word(table, "action", &ACTIONS, ACTION_WORDS).unwrap_or_default();
        let response = self.response(table);
        if action != Action::Reject && (table.get("code").is_some() || table.get("phrase").is_some()) {
            let key = if table.get("code").is_some() { "code" } else { "phrase" };
            self.fault_at(table, key, Fault::CodeWithoutRejection);
        }
        TreatmentRule { conditions, action, response }
    }

    fn response(&mut self, table: &Table<'_, '_>) -> Option<Rejection> {
        let phrase = self.string(table, "phrase");
        if phrase.as_deref().is_some_and(|phrase| phrase.chars().any(char::is_control)) {
            self.fault_at(table, "phrase", Fault::Phrase);
        }
        if let Some(DeValue::Integer(written)) = table.get("code").map(|value| value.get_ref())
            && let Ok(code) = written.as_str().parse::<i64>()
            && !(400..=699).contains(&code)
        {
            self.fault_at(table, "code", Fault::RejectionCode(code));
            return None;
        }
        let code = self.bounded(table, "code", 400, 699).and_then(|code| u16::try_from(code).ok());
        if code.is_none() && phrase.is_some() && table.get("code").is_none() {
            self.missing(table, "code");
        }
        Some(Rejection::new(code?, phrase.as_deref()))
    }

    /// One word, or an array of them.
    fn words<T: Copy>(
        &mut self,
        table: &Table<'_, '_>,
        name: &str,
        words: &[(&str, T)],
        wanted: &'static str,
    ) -> Vec<T> {
        self.parsed(table, name, |found| {
            let meant = words.iter().find(|(word, _)| *word == found);
            meant.map(|(_, meant)| *meant).ok_or_else(|| Flaw::Word { found: found.to_owned(), wanted }.into())
        })
    }

    /// Kinds of errors, or rows of table H.
    fn errors(&mut self, table: &Table<'_, '_>) -> Vec<String> {
        let key = table.key("error");
        let mut errors = Vec::new();
        for value in elements(table, "error") {
            let Some(text) = self.text(value, &key) else { continue };
            let is_row =
                text.strip_prefix('H').and_then(|row| row.parse().ok()).is_some_and(|row: u8| (3..=29).contains(&row));
            if !is_row && !Error::KINDS.contains(&text.as_str()) {
                let nearest = nearest(&text, Error::KINDS.into_iter());
                self.fault(value.span().start, &key, Fault::ErrorKind { found: text, nearest });
                continue;
            }
            errors.push(text);
        }
        errors
    }
}

const ACTIONS: [(&str, Action); 3] = [("continue", Action::Continue), ("tag", Action::Tag), ("reject", Action::Reject)];
const ACTION_WORDS: &str = "\"continue\", \"tag\", \"reject\"";
const DIVERTED: [(&str, Diverted); 3] =
    [("failed", Diverted::Failed), ("unverified", Diverted::Unverified), ("passed", Diverted::Passed)];
const DIVERTED_WORDS: &str = "\"failed\", \"unverified\", \"passed\"";
const FORMS: [(&str, VerstatForm); 2] =
    [("plain", VerstatForm::Plain), ("with-attestation", VerstatForm::WithAttestation)];
const FORM_WORDS: &str = "\"plain\", \"with-attestation\"";
const PROTOCOLS: [(&str, ReasonProtocol); 3] =
    [("STIR", ReasonProtocol::Stir), ("SIP", ReasonProtocol::Sip), ("none", ReasonProtocol::None)];
const PROTOCOL_WORDS: &str = "\"STIR\", \"SIP\", \"none\"";
const CONCLUSIONS: [(&str, Conclusion); 3] =
    [("passed", Conclusion::Passed), ("none", Conclusion::None), ("failed", Conclusion::Failed)];
const CONCLUSION_WORDS: &str = "\"passed\", \"none\", \"failed\"";
const VERSTATS: [(&str, Verstat); 3] = [
    ("TN-Validation-Passed", Verstat::TnValidationPassed),
    ("TN-Validation-Failed", Verstat::TnValidationFailed),
    ("No-TN-Validation", Verstat::NoTnValidation),
];
const VERSTAT_WORDS: &str = "\"TN-Validation-Passed\", \"TN-Validation-Failed\", \"No-TN-Validation\"";
const ATTESTATIONS: [(&str, Option<Attestation>); 4] =
    [("A", Some(Attestation::A)), ("B", Some(Attestation::B)), ("C", Some(Attestation::C)), ("none", None)];
const ATTESTATION_WORDS: &str = "\"A\", \"B\", \"C\", \"none\"";
