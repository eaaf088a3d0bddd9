//! What a row is found by: the keys of the numbers that its call was for, and of its PASSporTs.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMillisecondType};
use arrow_array::{Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampMillisecondArray};

use super::index::{CallingNumber, IndexedRow};
use super::question::Wanted;
use super::rows::{NoColumn, column};
use super::schema::{self, NumberNames};
use crate::number::TelephoneNumber;

/// The key of a number: its last ten digits as an integer. Numbers that may be one have the same; others may, too.
pub(super) fn number_key(number: &TelephoneNumber) -> u64 {
    let text = number.as_str().as_bytes();
    let last = &text[text.len().saturating_sub(10)..];
    let digits = last.iter().all(u8::is_ascii_digit);
    let digit = |c: &u8| u64::from(c.wrapping_sub(b'0'));
    if digits {
        last.iter().fold(0, |key, c| key * 10 + digit(c))
    } else {
        // Above every integer of ten digits.
        last.iter().fold(1, |key: u64, c| key << 6 | u64::from(c & 63)) | 1 << 63
    }
}

/// The same of a number that is an integer.
pub(super) fn integer_key(number: i64) -> u64 {
    number.rem_euclid(TEN_DIGITS).cast_unsigned()
}

const TEN_DIGITS: i64 = 10_000_000_000;

/// How a calling number may stand in the column of integers.
pub(super) fn calling_numbers(wanted: &TelephoneNumber) -> Vec<CallingNumber> {
    let whole = wanted.to_integer();
    let text = wanted.as_str();
    let last: Option<i64> = text.get(text.len().saturating_sub(10)..).and_then(|last| last.parse().ok());
    match (text.len(), last) {
        // A number with signs, or of many digits, may end in them; its integer is none.
        (10, Some(last)) => vec![CallingNumber::LastTen(last), CallingNumber::None],
        (11.., Some(last)) => vec![whole.map_or(CallingNumber::None, CallingNumber::Whole), CallingNumber::Whole(last)],
        _ => vec![whole.map_or(CallingNumber::None, CallingNumber::Whole)],
    }
}

/// Whether an integer of the column may be the number; the text decides.
pub(super) fn may_be(numbers: &[CallingNumber], own: Option<i64>) -> bool {
    numbers.iter().any(|number| match (number, own) {
        (CallingNumber::None, None) => true,
        (CallingNumber::Whole(number), Some(own)) => *number == own,
        (CallingNumber::LastTen(last), Some(own)) => own.rem_euclid(TEN_DIGITS) == *last,
        _ => false,
    })
}

/// The columns that keys are made of.
pub(super) struct KeyColumns<'a> {
    start: &'a TimestampMillisecondArray,
    start_repeated: &'a TimestampMillisecondArray,
    calling: &'a Int64Array,
    /// Called and called before: the integer, and the text where that does not say it.
    called: [(&'a Int64Array, &'a StringArray); 2],
    diversion: &'a ListArray,
    identity: &'a ListArray,
}

impl<'a> KeyColumns<'a> {
    /// Their names.
    pub(super) const NAMES: [&'static str; 9] = [
        schema::START,
        schema::START_REPEATED,
        schema::CALLING.integer,
        schema::CALLED.integer,
        schema::CALLED.number,
        schema::ORIGINAL_CALLED.integer,
        schema::ORIGINAL_CALLED.number,
        schema::DIVERSION_NUMBER,
        schema::IDENTITY,
    ];

    /// Those of a batch.
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, NoColumn> {
        let list = |name: &str| column(batch, name, |array| array.as_list_opt::<i32>());
        let number = |names: NumberNames| -> Result<_, NoColumn> {
            let text = column(batch, names.number, |array| array.as_string_opt::<i32>())?;
            Ok((column(batch, names.integer, |array| array.as_primitive_opt::<Int64Type>())?, text))
        };
        let times = TimeColumns::new(batch)?;
        Ok(Self {
            start: times.start,
            start_repeated: times.start_repeated,
            calling: times.calling,
            called: [number(schema::CALLED)?, number(schema::ORIGINAL_CALLED)?],
            diversion: list(schema::DIVERSION_NUMBER)?,
            identity: list(schema::IDENTITY)?,
        })
    }

    /// Reads what a row is found by.
    pub(super) fn read(&self, at: usize, row: &mut IndexedRow) {
        row.start = seconds(self.start, at).unwrap_or_default();
        row.start_repeated = seconds(self.start_repeated, at);
        row.calling = self.calling.is_valid(at).then(|| self.calling.value(at));
        row.called.clear();
        for (integer, text) in self.called {
            if text.is_valid(at) {
                row.called.extend(key_of_text(text.value(at)));
            } else if integer.is_valid(at) {
                row.called.push(integer_key(integer.value(at)));
            }
        }
        each(self.diversion, at, |text| row.called.extend(key_of_text(text)));
        row.tokens.clear();
        each(self.identity, at, |text| row.tokens.push(Wanted::token_key(text)));
    }
}

/// The columns that a file is sorted by.
pub(super) struct TimeColumns<'a> {
    start: &'a TimestampMillisecondArray,
    start_repeated: &'a TimestampMillisecondArray,
    calling: &'a Int64Array,
}

impl<'a> TimeColumns<'a> {
    /// Their names.
    pub(super) const NAMES: [&'static str; 3] = [schema::START, schema::START_REPEATED, schema::CALLING.integer];

    /// Those of a batch.
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, NoColumn> {
        let instant = |name: &str| column(batch, name, |array| array.as_primitive_opt::<TimestampMillisecondType>());
        Ok(Self {
            start: instant(schema::START)?,
            start_repeated: instant(schema::START_REPEATED)?,
            calling: column(batch, schema::CALLING.integer, |array| array.as_primitive_opt::<Int64Type>())?,
        })
    }

    /// The instants that a row may begin at.
    pub(super) fn starts(&self, at: usize) -> impl Iterator<Item = i64> {
        seconds(self.start, at).into_iter().chain(seconds(self.start_repeated, at))
    }

    /// The calling number of a row.
    pub(super) fn calling(&self, at: usize) -> Option<i64> {
        self.calling.is_valid(at).then(|| self.calling.value(at))
    }
}

fn seconds(column: &TimestampMillisecondArray, at: usize) -> Option<i64> {
    column.is_valid(at).then(|| column.value(at).div_euclid(1000))
}

fn key_of_text(text: &str) -> Option<u64> {
    text.parse().ok().as_ref().map(number_key)
}

fn each(column: &ListArray, at: usize, mut take: impl FnMut(&str)) {
    if column.is_null(at) || column.value_length(at) == 0 {
        return;
    }
    let values = column.value(at);
    let Some(texts) = values.as_string_opt::<i32>() else { return };
    texts.iter().flatten().for_each(&mut take);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = TelephoneNumber> {
        let tail = prop_oneof!["[01]{10}", "[0*#]{10}", "[01]{0,11}"];
        ("[01*]{0,9}", tail).prop_filter_map("no number", |(head, tail)| format!("{head}{tail}").parse().ok())
    }

    proptest! {
        #[test]
        fn numbers_that_may_be_one_have_one_key(left in number(), right in number()) {
            if left.may_be(&right) {
                prop_assert_eq!(number_key(&left), number_key(&right));
                prop_assert!(may_be(&calling_numbers(&left), right.to_integer()), "{left} {right}");
            }
            if let Some(integer) = left.to_integer() {
                prop_assert_eq!(number_key(&left), integer_key(integer));
            }
        }
    }
}
