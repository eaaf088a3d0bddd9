//! Addresses: SIP and tel URIs, the fields that hold them, and who they name (RFC 3261 §19.1, §25.1; RFC 3966;
//! RFC 8224 §8).

use std::fmt;
use std::str::FromStr;

use crate::number::{Identity, NumberPlan, TelephoneNumber};

/// A `sip:`, `sips:` or `tel:` URI in its parts, as written.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SipUri {
    /// Which of the three.
    pub scheme: Scheme,
    /// The user part with its own parameters (`+12155550112;npdi`), or the subscriber of a `tel:` URI without them.
    pub user: Option<String>,
    /// What follows the user part's colon.
    pub password: Option<String>,
    /// The host without port, brackets of an IPv6 address included; empty in `tel:`.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
    /// The parameters in order.
    pub parameters: Vec<Parameter>,
    /// What follows the `?`.
    pub headers: Option<String>,
}

impl SipUri {
    /// The longest URI that is read.
    pub const MAX_BYTES: usize = 8 << 10;
    /// The most parameters of one URI or field.
    pub const MAX_PARAMETERS: usize = 64;

    /// The first parameter of that name, in any case; the empty text when it has no value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find_parameter(&self.parameters, name)
    }

    /// The first parameter of that name in the user part (`npdi`, `rn`, `verstat`: RFC 4694, RFC 4904).
    #[must_use]
    pub fn user_parameter(&self, name: &str) -> Option<&str> {
        let (_, parameters) = self.user.as_deref()?.split_once(';')?;
        parameters.split(';').map(split_parameter).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// Whether the address says that it names nobody (RFC 3323 §4.1.1.3, and what networks write for a number they
    /// do not have).
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.host.eq_ignore_ascii_case("anonymous.invalid")
            || self.host.eq_ignore_ascii_case("unknown.invalid")
            || self.user.as_deref().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
    }

    /// `scheme:user@host` as RFC 8224 §8.5 normalises it (B17); `None` for `tel:`.
    #[must_use]
    pub fn canonical(&self) -> Option<String> {
        if self.scheme == Scheme::Tel {
            return None;
        }
        let host = self.host.to_ascii_lowercase();
        Some(match &self.user {
            Some(user) => format!("{}:{}@{host}", self.scheme, decode(user, is_unreserved).to_ascii_lowercase()),
            None => format!("{}:{host}", self.scheme),
        })
    }

    /// Who the address names: a number where it holds one (RFC 8224 §8.1, B13), else the normalised URI; nobody
    /// when it is anonymous.
    #[must_use]
    pub fn to_identity(&self, plan: &NumberPlan) -> Option<Identity> {
        if self.is_anonymous() {
            return None;
        }
        match self.number(plan) {
            Some(number) => Some(Identity::Number(number)),
            None => self.canonical().map(Identity::Uri),
        }
    }

    // B13 names three signs of a number: tel, user=phone, a leading `+`. A user part that is dialable without them
    // counts too, which covers all of them; one that is not dialable makes the URI the identity.
    fn number(&self, plan: &NumberPlan) -> Option<TelephoneNumber> {
        // An escaped semicolon belongs to the user's name: no parameter begins there, and no number holds one.
        let subscriber = self.user.as_deref()?.split(';').next()?;
        let user = decode(subscriber, |byte| byte.is_ascii_graphic() || byte == b' ');
        if user.contains(';') {
            return None;
        }
        // RFC 3966 §5.1.4: a number local to another country does not become a North American one.
        let context = self.parameter("phone-context").or_else(|| self.user_parameter("phone-context"));
        let elsewhere = context.is_some_and(|context| context.starts_with('+') && context != "+1");
        let plan = NumberPlan { north_american: plan.north_american && !elsewhere, ..*plan };
        let number = plan.canonicalise(&user)?;
        let is_said = self.scheme == Scheme::Tel
            || user.starts_with('+')
            || self.parameter("user").is_some_and(|kind| kind.eq_ignore_ascii_case("phone"));
        (is_said || number.as_str().bytes().any(|c| c.is_ascii_digit())).then_some(number)
    }

    fn parse_tel(text: &str) -> Result<Self, InvalidUri> {
        let (subscriber, parameters) = text.split_once(';').unwrap_or((text, ""));
        if subscriber.is_empty() {
            return Err(InvalidUri::Empty);
        }
        Ok(Self {
            scheme: Scheme::Tel,
            user: Some(subscriber.to_owned()),
            password: None,
            host: String::new(),
            port: None,
            parameters: parse_parameters(parameters)?,
            headers: None,
        })
    }

    fn parse_sip(scheme: Scheme, text: &str) -> Result<Self, InvalidUri> {
        let (userinfo, rest) = match text.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, text),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers.to_owned())),
            None => (rest, None),
        };
        let (host, parameters) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = parse_host(host.trim())?;
        let (user, password) = match userinfo.map(|info| info.split_once(':').unwrap_or((info, ""))) {
            Some((user, password)) => (Some(user.to_owned()), (!password.is_empty()).then(|| password.to_owned())),
            None => (None, None),
        };
        if user.as_deref().is_some_and(str::is_empty) {
            return Err(InvalidUri::Empty);
        }
        Ok(Self { scheme, user, password, host, port, parameters: parse_parameters(parameters)?, headers })
    }
}

