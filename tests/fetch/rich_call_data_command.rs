//! `stirtrace verify --fetch --fetch-rich-call-data` as its users run it (RFC 9795 §6; E13-E17, H31).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::desk::{Desk, Run, invite};
use crate::server::{Conduct, Gathering, NOW, Server, Shown, gathered, listener_on_8443, ok};
use crate::token::Token;

const PICTURE: &[u8] = b"\x89PNG, more or less";

/// A server of pictures and cards, and a desk to verify calls at that name them.
struct Gallery {
    desk: Desk,
    server: Server,
    host: String,
}

impl Gallery {
    fn new() -> Self {
        let listener = listener_on_8443();
        let host = listener.local_addr().unwrap().ip().to_string();
        let server = Server::on(listener, &host, Shown::Good, Conduct::Routes(Vec::new()));
        let desk = Desk::new();
        desk.write("tls.pem", &server.root);
        Self { desk, server, host }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}:8443{path}", self.host)
    }

    /// A card that names the picture.
    fn card(&self) -> Vec<u8> {
        json!(["vcard", [["fn", {}, "text", "Q"], ["photo", {}, "uri", self.url("/q.png")]]]).to_string().into_bytes()
    }

    fn serves(&self, routes: Vec<(&'static str, Vec<u8>)>) {
        self.server.conduct(Conduct::Routes(routes));
    }

    /// A call with a shaken PASSporT and one of type rcd.
    fn call(&self, rcd: Value, rcdi: Value, more: Value) {
        self.call_in("call.sip", rcd, rcdi, more);
    }

    fn call_in(&self, file: &str, rcd: Value, rcdi: Value, more: Value) {
        let mut own = json!({"ppt": "rcd", "claims": {"rcd": rcd, "rcdi": rcdi, "crn": "Your gadgets"}});
        own.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let own = Token::from_json(own).value(NOW);
        self.desk.write(file, invite(&[&Token::default().value(NOW), &own]));
    }

    fn verify(&self, more: &[&str]) -> Run {
        self.verify_in("call.sip", more)
    }

    fn verify_in(&self, input: &str, more: &[&str]) -> Run {
        let allowed = format!("{0}={0}", self.host);
        let mut args = vec!["verify", input, "--trust", "{certs}/roots.pem", "--certs", "{certs}/archive"];
        args.extend(["--at", "date", "--fetch", "--fetch-root", "tls.pem", "--fetch-allow", &allowed]);
        args.extend(["--fetch-timeout", "60"]);
        args.extend(more);
        self.desk.run_with(&args, b"")
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, bytes)))
}

/// The verdict, and what it has of rich call data.
fn judged(run: &Run) -> (Value, Value) {
    let object = run.objects().remove(0);
    (object["verdict"].clone(), object["rich_call_data"][0].clone())
}

#[test]
fn pictures_are_fetched_only_where_that_was_asked_for_besides() {
    // E17: what is not there is not verified; each picture is one more request to a stranger.
    let gallery = Gallery::new();
    gallery.serves(vec![("/q.png", PICTURE.to_vec())]);
    let url = gallery.url("/q.png");
    gallery.call(json!({"nam": "Q", "icn": url}), json!({"/icn": sha256(PICTURE)}), json!({}));
    let run = gallery.verify(&[]);
    let (verdict, own) = judged(&run);
    assert_eq!((&verdict, &own["status"], &own["missing"]), (&json!("passed"), &json!("unchecked"), &json!([url])));
    assert_eq!(gallery.server.connections(), 0);
    let text = gallery.verify(&["--format", "text"]).out;
    assert!(text.contains("not checked: /icn at") && text.contains("--fetch-rich-call-data"), "{text}");
    let (verdict, own) = judged(&gallery.verify(&["--fetch-rich-call-data"]));
    assert_eq!((verdict, &own["status"], &own["missing"]), (json!("passed"), &json!("verified"), &json!([])));
    assert_eq!((&own["name"], &own["call_reason"], &own["icon"]), (&json!("Q"), &json!("Your gadgets"), &json!(url)));
    assert_eq!((gallery.server.connections(), &own["passport"]), (1, &json!(1)));
    let text = gallery.verify(&["--fetch-rich-call-data", "--format", "text"]).out;
    assert!(text.contains("✓ verified") && text.contains("Your gadgets"), "{text}");
    let run = gallery.desk.run_with(&["verify", "call.sip", "--fetch-rich-call-data"], b"");
    assert!(run.code == 2 && run.err.contains("--fetch"), "{}", run.err);
}

