//! `[[service.signer]]`: certificates, and where their private keys lie.

use std::collections::HashMap;
use std::time::Duration;

use super::{KeyName, KeySettings, PinSource, Pkcs11Settings, SignerSettings};
use crate::document::{Flaw, Table};
use crate::passport::ResourcePriority;
use crate::service::fault::Fault;
use crate::service::values::Reader;

impl Reader<'_> {
    pub(super) fn signers(&mut self, parent: &Table<'_, '_>) -> Vec<SignerSettings> {
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut signers = Vec::new();
        for table in self.tables(parent, "signer") {
            self.known(&table, &["name", "key", "pkcs11", "certificate", "x5u", "rph", "rph_clients"]);
            let signer = SignerSettings {
                name: self.required(&table, "name"),
                key: self.key(&table),
                certificate: self.required(&table, "certificate"),
                x5u: self.required(&table, "x5u"),
                rph: self.namespaces(&table, "rph"),
                rph_clients: self.client_names(&table, "rph_clients"),
            };
            if signer.rph.is_empty() && table.get("rph_clients").is_some() {
                self.missing(&table, "rph");
            }
            // Nobody at all is not the same as everybody.
            if signer.rph_clients.is_empty() && table.get("rph_clients").is_some() && self.is_clean() {
                self.fault_at(&table, "rph_clients", Flaw::Empty);
            }
            let line = self.place(table.at).0;
            if let Some(line) = lines.insert(signer.name.clone(), line).filter(|_| !signer.name.is_empty()) {
                self.fault_at(&table, "name", Fault::Twice { name: signer.name.clone(), line });
            }
            signers.push(signer);
        }
        signers
    }

    /// Names of namespaces as Resource-Priority has them, before the dot.
    pub(super) fn namespaces(&mut self, table: &Table<'_, '_>, name: &str) -> Vec<String> {
        self.parsed(table, name, |text| match format!("{text}.0").parse::<ResourcePriority>() {
            Ok(value) if value.namespace().len() == text.len() => Ok(value.namespace().to_owned()),
            _ => Err(Fault::Namespace(text.to_owned())),
        })
    }

    fn key(&mut self, signer: &Table<'_, '_>) -> KeySettings {
        let Some(table) = self.table(signer, "pkcs11") else {
            return KeySettings::File(self.required(signer, "key"));
        };
        self.one_of(signer, "key", "pkcs11");
        if !cfg!(feature = "pkcs11") {
            self.fault_at(signer, "pkcs11", Fault::Pkcs11Missing);
        }
        KeySettings::Pkcs11(self.pkcs11(&table))
    }

    fn pkcs11(&mut self, table: &Table<'_, '_>) -> Pkcs11Settings {
        if table.get("pin").is_some() {
            self.fault_at(table, "pin", Fault::PinInTheClear);
        }
        let keys = [
            "module",
            "token",
            "serial",
            "key",
            "key_id",
            "pin",
            "pin_file",
            "pin_variable",
            "sessions",
            "wait_seconds",
        ];
        self.known(table, &keys);
        let sessions = self.bounded(table, "sessions", 1, 64);
        let wait = self.bounded(table, "wait_seconds", 1, 60).and_then(|seconds| u64::try_from(seconds).ok());
        Pkcs11Settings {
            module: self.required(table, "module"),
            token: self.required(table, "token"),
            serial: self.string(table, "serial"),
            key: self.key_name(table),
            pin: self.pin(table),
            sessions: sessions.and_then(|number| usize::try_from(number).ok()).unwrap_or(4),
            wait: Duration::from_secs(wait.unwrap_or(2)),
        }
    }

    fn key_name(&mut self, table: &Table<'_, '_>) -> KeyName {
        self.one_of(table, "key", "key_id");
        let Some(digits) = self.string(table, "key_id") else { return KeyName::Label(self.required(table, "key")) };
        let id = octets(&digits).unwrap_or_default();
        if id.is_empty() {
            self.fault_at(table, "key_id", Fault::Hexadecimal);
        }
        KeyName::Id(id)
    }

    fn pin(&mut self, table: &Table<'_, '_>) -> Option<PinSource> {
        self.one_of(table, "pin_file", "pin_variable");
        let file = self.string(table, "pin_file").map(PinSource::File);
        file.or_else(|| self.string(table, "pin_variable").map(PinSource::Variable))
    }

    fn one_of(&mut self, table: &Table<'_, '_>, one: &'static str, other: &'static str) {
        if table.get(one).is_some() && table.get(other).is_some() {
            self.fault_at(table, other, Fault::Both(one, other));
        }
    }
}

/// The octets that hexadecimal digits stand for.
fn octets(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(octet).collect()
}
