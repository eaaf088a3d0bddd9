use crate::certificate::Certificate;
use crate::certificate::chain::{Error, LinkCache, MAX_DEPTH, MAX_SIGNATURES, Path};
use crate::certificate::der::hexadecimal;
use crate::certificate::forge::{CRL_SIGN, Draft, Issued, Key, NOON, name};
use crate::time::UnixTime;

const NOW: UnixTime = UnixTime::from_seconds(NOON);

fn find(leaf: &Issued, pool: &[&Issued], anchors: &[&Issued]) -> Result<Path, Error> {
    find_with(leaf, pool, anchors, NOW, &LinkCache::default())
}

fn find_with(
    leaf: &Issued,
    pool: &[&Issued],
    anchors: &[&Issued],
    at: UnixTime,
    links: &LinkCache,
) -> Result<Path, Error> {
    let certificates = |issued: &[&Issued]| issued.iter().map(|one| one.certificate.clone()).collect::<Vec<_>>();
    Path::find(&leaf.certificate, &certificates(pool), &certificates(anchors), at, links)
}

fn names(path: &Path) -> Vec<&str> {
    path.certificates().iter().filter_map(Certificate::common_name).collect()
}

#[test]
fn a_path_is_found_whatever_the_order_with_or_without_the_root() {
    // F20, G18.
    let root = Draft::authority("ROOT").self_signed();
    let upper = Draft::authority("UPPER").issued_by(&root);
    let lower = Draft::authority("LOWER").issued_by(&upper);
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&lower);
    for pool in [
        vec![&lower, &upper],
        vec![&upper, &lower],
        vec![&root, &upper, &leaf, &lower],
        vec![&lower, &root, &upper, &upper],
    ] {
        let path = find(&leaf, &pool, &[&root]).unwrap();
        assert_eq!(names(&path), ["SHAKEN 1234", "LOWER", "UPPER", "ROOT"]);
        assert_eq!(path.check_validity(NOW), Ok(()));
        assert_eq!((path.leaf(), path.anchor()), (&leaf.certificate, &root.certificate));
        assert_eq!(path.issuer_of(0), Some(&lower.certificate));
        assert_eq!(path.issuer_of(3), None);
    }
}

#[test]
fn keys_of_p384_sign_too() {
    // C6.
    let root = Draft { key: Key::p384(), ..Draft::authority("ROOT") }.self_signed();
    let lower = Draft { key: Key::p384(), ..Draft::authority("LOWER") }.issued_by(&root);
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&lower);
    assert!(find(&leaf, &[&lower], &[&root]).is_ok());
}

#[test]
fn a_missing_intermediate_is_named() {
    // H20, G18.
    let root = Draft::authority("ROOT").self_signed();
    let lower = Draft::authority("LOWER").issued_by(&root);
    let leaf = Draft::leaf("SHAKEN 1234").with_authority_key(&[0xab; 20]).issued_by(&lower);
    let subject = "CN=SHAKEN 1234,C=US".to_owned();
    let missing = Error::MissingIssuer {
        subject,
        issuer: "CN=LOWER,C=US".to_owned(),
        key_identifier: Some(hexadecimal(&[0xab; 20])),
    };
    assert_eq!(find(&leaf, &[], &[&root]), Err(missing.clone()));
    assert_eq!(find(&leaf, &[&leaf, &root], &[&root]), Err(missing));
}

#[test]
fn no_anchor_trusts_nothing() {
    // peers 4: an empty trust list is not trust in everyone, and a self-signed leaf vouches for nobody (G22).
    let root = Draft::authority("ROOT").self_signed();
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&root);
    assert!(
        matches!(find(&leaf, &[&root], &[]), Err(Error::UntrustedRoot { subject, .. }) if subject == "CN=ROOT,C=US")
    );
    let alone = Draft::leaf("SHAKEN 1234").self_signed();
    assert!(matches!(find(&alone, &[], &[&root]), Err(Error::UntrustedRoot { .. })));
    assert!(matches!(find(&alone, &[&alone], &[&root]), Err(Error::UntrustedRoot { .. })));
    assert_eq!(names(&find(&alone, &[], &[&alone]).unwrap()), ["SHAKEN 1234"]);
}

