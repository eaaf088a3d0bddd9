//! An index finds what a search of all rows finds, and says when it is none (design 6).

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::time::UnixTime;
use crate::traceback::Span;

const DAY: i64 = 1_777_852_800;
const DATA: DataId = [7; 32];

fn span(from: i64, to: i64) -> Span {
    Span::new(UnixTime::from_seconds(from), UnixTime::from_seconds(to))
}

fn row(calling: Option<i64>, start: i64, called: &[u64], tokens: &[i64]) -> IndexedRow {
    IndexedRow { start: DAY + start, start_repeated: None, calling, called: called.to_vec(), tokens: tokens.to_vec() }
}

fn print(rows: &[IndexedRow]) -> Vec<u8> {
    let mut builder = IndexBuilder::new();
    rows.iter().for_each(|row| builder.add(row));
    let mut bytes = Vec::new();
    builder.finish(DATA, &mut bytes).unwrap();
    bytes
}

fn open(bytes: &[u8], rows: usize) -> Result<Index, IndexFault> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file.as_file(), bytes).unwrap();
    Index::open(file.path(), DATA, u64::try_from(rows).unwrap())
}

fn found(index: &Index, keyed: Keyed, wanted: Span) -> Result<BTreeSet<u32>, IndexFault> {
    let mut rows = BTreeSet::new();
    index.rows(keyed, wanted, &mut |row| {
        rows.insert(row);
    })?;
    Ok(rows)
}

#[test]
fn a_number_that_many_calls_are_for_fills_many_blocks_and_is_found_to_the_second() {
    let rows: Vec<_> = (0..50_000).map(|own| row(Some(own), own, &[77, 100 + own.cast_unsigned()], &[-own])).collect();
    let index = open(&print(&rows), rows.len()).unwrap();
    assert_eq!(
        found(&index, Keyed::Called(77), span(DAY + 40_000, DAY + 40_002)).unwrap(),
        [40_000, 40_001, 40_002].into()
    );
    assert_eq!(found(&index, Keyed::Called(77), span(DAY, DAY + 60_000)).unwrap().len(), 50_000);
    assert_eq!(found(&index, Keyed::Called(100 + 123), span(DAY, DAY + 200)).unwrap(), [123].into());
    assert_eq!(found(&index, Keyed::Token(-123), span(DAY, DAY + 200)).unwrap(), [123].into());
    assert!(found(&index, Keyed::Called(76), span(i64::MIN, i64::MAX)).unwrap().is_empty());
    assert!(index.blocks(Keyed::Called(77), span(DAY + 40_000, DAY + 40_002)) <= 2);
}

#[test]
fn the_repeated_hour_is_found_by_either_instant() {
    let mut repeated = row(Some(5), 0, &[77], &[]);
    repeated.start_repeated = Some(DAY + 3600);
    let rows = [repeated, row(Some(5), 9_000, &[77], &[])];
    let index = open(&print(&rows), 2).unwrap();
    for at in [DAY, DAY + 3600] {
        assert_eq!(found(&index, Keyed::Called(77), span(at, at)).unwrap(), [0].into());
        let ranges = index.calling_rows(&[CallingNumber::Whole(5)], span(at, at)).unwrap();
        assert!(ranges.iter().any(|range| range.contains(&0)), "{at}");
    }
}

#[test]
fn rows_that_are_not_sorted_are_not_searched_by_steps() {
    let index = open(&print(&[row(Some(5), 0, &[], &[]), row(Some(4), 0, &[], &[])]), 2).unwrap();
    assert_eq!(index.calling_rows(&[CallingNumber::Whole(5)], span(DAY, DAY)), None);
}

