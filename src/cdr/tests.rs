use proptest::prelude::*;

use super::*;
use crate::zone::Zone;

fn read(text: impl AsRef<[u8]>) -> Vec<Result<Record, BadLine>> {
    Format::named("stirtrace").unwrap().open(text.as_ref(), Settings::for_file(7)).unwrap().collect()
}

fn open_error(text: &str) -> OpenError {
    Format::named("stirtrace").unwrap().open(text.as_bytes(), Settings::default()).unwrap_err()
}

#[test]
fn a_full_line_gives_every_field() {
    let text = "start,answer,end,calling,called,original_called,ingress_trunk,ingress_address,ingress_call_id,\
        egress_trunk,egress_address,egress_call_id,sip_status,q850,identity,diversion\r\n\
        2026-05-04T12:00:01Z,2026-05-04T12:00:04Z,2026-05-04T12:00:16Z,+12155550112,77#2155550131,12155550132,\
        tg-in,198.51.100.7:5060,a@x,tg-out,203.0.113.9,b@y,200,16,\
        \"a.b.c;info=<https://x.example/1,2>,d.e.f;info=<https://x.example/3>\",\"<sip:+12155550132@h.example>;reason=unconditional\"\r\n";
    let record = read(text).remove(0).unwrap();
    assert_eq!(record.place, Place::new(7, 2));
    assert_eq!(record.start.seconds(), 1_777_896_001);
    assert_eq!(record.calling.canonical.unwrap().as_str(), "12155550112");
    assert_eq!(
        (record.called.canonical.unwrap().as_str(), record.called.tech_prefix.as_deref()),
        ("12155550131", Some("77"))
    );
    assert_eq!(record.ingress.ip(), Some("198.51.100.7".parse().unwrap()));
    assert_eq!((record.sip_status, record.q850), (Some(200), Some(16)));
    assert_eq!(record.identity, ["a.b.c;info=<https://x.example/1,2>", "d.e.f;info=<https://x.example/3>"]);
    assert_eq!(record.diversion[0].canonical.unwrap().as_str(), "12155550132");
}

#[test]
fn columns_come_in_any_order_and_unknown_ones_are_named() {
    let text = "Called,colour,START,calling\n12155550131,red,2026-05-04T12:00:01Z,anonymous\n";
    let mut reader = Format::named("stirtrace").unwrap().open(text.as_bytes(), Settings::default()).unwrap();
    assert_eq!(reader.unknown_columns(), ["colour"]);
    assert!(!reader.records_identities());
    let record = reader.next().unwrap().unwrap();
    assert_eq!((record.calling.raw.as_str(), record.calling.canonical), ("anonymous", None));
}

#[test]
fn a_source_that_cannot_be_this_format_is_refused_at_once() {
    assert_eq!(open_error(""), OpenError::NoHeader);
    assert_eq!(open_error("a,b,c\n"), OpenError::NoColumn { field: "start", names: "start".to_owned() });
    assert!(matches!(open_error("start,start\n"), OpenError::ColumnTwice { .. }));
}

#[test]
fn a_corrupt_line_is_an_item_and_the_rest_goes_on() {
    let text = b"start,calling,called,q850\n\
        2026-05-04 12:00:01,1,2,\n\
        2026-05-04T12:00:01Z,12155550112,,16\n\
        2026-05-04T12:00:01Z,12155550112\n\
        2026-05-04T12:00:01Z,1215\x000112,12155550131,16\n\
        2026-05-04T12:00:01Z,\xff,12155550131,16\n\
        2026-05-04T12:00:01Z,12155550112,12155550131,999\n\
        2026-05-04T12:00:02Z,12155550112,12155550131,16\n";
    let items = read(text);
    let errors: Vec<String> = items.iter().filter_map(|item| item.as_ref().err()).map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "line 2: start: \"2026-05-04 12:00:01\" names no time zone; add Z for UTC, or an offset such as -05:00",
            "line 3: called: it is empty",
            "line 4: 2 cells where there must be 4",
            "line 5: calling: a NUL byte",
            "line 6: calling: not UTF-8",
            "line 7: q850: \"999\" is no number from 0 to 127",
        ]
    );
    assert_eq!(items.last().unwrap().as_ref().unwrap().place.line, 8);
}

#[test]
fn the_source_s_zone_counts_where_a_time_names_none() {
    let settings = Settings::default().with_zone(Some(Zone::named("America/Chicago").unwrap()));
    let text = "start,calling,called\n2026-05-04 07:00:01,1,2\n2026-05-04 12:00:01Z,1,2\n";
    let starts: Vec<i64> = Format::named("stirtrace")
        .unwrap()
        .open(text.as_bytes(), settings)
        .unwrap()
        .map(|r| r.unwrap().start.seconds())
        .collect();
    assert_eq!(starts, [1_777_896_001, 1_777_896_001]);
}

proptest! {
    #[test]
    fn any_bytes_end_without_panic(bytes: Vec<u8>) {
        let mut text = b"start,calling,called,identity\n".to_vec();
        text.extend_from_slice(&bytes);
        let _ = read(text).len();
    }
}

#[test]
fn every_built_in_format_is_a_mapping_file_without_faults() {
    for name in Format::names() {
        let text = Format::mapping(name).unwrap();
        assert_eq!(Layout::parse(text.as_bytes()).map(|_| ()), Ok(()), "{name}");
        assert_eq!(Format::named(name).unwrap().name(), name);
    }
    assert_eq!(Format::named("asteriks").unwrap_err().nearest.as_deref(), Some("asterisk"));
}