impl FromStr for SipUri {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidUri::TooLong { limit: Self::MAX_BYTES });
        }
        if text.bytes().any(|byte| byte.is_ascii_control() || matches!(byte, b'<' | b'>' | b'"')) {
            return Err(InvalidUri::Character);
        }
        let (scheme, rest) = text.split_once(':').ok_or(InvalidUri::UnsupportedScheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "sip" => Self::parse_sip(Scheme::Sip, rest),
            "sips" => Self::parse_sip(Scheme::Sips, rest),
            "tel" => Self::parse_tel(rest),
            _ => Err(InvalidUri::UnsupportedScheme),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
        }
        if let Some(password) = &self.password {
            write!(f, ":{password}")?;
        }
        if self.user.is_some() && self.scheme != Scheme::Tel {
            f.write_str("@")?;
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for parameter in &self.parameters {
            write!(f, ";{parameter}")?;
        }
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

/// What a URI begins with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sip => "sip",
            Self::Sips => "sips",
            Self::Tel => "tel",
        })
    }
}

/// A parameter of a URI or a field: `name` or `name=value`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, as written.
    pub name: String,
    /// Its value, without quotes.
    pub value: Option<String>,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

/// The value of a From, To or P-Asserted-Identity field: `name-addr` or `addr-spec`, and its parameters.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Address {
    /// The display name, unquoted.
    pub display_name: Option<String>,
    /// The address.
    pub uri: SipUri,
    /// The parameters of the field, `tag` among them.
    pub parameters: Vec<Parameter>,
}

impl Address {
    /// The most addresses that are read out of one field; RFC 3325 §9.1 allows two.
    pub const MAX_IN_A_FIELD: usize = 16;

    /// Reads a comma-separated list, each address by itself.
    pub fn parse_list(text: &str) -> impl Iterator<Item = Result<Self, InvalidUri>> + '_ {
        split_outside(text, b',').take(Self::MAX_IN_A_FIELD).filter(|part| !part.trim().is_empty()).map(str::parse)
    }

    /// The first parameter of that name, in any case; the empty text when it has no value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find_parameter(&self.parameters, name)
    }

    fn parse_bracketed(text: &str, open: usize) -> Result<Self, InvalidUri> {
        let (name, rest) = (&text[..open], &text[open + 1..]);
        let (uri, parameters) = rest.split_once('>').ok_or(InvalidUri::UnterminatedAngle)?;
        let parameters = parameters.trim();
        // What follows `>` without `;` is no parameter: some other address, perhaps, that another reader would take.
        let parameters = match parameters.strip_prefix(';') {
            Some(parameters) => parameters,
            None if parameters.is_empty() => "",
            None => return Err(InvalidUri::Character),
        };
        let name = unquote(name.trim());
        Ok(Self {
            display_name: (!name.is_empty()).then_some(name),
            uri: uri.parse()?,
            parameters: parse_parameters(parameters)?,
        })
    }

    // RFC 3261 §20: without angle brackets, parameters belong to the field.
    fn parse_bare(text: &str) -> Result<Self, InvalidUri> {
        let after_user = text.find('@').unwrap_or(0);
        let end = text[after_user..].find(';').map_or(text.len(), |semicolon| after_user + semicolon);
        let parameters = text[end..].strip_prefix(';').unwrap_or_default();
        Ok(Self { display_name: None, uri: text[..end].parse()?, parameters: parse_parameters(parameters)? })
    }
}

