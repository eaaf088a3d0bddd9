//! Distinguished names: printed as RFC 4514 does, compared as RFC 5280 §7.1 does.

use std::fmt;

use serde::Serialize;

use crate::certificate::der::{DerError, Element, Reader, Tag, hexadecimal};

/// The name of a certificate's subject or issuer.
#[derive(Clone, Debug)]
pub struct DistinguishedName {
    der: Vec<u8>,
    attributes: Vec<Attribute>,
    text: String,
    canonical: String,
}

#[derive(Clone, Debug)]
struct Attribute {
    /// The dotted object identifier.
    kind: String,
    value: String,
}

impl DistinguishedName {
    /// The name's DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The name as RFC 4514 prints it, last component first: `CN=SHAKEN 1234,O=Cascade Transit,C=US`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The common name (CN).
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.attribute("2.5.4.3")
    }

    /// The country (C).
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.attribute("2.5.4.6")
    }

    /// The organization (O).
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.attribute("2.5.4.10")
    }

    /// The value of the first attribute of that object identifier, such as `2.5.4.5` for serialNumber.
    #[must_use]
    pub fn attribute(&self, object_identifier: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|attribute| attribute.kind == object_identifier);
        found.map(|attribute| attribute.value.as_str())
    }

    /// Whether the two are the same name: case, spacing and the kind of string do not count (RFC 5280 §7.1).
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }

    /// Equal for names that [`Self::is_same_as`] calls the same, and only for these.
    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut components = element.expect(Tag::SEQUENCE)?.reader();
        let mut name =
            Self { der: element.raw.to_vec(), attributes: Vec::new(), text: String::new(), canonical: String::new() };
        let mut texts = Vec::new();
        while !components.is_empty() {
            let mut members = components.expect(Tag::SET)?.reader();
            texts.push(name.read_component(&mut members)?);
        }
        texts.reverse();
        name.text = texts.join(",");
        Ok(name)
    }

    /// Reads one relative name, whose attributes form a set, and returns its text.
    fn read_component(&mut self, members: &mut Reader<'_>) -> Result<String, DerError> {
        let mut texts = Vec::new();
        let mut canonical = Vec::new();
        while !members.is_empty() {
            let mut fields = members.expect(Tag::SEQUENCE)?.reader();
            let kind = fields.expect(Tag::OBJECT_IDENTIFIER)?.dotted()?;
            let value = fields.next()?;
            fields.finish()?;
            let (text, shown, folded) = match decode(&value) {
                Some(text) => {
                    let (shown, folded) = (escape(&text), fold(&text));
                    (text, shown, folded)
                }
                None => {
                    let text = format!("#{}", hexadecimal(value.raw));
                    (text.clone(), text.clone(), text)
                }
            };
            texts.push(format!("{}={shown}", short_name(&kind)));
            // The length makes the joined form unambiguous.
            canonical.push(format!("{kind}={}:{folded};", folded.len()));
            self.attributes.push(Attribute { kind, value: text });
        }
        canonical.sort_unstable();
        self.canonical.push_str(&canonical.concat());
        self.canonical.push('/');
        Ok(texts.join("+"))
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for DistinguishedName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The text of a DirectoryString or one of its older relatives.
fn decode(value: &Element<'_>) -> Option<String> {
    match value.tag.octet() {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => std::str::from_utf8(value.content).ok().map(str::to_owned),
        // T61String, read as Latin-1 as everyone does
        0x14 => Some(value.content.iter().copied().map(char::from).collect()),
        // UniversalString
        0x1c => value.content.chunks(4).map(|octets| char::from_u32(big_endian(octets, 4)?)).collect(),
        // BMPString
        0x1e => value.content.chunks(2).map(|octets| char::from_u32(big_endian(octets, 2)?)).collect(),
        _ => None,
    }
}

fn big_endian(octets: &[u8], length: usize) -> Option<u32> {
    (octets.len() == length).then(|| octets.iter().fold(0, |value, octet| value << 8 | u32::from(*octet)))
}

/// What RFC 5280 §7.1 compares: one case, single spaces, none at the ends.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// RFC 4514 §2.4.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\');
        if special || (index == 0 && matches!(character, ' ' | '#')) || (index == last && character == ' ') {
            escaped.push('\\');
        }
        if character == '\0' { escaped.push_str("\\00") } else { escaped.push(character) }
    }
    escaped
}

/// The short names of RFC 4514 §3; anything else stays a dotted object identifier.
fn short_name(kind: &str) -> &str {
    match kind {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::der::{single, write_element};

    /// Object identifier, tag and value.
    type Attribute<'a> = (&'a [u8], u8, &'a [u8]);

    fn name(components: &[&[Attribute<'_>]]) -> DistinguishedName {
        let mut content = Vec::new();
        for component in components {
            let mut set = Vec::new();
            for (kind, tag, value) in *component {
                let mut attribute = Vec::new();
                write_element(&mut attribute, Tag::OBJECT_IDENTIFIER, kind);
                write_element(&mut attribute, Tag(*tag), value);
                write_element(&mut set, Tag::SEQUENCE, &attribute);
            }
            write_element(&mut content, Tag::SET, &set);
        }
        let mut der = Vec::new();
        write_element(&mut der, Tag::SEQUENCE, &content);
        DistinguishedName::read(single(&der, Tag::SEQUENCE).unwrap()).unwrap()
    }

    const CN: &[u8] = &[0x55, 4, 3];
    const C: &[u8] = &[0x55, 4, 6];
    const SERIAL_NUMBER: &[u8] = &[0x55, 4, 5];

    #[test]
    fn names_print_last_component_first_with_escapes() {
        // RFC 4514 §2.
        let name = name(&[&[(C, 0x13, b"US")], &[(SERIAL_NUMBER, 0x13, b"7")], &[(CN, 0x0c, b" a,b+\"c\" ")]]);
        assert_eq!(name.as_str(), r#"CN=\ a\,b\+\"c\"\ ,2.5.4.5=7,C=US"#);
        assert_eq!(name.common_name(), Some(" a,b+\"c\" "));
        assert_eq!(name.country(), Some("US"));
        assert_eq!(name.organization(), None);
    }

    #[test]
    fn names_that_differ_in_case_spacing_and_string_type_are_the_same() {
        // RFC 5280 §7.1.
        let one = name(&[&[(C, 0x13, b"US")], &[(CN, 0x13, b"STI-PA CRL")]]);
        let other = name(&[&[(C, 0x0c, b"us")], &[(CN, 0x0c, b" sti-pa   crl ")]]);
        assert!(one.is_same_as(&other));
        assert_eq!(one.canonical(), other.canonical());
        assert!(!one.is_same_as(&name(&[&[(CN, 0x13, b"STI-PA CRL")], &[(C, 0x13, b"US")]])));
        assert!(!one.is_same_as(&name(&[&[(C, 0x13, b"US"), (CN, 0x13, b"STI-PA CRL")]])));
    }

    #[test]
    fn odd_string_types_are_read_and_others_shown_in_hexadecimal() {
        assert_eq!(name(&[&[(CN, 0x1e, &[0, b'A', 0x20, 0xac])]]).as_str(), "CN=A€");
        assert_eq!(name(&[&[(CN, 0x14, &[b'A', 0xe9])]]).as_str(), "CN=Aé");
        assert_eq!(name(&[&[(CN, 0x1e, &[0])]]).as_str(), "CN=#1e0100");
        assert_eq!(name(&[&[(CN, 0x04, &[1, 2])]]).as_str(), "CN=#04020102");
    }
}
