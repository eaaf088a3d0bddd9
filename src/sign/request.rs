//! What is to be signed: who calls whom, when, and how far the signer vouches for it (RFC 8224 §4.1, RFC 8588 §4, §5).

use crate::number::{Identity, NumberPlan};
use crate::passport::{Attestation, Claims, Destination, MAX_DESTINATIONS, Party, is_uuid};
use crate::sign::Error;
use crate::sip::uri::SipUri;
use crate::time::UnixTime;

/// A call to be signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignRequest {
    pub(super) originator: Identity,
    pub(super) date: Option<UnixTime>,
    pub(super) issued_at: Option<UnixTime>,
    destinations: Vec<Identity>,
    shaken: Option<(Attestation, String)>,
}

impl SignRequest {
    /// A base PASSporT: who calls whom, no more (RFC 8225 §5).
    #[must_use]
    pub const fn base(originator: Identity, destinations: Vec<Identity>) -> Self {
        Self { originator, date: None, issued_at: None, destinations, shaken: None }
    }

    /// A shaken PASSporT, with the UUID that names where the call came from to its signer (RFC 8588).
    #[must_use]
    pub fn shaken(
        attestation: Attestation,
        origid: impl Into<String>,
        originator: Identity,
        destinations: Vec<Identity>,
    ) -> Self {
        Self { shaken: Some((attestation, origid.into())), ..Self::base(originator, destinations) }
    }

    /// The call's `Date`, which `iat` then repeats (B10).
    #[must_use]
    pub fn dated(self, date: UnixTime) -> Self {
        Self { date: Some(date), ..self }
    }

    /// An `iat` of its own.
    #[must_use]
    pub fn issued_at(self, moment: UnixTime) -> Self {
        Self { issued_at: Some(moment), ..self }
    }

    /// A caller or callee as switches write it: a number, or a `tel:`, `sip:` or `sips:` URI, made canonical
    /// (RFC 8224 §8.1).
    ///
    /// # Errors
    /// When it is neither, or anonymous.
    pub fn identity(text: &str, plan: &NumberPlan) -> Result<Identity, Error> {
        let invalid = || Error::InvalidIdentity { text: text.to_owned() };
        if text.contains(':') {
            let uri: SipUri = text.parse().map_err(|_| invalid())?;
            return uri.to_identity(plan).ok_or_else(invalid);
        }
        plan.canonicalise(text).map(Identity::Number).ok_or_else(invalid)
    }

    /// The extension that the PASSporT is of; `None` for a base one.
    #[must_use]
    pub fn ppt(&self) -> Option<&'static str> {
        self.shaken.as_ref().map(|_| "shaken")
    }

    /// The claims in canonical values, `iat` from the request's own, its `Date` or now (B10).
    pub(super) fn claims(&self, now: UnixTime) -> Result<Claims, Error> {
        let mut claims = Claims::default();
        if let Some((attestation, origid)) = &self.shaken {
            // D3: a UUID of any version.
            if !is_uuid(origid) {
                return Err(Error::InvalidOrigid { origid: origid.clone() });
            }
            claims.attest = Some(attestation.to_string());
            claims.origid = Some(origid.clone());
        }
        claims.dest = Some(self.destination()?);
        claims.iat = self.issued_at.or(self.date).or(Some(now));
        claims.orig = Some(party(&self.originator)?);
        claims.canonical = true;
        Ok(claims)
    }

    /// Sorted, and nobody twice (A9).
    fn destination(&self) -> Result<Destination, Error> {
        let (mut numbers, mut uris) = (Vec::new(), Vec::new());
        for destination in &self.destinations {
            match party(destination)? {
                Party::Number(number) => numbers.push(number),
                Party::Uri(uri) => uris.push(uri),
            }
        }
        for list in [&mut numbers, &mut uris] {
            list.sort_unstable();
            list.dedup();
            if list.len() > MAX_DESTINATIONS {
                return Err(Error::TooManyDestinations { limit: MAX_DESTINATIONS });
            }
        }
        if numbers.is_empty() && uris.is_empty() {
            return Err(Error::NoDestination);
        }
        Ok(Destination::new(numbers, uris))
    }
}

/// An identity as a claim holds it; a URI is normalised even when its maker did not (B17).
fn party(identity: &Identity) -> Result<Party, Error> {
    match identity {
        Identity::Number(number) => Ok(Party::Number(number.to_string())),
        Identity::Uri(uri) => {
            let canonical = uri.parse::<SipUri>().ok().and_then(|uri| uri.canonical());
            canonical.map(Party::Uri).ok_or_else(|| Error::InvalidIdentity { text: uri.clone() })
        }
    }
}
