//! Kamailio acc, exported with a header and the usual extra columns (traceback 4.3): a row for the INVITE, at the time of
//! its final response, and one for the BYE.

use std::fmt::Write as _;

use super::{Entry, quoted};

pub(super) const HEADER: &str = "id,method,from_tag,to_tag,callid,sip_code,sip_reason,time,src_user,src_domain,src_ip,\
    dst_ouser,dst_user,dst_domain,identity\n";

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    row(entry, "INVITE", entry.status, entry.answer.unwrap_or(entry.end), out);
    if entry.answer.is_some() {
        row(entry, "BYE", 200, entry.end, out);
    }
}

fn row(entry: &Entry<'_>, method: &str, code: u16, time: i64, out: &mut String) {
    let reason = match code {
        200 => "OK",
        404 => "Not Found",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        487 => "Request Terminated",
        603 => "Decline",
        _ => "Service Unavailable",
    };
    let _ = write!(
        out,
        "{},{method},{:08x},{:08x},{},{code},{reason},",
        entry.id % 1_000_000_000,
        entry.id >> 32,
        entry.id & 0xffff_ffff,
        entry.ingress.call_id
    );
    entry.stamp(time, out);
    let domain = entry.egress.map_or("", |egress| egress.address);
    let original = entry.original.unwrap_or(entry.called);
    let _ = write!(
        out,
        ",{},{},{},{original},{},{domain},",
        entry.calling, entry.ingress.address, entry.ingress.address, entry.called
    );
    if let Some(identity) = entry.identity {
        quoted(identity, out);
    }
    out.push('\n');
}
