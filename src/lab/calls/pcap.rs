//! A capture of INVITEs with Identity: fragmented UDP and TCP mixed, for speed and for practice (RFC 3261, RFC 8588).
#![expect(clippy::disallowed_methods, reason = "an edge: files are its business")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use rayon::prelude::*;

use super::cast::{PROVIDERS, Worth};
use super::random::{Random, hash, part};
use super::{Error, folder};
use crate::identity_header::IdentityHeader;
use crate::lab::key::{KeyKind, LabKey, Seed};
use crate::lab::pki;
use crate::passport::{Claims, Destination, Header, Party, Passport};
use crate::time::UnixTime;

/// What a capture is made from: the same settings give the same bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaptureSettings {
    /// Everything that looks like chance comes from this text.
    pub seed: String,
    /// When its first packet was captured.
    pub start: UnixTime,
    /// How many INVITEs there are.
    pub calls: u64,
}

/// Writes `calls.pcap` and `certs/` below a folder: a new one, an empty one, or an earlier world, which is replaced.
///
/// # Errors
/// When the folder holds other things, or a file cannot be written.
pub fn write_capture(settings: &CaptureSettings, folder: &Path) -> Result<(), Error> {
    folder::clear(folder)?;
    let pki = pki::Settings {
        seed: settings.seed.clone(),
        start: settings.start.plus_seconds(-123 * 86_400),
        ..pki::Settings::default()
    };
    pki::generate(&pki)?.write_to(&folder.join("certs"))?;
    folder::write(folder, "world.json", &format!("{{\"calls\":{}}}\n", settings.calls))?;
    folder::write(folder, "README.md", README)?;
    let path = folder.join("calls.pcap");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(|reason| Error::io(&path, reason))?);
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(|reason| Error::io(&path, reason));
    put(&file_header())?;
    let signers = signers(&settings.seed)?;
    let blocks: Vec<u64> = (0..settings.calls.div_ceil(BLOCK)).collect();
    for batch in blocks.chunks(BLOCKS_AT_ONCE) {
        let make = |block: &u64| Block { settings, signers: &signers, number: *block }.packets();
        let made: Vec<Vec<u8>> = batch.par_iter().map(make).collect();
        made.iter().try_for_each(|bytes| put(bytes))?;
    }
    file.flush().map_err(|reason| Error::io(&path, reason))
}

const README: &str = "# A capture to practise with

`calls.pcap` holds INVITEs with Identity, over UDP in fragments and over TCP, made by `stirtrace lab calls --pcap`. One in
a hundred was signed for somebody else. Nobody in it exists, and the keys are worthless.

    stirtrace verify calls.pcap --trust certs/roots.pem --certs certs/archive --summary
";

/// So many calls are made by one core, and share a TCP connection.
const BLOCK: u64 = 64;
const BLOCKS_AT_ONCE: usize = 256;

/// One call every so many microseconds.
const PACE: u64 = 500;

/// Who signs: everybody whose certificate is good.
struct Signer {
    url: &'static str,
    key: LabKey,
}

fn signers(seed: &str) -> Result<Vec<Signer>, Error> {
    let seed = Seed::new(seed);
    let leaves = PROVIDERS.iter().filter_map(|provider| provider.leaf).filter(|leaf| leaf.worth == Worth::Good);
    leaves.map(|leaf| Ok(Signer { url: leaf.url, key: LabKey::derive(&seed, leaf.name, KeyKind::P256)? })).collect()
}

/// A pcap header of microseconds and Ethernet (draft-ietf-opsawg-pcap §4).
fn file_header() -> Vec<u8> {
    let numbers: [&[u8]; 5] =
        [&0xa1b2_c3d4_u32.to_le_bytes(), &[2, 0, 4, 0], &[0; 8], &262_144_u32.to_le_bytes(), &1_u32.to_le_bytes()];
    numbers.concat()
}

/// Calls one after the other: even ones over UDP, odd ones over the block's TCP connection.
struct Block<'a> {
    settings: &'a CaptureSettings,
    signers: &'a [Signer],
    number: u64,
}

