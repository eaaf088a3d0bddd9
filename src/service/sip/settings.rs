//! `[service.sip]` of a `stirtrace.toml`: where to listen, whom to serve, how long to wait, what fields are called.

use std::time::Duration;

use crate::document::{Misplaced, Table};
use crate::network::AddressRange;
use crate::service::fault::Fault;
use crate::service::sip::endpoint::{Endpoint, Role};
use crate::service::values::{self, Reader};

/// How the SIP front end behaves.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SipSettings {
    /// Where to listen; nowhere unless told.
    pub endpoints: Vec<Endpoint>,
    /// Whose requests are served; everybody's when it is empty.
    pub allow: Vec<AddressRange>,
    /// Who may say in a header field which trunk and customer a call is from: proxies of our own.
    pub trusted: Vec<AddressRange>,
    /// What these two fields are called.
    pub trunk_field: Option<String>,
    /// See there.
    pub customer_field: Option<String>,
    /// What the fields of a response are called.
    pub names: FieldNames,
    /// What bounds memory and time.
    pub limits: SipLimits,
}

/// What the fields of a response are called; one without a name is not sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FieldNames {
    /// The attestation (F11).
    pub attestation: Option<String>,
    /// The origination identifier (F11).
    pub origination: Option<String>,
    /// `verstat` in a field of its own, for proxies that do not read URIs.
    pub verstat: Option<String>,
    /// The mark of a call that was diverted without proof (F24).
    pub diverted: Option<String>,
    /// What became of the call's priority; where it failed, Resource-Priority is to be taken off (E9).
    pub priority: Option<String>,
    /// Whether Contact has `verstat` too.
    pub verstat_in_contact: bool,
}

/// What bounds memory and time.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SipLimits {
    /// The most transactions that a listener remembers; those that were answered long ago go first.
    pub transactions: usize,
    /// The most calls that are judged at a time; others get 503.
    pub pending: usize,
    /// The most bytes of one message over TCP.
    pub message_bytes: usize,
    /// The most connections, and the most from one address.
    pub connections: usize,
    /// See there.
    pub connections_per_address: usize,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long one message may take to arrive, and one answer to leave.
    pub message: Duration,
    /// How many datagrams a second one address may send over UDP; none sets no limit. Of IPv6, the network of 64 bits
    /// counts as one address.
    pub rate: Option<u32>,
    /// How many it may send at once.
    pub burst: u32,
}

impl Default for FieldNames {
    fn default() -> Self {
        Self {
            attestation: Some("P-Attestation-Indicator".to_owned()),
            origination: Some("P-Origination-ID".to_owned()),
            verstat: None,
            diverted: Some("X-Diverted".to_owned()),
            priority: Some("X-Priority-Verstat".to_owned()),
            verstat_in_contact: false,
        }
    }
}

impl Default for SipLimits {
    fn default() -> Self {
        Self {
            transactions: 50_000,
            pending: 5_000,
            message_bytes: 64 << 10,
            connections: 1_000,
            connections_per_address: 100,
            idle: Duration::from_secs(120),
            message: Duration::from_secs(10),
            rate: None,
            burst: 100,
        }
    }
}

impl SipSettings {
    /// Reads the table as a file of its own.
    ///
    /// # Errors
    /// Everything that is wrong in it, with its place.
    pub fn parse(toml: &str) -> Result<Self, Vec<Misplaced<Fault>>> {
        values::parse(toml, Self::read)
    }

    pub(crate) fn read(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Self {
        reader.known(table, &KEYS);
        Self {
            endpoints: reader.endpoints(table),
            allow: reader.ranges(table, "allow"),
            trusted: reader.ranges(table, "trusted"),
            trunk_field: reader.field_name(table, "trunk_header", None),
            customer_field: reader.field_name(table, "customer_header", None),
            names: reader.field_names(table),
            limits: reader.sip_limits(table),
        }
    }
}

impl Reader<'_> {
    fn endpoints(&mut self, table: &Table<'_, '_>) -> Vec<Endpoint> {
        let roles = [("listen", Role::ByIdentity), ("sign", Role::Sign), ("verify", Role::Verify)];
        roles.into_iter().flat_map(|(key, role)| self.parsed(table, key, |text| Endpoint::parse(text, role))).collect()
    }

