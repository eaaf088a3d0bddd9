use crate::certificate::der::*;

fn time(tag: Tag, text: &str) -> Result<i64, DerFault> {
    let mut der = Vec::new();
    write_element(&mut der, tag, text.as_bytes());
    single(&der, tag).unwrap().time().map(UnixTime::seconds).map_err(|error| error.fault)
}

#[test]
fn times_of_both_forms_are_read() {
    // RFC 5280 §4.1.2.5.1 and .2.
    assert_eq!(time(Tag::UTC_TIME, "150925191225Z"), Ok(1_443_208_345));
    assert_eq!(time(Tag::UTC_TIME, "500101000000Z"), Ok(-631_152_000));
    assert_eq!(time(Tag::GENERALIZED_TIME, "20150925191225Z"), Ok(1_443_208_345));
    assert_eq!(time(Tag::GENERALIZED_TIME, "20240229000000Z"), Ok(1_709_164_800));
    assert_eq!(time(Tag::GENERALIZED_TIME, "99991231235959Z"), Ok(253_402_300_799));
    assert_eq!(time(Tag::GENERALIZED_TIME, "00000101000000Z"), Ok(-62_167_219_200));
}

#[test]
fn times_that_do_not_exist_are_refused() {
    for text in ["20230229000000Z", "20231301000000Z", "20230100000000Z", "20230101240000Z", "20230101006000Z"] {
        assert_eq!(time(Tag::GENERALIZED_TIME, text), Err(DerFault::BadTime), "{text}");
    }
    for text in ["1509251912Z", "150925191225", "150925191225+0000", "15092519122xZ", ""] {
        assert_eq!(time(Tag::UTC_TIME, text), Err(DerFault::BadTime), "{text}");
    }
}

#[test]
fn lengths_are_definite_and_shortest() {
    let fault = |der: &[u8]| Reader::new(der).next().map(|_| ()).map_err(|error| (error.offset, error.fault));
    assert_eq!(fault(&[0x04, 0x81, 0x01, 0x00]), Err((1, DerFault::LengthNotMinimal)));
    assert_eq!(fault(&[0x04, 0x82, 0x00, 0x80]), Err((1, DerFault::LengthNotMinimal)));
    assert_eq!(fault(&[0x30, 0x80, 0x00, 0x00]), Err((1, DerFault::LengthForm)));
    assert_eq!(fault(&[0x04, 0x85, 1, 1, 1, 1, 1]), Err((1, DerFault::LengthForm)));
    assert_eq!(
        fault(&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff]),
        Err((0, DerFault::Truncated { needed: 4_294_967_295, left: 0 }))
    );
}

#[test]
fn object_identifiers_print_dotted() {
    let dotted = |content: &[u8]| {
        let mut der = Vec::new();
        write_element(&mut der, Tag::OBJECT_IDENTIFIER, content);
        single(&der, Tag::OBJECT_IDENTIFIER).unwrap().dotted().ok()
    };
    assert_eq!(dotted(&[0x2b, 6, 1, 5, 5, 7, 1, 26]).as_deref(), Some("1.3.6.1.5.5.7.1.26"));
    assert_eq!(dotted(&[0x88, 0x37, 3]).as_deref(), Some("2.999.3"));
    assert_eq!(dotted(&[]), None);
    assert_eq!(dotted(&[0x2b, 0x86]), None);
    assert_eq!(dotted(&[0xff; 12]), None);
    // X.690 §8.19.2: one identifier, one spelling.
    assert_eq!(dotted(&[0x2b, 0x80, 6]), None);
}

proptest::proptest! {
    #[test]
    fn what_is_written_is_read(content in proptest::collection::vec(proptest::num::u8::ANY, 0..70_000)) {
        let mut der = Vec::new();
        write_element(&mut der, Tag::OCTET_STRING, &content);
        proptest::prop_assert_eq!(single(&der, Tag::OCTET_STRING).unwrap().content, &content[..]);
    }

    #[test]
    fn no_octets_make_the_reader_panic(input in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        let mut reader = Reader::new(&input);
        while let Ok(element) = reader.next() {
            let _ = (element.boolean(), element.small_integer(), element.bits(), element.dotted(), element.time());
        }
        let error = DerError::new(0, DerFault::Truncated { needed: 0, left: 0 });
        let _ = innermost_truncation(&input, error);
    }
}
