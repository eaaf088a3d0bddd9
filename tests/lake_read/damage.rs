//! A lake that somebody damaged says which file and what to do, or answers right; it never panics.

use std::fs;

use proptest::prelude::*;
use stirtrace::lake::{Error, Field, Found, Lake, Tally, Wanted};

use super::lake_suite::{Row, found, number, record, rows, span};
use super::parquet::{Kept, make};

fn some() -> Vec<Row> {
    rows((0..3_000).map(|own| record(&format!("1215555{:04}", own % 700), &format!("1216555{:04}", own % 90), own)))
}

fn wanted() -> [Wanted; 2] {
    let within = Wanted::within(span(0, 2_000));
    [within.with_called(number("12165550031")), within.with_calling(number("12155550112"))]
}

fn answers(kept: &Kept) -> Result<Vec<Found>, Error> {
    let mut all = Vec::new();
    kept.again()?.candidates(&wanted(), &mut |found| all.push(found))?;
    all.sort_by_key(|own| (own.wanted, own.record.place));
    Ok(all)
}

fn told(outcome: Result<Vec<Found>, Error>) -> String {
    outcome.map(|found| found.len()).unwrap_err().to_string()
}

#[test]
fn a_file_cut_short_is_named() {
    let kept = make(&some());
    let [path] = &kept.files(".parquet")[..] else { panic!("one day") };
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    let told = told(answers(&kept));
    assert!(told.contains(".parquet: damaged or replaced: it has ") && told.contains("put it back"), "{told}");
}

#[test]
fn a_file_that_is_missing_is_named() {
    let kept = make(&some());
    kept.files(".parquet").iter().for_each(|path| fs::remove_file(path).unwrap());
    let told = told(answers(&kept));
    assert!(told.contains(".parquet: damaged or replaced: it is not there; put it back"), "{told}");
    let tallied = kept.again().unwrap().tally(&Tally::by([Field::Day], span(0, 10)));
    assert!(matches!(tallied, Err(Error::Damaged { .. })));
}

#[test]
fn a_file_of_another_lake_is_none() {
    let (kept, other) = (make(&some()), make(&some()[..10]));
    let (own, others) = (kept.files(".parquet"), other.files(".parquet"));
    fs::copy(&others[0], &own[0]).unwrap();
    assert!(matches!(answers(&kept), Err(Error::Damaged { .. })));
}

#[test]
fn an_index_of_another_file_is_not_believed() {
    let (kept, other) = (make(&some()), make(&some()[..2_999]));
    let expected = answers(&kept).unwrap();
    assert!(expected.len() > 20);
    fs::copy(&other.files(".index")[0], &kept.files(".index")[0]).unwrap();
    assert_eq!(answers(&kept).unwrap(), expected);
    for bytes in [&b""[..], b"STIRINDX", &[0xff; 5_000]] {
        fs::write(&kept.files(".index")[0], bytes).unwrap();
        assert_eq!(answers(&kept).unwrap(), expected);
    }
}

#[test]
fn a_manifest_from_the_future_is_refused() {
    let kept = make(&some());
    let path = kept.path().join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap().replace("\"version\":1", "\"version\":7");
    fs::write(&path, manifest).unwrap();
    assert!(matches!(kept.again(), Err(Error::Version { found: 7, .. })));
    fs::write(&path, "{").unwrap();
    assert!(matches!(kept.again(), Err(Error::Manifest { .. })));
}

#[test]
fn a_reader_goes_on_where_compaction_has_replaced_files() {
    let kept = make(&some());
    let before = found(&kept.again().unwrap(), &wanted());
    let reader = kept.again().unwrap();
    // The same rows under another name, as compaction leaves them once the old files are gone.
    let [path] = &kept.files(".parquet")[..] else { panic!("one day") };
    let name = path.file_name().unwrap().to_str().unwrap();
    let renamed = name.replace(&name[..4], if name.starts_with("0000") { "1111" } else { "0000" });
    fs::rename(path, path.with_file_name(&renamed)).unwrap();
    let manifest = kept.path().join("manifest.json");
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap().replace(name, &renamed)).unwrap();
    assert_eq!(found(&reader, &wanted()), before);
    assert_eq!(reader.tally(&Tally::by([], span(0, 10))).unwrap()[0].records, 11);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_end_in_an_error_or_in_records_that_fit(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 1..4),
        at_the_end: bool,
    ) {
        let kept = make(&some()[..600]);
        let path = &kept.files(".parquet")[0];
        let mut bytes = fs::read(path).unwrap();
        let length = bytes.len();
        for (place, change) in changes {
            // The footer is where most can go wrong.
            let place = if at_the_end { length - 1 - place.index(length.min(6_000)) } else { place.index(length) };
            bytes[place] ^= change;
        }
        fs::write(path, bytes).unwrap();
        match answers(&kept) {
            Ok(found) => prop_assert!(found.iter().all(|own| wanted()[own.wanted].fits(&own.record))),
            Err(Error::Damaged { path, .. }) => prop_assert!(path.ends_with(".parquet")),
            Err(other) => prop_assert!(false, "{other}"),
        }
        let _ = kept.again().unwrap().tally(&Tally::by([Field::IngressTrunk], span(0, 10)));
    }
}
