//! Address ranges in CIDR notation (RFC 4632, RFC 4291 §2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of IPv4 or IPv6 addresses with one prefix.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AddressRange {
    first: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// The first address.
    #[must_use]
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// How many leading bits are fixed.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether an address lies in the range. IPv4 addresses written as IPv6 (`::ffff:0:0/96`) count as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.prefix) == self.first
    }
}

impl FromStr for AddressRange {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidRange::NotAnAddress)?;
        let width = width(address);
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= width),
            None => Some(width),
        };
        let prefix = prefix.ok_or(InvalidRange::Prefix { most: width })?;
        let (address, prefix) = match (address.to_canonical(), prefix.checked_sub(96)) {
            (canonical @ IpAddr::V4(_), Some(shorter)) if address.is_ipv6() => (canonical, shorter),
            _ => (address, prefix),
        };
        let first = masked(address, prefix);
        if first == address { Ok(Self { first, prefix }) } else { Err(InvalidRange::HostBits { first, prefix }) }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let free = 32u32.saturating_sub(prefix.into());
            Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(free).unwrap_or(0)).into()
        }
        IpAddr::V6(address) => {
            let free = 128u32.saturating_sub(prefix.into());
            Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(free).unwrap_or(0)).into()
        }
    }
}

/// Why a text is no address range.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRange {
    /// Bits behind the prefix are set, so it is unclear whether one address or the range is meant.
    #[error("bits behind the prefix are set; the range is {first}/{prefix}, or leave the prefix off for one address")]
    HostBits {
        /// The first address of the range.
        first: IpAddr,
        /// The prefix as it stood.
        prefix: u8,
    },
    /// What stands before the slash is no IP address.
    #[error("no IPv4 or IPv6 address, alone or with a prefix such as 198.51.100.0/24")]
    NotAnAddress,
    /// The prefix is no number that the address has bits for.
    #[error("the prefix is no number from 0 to {most}")]
    Prefix {
        /// The longest prefix.
        most: u8,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_holds_its_first_and_last_address_and_no_other() {
        let own = range("198.51.100.0/24");
        for (address, inside) in [
            ("198.51.100.0", true),
            ("198.51.100.255", true),
            ("198.51.99.255", false),
            ("198.51.101.0", false),
            ("::ffff:198.51.100.7", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(own.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(range("0.0.0.0/0").contains("203.0.113.9".parse().unwrap()));
        assert!(!range("0.0.0.0/0").contains("2001:db8::1".parse().unwrap()));
        assert!(range("2001:db8::/32").contains("2001:db8:1::1".parse().unwrap()));
        assert_eq!(range("::ffff:198.51.100.0/120"), own);
        assert_eq!(range("198.51.100.7").to_string(), "198.51.100.7/32");
    }

    #[test]
    fn faults_are_named() {
        assert!("198.51.100.7/24".parse::<AddressRange>().unwrap_err().to_string().contains("198.51.100.0/24"));
        assert_eq!("198.51.100.0/33".parse::<AddressRange>(), Err(InvalidRange::Prefix { most: 32 }));
        assert_eq!("gateway.example/24".parse::<AddressRange>(), Err(InvalidRange::NotAnAddress));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bits: u128, prefix in 0u8..=128) {
            let first = masked(Ipv6Addr::from_bits(bits).into(), prefix);
            prop_assume!(first.to_canonical().is_ipv6());
            let own = AddressRange { first, prefix };
            prop_assert_eq!(own.to_string().parse(), Ok(own));
            prop_assert!(own.contains(Ipv6Addr::from_bits(bits).into()));
        }
    }
}