impl Block<'_> {
    fn packets(&self) -> Vec<u8> {
        let first = self.number * BLOCK;
        let last = (first + BLOCK).min(self.settings.calls);
        let mut wire = Wire { out: Vec::new(), clock: 0, block: self.number, sequence: low(hash(&[self.number])) };
        wire.clock = self.time(first);
        wire.segment(SYN, &[]);
        wire.sequence = wire.sequence.wrapping_add(1);
        for call in first..last {
            wire.clock = self.time(call);
            let message = self.invite(call);
            if call.is_multiple_of(2) {
                wire.datagram(call, &message);
            } else {
                message.chunks(SEGMENT).for_each(|bytes| wire.segment(ACK, bytes));
            }
        }
        wire.segment(ACK | FIN, &[]);
        wire.out
    }

    /// Microseconds since 1970.
    fn time(&self, call: u64) -> u64 {
        u64::try_from(self.settings.start.seconds()).unwrap_or(0) * 1_000_000 + call * PACE
    }

    fn invite(&self, call: u64) -> Vec<u8> {
        let mut random = Random::of(&[part(self.settings.seed.len()), call]);
        let seconds = self.time(call) / 1_000_000;
        let number = |random: &mut Random, area: &str| format!("1{area}55501{:02}", random.below(100));
        let (from, to) = (number(&mut random, "215"), number(&mut random, "303"));
        let signed_to = if random.chance(10) { "13035550000".to_owned() } else { to.clone() };
        let identity = self.identity(&mut random, &from, &signed_to, seconds);
        let (branch, tag) = (random.next(), random.next());
        let date = UnixTime::from_seconds(i64::try_from(seconds).unwrap_or(0)).to_sip_date().unwrap_or_default();
        let transport = if call.is_multiple_of(2) { "UDP" } else { "TCP" };
        let body = format!(
            "v=0\r\no=- {branch} 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
             m=audio {} RTP/AVP 0 8 18 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\n\
             a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
            20_000 + 2 * random.below(10_000)
        );
        format!(
            "INVITE sip:+{to}@prairie.example;user=phone SIP/2.0\r\n\
             Via: SIP/2.0/{transport} 198.51.100.7:5060;branch=z9hG4bK{branch:016x}\r\nMax-Forwards: 69\r\n\
             From: <sip:+{from}@twill.example;user=phone>;tag={tag:016x}\r\nTo: <sip:+{to}@prairie.example;user=phone>\r\n\
             Call-ID: {call}-{tag:016x}@twill.example\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:+{from}@198.51.100.7:5060;transport={}>\r\n\
             Allow: INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, OPTIONS\r\nSupported: timer, 100rel, replaces\r\n\
             Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\nUser-Agent: lab\r\n\
             P-Asserted-Identity: <sip:+{from}@twill.example;user=phone>\r\nDate: {date}\r\nIdentity: {identity}\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            transport.to_ascii_lowercase(),
            body.len()
        )
        .into_bytes()
    }

    fn identity(&self, random: &mut Random, from: &str, to: &str, seconds: u64) -> String {
        let Some(signer) = random.pick(self.signers) else { return String::new() };
        let one = random.below(40);
        let other = hash(&[one, part(signer.url.len())]);
        let attest = if random.chance(600) { "A" } else { "B" };
        let origid = format!("{one:08x}-0000-4000-8000-{:012x}", other & 0xffff_ffff_ffff);
        let claims = Claims {
            attest: Some(attest.to_owned()),
            origid: Some(origid),
            dest: Some(Destination::new(vec![to.to_owned()], Vec::new())),
            orig: Some(Party::Number(from.to_owned())),
            iat: i64::try_from(seconds).ok().map(UnixTime::from_seconds),
            canonical: true,
            ..Claims::default()
        };
        let input = Passport::signing_input_of(&Header::new(Some("shaken"), signer.url), &claims);
        let signature = signer.key.sign_es256(input.as_bytes()).unwrap_or_default();
        let token = Passport::token_of(&input, &signature);
        IdentityHeader::new(token, signer.url.to_owned(), Some("shaken".to_owned())).to_string()
    }
}

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const FIN: u8 = 0x01;

/// What fits into a packet of 1,500 bytes: a TCP segment, and a fragment of a multiple of eight.
const SEGMENT: usize = 1460;
const FRAGMENT: usize = 1480;

/// Packets as they are written.
struct Wire {
    out: Vec<u8>,
    clock: u64,
    block: u64,
    sequence: u32,
}

impl Wire {
    fn segment(&mut self, flags: u8, bytes: &[u8]) {
        // The block's own port, so that connections do not mix.
        let port = 10_000 + u16::try_from(self.block % 50_000).unwrap_or(0);
        let parts: [&[u8]; 5] = [
            &port.to_be_bytes(),
            &5060_u16.to_be_bytes(),
            &self.sequence.to_be_bytes(),
            &[0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
            bytes,
        ];
        self.sequence = self.sequence.wrapping_add(u32::try_from(bytes.len()).unwrap_or(0));
        self.packet(6, 0, 0x4000, &parts.concat());
    }

    /// RFC 768, in as many fragments as it takes (RFC 791 §3.2).
    fn datagram(&mut self, call: u64, message: &[u8]) {
        let length = u16::try_from(message.len() + 8).unwrap_or(u16::MAX);
        let head: [&[u8]; 4] = [&5060_u16.to_be_bytes(), &5060_u16.to_be_bytes(), &length.to_be_bytes(), &[0, 0]];
        let datagram = [&head.concat(), message].concat();
        let last = datagram.len().div_ceil(FRAGMENT).saturating_sub(1);
        let identification = u16::try_from(call / 2 % 65_536).unwrap_or(0);
        for (index, bytes) in datagram.chunks(FRAGMENT).enumerate() {
            let offset = u16::try_from(index * FRAGMENT / 8).unwrap_or(0);
            let more = if index < last { 0x2000 } else { 0 };
            self.packet(17, identification, more | offset, bytes);
        }
    }

    fn packet(&mut self, protocol: u8, identification: u16, flags: u16, payload: &[u8]) {
        let total = u16::try_from(payload.len() + 20).unwrap_or(u16::MAX);
        let mut header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 198, 51, 100, 7, 203, 0, 113, 9];
        header[2..4].copy_from_slice(&total.to_be_bytes());
        header[4..6].copy_from_slice(&identification.to_be_bytes());
        header[6..8].copy_from_slice(&flags.to_be_bytes());
        let sum = checksum(&header).to_be_bytes();
        header[10..12].copy_from_slice(&sum);
        let length = 14 + u32::from(total);
        for number in [low(self.clock / 1_000_000), low(self.clock % 1_000_000), length, length] {
            self.out.extend(number.to_le_bytes());
        }
        self.out.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
        self.out.extend(header);
        self.out.extend(payload);
        self.clock += 10;
    }
}

/// RFC 1071 §1.
fn checksum(header: &[u8]) -> u16 {
    let words = header.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let sum = words.sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or(0)
}

fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or(0)
}
