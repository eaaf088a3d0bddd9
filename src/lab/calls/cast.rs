//! Who plays in a practice world: providers and their customers. None of them exists; the numbers are for fiction only.

use super::random::hash;

/// What a provider mainly does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trade {
    /// Has subscribers whom others call.
    Access,
    /// Takes calls from providers and hands them on.
    Wholesale,
    /// Lets programs make calls: dialers live here.
    Platform,
    /// Takes calls from abroad.
    Gateway,
    /// A small provider with customers who call.
    Small,
    /// A provider abroad.
    Foreign,
}

/// A provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    pub(super) slug: &'static str,
    pub(super) spc: Option<&'static str>,
    pub(super) country: &'static str,
    pub(super) trade: Trade,
    /// Its signing certificate in the lab's PKI.
    pub(super) leaf: Option<Certificate>,
    /// What the office that answers calls local time.
    pub(super) office: &'static str,
}

/// A signing certificate of the lab.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certificate {
    pub(super) name: &'static str,
    pub(super) url: &'static str,
    /// What a verifier says of what it signs, where nothing else is wrong.
    pub(super) worth: Worth,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Worth {
    Good,
    Revoked,
    Expired,
}

const fn good(name: &'static str, url: &'static str) -> Option<Certificate> {
    Some(Certificate { name, url, worth: Worth::Good })
}

const US: Provider = Provider {
    name: "",
    slug: "",
    spc: None,
    country: "US",
    trade: Trade::Small,
    leaf: None,
    office: "America/New_York",
};

pub(super) const PRAIRIE: usize = 0;
pub(super) const CASCADE: usize = 1;
pub(super) const HARBOR: usize = 2;
pub(super) const TWILL: usize = 3;
pub(super) const QUARRY: usize = 4;
pub(super) const JUNIPER: usize = 5;
pub(super) const SALTMARSH: usize = 6;
pub(super) const LARKSPUR: usize = 7;
pub(super) const UPLAND: usize = 8;
pub(super) const YARROW: usize = 9;
pub(super) const BIRCH: usize = 10;
pub(super) const ALDER: usize = 11;
pub(super) const ZEPHYR: usize = 12;
pub(super) const FERN: usize = 13;
pub(super) const MAPLE: usize = 14;
pub(super) const COBALT: usize = 15;

/// Every provider. The first ones are those whose records a world holds.
pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "Prairie Telephone",
        slug: "prairie",
        spc: Some("904P"),
        trade: Trade::Access,
        leaf: good("prairie", "https://certificates.lab.example/prairie.pem"),
        office: "America/Denver",
        ..US
    },
    Provider {
        name: "Cascade Transit",
        slug: "cascade",
        spc: Some("771C"),
        trade: Trade::Wholesale,
        leaf: good("cascade", "https://certificates.lab.example/cascade.pem"),
        office: "America/Chicago",
        ..US
    },
    Provider {
        name: "Harbor Wholesale",
        slug: "harbor",
        spc: Some("318X"),
        trade: Trade::Wholesale,
        leaf: good("harbor", "https://certificates.lab.example/harbor.pem"),
        ..US
    },
    Provider {
        name: "Twill Communications",
        slug: "twill",
        spc: Some("552D"),
        trade: Trade::Platform,
        leaf: good("twill", "https://certificates.lab.example/twill.pem"),
        office: "America/Los_Angeles",
        ..US
    },
    Provider {
        name: "Quarry Mobile",
        slug: "quarry",
        spc: Some("883Q"),
        trade: Trade::Access,
        leaf: good("quarry", "https://certificates.lab.example/quarry.pem"),
        office: "America/Chicago",
        ..US
    },
    Provider {
        name: "Juniper Gateway",
        slug: "juniper",
        spc: Some("640G"),
        trade: Trade::Gateway,
        leaf: good("juniper", "https://certificates.lab.example/juniper.pem"),
        ..US
    },
    Provider {
        name: "Saltmarsh Telecom",
        slug: "saltmarsh",
        spc: Some("455S"),
        trade: Trade::Wholesale,
        leaf: good("saltmarsh", "https://certificates.lab.example/saltmarsh.pem"),
        ..US
    },
    Provider {
        name: "Larkspur Voice",
        slug: "larkspur",
        spc: Some("207L"),
        leaf: good("larkspur", "https://certificates.lab.example:8443/larkspur.pem"),
        office: "America/Phoenix",
        ..US
    },
    Provider {
        name: "Upland Wire",
        slug: "upland",
        spc: Some("231U"),
        leaf: good("critical-tn-auth-list", "https://certificates.lab.example/critical-tn-auth-list.pem"),
        ..US
    },
    Provider {
        name: "Yarrow Voice",
        slug: "yarrow",
        spc: Some("410Y"),
        leaf: good("path-with-root", "https://certificates.lab.example/path-with-root.pem"),
        ..US
    },
    Provider {
        name: "Birch Dial",
        slug: "birch",
        spc: Some("276B"),
        trade: Trade::Platform,
        leaf: Some(Certificate {
            name: "revoked",
            url: "https://certificates.lab.example/revoked.pem",
            worth: Worth::Revoked,
        }),
        ..US
    },
    Provider {
        name: "Alder Talk",
        slug: "alder",
        spc: Some("611A"),
        leaf: Some(Certificate {
            name: "expired",
            url: "https://certificates.lab.example/expired.pem",
            worth: Worth::Expired,
        }),
        ..US
    },
    Provider { name: "Zephyr Net", slug: "zephyr", spc: Some("529Z"), trade: Trade::Access, ..US },
    // Its trunks are TDM: what was signed ends there.
    Provider { name: "Fern Relay", slug: "fern", spc: Some("948F"), trade: Trade::Wholesale, ..US },
    Provider { name: "Maple Ridge Telecom", slug: "maple", country: "CA", trade: Trade::Foreign, ..US },
    Provider { name: "Cobalt Overseas", slug: "cobalt", country: "GB", trade: Trade::Foreign, ..US },
];

