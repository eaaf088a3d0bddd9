//! Call records: what switches write about calls, all of it read to one canonical [`Record`].
//!
//! A [`Format`] is a [`Layout`]: where each field stands in a row. Built-in formats are small mapping files of their own;
//! people write the same for theirs. Records are read one after the other, so that a file may be of any size, or block
//! by block on all cores with the same result. A line that cannot be read is an item of its own, with its line, field
//! and reason; the rest goes on.
//!
//! | format | what it reads | trunk | address | Call-IDs | Identity | zone |
//! |---|---|---|---|---|---|---|
//! | `asterisk` | `Master.csv`, 16 to 21 cells | account code, else endpoint | endpoints named by address | none | a column named so | the source's |
//! | `broadworks` | accounting CDR, R22 | customer's group | route, device | both legs | none | GMT |
//! | `cucm` | CDR flat files with header | device names | yes | both legs | none | none needed |
//! | `freeswitch` | mod_cdr_csv, the shipped templates | account code | opencdrrate | none | a column named so | the source's |
//! | `freeswitch-json` | mod_json_cdr, a line or a file a call | account code | yes | ingress | all headers | none needed |
//! | `jsonl` | our canonical record, an object a line | yes | yes | both legs | yes | written, else the source's |
//! | `kamailio` | acc export with header | an extra column | source address | yes | an extra column | the source's |
//! | `opensips` | acc export with header | an extra column | source address | yes | an extra column | the source's |
//! | `oracle` | stop rows of local CSV | realms | ingress flow | both legs | none | abbreviation in the time |
//! | `ribbon` | STOP and ATTEMPT rows of `.ACT` | trunk groups | egress | none | none | the source's |
//! | `sansay` | VSX V1.10, `;` | trunk ids | both hosts | both legs | none | minutes west in the row |
//! | `stirtrace` | our CSV with header | yes | yes | both legs | yes | written, else the source's |
//! | `voip-innovations` | `;` with header | none | customer's | where there is one | none | the source's |
//!
//! A source's `trunk = "column"` names another trunk in any of them, and `columns = [..]` names the columns of a format
//! without a header; names that are our own fields (`identity`, `ingress_address`, ..) then fill those. Each format's
//! file under `src/cdr/formats` says where its columns are documented, and which positions are from memory.

mod blocks;
mod cells;
mod clocks;
mod detection;
mod error;
mod field;
mod layout;
mod line;
mod look;
mod mapping;
mod number;
mod parser;
mod raw;
mod reader;
mod record;
mod rows;
mod times;

use std::io::Read;
use std::sync::Arc;

pub use blocks::{Block, Blocks, MAX_OBJECT_LINES, MAX_ROW_BYTES, MAX_ROW_LINES};
pub use cells::{MAX_CELLS, Quotes};
pub use detection::{Guess, SAMPLE_BYTES, detect};
pub use error::{BadLine, LineFault, OpenError, UnknownFormat};
pub use field::Field;
pub use layout::{At, Condition, Kind, Layout, Octets, Pick, RowKind, Wanted};
pub use line::MAX_VALUES;
pub use look::{Looked, ZoneOrigin};
pub use mapping::{MAX_MAPPING_BYTES, MappingError, MappingFault};
pub use parser::Parser;
pub use reader::Reader;
pub use record::{Dialed, Fingerprint, LineRecord, Link, Place, Record, Stated};
pub use rows::{NotUtf8, Row, RowError, Rows};
pub use times::{InvalidPattern, Pattern, TimeForm};

use crate::network::Source;
use crate::number::NumberPlan;
use crate::zone::Zone;

/// A format of call records: one that is built in, or one that a mapping file describes.
#[derive(Clone, Debug)]
pub struct Format {
    name: String,
    layout: Arc<Layout>,
}

/// The columns of our own CSV.
pub const COLUMNS: [&str; 16] = [
    "start",
    "answer",
    "end",
    "calling",
    "called",
    "original_called",
    "ingress_trunk",
    "ingress_address",
    "ingress_call_id",
    "egress_trunk",
    "egress_address",
    "egress_call_id",
    "sip_status",
    "q850",
    "identity",
    "diversion",
];

/// The built-in formats: the name, and the mapping file.
const BUILT_IN: [(&str, &str); 13] = [
    ("asterisk", include_str!("formats/asterisk.toml")),
    ("broadworks", include_str!("formats/broadworks.toml")),
    ("cucm", include_str!("formats/cucm.toml")),
    ("freeswitch", include_str!("formats/freeswitch.toml")),
    ("freeswitch-json", include_str!("formats/freeswitch-json.toml")),
    ("jsonl", include_str!("formats/jsonl.toml")),
    ("kamailio", include_str!("formats/kamailio.toml")),
    ("opensips", include_str!("formats/opensips.toml")),
    ("oracle", include_str!("formats/oracle.toml")),
    ("ribbon", include_str!("formats/ribbon.toml")),
    ("sansay", include_str!("formats/sansay.toml")),
    ("stirtrace", include_str!("formats/stirtrace.toml")),
    ("voip-innovations", include_str!("formats/voip-innovations.toml")),
];

