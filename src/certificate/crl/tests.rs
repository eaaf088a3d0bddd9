use crate::certificate::chain::LinkCache;
use crate::certificate::crl::{Crl, CrlError, Freshness, RevocationReason, SignerError, Status};
use crate::certificate::der::Tag;
use crate::certificate::forge::{CrlDraft, Draft, Issued, NOON, certificate_issuer, element, extension};
use crate::certificate::forge::{KEY_CERT_SIGN, name, pem, sequence};
use crate::time::UnixTime;

const CRL_URL: &str = "https://crl.example/sti.crl";
const NOW: UnixTime = UnixTime::from_seconds(NOON);

/// A CA, its leaf with serial number 7, and the STI-PA's CRL signer, which the leaf names.
struct Case {
    authority: Issued,
    leaf: Issued,
    signer: Issued,
    links: LinkCache,
}

impl Case {
    fn new() -> Self {
        let authority = Draft::authority("SHAKEN CA").self_signed();
        let signer = Draft::authority("STI-PA CRL").self_signed();
        let leaf = Draft { serial: 7, ..Draft::leaf("SHAKEN 1234") }
            .with_crl_issuer(CRL_URL, &name("STI-PA CRL"))
            .issued_by(&authority);
        Self { authority, leaf, signer, links: LinkCache::default() }
    }

    fn check(&self, crl: &Crl, pinned: &[&Issued]) -> Result<String, SignerError> {
        let pinned: Vec<_> = pinned.iter().map(|signer| signer.certificate.clone()).collect();
        let signer = crl.check_signer(&self.leaf.certificate, &self.authority.certificate, &pinned, &self.links)?;
        Ok(signer.subject().to_string())
    }
}

fn read(draft: &CrlDraft, signer: &Issued) -> Crl {
    Crl::from_bytes(&draft.der(&signer.key)).unwrap()
}

fn entry(serial: u64) -> (u64, &'static str, Vec<Vec<u8>>) {
    (serial, "260515000000Z", Vec::new())
}

fn for_issuer(serial: u64, issuer: &str) -> (u64, &'static str, Vec<Vec<u8>>) {
    (serial, "260515000000Z", vec![certificate_issuer(&name(issuer))])
}

#[test]
fn a_direct_crl_revokes_by_serial_number() {
    // F22.
    let case = Case::new();
    let reason = extension("2.5.29.21", false, &element(Tag::ENUMERATED, &[1]));
    let entries = vec![(7, "260515000000Z", vec![reason])];
    let crl = read(&CrlDraft { entries, ..CrlDraft::direct(&case.authority) }, &case.authority);
    let revoked =
        Status::Revoked { at: UnixTime::from_seconds(1_778_803_200), reason: RevocationReason::KeyCompromise };
    assert_eq!(crl.status(&case.leaf.certificate, NOW), revoked);
    assert_eq!(case.check(&crl, &[]).as_deref(), Ok("CN=SHAKEN CA,C=US"));
    assert_eq!(crl.len(), 1);
}

#[test]
fn a_revocation_after_the_instant_does_not_count_for_it() {
    let case = Case::new();
    let crl = read(&CrlDraft { entries: vec![entry(7)], ..CrlDraft::direct(&case.authority) }, &case.authority);
    let at = UnixTime::from_seconds(1_778_803_200);
    let reason = RevocationReason::Unspecified;
    assert_eq!(crl.status(&case.leaf.certificate, at), Status::Revoked { at, reason });
    assert_eq!(crl.status(&case.leaf.certificate, at.plus_seconds(-1)), Status::RevokedLater { at, reason });
}

#[test]
fn an_indirect_crl_revokes_by_issuer_and_serial_number_and_the_issuer_persists() {
    // F22, G34: the first entry is the CRL issuer's own, the others are of the last issuer named.
    let case = Case::new();
    let status = |entries| {
        let crl = read(&CrlDraft { entries, ..CrlDraft::indirect(&case.signer) }, &case.signer);
        assert!(crl.is_indirect());
        matches!(crl.status(&case.leaf.certificate, NOW), Status::Revoked { .. })
    };
    assert!(status(vec![for_issuer(7, "SHAKEN CA")]));
    assert!(status(vec![for_issuer(1, "SHAKEN CA"), entry(2), entry(7)]));
    assert!(status(vec![for_issuer(7, "Another CA"), for_issuer(1, "SHAKEN CA"), entry(7)]));
    // Never by serial number alone.
    assert!(!status(vec![entry(7)]));
    assert!(!status(vec![for_issuer(7, "Another CA"), for_issuer(8, "SHAKEN CA")]));
    assert!(!status(vec![for_issuer(8, "SHAKEN CA"), for_issuer(1, "Another CA"), entry(7)]));
}

