//! Pictures of rich call data while their hosts fail (RFC 9795 §6; E17, H31): the call goes on, and in time.

use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::hosts::{FETCH_TIME, Host, SLACK, WARM, World};
use crate::server::{Conduct, Shown, ok};
use crate::stand::{NOW, now};
use crate::token::Token;

const PICTURE: &[u8] = b"a picture of a loom";
const ON: &str = "[service]\nfetch_rich_call_data = true\n[service.verification]\nmax_age = 3600";

/// A call whose shaken PASSporT names a certificate at the warm host, and whose rcd PASSporT a picture at another.
fn call(host: &str, more: Value) -> Value {
    let digest = format!("sha256-{}", STANDARD.encode(digest(&SHA256, PICTURE)));
    let icon = format!("https://{host}/loom.png");
    let mut rcd = json!({"ppt": "rcd", "x5u": format!("https://{WARM}/twill.pem"),
        "claims": {"rcd": {"nam": "Twill", "icn": icon}, "rcdi": {"/icn": digest}}});
    rcd.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let shaken = Token { x5u: Some(format!("https://{WARM}/twill.pem")), ..Token::default() }.value(now());
    json!({"identity": [shaken, Token::from_json(rcd).value(now())], "from": "12155550112", "to": "12155550131",
        "date": NOW, "call_id": format!("{host}@twill.example")})
}

fn verified(world: &World, call: &Value) -> (Value, Value) {
    let verdict = world.stand.post("/v1/verify", call).json();
    (verdict["verdict"].clone(), verdict["rich_call_data"][0].clone())
}

fn host(conduct: Conduct) -> Host {
    Host::Serves(Shown::Good, conduct)
}

#[test]
fn a_picture_is_fetched_where_the_configuration_says_so() {
    let world = World::with(vec![("pictures.example", host(ok("", PICTURE)))], ON);
    for _ in 0..3 {
        let (verdict, own) = verified(&world, &call("pictures.example", json!({})));
        assert_eq!((verdict, &own["status"], &own["name"]), (json!("passed"), &json!("verified"), &json!("Twill")));
    }
    assert_eq!(world.server("pictures.example").connections(), 1);
    // A stranger's word fetches nothing.
    let (verdict, own) = verified(&world, &call("pictures.example", json!({"key": "cascade"})));
    assert_eq!((verdict, &own["status"]), (json!("passed"), &json!("failed")), "{own}");
    assert_eq!(world.server("pictures.example").connections(), 1);
    let off = World::new(vec![("pictures.example", host(ok("", PICTURE)))]);
    let (verdict, own) = verified(&off, &call("pictures.example", json!({})));
    assert_eq!((verdict, &own["status"]), (json!("passed"), &json!("unchecked")), "{own}");
    assert_eq!(off.server("pictures.example").connections(), 0);
}

#[test]
fn a_picture_that_does_not_come_costs_the_picture_and_no_more_time_than_a_certificate() {
    let dribble = Conduct::Dribble(vec![b'x'; 1000], Duration::from_secs(1));
    let hosts = vec![
        ("mute.example", host(Conduct::Mute)),
        ("slow.example", host(dribble)),
        ("other.example", host(ok("", b"another picture"))),
        ("silent.example", Host::Silent),
        ("unknown.example", Host::Unknown),
    ];
    let world = World::with(hosts, ON);
    let load = world.load();
    thread::scope(|scope| {
        for (name, status, words) in [
            ("mute.example", "unchecked", "could not be had"),
            ("slow.example", "unchecked", "could not be had"),
            ("other.example", "failed", "is not what /icn"),
            ("silent.example", "unchecked", "could not be had"),
            ("unknown.example", "unchecked", "could not be had"),
        ] {
            let world = &world;
            scope.spawn(move || {
                let began = Instant::now();
                let (verdict, own) = verified(world, &call(name, json!({})));
                assert!(began.elapsed() < FETCH_TIME + SLACK, "{name}: {:?}", began.elapsed());
                assert_eq!((verdict, &own["status"]), (json!("passed"), &json!(status)), "{name}: {own}");
                assert!(own["reason"].as_str().unwrap().contains(words), "{name}: {own}");
            });
        }
    });
    let tally = load.stop();
    assert!(tally.wrong.is_empty(), "{:?}", tally.wrong);
}

#[test]
fn a_picture_takes_no_more_than_half_of_a_requests_time() {
    let toml = format!("{ON}\n[service.limits]\nrequest_seconds = 1");
    let world = World::with(vec![("mute.example", host(Conduct::Mute))], &toml);
    let (verdict, own) = verified(&world, &call("mute.example", json!({})));
    assert_eq!((verdict, &own["status"]), (json!("passed"), &json!("unchecked")), "{own}");
    assert!(own["reason"].as_str().unwrap().contains("in the time that a call waits"), "{own}");
}
