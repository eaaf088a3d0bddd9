//! The canonical call record: one network's line about a call, whatever the format.
//!
//! What the switch wrote is kept as it stood; what it means stands beside it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use crate::network::LinkName;
use crate::number::TelephoneNumber;
use crate::time::UnixTime;

/// One network's line about one attempt of a call.
///
/// Its texts are its own, or borrowed from the line while that is read: [`LineRecord`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Record<T = String> {
    /// Where the line stands.
    pub place: Place,
    /// When the attempt began, as the switch's clock had it.
    pub start: UnixTime,
    /// The other instant that the line may mean, in the hour that a local clock repeats.
    pub start_repeated: Option<UnixTime>,
    /// When it was answered.
    pub answer: Option<UnixTime>,
    /// When it ended.
    pub end: Option<UnixTime>,
    /// Who calls.
    pub calling: Dialed<T>,
    /// Who is called.
    pub called: Dialed<T>,
    /// Who was called before the call was diverted or the number translated.
    pub original_called: Option<Dialed<T>>,
    /// How the call came in.
    pub ingress: Link<T>,
    /// How it went out.
    pub egress: Link<T>,
    /// The final SIP response.
    pub sip_status: Option<u16>,
    /// The release cause of Q.850.
    pub q850: Option<u16>,
    /// The Identity header values, in their order.
    pub identity: Vec<T>,
    /// The numbers of the Diversion header, the latest first.
    pub diversion: Vec<Dialed<T>>,
    /// The switch that wrote the line.
    pub switch: Option<T>,
    /// Whether the attempt is the last one of its call, where the switch says so.
    pub is_final: Option<bool>,
    /// What the switch wrote about a signature that it saw or made; stated, and never believed.
    pub stated: Stated<T>,
    /// What the line says, byte for byte: equal lines have equal fingerprints.
    pub fingerprint: Fingerprint,
}

/// A record whose texts are borrowed from its line, where they stand there as they are.
pub type LineRecord<'l> = Record<Cow<'l, str>>;

impl Record {
    /// The ingress link by its names, for [`Network::peer_of`](crate::network::Network::peer_of).
    #[must_use]
    pub fn ingress_name(&self) -> LinkName<'_> {
        let mut name = self.ingress.name();
        name.tech_prefix = self.called.tech_prefix.as_deref();
        name
    }

    /// Whether two lines say the same, wherever they stand: one exported twice.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let same = Self { place: other.place, fingerprint: other.fingerprint, ..self.clone() };
        same == *other
    }

    /// Everyone that this line shows the call to have been for, by canonical number: the called first.
    pub fn destinations(&self) -> impl Iterator<Item = &TelephoneNumber> {
        let diverted = self.original_called.iter().chain(&self.diversion);
        std::iter::once(&self.called).chain(diverted).filter_map(|dialed| dialed.canonical.as_ref())
    }
}

impl<T> Record<T> {
    /// The same with texts of another kind.
    pub fn map_texts<U>(self, mut to: impl FnMut(T) -> U) -> Record<U> {
        let to = &mut to;
        Record {
            place: self.place,
            start: self.start,
            start_repeated: self.start_repeated,
            answer: self.answer,
            end: self.end,
            calling: self.calling.map_texts(to),
            called: self.called.map_texts(to),
            original_called: self.original_called.map(|own| own.map_texts(to)),
            ingress: self.ingress.map_texts(to),
            egress: self.egress.map_texts(to),
            sip_status: self.sip_status,
            q850: self.q850,
            identity: self.identity.into_iter().map(&mut *to).collect(),
            diversion: self.diversion.into_iter().map(|own| own.map_texts(to)).collect(),
            switch: self.switch.map(&mut *to),
            is_final: self.is_final,
            stated: self.stated.map_texts(to),
            fingerprint: self.fingerprint,
        }
    }
}

impl LineRecord<'_> {
    /// The same with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Record {
        self.map_texts(Cow::into_owned)
    }
}

/// A line of a file: the file by its place in the list of what was read, the line from 1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Place {
    /// Which file.
    pub file: usize,
    /// Which line.
    pub line: u64,
}

impl Place {
    /// A line of a file.
    #[must_use]
    pub const fn new(file: usize, line: u64) -> Self {
        Self { file, line }
    }
}

/// What a switch states about a signature: its own words, without the token that would prove them.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Stated<T = String> {
    /// The outcome of its verification, such as `TN-Validation-Passed-A`.
    pub verstat: Option<T>,
    /// The attestation: A, B or C.
    pub attest: Option<T>,
    /// The origination identifier.
    pub origid: Option<T>,
    /// The signer's service provider code.
    pub spc: Option<T>,
}

impl<T> Stated<T> {
    fn map_texts<U>(self, to: &mut impl FnMut(T) -> U) -> Stated<U> {
        Stated {
            verstat: self.verstat.map(&mut *to),
            attest: self.attest.map(&mut *to),
            origid: self.origid.map(&mut *to),
            spc: self.spc.map(to),
        }
    }
}

/// The first 128 bits of the SHA-256 of a line as it stands in its file, without its line break.
///
/// Whoever makes calls has a hand in the bytes of a line, so the hash is one that cannot be steered.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(pub [u8; 16]);

/// A number as the switch wrote it, and what it means.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Dialed<T = String> {
    /// As it stood.
    pub raw: T,
    /// The technical prefix that stood before a `#`, without it.
    pub tech_prefix: Option<T>,
    /// The number; `None` where it is none, as for `anonymous`.
    pub canonical: Option<TelephoneNumber>,
}

impl<T> Dialed<T> {
    fn map_texts<U>(self, to: &mut impl FnMut(T) -> U) -> Dialed<U> {
        Dialed { raw: to(self.raw), tech_prefix: self.tech_prefix.map(to), canonical: self.canonical }
    }
}

/// One side of a call.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Link<T = String> {
    /// The trunk's name.
    pub trunk: Option<T>,
    /// The other side's address, as it stood.
    pub address: Option<T>,
    /// The Call-ID of the leg.
    pub call_id: Option<T>,
}

impl<T> Link<T> {
    fn map_texts<U>(self, to: &mut impl FnMut(T) -> U) -> Link<U> {
        Link { trunk: self.trunk.map(&mut *to), address: self.address.map(&mut *to), call_id: self.call_id.map(to) }
    }
}

impl Link {
    /// The link by its names.
    #[must_use]
    pub fn name(&self) -> LinkName<'_> {
        LinkName::new(self.trunk.as_deref(), self.ip())
    }

    /// The other side's IP address, without a port.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        let text = self.address.as_deref()?;
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
        Some(address.to_canonical())
    }

    /// Whether nothing is known of it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.trunk.is_none() && self.address.is_none() && self.call_id.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_a_port() {
        for (text, ip) in [
            ("198.51.100.7", Some("198.51.100.7")),
            ("198.51.100.7:5060", Some("198.51.100.7")),
            ("[2001:db8::1]:5061", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("::ffff:198.51.100.7", Some("198.51.100.7")),
            ("sbc.example", None),
        ] {
            let link = Link { address: Some(text.to_owned()), ..Link::default() };
            assert_eq!(link.ip(), ip.map(|ip| ip.parse().unwrap()), "{text}");
        }
    }
}
