//! Oracle (Acme Packet) SBC local CSV of accounting (traceback 4.5): stop rows of 175 columns, zone by its letters, and
//! start rows in between, whose columns stand elsewhere.

use std::fmt::Write as _;

use super::Entry;

/// As many columns as release S-CX6.4 writes.
const WIDTH: usize = 175;

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    row(entry, true, out);
    if entry.answer.is_some() && entry.id.is_multiple_of(4) {
        row(entry, false, out);
    }
}

fn row(entry: &Entry<'_>, is_stop: bool, out: &mut String) {
    let mut cells: Vec<String> = vec![String::new(); WIDTH];
    let mut put = |column: usize, text: String| {
        if let Some(cell) = cells.get_mut(column - 1) {
            *cell = text;
        }
    };
    put(1, if is_stop { "2" } else { "1" }.to_owned());
    put(2, "192.0.2.250".to_owned());
    put(3, "5060".to_owned());
    put(4, format!("\"{}\"", entry.ingress.call_id));
    put(5, format!("\"{}\"", entry.ingress.call_id));
    put(7, "\"SIP\"".to_owned());
    put(10, station(entry.calling, entry.ingress.address, entry.id));
    let to = entry.egress.unwrap_or(entry.ingress);
    put(11, format!("\"<sip:{}@{}:5060;user=phone>\"", entry.called, to.address));
    if let Some(egress) = entry.egress {
        put(6, format!("\"{}\"", egress.call_id));
    }
    if is_stop {
        put(12, if entry.answer.is_some() { "1" } else { "15" }.to_owned());
        put(13, entry.answer.map_or(0, |answer| (entry.end - answer) / 1000).to_string());
        put(14, time(entry, entry.start));
        put(15, entry.answer.map_or_else(String::new, |answer| time(entry, answer)));
        put(16, time(entry, entry.end));
        put(17, entry.q850.to_string());
        put(18, "\"M10\"".to_owned());
        put(20, "\"M00\"".to_owned());
        put(22, entry.egress.map_or_else(String::new, |egress| format!("\"{}\"", egress.trunk)));
        put(23, format!("\"{}\"", entry.ingress.trunk));
        put(26, format!("\"{}\"", entry.ingress.trunk));
        put(27, entry.ingress.address.to_owned());
        put(28, "20002".to_owned());
    } else {
        put(12, time(entry, entry.start));
        put(13, entry.answer.map_or_else(String::new, |answer| time(entry, answer)));
    }
    out.push_str(&cells.join(","));
    out.push('\n');
}

/// A whole From; quotes within quotes as the SBC leaves them.
fn station(number: &str, address: &str, id: u64) -> String {
    let name = if id.is_multiple_of(3) { "\"WIRELESS CALLER\"" } else { "" };
    format!("\"{name}<sip:{number}@{address}:5060;user=phone>;tag={:x}\"", id & 0xffff_ffff)
}

/// `15:54:56.868 PST DEC 18 2017`
fn time(entry: &Entry<'_>, milliseconds: i64) -> String {
    const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let at = entry.local(milliseconds);
    let month = usize::try_from(at.month()).ok().and_then(|month| MONTHS.get(month - 1)).unwrap_or(&"JAN");
    let mut text = String::new();
    let _ = write!(
        text,
        "{:02}:{:02}:{:02}.{:03} {} {month} {:02} {}",
        at.hour(),
        at.minute(),
        at.second(),
        milliseconds.rem_euclid(1000),
        letters(entry.zone.name(), entry.offset(milliseconds)),
        at.day(),
        at.year()
    );
    text
}

/// What people call a zone's time at that offset.
fn letters(zone: &str, offset: i64) -> &'static str {
    match (zone, offset / 3600) {
        ("America/New_York", -4) => "EDT",
        ("America/New_York", _) => "EST",
        ("America/Chicago", -5) => "CDT",
        ("America/Chicago", _) => "CST",
        ("America/Denver", -6) => "MDT",
        ("America/Denver", _) => "MST",
        ("America/Los_Angeles", -7) => "PDT",
        ("America/Los_Angeles", _) => "PST",
        _ => "UTC",
    }
}
