//! `stirtrace ingest --preview`: how a file of call records is understood, before anything is kept.

use std::io::Read;

use serde::Serialize;

use crate::cdr::{Blocks, Dialed, Format, Guess, Looked, Parser, RowError, Settings, ZoneOrigin, detect};
use crate::cli::captures::records;
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::ingest::IngestArgs;
use crate::cli::ingest::files::previewed;
use crate::cli::packed;
use crate::cli::printer::{Present, Printer};
use crate::cli::text::{Text, Tone};
use crate::time::UnixTime;

/// How a file is understood.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Preview {
    file: String,
    /// What it is packed with.
    packing: Option<&'static str>,
    format: String,
    /// Whether the format was named, or found.
    format_because: String,
    /// Other formats that read the file as well.
    also: Vec<Fit>,
    delimiter: Option<String>,
    columns: Vec<Column>,
    /// Columns that mean nothing here.
    left_out: Vec<String>,
    zone: String,
    from: Option<UnixTime>,
    to: Option<UnixTime>,
    records: u64,
    no_calls: u64,
    set_aside: u64,
    with_identity: u64,
    /// Whether the file goes on behind what was looked at.
    goes_on: bool,
    rows: Vec<ShownRow>,
    faults: Vec<Fault>,
}

#[derive(Clone, Debug, Serialize)]
struct Fit {
    format: String,
    because: String,
}

#[derive(Clone, Debug, Serialize)]
struct Column {
    field: &'static str,
    from: String,
}

