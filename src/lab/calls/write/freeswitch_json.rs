//! FreeSWITCH mod_json_cdr, one object a line (traceback 4.2): every channel variable, times in microseconds.

use serde_json::json;

use super::Entry;
use super::freeswitch::cause;

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    let micros = |time: Option<i64>| time.map_or_else(|| "0".to_owned(), |time| format!("{}", time * 1000));
    let epoch = |time: Option<i64>| time.map_or_else(|| "0".to_owned(), |time| format!("{}", time.div_euclid(1000)));
    let mut variables = json!({
        "direction": "inbound",
        "uuid": format!("{:016x}", entry.id),
        "sip_call_id": entry.ingress.call_id,
        "sip_network_ip": entry.ingress.address,
        "sip_network_port": "5060",
        "sip_received_ip": entry.ingress.address,
        "sip_from_user": entry.calling,
        "sip_req_user": entry.called,
        "sip_to_user": entry.called,
        "accountcode": entry.ingress.trunk,
        "start_epoch": epoch(Some(entry.start)),
        "answer_epoch": epoch(entry.answer),
        "end_epoch": epoch(Some(entry.end)),
        "start_uepoch": micros(Some(entry.start)),
        "answer_uepoch": micros(entry.answer),
        "end_uepoch": micros(Some(entry.end)),
        "hangup_cause": cause(entry.q850),
        "hangup_cause_q850": entry.q850.to_string(),
        "sip_term_status": entry.status.to_string(),
    });
    if let Some(identity) = entry.identity {
        variables["sip_h_identity"] = json!(identity);
        variables["sip_identity"] = json!([identity]);
    }
    if let Some(egress) = entry.egress {
        variables["sip_gateway_name"] = json!(egress.trunk);
    }
    if let Some(diversion) = entry.diversion {
        variables["sip_h_Diversion"] =
            json!(format!("<sip:{diversion}@{}>;reason=unconditional", entry.ingress.address));
    }
    let object = json!({
        "core-uuid": "3f9b1f5e-0000-4000-8000-00000000c0de",
        "switchname": entry.switch,
        "channel_data": { "state": "CS_REPORTING", "direction": "inbound", "state_number": "11" },
        "variables": variables,
        "callflow": [{
            "dialplan": "XML",
            "profile_index": "1",
            "caller_profile": {
                "username": entry.calling,
                "caller_id_name": entry.calling,
                "ani": entry.calling,
                "caller_id_number": entry.calling,
                "network_addr": entry.ingress.address,
                "rdnis": entry.original.unwrap_or_default(),
                "destination_number": entry.called,
                "context": "public",
                "chan_name": format!("sofia/external/{}@{}", entry.calling, entry.ingress.address),
            },
            "times": {
                "created_time": micros(Some(entry.start)),
                "profile_created_time": micros(Some(entry.start)),
                "answered_time": micros(entry.answer),
                "hangup_time": micros(Some(entry.end)),
            },
        }],
    });
    out.push_str(&object.to_string());
    out.push('\n');
}
