//! The columns of a kept record, named so that any engine that reads Parquet can ask them.
//!
//! A number stands as `Int64` beside the text as received; `*_number` has it only where the integer cannot say it, as
//! for `*67`. `claimed_*` is what the first PASSporT says, unverified: for tallies, never for an answer.

use std::sync::{Arc, OnceLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The columns, in the order of the files.
pub(super) fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    Arc::clone(SCHEMA.get_or_init(|| Arc::new(Schema::new(fields()))))
}

/// The same as an ingest hands it to the writer of a file: where a row comes from is a number, and what it stands for.
pub(super) fn written() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    let numbered = || {
        let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let is_origin = |field: &Field| [NETWORK, SOURCE, FILE, FILE_SHA256].contains(&field.name().as_str());
        let to_numbered = |own| if is_origin(&own) { own.with_data_type(kind.clone()) } else { own };
        Arc::new(Schema::new(fields().into_iter().map(to_numbered).collect::<Vec<Field>>()))
    };
    Arc::clone(SCHEMA.get_or_init(numbered))
}

fn fields() -> Vec<Field> {
    let mut fields = Vec::with_capacity(64);
    let mut needed = |names: &[&str], kind: &DataType| {
        fields.extend(names.iter().map(|name| Field::new(*name, kind.clone(), false)));
    };
    needed(&[NETWORK, SOURCE, FILE, FILE_SHA256], &DataType::Utf8);
    needed(&[LINE], &DataType::Int64);
    needed(&[OCCURRENCE], &DataType::Int32);
    needed(&[FINGERPRINT], &DataType::FixedSizeBinary(16));
    needed(&[START], &instant());
    let mut optional = |names: &[&str], kind: &DataType| {
        fields.extend(names.iter().map(|name| Field::new(*name, kind.clone(), true)));
    };
    optional(&[START_REPEATED, ANSWER, END], &instant());
    for own in [CALLING, CALLED, ORIGINAL_CALLED] {
        optional(&[own.integer], &DataType::Int64);
        optional(&[own.text, own.tech_prefix, own.number], &DataType::Utf8);
    }
    optional(&[DIVERSION, DIVERSION_TECH_PREFIX, DIVERSION_NUMBER], &texts());
    optional(&INGRESS, &DataType::Utf8);
    optional(&EGRESS, &DataType::Utf8);
    optional(&[SIP_STATUS, Q850], &DataType::Int32);
    optional(&[IDENTITY], &texts());
    optional(&[TOKEN], &DataType::Int64);
    optional(&[SWITCH], &DataType::Utf8);
    optional(&[IS_FINAL], &DataType::Boolean);
    optional(&STATED, &DataType::Utf8);
    optional(&CLAIMED, &DataType::Utf8);
    fields
}

/// An instant in UTC. Calls are kept to the second; other engines expect milliseconds.
pub(super) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// Several texts.
pub(super) fn texts() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

/// The columns of one number.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberNames {
    /// The canonical number as an integer, where it is one.
    pub(super) integer: &'static str,
    /// The text as received.
    pub(super) text: &'static str,
    /// The technical prefix before a `#`.
    pub(super) tech_prefix: &'static str,
    /// The canonical number, where the integer does not say it.
    pub(super) number: &'static str,
}

/// Who calls.
pub(super) const CALLING: NumberNames = NumberNames {
    integer: "calling",
    text: "calling_text",
    tech_prefix: "calling_tech_prefix",
    number: "calling_number",
};
/// Who is called.
pub(super) const CALLED: NumberNames =
    NumberNames { integer: "called", text: "called_text", tech_prefix: "called_tech_prefix", number: "called_number" };
/// Who was called before.
pub(super) const ORIGINAL_CALLED: NumberNames = NumberNames {
    integer: "original_called",
    text: "original_called_text",
    tech_prefix: "original_called_tech_prefix",
    number: "original_called_number",
};

