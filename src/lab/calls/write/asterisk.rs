//! Asterisk `cdr-csv/Master.csv` with uniqueid and userfield (traceback 4.1): strings quoted, numbers bare, local time.

use std::fmt::Write as _;

use super::{Entry, quoted};

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let cell = |text: &str, out: &mut String| {
        quoted(text, out);
        out.push(',');
    };
    let channel = |trunk: &str, id: u64| format!("PJSIP/{trunk}-{:08x}", id & 0xffff_ffff);
    // Without an account code the endpoint tells whose call it is.
    cell(if entry.id.is_multiple_of(2) { entry.ingress.trunk } else { "" }, out);
    cell(entry.calling, out);
    cell(entry.called, out);
    cell("from-carriers", out);
    cell(&format!("\"{}\" <{}>", entry.calling, entry.calling), out);
    cell(&channel(entry.ingress.trunk, entry.id), out);
    cell(&entry.egress.map_or_else(String::new, |egress| channel(egress.trunk, entry.id.rotate_left(9))), out);
    cell("Dial", out);
    cell(&entry.egress.map_or_else(String::new, |egress| format!("PJSIP/{}@{},60", entry.called, egress.trunk)), out);
    for time in [Some(entry.start), entry.answer, Some(entry.end)] {
        out.push('"');
        if let Some(time) = time {
            entry.stamp(time, out);
        }
        out.push_str("\",");
    }
    let talked = entry.answer.map_or(0, |answer| (entry.end - answer) / 1000);
    let _ = write!(out, "{},{talked},", (entry.end - entry.start) / 1000);
    let disposition = match entry.status {
        200 => "ANSWERED",
        486 => "BUSY",
        503 => "FAILED",
        _ => "NO ANSWER",
    };
    let _ = writeln!(
        out,
        "\"{disposition}\",\"DOCUMENTATION\",\"{}.{}\",\"\"",
        entry.start.div_euclid(1000),
        entry.id % 100_000
    );
}