impl FromStr for Address {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > SipUri::MAX_BYTES {
            return Err(InvalidUri::TooLong { limit: SipUri::MAX_BYTES });
        }
        if text.is_empty() {
            return Err(InvalidUri::Empty);
        }
        match open_angle(text)? {
            Some(open) => Self::parse_bracketed(text, open),
            None => Self::parse_bare(text),
        }
    }
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUri {
    /// A character that no URI or field has where it stands.
    #[error("a character that no address has")]
    Character,
    /// No user, or nothing at all.
    #[error("nothing where an address should be")]
    Empty,
    /// The host is missing or holds what no host name or address has.
    #[error("no valid host")]
    InvalidHost,
    /// The port is no number up to 65535.
    #[error("no valid port")]
    InvalidPort,
    /// Longer than any address may be.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// More parameters than any address may have.
    #[error("more than {} parameters", SipUri::MAX_PARAMETERS)]
    TooManyParameters,
    /// Neither `sip:` nor `sips:` nor `tel:`.
    #[error("neither sip: nor sips: nor tel:")]
    UnsupportedScheme,
    /// `<` without `>`.
    #[error("'<' is not closed")]
    UnterminatedAngle,
    /// A quote that does not end.
    #[error("a quote is not closed")]
    UnterminatedQuote,
}

/// Splits at a separator outside quotes and angle brackets; every part is given, empty ones too.
pub(crate) fn split_outside(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
        for (index, byte) in text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' if !bracketed => quoted = !quoted,
                b'<' if !quoted => bracketed = true,
                b'>' if !quoted => bracketed = false,
                _ if byte == separator && !quoted && !bracketed => {
                    rest = text.get(index + 1..);
                    return text.get(..index);
                }
                _ => {}
            }
        }
        rest.take()
    })
}

/// Where the `<` of a name-addr stands, outside a quoted display name.
fn open_angle(text: &str) -> Result<Option<usize>, InvalidUri> {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => return Ok(Some(index)),
            _ => {}
        }
    }
    if quoted { Err(InvalidUri::UnterminatedQuote) } else { Ok(None) }
}

fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut unquoted = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        unquoted.push(if character == '\\' { characters.next().unwrap_or(character) } else { character });
    }
    unquoted
}

fn parse_host(text: &str) -> Result<(String, Option<u16>), InvalidUri> {
    let (host, port) = match text.rfind(']') {
        Some(end) => (&text[..=end], text[end + 1..].strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_valid = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    if host.is_empty() || !is_valid {
        return Err(InvalidUri::InvalidHost);
    }
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port = match port {
        Some(port) if is_port(port) => Some(port.parse().map_err(|_| InvalidUri::InvalidPort)?),
        Some(_) => return Err(InvalidUri::InvalidPort),
        None => None,
    };
    Ok((host.to_owned(), port))
}

fn parse_parameters(text: &str) -> Result<Vec<Parameter>, InvalidUri> {
    let mut parameters = Vec::new();
    for part in split_outside(text, b';').map(str::trim).filter(|part| !part.is_empty()) {
        if parameters.len() == SipUri::MAX_PARAMETERS {
            return Err(InvalidUri::TooManyParameters);
        }
        let value = part.contains('=').then(|| unquote(split_parameter(part).1));
        parameters.push(Parameter { name: split_parameter(part).0.to_owned(), value });
    }
    Ok(parameters)
}

fn split_parameter(text: &str) -> (&str, &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.trim(), value.trim())
}

fn find_parameter<'a>(parameters: &'a [Parameter], name: &str) -> Option<&'a str> {
    let found = parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
    Some(found.value.as_deref().unwrap_or_default())
}