/// The network whose record it is.
pub(super) const NETWORK: &str = "network";
/// The source, by its label.
pub(super) const SOURCE: &str = "source";
/// The file, relative to the folder of the `stirtrace.toml`.
pub(super) const FILE: &str = "file";
/// The file's SHA-256 in hex.
pub(super) const FILE_SHA256: &str = "file_sha256";
/// The line, from 1.
pub(super) const LINE: &str = "line";
/// How many equal lines stand before it in its file.
pub(super) const OCCURRENCE: &str = "occurrence";
/// The first 128 bits of the line's SHA-256.
pub(super) const FINGERPRINT: &str = "fingerprint";
/// When the attempt began.
pub(super) const START: &str = "start";
/// The other instant it may mean, where a local clock repeats an hour.
pub(super) const START_REPEATED: &str = "start_repeated";
/// When it was answered.
pub(super) const ANSWER: &str = "answer";
/// When it ended.
pub(super) const END: &str = "end";
/// The numbers of the Diversion header as received, the latest first.
pub(super) const DIVERSION: &str = "diversion";
/// Their technical prefixes.
pub(super) const DIVERSION_TECH_PREFIX: &str = "diversion_tech_prefix";
/// Their canonical numbers.
pub(super) const DIVERSION_NUMBER: &str = "diversion_number";
/// How the call came in: trunk, address, Call-ID.
pub(super) const INGRESS: [&str; 3] = ["ingress_trunk", "ingress_address", "ingress_call_id"];
/// How it went out.
pub(super) const EGRESS: [&str; 3] = ["egress_trunk", "egress_address", "egress_call_id"];
/// The final SIP response.
pub(super) const SIP_STATUS: &str = "sip_status";
/// The release cause of Q.850.
pub(super) const Q850: &str = "q850";
/// The Identity header values, in their order.
pub(super) const IDENTITY: &str = "identity";
/// The key of the first full-form token: the first eight bytes of its SHA-256.
pub(super) const TOKEN: &str = "token";
/// The switch.
pub(super) const SWITCH: &str = "switch";
/// Whether it is the last attempt.
pub(super) const IS_FINAL: &str = "is_final";
/// What the switch states of a signature.
pub(super) const STATED: [&str; 4] = ["stated_verstat", "stated_attest", "stated_origid", "stated_spc"];
/// What the first PASSporT says, unverified.
pub(super) const CLAIMED: [&str; 3] = ["claimed_attest", "claimed_origid", "claimed_x5u"];

/// Columns whose least and greatest value tell nothing: each part of a file holds all kinds of them.
pub(super) const UNRANGED: [&str; 9] =
    [FINGERPRINT, CALLING.text, CALLED.text, INGRESS[0], INGRESS[1], INGRESS[2], EGRESS[0], EGRESS[1], EGRESS[2]];

/// The columns that a record is made of, with where it comes from.
pub(super) const RECORD: [&str; 40] = [
    NETWORK,
    SOURCE,
    FILE,
    FILE_SHA256,
    LINE,
    FINGERPRINT,
    START,
    START_REPEATED,
    ANSWER,
    END,
    CALLING.integer,
    CALLING.text,
    CALLING.tech_prefix,
    CALLING.number,
    CALLED.integer,
    CALLED.text,
    CALLED.tech_prefix,
    CALLED.number,
    ORIGINAL_CALLED.integer,
    ORIGINAL_CALLED.text,
    ORIGINAL_CALLED.tech_prefix,
    ORIGINAL_CALLED.number,
    DIVERSION,
    DIVERSION_TECH_PREFIX,
    DIVERSION_NUMBER,
    INGRESS[0],
    INGRESS[1],
    INGRESS[2],
    EGRESS[0],
    EGRESS[1],
    EGRESS[2],
    SIP_STATUS,
    Q850,
    IDENTITY,
    SWITCH,
    IS_FINAL,
    STATED[0],
    STATED[1],
    STATED[2],
    STATED[3],
];
