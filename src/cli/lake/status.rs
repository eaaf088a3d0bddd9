//! What a lake holds, as a table for people and an object for each source.

use std::path::Path;

use serde::Serialize;

use crate::cli::exit::Complaint;
use crate::cli::printer::Present;
use crate::cli::text::{Text, Tone, grouped};
use crate::lake::{Field, Lake, ParquetLake, SourceStatus, Status, Tally};
use crate::time::UnixTime;
use crate::traceback::Span;

/// How many records began before an instant.
pub(super) fn records_before(folder: &Path, before: UnixTime) -> Result<u64, Complaint> {
    let complaint = |reason: String| Complaint::new(reason);
    let lake = ParquetLake::open(folder).map_err(|reason| complaint(reason.to_string()))?;
    let span = Span::new(Span::ALWAYS.from, before.plus_seconds(-1));
    let counts = lake.tally(&Tally::by([Field::Network], span)).map_err(|reason| complaint(reason.to_string()))?;
    Ok(counts.iter().map(|count| count.records).sum())
}

/// A whole lake, for people.
#[derive(Debug, Serialize)]
pub(super) struct ShownLake {
    pub(super) name: String,
    #[serde(skip)]
    pub(super) status: Status,
}

/// A source of a lake.
#[derive(Debug, Serialize)]
pub(super) struct ShownSource {
    lake: ShownWhole,
    network: Option<String>,
    source: Option<String>,
    files: u64,
    records: u64,
    from: Option<UnixTime>,
    to: Option<UnixTime>,
    gaps: Vec<ShownSpan>,
    set_aside: u64,
    lines: Vec<ShownLine>,
    unreadable: Vec<ShownFile>,
}

/// What is known of a lake as a whole: its files hold records of all sources.
#[derive(Clone, Debug, Serialize)]
struct ShownWhole {
    folder: String,
    data_files: u64,
    records: u64,
    bytes: u64,
    forgotten_before: Option<UnixTime>,
}

#[derive(Debug, Serialize)]
struct ShownSpan {
    from: UnixTime,
    to: UnixTime,
}

#[derive(Debug, Serialize)]
struct ShownLine {
    file: String,
    line: u64,
    reason: String,
}

#[derive(Debug, Serialize)]
struct ShownFile {
    file: String,
    reason: String,
}

impl ShownSource {
    /// Every source; a lake without any gives its own figures.
    pub(super) fn all(name: &str, status: &Status) -> Vec<Self> {
        let whole = ShownWhole {
            folder: name.to_owned(),
            data_files: status.files,
            records: status.records,
            bytes: status.bytes,
            forgotten_before: status.forgotten_before,
        };
        if status.sources.is_empty() {
            let empty = SourceStatus::default();
            return vec![Self { network: None, source: None, ..Self::of(whole, &empty) }];
        }
        status.sources.iter().map(|source| Self::of(whole.clone(), source)).collect()
    }

    fn of(lake: ShownWhole, source: &SourceStatus) -> Self {
        let lines = source.lines.iter();
        let unreadable = source.unreadable.iter();
        Self {
            lake,
            network: Some(source.network.clone()),
            source: Some(source.source.clone()),
            files: source.files,
            records: source.records,
            from: source.span.map(|span| span.from),
            to: source.span.map(|span| span.to),
            gaps: source.gaps.iter().map(|gap| ShownSpan { from: gap.from, to: gap.to }).collect(),
            set_aside: source.set_aside,
            lines: lines
                .map(|own| ShownLine { file: own.file.clone(), line: own.line, reason: own.reason.clone() })
                .collect(),
            unreadable: unreadable
                .map(|own| ShownFile { file: own.file.clone(), reason: own.reason.clone() })
                .collect(),
        }
    }
}

impl Present for ShownSource {
    const COLUMNS: &'static [&'static str] = &[
        "network",
        "source",
        "files",
        "records",
        "from",
        "to",
        "gaps.from",
        "gaps.to",
        "set_aside",
        "lines.file",
        "lines.line",
        "lines.reason",
        "unreadable.file",
        "unreadable.reason",
        "lake.folder",
        "lake.data_files",
        "lake.records",
        "lake.bytes",
        "lake.forgotten_before",
    ];

    fn text(&self, text: &mut Text) {
        text.field("source", self.source.as_deref().unwrap_or("none"));
    }
}

impl Present for ShownLake {
    const COLUMNS: &'static [&'static str] = &["name"];

    fn text(&self, text: &mut Text) {
        let status = &self.status;
        text.put(Tone::Name, &self.name).end();
        let size = indicatif::HumanBytes(status.bytes);
        let (records, files) = (grouped(status.records), grouped(status.files));
        let what = if status.files == 1 { "file" } else { "files" };
        text.field("holds", format_args!("{records} records in {files} Parquet {what} of {size}"));
        if let Some(before) = status.forgotten_before {
            text.field("forgot", format_args!("what began before {before}"));
        }
        text.end();
        table(&status.sources, text);
        status.sources.iter().for_each(|source| details(source, text));
    }
}

const HEADER: [&str; 8] = ["network", "source", "files", "records", "from", "to", "gaps", "set aside"];
/// Counts stand to the right of their columns.
const IS_COUNT: [bool; 8] = [false, false, true, true, false, false, true, true];

fn table(sources: &[SourceStatus], text: &mut Text) {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(sources.iter().map(row));
    let widths: Vec<usize> = (0..HEADER.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
        .collect();
    for (index, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).zip(IS_COUNT).map(|((cell, width), is_count)| {
            if is_count { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.plain("  ").put(if index == 0 { Tone::Faint } else { Tone::Plain }, line.trim_end()).end_unbroken();
    }
    text.end();
}

fn row(source: &SourceStatus) -> [String; 8] {
    let instant = |at: Option<UnixTime>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    [
        source.network.clone(),
        source.source.clone(),
        grouped(source.files),
        grouped(source.records),
        instant(source.span.map(|span| span.from)),
        instant(source.span.map(|span| span.to)),
        grouped(u64::try_from(source.gaps.len()).unwrap_or(u64::MAX)),
        grouped(source.set_aside),
    ]
}

/// More gaps or lines of a source are not shown to people.
const SHOWN: usize = 20;

fn details(source: &SourceStatus, text: &mut Text) {
    if source.gaps.is_empty() && source.set_aside == 0 && source.unreadable.is_empty() {
        return;
    }
    text.put(Tone::Strong, format_args!("{} of {}", source.source, source.network)).end();
    for gap in source.gaps.iter().take(SHOWN) {
        text.field("gap", format_args!("{} to {}", gap.from, gap.to));
    }
    rest(source.gaps.len(), text);
    for file in &source.unreadable {
        text.name("unreadable").put(Tone::Bad, &file.file).plain(": ").plain(&file.reason).end();
    }
    for line in source.lines.iter().take(SHOWN) {
        text.name("set aside").put(Tone::Doubt, format_args!("{}:{}", line.file, line.line));
        text.plain(": ").plain(&line.reason).end();
    }
    rest(usize::try_from(source.set_aside).unwrap_or(usize::MAX), text);
    text.end();
}

fn rest(all: usize, text: &mut Text) {
    if all > SHOWN {
        let more = u64::try_from(all - SHOWN).unwrap_or(u64::MAX);
        text.field("", format_args!("and {} more; --format json names them", grouped(more)));
    }
}