#[test]
fn a_root_of_the_right_name_and_the_wrong_key_is_no_anchor() {
    let (root, impostor) = (Draft::authority("ROOT").self_signed(), Draft::authority("ROOT").self_signed());
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&impostor);
    assert!(matches!(find(&leaf, &[], &[&root]), Err(Error::BadSignature { .. })));
    // The impostor at hand is self-signed and untrusted: that got further.
    assert!(matches!(find(&leaf, &[&impostor], &[&root]), Err(Error::UntrustedRoot { .. })));
}

#[test]
fn what_is_no_authority_issues_nothing() {
    let root = Draft::authority("ROOT").self_signed();
    let refused = |draft: Draft| {
        let middle = draft.issued_by(&root);
        find(&Draft::leaf("SHAKEN 1234").issued_by(&middle), &[&middle], &[&root]).unwrap_err()
    };
    let subject = || "CN=MIDDLE,C=US".to_owned();
    assert_eq!(refused(Draft::leaf("MIDDLE")), Error::NotACertificateAuthority { subject: subject() });
    let without = Draft { basic: None, ..Draft::authority("MIDDLE") };
    assert_eq!(refused(without), Error::NotACertificateAuthority { subject: subject() });
    let crl_only = Draft { usage: Some(CRL_SIGN), ..Draft::authority("MIDDLE") };
    assert_eq!(refused(crl_only), Error::NotForSigningCertificates { subject: subject() });
}

#[test]
fn the_path_length_is_kept() {
    // RFC 5280 §4.2.1.9.
    let root = Draft { basic: Some((true, Some(1))), ..Draft::authority("ROOT") }.self_signed();
    let upper = Draft { basic: Some((true, Some(0))), ..Draft::authority("UPPER") }.issued_by(&root);
    let allowed = Draft::leaf("SHAKEN 1234").issued_by(&upper);
    assert!(find(&allowed, &[&upper], &[&root]).is_ok());
    let lower = Draft::authority("LOWER").issued_by(&upper);
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&lower);
    let exceeded = Error::PathLengthExceeded { subject: "CN=UPPER,C=US".to_owned(), limit: 0 };
    assert_eq!(find(&leaf, &[&upper, &lower], &[&root]), Err(exceeded));
}

#[test]
fn critical_extensions_that_are_not_understood_are_refused() {
    // RFC 5280 §4.2; F18: a critical TNAuthList is tolerated.
    let root = Draft::authority("ROOT").self_signed();
    let leaf = |object_identifier: &str, critical| {
        let leaf = Draft::leaf("SHAKEN 1234").with(object_identifier, critical, &[0x30, 0]).issued_by(&root);
        find(&leaf, &[], &[&root]).map(|_| ())
    };
    let unknown = |object_identifier: &str| {
        let (subject, object_identifier) = ("CN=SHAKEN 1234,C=US".to_owned(), object_identifier.to_owned());
        Err(Error::UnknownCriticalExtension { subject, object_identifier })
    };
    assert_eq!(leaf("1.2.3.4", true), unknown("1.2.3.4"));
    assert_eq!(leaf("2.5.29.30", true), unknown("2.5.29.30"));
    assert_eq!(leaf("1.2.3.4", false), Ok(()));
    assert_eq!(leaf("1.3.6.1.5.5.7.1.26", true), Ok(()));
    let middle = Draft::authority("MIDDLE").with("2.5.29.30", true, &[0x30, 0]).issued_by(&root);
    let below = Draft::leaf("SHAKEN 1234").issued_by(&middle);
    assert!(matches!(find(&below, &[&middle], &[&root]), Err(Error::UnknownCriticalExtension { .. })));
}

#[test]
fn a_key_usage_that_cannot_be_read_is_not_passed_over() {
    let root = Draft { usage: None, ..Draft::authority("ROOT") }.with("2.5.29.15", false, &[4, 0]).self_signed();
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&root);
    assert!(matches!(find(&leaf, &[], &[&root]), Err(Error::UnknownCriticalExtension { .. })));
}

#[test]
fn validity_is_a_question_of_its_own() {
    // H21 apart from H20.
    let root = Draft { validity: ("200101000000Z", "210101000000Z"), ..Draft::authority("ROOT") }.self_signed();
    let middle = Draft::authority("MIDDLE").issued_by(&root);
    let leaf = Draft { validity: ("260201000000Z", "260301000000Z"), ..Draft::leaf("SHAKEN 1234") }.issued_by(&middle);
    let path = find(&leaf, &[&middle], &[&root]).unwrap();
    let subject = || "CN=SHAKEN 1234,C=US".to_owned();
    let (not_before, not_after) = (leaf.certificate.not_before(), leaf.certificate.not_after());
    assert_eq!(path.check_validity(NOW), Err(Error::Expired { subject: subject(), not_after }));
    assert_eq!(path.check_validity(not_after), Ok(()));
    assert_eq!(path.check_validity(not_before), Ok(()));
    let early = Err(Error::NotYetValid { subject: subject(), not_before });
    assert_eq!(path.check_validity(not_before.plus_seconds(-1)), early);
    assert!(matches!(path.check_anchor_validity(NOW), Err(Error::Expired { .. })));
}

