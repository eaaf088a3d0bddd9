//! How far a call is vouched for, by whom it comes from and the number that it shows (RFC 8588 §4, §5; D2 to D8).
//!
//! The first rule that fits decides. `A` is given only where a rule says that this customer may use this number; calls
//! that no rule fits get the default, which signs nothing unless it is told to.

mod numbers;
mod origid;
mod reader;

use std::collections::HashMap;
use std::net::IpAddr;

use crate::network::AddressRange;
use crate::number::Identity;
use crate::passport::Attestation;

pub use numbers::NumberSet;
pub use origid::{Origid, OrigidKind, OrigidSecret};

/// `[service.signing]`: who may show which number, and what is said of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SigningSettings {
    /// In the order of the file.
    pub rules: Vec<AttestationRule>,
    /// What calls get that no rule fits: nothing, `B` or `C`.
    pub default: Option<Attestation>,
    /// What a request's own wish for an attestation is worth.
    pub requested: Requested,
    /// How origination identifiers come about where a rule does not say.
    pub origid: OrigidKind,
    /// What the identifiers of trunks and customers are made from.
    pub secret: Option<OrigidSecret>,
    /// Trunks by the addresses that calls come from.
    pub trunks: Vec<SigningTrunk>,
}

/// What a request's own wish for an attestation is worth.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Requested {
    /// It may ask for less than the rules allow, not for more.
    #[default]
    Capped,
    /// It is done as it says: whoever may call the interface decides, as in ATIS-1000082.
    Trusted,
}

/// One rule: what it asks of a call, and what such calls get.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct AttestationRule {
    /// The customer; `*` stands for every customer that is known.
    pub customer: Option<String>,
    /// The trunk.
    pub trunk: Option<String>,
    /// The calling numbers; none stands for all of them.
    pub numbers: Option<NumberSet>,
    /// What is said of the call; none signs nothing.
    pub attest: Option<Attestation>,
    /// How the origination identifier comes about, or which it is.
    pub origid: Option<OrigidKind>,
    /// Who signs, by name; the first signer where none is named.
    pub signer: Option<String>,
}

/// A trunk as the network shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SigningTrunk {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub customer: Option<String>,
    /// Where its calls come from.
    pub addresses: Vec<AddressRange>,
}

impl SigningTrunk {
    /// A trunk.
    #[must_use]
    pub fn new(name: impl Into<String>, customer: Option<String>, addresses: Vec<AddressRange>) -> Self {
        Self { name: name.into(), customer, addresses }
    }
}

/// What is known of a call to be signed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// The customer, as far as somebody who may say so said it.
    pub customer: Option<&'a str>,
    /// The trunk, likewise.
    pub trunk: Option<&'a str>,
    /// The number that the call shows.
    pub originator: &'a Identity,
    /// The attestation that the request itself names.
    pub requested: Option<Attestation>,
}

impl<'a> Asked<'a> {
    /// A call of which nothing is known but the number that it shows.
    #[must_use]
    pub const fn of(originator: &'a Identity) -> Self {
        Self { customer: None, trunk: None, originator, requested: None }
    }

    /// From this customer.
    #[must_use]
    pub const fn from_customer(self, customer: Option<&'a str>) -> Self {
        Self { customer, ..self }
    }

    /// Over this trunk.
    #[must_use]
    pub const fn over_trunk(self, trunk: Option<&'a str>) -> Self {
        Self { trunk, ..self }
    }

    /// With a wish.
    #[must_use]
    pub const fn requesting(self, requested: Option<Attestation>) -> Self {
        Self { requested, ..self }
    }
}

/// What is to be signed of a call, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Decision {
    /// None: the call goes on unsigned.
    pub attest: Option<Attestation>,
    /// The origination identifier.
    pub origid: Origid,
    /// Who signs, by name; the first signer where none is named.
    pub signer: Option<String>,
    /// Which rule decided by what, for logs and for whoever asks.
    pub because: String,
}

/// The settings, laid out so that a call meets only rules that may fit it.
#[derive(Clone, Debug, Default)]
pub struct AttestationPolicy {
    settings: SigningSettings,
    by_customer: HashMap<String, Vec<usize>>,
    by_trunk: HashMap<String, Vec<usize>>,
    /// Rules for every customer or for everybody.
    others: Vec<usize>,
}

impl AttestationPolicy {
    /// A policy of these settings.
    #[must_use]
    pub fn new(settings: SigningSettings) -> Self {
        let mut policy = Self::default();
        for (index, rule) in settings.rules.iter().enumerate() {
            let list = match (rule.trunk.as_ref(), rule.customer.as_deref()) {
                (Some(trunk), _) => policy.by_trunk.entry(trunk.clone()).or_default(),
                (None, Some(customer)) if customer != ANY => policy.by_customer.entry(customer.to_owned()).or_default(),
                (None, _) => &mut policy.others,
            };
            list.push(index);
        }
        Self { settings, ..policy }
    }

    /// The settings it was made of.
    #[must_use]
    pub const fn settings(&self) -> &SigningSettings {
        &self.settings
    }

    /// The trunk that an address belongs to; of several, the one with the longest prefix.
    fn trunk_at(&self, address: IpAddr) -> Option<&SigningTrunk> {
        let ranges =
            self.settings.trunks.iter().flat_map(|trunk| trunk.addresses.iter().map(move |range| (range, trunk)));
        ranges
            .filter(|(range, _)| range.contains(address))
            .max_by_key(|(range, _)| range.prefix())
            .map(|(_, trunk)| trunk)
    }

