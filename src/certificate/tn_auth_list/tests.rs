use crate::certificate::tn_auth_list::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn number(text: &str) -> TelephoneNumber {
    text.parse().unwrap()
}

fn spc(text: &str) -> TnEntry {
    TnEntry::Spc(ServiceProviderCode::new(text).unwrap())
}

fn range(start: &str, count: u64) -> TnEntry {
    TnEntry::Range { start: number(start), count }
}

fn list(entries: Vec<TnEntry>) -> TnAuthList {
    TnAuthList::new(entries).unwrap()
}

fn error(hex: &str) -> (usize, DerFault) {
    let error = TnAuthList::parse(&bytes(hex)).unwrap_err();
    (error.offset, error.fault)
}

#[test]
fn the_vectors_of_c2_are_read_and_written() {
    for (hex, entry) in [
        ("3008a006160431323334", spc("1234")),
        ("3008a006160438313848", spc("818H")),
        ("300fa20d160b3132313535353531323132", TnEntry::One(number("12155551212"))),
        ("3015a1133011160b3132313235353531303030020203e8", range("12125551000", 1000)),
    ] {
        let parsed = TnAuthList::parse(&bytes(hex)).unwrap();
        assert_eq!(parsed.entries(), std::slice::from_ref(&entry), "{hex}");
        assert_eq!(parsed.to_der(), bytes(hex), "{hex}");
        assert_eq!(TnAuthList::parse_strict(&bytes(hex)), Ok(parsed));
    }
}

#[test]
fn a_missing_length_octet_is_named_at_the_string_that_lacks_it() {
    // Seen in real certificates (G19).
    let fault = DerFault::MissingLength { element: Tag::IA5_STRING, character: '5' };
    assert_eq!(error("3008a006163535384a"), (4, fault));
}

#[test]
fn a_bare_string_in_place_of_an_entry_is_named() {
    let choice = "a TNEntry ([0], [1] or [2])";
    assert_eq!(error("300613043632374b"), (2, DerFault::UnexpectedChoice { choice, found: Tag(0x13) }));
    // C2: an implicit tag is wrong, and a raw URI is no list (peers 6).
    assert_eq!(error("3006800431323334"), (2, DerFault::UnexpectedChoice { choice, found: Tag(0x80) }));
    assert_eq!(error("68747470733a2f2f782e6578616d706c65").0, 0);
}

#[test]
fn every_cut_of_a_list_is_refused_with_an_offset_inside_it() {
    let whole = bytes("3015a1133011160b3132313235353531303030020203e8");
    for length in 0..whole.len() {
        let error = TnAuthList::parse(&whole[..length]).unwrap_err();
        assert!(error.offset <= length, "{length}: {error}");
    }
}

#[test]
fn what_the_grammar_forbids_is_refused() {
    assert_eq!(error("3000"), (0, DerFault::Empty { place: "the TNAuthList" }));
    assert_eq!(error("3004a0021600"), (4, DerFault::Empty { place: "the service provider code" }));
    assert_eq!(
        error("3005a203160161"),
        (6, DerFault::CharacterNotAllowed { octet: b'a', place: "a telephone number" })
    );
    assert_eq!(error("3014a2121610").0, 4);
    assert_eq!(error("3014a212161031323334353637383930313233343536"), (4, DerFault::TooMany { limit: 15 }));
    assert_eq!(
        error("300ca00616043132333400000000"),
        (10, DerFault::UnexpectedChoice { choice: "a TNEntry ([0], [1] or [2])", found: Tag(0) })
    );
    assert_eq!(error("3008a00616043132333400"), (10, DerFault::TrailingOctets { count: 1 }));
    assert_eq!(error("300aa0081604313233340000").0, 10);
}

#[test]
fn ranges_keep_the_rules_of_c3() {
    let parse = |start: &str, count: u64| {
        let mut der = Vec::new();
        TnEntry::Range { start: number(start), count }.write(&mut der);
        let mut whole = Vec::new();
        write_element(&mut whole, Tag::SEQUENCE, &der);
        let fault = |result: Result<TnAuthList, DerError>| result.map(|_| ()).map_err(|error| error.fault);
        (fault(TnAuthList::parse(&whole)), fault(TnAuthList::parse_strict(&whole)))
    };
    assert_eq!(parse("10", 89), (Ok(()), Ok(())));
    assert_eq!(parse("10", 90), (Ok(()), Err(DerFault::RangeTooLong)));
    assert_eq!(parse("10", 91), (Err(DerFault::RangeTooLong), Err(DerFault::RangeTooLong)));
    assert_eq!(parse("10", u64::MAX).0, Err(DerFault::RangeTooLong));
    assert_eq!(parse("10", 1).0, Err(DerFault::CountTooSmall));
    assert_eq!(parse("10", 0).0, Err(DerFault::CountTooSmall));
    let star = DerFault::CharacterNotAllowed { octet: b'*', place: "the start of a range" };
    assert_eq!(parse("1*", 2).0, Err(star));
}

#[test]
fn a_count_beyond_64_bits_and_a_negative_one_are_refused() {
    assert_eq!(error("3013a111300f1602313002090100000000000000ff").0, 10);
    assert_eq!(error("300ba1093007160231300201ff"), (10, DerFault::BadInteger));
}