impl Format {
    /// The names of the built-in formats.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The built-in format of that name.
    ///
    /// # Errors
    /// When this build reads no format of that name.
    pub fn named(name: &str) -> Result<Self, UnknownFormat> {
        let layout = Self::mapping(name).and_then(|text| Layout::parse(text.as_bytes()).ok());
        match layout {
            Some(layout) => Ok(Self { name: name.to_owned(), layout: Arc::new(layout) }),
            None => Err(UnknownFormat::of(name)),
        }
    }

    /// The mapping file of a built-in format: what to begin with for a format that is nearly the same.
    #[must_use]
    pub fn mapping(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(own, _)| *own == name).map(|(_, text)| *text)
    }

    /// Whether a source's `format` names a mapping file, and no built-in format.
    #[must_use]
    pub fn is_mapping_file(text: &str) -> bool {
        text.contains('/') || text.to_ascii_lowercase().ends_with(".toml")
    }

    /// The format that a mapping file describes.
    ///
    /// # Errors
    /// Every fault of the file, in the order of its lines.
    pub fn mapped(name: &str, bytes: &[u8]) -> Result<Self, Vec<MappingError>> {
        Ok(Self { name: name.to_owned(), layout: Arc::new(Layout::parse(bytes)?) })
    }

    /// What it is called: a built-in name, or the mapping file's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where everything stands.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads records one after the other.
    ///
    /// # Errors
    /// When the source does not begin as the format does.
    pub fn open<R: Read>(&self, source: R, settings: Settings) -> Result<Reader<R>, OpenError> {
        let (parser, blocks) = self.split(source, settings)?;
        Ok(Reader::new(parser, blocks))
    }

    /// Reads the header, if there is one, and gives what is needed to read the rest block by block, on as many cores as
    /// there are: `parser.records(&block, ..)` over all blocks in their order gives what [`Format::open`] gives.
    ///
    /// # Errors
    /// When the source does not begin as the format does.
    pub fn split<R: Read>(&self, source: R, settings: Settings) -> Result<(Parser, Blocks<R>), OpenError> {
        let shape = Parser::shape(&self.layout);
        let mut blocks = Blocks::new(source, shape);
        let mut header = Vec::new();
        if self.layout.header {
            let mut block = blocks.next_block().map_err(OpenError::Row)?.ok_or(OpenError::NoHeader)?;
            let (row, line) = match block.step(shape) {
                Some(found) => found.map_err(OpenError::Row)?,
                None => return Err(OpenError::NoHeader),
            };
            header = names(block.part(row), line, &self.layout)?;
            blocks.push_back(block);
        }
        Ok((Parser::new(&self.layout, settings, header)?, blocks))
    }
}

/// The names that a header gives the columns.
fn names(row: &[u8], line: u64, layout: &Layout) -> Result<Vec<String>, OpenError> {
    let mut cells = Vec::new();
    if !cells::split(row, layout.delimiter, layout.quotes, &mut cells) {
        return Err(OpenError::Row(RowError::TooManyCells { line, limit: MAX_CELLS }));
    }
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for cell in &cells {
        let text = String::from_utf8_lossy(&row[cell.text.clone()]);
        let name = cell.whole(&text).unwrap_or_default().to_ascii_lowercase();
        if !name.is_empty() && names.contains(&name) {
            return Err(OpenError::ColumnTwice { column: name });
        }
        names.push(name);
    }
    Ok(names)
}

/// What a reader has to know that the file does not say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The file's place in the list of what is read; every [`Place`] repeats it.
    pub file: usize,
    /// The zone of times that name none.
    pub zone: Option<Zone>,
    /// How numbers become canonical.
    pub plan: NumberPlan,
    /// The column that names the ingress trunk, where the format's own does not.
    pub trunk: Option<String>,
    /// The names of the columns in their order, where the format has no header and several layouts.
    pub columns: Vec<String>,
}

impl Settings {
    /// Settings for the file of that place in the list.
    #[must_use]
    pub fn for_file(file: usize) -> Self {
        Self { file, ..Self::default() }
    }

    /// Settings for a file of a source.
    #[must_use]
    pub fn of_source(file: usize, source: &Source) -> Self {
        Self {
            file,
            zone: source.time_zone.clone(),
            trunk: source.trunk.clone(),
            columns: source.columns.clone(),
            ..Self::default()
        }
    }

    /// The same with a zone for times that name none.
    #[must_use]
    pub fn with_zone(self, zone: Option<Zone>) -> Self {
        Self { zone, ..self }
    }

    /// The same with another column for the ingress trunk.
    #[must_use]
    pub fn with_trunk(self, trunk: Option<String>) -> Self {
        Self { trunk, ..self }
    }

    /// The same with names for the columns.
    #[must_use]
    pub fn with_columns(self, columns: Vec<String>) -> Self {
        Self { columns, ..self }
    }
}

#[cfg(test)]
mod tests;