    /// Whom a call is from, customer and trunk: as somebody who may say so named them, else by its address. A trunk
    /// tells its customer.
    #[must_use]
    pub fn origin<'a>(
        &'a self,
        customer: Option<&'a str>,
        trunk: Option<&'a str>,
        address: Option<IpAddr>,
    ) -> (Option<&'a str>, Option<&'a str>) {
        let known = match trunk {
            Some(name) => self.settings.trunks.iter().find(|trunk| trunk.name == name),
            None if customer.is_some() => None,
            None => address.and_then(|address| self.trunk_at(address)),
        };
        let trunk = trunk.or_else(|| known.map(|trunk| trunk.name.as_str()));
        (customer.or_else(|| known.and_then(|trunk| trunk.customer.as_deref())), trunk)
    }

    /// What to sign of a call.
    pub fn decide(&self, asked: &Asked<'_>) -> Decision {
        let found = self.candidates(asked).find_map(|index| Some((index, self.settings.rules[index].fits(asked)?)));
        let decision = match found {
            Some((index, fit)) => self.by_rule(index, &fit, asked),
            None => self.by_default(asked),
        };
        self.as_requested(decision, asked)
    }

    /// In the order of the file.
    fn candidates(&self, asked: &Asked<'_>) -> impl Iterator<Item = usize> {
        let of = |map: &HashMap<String, Vec<usize>>, name: Option<&str>| {
            name.and_then(|name| map.get(name)).cloned().unwrap_or_default()
        };
        let mut indices = self.others.clone();
        indices.extend(of(&self.by_trunk, asked.trunk));
        indices.extend(of(&self.by_customer, asked.customer));
        indices.sort_unstable();
        indices.into_iter()
    }

    fn by_rule(&self, index: usize, fit: &str, asked: &Asked<'_>) -> Decision {
        let rule = &self.settings.rules[index];
        let kind = rule.origid.as_ref().unwrap_or(&self.settings.origid);
        let said = rule.attest.map_or_else(|| "signs nothing".to_owned(), |attest| format!("gives {attest}"));
        Decision {
            attest: rule.attest,
            origid: self.origid(kind, asked),
            signer: rule.signer.clone(),
            because: format!("rule {} ({fit}) {said}", index + 1),
        }
    }

    fn by_default(&self, asked: &Asked<'_>) -> Decision {
        let who = asked.originator;
        let (attest, because) = match self.settings.default {
            None => (None, format!("no rule fits {who}, and the default signs nothing")),
            // D8: B says that the customer is known.
            Some(Attestation::B) if asked.customer.is_none() && asked.trunk.is_none() => {
                (Some(Attestation::C), format!("no rule fits {who}; the default B is C where no customer is known"))
            }
            Some(attest) => (Some(attest), format!("no rule fits {who}; the default gives {attest}")),
        };
        Decision { attest, origid: self.origid(&self.settings.origid, asked), signer: None, because }
    }

    fn as_requested(&self, decision: Decision, asked: &Asked<'_>) -> Decision {
        let Some(wish) = asked.requested else { return decision };
        match (self.settings.requested, decision.attest) {
            (Requested::Trusted, Some(allowed)) if allowed == wish => decision,
            (Requested::Trusted, _) => {
                let because = format!("the request says {wish}, which is trusted; {}", decision.because);
                Decision { attest: Some(wish), because, ..decision }
            }
            // The order of the letters is that of the claims: C vouches for least.
            (Requested::Capped, Some(allowed)) if wish > allowed => {
                let because = format!("the request asks for {wish} only; {}", decision.because);
                Decision { attest: Some(wish), because, ..decision }
            }
            (Requested::Capped, Some(allowed)) if wish < allowed => {
                let because = format!("the request asks for {wish}; {}", decision.because);
                Decision { because, ..decision }
            }
            (Requested::Capped, _) => decision,
        }
    }

    fn origid(&self, kind: &OrigidKind, asked: &Asked<'_>) -> Origid {
        let named = match kind {
            OrigidKind::Call => None,
            OrigidKind::Fixed(uuid) => return Origid::Fixed(uuid.clone()),
            OrigidKind::Trunk => asked.trunk.map(|name| ("trunk", name)),
            OrigidKind::Customer => asked.customer.map(|name| ("customer", name)),
        };
        // Who is not known by name cannot be called by one: such calls get an identifier each (D6).
        match (named, &self.settings.secret) {
            (Some((kind, name)), Some(secret)) => Origid::Fixed(secret.uuid(kind, name)),
            _ => Origid::PerCall,
        }
    }
}

impl AttestationRule {
    /// What of the call fits the rule, in words; none where something does not.
    fn fits(&self, asked: &Asked<'_>) -> Option<String> {
        let mut words = Vec::new();
        match (self.customer.as_deref(), asked.customer) {
            (None, _) => {}
            (Some(wanted), Some(customer)) if wanted == ANY || wanted == customer => {
                words.push(format!("customer {customer}"))
            }
            (Some(_), _) => return None,
        }
        match (self.trunk.as_deref(), asked.trunk) {
            (None, _) => {}
            (Some(wanted), Some(trunk)) if wanted == trunk => words.push(format!("trunk {trunk}")),
            (Some(_), _) => return None,
        }
        match (&self.numbers, asked.originator) {
            (None, _) => {}
            (Some(numbers), Identity::Number(number)) => words.push(numbers.find(number)?),
            (Some(_), Identity::Uri(_)) => return None,
        }
        Some(if words.is_empty() { "every call".to_owned() } else { words.join(", ") })
    }
}

/// Every customer that is known.
const ANY: &str = "*";

#[cfg(test)]
mod tests;
