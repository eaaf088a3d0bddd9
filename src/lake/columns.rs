//! Records on their way into columns.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, Field};

use super::question::{RecordFile, Wanted};
use super::schema;
use crate::cdr::{Dialed, Link, Record};
use crate::identity_header::IdentityHeader;
use crate::passport::Passport;
use crate::time::UnixTime;

/// A record with what the lake keeps about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// Whose record it is.
    pub(super) network: &'a str,
    /// The source, by its label.
    pub(super) source: &'a str,
    /// Where it stood.
    pub(super) file: &'a RecordFile,
    /// How many equal lines stand before it in its file.
    pub(super) occurrence: u32,
    /// The record.
    pub(super) record: &'a Record,
}

/// Rows as columns, in the order given.
///
/// # Errors
/// When they are more than columns hold.
pub(super) fn to_batch(rows: &[Row<'_>]) -> Result<RecordBatch, ArrowError> {
    let mut origin: [StringBuilder; 4] = Default::default();
    let mut occurrence = Int32Builder::new();
    let mut columns = Columns::default();
    for row in rows {
        let values = [row.network, row.source, row.file.name.as_str(), row.file.sha256.as_str()];
        origin.iter_mut().zip(values).for_each(|(column, value)| column.append_value(value));
        occurrence.append_value(i32::try_from(row.occurrence).unwrap_or(i32::MAX));
        columns.append(row.record);
    }
    let mut arrays: Vec<ArrayRef> = origin.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }).collect();
    let mut own = columns.finish().into_iter();
    arrays.extend(own.next());
    arrays.push(Arc::new(occurrence.finish()));
    arrays.extend(own);
    RecordBatch::try_new(schema::schema(), arrays)
}

/// The columns that a record alone fills: all but its origin and its occurrence.
#[derive(Debug)]
pub(super) struct Columns {
    line: Int64Builder,
    fingerprint: FixedSizeBinaryBuilder,
    /// Start, its repetition, answer, end.
    instants: [TimestampMillisecondBuilder; 4],
    calling: Number,
    called: Number,
    original_called: Number,
    /// Text, technical prefix, canonical number.
    diversion: [ListBuilder<StringBuilder>; 3],
    /// Trunk, address and Call-ID, in and out.
    links: [StringBuilder; 6],
    sip_status: Int32Builder,
    q850: Int32Builder,
    identity: ListBuilder<StringBuilder>,
    token: Int64Builder,
    switch: StringBuilder,
    is_final: BooleanBuilder,
    stated: [StringBuilder; 4],
    claimed: [StringBuilder; 3],
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            line: Int64Builder::new(),
            fingerprint: FixedSizeBinaryBuilder::new(16),
            instants: std::array::from_fn(|_| TimestampMillisecondBuilder::new().with_data_type(schema::instant())),
            calling: Number::default(),
            called: Number::default(),
            original_called: Number::default(),
            diversion: std::array::from_fn(|_| texts()),
            links: Default::default(),
            sip_status: Int32Builder::new(),
            q850: Int32Builder::new(),
            identity: texts(),
            token: Int64Builder::new(),
            switch: StringBuilder::new(),
            is_final: BooleanBuilder::new(),
            stated: Default::default(),
            claimed: Default::default(),
        }
    }
}

fn texts() -> ListBuilder<StringBuilder> {
    ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", arrow_schema::DataType::Utf8, true))
}

impl Columns {
    /// Adds a record.
    pub(super) fn append(&mut self, record: &Record) {
        self.line.append_value(i64::try_from(record.place.line).unwrap_or(i64::MAX));
        // Sixteen bytes go into a column of sixteen bytes.
        let _ = self.fingerprint.append_value(record.fingerprint.0);
        let [start, repeated, answer, end] = &mut self.instants;
        start.append_value(millis(record.start));
        repeated.append_option(record.start_repeated.map(millis));
        answer.append_option(record.answer.map(millis));
        end.append_option(record.end.map(millis));
        self.calling.append(Some(&record.calling));
        self.called.append(Some(&record.called));
        self.original_called.append(record.original_called.as_ref());
        self.append_diversion(&record.diversion);
        self.append_links(&record.ingress, &record.egress);
        self.sip_status.append_option(record.sip_status.map(i32::from));
        self.q850.append_option(record.q850.map(i32::from));
        self.append_identity(&record.identity);
        self.switch.append_option(record.switch.as_deref());
        self.is_final.append_option(record.is_final);
        let stated = &record.stated;
        let values = [&stated.verstat, &stated.attest, &stated.origid, &stated.spc];
        self.stated.iter_mut().zip(values).for_each(|(column, value)| column.append_option(value.as_deref()));
    }

