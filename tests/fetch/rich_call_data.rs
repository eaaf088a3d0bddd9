//! Pictures and cards that an `rcd` claim names: under the rules of every URL of a stranger's, and held to their digests
//! (RFC 9795; E13-E17, F8).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stirtrace::fetch::{Fetcher, Limits, NotFetched, Settings};
use stirtrace::rich_call_data::{Resource, RichCallData};

use crate::server::{Conduct, HOUR, NOW, Server, ok};

const PICTURE: &str = "https://certificates.example/q.png";

fn picture(url: &str, signed: &[u8]) -> Resource {
    named(json!({"nam": "Q", "icn": url}), "/icn", signed)
}

/// The same, named in a card: there the form of the claim leaves more to the fetcher.
fn picture_of_a_card(url: &str, signed: &[u8]) -> Resource {
    named(json!({"nam": "Q", "jcd": ["vcard", [["photo", {}, "uri", url]]]}), "/jcd/1/0/3", signed)
}

fn named(rcd: Value, pointer: &str, signed: &[u8]) -> Resource {
    let digest = format!("sha256-{}", STANDARD.encode(digest(&SHA256, signed)));
    let claims = json!({"rcd": rcd, "rcdi": {pointer: digest}});
    RichCallData::read(claims.as_object().unwrap()).unwrap().unwrap().resources().unwrap().remove(0)
}

#[tokio::test]
async fn what_was_signed_is_given_and_anything_else_is_not() {
    let server = Server::new(ok("Cache-Control: max-age=86400\r\n", b"picture"));
    let fetcher = server.fetcher();
    for _ in 0..3 {
        let found = fetcher.rich_call_data(&picture(PICTURE, b"picture"), NOW).await.unwrap();
        assert_eq!(&*found.body, b"picture");
    }
    assert_eq!(server.connections(), 1);
    let why = fetcher.rich_call_data(&picture(PICTURE, b"another"), NOW).await.unwrap_err();
    assert_eq!(why.kind(), "Unacceptable");
    assert!(why.to_string().contains("/icn"), "{why}");
    assert_eq!(server.connections(), 1, "one call's bad digest is no fetch a call");
    assert_eq!(fetcher.counts().failed.get("Unacceptable"), Some(&1));
}

#[tokio::test]
async fn a_picture_that_its_owner_changed_is_fetched_again_once_in_a_while() {
    let server = Server::new(ok("Cache-Control: max-age=86400\r\n", b"old"));
    let fetcher = server.fetcher();
    fetcher.rich_call_data(&picture(PICTURE, b"old"), NOW).await.unwrap();
    server.conduct(ok("Cache-Control: max-age=86400\r\n", b"new"));
    let later = NOW.plus_seconds(HOUR);
    let found = fetcher.rich_call_data(&picture(PICTURE, b"new"), later).await.unwrap();
    assert_eq!((&*found.body, server.connections()), (&b"new"[..], 2));
    // Calls that were signed before lose theirs: nobody has it any more.
    assert!(fetcher.rich_call_data(&picture(PICTURE, b"old"), later).await.is_err());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn it_has_a_limit_of_its_own_and_the_rules_of_every_url() {
    let server = Server::new(ok("", &[7; 5000]));
    let settings = server.settings();
    let limits = Limits { rich_call_data_bytes: 4096, ..settings.limits };
    let fetcher = Fetcher::new(Settings { limits, ..settings }).unwrap();
    let too_long = fetcher.rich_call_data(&picture(PICTURE, &[7; 5000]), NOW).await.unwrap_err();
    assert_eq!(too_long, NotFetched::TooLong { limit: 4096 });
    let before = server.connections();
    for url in [
        "http://certificates.example/q.png",
        "https://certificates.example:8444/q.png",
        "https://certificates.example/q.png?size=1",
        "https://127.0.0.1/q.png",
        "https://[::ffff:169.254.169.254]/latest",
    ] {
        let why = fetcher.rich_call_data(&picture_of_a_card(url, b"x"), NOW).await.unwrap_err();
        assert!(why.is_refusal(), "{url}: {why}");
    }
    assert_eq!(server.connections(), before);
    server.conduct(Conduct::Reset);
    assert!(
        !fetcher
            .rich_call_data(&picture("https://certificates.example/other", b"x"), NOW)
            .await
            .unwrap_err()
            .is_refusal()
    );
}
