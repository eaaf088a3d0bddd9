//! The SIP Identity header field: a token and its parameters (RFC 8224 §4).
//!
//! Grammar: `token ;info=<URI> *( ;alg=.. / ;ppt=.. / ;generic )`. Order, white space and quoting are read as
//! leniently as spec rules B2, B3 and G6 say; the token itself is not touched.

use std::fmt;

use crate::passport::Deviation;

/// One value of an Identity header field, split into its parts. Nothing in it is believed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct IdentityHeader {
    /// The signed digest: a PASSporT in full or compact form, as received.
    pub token: String,
    /// Where the token begins in the value, in bytes.
    pub token_offset: usize,
    /// `info`: the URI of the signer's certificate, brackets off.
    pub info: Option<String>,
    /// Why `info` could not be read, where it stands but is malformed.
    pub info_fault: Option<String>,
    /// `alg`, if it stands there. Its absence means ES256 (B6).
    pub alg: Option<String>,
    /// `ppt`, unquoted; an empty one counts as absent.
    pub ppt: Option<String>,
    /// All other parameters, in order.
    pub parameters: Vec<Parameter>,
    /// Spellings that the field has and the standard has not.
    pub deviations: Vec<Deviation>,
    /// Parameters that stand there without a value: they may not stand there again with one.
    emptied: Vec<&'static str>,
}

/// A parameter that RFC 8224 does not name.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name as written.
    pub name: String,
    /// Its value, unquoted; `None` for a flag.
    pub value: Option<String>,
}

/// The longest value that is read: a longest token and as much again for its parameters.
pub const MAX_VALUE_BYTES: usize = 128 * 1024;

/// The most parameters that a value may have.
pub const MAX_PARAMETERS: usize = 32;

impl IdentityHeader {
    /// A header value of a token and where its certificate lies, as signers print it (B1, B3).
    #[must_use]
    pub fn new(token: String, info: String, ppt: Option<String>) -> Self {
        Self { token, info: Some(info), alg: Some("ES256".to_owned()), ppt, ..Self::default() }
    }

    /// Reads one value. White space may be folded; several values joined by commas are [`split`] first.
    ///
    /// # Errors
    /// When it is no Identity value; the error's offset is the byte to point at.
    pub fn parse(value: &str) -> Result<Self, Error> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(Error::TooLong { limit: MAX_VALUE_BYTES });
        }
        let mut reader = Reader { text: value, at: 0 };
        reader.skip_space();
        let token_offset = reader.at;
        let token = reader.token()?;
        let mut header = Self { token: token.to_owned(), token_offset, ..Self::default() };
        header.read_parameters(&mut reader)?;
        Ok(header)
    }

    fn read_parameters(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..=MAX_PARAMETERS {
            let gap = reader.at;
            reader.skip_space();
            match reader.peek() {
                None => return Ok(()),
                Some(b';') => reader.at += 1,
                Some(b',') => return Err(Error::SeveralValues { offset: reader.at }),
                Some(_) if gap < reader.at => return Err(Error::WhiteSpaceInside { offset: gap }),
                Some(_) => return Err(Error::InvalidCharacter { offset: reader.at }),
            }
            reader.skip_space();
            if reader.peek().is_none() {
                self.deviate("B2", "a semicolon at the end, with no parameter behind it");
                return Ok(());
            }
            self.read_parameter(reader)?;
        }
        Err(Error::TooManyParameters { limit: MAX_PARAMETERS })
    }

    fn read_parameter(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let offset = reader.at;
        let name = reader.take_while(|c| !matches!(c, b'=' | b';' | b',') && !is_space(c));
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(Error::InvalidCharacter { offset });
        }
        reader.skip_space();
        let valued = reader.peek() == Some(b'=');
        if valued {
            reader.at += 1;
            reader.skip_space();
        }
        if name.eq_ignore_ascii_case("info") {
            return self.read_info(reader, offset);
        }
        let value = if valued { Some(reader.value()?) } else { None };
        let (known, slot) = if name.eq_ignore_ascii_case("alg") {
            ("alg", &mut self.alg)
        } else if name.eq_ignore_ascii_case("ppt") {
            ("ppt", &mut self.ppt)
        } else {
            self.parameters.push(Parameter { name: name.to_owned(), value });
            return Ok(());
        };
        if slot.is_some() || self.emptied.contains(&known) {
            return Err(Error::RepeatedParameter { name: known.to_owned(), offset });
        }
        *slot = value.filter(|text| !text.is_empty());
        if slot.is_none() {
            let rule = if known == "ppt" { "G7" } else { "B2" };
            self.deviate(rule, &format!("the parameter {known} has no value"));
            self.emptied.push(known);
        }
        Ok(())
    }

    /// B2: `info=<URI>`. One without brackets is read up to the next semicolon.
    fn read_info(&mut self, reader: &mut Reader<'_>, offset: usize) -> Result<(), Error> {
        if self.info.is_some() || self.info_fault.is_some() {
            return Err(Error::RepeatedParameter { name: "info".to_owned(), offset });
        }
        if reader.peek() == Some(b'<') {
            reader.at += 1;
            let uri = reader.take_while(|c| c != b'>');
            if reader.peek().is_none() {
                self.info_fault = Some("the '<' is not closed by a '>'".to_owned());
                return Ok(());
            }
            reader.at += 1;
            self.set_info(uri.trim_matches([' ', '\t', '\r', '\n']));
        } else {
            let uri = reader.take_while(|c| c != b';' && c != b',' && !is_space(c));
            if !uri.is_empty() {
                self.deviate("B2", "info stands without angle brackets");
            }
            self.set_info(uri.trim_matches('"'));
        }
        Ok(())
    }

    fn set_info(&mut self, uri: &str) {
        if uri.is_empty() {
            self.info_fault = Some("it is empty".to_owned());
        } else if !uri.bytes().all(|c| c.is_ascii_graphic()) {
            self.info_fault = Some("there is white space, a control or a non-ASCII character in the URI".to_owned());
        } else {
            self.info = Some(uri.to_owned());
        }
    }

    fn deviate(&mut self, rule: &'static str, detail: &str) {
        self.deviations.push(Deviation::refused_when_strict(rule, detail));
    }
}

