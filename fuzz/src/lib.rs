//! What each fuzz target does with its bytes. `tests/fuzz_corpus.rs` runs the same over the corpus, on every test run.
//!
//! No target only waits for a panic: what was read must print and read again as the same, and keep its limits.

pub mod captures;
pub mod fetching;
pub mod service;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{SigningKey, VerifyingKey};
use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{FieldBytes, ProjectivePoint, Scalar};
use stirtrace::cdr::{Format, MAX_VALUES, Settings};
use stirtrace::certificate::bundle::{Bundle, Limits};
use stirtrace::certificate::chain::{LinkCache, Path};
use stirtrace::certificate::claim_constraints::ClaimConstraints;
use stirtrace::certificate::crl::{Crl, Status};
use stirtrace::certificate::profile;
use stirtrace::certificate::tn_auth_list::{Encompassing, TnAuthList};
use stirtrace::es256::{Batch, Digest, KeyTable, PublicKey, Signature, Width};
use stirtrace::identity_header::{self, IdentityHeader};
use stirtrace::number::{Identity, NumberPlan};
use stirtrace::passport::{MAX_DESTINATIONS, MAX_PRIORITIES, Passport, Token};
use stirtrace::rich_call_data::RichCallData;
use stirtrace::sip::call::Call;
use stirtrace::sip::message::{Message, messages};
use stirtrace::sip::service_urn;
use stirtrace::sip::uri::Address;
use stirtrace::time::UnixTime;
use stirtrace::zone::Zone;

/// Files of messages: every message prints as it was read, and what it says of places is true.
pub fn sip_message(data: &[u8]) {
    for found in messages(data) {
        let Ok(message) = found.message else { continue };
        assert!(data[found.offset..].starts_with(&message.print()), "not printed as read");
        let fields: Vec<_> = message.fields().collect();
        assert!(fields.len() <= Message::MAX_FIELDS);
        for field in &fields {
            assert!(data[field.value_offset()..].starts_with(field.value()), "value not where it should be");
            assert!(!field.text().contains('\n'), "a fold is left");
        }
        let call = Call::from_message(&message, &NumberPlan::NORTH_AMERICAN);
        assert!(call.identities.len() <= Call::MAX_IDENTITIES);
        for identity in call.asserted.iter().chain(&call.from).chain(&call.to).chain(&call.request_uri) {
            check_identity(identity);
        }
    }
    if let Ok((message, consumed)) = Message::parse_truncated(data) {
        assert_eq!(data[message.offset()..consumed], message.print(), "a datagram does not print as read");
    }
}

/// A canonical identity read again is itself.
fn check_identity(identity: &Identity) {
    let plan = NumberPlan::NORTH_AMERICAN;
    match identity {
        Identity::Number(number) => assert!(number.as_str().bytes().all(|c| b"0123456789#*".contains(&c))),
        Identity::Uri(uri) => {
            let again = service_urn(uri).or_else(|| uri.parse::<Address>().ok()?.uri.canonical());
            assert_eq!(again.as_ref(), Some(uri), "not canonical under {plan:?}");
        }
        _ => {}
    }
}

/// Identity values: one that is read prints as RFC 8224 has it and reads again as the same parts.
pub fn identity_header(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for value in identity_header::split(&text).take(32) {
        assert!(value.len() <= text.len());
        let header = match IdentityHeader::parse(value) {
            Ok(header) => header,
            Err(error) => {
                assert!(error.offset().is_none_or(|offset| offset <= value.len()), "{error} points outside");
                continue;
            }
        };
        assert!(value[header.token_offset..].starts_with(&header.token));
        assert!(header.parameters.len() <= identity_header::MAX_PARAMETERS + 1);
        let _ = Token::parse(&header.token);
        let plain = |text: &Option<String>| text.iter().all(|text| text.bytes().all(|c| c.is_ascii_alphanumeric()));
        if header.info.as_ref().is_some_and(|info| !info.contains('>')) && plain(&header.alg) && plain(&header.ppt) {
            let again = IdentityHeader::parse(&header.to_string()).expect("what is printed is read");
            assert_eq!((&again.token, &again.info), (&header.token, &header.info));
            assert_eq!((&again.alg, &again.ppt), (&header.alg, &header.ppt));
        }
    }
}

