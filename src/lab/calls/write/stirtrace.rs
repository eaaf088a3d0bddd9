//! Our own CSV: a header that names the columns, times in RFC 3339.

use std::fmt::Write as _;

use super::{Entry, Side, quoted};

pub(super) const HEADER: &str = "start,answer,end,calling,called,original_called,ingress_trunk,ingress_address,\
    ingress_call_id,egress_trunk,egress_address,egress_call_id,sip_status,q850,identity,diversion\n";

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    entry.rfc3339(entry.start, out);
    out.push(',');
    if let Some(answer) = entry.answer {
        entry.rfc3339(answer, out);
    }
    out.push(',');
    entry.rfc3339(entry.end, out);
    let _ = write!(out, ",{},{},{},", entry.calling, entry.called, entry.original.unwrap_or_default());
    let nowhere = Side { trunk: "", address: "", call_id: "" };
    for side in [entry.ingress, entry.egress.unwrap_or(nowhere)] {
        let _ = write!(out, "{},{},{},", side.trunk, side.address, side.call_id);
    }
    let _ = write!(out, "{},{},", entry.status, entry.q850);
    if let Some(identity) = entry.identity {
        quoted(identity, out);
    }
    let _ = writeln!(out, ",{}", entry.diversion.unwrap_or_default());
}