#[test]
fn fields_after_the_count_are_ignored_unless_strict() {
    // C2: the SEQUENCE is extensible.
    let der = bytes("300da10b3009160231300201020500");
    assert_eq!(TnAuthList::parse(&der).unwrap().entries(), [range("10", 2)]);
    assert_eq!(TnAuthList::parse_strict(&der).unwrap_err().fault, DerFault::TrailingOctets { count: 2 });
}

#[test]
fn a_range_covers_its_numbers_and_no_others() {
    let list = list(vec![range("12125551000", 1000), TnEntry::One(number("*67"))]);
    for text in ["12125551000", "12125551500", "12125551999", "*67"] {
        assert_eq!(list.covers(&number(text)), Coverage::Named, "{text}");
    }
    for text in ["12125550999", "12125552000", "2125551500", "012125551500", "67", "1212555100*"] {
        assert_eq!(list.covers(&number(text)), Coverage::Outside, "{text}");
    }
    let with_code = TnAuthList::new(vec![spc("1234"), range("12125551000", 2)]).unwrap();
    assert_eq!(with_code.covers(&number("12125551001")), Coverage::Named);
    assert_eq!(with_code.covers(&number("12125551002")), Coverage::ByProviderCode);
}

#[test]
fn a_range_with_leading_zeros_counts_within_its_digits() {
    let list = list(vec![range("0098", 2)]);
    assert_eq!(list.covers(&number("0099")), Coverage::Named);
    assert_eq!(list.covers(&number("99")), Coverage::Outside);
}

#[test]
fn a_child_within_its_parent_is_encompassed() {
    // C14; the parent's entries are taken together (C4).
    let parent = list(vec![range("12125551000", 500), range("12125551500", 500), TnEntry::One(number("12125552000"))]);
    assert_eq!(parent.encompasses(&list(vec![range("12125551400", 200)])), Encompassing::Whole);
    assert_eq!(parent.encompasses(&list(vec![range("12125551990", 11)])), Encompassing::Whole);
    assert_eq!(parent.encompasses(&parent), Encompassing::Whole);
    let outside = range("12125551990", 12);
    assert_eq!(parent.encompasses(&list(vec![outside.clone()])), Encompassing::Exceeded { entry: outside });
    assert_eq!(parent.encompasses(&list(vec![spc("1234")])), Encompassing::Exceeded { entry: spc("1234") });
}

#[test]
fn numbers_under_a_provider_code_need_number_data() {
    let parent = list(vec![spc("1234")]);
    let one = TnEntry::One(number("12125551000"));
    assert_eq!(parent.encompasses(&list(vec![one.clone()])), Encompassing::NeedsNumberData { entry: one.clone() });
    assert_eq!(parent.encompasses(&list(vec![spc("1234")])), Encompassing::Whole);
    let foreign = list(vec![one, spc("771C")]);
    assert_eq!(parent.encompasses(&foreign), Encompassing::Exceeded { entry: spc("771C") });
}

#[test]
fn entries_print_as_json_with_their_names() {
    let all = list(vec![spc("1234"), range("12125551000", 1000), TnEntry::One(number("12155551212"))]);
    let json = serde_json::to_string(&all).unwrap();
    assert_eq!(json, r#"[{"spc":"1234"},{"range":{"start":"12125551000","count":1000}},{"one":"12155551212"}]"#);
}

proptest::proptest! {
    #[test]
    fn what_strict_reading_accepts_is_written_back(der in proptest::collection::vec(proptest::num::u8::ANY, 0..48)) {
        if let Ok(list) = TnAuthList::parse_strict(&der) {
            proptest::prop_assert_eq!(list.to_der(), der);
        }
    }

    #[test]
    fn a_damaged_list_is_read_or_refused_and_what_strict_accepts_is_written_back(
        at in 0usize..31, octet in proptest::num::u8::ANY,
    ) {
        let mut der = bytes("301da006160431323334a1133011160b3132313235353531303030020203e8");
        if let Some(slot) = der.get_mut(at) {
            *slot = octet;
        }
        let _ = TnAuthList::parse(&der);
        if let Ok(list) = TnAuthList::parse_strict(&der) {
            proptest::prop_assert_eq!(list.to_der(), der);
        }
    }

    #[test]
    fn covering_agrees_with_counting(first in 0u64..9_000, count in 2u64..900, probe in 0u64..10_000) {
        let list = list(vec![range(&format!("{first:04}"), count)]);
        let expected = if (first..first + count).contains(&probe) { Coverage::Named } else { Coverage::Outside };
        proptest::prop_assert_eq!(list.covers(&number(&format!("{probe:04}"))), expected);
    }

    #[test]
    fn encompassing_agrees_with_counting(
        parents in proptest::collection::vec((0u64..60, 2u64..20), 1..5), child in 0u64..60, count in 2u64..20,
    ) {
        let parent = list(parents.iter().map(|(start, count)| range(&format!("{start:02}"), *count)).collect());
        let inside = (child..child + count).all(|n| parents.iter().any(|(start, count)| (*start..start + count).contains(&n)));
        let outcome = parent.encompasses(&list(vec![range(&format!("{child:02}"), count)]));
        proptest::prop_assert_eq!(outcome == Encompassing::Whole, inside);
    }
}