/// Tokens: the signed bytes are those received, and the compact form of a canonical token rebuilds it.
pub fn passport(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Token::parse(text) {
        Ok(Token::Full(passport)) => check_passport(text, &passport),
        Ok(Token::Compact(compact)) => {
            let again = Token::parse(&compact.to_text()).expect("what is printed is read");
            assert_eq!(again, Token::Compact(compact));
        }
        Ok(_) => {}
        Err(error) => assert!(error.offset().is_none_or(|offset| offset <= text.len()), "{error} points outside"),
    }
}

fn check_passport(text: &str, passport: &Passport) {
    assert_eq!(passport.as_str(), text);
    let signed = std::str::from_utf8(passport.signing_input()).expect("ASCII");
    assert!(text.contains(signed), "the signed bytes are not those received");
    let called = passport.claims().dest.as_ref().map_or(0, |dest| dest.parties().count());
    assert!(called <= 2 * MAX_DESTINATIONS);
    assert!(passport.claims().rph.as_ref().is_none_or(|rph| (1..=MAX_PRIORITIES).contains(&rph.len())));
    let canonical = Passport::signing_input_of(passport.header(), passport.claims());
    let token = Passport::token_of(&canonical, passport.signature());
    // Printing drops what the types do not know; what they know must survive.
    if let Ok(again) = Passport::parse(&token) {
        let canonical_again = Passport::signing_input_of(again.header(), again.claims());
        assert_eq!(canonical_again, canonical, "printing twice gives two tokens");
    }
    if let Ok(Token::Compact(compact)) = Token::parse(&passport.to_compact()) {
        assert_eq!(compact.signature(), passport.signature());
        assert_eq!(compact.rebuild(passport.header(), passport.claims()).signing_input(), canonical.as_bytes());
    }
}

/// Rich call data: claims on the first line, what lies at its card's URL after it. Whatever is to be fetched has a digest.
pub fn rich_call_data(data: &[u8]) {
    let (claims, body) = data.split_at(data.iter().position(|c| *c == b'\n').unwrap_or(data.len()));
    let Ok(claims) = serde_json::from_slice::<serde_json::Map<_, _>>(claims) else { return };
    let Ok(Some(own)) = RichCallData::read(&claims) else { return };
    assert!(own.name().is_some() || own.call_reason().is_some(), "it says nothing");
    let _ = own.check_values();
    for resource in own.resources().unwrap_or_default() {
        assert!(own.pointers().any(|pointer| pointer == resource.pointer()), "nothing says what lies at {resource}");
        let _ = resource.check(body);
        for inner in own.within(&resource, body).unwrap_or_default() {
            assert!(resource.is_card() && inner.pointer().starts_with(resource.pointer()) && !inner.is_card());
            assert!(own.pointers().any(|pointer| pointer == inner.pointer()), "nothing says what lies at {inner}");
        }
    }
}

/// TNAuthLists and claim constraints: what is read prints as DER and reads again as the same.
pub fn tn_auth_list(data: &[u8]) {
    match TnAuthList::parse(data) {
        Ok(list) => {
            assert!(list.entries().len() <= TnAuthList::MAX_ENTRIES);
            let again = TnAuthList::parse(&list.to_der()).expect("what is printed is read");
            assert_eq!(again, list);
            assert!(!matches!(list.encompasses(&list), Encompassing::Exceeded { .. }), "a list lies outside itself");
        }
        Err(error) => {
            assert!(error.offset <= data.len(), "{error} points outside");
            assert!(TnAuthList::parse_strict(data).is_err(), "strict reads what lenient refuses");
        }
    }
    if let Ok(constraints) = ClaimConstraints::parse(data) {
        let again = ClaimConstraints::parse(&constraints.to_der()).expect("what is printed is read");
        assert_eq!(again, constraints);
        let _ = constraints.check(&serde_json::Map::new());
    }
    if let Ok(constraints) = ClaimConstraints::parse_enhanced(data) {
        assert_eq!(ClaimConstraints::parse_enhanced(&constraints.to_der()), Ok(constraints));
    }
}

