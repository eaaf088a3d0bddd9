//! Cisco CUCM call detail records (traceback 4.8): a header, then the types of its columns, then calls; seconds since
//! 1970 and addresses as signed integers.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::Entry;

pub(super) const HEADER: &str = "\"cdrRecordType\",\"globalCallID_callManagerId\",\"globalCallID_callId\",\
    \"origLegCallIdentifier\",\"dateTimeOrigination\",\"origIpAddr\",\"callingPartyNumber\",\
    \"originalCalledPartyNumber\",\"finalCalledPartyNumber\",\"origCause_value\",\"destIpAddr\",\"destCause_value\",\
    \"dateTimeConnect\",\"dateTimeDisconnect\",\"lastRedirectDn\",\"duration\",\"origDeviceName\",\"destDeviceName\",\
    \"outpulsedCallingPartyNumber\",\"origIpv4v6Addr\",\"destIpv4v6Addr\"\n\
    INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,INTEGER,\
    INTEGER,INTEGER,VARCHAR(50),INTEGER,VARCHAR(129),VARCHAR(129),VARCHAR(50),VARCHAR(64),VARCHAR(64)\n";

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let seconds = |time: i64| time.div_euclid(1000);
    let to = entry.egress.map_or("", |egress| egress.address);
    let original = entry.original.unwrap_or(entry.called);
    let _ = write!(
        out,
        "1,1,{},{},{},{},\"{}\",\"{original}\",\"{}\",0,{},{},",
        entry.id % 1_000_000_000,
        entry.id % 2_000_000_000,
        seconds(entry.start),
        little_endian(entry.ingress.address),
        entry.calling,
        entry.called,
        little_endian(to),
        entry.q850
    );
    let talked = entry.answer.map_or(0, |answer| (entry.end - answer) / 1000);
    let _ = writeln!(
        out,
        "{},{},\"{}\",{talked},\"{}\",\"{}\",\"{}\",\"{}\",\"{to}\"",
        entry.answer.map_or(0, seconds),
        seconds(entry.end),
        entry.diversion.unwrap_or(entry.called),
        entry.ingress.trunk,
        entry.egress.map_or("", |egress| egress.trunk),
        entry.calling,
        entry.ingress.address
    );
}

/// An address as CUCM counts: the bytes the wrong way round, in a signed integer.
fn little_endian(address: &str) -> i32 {
    address.parse::<Ipv4Addr>().map_or(0, |address| i32::from_le_bytes(address.octets()))
}