#[test]
fn an_index_that_does_not_hold_together_is_refused() {
    let rows: Vec<_> = (0..2_000).map(|own| row(Some(own), own, &[own.cast_unsigned()], &[])).collect();
    let bytes = print(&rows);
    assert!(open(&bytes, 2_000).is_ok());
    assert!(matches!(open(&bytes, 1_999), Err(IndexFault::OtherFile)));
    assert!(matches!(open(&[], 0), Err(IndexFault::NoIndex)));
    assert!(matches!(open(&bytes[1..], 2_000), Err(IndexFault::Truncated { .. })));
    assert!(matches!(open(&bytes[..bytes.len() - 1], 2_000), Err(IndexFault::NoIndex)));
    let mut later = bytes.clone();
    let version = later.len() - 128 + 8;
    later[version] = 2;
    assert!(matches!(open(&later, 2_000), Err(IndexFault::Version { found: 2 })));
    assert!(matches!(Index::open(std::path::Path::new("no-such.index"), DATA, 1), Err(IndexFault::Missing)));
}

fn any_row() -> impl Strategy<Value = IndexedRow> {
    let calling = prop_oneof![Just(None), (0..6i64).prop_map(Some), (0..3i64).prop_map(|c| Some(c * TEN_DIGITS + 3))];
    let keys = prop::collection::vec(0..6u64, 0..3);
    let tokens = prop::collection::vec(-2..2i64, 0..2);
    (calling, 0..200_000i64, prop::option::weighted(0.1, -4_000..4_000i64), keys, tokens).prop_map(
        |(calling, start, repeat, called, tokens)| IndexedRow {
            start: DAY + start,
            start_repeated: repeat.map(|own| DAY + start + own),
            calling,
            called,
            tokens,
        },
    )
}

fn starts_in(row: &IndexedRow, wanted: Span) -> bool {
    let within = |at: i64| wanted.from.seconds() <= at && at <= wanted.to.seconds();
    within(row.start) || row.start_repeated.is_some_and(within)
}

fn rows_where(rows: &[IndexedRow], fits: impl Fn(&IndexedRow) -> bool) -> BTreeSet<u32> {
    rows.iter().zip(0..).filter(|(row, _)| fits(row)).map(|(_, at)| at).collect()
}

proptest! {
    #[test]
    fn what_is_found_is_what_a_search_of_all_rows_finds(
        mut rows in prop::collection::vec(any_row(), 0..1500),
        from in -10_000..210_000i64,
        length in -10..100_000i64,
    ) {
        rows.sort_by_key(|row| (row.calling, row.start));
        let index = open(&print(&rows), rows.len()).unwrap();
        let wanted = span(DAY + from, DAY + from + length);
        for key in 0..7 {
            let expected = rows_where(&rows, |row| row.called.contains(&key) && starts_in(row, wanted));
            prop_assert_eq!(found(&index, Keyed::Called(key), wanted).unwrap(), expected);
        }
        for key in -3..3 {
            let expected = rows_where(&rows, |row| row.tokens.contains(&key) && starts_in(row, wanted));
            prop_assert_eq!(found(&index, Keyed::Token(key), wanted).unwrap(), expected);
        }
        for calling in [CallingNumber::None, CallingNumber::Whole(3), CallingNumber::LastTen(3)] {
            let is = |own: Option<i64>| match calling {
                CallingNumber::None => own.is_none(),
                CallingNumber::Whole(number) => own == Some(number),
                CallingNumber::LastTen(last) => own.is_some_and(|own| own % TEN_DIGITS == last),
            };
            let ranges = index.calling_rows(&[calling], wanted).unwrap();
            let missed = rows_where(&rows, |row| is(row.calling) && starts_in(row, wanted));
            prop_assert!(missed.iter().all(|row| ranges.iter().any(|range| range.contains(row))));
        }
    }

    #[test]
    fn one_changed_byte_is_never_a_wrong_answer(at: prop::sample::Index, change in 1..=255u8) {
        let rows: Vec<_> = (0..600).map(|own| row(Some(own / 5), own, &[own.cast_unsigned() % 7], &[own])).collect();
        let mut bytes = print(&rows);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let Ok(index) = open(&bytes, rows.len()) else { return Ok(()) };
        let wanted = span(DAY, DAY + 1_000);
        let expected = rows_where(&rows, |row| row.called.contains(&3));
        match found(&index, Keyed::Called(3), wanted) {
            Ok(rows) => prop_assert_eq!(rows, expected),
            Err(fault) => prop_assert!(matches!(fault, IndexFault::Checksum)),
        }
    }
}