/// CRLs: one that is read is read whole, keeps its limit and judges any certificate.
pub fn crl(data: &[u8]) {
    let Ok(crl) = Crl::from_bytes(data) else { return };
    assert!(crl.len() <= Crl::MAX_ENTRIES);
    // DER, not PEM text that begins with a 0.
    if let [0x30, 0x80..=0xff, .., _] = data {
        assert!(Crl::from_bytes(&data[..data.len() - 1]).is_err(), "a CRL cut short is read");
    }
    let at = UnixTime::from_seconds(1_777_896_001);
    let _ = (crl.freshness(at), crl.number_hex(), crl.is_indirect(), crl.issuer().to_string());
    let bundle = Bundle::read(include_bytes!("../corpus/certificate_chain/twill.pem"), &Limits::UNTRUSTED);
    let bundle = bundle.expect("an honest bundle");
    let (leaf, issuer) = (bundle.leaf(), bundle.certificates.last().expect("one at least"));
    if let Status::Revoked { at: since, .. } = crl.status(leaf, at) {
        assert!(since <= at);
    }
    if let Ok(signer) = crl.check_signer(leaf, issuer, &[], &LinkCache::new(4)) {
        assert_eq!(&signer, issuer, "somebody else may revoke");
    }
}

/// Bundles and paths: an honest leaf under hostile company, and hostile certificates among themselves.
pub fn certificate_chain(data: &[u8]) {
    let Ok(bundle) = Bundle::read(data, &Limits::UNTRUSTED) else { return };
    assert!(bundle.certificates.len() + bundle.problems.len() <= Limits::UNTRUSTED.blocks);
    let links = LinkCache::new(64);
    let at = UnixTime::from_seconds(1_777_896_001);
    for certificate in &bundle.certificates {
        let again = Bundle::read(certificate.der(), &Limits::OWN_FILE).expect("the DER of what was read is read");
        assert_eq!(again.certificates.first(), Some(certificate));
        assert!(profile::lint(certificate).len() < 100, "more findings than rules");
        let _ = (certificate.tn_auth_list().is_ok(), certificate.claim_constraints().is_ok());
    }
    // Nobody is trusted: no path, whatever the bundle holds.
    assert!(Path::find(bundle.leaf(), &bundle.certificates, &[], at, &links).is_err());
    let last = bundle.certificates.last().cloned();
    if let Ok(path) = Path::find(bundle.leaf(), &bundle.certificates, last.as_slice(), at, &links) {
        assert_eq!(path.leaf(), bundle.leaf());
    }
}

/// Call records: the first byte chooses the format; whatever follows ends, keeps its limits, and reads block by block as
/// it reads from end to end.
pub fn cdr(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else { return };
    let names: Vec<&str> = Format::names().collect();
    let format = Format::named(names[usize::from(*choice) % names.len()]).expect("built in");
    check_records(&format, text);
}

fn check_records(format: &Format, text: &[u8]) {
    let settings = || Settings::for_file(1).with_zone(Zone::named("America/Chicago").ok());
    let Ok(mut reader) = format.open(text, settings()) else { return };
    let items: Vec<_> = reader.by_ref().collect();
    let lines = u64::try_from(text.split(|c| *c == b'\n').count()).expect("few");
    let mut last = 0;
    for item in &items {
        let place = match item {
            Ok(record) => {
                assert!(record.identity.len() <= MAX_VALUES && record.diversion.len() <= MAX_VALUES);
                assert!(!record.called.raw.contains('\0') && record.q850.is_none_or(|cause| cause <= 127));
                assert!(record.start_repeated.is_none_or(|later| later > record.start));
                record.place
            }
            Err(bad) => bad.place,
        };
        assert!(place.file == 1 && place.line > last && place.line <= lines, "lines are out of order");
        last = place.line;
    }
    let (parser, blocks) = format.split(text, settings()).expect("it was opened before");
    let mut blocks = blocks.with_size(16);
    let (mut again, mut no_calls) = (Vec::new(), 0);
    while let Some(block) = blocks.next_block().expect("bytes do not break") {
        no_calls += parser.records(&block, &mut |item| again.push(item));
    }
    assert_eq!((again, no_calls), (items, reader.no_calls()), "blocks read differently");
}

