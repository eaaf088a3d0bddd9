use proptest::prelude::*;

use super::*;
use crate::document::Flaw;

const CASCADE: &str = r#"
lake = "lake"
trust = "trust/roots.pem"
crl = ["trust/a.crl", "trust/b.crl"]

[[network]]
name = "Cascade Transit"
spc = "771C"
country = "us"
time_zone = "America/Chicago"

[[network.source]]
files = "cdr/cascade-*.csv"
format = "stirtrace"
time_zone = "UTC"
gap = "90m"

[[network.peer]]
name = "Twill Communications"
spc = "552D"
trunks = ["tg-twill-1", { name = "tg-shared", tech_prefix = "7733#" }]
addresses = ["198.51.100.0/24", "2001:db8:552::/48"]

[[network.peer]]
name = "Harbor Wholesale"
until = 2026-03-31
trunks = ["tg-harbor", "tg-shared"]
addresses = ["198.51.100.128/25"]

[[network.peer]]
name = "Lark Wholesale"
kind = "customer"
from = "2026-04-01"
trunks = ["tg-harbor"]
"#;

fn cascade() -> Network {
    Configuration::parse(CASCADE.as_bytes()).unwrap().networks.remove(0)
}

fn at(text: &str) -> UnixTime {
    UnixTime::parse_rfc3339(text).unwrap()
}

fn peer<'a>(network: &'a Network, trunk: Option<&str>, address: Option<&str>, time: &str) -> Option<&'a str> {
    let link = LinkName::new(trunk, address.map(|text| text.parse().unwrap()));
    network.peer_of(&link, at(time)).map(|peer| peer.name.as_str())
}

fn errors(text: &str) -> Vec<String> {
    Configuration::parse(text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_is_read_as_it_stands() {
    let configuration = Configuration::parse(CASCADE.as_bytes()).unwrap();
    assert_eq!(configuration.trust, ["trust/roots.pem"]);
    assert_eq!(configuration.crl.len(), 2);
    let network = &configuration.networks[0];
    assert_eq!((network.spc.as_deref(), network.country.as_deref()), (Some("771C"), Some("US")));
    assert_eq!(network.time_zone.as_ref().unwrap().name(), "America/Chicago");
    assert_eq!((network.sources[0].gap, network.sources[0].files.len()), (5400, 1));
    assert_eq!(network.peers[2].kind, PeerKind::Customer);
}

#[test]
fn a_trunk_beats_an_address_and_the_longest_prefix_wins() {
    let network = cascade();
    let march = "2026-03-01T00:00:00Z";
    assert_eq!(peer(&network, Some("tg-twill-1"), Some("198.51.100.200"), march), Some("Twill Communications"));
    assert_eq!(peer(&network, None, Some("198.51.100.200"), march), Some("Harbor Wholesale"));
    assert_eq!(peer(&network, Some("unmapped"), Some("198.51.100.7"), march), Some("Twill Communications"));
    assert_eq!(peer(&network, None, Some("2001:db8:552::9"), march), Some("Twill Communications"));
    assert_eq!(peer(&network, None, Some("203.0.113.1"), march), None);
}

#[test]
fn old_calls_have_old_peers() {
    let network = cascade();
    assert_eq!(peer(&network, Some("tg-harbor"), None, "2026-03-31T23:59:59Z"), Some("Harbor Wholesale"));
    assert_eq!(peer(&network, Some("tg-harbor"), None, "2026-04-01T00:00:00Z"), Some("Lark Wholesale"));
    assert_eq!(peer(&network, None, Some("198.51.100.200"), "2026-04-01T00:00:00Z"), Some("Twill Communications"));
}

#[test]
fn a_technical_prefix_tells_two_peers_of_one_trunk_apart() {
    let network = cascade();
    let link = LinkName { trunk: Some("tg-shared"), address: None, tech_prefix: Some("7733") };
    assert_eq!(network.peer_of(&link, at("2026-03-01T00:00:00Z")).unwrap().name, "Twill Communications");
    assert_eq!(peer(&network, Some("tg-shared"), None, "2026-03-01T00:00:00Z"), Some("Harbor Wholesale"));
}

#[test]
fn faults_point_into_the_file() {
    assert_eq!(
        errors("[[network]]\nname = \"X\"\ntimezone = \"UTC\"\n"),
        ["line 3, column 1: network.timezone: no such key; time_zone?"]
    );
    assert_eq!(
        errors("trust = 7\n[[network]]\nspc = \"771C\"\ntime_zone = \"America/Chicgo\"\n"),
        [
            "line 1, column 9: trust: integer where a string belongs",
            "line 2, column 1: network: the key name is missing",
            "line 4, column 13: network.time_zone: no time zone is named \"America/Chicgo\"; America/Chicago?",
        ]
    );
    assert!(errors("a = \n")[0].starts_with("line 1, column 5: "));
    assert!(
        errors("[[network]]\nname=\"X\"\n[[network.source]]\nfiles=\"x\"\nformat=\"stirtrace\"\ngap=\"soon\"\n")[0]
            .contains("\"2h\"")
    );
    assert_eq!(Configuration::parse(b"\xff").unwrap_err()[0].fault, Fault::Form(Flaw::Encoding));
}

#[test]
fn overlaps_are_errors_unless_the_periods_differ() {
    let peers = |second: &str| {
        format!(
            "[[network]]\nname = \"X\"\n[[network.peer]]\nname = \"A\"\nuntil = 2026-01-31\ntrunks = [\"t\"]\n\
             addresses = [\"192.0.2.0/24\"]\n[[network.peer]]\nname = \"B\"\n{second}trunks = [\"t\"]\n\
             addresses = [\"192.0.2.0/24\"]\n"
        )
    };
    let found = errors(&peers(""));
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("the trunk \"t\" belongs to \"A\" already (line 6)"), "{}", found[0]);
    assert!(found[1].contains("192.0.2.0/24 belongs to \"A\" already (line 7)"), "{}", found[1]);
    assert!(Configuration::parse(peers("from = 2026-02-01\n").as_bytes()).is_ok());
    assert!(errors("[[network]]\nname=\"X\"\n[[network]]\nname=\"X\"\n")[0].contains("line 1 already"));
}

#[test]
fn a_period_that_ends_before_it_begins_is_an_error() {
    let text = "[[network]]\nname=\"X\"\n[[network.peer]]\nname=\"A\"\nfrom=2026-02-01\nuntil=2026-01-31\n";
    assert_eq!(Configuration::parse(text.as_bytes()).unwrap_err()[0].fault, Fault::EndsBeforeItBegins);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = Configuration::parse(&bytes);
    }

    #[test]
    fn no_toml_panics(text in "(\\[\\[network(\\.peer|\\.source)?\\]\\]\n|(name|trunks|addresses|from|gap) = (1|\"x\"|\\[\\]|\\[1\\]|\\{\\}|2026-01-01|12:00:00)\n){0,12}") {
        let _ = Configuration::parse(text.as_bytes());
    }
}