#[test]
fn an_indirect_crl_counts_from_a_pinned_signer_whom_the_certificate_names() {
    let case = Case::new();
    let crl =
        read(&CrlDraft { entries: vec![for_issuer(7, "SHAKEN CA")], ..CrlDraft::indirect(&case.signer) }, &case.signer);
    assert_eq!(case.check(&crl, &[&case.signer]).as_deref(), Ok("CN=STI-PA CRL,C=US"));
    let crl_issuer = || "CN=STI-PA CRL,C=US".to_owned();
    assert_eq!(case.check(&crl, &[]), Err(SignerError::NotPinned { crl_issuer: crl_issuer() }));
    // The same name with another key.
    let impostor = Draft::authority("STI-PA CRL").self_signed();
    assert_eq!(case.check(&crl, &[&impostor]), Err(SignerError::BadSignature { signer: crl_issuer() }));
    assert!(case.check(&crl, &[&impostor, &case.signer]).is_ok());
}

#[test]
fn nobody_else_may_revoke() {
    let case = Case::new();
    let other = Draft::authority("Another CA").self_signed();
    let crl = read(&CrlDraft { entries: vec![for_issuer(7, "SHAKEN CA")], ..CrlDraft::indirect(&other) }, &other);
    // Not another CA, even a pinned one: the certificate does not name it.
    assert!(matches!(case.check(&crl, &[&other]), Err(SignerError::NotTheCrlIssuer { .. })));
    // Not the pinned signer with a CRL that is not indirect.
    let direct = read(&CrlDraft { entries: vec![entry(7)], ..CrlDraft::direct(&case.signer) }, &case.signer);
    assert!(matches!(case.check(&direct, &[&case.signer]), Err(SignerError::NotIndirect { .. })));
    // Not a leaf, and not an authority without cRLSign.
    for draft in [Draft::leaf("STI-PA CRL"), Draft { usage: Some(KEY_CERT_SIGN), ..Draft::authority("STI-PA CRL") }] {
        let signer = draft.self_signed();
        let crl = read(&CrlDraft { entries: vec![for_issuer(7, "SHAKEN CA")], ..CrlDraft::indirect(&signer) }, &signer);
        assert!(matches!(case.check(&crl, &[&signer]), Err(SignerError::NotForSigningCrls { .. })));
    }
    // Not the authority's name with another key.
    let forged = read(&CrlDraft { entries: vec![entry(7)], ..CrlDraft::direct(&case.authority) }, &other);
    assert!(matches!(case.check(&forged, &[]), Err(SignerError::BadSignature { .. })));
    // And again, from what the cache remembers.
    assert!(matches!(case.check(&forged, &[]), Err(SignerError::BadSignature { .. })));
}

#[test]
fn an_authority_that_signs_its_crls_with_another_key_counts_where_that_key_is_pinned() {
    // RFC 5280 §6.3.3 (f): the CRL has the authority's name, and a key of its own.
    let case = Case::new();
    let second_key = Draft::authority("SHAKEN CA").self_signed();
    let direct = read(&CrlDraft { entries: vec![entry(7)], ..CrlDraft::direct(&second_key) }, &second_key);
    assert!(matches!(case.check(&direct, &[]), Err(SignerError::BadSignature { .. })));
    assert_eq!(case.check(&direct, &[&case.signer, &second_key]).as_deref(), Ok("CN=SHAKEN CA,C=US"));
}

#[test]
fn a_certificate_that_the_crl_is_not_for_is_not_called_good() {
    let case = Case::new();
    let crl = read(&CrlDraft::indirect(&case.signer), &case.signer);
    assert_eq!(crl.status(&case.leaf.certificate, NOW), Status::NotListed);
    let unnamed = Draft::leaf("SHAKEN 771C").issued_by(&case.authority);
    assert_eq!(crl.status(&unnamed.certificate, NOW), Status::NotCovered);

    let scoped = |point: Vec<Vec<u8>>| {
        let extensions = vec![extension("2.5.29.28", true, &sequence(&point))];
        let crl = read(&CrlDraft { extensions, ..CrlDraft::direct(&case.authority) }, &case.authority);
        crl.status(&case.leaf.certificate, NOW)
    };
    let place = |url: &str| {
        element(Tag::constructed(0), &element(Tag::constructed(0), &element(Tag::primitive(6), url.as_bytes())))
    };
    assert_eq!(scoped(vec![place(CRL_URL)]), Status::NotListed);
    assert_eq!(scoped(vec![place("https://crl.example/other.crl")]), Status::NotCovered);
    assert_eq!(scoped(vec![element(Tag::primitive(1), &[0xff])]), Status::NotListed);
    assert_eq!(scoped(vec![element(Tag::primitive(2), &[0xff])]), Status::NotCovered);
}

