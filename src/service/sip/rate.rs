//! How many datagrams one address may send: a token bucket each, kept as the instant when it is full again.
//!
//! Whoever sends from ever new addresses costs no more than [`Rates::MOST`] of them: buckets are held in two generations,
//! and when the younger has half of that, the older goes. What goes was idle for longest, and would be full, or nearly.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::service::sip::transaction::Millis;

/// The buckets of all addresses.
#[derive(Debug)]
pub(super) struct Rates {
    /// What one datagram takes, in microseconds.
    share: u64,
    /// What a bucket holds, in microseconds.
    reach: u64,
    young: HashMap<IpAddr, u64>,
    old: HashMap<IpAddr, u64>,
}

impl Rates {
    /// So many addresses are told apart at a time.
    pub(super) const MOST: usize = 65_536;

    /// So many datagrams a second, and so many at once.
    pub(super) fn new(rate: u32, burst: u32) -> Self {
        let share = 1_000_000 / u64::from(rate.max(1));
        let reach = share * u64::from(burst.max(1));
        Self { share, reach, young: HashMap::new(), old: HashMap::new() }
    }

    /// Takes a token from the bucket of an address, if it has one.
    pub(super) fn take(&mut self, address: IpAddr, now: Millis) -> bool {
        let (source, now) = (source(address), now.saturating_mul(1000));
        let known = self.young.get(&source).or_else(|| self.old.get(&source)).copied();
        let next = known.unwrap_or_default().max(now) + self.share;
        let granted = next <= now + self.reach;
        if granted {
            self.keep(source, next);
        }
        granted
    }

    fn keep(&mut self, source: IpAddr, full_again: u64) {
        if self.young.len() >= Self::MOST / 2 && !self.young.contains_key(&source) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(source, full_again);
    }
}

/// Of IPv6 the network of 64 bits: whoever has one address of it has all (RFC 4291 §2.5.4).
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(rates: &mut Rates, address: &str, now: Millis) -> usize {
        (0..100).filter(|_| rates.take(address.parse().unwrap(), now)).count()
    }

    #[test]
    fn an_address_has_its_burst_and_then_its_rate() {
        let mut rates = Rates::new(10, 5);
        assert_eq!(granted(&mut rates, "192.0.2.1", 7_000), 5);
        assert_eq!(granted(&mut rates, "192.0.2.1", 7_099), 0);
        assert_eq!(granted(&mut rates, "192.0.2.1", 7_100), 1);
        assert_eq!(granted(&mut rates, "192.0.2.1", 60_000), 5, "idle for long it is full, and no fuller");
        assert_eq!(granted(&mut rates, "192.0.2.2", 60_000), 5, "each has its own");
    }

    #[test]
    fn a_network_of_ipv6_is_one_source_and_a_mapped_address_is_itself() {
        let mut rates = Rates::new(10, 5);
        assert_eq!(granted(&mut rates, "2001:db8::1", 0), 5);
        assert_eq!(granted(&mut rates, "2001:db8::2", 0), 0);
        assert_eq!(granted(&mut rates, "2001:db8:0:1::1", 0), 5);
        assert_eq!(granted(&mut rates, "192.0.2.1", 0), 5);
        assert_eq!(granted(&mut rates, "::ffff:192.0.2.1", 0), 0);
    }

    #[test]
    fn ever_new_addresses_cost_no_more_memory() {
        let mut rates = Rates::new(1, 2);
        let busy: IpAddr = "203.0.113.7".parse().unwrap();
        for number in 0..200_000_u32 {
            assert!(rates.take(IpAddr::from((number + 0x0a00_0000).to_be_bytes()), 5));
            // Who keeps sending as fast as allowed is not forgotten, and has no second bucket.
            if number % 10_000 == 0 {
                let now = u64::from(number / 10);
                assert!(rates.take(busy, now), "{number}");
                assert_eq!(rates.take(busy, now), number == 0, "{number}");
            }
        }
        assert!(rates.young.len() + rates.old.len() <= Rates::MOST);
    }
}
