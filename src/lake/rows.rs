//! Columns on their way back into records.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{
    Array, BooleanArray, FixedSizeBinaryArray, Int32Array, Int64Array, ListArray, PrimitiveArray, RecordBatch,
    StringArray, TimestampMillisecondArray,
};

use super::question::RecordFile;
use super::schema::{self, NumberNames};
use crate::cdr::{Dialed, Fingerprint, Link, Place, Record, Stated};
use crate::time::UnixTime;

/// The rows of a batch that has every column of the [`schema`].
#[derive(Debug)]
pub(super) struct Rows<'a> {
    /// Network, source, file and its SHA-256.
    origin: [&'a StringArray; 4],
    line: &'a Int64Array,
    fingerprint: &'a FixedSizeBinaryArray,
    /// Start, its repetition, answer, end.
    instants: [&'a TimestampMillisecondArray; 4],
    calling: Number<'a>,
    called: Number<'a>,
    original_called: Number<'a>,
    /// Text, technical prefix, canonical number.
    diversion: [&'a ListArray; 3],
    links: [&'a StringArray; 6],
    sip_status: &'a Int32Array,
    q850: &'a Int32Array,
    identity: &'a ListArray,
    switch: &'a StringArray,
    is_final: &'a BooleanArray,
    stated: [&'a StringArray; 4],
}

/// A column that is missing, or holds something else.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the column {column} is missing, or holds something else")]
pub(super) struct NoColumn {
    column: String,
}

impl<'a> Rows<'a> {
    /// The rows of a batch; columns may stand in any order.
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, NoColumn> {
        let text = |name: &str| column(batch, name, |array| array.as_string_opt::<i32>());
        let instant = |name: &str| column(batch, name, |array| array.as_primitive_opt::<TimestampMillisecondType>());
        let small = |name: &str| column(batch, name, |array| array.as_primitive_opt::<Int32Type>());
        let list = |name: &str| column(batch, name, |array| array.as_list_opt::<i32>());
        let [ingress_trunk, ingress_address, ingress_call_id] = schema::INGRESS;
        let [egress_trunk, egress_address, egress_call_id] = schema::EGRESS;
        let [verstat, attest, origid, spc] = schema::STATED;
        Ok(Self {
            origin: [text(schema::NETWORK)?, text(schema::SOURCE)?, text(schema::FILE)?, text(schema::FILE_SHA256)?],
            line: column(batch, schema::LINE, |array| array.as_primitive_opt::<Int64Type>())?,
            fingerprint: column(batch, schema::FINGERPRINT, |array| array.as_fixed_size_binary_opt())?,
            instants: [
                instant(schema::START)?,
                instant(schema::START_REPEATED)?,
                instant(schema::ANSWER)?,
                instant(schema::END)?,
            ],
            calling: Number::new(batch, schema::CALLING)?,
            called: Number::new(batch, schema::CALLED)?,
            original_called: Number::new(batch, schema::ORIGINAL_CALLED)?,
            diversion: [
                list(schema::DIVERSION)?,
                list(schema::DIVERSION_TECH_PREFIX)?,
                list(schema::DIVERSION_NUMBER)?,
            ],
            links: [
                text(ingress_trunk)?,
                text(ingress_address)?,
                text(ingress_call_id)?,
                text(egress_trunk)?,
                text(egress_address)?,
                text(egress_call_id)?,
            ],
            sip_status: small(schema::SIP_STATUS)?,
            q850: small(schema::Q850)?,
            identity: list(schema::IDENTITY)?,
            switch: text(schema::SWITCH)?,
            is_final: column(batch, schema::IS_FINAL, |array| array.as_boolean_opt())?,
            stated: [text(verstat)?, text(attest)?, text(origid)?, text(spc)?],
        })
    }

    /// Whose record a row is.
    pub(super) fn network(&self, row: usize) -> &'a str {
        self.origin[0].value(row)
    }

    /// The source of a row.
    pub(super) fn source(&self, row: usize) -> &'a str {
        self.origin[1].value(row)
    }

    /// The file that a row stood in.
    pub(super) fn file(&self, row: usize) -> RecordFile {
        RecordFile { name: self.origin[2].value(row).to_owned(), sha256: self.origin[3].value(row).to_owned() }
    }

    /// Whether a row carries an Identity value.
    pub(super) fn has_identity(&self, row: usize) -> bool {
        self.identity.is_valid(row) && self.identity.value_length(row) > 0
    }

    /// The instants that a row may begin at: two, where a local clock repeats an hour.
    pub(super) fn starts(&self, row: usize) -> [Option<UnixTime>; 2] {
        [instant(self.instants[0], row), instant(self.instants[1], row)]
    }

    /// The record of a row, at that place in the list of files.
    pub(super) fn record(&self, row: usize, file: usize) -> Record {
        let [start, repeated, answer, end] = self.instants.map(|column| instant(column, row));
        let [verstat, attest, origid, spc] = self.stated.map(|column| text(column, row));
        let status = |column: &Int32Array| value(column, row).and_then(|value| u16::try_from(value).ok());
        Record {
            place: Place::new(file, u64::try_from(self.line.value(row)).unwrap_or_default()),
            start: start.unwrap_or_default(),
            start_repeated: repeated,
            answer,
            end,
            calling: self.calling.dialed(row).unwrap_or_default(),
            called: self.called.dialed(row).unwrap_or_default(),
            original_called: self.original_called.dialed(row),
            ingress: self.link(row, 0),
            egress: self.link(row, 3),
            sip_status: status(self.sip_status),
            q850: status(self.q850),
            identity: list(self.identity, row).into_iter().flatten().collect(),
            diversion: self.diverted(row),
            switch: text(self.switch, row),
            is_final: self.is_final.is_valid(row).then(|| self.is_final.value(row)),
            stated: Stated { verstat, attest, origid, spc },
            fingerprint: Fingerprint(self.fingerprint.value(row).try_into().unwrap_or_default()),
        }
    }

    fn link(&self, row: usize, first: usize) -> Link {
        let own = |offset: usize| self.links.get(first + offset).and_then(|column| text(column, row));
        Link { trunk: own(0), address: own(1), call_id: own(2) }
    }

    fn diverted(&self, row: usize) -> Vec<Dialed> {
        let [texts, prefixes, numbers] = self.diversion.map(|column| list(column, row));
        let all = texts.into_iter().zip(prefixes.into_iter().zip(numbers));
        all.map(|(raw, (tech_prefix, number))| Dialed {
            raw: raw.unwrap_or_default(),
            tech_prefix,
            canonical: number.and_then(|number| number.parse().ok()),
        })
        .collect()
    }
}

#[derive(Debug)]
struct Number<'a> {
    integer: &'a Int64Array,
    text: &'a StringArray,
    tech_prefix: &'a StringArray,
    number: &'a StringArray,
}

impl<'a> Number<'a> {
    fn new(batch: &'a RecordBatch, names: NumberNames) -> Result<Self, NoColumn> {
        let text = |name: &str| column(batch, name, |array| array.as_string_opt::<i32>());
        Ok(Self {
            integer: column(batch, names.integer, |array| array.as_primitive_opt::<Int64Type>())?,
            text: text(names.text)?,
            tech_prefix: text(names.tech_prefix)?,
            number: text(names.number)?,
        })
    }

    fn dialed(&self, row: usize) -> Option<Dialed> {
        let raw = text(self.text, row)?;
        let written = if self.number.is_valid(row) {
            Some(self.number.value(row).to_owned())
        } else {
            value(self.integer, row).map(|integer| integer.to_string())
        };
        let canonical = written.and_then(|number| number.parse().ok());
        Some(Dialed { raw, tech_prefix: text(self.tech_prefix, row), canonical })
    }
}

pub(super) fn column<'a, A>(
    batch: &'a RecordBatch,
    name: &str,
    cast: impl Fn(&'a Arc<dyn Array>) -> Option<A>,
) -> Result<A, NoColumn> {
    batch.column_by_name(name).and_then(cast).ok_or_else(|| NoColumn { column: name.to_owned() })
}

fn text(column: &StringArray, row: usize) -> Option<String> {
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn value<T: arrow_array::ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

fn instant(column: &TimestampMillisecondArray, row: usize) -> Option<UnixTime> {
    value(column, row).map(|millis| UnixTime::from_seconds(millis.div_euclid(1000)))
}

fn list(column: &ListArray, row: usize) -> Vec<Option<String>> {
    if column.is_null(row) {
        return Vec::new();
    }
    let values = column.value(row);
    let Some(texts) = values.as_string_opt::<i32>() else { return Vec::new() };
    texts.iter().map(|text| text.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests;
