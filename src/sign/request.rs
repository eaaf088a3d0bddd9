//! What is to be signed: who calls whom, when, and what of it the signer vouches for (RFC 8224 §4.1; RFC 8588 §4, §5;
//! RFC 8946 §3; RFC 8443 §3, RFC 9027 §4).

use crate::number::{Identity, NumberPlan};
use crate::passport::{
    Attestation, Claims, Destination, EMERGENCY_NAMESPACE, MAX_DESTINATIONS, MAX_PRIORITIES, PSAP_CALLBACK, Party,
    Passport, ResourcePriority, is_uuid,
};
use crate::sign::Error;
use crate::sip::service_urn;
use crate::sip::uri::SipUri;
use crate::time::UnixTime;

/// A call to be signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignRequest {
    pub(super) originator: Identity,
    pub(super) date: Option<UnixTime>,
    pub(super) issued_at: Option<UnixTime>,
    destinations: Vec<Identity>,
    extension: Extension,
}

/// What the PASSporT says beside who calls whom.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Extension {
    Base,
    Shaken { attestation: Attestation, origid: String },
    Div { diverted: Identity },
    Rph { priorities: Vec<ResourcePriority>, is_callback: bool },
}

impl SignRequest {
    /// A base PASSporT: who calls whom, no more (RFC 8225 §5).
    #[must_use]
    pub const fn base(originator: Identity, destinations: Vec<Identity>) -> Self {
        Self { originator, date: None, issued_at: None, destinations, extension: Extension::Base }
    }

    /// A shaken PASSporT, with the UUID that names where the call came from to its signer (RFC 8588).
    #[must_use]
    pub fn shaken(
        attestation: Attestation,
        origid: impl Into<String>,
        originator: Identity,
        destinations: Vec<Identity>,
    ) -> Self {
        let extension = Extension::Shaken { attestation, origid: origid.into() };
        Self { extension, ..Self::base(originator, destinations) }
    }

    /// A div PASSporT: the call was for `diverted` and goes on to `destinations` (RFC 8946).
    ///
    /// The originator is that of the PASSporT before, and so is `iat`, unless the call got a new Date ([`Self::div_of`]
    /// takes both from there). The certificate has to speak for `diverted`, not for the originator.
    ///
    /// ```
    /// # use stirtrace::number::NumberPlan;
    /// # use stirtrace::sign::SignRequest;
    /// let party = |text| SignRequest::identity(text, &NumberPlan::NORTH_AMERICAN);
    /// let diverted = party("+12155550131")?;
    /// let request = SignRequest::div(diverted, party("+12155550112")?, vec![party("+12155550132")?]);
    /// assert_eq!(request.ppt(), Some("div"));
    /// # Ok::<(), stirtrace::sign::Error>(())
    /// ```
    #[must_use]
    pub fn div(diverted: Identity, originator: Identity, destinations: Vec<Identity>) -> Self {
        Self { extension: Extension::Div { diverted }, ..Self::base(originator, destinations) }
    }

    /// A div PASSporT of the call that `passport` was signed for, shaken or another div: `orig` is copied and `iat`
    /// kept (RFC 8946 §3). Where the call rang so long that it is stale by now, the diversion gets a time of its own by
    /// [`Self::dated`] or [`Self::issued_at`].
    ///
    /// # Errors
    /// [`Error::DivertedFromElsewhere`] when the PASSporT is not for `diverted`, and when it does not say who calls.
    pub fn div_of(
        passport: &Passport,
        diverted: Identity,
        destinations: Vec<Identity>,
        plan: &NumberPlan,
    ) -> Result<Self, Error> {
        let claims = passport.claims();
        let originator = claims.orig.as_ref().ok_or(Error::NoOriginator)?;
        let originator = Self::identity(originator.as_str(), plan)?;
        let signed: Vec<Party> = claims.dest.iter().flat_map(Destination::parties).collect();
        let is_signed = |party: &Party| Self::identity(party.as_str(), plan).as_ref() == Ok(&diverted);
        if !signed.iter().any(is_signed) {
            let signed: Vec<_> = signed.iter().map(Party::as_str).collect();
            return Err(Error::DivertedFromElsewhere { diverted: diverted.to_string(), signed: signed.join(", ") });
        }
        let request = Self::div(diverted, originator, destinations);
        Ok(Self { issued_at: claims.iat, ..request })
    }

