use proptest::option::of;
use proptest::prelude::*;

use super::*;
use arrow_array::ArrayRef;
use arrow_array::builder::StringBuilder;
use arrow_schema::ArrowError;

use crate::lake::columns::Columns;
use crate::lake::packed::{integer_of, pack};
use crate::lake::run::{Key, NO_NUMBER};
use crate::number::NumberPlan;

fn instants() -> impl Strategy<Value = UnixTime> {
    // The years that a time can be written in.
    (-62_135_596_800_i64..253_402_300_800).prop_map(UnixTime::from_seconds)
}

fn dialed() -> impl Strategy<Value = Dialed> {
    let canonical = of(prop_oneof!["[0-9]{1,31}", "[0-9*#]{1,8}", "1[2-9][0-9]{9}"])
        .prop_map(|text| text.map(|text| text.parse().unwrap()));
    prop_oneof![
        "[0-9+]{1,15}".prop_map(|text| Dialed::read(&text, NumberPlan::NORTH_AMERICAN)),
        (any::<String>(), of("[0-9]{1,4}"), canonical).prop_map(|(raw, tech_prefix, canonical)| Dialed {
            raw,
            tech_prefix,
            canonical
        }),
    ]
}

fn links() -> impl Strategy<Value = Link> {
    (of(any::<String>()), of(any::<String>()), of(any::<String>())).prop_map(|(trunk, address, call_id)| Link {
        trunk,
        address,
        call_id,
    })
}

prop_compose! {
    fn stated()(verstat in of(any::<String>()), attest in of("[ABC]"), origid in of(any::<String>()), spc in of("[0-9A-Z]{4}")) -> Stated {
        Stated { verstat, attest, origid, spc }
    }
}

prop_compose! {
    fn records()(
        times in (instants(), of(instants()), of(instants()), of(instants())),
        numbers in (dialed(), dialed(), of(dialed())),
        links in (links(), links()),
        codes in (of(any::<u16>()), of(any::<u16>())),
        lists in (prop::collection::vec(any::<String>(), 0..3), prop::collection::vec(dialed(), 0..3)),
        said in (of(any::<String>()), of(any::<bool>()), stated()),
        line in 1..u64::from(u32::MAX),
        fingerprint: [u8; 16],
    ) -> Record {
        Record {
            place: Place::new(3, line),
            start: times.0, start_repeated: times.1, answer: times.2, end: times.3,
            calling: numbers.0, called: numbers.1, original_called: numbers.2,
            ingress: links.0, egress: links.1,
            sip_status: codes.0, q850: codes.1,
            identity: lists.0, diversion: lists.1,
            switch: said.0, is_final: said.1, stated: said.2,
            fingerprint: Fingerprint(fingerprint),
        }
    }
}

proptest! {
    #[test]
    fn every_record_comes_back_as_it_went_in(records in prop::collection::vec(records(), 1..8), occurrence in 0..9_u32) {
        let file = RecordFile { name: "cdr/a.csv".to_owned(), sha256: "00ff".to_owned() };
        let row = |record| Row { network: "Cascade Transit", source: "sbc", file: &file, occurrence, record };
        let batch = to_batch(&records.iter().map(row).collect::<Vec<_>>()).unwrap();
        let rows = Rows::new(&batch).unwrap();
        for (index, record) in records.iter().enumerate() {
            prop_assert_eq!(&rows.record(index, 3), record);
            prop_assert_eq!((rows.network(index), rows.source(index)), ("Cascade Transit", "sbc"));
            prop_assert_eq!(rows.file(index), file.clone());
        }
    }
}

#[test]
fn a_batch_without_a_column_is_refused_by_its_name() {
    let batch = to_batch(&[]).unwrap();
    let fewer = batch.project(&[0, 1, 2, 3, 4]).unwrap();
    assert_eq!(Rows::new(&fewer).unwrap_err().column, schema::FINGERPRINT);
}

/// A record with what the lake keeps about it.
#[derive(Clone, Copy, Debug)]
struct Row<'a> {
    /// Whose record it is.
    network: &'a str,
    /// The source, by its label.
    source: &'a str,
    /// Where it stood.
    file: &'a RecordFile,
    /// How many equal lines stand before it in its file.
    occurrence: u32,
    /// The record.
    record: &'a Record,
}

/// Rows as columns, in the order given.
///
/// # Errors
/// When they are more than columns hold.
fn to_batch(rows: &[Row<'_>]) -> Result<RecordBatch, ArrowError> {
    let mut origin: [StringBuilder; 4] = Default::default();
    let mut columns = Columns::default();
    let mut packed = Vec::new();
    for row in rows {
        let values = [row.network, row.source, row.file.name.as_str(), row.file.sha256.as_str()];
        origin.iter_mut().zip(values).for_each(|(column, value)| column.append_value(value));
        let calling = integer_of(Some(&row.record.calling)).unwrap_or(NO_NUMBER);
        let key = Key::new(calling, row.record.start.seconds(), row.record.fingerprint.0);
        let place = packed.len();
        pack(row.record, &mut packed);
        columns.append(&key, row.occurrence, &packed[place..]);
    }
    let mut arrays: Vec<ArrayRef> = origin.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }).collect();
    arrays.extend(columns.finish()?);
    RecordBatch::try_new(schema::schema(), arrays)
}
