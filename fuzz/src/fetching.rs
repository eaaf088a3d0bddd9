//! Fetching: what is kept on disk, what answers say of their freshness, where URLs lead.

use aws_lc_rs::digest::{SHA256, digest};
use stirtrace::fetch::entry::Entry;
use stirtrace::fetch::freshness::{Headers, Rule, State};
use stirtrace::fetch::history::History;
use stirtrace::fetch::location::{Host, Location};
use stirtrace::time::UnixTime;

const NOW: UnixTime = UnixTime::from_seconds(1_777_896_000);

/// Entries and histories: what reads prints and reads again as the same. The hash is put right, or nothing would be read.
pub fn cache_entry(data: &[u8]) {
    let mut sealed = Vec::new();
    for line in data.split(|c| *c == b'\n') {
        let hash = digest(&SHA256, line).as_ref().iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        sealed.extend([hash.as_bytes(), b" ", line, b"\n"].concat());
    }
    for bytes in [data, &sealed] {
        if let Ok(entry) = Entry::parse(bytes) {
            assert_eq!(Entry::parse(entry.print().as_bytes()), Ok(entry), "an entry does not print as read");
        }
        let url = "https://certificates.example/a.pem";
        let history = History::parse(url, bytes);
        assert!(history.spans.len() <= History::MAX_SPANS);
        let again = History::parse(url, history.print(url).as_bytes());
        assert_eq!((&again.spans, again.damaged), (&history.spans, 0), "a history does not print as read");
        assert!(history.candidates(NOW).len() <= history.spans.len());
        assert_eq!(history.candidates(NOW).is_empty(), history.spans.is_empty());
    }
}

/// The fields of an answer, a line each: whatever they say, it is kept within the bounds of its rule.
pub fn freshness(data: &[u8]) {
    let lines = data.split(|c| *c == b'\n').filter_map(|line| {
        let colon = line.iter().position(|c| *c == b':')?;
        Some((std::str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
    });
    let headers = Headers::read(lines);
    for tag in [headers.etag(), headers.last_modified()].into_iter().flatten() {
        assert!(tag.bytes().all(|c| matches!(c, b' '..=b'~' | b'\t')), "what is sent back would divide the header");
    }
    for rule in [Rule::CERTIFICATE, Rule::CRL, Rule::TRUST_LIST] {
        let validity = headers.validity(&rule, NOW.plus_seconds(-2), NOW, None);
        assert!((rule.least..=rule.most).contains(&validity.lifetime()));
        assert_eq!(validity.at(NOW), State::Fresh);
        assert_ne!(validity.at(NOW.plus_seconds(rule.most)), State::Fresh);
        let ended = headers.validity(&rule, NOW, NOW, Some(NOW.plus_seconds(-1)));
        assert!(ended.lifetime() <= 300, "kept beyond its own end");
    }
    let updated = headers.clone().updated_by(headers.clone());
    assert_eq!(updated.etag(), headers.etag());
}

/// URLs: what is accepted has one host and one port, whoever reads it.
pub fn location(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(location) = Location::parse(text) else { return };
    assert!(matches!(location.port(), 443 | 8443));
    assert!(text.is_ascii() && !text.contains(['@', '?', '#', '\\', ' ', '\t', '\r', '\n']));
    match location.host() {
        Host::Name(name) => {
            assert!(name.contains('.') && !name.ends_with('.') && name.len() <= 253);
            assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_.".contains(&c)));
            let last = name.rsplit('.').next().unwrap_or_default();
            assert!(!last.bytes().all(|c| c.is_ascii_digit()), "a name that some read as an address");
        }
        Host::Address(address) => assert!(text.contains(&address.to_string()) || address.is_ipv6()),
    }
}