#[test]
fn an_authority_with_two_certificates_is_taken_by_the_valid_one() {
    // G18: renewed and cross-signed authorities.
    let root = Draft::authority("ROOT").self_signed();
    let current = Draft::authority("MIDDLE");
    let expired = Draft { validity: ("250101000000Z", "260101000000Z"), ..current.clone() }.issued_by(&root);
    let current = current.issued_by(&root);
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&current);
    for pool in [[&expired, &current], [&current, &expired]] {
        let path = find(&leaf, &pool, &[&root]).unwrap();
        assert_eq!(path.issuer_of(0), Some(&current.certificate));
        assert_eq!(path.check_validity(NOW), Ok(()));
    }
    let path = find(&leaf, &[&expired], &[&root]).unwrap();
    assert!(matches!(path.check_validity(NOW), Err(Error::Expired { subject, .. }) if subject == "CN=MIDDLE,C=US"));
}

#[test]
fn a_cross_signed_root_leads_to_the_anchor_of_its_name_and_key() {
    let (root, other) = (Draft::authority("ROOT"), Draft::authority("OTHER").self_signed());
    let crossed = root.clone().issued_by(&other);
    let root = root.self_signed();
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&root);
    let path = find(&leaf, &[&crossed], &[&root]).unwrap();
    assert_eq!(path.anchor(), &root.certificate);
    assert_eq!(names(&find(&leaf, &[&crossed], &[&other]).unwrap()), ["SHAKEN 1234", "ROOT", "OTHER"]);
    assert!(matches!(find(&leaf, &[&crossed], &[]), Err(Error::MissingIssuer { .. })));
}

#[test]
fn two_authorities_of_one_name_are_told_apart_by_key_identifier() {
    // C15.
    let root = Draft::authority("ROOT").with_subject_key(&[1; 20]).self_signed();
    let old = Draft::authority("MIDDLE").with_subject_key(&[2; 20]).with_authority_key(&[1; 20]).issued_by(&root);
    let new = Draft::authority("MIDDLE").with_subject_key(&[3; 20]).with_authority_key(&[1; 20]).issued_by(&root);
    let leaf = Draft::leaf("SHAKEN 1234").with_authority_key(&[3; 20]).issued_by(&new);
    let path = find(&leaf, &[&old, &new], &[&root]).unwrap();
    assert_eq!(path.issuer_of(0), Some(&new.certificate));
    assert!(path.key_identifiers_agree());
    let wrong = Draft::leaf("SHAKEN 1234").with_authority_key(&[2; 20]).issued_by(&new);
    let path = find(&wrong, &[&old, &new], &[&root]).unwrap();
    assert_eq!(path.issuer_of(0), Some(&new.certificate));
    assert!(!path.key_identifiers_agree());
}

#[test]
fn a_changed_certificate_is_a_bad_signature() {
    let root = Draft::authority("ROOT").self_signed();
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&root);
    let mut der = leaf.certificate.der().to_vec();
    let at = der.windows(4).position(|window| window == b"1234").unwrap();
    der[at] = b'9';
    let changed = Issued { certificate: Certificate::from_der(&der).unwrap(), key: leaf.key.clone() };
    let bad = Error::BadSignature { subject: "CN=SHAKEN 9234,C=US".to_owned(), issuer: "CN=ROOT,C=US".to_owned() };
    let links = LinkCache::default();
    assert_eq!(find_with(&changed, &[], &[&root], NOW, &links), Err(bad.clone()));
    assert!(find_with(&leaf, &[], &[&root], NOW, &links).is_ok());
    // What the cache remembers is the same.
    assert_eq!(find_with(&changed, &[], &[&root], NOW, &links), Err(bad));
    assert!(find_with(&leaf, &[], &[&root], NOW, &links).is_ok());
}