#[test]
fn pictures_of_several_calls_are_fetched_together() {
    let gallery = Gallery::new();
    let gathering = Gathering::of(3);
    gallery.server.conduct(gathered(&gathering, ok("", PICTURE)));
    for number in 0..3 {
        let rcd = json!({"nam": "Q", "icn": gallery.url(&format!("/{number}.png"))});
        gallery.call_in(&format!("calls/{number}.sip"), rcd, json!({"/icn": sha256(PICTURE)}), json!({}));
    }
    let run = gallery.verify_in("calls", &["--fetch-rich-call-data"]);
    let found: Vec<_> = run.objects().iter().map(|object| object["rich_call_data"][0]["status"].clone()).collect();
    assert_eq!((run.code, found), (0, vec![json!("verified"); 3]), "{}", run.err);
    assert_eq!((gathering.most(), gallery.server.connections()), (3, 3));
}

#[test]
fn a_card_is_fetched_and_then_its_picture() {
    // E15, E16.
    let gallery = Gallery::new();
    gallery.serves(vec![("/q.json", gallery.card()), ("/q.png", PICTURE.to_vec())]);
    let rcd = json!({"nam": "Q", "jcl": gallery.url("/q.json")});
    let digests = json!({"/jcl": sha256(&gallery.card()), "/jcl/1/1/3": sha256(PICTURE)});
    gallery.call(rcd.clone(), digests, json!({}));
    let (_, own) = judged(&gallery.verify(&["--fetch-rich-call-data"]));
    assert_eq!((&own["status"], &own["card"]), (&json!("verified"), &json!(gallery.url("/q.json"))));
    assert_eq!(gallery.server.connections(), 2);
    // E17: a URL in what was fetched, and nothing says what lies there.
    gallery.call(rcd, json!({"/jcl": sha256(&gallery.card())}), json!({}));
    let run = gallery.verify(&["--fetch-rich-call-data"]);
    let (verdict, own) = judged(&run);
    assert_eq!((verdict, &own["status"]), (json!("passed"), &json!("failed")), "{own}");
    assert!(own["reason"].as_str().unwrap().contains("/jcl/1/1/3"), "{own}");
    assert_eq!(gallery.server.connections(), 3, "the picture that no digest binds is not fetched");
    assert_eq!(run.objects()[0]["passports"][1]["error"]["kind"], "RichCallDataMismatch");
}

#[test]
fn another_picture_than_was_signed_costs_the_call_nothing_but_the_picture() {
    // E17, H31.
    let gallery = Gallery::new();
    gallery.serves(vec![("/q.png", b"another".to_vec())]);
    let rcd = json!({"nam": "Q", "icn": gallery.url("/q.png")});
    gallery.call(rcd.clone(), json!({"/icn": sha256(PICTURE)}), json!({}));
    let (verdict, own) = judged(&gallery.verify(&["--fetch-rich-call-data"]));
    assert_eq!((verdict, &own["status"]), (json!("passed"), &json!("failed")), "{own}");
    gallery.serves(Vec::new());
    let (verdict, own) = judged(&gallery.verify(&["--fetch-rich-call-data"]));
    assert_eq!((verdict, &own["status"]), (json!("passed"), &json!("unchecked")), "{own}");
    assert!(own["reason"].as_str().unwrap().contains("404"), "{own}");
    // Nothing is fetched for whoever did not sign.
    let before = gallery.server.connections();
    gallery.call(rcd, json!({"/icn": sha256(PICTURE)}), json!({"mutate": ["flip-signature-bit"]}));
    let (verdict, own) = judged(&gallery.verify(&["--fetch-rich-call-data"]));
    assert_eq!((verdict, &own["status"]), (json!("passed"), &json!("failed")), "{own}");
    assert_eq!(gallery.server.connections(), before);
}

#[test]
fn inspect_says_what_a_caller_calls_itself_and_what_is_odd_about_it() {
    let gallery = Gallery::new();
    gallery.call(json!({"nam": "Q"}), json!({"/nam": sha256(b"\"R\"")}), json!({}));
    let run = gallery.desk.run_with(&["inspect", "call.sip", "--format", "text"], b"");
    assert!(run.out.contains("call reason  Your gadgets") && run.out.contains("of /nam"), "{}", run.out);
    assert!(run.code == 1 && run.out.contains("H31"), "{}", run.out);
    gallery.call(json!({"nam": "Q"}), json!({"/nam": sha256(b"\"Q\"")}), json!({}));
    assert_eq!(gallery.desk.run_with(&["inspect", "call.sip", "--format", "text"], b"").code, 0);
}