    fn field_names(&mut self, table: &Table<'_, '_>) -> FieldNames {
        let usual = FieldNames::default();
        FieldNames {
            attestation: self.field_name(table, "attestation_header", usual.attestation.as_deref()),
            origination: self.field_name(table, "origination_header", usual.origination.as_deref()),
            verstat: self.field_name(table, "verstat_header", usual.verstat.as_deref()),
            diverted: self.field_name(table, "diverted_header", usual.diverted.as_deref()),
            priority: self.field_name(table, "priority_header", usual.priority.as_deref()),
            verstat_in_contact: self.flag(table, "verstat_in_contact").unwrap_or(usual.verstat_in_contact),
        }
    }

    fn sip_limits(&mut self, table: &Table<'_, '_>) -> SipLimits {
        let usual = SipLimits::default();
        let mut number =
            |name, least, most| self.bounded(table, name, least, most).and_then(|number| usize::try_from(number).ok());
        SipLimits {
            transactions: number("max_transactions", 100, 10_000_000).unwrap_or(usual.transactions),
            pending: number("max_pending", 1, 1_000_000).unwrap_or(usual.pending),
            message_bytes: number("max_message_bytes", 2_048, 4 << 20).unwrap_or(usual.message_bytes),
            connections: number("max_connections", 1, 100_000).unwrap_or(usual.connections),
            connections_per_address: number("max_connections_per_address", 1, 100_000)
                .unwrap_or(usual.connections_per_address),
            idle: self.sip_seconds(table, "idle_timeout").unwrap_or(usual.idle),
            message: self.sip_seconds(table, "message_timeout").unwrap_or(usual.message),
            rate: self.sip_number(table, "rate"),
            burst: self.sip_number(table, "burst").unwrap_or(usual.burst),
        }
    }

    fn sip_number(&mut self, table: &Table<'_, '_>, name: &str) -> Option<u32> {
        self.bounded(table, name, 1, 1_000_000).and_then(|number| u32::try_from(number).ok())
    }

    fn sip_seconds(&mut self, table: &Table<'_, '_>, name: &str) -> Option<Duration> {
        self.bounded(table, name, 1, 86_400).map(|seconds| Duration::from_secs(seconds.unsigned_abs()))
    }
}

const KEYS: [&str; 22] = [
    "listen",
    "sign",
    "verify",
    "allow",
    "trusted",
    "trunk_header",
    "customer_header",
    "attestation_header",
    "origination_header",
    "verstat_header",
    "diverted_header",
    "priority_header",
    "verstat_in_contact",
    "max_transactions",
    "max_pending",
    "max_message_bytes",
    "max_connections",
    "max_connections_per_address",
    "idle_timeout",
    "message_timeout",
    "rate",
    "burst",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_stands() {
        let text = "listen = [\"udp:192.0.2.1:5060\"]\nsign = \"tcp:192.0.2.1:5061\"\nattestation_header = \"none\"\n\
                    allow = \"192.0.2.0/24\"\nmax_pending = 7\nidle_timeout = 9\nrate = 50";
        let settings = SipSettings::parse(text).unwrap();
        let endpoints: Vec<_> = settings.endpoints.iter().map(|place| (place.to_string(), place.role)).collect();
        let wanted =
            [("udp:192.0.2.1:5060".to_owned(), Role::ByIdentity), ("tcp:192.0.2.1:5061".to_owned(), Role::Sign)];
        assert_eq!(endpoints, wanted);
        assert_eq!((settings.limits.pending, settings.limits.idle), (7, Duration::from_secs(9)));
        assert_eq!((settings.limits.rate, settings.limits.burst), (Some(50), 100));
        assert_eq!((settings.names.attestation, settings.names.diverted.as_deref()), (None, Some("X-Diverted")));
        assert_eq!(SipSettings::parse("").unwrap(), SipSettings::default());
    }

    #[test]
    fn faults_are_placed_and_say_what_to_do() {
        let text = "listen = [\"udp:192.0.2.1:5060\", \"sctp:192.0.2.1:5061\"]\nallow = \"here\"\n\
                    verstat_header = \"Via\"\ntrunk_header = \"X Trunk\"\nmax_pending = 0\nidle = 9\nverify = 5060";
        let faults: Vec<String> = SipSettings::parse(text).unwrap_err().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(faults.join("\n"));
    }
}
