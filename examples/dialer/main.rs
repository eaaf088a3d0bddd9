//! Writes the call records of the dialer case: `cargo run --example dialer`.
//!
//! All of it is made up, and the same every time: the traffic comes from a fixed seed, the PASSporTs are signed with the
//! lab's throw-away keys in `certs/`, deterministically (RFC 6979).

#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example talks to whoever runs it")]

use std::fmt::Write as _;

use stirtrace::number::{Identity, NumberPlan};
use stirtrace::passport::Attestation;
use stirtrace::sign::{SignRequest, Signer};
use stirtrace::time::UnixTime;

/// The origid that Twill gives to all calls of its customer, the dialer.
const DIALER: &str = "5b0f6c1e-2b54-4c39-9b1a-0e5a2f3c4d01";
/// The origid that Larkspur gives to what enters by one of its gateways.
const GATEWAY: &str = "c1a3d8f0-7e21-4d55-8f0e-3b9d6a1c2e77";
/// The origid of our own customer.
const BLUESTEM: &str = "0d9c52b4-41aa-4a7e-9c66-5f2b8e7a1d10";

const HEADER: &str = "start,answer,end,calling,called,original_called,ingress_trunk,ingress_address,ingress_call_id,\
    egress_trunk,egress_address,egress_call_id,sip_status,q850,identity,diversion\n";

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dialer/cdr");
    for (name, text) in files() {
        #[expect(clippy::disallowed_methods, reason = "it is there to write these files")]
        std::fs::write(folder.join(&name), text).expect("the folder examples/dialer/cdr can be written");
        println!("{name}");
    }
}

/// The files by name.
pub(crate) fn files() -> Vec<(String, String)> {
    let mut core = World::new(1);
    core.traffic("2026-05-04T00:00:00Z", 2 * 24 * 3600, &[]);
    core.cases();
    let mut edge = World::new(2);
    // The edge switch lost its records of an afternoon.
    edge.traffic("2026-05-04T00:00:00Z", 2 * 24 * 3600, &[("2026-05-05T17:00:00Z", "2026-05-05T20:00:00Z")]);
    vec![
        ("core-2026-05-04.csv".to_owned(), core.text(|second| second < day(5), &utc)),
        ("core-2026-05-05.csv".to_owned(), core.text(|second| second >= day(5), &utc)),
        ("edge-2026-05.csv".to_owned(), edge.text(|_| true, &chicago)),
    ]
}

fn day(day: i64) -> i64 {
    at("2026-05-04T00:00:00Z") + (day - 4) * 24 * 3600
}

fn at(text: &str) -> i64 {
    UnixTime::parse_rfc3339(text).expect("a time").seconds()
}

fn utc(second: i64) -> String {
    UnixTime::from_seconds(second).to_string()
}

/// The edge switch writes local time without a zone, as many do; in May Chicago is five hours behind.
fn chicago(second: i64) -> String {
    utc(second - 5 * 3600).replace('T', " ").replace('Z', "")
}

struct Signers {
    cascade: Signer,
    larkspur: Signer,
    twill: Signer,
}

impl Signers {
    fn new() -> Self {
        let signer =
            |key: &[u8], certificate: &[u8], x5u| Signer::new(key, certificate, x5u).expect("the lab's key fits");
        Self {
            cascade: signer(
                include_bytes!("../../certs/keys/cascade.pem"),
                include_bytes!("../../certs/archive/certificates.lab.example/cascade.pem"),
                "https://certificates.lab.example/cascade.pem",
            ),
            larkspur: signer(
                include_bytes!("../../certs/keys/larkspur.pem"),
                include_bytes!("../../certs/archive/certificates.lab.example:8443/larkspur.pem"),
                "https://certificates.lab.example:8443/larkspur.pem",
            ),
            twill: signer(
                include_bytes!("../../certs/keys/twill.pem"),
                include_bytes!("../../certs/archive/certificates.lab.example/twill.pem"),
                "https://certificates.lab.example/twill.pem",
            ),
        }
    }
}

struct World {
    signers: Signers,
    random: u64,
    rows: Vec<(i64, Row)>,
}

#[derive(Clone, Copy)]
struct Row {
    calling: u64,
    called: u64,
    from: (&'static str, &'static str),
    to: (&'static str, &'static str),
    answered: Option<i64>,
    lasts: i64,
    id: u64,
    status: u16,
    signed: Signed,
}

#[derive(Clone, Copy)]
enum Signed {
    No,
    ByTwill,
    ByLarkspur,
    ByUs,
}

const TWILL: (&str, &str) = ("tg-twill-1", "198.51.100.7");
const HARBOR: (&str, &str) = ("tg-harbor", "203.0.113.20");
const LARKSPUR: (&str, &str) = ("tg-larkspur", "203.0.113.150");
const BLUESTEM_TRUNK: (&str, &str) = ("tg-bluestem", "198.51.100.200");
const PRAIRIE: (&str, &str) = ("tg-prairie", "192.0.2.10");
const QUARRY: (&str, &str) = ("tg-quarry", "192.0.2.140");

impl World {
    fn new(seed: u64) -> Self {
        Self { signers: Signers::new(), random: seed, rows: Vec::new() }
    }