    fn append_diversion(&mut self, diversion: &[Dialed]) {
        let [texts, prefixes, numbers] = &mut self.diversion;
        for dialed in diversion {
            texts.values().append_value(&dialed.raw);
            prefixes.values().append_option(dialed.tech_prefix.as_deref());
            numbers.values().append_option(dialed.canonical.as_ref().map(|number| number.as_str()));
        }
        [texts, prefixes, numbers].into_iter().for_each(|column| column.append(!diversion.is_empty()));
    }

    fn append_links(&mut self, ingress: &Link, egress: &Link) {
        let values = [ingress, egress].into_iter().flat_map(|link| [&link.trunk, &link.address, &link.call_id]);
        self.links.iter_mut().zip(values).for_each(|(column, value)| column.append_option(value.as_deref()));
    }

    fn append_identity(&mut self, identity: &[String]) {
        for value in identity {
            self.identity.values().append_value(value);
        }
        self.identity.append(!identity.is_empty());
        let passport = first_full_form(identity);
        self.token.append_option(passport.as_ref().map(|passport| Wanted::token_key(passport.as_str())));
        let (header, claims) = (passport.as_ref().map(Passport::header), passport.as_ref().map(Passport::claims));
        let values = [
            claims.and_then(|claims| claims.attest.as_deref()),
            claims.and_then(|claims| claims.origid.as_deref()),
            header.and_then(|header| header.x5u.as_deref()),
        ];
        self.claimed.iter_mut().zip(values).for_each(|(column, value)| column.append_option(value));
    }

    /// The columns, in the order of the schema; nothing is left.
    pub(super) fn finish(&mut self) -> Vec<ArrayRef> {
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(self.line.finish()), Arc::new(self.fingerprint.finish())];
        arrays.extend(self.instants.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }));
        for number in [&mut self.calling, &mut self.called, &mut self.original_called] {
            arrays.push(Arc::new(number.integer.finish()));
            arrays.extend(number.texts.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }));
        }
        arrays.extend(self.diversion.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }));
        arrays.extend(self.links.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }));
        arrays.push(Arc::new(self.sip_status.finish()));
        arrays.push(Arc::new(self.q850.finish()));
        arrays.push(Arc::new(self.identity.finish()));
        arrays.push(Arc::new(self.token.finish()));
        arrays.push(Arc::new(self.switch.finish()));
        arrays.push(Arc::new(self.is_final.finish()));
        let said = self.stated.iter_mut().chain(&mut self.claimed);
        arrays.extend(said.map(|column| -> ArrayRef { Arc::new(column.finish()) }));
        arrays
    }
}

/// The columns of one number.
#[derive(Debug, Default)]
struct Number {
    integer: Int64Builder,
    /// Text, technical prefix, and the canonical number where the integer does not say it.
    texts: [StringBuilder; 3],
}

impl Number {
    fn append(&mut self, dialed: Option<&Dialed>) {
        let number = dialed.and_then(|dialed| dialed.canonical.as_ref());
        let integer = number.and_then(|number| number.to_integer());
        self.integer.append_option(integer);
        // Leading zeros are lost in an integer.
        let says_it = |text: &str| integer.is_some() && (!text.starts_with('0') || text == "0");
        let [text, tech_prefix, other] = &mut self.texts;
        text.append_option(dialed.map(|dialed| &dialed.raw));
        tech_prefix.append_option(dialed.and_then(|dialed| dialed.tech_prefix.as_deref()));
        other.append_option(number.map(|number| number.as_str()).filter(|text| !says_it(text)));
    }
}

/// The first PASSporT in full form: the compact form says nothing that could be found again.
pub(super) fn first_full_form(identity: &[String]) -> Option<Passport> {
    let values = identity.iter().filter_map(|value| IdentityHeader::parse(value).ok());
    values.into_iter().find_map(|header| Passport::parse(&header.token).ok())
}

/// Milliseconds since 1970.
pub(super) const fn millis(instant: UnixTime) -> i64 {
    instant.seconds().saturating_mul(1000)
}