    /// An rph PASSporT: the call may have these priorities (RFC 8443). Only a provider's certificate signs one, and
    /// whether the provider may authorise the namespaces it has to know itself.
    ///
    /// ```
    /// # use stirtrace::number::NumberPlan;
    /// # use stirtrace::sign::SignRequest;
    /// let party = |text| SignRequest::identity(text, &NumberPlan::NORTH_AMERICAN);
    /// let priorities = vec!["ets.0".parse()?, "wps.0".parse()?];
    /// let request = SignRequest::rph(priorities, party("+12155550112")?, vec![party("+12155550131")?]);
    /// assert_eq!(request.ppt(), Some("rph"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn rph(priorities: Vec<ResourcePriority>, originator: Identity, destinations: Vec<Identity>) -> Self {
        let extension = Extension::Rph { priorities, is_callback: false };
        Self { extension, ..Self::base(originator, destinations) }
    }

    /// The same of an rph PASSporT by which an emergency call is called back: with `sph` (RFC 9027 §4). Others stay
    /// as they are.
    #[must_use]
    pub fn as_callback(mut self) -> Self {
        if let Extension::Rph { is_callback, .. } = &mut self.extension {
            *is_callback = true;
        }
        self
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
    /// (RFC 8224 §8.1); or an emergency service, `urn:service:sos`.
    ///
    /// # Errors
    /// When it is neither, or anonymous.
    pub fn identity(text: &str, plan: &NumberPlan) -> Result<Identity, Error> {
        let invalid = || Error::InvalidIdentity { text: text.to_owned() };
        if let Some(service) = service_urn(text) {
            return Ok(Identity::Uri(service));
        }
        if text.contains(':') {
            let uri: SipUri = text.parse().map_err(|_| invalid())?;
            return uri.to_identity(plan).ok_or_else(invalid);
        }
        plan.canonicalise(text).map(Identity::Number).ok_or_else(invalid)
    }

    /// The extension that the PASSporT is of; `None` for a base one.
    #[must_use]
    pub const fn ppt(&self) -> Option<&'static str> {
        match &self.extension {
            Extension::Base => None,
            Extension::Shaken { .. } => Some("shaken"),
            Extension::Div { .. } => Some("div"),
            Extension::Rph { .. } => Some("rph"),
        }
    }

    /// For whom the certificate has to speak: the originator; of a diversion whom it was diverted from (E3).
    pub(super) const fn speaker(&self) -> &Identity {
        match &self.extension {
            Extension::Div { diverted } => diverted,
            _ => &self.originator,
        }
    }

    /// The claims in canonical values, `iat` from the request's own, its `Date` or now (B10).
    pub(super) fn claims(&self, now: UnixTime) -> Result<Claims, Error> {
        // RFC 5031: a service is called, and calls nobody.
        if let Identity::Uri(uri) = &self.originator
            && service_urn(uri).is_some()
        {
            return Err(Error::InvalidIdentity { text: uri.clone() });
        }
        let mut claims = Claims {
            dest: Some(self.destination()?),
            iat: self.issued_at.or(self.date).or(Some(now)),
            orig: Some(party(&self.originator)?),
            canonical: true,
            ..Claims::default()
        };
        match &self.extension {
            Extension::Base => {}
            Extension::Shaken { attestation, origid } => {
                // D3: a UUID of any version.
                if !is_uuid(origid) {
                    return Err(Error::InvalidOrigid { origid: origid.clone() });
                }
                claims.attest = Some(attestation.to_string());
                claims.origid = Some(origid.clone());
            }
            Extension::Div { diverted } => {
                // E1: a diversion changes who is called.
                if self.destinations.contains(diverted) {
                    return Err(Error::NotDiverted { diverted: diverted.to_string() });
                }
                claims.div = Some(party(diverted)?);
            }
            Extension::Rph { priorities, is_callback } => {
                claims.rph = Some(authorized(priorities)?);
                claims.sph = callback(priorities, *is_callback)?;
            }
        }
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

/// E8: in the order given, and nothing twice.
fn authorized(priorities: &[ResourcePriority]) -> Result<Vec<ResourcePriority>, Error> {
    let mut own: Vec<ResourcePriority> = Vec::new();
    for priority in priorities {
        if own.len() == MAX_PRIORITIES {
            return Err(Error::TooManyPriorities { limit: MAX_PRIORITIES });
        }
        if !own.contains(priority) {
            own.push(priority.clone());
        }
    }
    if own.is_empty() { Err(Error::NoPriority) } else { Ok(own) }
}

/// E10: only with priorities of the emergency network.
fn callback(priorities: &[ResourcePriority], is_callback: bool) -> Result<Option<String>, Error> {
    if !is_callback {
        return Ok(None);
    }
    if !priorities.iter().any(|own| own.namespace() == EMERGENCY_NAMESPACE) {
        return Err(Error::CallbackWithoutEmergency);
    }
    Ok(Some(PSAP_CALLBACK.to_owned()))
}

/// An identity as a claim holds it; a URI is normalised even when its maker did not (B17).
fn party(identity: &Identity) -> Result<Party, Error> {
    match identity {
        Identity::Number(number) => Ok(Party::Number(number.to_string())),
        Identity::Uri(uri) => {
            let canonical = service_urn(uri).or_else(|| uri.parse::<SipUri>().ok()?.canonical());
            canonical.map(Party::Uri).ok_or_else(|| Error::InvalidIdentity { text: uri.clone() })
        }
    }
}
