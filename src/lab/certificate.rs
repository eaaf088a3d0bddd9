//! X.509 certificates and CRLs, put together and signed (RFC 5280 §4.1, §5.1).

use super::Error;
use super::der::{self, tag};
use super::extension;
use super::key::LabKey;
use super::name::Name;
use crate::time::UnixTime;

/// A certificate before it is signed.
pub(super) struct Template<'a> {
    pub(super) serial: &'a [u8],
    pub(super) subject: &'a Name,
    pub(super) key: &'a LabKey,
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
    pub(super) extensions: &'a [Vec<u8>],
}

impl Template<'_> {
    /// The certificate, signed by an issuer; DER.
    pub(super) fn issue(&self, issuer: &Name, issuer_key: &LabKey) -> Result<Vec<u8>, Error> {
        let validity = der::sequence(&[der::time(self.not_before), der::time(self.not_after)]);
        let to_be_signed = der::sequence(&[
            der::context(0, &der::number(2)),
            der::integer(self.serial),
            issuer_key.signature_algorithm(),
            issuer.der().to_vec(),
            validity,
            self.subject.der().to_vec(),
            self.key.public_key_info(),
            der::context(3, &der::sequence(self.extensions)),
        ]);
        signed(to_be_signed, issuer_key)
    }
}

/// A CRL before it is signed.
pub(super) struct RevocationList<'a> {
    pub(super) issuer: &'a Name,
    pub(super) this_update: UnixTime,
    pub(super) next_update: UnixTime,
    pub(super) number: u64,
    pub(super) entries: &'a [Revocation<'a>],
    /// Where it is published, when it speaks for other issuers too (F22).
    pub(super) indirect_at: Option<&'a str>,
}

/// One line of a CRL.
pub(super) struct Revocation<'a> {
    pub(super) serial: &'a [u8],
    pub(super) at: UnixTime,
    pub(super) reason: Option<u8>,
    /// Named only where the issuer changes: entries inherit it (F22).
    pub(super) certificate_issuer: Option<&'a Name>,
}

impl RevocationList<'_> {
    /// The CRL, signed; DER.
    pub(super) fn sign(&self, key: &LabKey) -> Result<Vec<u8>, Error> {
        let entries: Vec<_> = self.entries.iter().map(Revocation::encode).collect();
        let mut extensions =
            vec![extension::authority_key_identifier(&key.identifier()), extension::crl_number(self.number)];
        extensions.extend(self.indirect_at.map(extension::indirect_issuing_distribution_point));
        let mut parts = vec![
            der::number(1),
            key.signature_algorithm(),
            self.issuer.der().to_vec(),
            der::time(self.this_update),
            der::time(self.next_update),
        ];
        // RFC 5280 §5.1.2.6: an empty list is left out.
        if !entries.is_empty() {
            parts.push(der::sequence(&entries));
        }
        parts.push(der::context(0, &der::sequence(&extensions)));
        signed(der::sequence(&parts), key)
    }
}

impl Revocation<'_> {
    fn encode(&self) -> Vec<u8> {
        let mut extensions: Vec<_> = self.reason.map(extension::reason_code).into_iter().collect();
        extensions.extend(self.certificate_issuer.map(extension::certificate_issuer));
        let mut parts = vec![der::integer(self.serial), der::time(self.at)];
        if !extensions.is_empty() {
            parts.push(der::sequence(&extensions));
        }
        der::sequence(&parts)
    }
}

fn signed(to_be_signed: Vec<u8>, key: &LabKey) -> Result<Vec<u8>, Error> {
    let signature = key.sign(&to_be_signed)?;
    Ok(der::tlv(tag::SEQUENCE, &[to_be_signed, key.signature_algorithm(), der::bit_string(&signature)].concat()))
}