/// How many networks a world can hold the records of.
pub(super) const MAX_HELD: usize = 10;

/// Who makes calls.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) name: &'static str,
    pub(super) slug: &'static str,
    /// Of which provider.
    pub(super) provider: usize,
}

const fn customer(name: &'static str, slug: &'static str, provider: usize) -> Customer {
    Customer { name, slug, provider }
}

/// Every customer that makes calls.
pub(super) const CUSTOMERS: &[Customer] = &[
    customer("Brightpath Outreach", "brightpath", TWILL),
    customer("Clover Dialers", "clover", TWILL),
    customer("Summit Reminders", "summit", TWILL),
    customer("Oakline Support", "oakline", TWILL),
    customer("Beacon Savings Club", "beacon", BIRCH),
    customer("Nimbus Notices", "nimbus", BIRCH),
    customer("Larch Street Clinic", "larch", LARKSPUR),
    customer("Hollow Creek Schools", "hollow", LARKSPUR),
    customer("Pinnacle Warranty", "pinnacle", LARKSPUR),
    customer("Upton Hardware", "upton", UPLAND),
    customer("Verity Surveys", "verity", UPLAND),
    customer("Wexford Dental", "wexford", YARROW),
    customer("Yellowtail Freight", "yellowtail", YARROW),
    customer("Amber Lending", "amber", ALDER),
    customer("Ashgrove Realty", "ashgrove", ALDER),
    customer("Gable Insurance", "gable", PRAIRIE),
    customer("Prairie subscribers", "prairie-lines", PRAIRIE),
    customer("Quarry subscribers", "quarry-lines", QUARRY),
    customer("Bluestem Collections", "bluestem", CASCADE),
    customer("Zephyr subscribers", "zephyr-lines", ZEPHYR),
    customer("Saffron Contact Centre", "saffron", SALTMARSH),
    customer("Harrow Logistics", "harrow", HARBOR),
];

/// The customers who dial by machine: the campaigns are theirs.
pub(super) const DIALERS: &[usize] = &[0, 1, 4, 8, 2, 5, 10, 13, 20];

/// The networks' own subscribers, as the far side of what terminates there.
pub(super) const fn subscribers(provider: usize) -> Option<usize> {
    match provider {
        PRAIRIE => Some(16),
        QUARRY => Some(17),
        ZEPHYR => Some(19),
        _ => None,
    }
}

/// The customers of a provider.
pub(super) fn customers_of(provider: usize) -> Vec<usize> {
    CUSTOMERS.iter().enumerate().filter(|(_, own)| own.provider == provider).map(|(place, _)| place).collect()
}

/// Where a number lives: more than half with the first, as in a town with one big provider.
pub(super) fn home_of(number: u64) -> usize {
    match hash(&[number, 0x40e]) % 20 {
        0..9 => PRAIRIE,
        9..16 => QUARRY,
        _ => ZEPHYR,
    }
}

/// The `place`th number of the North American plan that is for fiction only: any area code, 555-0100 to 555-0199.
pub(super) const fn fictional(place: u64) -> u64 {
    let area = place / 100 % AREAS;
    // 2 to 9, then 0 to 8: a second digit of 9 is no area code. The eight that end in 11 are services.
    let (first, rest) = (2 + area / 90, area % 90);
    let rest = if rest == 11 { 22 } else { rest };
    10_000_000_000 + (first * 100 + rest) * 10_000_000 + 5_550_100 + place % 100
}

const AREAS: u64 = 8 * 90;
/// How many of them there are.
pub(super) const FICTIONAL: u64 = AREAS * 100;

/// A number that nobody can have: an area code whose second digit is 9.
pub(super) const fn unassignable(place: u64) -> u64 {
    10_000_000_000 + (290 + place / 100 % 10) * 10_000_000 + 5_550_100 + place % 100
}

/// A British mobile number for drama.
pub(super) const fn british(place: u64) -> u64 {
    447_700_900_000 + place % 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_stands_where_the_constants_say() {
        for (place, slug) in
            [(PRAIRIE, "prairie"), (ZEPHYR, "zephyr"), (FERN, "fern"), (COBALT, "cobalt"), (MAPLE, "maple")]
        {
            assert_eq!(PROVIDERS[place].slug, slug);
        }
        for place in [PRAIRIE, QUARRY, ZEPHYR] {
            assert_eq!(subscribers(place).map(|own| CUSTOMERS[own].provider), Some(place));
        }
        assert!(PROVIDERS.iter().enumerate().all(|(place, own)| own.trade != Trade::Foreign || place >= MAX_HELD));
    }

    #[test]
    fn numbers_are_for_fiction_only() {
        for place in 0..FICTIONAL {
            let text = fictional(place).to_string();
            assert_eq!((text.len(), &text[4..9]), (11, "55501"), "{text}");
            assert!(&text[2..4] != "11", "{text}");
        }
        assert_eq!(unassignable(1234).to_string(), "12925550134");
    }
}
