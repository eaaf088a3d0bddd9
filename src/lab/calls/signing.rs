//! The PASSporTs of a world's calls, signed with the lab's keys (RFC 8588). RFC 6979 makes them repeatable.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::call::Call;
use super::cast::PROVIDERS;
use super::random::hash;
use super::traffic::Traffic;
use super::world::World;
use crate::identity_header::IdentityHeader;
use crate::lab::Error;
use crate::lab::key::{KeyKind, LabKey, Seed};
use crate::passport::{Claims, Destination, Header, Party, Passport};
use crate::time::UnixTime;

/// The keys of everybody who signs.
pub(super) struct Keys {
    root: u64,
    start: i64,
    keys: BTreeMap<usize, LabKey>,
}

impl Keys {
    pub(super) fn new(world: &World, seed: &str) -> Result<Self, Error> {
        let seed = Seed::new(seed);
        let leaves = PROVIDERS.iter().enumerate().filter_map(|(place, own)| Some((place, own.leaf?)));
        let keys = leaves.map(|(place, leaf)| Ok((place, LabKey::derive(&seed, leaf.name, KeyKind::P256)?)));
        Ok(Self { root: world.root, start: world.start, keys: keys.collect::<Result<_, Error>>()? })
    }

    /// The Identity header's value that a call carries from its signer on.
    pub(super) fn sign(&self, call: &Call, traffic: &Traffic<'_>) -> Option<String> {
        let signing = call.signing?;
        let (leaf, key) = (PROVIDERS[signing.signer].leaf?, self.keys.get(&signing.signer)?);
        let replayed = signing.replayed.and_then(|place| traffic.campaigns().get(place));
        let (caller, called) = match replayed {
            Some(campaign) => campaign.replayed(),
            None => (call.caller_at(signing.hop), call.called_at(signing.hop)),
        };
        let at = if replayed.is_some() { self.start } else { call.reached(signing.hop) + 40 };
        let claims = Claims {
            attest: Some(signing.attest.to_string()),
            origid: Some(self.origid(signing.signer, signing.origin)),
            dest: Some(Destination::new(vec![called.to_string()], Vec::new())),
            orig: Some(Party::Number(caller.to_string())),
            iat: Some(UnixTime::from_seconds(at.div_euclid(1000))),
            canonical: true,
            ..Claims::default()
        };
        let input = Passport::signing_input_of(&Header::new(Some("shaken"), leaf.url), &claims);
        let signature = key.sign_es256(input.as_bytes()).ok()?;
        let token = Passport::token_of(&input, &signature);
        Some(IdentityHeader::new(token, leaf.url.to_owned(), Some("shaken".to_owned())).to_string())
    }

    /// One for each customer or trunk, as RFC 8588 §5 lets a provider have it.
    pub(super) fn origid(&self, signer: usize, origin: u64) -> String {
        let own = |purpose| hash(&[self.root, super::random::part(signer), origin, purpose]);
        let (high, low) = (own(1), own(2));
        let mut text = String::new();
        let _ = write!(
            text,
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        );
        text
    }
}
