//! `[service.signing]` of a `stirtrace.toml`.

use crate::document::{Flaw, Misplaced, Table, elements};
use crate::number::NumberPlan;
use crate::passport::{Attestation, is_uuid};
use crate::service::attestation::{
    AttestationRule, NumberSet, OrigidKind, OrigidSecret, Requested, SigningSettings, SigningTrunk,
};
use crate::service::fault::Fault;
use crate::service::values::{self, Reader};

impl SigningSettings {
    /// Reads the table as a file of its own.
    ///
    /// # Errors
    /// Everything that is wrong in it, with its place.
    pub fn parse(toml: &str, plan: &NumberPlan) -> Result<Self, Vec<Misplaced<Fault>>> {
        values::parse(toml, |reader, table| Self::read(reader, table, plan))
    }

    /// Reads what to sign.
    pub(crate) fn read(reader: &mut Reader<'_>, table: &Table<'_, '_>, plan: &NumberPlan) -> Self {
        reader.known(table, &["default", "requested", "origid", "origid_secret", "rule", "trunk"]);
        let requested = [("cap", Requested::Capped), ("trust", Requested::Trusted)];
        let secret = reader.secret(table);
        let has_secret = secret.is_some();
        Self {
            default: reader.word(table, "default", &ATTESTATIONS[1..], "\"none\", \"B\", \"C\"").flatten(),
            requested: reader.word(table, "requested", &requested, "\"cap\", \"trust\"").unwrap_or_default(),
            origid: reader.origid(table, has_secret).unwrap_or_default(),
            rules: reader.tables(table, "rule").iter().map(|rule| reader.rule(rule, plan, has_secret)).collect(),
            trunks: reader.signing_trunks(table),
            secret,
        }
    }
}

impl Reader<'_> {
    fn secret(&mut self, table: &Table<'_, '_>) -> Option<OrigidSecret> {
        let text = self.string(table, "origid_secret")?;
        let least = OrigidSecret::MIN_CHARACTERS;
        if text.chars().count() < least {
            self.fault_at(table, "origid_secret", Fault::SecretTooShort { least });
        }
        Some(OrigidSecret::new(&text))
    }

    fn rule(&mut self, table: &Table<'_, '_>, plan: &NumberPlan, has_secret: bool) -> AttestationRule {
        self.known(table, &["customer", "trunk", "numbers", "attest", "origid", "signer"]);
        if table.get("attest").is_none() {
            self.missing(table, "attest");
        }
        let rule = AttestationRule {
            customer: self.client_name(table, "customer"),
            trunk: self.string(table, "trunk"),
            numbers: self.numbers(table, plan),
            attest: self.word(table, "attest", &ATTESTATIONS, "\"A\", \"B\", \"C\", \"none\"").flatten(),
            origid: self.origid(table, has_secret),
            signer: self.string(table, "signer"),
        };
        let is_somebody = rule.customer.is_some() || rule.trunk.is_some();
        match rule.attest {
            Some(Attestation::A) if !is_somebody || rule.numbers.is_none() => {
                self.fault_at(table, "attest", Fault::AttestsTooMuch);
            }
            Some(Attestation::B) if !is_somebody => self.fault_at(table, "attest", Fault::AttestsUnknownCustomer),
            _ => {}
        }
        rule
    }

    fn numbers(&mut self, table: &Table<'_, '_>, plan: &NumberPlan) -> Option<NumberSet> {
        let value = table.get("numbers")?;
        let mut set = NumberSet::default();
        let key = table.key("numbers");
        for element in elements(table, "numbers") {
            let Some(text) = self.text(element, &key) else { continue };
            if let Err(fault) = set.add(&text, plan) {
                self.fault(element.span().start, &key, fault);
            }
        }
        // No number at all is not the same as all of them.
        if set.is_empty() && self.is_clean() {
            self.fault(value.span().start, &key, Flaw::Empty);
        }
        Some(set)
    }

    fn origid(&mut self, table: &Table<'_, '_>, has_secret: bool) -> Option<OrigidKind> {
        let text = self.string(table, "origid")?;
        let kind = match text.as_str() {
            "call" => return Some(OrigidKind::Call),
            "customer" => OrigidKind::Customer,
            "trunk" => OrigidKind::Trunk,
            uuid if is_uuid(uuid) => return Some(OrigidKind::Fixed(text)),
            _ => {
                self.fault_at(table, "origid", Fault::Origid);
                return None;
            }
        };
        if !has_secret {
            self.fault_at(table, "origid", Fault::SecretMissing);
        }
        Some(kind)
    }

    fn signing_trunks(&mut self, parent: &Table<'_, '_>) -> Vec<SigningTrunk> {
        let mut trunks: Vec<(SigningTrunk, usize)> = Vec::new();
        for table in self.tables(parent, "trunk") {
            self.known(&table, &["name", "customer", "addresses"]);
            let trunk = SigningTrunk {
                name: self.required(&table, "name"),
                customer: self.client_name(&table, "customer"),
                addresses: self.ranges(&table, "addresses"),
            };
            if let Some((_, line)) = trunks.iter().find(|(earlier, _)| earlier.name == trunk.name) {
                let fault = Fault::Twice { name: trunk.name.clone(), line: *line };
                self.fault_at(&table, "name", fault);
            }
            trunks.push((trunk, self.place(table.at).0));
        }
        trunks.into_iter().map(|(trunk, _)| trunk).collect()
    }
}

const ATTESTATIONS: [(&str, Option<Attestation>); 4] =
    [("A", Some(Attestation::A)), ("B", Some(Attestation::B)), ("C", Some(Attestation::C)), ("none", None)];
