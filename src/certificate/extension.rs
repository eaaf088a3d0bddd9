//! The extensions of a certificate that the STI profile uses (RFC 5280 §4.2, ATIS-1000080 §6.4.1).

use crate::certificate::claim_constraints::ClaimConstraints;
use crate::certificate::der::{DerError, DerFault, Element, Reader, Tag, single, without_leading_zeros};
use crate::certificate::name::DistinguishedName;
use crate::certificate::tn_auth_list::TnAuthList;

pub(crate) const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
pub(crate) const KEY_USAGE: &str = "2.5.29.15";
pub(crate) const SUBJECT_ALTERNATIVE_NAME: &str = "2.5.29.17";
pub(crate) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(crate) const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
pub(crate) const CERTIFICATE_POLICIES: &str = "2.5.29.32";
pub(crate) const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
pub(crate) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub(crate) const AUTHORITY_INFORMATION_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
/// id-ad-stirTNList (C5).
const TN_LIST_ACCESS: &str = "1.3.6.1.5.5.7.48.14";

/// The extensions that a path may hold as critical: those that are judged, and EKU, which SHAKEN gives no meaning.
const UNDERSTOOD: [&str; 12] = [
    SUBJECT_KEY_IDENTIFIER,
    KEY_USAGE,
    SUBJECT_ALTERNATIVE_NAME,
    BASIC_CONSTRAINTS,
    CRL_DISTRIBUTION_POINTS,
    CERTIFICATE_POLICIES,
    AUTHORITY_KEY_IDENTIFIER,
    EXTENDED_KEY_USAGE,
    AUTHORITY_INFORMATION_ACCESS,
    TnAuthList::OBJECT_IDENTIFIER,
    ClaimConstraints::OBJECT_IDENTIFIER,
    ClaimConstraints::ENHANCED_OBJECT_IDENTIFIER,
];

/// One extension as it stands in a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Extension {
    /// The dotted object identifier.
    pub object_identifier: String,
    /// Whether it is marked critical.
    pub critical: bool,
    /// Why its value could not be read; offsets count from the value's start.
    pub fault: Option<DerError>,
}

/// Basic constraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BasicConstraints {
    /// Whether the subject is a certification authority.
    pub authority: bool,
    /// How many authorities may follow below it.
    pub path_length: Option<u64>,
}

/// What the key may be used for (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Signing PASSporTs.
    pub const DIGITAL_SIGNATURE: Self = Self(1 << 0);
    /// Signing certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Signing CRLs.
    pub const CRL_SIGN: Self = Self(1 << 6);

    /// Whether all uses of `other` are among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the uses, in the order of their bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        KEY_USAGE_NAMES.iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| *name)
    }
}

const KEY_USAGE_NAMES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

/// Which key signed a certificate (RFC 5280 §4.2.1.1).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuthorityKeyIdentifier {
    /// The issuer's subject key identifier.
    pub key_identifier: Option<Vec<u8>>,
    /// The name of the issuer's own issuer.
    pub issuer: Option<DistinguishedName>,
    /// The serial number of the issuer's certificate.
    pub serial: Option<Vec<u8>>,
}

/// Where a certificate's revocation is published, and by whom (RFC 5280 §4.2.1.13, F17).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DistributionPoint {
    /// Where the CRL is.
    pub urls: Vec<String>,
    /// Who signs it, when that is not the certificate's issuer.
    pub crl_issuers: Vec<DistinguishedName>,
    /// Whether it covers some reasons for revocation only.
    pub some_reasons_only: bool,
}

/// The names a certificate has besides its subject (RFC 5280 §4.2.1.6): what URI identities are matched with (B18).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct AlternativeNames {
    /// dNSName entries.
    pub domains: Vec<String>,
    /// uniformResourceIdentifier entries.
    pub uris: Vec<String>,
}

impl AlternativeNames {
    /// Whether they name a SIP domain: as a DNS name, or as the SIP URI of the domain alone (RFC 5922 §7.2, B18).
    #[must_use]
    pub fn name_domain(&self, domain: &str) -> bool {
        let is_sip = |uri: &String| {
            uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:"))
                && uri[4..].eq_ignore_ascii_case(domain)
        };
        self.domains.iter().any(|name| name.eq_ignore_ascii_case(domain)) || self.uris.iter().any(is_sip)
    }
}

/// The value of an extension together with its DER.
#[derive(Clone, Debug)]
pub(crate) struct Encoded<T> {
    pub(crate) der: Vec<u8>,
    pub(crate) value: Result<T, DerError>,
}

