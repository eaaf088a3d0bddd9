//! Sansay VSX (traceback 4.7): `;` between the fields, no header, both legs with their Call-IDs, local time beside its
//! minutes west of Greenwich.

use std::fmt::Write as _;

use super::Entry;

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let nobody = super::Side { trunk: "", address: "", call_id: "" };
    let egress = entry.egress.unwrap_or(nobody);
    let _ = write!(
        out,
        "{};V1.10;R;0;{:016x};{};{};",
        entry.id % 1_000_000_000,
        entry.id,
        entry.q850,
        time(entry, entry.start)
    );
    let answer = entry.answer.map_or_else(String::new, |answer| time(entry, answer));
    let west = -entry.offset(entry.start) / 60;
    let _ = write!(out, "{answer};{};{west};SIP {};{};O;", time(entry, entry.end), entry.status, entry.status);
    let _ = write!(
        out,
        "{};SIP;{};{};{};192.0.2.251;{};",
        entry.ingress.trunk, entry.calling, entry.ingress.address, entry.called, entry.ingress.call_id
    );
    // Media of the first leg: addresses and ports of both sides, codecs, counters.
    let _ = write!(out, "{};16384;192.0.2.251;20100;g711u;900;901;154800;154972;0;12;1;", entry.ingress.address);
    let _ = write!(
        out,
        "{};SIP;{};192.0.2.251;{};{};{};",
        egress.trunk, entry.calling, entry.called, egress.address, egress.call_id
    );
    let _ = write!(out, "{};16386;192.0.2.251;20102;g711u;901;900;154972;154800;0;11;1;", egress.address);
    let talked = entry.answer.map_or(0, |answer| entry.end - answer);
    let rings = entry.answer.unwrap_or(entry.end) - entry.start;
    let _ = writeln!(
        out,
        "{};;{};120;{rings};{talked};{:x};{}",
        if entry.is_final { "F" } else { "I" },
        talked / 1000,
        entry.id & 0xffff_ffff,
        entry.calling
    );
    if entry.id.is_multiple_of(200) {
        // An audit in between, which is no call.
        let _ = writeln!(out, "{};V1.10;A;{}", entry.id % 1_000_000_000, time(entry, entry.start));
    }
}

/// `Mon Dec 15 11:38:34 2003`
fn time(entry: &Entry<'_>, milliseconds: i64) -> String {
    entry.local(milliseconds).strftime("%a %b %d %H:%M:%S %Y").to_string()
}
