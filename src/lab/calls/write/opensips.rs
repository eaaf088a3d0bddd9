//! OpenSIPS acc, exported with a header and extra columns (traceback 4.4): `created` is when the call began, `setuptime`
//! how many seconds passed until it was answered, at `time`.

use std::fmt::Write as _;

use super::{Entry, quoted};

pub(super) const HEADER: &str = "id,method,from_tag,to_tag,callid,sip_code,sip_reason,time,duration,ms_duration,\
    setuptime,created,caller,callee,src_ip,dst_ip,identity\n";

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let _ = write!(
        out,
        "{},INVITE,{:08x},{:08x},{},{},-,",
        entry.id % 1_000_000_000,
        entry.id >> 32,
        entry.id & 0xffff_ffff,
        entry.ingress.call_id,
        entry.status
    );
    let responded = entry.answer.unwrap_or(entry.end);
    entry.stamp(responded, out);
    let lasted = entry.end - responded;
    let _ = write!(out, ",{},{lasted},{},", lasted / 1000, (responded - entry.start) / 1000);
    entry.stamp(entry.start, out);
    let to = entry.egress.map_or("", |egress| egress.address);
    let _ = write!(out, ",{},{},{},{to},", entry.calling, entry.called, entry.ingress.address);
    if let Some(identity) = entry.identity {
        quoted(identity, out);
    }
    out.push('\n');
}
