//! The entries and extensions of a CRL (RFC 5280 §5.2, §5.3).

use std::collections::HashMap;

use crate::certificate::crl::{Crl, CrlError, RevocationReason};
use crate::certificate::der::{DerError, DerFault, Element, Reader, Tag, single};
use crate::certificate::extension::{AUTHORITY_KEY_IDENTIFIER, GeneralName, read_full_name};
use crate::certificate::name::DistinguishedName;
use crate::certificate::{read_extension, read_serial};
use crate::time::UnixTime;

/// The issuing distribution point (RFC 5280 §5.2.5).
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) urls: Vec<String>,
    pub(super) users_only: bool,
    pub(super) authorities_only: bool,
    pub(super) indirect: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Revocation {
    pub(super) at: UnixTime,
    pub(super) reason: RevocationReason,
}

/// Serial numbers by the canonical name of their issuer.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    by_issuer: HashMap<String, HashMap<Vec<u8>, Revocation>>,
    pub(super) count: usize,
}

impl Entries {
    pub(super) fn find(&self, issuer: &DistinguishedName, serial: &[u8]) -> Option<&Revocation> {
        self.by_issuer.get(issuer.canonical())?.get(serial)
    }

    pub(super) fn read(
        mut reader: Reader<'_>,
        crl_issuer: &DistinguishedName,
        indirect: bool,
    ) -> Result<Self, CrlError> {
        let mut entries = Self::default();
        // RFC 5280 §5.3.3: an entry without certificateIssuer has the issuer of the one before it.
        let mut issuer = crl_issuer.canonical().to_owned();
        let mut position = 0;
        while !reader.is_empty() {
            position += 1;
            if position > Crl::MAX_ENTRIES {
                return Err(CrlError::TooManyEntries { limit: Crl::MAX_ENTRIES });
            }
            let entry = EntryFields::read(&reader.expect(Tag::SEQUENCE)?)?;
            if let Some(named) = entry.issuer {
                if !indirect && !named.is_same_as(crl_issuer) {
                    return Err(CrlError::CertificateIssuerInDirectCrl { entry: position });
                }
                issuer = named.canonical().to_owned();
            }
            entries.insert(&issuer, entry.serial, entry.revocation);
        }
        Ok(entries)
    }

    /// Of two entries for one certificate the earlier counts.
    fn insert(&mut self, issuer: &str, serial: Vec<u8>, revocation: Revocation) {
        if !self.by_issuer.contains_key(issuer) {
            self.by_issuer.insert(issuer.to_owned(), HashMap::new());
        }
        let Some(serials) = self.by_issuer.get_mut(issuer) else { return };
        match serials.get_mut(&serial) {
            Some(known) if known.at <= revocation.at => {}
            Some(known) => *known = revocation,
            None => {
                serials.insert(serial, revocation);
                self.count += 1;
            }
        }
    }
}

struct EntryFields {
    serial: Vec<u8>,
    revocation: Revocation,
    issuer: Option<DistinguishedName>,
}

impl EntryFields {
    fn read(element: &Element<'_>) -> Result<Self, CrlError> {
        let mut fields = element.reader();
        let (serial, _) = read_serial(&fields.expect(Tag::INTEGER)?)?;
        let at = fields.next()?.time()?;
        let mut entry =
            Self { serial, revocation: Revocation { at, reason: RevocationReason::default() }, issuer: None };
        if let Some(extensions) = fields.optional(Tag::SEQUENCE)? {
            let mut reader = extensions.reader();
            while !reader.is_empty() {
                entry.read_extension(&reader.expect(Tag::SEQUENCE)?)?;
            }
        }
        fields.finish()?;
        Ok(entry)
    }