/// All extensions of a certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) all: Vec<Extension>,
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) subject_key_identifier: Option<Vec<u8>>,
    pub(crate) authority_key_identifier: Option<AuthorityKeyIdentifier>,
    pub(crate) policies: Vec<String>,
    pub(crate) distribution_points: Vec<DistributionPoint>,
    pub(crate) tn_list_urls: Vec<String>,
    pub(crate) alternative_names: AlternativeNames,
    pub(crate) tn_auth_list: Option<Encoded<TnAuthList>>,
    pub(crate) constraints: Option<Encoded<ClaimConstraints>>,
    pub(crate) enhanced_constraints: Option<Encoded<ClaimConstraints>>,
}

impl Extensions {
    /// Takes one extension in; the caller has seen to it that it is the first of its kind.
    pub(crate) fn insert(&mut self, object_identifier: String, critical: bool, der: &[u8]) {
        let fault = self.insert_value(&object_identifier, der).err();
        self.all.push(Extension { object_identifier, critical, fault });
    }

    /// The first critical extension that is not understood, or not readable.
    ///
    /// The STI extensions are judged on their own, with their faults (H23, H25); those that say what a key may do are
    /// never passed over, critical or not.
    pub(crate) fn unknown_critical(&self) -> Option<&str> {
        let unknown = self.all.iter().find(|extension| {
            let name = extension.object_identifier.as_str();
            let (critical, unreadable) = (extension.critical, extension.fault.is_some());
            critical && !UNDERSTOOD.contains(&name)
                || unreadable && (critical || matches!(name, BASIC_CONSTRAINTS | KEY_USAGE))
        });
        unknown.map(|extension| extension.object_identifier.as_str())
    }

    fn insert_value(&mut self, object_identifier: &str, der: &[u8]) -> Result<(), DerError> {
        match object_identifier {
            SUBJECT_KEY_IDENTIFIER => {
                self.subject_key_identifier = Some(single(der, Tag::OCTET_STRING)?.content.to_vec());
            }
            KEY_USAGE => self.key_usage = Some(read_key_usage(der)?),
            SUBJECT_ALTERNATIVE_NAME => self.alternative_names = read_alternative_names(der)?,
            BASIC_CONSTRAINTS => self.basic_constraints = Some(read_basic_constraints(der)?),
            CRL_DISTRIBUTION_POINTS => self.distribution_points = read_distribution_points(der)?,
            CERTIFICATE_POLICIES => self.policies = read_policies(der)?,
            AUTHORITY_KEY_IDENTIFIER => self.authority_key_identifier = Some(read_authority_key_identifier(der)?),
            AUTHORITY_INFORMATION_ACCESS => self.tn_list_urls = read_tn_list_urls(der)?,
            TnAuthList::OBJECT_IDENTIFIER => {
                self.tn_auth_list = Some(Encoded { der: der.to_vec(), value: TnAuthList::parse(der) });
            }
            ClaimConstraints::OBJECT_IDENTIFIER => {
                self.constraints = Some(Encoded { der: der.to_vec(), value: ClaimConstraints::parse(der) });
            }
            ClaimConstraints::ENHANCED_OBJECT_IDENTIFIER => {
                let value = ClaimConstraints::parse_enhanced(der);
                self.enhanced_constraints = Some(Encoded { der: der.to_vec(), value });
            }
            _ => {}
        }
        Ok(())
    }
}

/// A GeneralName, as far as the profile uses it.
pub(crate) enum GeneralName {
    Directory(DistinguishedName),
    Domain(String),
    Uri(String),
    Unused,
}

impl GeneralName {
    fn read(element: &Element<'_>) -> Result<Self, DerError> {
        Ok(match element.tag {
            tag if tag == Tag::primitive(2) => Self::Domain(element.ascii("a dNSName")?.to_owned()),
            tag if tag == Tag::constructed(4) => {
                let mut inside = element.reader();
                let name = DistinguishedName::read(inside.next()?)?;
                inside.finish()?;
                Self::Directory(name)
            }
            tag if tag == Tag::primitive(6) => Self::Uri(element.ascii("a URI")?.to_owned()),
            _ => Self::Unused,
        })
    }

    pub(crate) fn into_directory(self) -> Option<DistinguishedName> {
        if let Self::Directory(name) = self { Some(name) } else { None }
    }

    pub(crate) fn into_uri(self) -> Option<String> {
        if let Self::Uri(uri) = self { Some(uri) } else { None }
    }

    pub(crate) fn read_all(mut reader: Reader<'_>) -> Result<Vec<Self>, DerError> {
        let mut names = Vec::new();
        while !reader.is_empty() {
            names.push(Self::read(&reader.next()?)?);
        }
        Ok(names)
    }
}

pub(crate) fn read_key_usage(der: &[u8]) -> Result<KeyUsage, DerError> {
    let (octets, _) = single(der, Tag::BIT_STRING)?.bits()?;
    let bit = |octet: usize, shift: u8| octets.get(octet).is_some_and(|octet| octet >> (7 - shift) & 1 == 1);
    let first = (0..8u8).filter(|shift| bit(0, *shift)).fold(0, |bits, shift| bits | 1 << shift);
    Ok(KeyUsage(first | if bit(1, 0) { 1 << 8 } else { 0 }))
}

