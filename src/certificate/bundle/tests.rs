use crate::certificate::bundle::*;
use crate::certificate::der::DerFault;
use crate::certificate::forge::{Draft, pem};

fn read(text: &str) -> Result<Bundle, BundleError> {
    Bundle::read(text.as_bytes(), &Limits::UNTRUSTED)
}

#[test]
fn blocks_are_found_between_any_text_and_line_ends() {
    let root = Draft::authority("ROOT").self_signed();
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&root);
    let (one, two) = (pem("CERTIFICATE", leaf.certificate.der()), pem("CERTIFICATE", root.certificate.der()));
    let bundles = [
        format!("{one}{two}"),
        format!("subject=CN = x\n{one}\nBag Attributes\n    friendlyName: ---\n{two}trailing"),
        format!("{one}{two}").replace('\n', "\r\n"),
        format!("{one}{two}").replace('\n', ""),
        format!("\u{feff}{one}{two}"),
        format!("{one}{two}").replace('=', ""),
        format!("{one}{two}").replace("CERTIFICATE", "X509 CERTIFICATE"),
    ];
    for text in bundles {
        let bundle = read(&text).unwrap();
        assert_eq!(bundle.certificates, [leaf.certificate.clone(), root.certificate.clone()], "{text}");
        assert!(bundle.problems.is_empty());
    }
}

#[test]
fn the_leaf_is_found_in_any_order() {
    // G18.
    let root = Draft::authority("ROOT").self_signed();
    let middle = Draft::authority("MIDDLE").issued_by(&root);
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&middle);
    let text = |all: &[&crate::certificate::forge::Issued]| {
        all.iter().map(|one| pem("CERTIFICATE", one.certificate.der())).collect::<String>()
    };
    for order in [[&leaf, &middle, &root], [&root, &middle, &leaf], [&middle, &leaf, &root]] {
        assert_eq!(read(&text(&order)).unwrap().leaf(), &leaf.certificate);
    }
    assert_eq!(read(&text(&[&root, &middle])).unwrap().leaf(), &middle.certificate);
    assert_eq!(read(&text(&[&root])).unwrap().leaf(), &root.certificate);
}

#[test]
fn a_der_body_is_read() {
    // G15.
    let leaf = Draft::leaf("SHAKEN 1234").self_signed().certificate;
    assert_eq!(Bundle::read(leaf.der(), &Limits::UNTRUSTED).unwrap().certificates, std::slice::from_ref(&leaf));
    let longer = [leaf.der(), b"\n"].concat();
    let outcome = Bundle::read(&longer, &Limits::UNTRUSTED).unwrap_err();
    assert!(
        matches!(outcome, BundleError::NotACertificate(CertificateError::Malformed(error)) if error.fault == DerFault::TrailingOctets { count: 1 })
    );
}

#[test]
fn der_is_told_from_text_by_its_length() {
    assert!(is_der(&[0x30, 0x82, 1, 0]) && is_der(&[0x30, 2, 5, 0]));
    assert!(!is_der(b"0123") && !is_der(b"0") && !is_der(b"") && !is_der(b"-----BEGIN "));
}

#[test]
fn a_bad_block_is_named_and_the_others_are_read() {
    let leaf = pem("CERTIFICATE", Draft::leaf("SHAKEN 1234").self_signed().certificate.der());
    let key = pem("PRIVATE KEY", &[1, 2, 3]);
    let text =
        format!("{key}{leaf}-----BEGIN CERTIFICATE-----\n?!\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n");
    let bundle = read(&text).unwrap();
    assert_eq!(bundle.certificates.len(), 1);
    let lines = leaf.lines().count();
    let expected = [
        BlockProblem { line: 1, fault: BlockFault::OtherLabel { label: "PRIVATE KEY".to_owned() } },
        BlockProblem { line: 4 + lines, fault: BlockFault::NoBase64 },
        BlockProblem { line: 7 + lines, fault: BlockFault::Unterminated },
    ];
    assert_eq!(bundle.problems, expected);
}

#[test]
fn a_block_cut_short_does_not_swallow_the_next() {
    let leaf = pem("CERTIFICATE", Draft::leaf("SHAKEN 1234").self_signed().certificate.der());
    let bundle = read(&format!("-----BEGIN CERTIFICATE-----\nMIIB\n{leaf}")).unwrap();
    assert_eq!(bundle.problems, [BlockProblem { line: 1, fault: BlockFault::Unterminated }]);
    assert_eq!(bundle.certificates.len(), 1);
}

#[test]
fn what_holds_no_certificate_is_refused() {
    // G15: HTML, a bare key, nothing.
    assert_eq!(read("").unwrap_err(), BundleError::NoCertificate);
    assert_eq!(read("<html>404</html>").unwrap_err(), BundleError::NoCertificate);
    assert_eq!(read("0123").unwrap_err(), BundleError::NoCertificate);
    let key = pem("PUBLIC KEY", &[1, 2, 3]);
    assert!(matches!(read(&key), Err(BundleError::NoUsableBlock { .. })));
}

#[test]
fn limits_are_kept() {
    // G29.
    let limit = Limits::UNTRUSTED.octets;
    let outcome = Bundle::read(&vec![b' '; limit + 1], &Limits::UNTRUSTED).unwrap_err();
    assert_eq!(outcome, BundleError::TooLong { length: limit + 1, limit });
    let many = "-----BEGIN X-----\n-----END X-----\n".repeat(17);
    assert_eq!(read(&many).unwrap_err(), BundleError::TooManyBlocks { limit: 16 });
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(-----BEGIN [A-Z]{0,12}(-----)?|-----END |[A-Za-z0-9+/=\n ]{0,9}|-{3,7}){0,20}") {
        let _ = read(&text);
    }

    #[test]
    fn a_damaged_certificate_is_read_or_refused(at in 0usize..400, octet in proptest::num::u8::ANY) {
        thread_local! {
            static DER: Vec<u8> = {
                let list = [0x30, 8, 0xa0, 6, 0x16, 4, 49, 50, 51, 52];
                let draft = Draft::leaf("SHAKEN 1234").with_tn_auth_list(&list).with_authority_key(&[1; 20]);
                let name = crate::certificate::forge::name("CRL");
                draft.with_crl_issuer("https://crl.example/", &name).self_signed().certificate.der().to_vec()
            };
        }
        let mut der = DER.with(Clone::clone);
        der[at] = octet;
        if let Ok(certificate) = Certificate::from_der(&der) {
            let _ = crate::certificate::description::Description::of(&certificate);
        }
    }
}