/// Mapping files: faults point into the file, and what is read reads rows.
pub fn mapping(data: &[u8]) {
    match Format::mapped("fuzz.toml", data) {
        Ok(format) => check_records(&format, b"a,b,c,d\n2026-05-04 12:00:01,1,\"2\",3\n{\"a\":{\"b\":[1]}}\n"),
        Err(faults) => {
            assert!(!faults.is_empty());
            let lines = data.split(|c| *c == b'\n').count();
            assert!(faults.iter().all(|fault| fault.line >= 1 && fault.line <= lines && fault.column >= 1));
        }
    }
}

/// Signatures: the tables, alone and in batches, judge as p256 and aws-lc-rs do. The first byte chooses a signature made
/// of a secret, a nonce and a message, its sum a doubling or nothing, or one as it stands in the bytes.
pub fn es256(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let Some((secret, rest)) = rest.split_first_chunk::<32>() else { return };
    let Some((nonce, message)) = rest.split_first_chunk::<32>() else { return };
    let Ok(signer) = SigningKey::from_slice(secret) else { return };
    let (secret, nonce) = (*signer.as_nonzero_scalar().as_ref(), reduce(nonce));
    let point = signer.verifying_key().to_sec1_point(false);
    let digest = Digest::of(message);
    let (digest, signature) = match choice % 4 {
        0 | 1 => (*digest.as_bytes(), made(secret, nonce, &reduce(digest.as_bytes()))),
        // z = r d or -r d: u1 G is u2 Q, or its opposite.
        2 => {
            let r = x_of(nonce);
            let z = if choice & 4 == 0 { r * secret } else { -(r * secret) };
            (z.to_repr().into(), made(secret, nonce, &z))
        }
        _ => {
            let Some((signature, _)) = message.split_first_chunk::<64>() else { return };
            (*digest.as_bytes(), *signature)
        }
    };
    let mut signature = signature;
    if choice % 4 == 1 {
        signature[usize::from(choice >> 2)] ^= message.first().copied().unwrap_or(1);
    }
    judge_alike(point.as_bytes(), message, &digest, &signature);
}

fn judge_alike(point: &[u8], message: &[u8], digest: &[u8; 32], signature: &[u8; 64]) {
    let key = PublicKey::from_uncompressed(point).expect("a key of p256");
    let tables = [Width::Five, Width::Six, Width::Eight, Width::Ten].map(|width| KeyTable::new(&key, width));
    let other = VerifyingKey::from_sec1_bytes(point).expect("a key of p256");
    let expected =
        p256::ecdsa::Signature::from_slice(signature).is_ok_and(|read| other.verify_prehash(digest, &read).is_ok());
    if Digest::of(message).as_bytes() == digest {
        let backend = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature);
        assert_eq!(backend.is_ok(), expected, "p256 and aws-lc-rs differ");
    }
    let Ok(read) = Signature::from_bytes(signature) else { return assert!(!expected, "out of range") };
    let (mut batch, digest) = (Batch::new(), Digest::from_bytes(*digest));
    for table in &tables {
        assert_eq!(table.verify_digest(&digest, &read).is_ok(), expected, "alone");
        batch.push(table, digest, read);
    }
    assert!(batch.verify().iter().all(|result| result.is_ok() == expected), "in a batch");
}

fn made(secret: Scalar, nonce: Scalar, z: &Scalar) -> [u8; 64] {
    let r = x_of(nonce);
    let s = Option::<Scalar>::from(nonce.invert()).unwrap_or(Scalar::ZERO) * (z + &(r * secret));
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r.to_repr());
    signature[32..].copy_from_slice(&s.to_repr());
    signature
}

fn x_of(nonce: Scalar) -> Scalar {
    let point = (ProjectivePoint::GENERATOR * nonce).to_affine().to_sec1_point(false);
    point.as_bytes().get(1..33).and_then(|x| x.try_into().ok()).map_or(Scalar::ZERO, reduce)
}

fn reduce(bytes: &[u8; 32]) -> Scalar {
    <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(*bytes))
}
