//! Values of the `[service]` table that several of its parts have: numbers in bounds, words, address ranges.

use toml::de::DeValue;

use crate::document::{self, Flaw, Table, elements};
use crate::service::fault::Fault;

pub(super) type Reader<'a> = document::Reader<'a, Fault>;

impl Reader<'_> {
    /// A whole number from `least` to `most`.
    pub(super) fn bounded(&mut self, table: &Table<'_, '_>, name: &str, least: i64, most: i64) -> Option<i64> {
        let value = table.get(name)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            let fault = Flaw::Type { found: value.get_ref().type_str(), wanted: "a whole number" };
            self.fault_at(table, name, fault);
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault_at(table, name, Fault::OutOfBounds { least, most });
        }
        number
    }

    /// One of the words that a key has, as what it stands for.
    pub(super) fn word<T: Copy>(
        &mut self,
        table: &Table<'_, '_>,
        name: &str,
        words: &[(&str, T)],
        wanted: &'static str,
    ) -> Option<T> {
        let found = self.string(table, name)?;
        let meant = words.iter().find(|(word, _)| *word == found).map(|(_, meant)| *meant);
        if meant.is_none() {
            self.fault_at(table, name, Flaw::Word { found, wanted });
        }
        meant
    }

    /// One text, or an array of them, each read by itself.
    pub(super) fn parsed<T>(
        &mut self,
        table: &Table<'_, '_>,
        name: &str,
        read: impl Fn(&str) -> Result<T, Fault>,
    ) -> Vec<T> {
        let key = table.key(name);
        let mut found = Vec::new();
        for value in elements(table, name) {
            let Some(text) = self.text(value, &key) else { continue };
            match read(&text) {
                Ok(meant) => found.push(meant),
                Err(fault) => self.fault(value.span().start, &key, fault),
            }
        }
        found
    }
}
