//! The canonical record as JSON lines (traceback 4.9).

use serde_json::{Value, json};

use super::{Entry, Side};

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let time = |milliseconds: i64| {
        let mut text = String::new();
        entry.rfc3339(milliseconds, &mut text);
        text
    };
    let side = |side: Side<'_>, address: &str| json!({ "trunk": side.trunk, address: side.address, "call_id": side.call_id, "ani": entry.calling, "dnis": entry.called });
    let mut object = json!({
        "switch": entry.switch,
        "setup_at": time(entry.start),
        "answer_at": entry.answer.map(time),
        "end_at": time(entry.end),
        "ingress": side(entry.ingress, "src_ip"),
        "egress": entry.egress.map(|egress| side(egress, "dst_ip")),
        "cause": { "q850": entry.q850, "sip": entry.status },
        "final_route": entry.is_final,
    });
    if let Some(identity) = entry.identity {
        object["shaken"] = json!({ "identity_raw": [identity] });
    }
    if let Some(diversion) = entry.diversion {
        object["diversion"] = Value::from(vec![diversion]);
    }
    out.push_str(&object.to_string());
    out.push('\n');
}