#[test]
fn freshness_is_told_for_an_instant() {
    let case = Case::new();
    let crl = read(&CrlDraft::direct(&case.authority), &case.authority);
    let (this_update, next_update) = (UnixTime::from_seconds(1_777_593_600), UnixTime::from_seconds(1_782_864_000));
    assert_eq!(crl.freshness(NOW), Freshness::Current);
    assert_eq!(crl.freshness(next_update), Freshness::Current);
    assert_eq!(crl.freshness(next_update.plus_seconds(1)), Freshness::Stale { next_update });
    assert_eq!(crl.freshness(this_update.plus_seconds(-1)), Freshness::IssuedLater { this_update });
    let endless = read(&CrlDraft { next_update: None, ..CrlDraft::direct(&case.authority) }, &case.authority);
    assert_eq!(endless.freshness(NOW), Freshness::NoNextUpdate);
}

#[test]
fn crls_that_say_only_a_part_or_something_unknown_are_refused() {
    let case = Case::new();
    let refused = |extensions, entries| {
        let draft = CrlDraft { extensions, entries, ..CrlDraft::direct(&case.authority) };
        Crl::from_bytes(&draft.der(&case.authority.key)).unwrap_err()
    };
    let integer = element(Tag::INTEGER, &[1]);
    assert_eq!(refused(vec![extension("2.5.29.27", true, &integer)], vec![]), CrlError::DeltaCrl);
    let object_identifier = "1.2.3.4".to_owned();
    let unknown = || vec![extension("1.2.3.4", true, &[])];
    assert_eq!(
        refused(unknown(), vec![]),
        CrlError::UnknownCriticalExtension { object_identifier: object_identifier.clone() }
    );
    assert_eq!(
        refused(vec![], vec![(7, "260515000000Z", unknown())]),
        CrlError::UnknownCriticalExtension { object_identifier }
    );
    let reasons = sequence(&[element(Tag::primitive(3), &[0, 0x40])]);
    assert_eq!(
        refused(vec![extension("2.5.29.28", true, &reasons)], vec![]),
        CrlError::PartialScope { scope: "some reasons" }
    );
    let foreign = CrlError::CertificateIssuerInDirectCrl { entry: 2 };
    assert_eq!(refused(vec![], vec![entry(1), for_issuer(7, "Another CA")]), foreign);
}

#[test]
fn pem_and_der_are_read_and_anything_else_is_refused() {
    // peers 2: an unreadable CRL is an error, neither silence nor a crash.
    let case = Case::new();
    let der = CrlDraft { entries: vec![entry(7)], ..CrlDraft::direct(&case.authority) }.der(&case.authority.key);
    let text = pem("X509 CRL", &der);
    assert_eq!(Crl::from_bytes(text.as_bytes()).unwrap().len(), 1);
    assert_eq!(Crl::from_bytes(text.replace('\n', "\r\n").as_bytes()).unwrap().len(), 1);
    assert_eq!(Crl::from_bytes((text.clone() + &text).as_bytes()).unwrap_err(), CrlError::SeveralBlocks);
    assert_eq!(Crl::from_bytes(b"").unwrap_err(), CrlError::NoCrl);
    assert_eq!(Crl::from_bytes(b"<html>").unwrap_err(), CrlError::NoCrl);
    assert_eq!(Crl::from_bytes(pem("CERTIFICATE", &der).as_bytes()).unwrap_err(), CrlError::NoCrl);
    for length in 0..der.len() {
        assert!(Crl::from_bytes(&der[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_damaged_entry_spoils_the_whole_crl() {
    let case = Case::new();
    let mut der =
        CrlDraft { entries: vec![entry(5), entry(7)], ..CrlDraft::direct(&case.authority) }.der(&case.authority.key);
    let at = der.windows(3).position(|window| window == [2, 1, 7]).unwrap();
    der[at] = 0x13;
    assert!(matches!(Crl::from_bytes(&der), Err(CrlError::Malformed(error)) if error.offset == at));
}

#[test]
fn thousands_of_entries_are_found_by_index() {
    let case = Case::new();
    let entries = (1_000..9_000).map(entry).collect();
    let crl = read(&CrlDraft { entries, ..CrlDraft::direct(&case.authority) }, &case.authority);
    assert_eq!(crl.len(), 8_000);
    assert_eq!(crl.status(&case.leaf.certificate, NOW), Status::NotListed);
}

proptest::proptest! {
    #[test]
    fn a_damaged_crl_is_read_or_refused(at in 0usize..200, octet in proptest::num::u8::ANY) {
        thread_local! {
            static DER: Vec<u8> = {
                let case = Case::new();
                let entries = vec![entry(1), for_issuer(7, "SHAKEN CA")];
                CrlDraft { entries, ..CrlDraft::indirect(&case.signer) }.der(&case.signer.key)
            };
        }
        let mut der = DER.with(Clone::clone);
        der[at] = octet;
        let _ = Crl::from_bytes(&der);
    }
}