    fn read_extension(&mut self, element: &Element<'_>) -> Result<(), CrlError> {
        let (object_identifier, critical, value) = read_extension(element)?;
        match object_identifier.as_str() {
            REASON_CODE => self.revocation.reason = read_reason(value)?,
            CERTIFICATE_ISSUER => {
                let names = GeneralName::read_all(single(value, Tag::SEQUENCE)?.reader())?;
                self.issuer = names.into_iter().find_map(GeneralName::into_directory);
                if self.issuer.is_none() {
                    let field = "the directory name of a certificateIssuer";
                    return Err(element.error(DerFault::MissingField { field }).into());
                }
            }
            INVALIDITY_DATE => {}
            _ if critical => return Err(CrlError::UnknownCriticalExtension { object_identifier }),
            _ => {}
        }
        Ok(())
    }
}

pub(super) fn read_version(fields: &mut Reader<'_>) -> Result<bool, CrlError> {
    match fields.optional(Tag::INTEGER)? {
        None => Ok(false),
        Some(version) if version.small_integer()? == Some(1) => Ok(true),
        Some(_) => Err(CrlError::UnknownVersion),
    }
}

pub(super) fn read_extensions(mut reader: Reader<'_>) -> Result<(Scope, Option<Vec<u8>>), CrlError> {
    let (mut scope, mut number) = (Scope::default(), None);
    while !reader.is_empty() {
        let (object_identifier, critical, value) = read_extension(&reader.expect(Tag::SEQUENCE)?)?;
        match object_identifier.as_str() {
            CRL_NUMBER => number = Some(single(value, Tag::INTEGER)?.unsigned()?.to_vec()),
            DELTA_CRL_INDICATOR => return Err(CrlError::DeltaCrl),
            ISSUING_DISTRIBUTION_POINT => scope = read_scope(value)?,
            AUTHORITY_KEY_IDENTIFIER => {}
            _ if critical => return Err(CrlError::UnknownCriticalExtension { object_identifier }),
            _ => {}
        }
    }
    Ok((scope, number))
}

fn read_scope(value: &[u8]) -> Result<Scope, CrlError> {
    let mut fields = single(value, Tag::SEQUENCE)?.reader();
    let mut scope = Scope::default();
    if let Some(point) = fields.optional(Tag::constructed(0))? {
        scope.urls = read_full_name(point)?.into_iter().filter_map(GeneralName::into_uri).collect();
    }
    scope.users_only = read_flag(&mut fields, 1)?;
    scope.authorities_only = read_flag(&mut fields, 2)?;
    if fields.optional(Tag::primitive(3))?.is_some() {
        return Err(CrlError::PartialScope { scope: "some reasons" });
    }
    scope.indirect = read_flag(&mut fields, 4)?;
    if read_flag(&mut fields, 5)? {
        return Err(CrlError::PartialScope { scope: "attribute certificates" });
    }
    fields.finish()?;
    Ok(scope)
}

/// An IMPLICIT BOOLEAN that defaults to FALSE.
fn read_flag(fields: &mut Reader<'_>, number: u8) -> Result<bool, DerError> {
    fields.optional(Tag::primitive(number))?.map(|element| element.boolean()).transpose().map(Option::unwrap_or_default)
}

fn read_reason(value: &[u8]) -> Result<RevocationReason, DerError> {
    Ok(match single(value, Tag::ENUMERATED)?.small_integer()? {
        Some(1) => RevocationReason::KeyCompromise,
        Some(2) => RevocationReason::CaCompromise,
        Some(3) => RevocationReason::AffiliationChanged,
        Some(4) => RevocationReason::Superseded,
        Some(5) => RevocationReason::CessationOfOperation,
        Some(6) => RevocationReason::CertificateHold,
        Some(8) => RevocationReason::RemoveFromCrl,
        Some(9) => RevocationReason::PrivilegeWithdrawn,
        Some(10) => RevocationReason::AaCompromise,
        _ => RevocationReason::Unspecified,
    })
}

const CERTIFICATE_ISSUER: &str = "2.5.29.29";
const CRL_NUMBER: &str = "2.5.29.20";
const DELTA_CRL_INDICATOR: &str = "2.5.29.27";
const INVALIDITY_DATE: &str = "2.5.29.24";
const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
const REASON_CODE: &str = "2.5.29.21";