impl fmt::Display for IdentityHeader {
    /// The value as RFC 8224's grammar wants it, without the field name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token)?;
        if let Some(info) = &self.info {
            write!(f, ";info=<{info}>")?;
        }
        for (name, value) in [("alg", &self.alg), ("ppt", &self.ppt)] {
            if let Some(value) = value {
                write!(f, ";{name}={value}")?;
            }
        }
        Ok(())
    }
}

/// The values of a field whose values somebody joined with commas (spec B5 has one a line; proxies join them).
///
/// Commas inside `<..>` and inside quotes stay. Empty values are left out.
pub fn split(field: &str) -> impl Iterator<Item = &str> {
    let mut within_brackets = false;
    let mut within_quotes = false;
    field
        .split(move |c: char| {
            match c {
                '<' if !within_quotes => within_brackets = true,
                '>' if !within_quotes => within_brackets = false,
                '"' if !within_brackets => within_quotes = !within_quotes,
                _ => {}
            }
            c == ',' && !within_brackets && !within_quotes
        })
        .map(|value| value.trim_matches([' ', '\t', '\r', '\n']))
        .filter(|value| !value.is_empty())
}

/// The value behind `Identity:` or the compact `y:` (B4), when a line begins so.
#[must_use]
pub fn strip_name(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim();
    (name.eq_ignore_ascii_case("identity") || name.eq_ignore_ascii_case("y")).then(|| value.trim())
}

/// A cursor over one value.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|c| is_space(**c)).count();
    }

    /// Up to a separator: bytes that may stand in a token, at least one.
    fn token(&mut self) -> Result<&'a str, Error> {
        let rest = &self.text.as_bytes()[self.at..];
        // Nearly all of a value is token: whole blocks at once, without a branch for each byte.
        let is_token = |block: &&[u8]| block.iter().fold(true, |all, c| all & is_token_byte(*c));
        let blocks = rest.chunks_exact(TOKEN_BLOCK).take_while(is_token).count() * TOKEN_BLOCK;
        let beyond = rest[blocks..].iter().take_while(|c| is_token_byte(**c)).count();
        let (start, end) = (self.at, self.at + blocks + beyond);
        match rest.get(blocks + beyond) {
            Some(c) if !matches!(c, b';' | b',') && !is_space(*c) => Err(Error::InvalidCharacter { offset: end }),
            _ if start == end => Err(Error::Empty),
            _ => {
                self.at = end;
                Ok(&self.text[start..end])
            }
        }
    }

    /// Takes bytes as long as `wanted` holds. It stops at ASCII bytes only, so the text stays whole characters.
    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().position(|c| c.is_ascii() && !wanted(*c)).unwrap_or(rest.len());
        let taken = &self.text[self.at..self.at + length];
        self.at += length;
        taken
    }

    /// A token or a quoted string (RFC 3261 §25.1).
    fn value(&mut self) -> Result<String, Error> {
        let offset = self.at;
        if self.peek() != Some(b'"') {
            return Ok(self.take_while(|c| c != b';' && c != b',' && !is_space(c)).to_owned());
        }
        self.at += 1;
        let mut value = String::new();
        loop {
            value.push_str(self.take_while(|c| c != b'"' && c != b'\\'));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(_) => {
                    self.at += 1;
                    let escaped = self.text[self.at..].chars().next().ok_or(Error::UnterminatedQuote { offset })?;
                    value.push(escaped);
                    self.at += escaped.len_utf8();
                }
                None => return Err(Error::UnterminatedQuote { offset }),
            }
        }
    }
}

/// White space of a folded field: RFC 3261's LWS.
fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | b'\n')
}