    /// SplitMix64.
    fn next(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn number(&mut self, areas: &[u64]) -> u64 {
        let area = areas[usize::try_from(self.next(areas.len().try_into().unwrap_or(1))).unwrap_or(0)];
        10_000_000_000 + area * 10_000_000 + 5_550_100 + self.next(100)
    }

    /// A few calls an hour, day and night; a third are the dialer's, short and signed.
    fn traffic(&mut self, from: &str, seconds: i64, gaps: &[(&str, &str)]) {
        let (mut now, end) = (at(from), at(from) + seconds);
        while now < end {
            now += 300 + i64::try_from(self.next(1500)).unwrap_or(0);
            let row = self.row();
            if !gaps.iter().any(|(from, to)| (at(from)..at(to)).contains(&now)) {
                self.rows.push((now, row));
            }
        }
    }

    fn row(&mut self) -> Row {
        let (calling, called) = (self.number(&[303, 312, 515]), self.number(&[402, 612, 701, 816]));
        let (from, signed, lasts) = match self.next(6) {
            0 | 1 => (TWILL, Signed::ByTwill, 4 + self.next(12)),
            2 => (HARBOR, Signed::ByTwill, 4 + self.next(12)),
            3 => (HARBOR, Signed::No, 30 + self.next(300)),
            4 => (LARKSPUR, Signed::ByLarkspur, 30 + self.next(300)),
            _ => (LARKSPUR, Signed::No, 30 + self.next(300)),
        };
        let to = if self.next(3) == 0 { QUARRY } else { PRAIRIE };
        let answered = (self.next(4) > 0).then_some(3);
        let status = if answered.is_some() { 200 } else { 487 };
        let id = self.next(u64::MAX);
        Row { calling, called, from, to, answered, lasts: i64::try_from(lasts).unwrap_or(0), id, status, signed }
    }

    /// The calls that somebody asks about.
    fn cases(&mut self) {
        let id = |n: u64| 0xd1a1_e500_0000_0000 + n;
        let call = |calling, called, from, signed, n| Row {
            calling,
            called,
            from,
            to: PRAIRIE,
            answered: Some(4),
            lasts: 11,
            id: id(n),
            status: 200,
            signed,
        };
        let mut put = |time: &str, row| self.rows.push((at(time), row));
        // TB-2026-0001: straight from the CPaaS, three seconds before the complaint's time.
        put("2026-05-04T16:21:08Z", call(12_155_550_112, 12_155_550_131, TWILL, Signed::ByTwill, 1));
        // TB-2026-0002: through a wholesaler; the first route did not answer, the second did.
        let wholesale = call(12_155_550_113, 12_155_550_132, HARBOR, Signed::ByTwill, 2);
        put("2026-05-04T18:02:40Z", Row { to: QUARRY, answered: None, lasts: 6, status: 503, ..wholesale });
        put("2026-05-04T18:02:46Z", wholesale);
        // TB-2026-0003: nobody signed.
        put("2026-05-04T19:45:12Z", call(12_155_550_114, 12_155_550_133, LARKSPUR, Signed::No, 3));
        // TB-2026-0004: the same pair twice within a minute, by two wholesalers.
        put("2026-05-05T14:30:09Z", call(12_155_550_115, 12_155_550_134, HARBOR, Signed::ByTwill, 4));
        put("2026-05-05T14:30:51Z", call(12_155_550_115, 12_155_550_134, LARKSPUR, Signed::No, 5));
        // TB-2026-0005: the complaint has another calling number than we had.
        put("2026-05-05T15:10:30Z", call(12_155_550_116, 12_155_550_135, LARKSPUR, Signed::ByLarkspur, 6));
        // TB-2026-0008: a call that our own customer made.
        put("2026-05-05T13:05:00Z", call(12_155_550_119, 12_155_550_138, BLUESTEM_TRUNK, Signed::ByUs, 7));
    }

    fn text(&self, wanted: impl Fn(i64) -> bool, clock: &dyn Fn(i64) -> String) -> String {
        let mut rows: Vec<&(i64, Row)> = self.rows.iter().filter(|(second, _)| wanted(*second)).collect();
        rows.sort_by_key(|(second, row)| (*second, row.id));
        let mut text = HEADER.to_owned();
        for (second, row) in rows {
            self.line(*second, row, clock, &mut text);
        }
        text
    }

    fn line(&self, second: i64, row: &Row, clock: &dyn Fn(i64) -> String, text: &mut String) {
        let answered = row.answered.map(|after| clock(second + after)).unwrap_or_default();
        let ended = clock(second + row.answered.unwrap_or(0) + row.lasts);
        let cause = if row.answered.is_some() { 16 } else { 19 };
        let identity = self.identity(second, row).map(|value| format!("\"{value}\"")).unwrap_or_default();
        let _ = writeln!(
            text,
            "{},{answered},{ended},+{},+{},,{},{},{:016x}@{},{},{},{:016x}@cascade.example,{},{cause},{identity},",
            clock(second),
            row.calling,
            row.called,
            row.from.0,
            row.from.1,
            row.id,
            row.from.1,
            row.to.0,
            row.to.1,
            row.id.rotate_left(17),
            row.status,
        );
    }

    fn identity(&self, second: i64, row: &Row) -> Option<String> {
        let (signer, attest, origid) = match row.signed {
            Signed::No => return None,
            Signed::ByTwill => (&self.signers.twill, Attestation::B, DIALER),
            Signed::ByLarkspur => (&self.signers.larkspur, Attestation::C, GATEWAY),
            Signed::ByUs => (&self.signers.cascade, Attestation::A, BLUESTEM),
        };
        let party = |number: u64| {
            let number = NumberPlan::NORTH_AMERICAN.canonicalise(&format!("+{number}"));
            Identity::Number(number.expect("a number"))
        };
        let request = SignRequest::shaken(attest, origid, party(row.calling), vec![party(row.called)]);
        // A second lies between signing and our switch; the attempts of one call carry one PASSporT.
        let signed_at =
            UnixTime::from_seconds(if row.status == 200 && row.id & 0xffff == 2 { second - 7 } else { second - 1 });
        Some(signer.sign(&request, signed_at).expect("the lab's certificate may sign this").to_string())
    }
}