/// RFC 3261 §25.1 `unreserved`.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

/// Replaces `%xx` by its octet where `wanted` says so; the octets wanted are ASCII.
fn decode(text: &str, wanted: impl Fn(u8) -> bool) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(percent) = rest.find('%') {
        decoded.push_str(&rest[..percent]);
        let octet = rest.get(percent + 1..percent + 3).filter(|hex| hex.bytes().all(|c| c.is_ascii_hexdigit()));
        let octet =
            octet.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|byte| byte.is_ascii() && wanted(*byte));
        let (character, length) = octet.map_or(('%', 1), |byte| (char::from(byte), 3));
        decoded.push(character);
        rest = &rest[percent + length..];
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn identity(text: &str) -> Option<String> {
        let address: Address = text.parse().ok()?;
        address.uri.to_identity(&NumberPlan::NORTH_AMERICAN).map(|identity| identity.to_string())
    }

    #[test]
    fn a_number_is_found_in_every_form_of_address() {
        // B13, B14, B16, G3, G4, G30.
        for text in [
            "<sip:+12155550112@provider.example;user=phone>;tag=1",
            "\"Smith, \\\"Al\\\" <sip:15555550199@x.example>\" <sip:+12155550112@provider.example>;tag=1",
            "Al Smith <sip:2155550112@198.51.100.7:5060>",
            "sip:12155550112@provider.example;tag=a",
            "<tel:+1-215-555-0112;phone-context=example>",
            "tel:+12155550112;tag=1",
            "<sip:+12155550112;npdi;rn=+12155550199@provider.example>",
            "<sip:2155550112;tgrp=x;trunk-context=y.example@provider.example>",
            "<sips:%2B1(215)555-0112:secret@[2001:db8::1]:5061;verstat=TN-Validation-Passed?a=b>",
            "<SIP:+12155550112;verstat=No-TN-Validation@PROVIDER.example>",
        ] {
            assert_eq!(identity(text).as_deref(), Some("12155550112"), "{text}");
        }
    }

    #[test]
    fn a_uri_without_number_is_normalised() {
        // B17.
        for (text, canonical) in [
            ("<sip:Alice:pw@Example.COM:5060;transport=tcp?subject=x>;tag=1", "sip:alice@example.com"),
            ("<sips:%41lice%2Fx@example.com>", "sips:alice%2fx@example.com"),
            ("sip:a%zz%4@example.com", "sip:a%zz%4@example.com"),
            ("<sip:alice@[2001:DB8::1]:5061>", "sip:alice@[2001:db8::1]"),
            ("<sip:provider.example>", "sip:provider.example"),
            // More digits than E.164 has: B13 makes the whole URI the identity.
            ("<sip:+1234567890123456@example.com;user=phone>", "sip:+1234567890123456@example.com"),
            ("<sip:*@example.com>", "sip:*@example.com"),
        ] {
            assert_eq!(identity(text).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn anonymous_callers_have_no_identity() {
        for text in [
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1",
            "<sip:Anonymous@provider.example>",
            "<sip:x@ANONYMOUS.invalid>",
            "<sip:unavailable@unknown.invalid>",
        ] {
            assert!(text.parse::<Address>().unwrap().uri.is_anonymous(), "{text}");
            assert_eq!(identity(text), None);
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        for (text, error) in [
            ("", InvalidUri::Empty),
            ("<sip:a@b.example", InvalidUri::UnterminatedAngle),
            ("\"a <sip:a@b.example>", InvalidUri::UnterminatedQuote),
            ("<sip:a@>", InvalidUri::InvalidHost),
            ("<sip:@b.example>", InvalidUri::Empty),
            ("<sip:a@b@c.example>", InvalidUri::InvalidHost),
            ("<sip:a@b.example:port>", InvalidUri::InvalidPort),
            ("<sip:a@b.example:65536>", InvalidUri::InvalidPort),
            ("<sip:a@[::g]>", InvalidUri::InvalidHost),
            ("<urn:service:sos>", InvalidUri::UnsupportedScheme),
            ("alice", InvalidUri::UnsupportedScheme),
            ("<sip:a\0@b.example>", InvalidUri::Character),
            ("<sip:a@b.example> <sip:c@d.example>", InvalidUri::Character),
            ("sip:a@b.example, sip:c@d.example", InvalidUri::InvalidHost),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
        let long = format!("<sip:{}@b.example>", "a".repeat(SipUri::MAX_BYTES));
        assert_eq!(long.parse::<Address>(), Err(InvalidUri::TooLong { limit: SipUri::MAX_BYTES }));
        let many = format!("<sip:a@b.example{}>", ";x".repeat(SipUri::MAX_PARAMETERS + 1));
        assert_eq!(many.parse::<Address>(), Err(InvalidUri::TooManyParameters));
    }

    #[test]
    fn parameters_are_found_where_they_stand() {
        let address: Address = "\"A\\\\B\" <sip:1;rn=+1;npdi@b.example;User=phone;lr>;tag=\"x;y\"".parse().unwrap();
        assert_eq!(address.display_name.as_deref(), Some("A\\B"));
        assert_eq!(address.parameter("TAG"), Some("x;y"));
        assert_eq!((address.uri.parameter("user"), address.uri.parameter("lr")), (Some("phone"), Some("")));
        assert_eq!((address.uri.user_parameter("RN"), address.uri.user_parameter("npdi")), (Some("+1"), Some("")));
        assert_eq!((address.uri.parameter("tag"), address.uri.user_parameter("x")), (None, None));
    }

    #[test]
    fn a_list_holds_a_sip_and_a_tel_address() {
        let text = "\"a, b\" <sip:alice,x@b.example>, <tel:+12155550112>,, <sip:broken";
        let list: Vec<_> = Address::parse_list(text).map(|address| address.map(|a| a.uri.to_string())).collect();
        assert_eq!(
            list,
            [
                Ok("sip:alice,x@b.example".to_owned()),
                Ok("tel:+12155550112".to_owned()),
                Err(InvalidUri::UnterminatedAngle)
            ]
        );
        assert_eq!(Address::parse_list(&"a,".repeat(9999)).count(), Address::MAX_IN_A_FIELD);
    }

    proptest! {
        #[test]
        fn a_printed_uri_is_read_as_the_same(
            text in "(sip|sips):([a-zA-Z0-9%;=+.-]{1,12}(:[a-z]{1,4})?@)?[a-z0-9.-]{1,12}(:[0-9]{1,4})?(;[a-z]{1,5}(=[a-z0-9]{0,4})?){0,3}(\\?[a-z=&]{0,9})?",
        ) {
            let uri: SipUri = text.parse().unwrap();
            let printed = uri.to_string();
            prop_assert_eq!(printed.parse::<SipUri>(), Ok(uri));
        }

        #[test]
        fn a_canonical_uri_stays_what_it_is(text in "sips?:[a-zA-Z0-9%._~!*'();=-]{1,20}@[a-zA-Z0-9.-]{1,12}") {
            let once = text.parse::<SipUri>().unwrap().canonical().unwrap();
            // `%2541` decodes to nothing: an encoded percent sign is no unreserved octet.
            prop_assert_eq!(once.parse::<SipUri>().unwrap().canonical(), Some(once));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}", field in "[<>\";:@,\\\\a%=1 ]{0,40}") {
            for text in [text, field] {
                for address in Address::parse_list(&text).flatten() {
                    let _ = address.uri.to_identity(&NumberPlan::NORTH_AMERICAN);
                }
            }
        }
    }
}