/// B1: both base64 alphabets, and padding, which the token's reader judges.
const fn is_token_byte(c: u8) -> bool {
    // No shortcuts: so a block of bytes is judged in a few instructions.
    let letter = (c | 0x20).wrapping_sub(b'a') < 26;
    let digit = c.wrapping_sub(b'0') < 10;
    letter | digit | (c == b'-') | (c == b'_') | (c == b'+') | (c == b'/') | (c == b'=') | (c == b'.')
}

/// How many bytes of a token are judged at once.
const TOKEN_BLOCK: usize = 32;

/// Why a text is no value of an Identity header field.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing stands where the token belongs.
    #[error("there is no token in it")]
    Empty,
    /// A byte that cannot stand there.
    #[error("byte {offset} cannot stand there")]
    InvalidCharacter {
        /// Bytes from the value's start.
        offset: usize,
    },
    /// `info`, `alg` or `ppt` stands twice.
    #[error("the parameter {name} stands twice")]
    RepeatedParameter {
        /// Which one.
        name: String,
        /// Bytes from the value's start to the second.
        offset: usize,
    },
    /// A comma that ends the value; [`split`] the field first.
    #[error("a comma at byte {offset}: several values in one")]
    SeveralValues {
        /// Bytes from the value's start.
        offset: usize,
    },
    /// Longer than any value may be.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
    /// More parameters than any value may have.
    #[error("more than {limit} parameters")]
    TooManyParameters {
        /// The most there may be.
        limit: usize,
    },
    /// A quote that is never closed.
    #[error("the quote that opens at byte {offset} is not closed")]
    UnterminatedQuote {
        /// Bytes from the value's start.
        offset: usize,
    },
    /// White space in the middle of the token or of a value: a line folded where none may be.
    #[error("white space at byte {offset} inside the token or a value: join the lines there")]
    WhiteSpaceInside {
        /// Bytes from the value's start.
        offset: usize,
    },
}

impl Error {
    /// Where in the value the fault shows, in bytes from its start.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::InvalidCharacter { offset }
            | Self::RepeatedParameter { offset, .. }
            | Self::SeveralValues { offset }
            | Self::UnterminatedQuote { offset }
            | Self::WhiteSpaceInside { offset } => Some(*offset),
            Self::TooLong { limit } => Some(*limit),
            Self::Empty | Self::TooManyParameters { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_in_any_order_case_and_spacing() {
        // B2, B3, B6, G6.
        for value in [
            "a.b.c;info=<https://x.example/c>;alg=ES256;ppt=shaken",
            "a.b.c;info=<https://x.example/c>;alg=ES256;ppt=\"shaken\"",
            "a.b.c ; PPT = shaken ;\r\n\tALG=ES256; Info = < https://x.example/c > ",
        ] {
            let header = IdentityHeader::parse(value).unwrap();
            assert_eq!(header.token, "a.b.c");
            assert_eq!(header.info.as_deref(), Some("https://x.example/c"), "{value}");
            assert_eq!(header.ppt.as_deref(), Some("shaken"));
            assert_eq!(header.alg.as_deref(), Some("ES256"));
            assert!(header.deviations.is_empty());
        }
    }

    #[test]
    fn a_token_without_parameters_still_gives_the_token() {
        // G28: other verifiers crash here.
        let header = IdentityHeader::parse("a.b.c").unwrap();
        assert_eq!((header.token.as_str(), header.info), ("a.b.c", None));
    }

    #[test]
    fn faults_are_named_with_their_byte() {
        assert_eq!(IdentityHeader::parse(" ;info=<x>"), Err(Error::Empty));
        assert_eq!(IdentityHeader::parse("a.b\0.c;info=<x>"), Err(Error::InvalidCharacter { offset: 3 }));
        assert_eq!(IdentityHeader::parse("a.b\r\n .c;info=<x>"), Err(Error::WhiteSpaceInside { offset: 3 }));
        assert_eq!(IdentityHeader::parse("a;ppt=\"x"), Err(Error::UnterminatedQuote { offset: 6 }));
        assert_eq!(IdentityHeader::parse("a;info=<x>,b;info=<y>"), Err(Error::SeveralValues { offset: 10 }));
        assert!(matches!(IdentityHeader::parse("a;ppt=x;ppt=y"), Err(Error::RepeatedParameter { .. })));
        assert!(matches!(IdentityHeader::parse("a;ppt=;ppt=y"), Err(Error::RepeatedParameter { .. })));
        assert!(IdentityHeader::parse("a;info=<https://x").unwrap().info_fault.is_some());
    }

    #[test]
    fn joined_values_are_split_outside_brackets_and_quotes() {
        let values: Vec<_> = split("a;info=<https://x/,y>;p=\"1,2\", b;info=<z> ,, c").collect();
        assert_eq!(values, ["a;info=<https://x/,y>;p=\"1,2\"", "b;info=<z>", "c"]);
    }

    #[test]
    fn the_compact_field_name_counts() {
        assert_eq!(strip_name("Identity: a.b.c"), Some("a.b.c"));
        assert_eq!(strip_name("y :a.b.c"), Some("a.b.c"));
        assert_eq!(strip_name("a.b.c;info=<https://x>"), None);
    }
}