/// The URLs and the rest of a DistributionPointName, whose tag is `[0]`.
pub(crate) fn read_full_name(point_name: Element<'_>) -> Result<Vec<GeneralName>, DerError> {
    let mut inside = point_name.reader();
    let name = inside.next()?;
    inside.finish()?;
    if name.tag == Tag::constructed(0) { GeneralName::read_all(name.reader()) } else { Ok(Vec::new()) }
}

fn read_basic_constraints(der: &[u8]) -> Result<BasicConstraints, DerError> {
    let mut fields = single(der, Tag::SEQUENCE)?.reader();
    let authority = fields.optional(Tag::BOOLEAN)?.map(|element| element.boolean()).transpose()?.unwrap_or(false);
    let path_length = match fields.optional(Tag::INTEGER)? {
        Some(element) => Some(element.small_integer()?.unwrap_or(u64::MAX)),
        None => None,
    };
    fields.finish()?;
    Ok(BasicConstraints { authority, path_length })
}

fn read_alternative_names(der: &[u8]) -> Result<AlternativeNames, DerError> {
    let mut names = AlternativeNames::default();
    for name in GeneralName::read_all(single(der, Tag::SEQUENCE)?.reader())? {
        match name {
            GeneralName::Domain(domain) => names.domains.push(domain),
            GeneralName::Uri(uri) => names.uris.push(uri),
            GeneralName::Directory(_) | GeneralName::Unused => {}
        }
    }
    Ok(names)
}

fn read_distribution_points(der: &[u8]) -> Result<Vec<DistributionPoint>, DerError> {
    let mut reader = single(der, Tag::SEQUENCE)?.reader();
    let mut points = Vec::new();
    while !reader.is_empty() {
        points.push(read_distribution_point(reader.expect(Tag::SEQUENCE)?.reader())?);
    }
    Ok(points)
}

fn read_distribution_point(mut fields: Reader<'_>) -> Result<DistributionPoint, DerError> {
    let mut point = DistributionPoint::default();
    if let Some(name) = fields.optional(Tag::constructed(0))? {
        point.urls = read_full_name(name)?.into_iter().filter_map(GeneralName::into_uri).collect();
    }
    point.some_reasons_only = fields.optional(Tag::primitive(1))?.is_some();
    if let Some(issuers) = fields.optional(Tag::constructed(2))? {
        let names = GeneralName::read_all(issuers.reader())?;
        point.crl_issuers = names.into_iter().filter_map(GeneralName::into_directory).collect();
    }
    fields.finish()?;
    Ok(point)
}

fn read_policies(der: &[u8]) -> Result<Vec<String>, DerError> {
    let mut reader = single(der, Tag::SEQUENCE)?.reader();
    let mut policies = Vec::new();
    while !reader.is_empty() {
        policies.push(reader.expect(Tag::SEQUENCE)?.reader().expect(Tag::OBJECT_IDENTIFIER)?.dotted()?);
    }
    Ok(policies)
}

fn read_authority_key_identifier(der: &[u8]) -> Result<AuthorityKeyIdentifier, DerError> {
    let mut fields = single(der, Tag::SEQUENCE)?.reader();
    let key_identifier = fields.optional(Tag::primitive(0))?.map(|element| element.content.to_vec());
    let mut issuer = None;
    if let Some(names) = fields.optional(Tag::constructed(1))? {
        issuer = GeneralName::read_all(names.reader())?.into_iter().find_map(GeneralName::into_directory);
    }
    let serial = fields.optional(Tag::primitive(2))?.map(|element| without_leading_zeros(element.content).to_vec());
    fields.finish()?;
    Ok(AuthorityKeyIdentifier { key_identifier, issuer, serial })
}

fn read_tn_list_urls(der: &[u8]) -> Result<Vec<String>, DerError> {
    let sequence = single(der, Tag::SEQUENCE)?;
    let mut reader = sequence.reader();
    let mut urls = Vec::new();
    while !reader.is_empty() {
        let mut fields = reader.expect(Tag::SEQUENCE)?.reader();
        let method = fields.expect(Tag::OBJECT_IDENTIFIER)?.dotted()?;
        let location = GeneralName::read(&fields.next()?)?;
        fields.finish()?;
        if let (TN_LIST_ACCESS, GeneralName::Uri(url)) = (method.as_str(), location) {
            urls.push(url);
        }
        if urls.len() > MAX_TN_LIST_URLS {
            return Err(sequence.error(DerFault::TooMany { limit: MAX_TN_LIST_URLS }));
        }
    }
    Ok(urls)
}

const MAX_TN_LIST_URLS: usize = 16;
