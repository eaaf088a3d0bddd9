//! Values of the `[service]` table that several of its parts have: numbers in bounds, words, address ranges, names of
//! header fields.

use toml::de::DeValue;

use crate::document::{self, Flaw, Misplaced, Table, elements};
use crate::network::AddressRange;
use crate::service::fault::Fault;

pub(super) type Reader<'a> = document::Reader<'a, Fault>;

/// A table as a file of its own.
pub(super) fn parse<T>(
    toml: &str,
    build: impl FnOnce(&mut Reader<'_>, &Table<'_, '_>) -> T,
) -> Result<T, Vec<Misplaced<Fault>>> {
    document::read(toml.as_bytes(), MAX_BYTES, build)
}

/// No configuration that people keep by hand is longer.
const MAX_BYTES: usize = 16 << 20;

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

    /// One address range, or an array of them.
    pub(super) fn ranges(&mut self, table: &Table<'_, '_>, name: &str) -> Vec<AddressRange> {
        self.parsed(table, name, |text| text.parse().map_err(Fault::Range))
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

    /// Names that clients show: subjects of tokens, or SHA-256 of certificates.
    pub(super) fn client_names(&mut self, table: &Table<'_, '_>, name: &str) -> Vec<String> {
        self.parsed(table, name, client_name)
    }

    /// The same, where there is one at most.
    pub(super) fn client_name(&mut self, table: &Table<'_, '_>, name: &str) -> Option<String> {
        let text = self.string(table, name)?;
        client_name(&text).map_err(|fault| self.fault_at(table, name, fault)).ok()
    }

    /// The name of a header field that responses get; `"none"` for no such field.
    pub(super) fn field_name(&mut self, table: &Table<'_, '_>, name: &str, usual: Option<&str>) -> Option<String> {
        let Some(text) = self.string(table, name) else { return usual.map(str::to_owned) };
        if text.eq_ignore_ascii_case("none") {
            return None;
        }
        let is_token = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_token || text.len() > 64 || OURS.iter().any(|ours| ours.eq_ignore_ascii_case(&text)) {
            self.fault_at(table, name, Fault::HeaderName(text));
            return None;
        }
        Some(text)
    }
}

/// A name as it is compared. The SHA-256 of a certificate may be written as tools print it, in either case and with colons
/// (`openssl x509 -noout -fingerprint -sha256`); what can only be a hash of another kind, or a damaged one, would never
/// fit anybody.
fn client_name(text: &str) -> Result<String, Fault> {
    let digits = match text.split_once('=') {
        Some((label, digits)) if label.to_ascii_lowercase().ends_with("fingerprint") => digits,
        _ => text,
    };
    let pairs: Vec<&str> = digits.split(':').collect();
    let has_pairs = pairs.len() > 1 && pairs.iter().all(|pair| pair.len() == 2);
    let digits = if has_pairs { pairs.concat() } else { digits.to_owned() };
    if !digits.bytes().all(|c| c.is_ascii_hexdigit()) || digits.len() < LEAST_HASH_DIGITS {
        return Ok(text.to_owned());
    }
    if digits.len() == 64 { Ok(digits.to_ascii_lowercase()) } else { Err(Fault::Fingerprint { digits: digits.len() }) }
}

/// As many as SHA-1 has. What is shorter, such as a UUID without its dashes, may be somebody's name.
const LEAST_HASH_DIGITS: usize = 40;

/// Fields that a response has by RFC 3261 or by what we say in it: no other meaning may be put into them.
const OURS: &[&str] = &[
    "Via",
    "v",
    "From",
    "f",
    "To",
    "t",
    "Call-ID",
    "i",
    "CSeq",
    "Contact",
    "m",
    "Content-Length",
    "l",
    "Identity",
    "y",
    "Reason",
    "P-Asserted-Identity",
    "Date",
    "Allow",
    "Retry-After",
    "Record-Route",
    "Route",
    "Content-Type",
    "c",
];
