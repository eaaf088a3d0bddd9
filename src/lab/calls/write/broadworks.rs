//! BroadWorks call detail records (traceback 4.8): no header, Greenwich time without marks, a module's columns behind one
//! another.

use super::Entry;

const WIDTH: usize = 46;

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let mut cells: Vec<String> = vec![String::new(); WIDTH];
    let mut put = |column: usize, text: &str| {
        if let Some(cell) = cells.get_mut(column - 1) {
            text.clone_into(cell);
        }
    };
    put(1, &format!("{:010}{}", entry.id % 10_000_000_000, entry.switch));
    put(2, "WHOLESALE");
    put(3, "Normal");
    put(4, entry.called);
    put(5, entry.ingress.trunk);
    put(6, "Terminating");
    put(7, entry.calling);
    put(8, if entry.calling.starts_with(['a', 'A']) { "Anonymous" } else { "Public" });
    put(9, entry.called);
    put(10, &time(entry, entry.start));
    put(11, "1-060000");
    put(12, if entry.answer.is_some() { "Yes" } else { "No" });
    put(13, &entry.answer.map_or_else(String::new, |answer| time(entry, answer)));
    put(14, &time(entry, entry.end));
    put(15, &format!("{:03}", entry.q850));
    put(16, "VoIP");
    put(18, entry.called);
    put(19, "interlat");
    put(20, "lo");
    put(23, "local");
    put(24, entry.ingress.address);
    put(25, entry.ingress.call_id);
    put(26, "PCMU/8000");
    put(27, entry.egress.map_or("", |egress| egress.address));
    put(28, entry.egress.map_or("", |egress| egress.call_id));
    if let Some(original) = entry.original {
        put(36, original);
        put(38, "unconditional");
        put(39, original);
        put(41, "unconditional");
    } else if let Some(diversion) = entry.diversion {
        put(36, diversion);
        put(38, "unconditional");
        put(39, diversion);
        put(41, "unconditional");
    }
    put(42, if entry.answer.is_some() { "y" } else { "n" });
    put(45, &format!("{}:0", entry.id % 1_000_000_000));
    out.push_str(&cells.join(","));
    out.push('\n');
}

/// `20260504120001.123`
fn time(entry: &Entry<'_>, milliseconds: i64) -> String {
    format!("{}.{:03}", entry.local(milliseconds).strftime("%Y%m%d%H%M%S"), milliseconds.rem_euclid(1000))
}
