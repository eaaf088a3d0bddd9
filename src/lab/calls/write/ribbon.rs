//! Ribbon (Sonus) `.ACT` accounting (traceback 4.6): STOP for calls that were answered, ATTEMPT for others, local time.

use std::fmt::Write as _;

use super::Entry;

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let mut cells: Vec<String> = Vec::new();
    let kind = if entry.answer.is_some() { "STOP" } else { "ATTEMPT" };
    cells.extend([kind.to_owned(), entry.switch.to_uppercase(), format!("0x{:016X}", entry.id)]);
    let hundredths = |from: i64, to: i64| ((to - from) / 10).to_string();
    cells.push((entry.start / 10 % 1_000_000_000).to_string());
    cells.push(zone(entry));
    cells.extend([date(entry, entry.start), time(entry, entry.start)]);
    cells.push("2".to_owned());
    if let Some(answer) = entry.answer {
        cells.extend([(answer - 900 - entry.start).to_string(), (answer - entry.start).to_string()]);
    }
    cells.extend([date(entry, entry.end), time(entry, entry.end), "1".to_owned()]);
    if let Some(answer) = entry.answer {
        cells.push(hundredths(answer, entry.end));
    }
    // Reason, service delivered, direction, service provider, transit network.
    cells.extend([
        entry.q850.to_string(),
        "VoIP".to_owned(),
        "IP-TO-IP".to_owned(),
        "DEFAULT".to_owned(),
        String::new(),
    ]);
    cells.extend([entry.calling.to_owned(), entry.called.to_owned(), String::new(), "0".to_owned()]);
    // Numbers before translation, two of them, the billing number, then the route.
    cells.extend([String::new(), String::new(), String::new(), String::new(), entry.calling.to_owned()]);
    match entry.egress {
        Some(egress) => {
            cells.extend([
                format!("RL_{}", egress.trunk),
                "1".to_owned(),
                format!("{}:{}", entry.switch, egress.trunk),
            ]);
            cells.extend([String::new(), egress.address.to_owned()]);
        }
        None => cells.extend(std::iter::repeat_n(String::new(), 5)),
    }
    cells.push(entry.ingress.trunk.to_owned());
    cells.extend(["\"SIP,5060,RTP\"".to_owned(), String::new()]);
    out.push_str(&cells.join(","));
    out.push('\n');
}

fn date(entry: &Entry<'_>, milliseconds: i64) -> String {
    let at = entry.local(milliseconds);
    format!("{:02}/{:02}/{:04}", at.month(), at.day(), at.year())
}

/// `hh:mm:ss.d`
fn time(entry: &Entry<'_>, milliseconds: i64) -> String {
    let at = entry.local(milliseconds);
    format!("{:02}:{:02}:{:02}.{}", at.hour(), at.minute(), at.second(), milliseconds.rem_euclid(1000) / 100)
}

/// `GMT-05:00-Central`
fn zone(entry: &Entry<'_>) -> String {
    let minutes = entry.offset(entry.start) / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let mut text = String::new();
    let _ = write!(text, "GMT{sign}{:02}:{:02}-{}", minutes.abs() / 60, minutes.abs() % 60, place(entry.zone.name()));
    text
}

fn place(zone: &str) -> &'static str {
    match zone {
        "America/New_York" => "Eastern",
        "America/Chicago" => "Central",
        "America/Denver" => "Mountain",
        "America/Los_Angeles" => "Pacific",
        _ => "Greenwich",
    }
}