/// A row as it was understood.
#[derive(Clone, Debug, Serialize)]
struct ShownRow {
    line: u64,
    start: UnixTime,
    written: String,
    zone: String,
    repeated: Option<UnixTime>,
    calling: Number,
    called: Number,
    trunk: Option<String>,
    address: Option<String>,
    identity: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Number {
    raw: String,
    number: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Fault {
    line: u64,
    field: Option<&'static str>,
    detail: String,
}

/// As much of a file as is looked at.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

const SHOWN_ROWS: usize = 5;
const SHOWN_FAULTS: usize = 20;

/// Shows how the files named are understood, or the first of each source.
pub(crate) fn previews(args: &IngestArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let mut exit = Exit::Good;
    for file in previewed(args, printer)? {
        let opened = packed::open(&file.path);
        let opened = opened.map_err(|reason| {
            Complaint::new(format!("{}: {reason}", file.name)).hint("name a file that can be read")
        })?;
        let packing = opened.packing();
        let opened = records(opened).map_err(|reason| Complaint::new(format!("{}: {reason}", file.name)))?;
        let shown = preview(&file.name, packing, opened, file.format.as_ref(), file.settings)?;
        exit = exit.and(if shown.set_aside > 0 { Exit::Bad } else { Exit::Good });
        printer.show(&shown)?;
    }
    Ok(exit)
}

/// Looks at a file; without a format it is found out.
pub(crate) fn preview(
    file: &str,
    packing: Option<&'static str>,
    mut source: impl Read,
    format: Option<&Format>,
    settings: Settings,
) -> Result<Preview, Complaint> {
    let complain = |reason: String| Complaint::new(format!("{file}: {reason}"));
    let mut sample = Vec::new();
    let read = source.by_ref().take(MAX_BYTES).read_to_end(&mut sample);
    let goes_on = u64::try_from(sample.len()).unwrap_or(u64::MAX) >= MAX_BYTES;
    if goes_on {
        let last = sample.iter().rposition(|c| *c == b'\n').map_or(sample.len(), |newline| newline + 1);
        sample.truncate(last);
    }
    let mut guesses = if format.is_some() { Vec::new() } else { detect(&sample) };
    let (format, because) = match format {
        Some(format) => (format.clone(), "as configured".to_owned()),
        None if guesses.is_empty() => {
            let names = Format::names().collect::<Vec<_>>().join(", ");
            return Err(complain(format!("none of the formats that this build knows reads it ({names})"))
                .hint("describe it in a mapping file, and name that as the source's format"));
        }
        None => {
            let best = guesses.remove(0);
            let because = best.reason();
            (best.format, because)
        }
    };
    let split = format.split(&sample[..], settings);
    let (parser, blocks) = split.map_err(|reason| complain(format!("as {}: {reason}", format.name())))?;
    let mut preview = Preview::of(file, &format, because, &parser);
    (preview.packing, preview.goes_on) = (packing, goes_on);
    preview.also = guesses.iter().map(Fit::of).collect();
    preview.look(&parser, blocks).map_err(|reason| complain(reason.to_string()))?;
    if let Err(reason) = read {
        preview.faults.push(Fault { line: 0, field: None, detail: format!("it cannot be read to its end: {reason}") });
    }
    Ok(preview)
}

impl Fit {
    fn of(guess: &Guess) -> Self {
        Self { format: guess.format.name().to_owned(), because: guess.reason() }
    }
}

impl Preview {
    fn of(file: &str, format: &Format, format_because: String, parser: &Parser) -> Self {
        let layout = format.layout();
        let columns = parser.columns().into_iter().map(|(field, from)| Column { field, from }).collect();
        Self {
            file: file.to_owned(),
            packing: None,
            format: format.name().to_owned(),
            format_because,
            also: Vec::new(),
            delimiter: layout.is_delimited().then(|| char::from(layout.delimiter).to_string()),
            columns,
            left_out: parser.unknown_columns().to_vec(),
            zone: String::new(),
            from: None,
            to: None,
            records: 0,
            no_calls: 0,
            set_aside: 0,
            with_identity: 0,
            goes_on: false,
            rows: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn look(&mut self, parser: &Parser, mut blocks: Blocks<&[u8]>) -> Result<(), RowError> {
        while let Some(block) = blocks.next_block()? {
            parser.look(&block, &mut |looked| self.take(looked));
        }
        Ok(())
    }

    fn take(&mut self, looked: Looked) {
        match looked {
            Looked::NoCall { .. } => self.no_calls += 1,
            Looked::Bad(bad) => {
                self.set_aside += 1;
                if self.faults.len() < SHOWN_FAULTS {
                    let detail = bad.fault.to_string();
                    self.faults.push(Fault { line: bad.place.line, field: bad.field, detail });
                }
            }
            Looked::Call { record, start, zone } => {
                self.records += 1;
                self.with_identity += u64::from(!record.identity.is_empty());
                self.from = Some(self.from.map_or(record.start, |from| from.min(record.start)));
                self.to = Some(self.to.map_or(record.start, |to| to.max(record.start)));
                let zone = words(&zone);
                if self.zone.is_empty() {
                    self.zone.clone_from(&zone);
                }
                if self.rows.len() < SHOWN_ROWS {
                    self.rows.push(ShownRow {
                        line: record.place.line,
                        start: record.start,
                        written: start,
                        zone,
                        repeated: record.start_repeated,
                        calling: Number::of(&record.calling),
                        called: Number::of(&record.called),
                        trunk: record.ingress.trunk,
                        address: record.ingress.address,
                        identity: !record.identity.is_empty(),
                    });
                }
            }
        }
    }
}

impl Number {
    fn of(dialed: &Dialed) -> Self {
        Self { raw: dialed.raw.clone(), number: dialed.canonical.map(|number| number.to_string()) }
    }

    fn words(&self) -> String {
        match &self.number {
            Some(number) if *number == self.raw => number.clone(),
            Some(number) => format!("{} = {number}", self.raw),
            None => format!("{:?} (no number)", self.raw),
        }
    }
}

fn words(zone: &ZoneOrigin) -> String {
    match zone {
        ZoneOrigin::Column(text) => format!("{text}, as the row says"),
        ZoneOrigin::Counted => "none needed: times are counted since 1970".to_owned(),
        ZoneOrigin::Format(zone) => format!("{zone}, as the format prescribes"),
        ZoneOrigin::Source(zone) => format!("{zone}, as the source says"),
        ZoneOrigin::Written => "as written in the time".to_owned(),
        _ => "unknown: say time_zone in the source".to_owned(),
    }
}

impl Present for Preview {
    const COLUMNS: &'static [&'static str] = &[
        "file",
        "packing",
        "format",
        "format_because",
        "delimiter",
        "zone",
        "from",
        "to",
        "records",
        "no_calls",
        "set_aside",
        "with_identity",
        "goes_on",
    ];

    fn text(&self, text: &mut Text) {
        text.put(Tone::Strong, &self.file).end();
        let packed = self.packing.map_or_else(String::new, |packing| format!(", packed with {packing}"));
        text.field("format", format_args!("{}{packed}: {}", self.format, self.format_because));
        for fit in &self.also {
            text.field("or", format_args!("{}: {}", fit.format, fit.because));
        }
        if let Some(delimiter) = &self.delimiter {
            text.field("delimiter", format_args!("{delimiter:?}"));
        }
        for column in &self.columns {
            text.name("column").put(Tone::Name, format_args!("{:<16}", column.field)).plain(&column.from).end();
        }
        if !self.left_out.is_empty() {
            text.field("left out", self.left_out.join(", "));
        }
        text.field("zone", &self.zone);
        if let (Some(from), Some(to)) = (self.from, self.to) {
            text.field("span", format_args!("{from} to {to}"));
        }
        let part = if self.goes_on { " in its beginning" } else { "" };
        text.field(
            "lines",
            format_args!(
                "{} records{part}, {} with Identity; {} rows are no calls; {} set aside",
                self.records, self.with_identity, self.no_calls, self.set_aside
            ),
        );
        for row in &self.rows {
            row.text(text);
        }
        for fault in &self.faults {
            let field = fault.field.map_or_else(String::new, |field| format!("{field}: "));
            text.name("set aside").put(Tone::Doubt, format_args!("line {}: ", fault.line));
            text.plain(format_args!("{field}{}", fault.detail)).end();
        }
        text.end();
    }
}

impl ShownRow {
    fn text(&self, text: &mut Text) {
        text.name(&format!("line {}", self.line)).put(Tone::Strong, self.start);
        text.plain(format_args!(" (written {:?}; zone {})", self.written, self.zone)).end();
        if let Some(repeated) = self.repeated {
            text.field("", format_args!("or {repeated}: the clock showed that hour twice"));
        }
        text.field("", format_args!("{} -> {}", self.calling.words(), self.called.words()));
        let trunk = self.trunk.as_deref().unwrap_or("none");
        let address = self.address.as_deref().unwrap_or("none");
        let identity = if self.identity { "yes" } else { "no" };
        text.field("", format_args!("trunk {trunk}, address {address}, Identity {identity}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;

    const FREESWITCH: &str = concat!(
        "\"A\",\"2155550112\",\"12155550131\",\"public\",\"2026-11-01 01:30:00\",\"\",\"2026-11-01 01:30:30\",\"30\",\"0\",",
        "\"NO_ANSWER\",\"u1\",\"\",\"tg-twill-1\",\"PCMU\",\"PCMU\"\n",
        "\"A\",\"anonymous\",\"12155550132\",\"public\",\"2026-11-01 12:30:00\",\"\",\"2026-11-01 12:30:30\",\"30\",\"0\",",
        "\"NO_ANSWER\",\"u1\",\"\",\"tg-twill-1\",\"PCMU\",\"PCMU\"\n",
        "\"A\",\"torn\"\n",
    );

    fn shown(preview: &Preview) -> String {
        let mut text = Text::new(false, None);
        preview.text(&mut text);
        text.as_str().to_owned()
    }

    #[test]
    fn a_file_is_shown_as_it_is_understood() {
        let settings = Settings::default().with_zone(Some(Zone::named("America/Chicago").unwrap()));
        let format = Format::named("freeswitch").unwrap();
        let preview = preview("a.csv", None, FREESWITCH.as_bytes(), Some(&format), settings).unwrap();
        let text = shown(&preview);
        for part in [
            "freeswitch: as configured",
            "2026-11-01T06:30:00Z (written \"2026-11-01 01:30:00\"; zone America/Chicago, as the source says)",
            "or 2026-11-01T07:30:00Z: the clock showed that hour twice",
            "2155550112 = 12155550112 -> 12155550131",
            "\"anonymous\" (no number) -> 12155550132",
            "trunk tg-twill-1, address none, Identity no",
            "2 records, 0 with Identity; 0 rows are no calls; 1 set aside",
            "line 3: 2 cells, where this format has 13, 15, 17, 18, 20",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let value = serde_json::to_value(&preview).unwrap();
        assert_eq!(value["rows"][0]["called"]["number"], "12155550131");
    }

    #[test]
    fn a_format_is_found_and_an_unknown_zone_is_said() {
        let good = FREESWITCH.lines().take(2).collect::<Vec<_>>().join("\n");
        let preview = preview("a.csv", Some("gzip"), good.as_bytes(), None, Settings::default()).unwrap();
        assert_eq!(preview.format, "freeswitch");
        assert!(shown(&preview).contains("names no time zone"), "{}", shown(&preview));
    }

    #[test]
    fn what_no_format_reads_is_an_error_with_a_hint() {
        let complaint = preview("a.txt", None, &b"hello\nworld\n"[..], None, Settings::default()).unwrap_err();
        assert!(complaint.what().starts_with("a.txt: none of the formats"));
    }
}