#[test]
fn algorithms_off_the_list_or_at_odds_are_refused() {
    // C6: no SHA-1; RFC 5280 §4.1.1.2.
    let root = Draft::authority("ROOT").self_signed();
    let refused = |draft: Draft| find(&draft.issued_by(&root), &[], &[&root]).unwrap_err();
    let sha1 = Some("1.2.840.10045.4.1");
    let draft = Draft { inner_algorithm: sha1, outer_algorithm: sha1, ..Draft::leaf("SHAKEN 1234") };
    assert!(
        matches!(refused(draft), Error::UnsupportedAlgorithm { algorithm, .. } if algorithm == "1.2.840.10045.4.1")
    );
    let rsa = Some("1.2.840.113549.1.1.11");
    let draft = Draft { inner_algorithm: rsa, outer_algorithm: rsa, ..Draft::leaf("SHAKEN 1234") };
    assert!(matches!(refused(draft), Error::UnsupportedAlgorithm { key, .. } if key == "P-256"));
    let draft = Draft { inner_algorithm: sha1, ..Draft::leaf("SHAKEN 1234") };
    assert_eq!(refused(draft), Error::SignatureAlgorithmMismatch { subject: "CN=SHAKEN 1234,C=US".to_owned() });
}

#[test]
fn null_parameters_are_tolerated() {
    let root = Draft::authority("ROOT").self_signed();
    let leaf = Draft { null_parameters: true, ..Draft::leaf("SHAKEN 1234") }.issued_by(&root);
    assert!(leaf.certificate.has_superfluous_null());
    assert!(find(&leaf, &[], &[&root]).is_ok());
}

#[test]
fn authorities_that_issue_each_other_make_no_loop() {
    let (one, two) = (Draft::authority("ONE"), Draft::authority("TWO"));
    let by_two = one.clone().signed(&name("TWO"), &two.key);
    let by_one = two.clone().signed(&name("ONE"), &one.key);
    let leaf = Draft::leaf("SHAKEN 1234").signed(&name("ONE"), &one.key);
    let root = Draft::authority("ROOT").self_signed();
    assert!(matches!(find(&leaf, &[&by_one, &by_two], &[&root]), Err(Error::MissingIssuer { .. })));
}

#[test]
fn a_path_that_is_too_long_is_refused() {
    let root = Draft::authority("ROOT").self_signed();
    let mut chain = vec![root.clone()];
    for depth in 0..MAX_DEPTH {
        let next = Draft::authority(&format!("CA {depth}")).issued_by(&chain[depth]);
        chain.push(next);
    }
    let leaf_below = |depth: usize| Draft::leaf("SHAKEN 1234").issued_by(&chain[depth]);
    let pool: Vec<&Issued> = chain.iter().collect();
    assert!(find(&leaf_below(MAX_DEPTH - 2), &pool, &[&root]).is_ok());
    assert_eq!(find(&leaf_below(MAX_DEPTH - 1), &pool, &[&root]), Err(Error::TooDeep { limit: MAX_DEPTH }));
}

#[test]
fn a_maze_of_authorities_ends_at_the_budget() {
    // Many keys under one name, each having issued every other: the work is bounded, not the time.
    let keys: Vec<Draft> = (0..12).map(|_| Draft::authority("MAZE")).collect();
    let mut pool = Vec::new();
    for issuer in &keys {
        pool.extend(keys.iter().map(|draft| draft.clone().signed(&name("MAZE"), &issuer.key)));
    }
    let leaf = Draft::leaf("SHAKEN 1234").signed(&name("MAZE"), &keys[0].key);
    let root = Draft::authority("ROOT").self_signed();
    let outcome = find(&leaf, &pool.iter().collect::<Vec<_>>(), &[&root]);
    assert!(matches!(outcome, Err(Error::BudgetExceeded { limit: MAX_SIGNATURES, .. })), "{outcome:?}");
}

#[test]
fn a_cache_of_links_forgets_the_oldest_and_keeps_its_size() {
    let cache = LinkCache::new(4);
    let hash = |number: u8| [number; 32];
    for number in 0..100 {
        cache.remember(&hash(number), &hash(0), number % 2 == 0);
        assert_eq!(cache.known(&hash(number), &hash(0)), Some(number % 2 == 0));
    }
    let kept = (0..100).filter(|number| cache.known(&hash(*number), &hash(0)).is_some()).count();
    assert!((2..=4).contains(&kept), "{kept}");
    let none = LinkCache::new(0);
    none.remember(&hash(1), &hash(2), true);
    assert_eq!(none.known(&hash(1), &hash(2)), None);
}
