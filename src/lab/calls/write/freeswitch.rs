//! FreeSWITCH mod_cdr_csv, the template `example` that it ships with (traceback 4.2): no header, local times, the account
//! code names who calls.

use std::fmt::Write as _;

use super::{Entry, quoted};

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let cell = |text: &str, out: &mut String| {
        quoted(text, out);
        out.push(',');
    };
    // Names are what callers say they are.
    cell(if entry.id.is_multiple_of(5) { "SMITH, \"JO\"" } else { entry.calling }, out);
    cell(entry.calling, out);
    cell(entry.called, out);
    cell("public", out);
    for time in [Some(entry.start), entry.answer, Some(entry.end)] {
        out.push('"');
        if let Some(time) = time {
            entry.stamp(time, out);
        }
        out.push_str("\",");
    }
    let talked = entry.answer.map_or(0, |answer| (entry.end - answer) / 1000);
    let _ = write!(out, "\"{}\",\"{talked}\",", (entry.end - entry.start) / 1000);
    cell(cause(entry.q850), out);
    let uuid = |id: u64, out: &mut String| {
        let _ =
            write!(out, "\"{:08x}-{:04x}-4abc-9def-{id:012x}\",", id >> 32, id & 0xffff, id = id & 0xffff_ffff_ffff);
    };
    uuid(entry.id, out);
    if entry.egress.is_some() {
        uuid(entry.id.rotate_left(21), out);
    } else {
        out.push_str("\"\",");
    }
    cell(entry.ingress.trunk, out);
    out.push_str("\"PCMU\",\"PCMU\"\n");
}

/// Q.850 causes as FreeSWITCH spells them.
pub(super) const fn cause(q850: u16) -> &'static str {
    match q850 {
        1 => "UNALLOCATED_NUMBER",
        17 => "USER_BUSY",
        18 => "NO_USER_RESPONSE",
        19 => "NO_ANSWER",
        21 => "CALL_REJECTED",
        34 => "NORMAL_CIRCUIT_CONGESTION",
        _ => "NORMAL_CLEARING",
    }
}
