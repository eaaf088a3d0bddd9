//! What a provider is to a call, and to whom it must point (47 CFR 64.6300).

use serde::{Serialize, Serializer};

use crate::network::{Network, Peer, PeerKind};

/// What a provider is to a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// The caller is its customer.
    Originating,
    /// It took the call from abroad.
    Gateway,
    /// It took the call from a provider and handed it to another.
    Intermediate,
    /// The called party is its customer.
    Terminating,
}

impl Role {
    /// What a network is to a call that came from one peer and went to another.
    ///
    /// The upstream is a customer: originating. It is foreign: gateway. The downstream is a customer, or there is none:
    /// terminating. Else intermediate.
    #[must_use]
    pub fn of(network: &Network, upstream: Option<&Peer>, went_on: bool, downstream: Option<&Peer>) -> Self {
        if upstream.is_some_and(|peer| peer.kind == PeerKind::Customer) {
            return Self::Originating;
        }
        if upstream.is_some_and(|peer| is_foreign(network, peer)) {
            return Self::Gateway;
        }
        if !went_on || downstream.is_some_and(|peer| peer.kind == PeerKind::Customer) {
            return Self::Terminating;
        }
        Self::Intermediate
    }

    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Originating => "originating",
            Self::Gateway => "gateway",
            Self::Intermediate => "intermediate",
            Self::Terminating => "terminating",
        }
    }
}

fn is_foreign(network: &Network, peer: &Peer) -> bool {
    matches!((&network.country, &peer.country), (Some(own), Some(theirs)) if own != theirs)
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Configuration;

    #[test]
    fn the_role_follows_from_both_neighbours() {
        let text = b"[[network]]\nname=\"X\"\ncountry=\"US\"\n[[network.peer]]\nname=\"C\"\nkind=\"customer\"\n\
            [[network.peer]]\nname=\"F\"\ncountry=\"CA\"\n[[network.peer]]\nname=\"P\"\n";
        let network = Configuration::parse(text).unwrap().networks.remove(0);
        let [customer, foreign, provider] = network.peers.as_slice() else { panic!("three peers") };
        let role = |upstream, went_on, downstream| Role::of(&network, upstream, went_on, downstream);
        assert_eq!(role(Some(customer), true, Some(provider)), Role::Originating);
        assert_eq!(role(Some(foreign), true, Some(provider)), Role::Gateway);
        assert_eq!(role(Some(provider), true, Some(provider)), Role::Intermediate);
        assert_eq!(role(Some(provider), true, Some(customer)), Role::Terminating);
        assert_eq!(role(Some(provider), false, None), Role::Terminating);
        assert_eq!(role(None, true, None), Role::Intermediate);
    }
}
