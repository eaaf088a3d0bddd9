use super::{Kind, Loaded, Store};
use crate::certificate::sha256;
use crate::fetch::entry::Entry;
use crate::fetch::freshness::{Headers, Rule};
use crate::time::UnixTime;

fn entry(url: &str, body: &[u8]) -> Entry {
    let now = UnixTime::from_seconds(1_777_896_000);
    let headers = Headers::default();
    let validity = headers.validity(&Rule::CERTIFICATE, now, now, None);
    Entry { url: url.to_owned(), sha256: sha256(body), length: body.len(), fetched_at: now, validity, headers }
}

fn found(store: &Store, kind: Kind, url: &str) -> Option<Vec<u8>> {
    match store.load(kind, url, 1000) {
        Loaded::Found(entry, body) => {
            assert_eq!(entry.url, url);
            Some(body.to_vec())
        }
        Loaded::Missing => None,
        Loaded::Damaged(path) => panic!("{} is damaged", path.display()),
    }
}

#[test]
fn what_is_kept_is_found_under_its_url_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 1_000_000).unwrap();
    let (a, b) = ("https://a.example/a.pem", "https://a.example/b.pem");
    store.keep(Kind::Certificate, &entry(a, b"one"), b"one").unwrap();
    store.keep(Kind::Crl, &entry(a, b"two"), b"two").unwrap();
    store.keep(Kind::Certificate, &entry(b, b"one"), b"one").unwrap();
    let again = Store::open(folder.path(), 1_000_000).unwrap();
    assert_eq!(found(&again, Kind::Certificate, a).as_deref(), Some(b"one".as_slice()));
    assert_eq!(found(&again, Kind::Certificate, b).as_deref(), Some(b"one".as_slice()));
    assert_eq!(found(&again, Kind::Crl, a).as_deref(), Some(b"two".as_slice()));
    assert_eq!(found(&again, Kind::TrustList, a), None);
    assert!(again.bytes() > 9);
    again.keep(Kind::Certificate, &entry(a, b"three"), b"three").unwrap();
    assert_eq!(found(&again, Kind::Certificate, a).as_deref(), Some(b"three".as_slice()));
}

#[test]
fn what_is_longer_than_is_read_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 1_000_000).unwrap();
    let body = [b'x'; 1001];
    store.keep(Kind::Certificate, &entry("https://a.example/", &body), &body).unwrap();
    assert!(matches!(store.load(Kind::Certificate, "https://a.example/", 1000), Loaded::Missing));
}

#[test]
fn crls_and_lists_make_no_room_for_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 3_000).unwrap();
    store.keep(Kind::TrustList, &entry("https://list.example/", b"the last good one"), b"the last good one").unwrap();
    for number in 0..40 {
        let body = format!("{number}").repeat(50);
        store
            .keep(Kind::Certificate, &entry(&format!("https://a.example/{number}"), body.as_bytes()), body.as_bytes())
            .unwrap();
    }
    assert!(found(&store, Kind::TrustList, "https://list.example/").is_some());
    assert!(found(&store, Kind::Certificate, "https://a.example/0").is_none());
    assert!(found(&store, Kind::Certificate, "https://a.example/39").is_some());
}

#[test]
fn an_entry_of_another_url_is_none() {
    // As two URLs of one hash would be, or a file that somebody renamed.
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 1_000_000).unwrap();
    store.keep(Kind::Certificate, &entry("https://a.example/", b"one"), b"one").unwrap();
    let (from, to) = ("https://a.example/", "https://b.example/");
    std::fs::rename(store.entry_path(Kind::Certificate, from), store.entry_path(Kind::Certificate, to)).unwrap();
    assert!(matches!(store.load(Kind::Certificate, to, 1000), Loaded::Damaged(_)));
    assert!(found(&store, Kind::Certificate, to).is_none());
}
