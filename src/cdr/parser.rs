//! A layout made ready for one source: names looked up once, so that rows are read by place alone. One parser serves all
//! cores.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use crate::cdr::blocks::{Block, Shape, Step};
use crate::cdr::cells::{Cell, MAX_CELLS, Quotes, split};
use crate::cdr::field::Field;
use crate::cdr::layout::{At, Condition, Kind, Layout, Pick, RowKind, Wanted};
use crate::cdr::line::Line;
use crate::cdr::raw::{Raw, Row, Scratch};
use crate::cdr::record::{Fingerprint, LineRecord, Place, Record};
use crate::cdr::rows::RowError;
use crate::cdr::{BadLine, LineFault, OpenError, Settings};

/// Reads blocks of one source.
#[derive(Clone, Debug)]
pub struct Parser {
    pub(super) layout: Arc<Layout>,
    pub(super) settings: Settings,
    kinds: Vec<Compiled>,
    /// Cells of the header.
    width: Option<usize>,
    header: Vec<String>,
    unknown: Vec<String>,
}

/// A kind of rows, names looked up.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    /// So many cells, and no others.
    width: Option<usize>,
    /// So many cells at least.
    least: usize,
    conditions: Vec<Condition>,
    pub(super) picks: Picks,
    /// Whether the trunk is the source's own choice.
    has_trunk: bool,
    /// Whether another kind has rows that cannot be told from these, and means something else.
    has_twin: bool,
}

macro_rules! picks {
    ($($name:ident = $field:ident),* $(,)?) => {
        /// Where each field stands.
        #[derive(Clone, Debug, Default)]
        pub(super) struct Picks { $(pub(super) $name: Option<Pick>),* }

        impl Picks {
            fn slot(&mut self, field: Field) -> &mut Option<Pick> {
                match field { $(Field::$field => &mut self.$name),* }
            }

            pub(super) fn get(&self, field: Field) -> Option<&Pick> {
                match field { $(Field::$field => self.$name.as_ref()),* }
            }
        }
    };
}

picks! {
    answer = Answer, attest = Attest, called = Called, calling = Calling, diversion = Diversion, duration = Duration,
    egress_address = EgressAddress, egress_call_id = EgressCallId, egress_trunk = EgressTrunk, end = End,
    is_final = Final, identity = Identity, ingress_address = IngressAddress, ingress_call_id = IngressCallId,
    ingress_trunk = IngressTrunk, minutes_west = MinutesWest, origid = Origid, original_called = OriginalCalled,
    q850 = Q850, ring = Ring, ring_ms = RingMs, sip_status = SipStatus, spc = Spc, start = Start, switch = Switch,
    verstat = Verstat, zone = Zone,
}

/// What a row is.
pub(super) enum Met<'p> {
    Call(&'p Compiled),
    NoCall,
}

impl Parser {
    /// Makes a layout ready; `header` is the first row where the layout has one.
    pub(super) fn new(layout: &Arc<Layout>, settings: Settings, header: Vec<String>) -> Result<Self, OpenError> {
        let width = layout.header.then_some(header.len());
        let rows = overridden(layout, &settings);
        let mut kinds: Vec<Compiled> = Vec::new();
        let mut lacking = None;
        for row in &rows {
            let names = if layout.header { &header } else { &row.names };
            match Compiled::new(row, names, layout.header, &settings) {
                Ok(kind) if kinds.iter().any(|own| own.is_like(&kind)) => {}
                Ok(kind) => kinds.push(kind),
                Err(error) => lacking = lacking.or(Some(error)),
            }
        }
        let looks: Vec<String> = kinds.iter().map(Compiled::looks).collect();
        for (kind, own) in kinds.iter_mut().zip(&looks) {
            kind.has_twin = looks.iter().filter(|other| *other == own).count() > 1;
        }
        if let Some(error) = lacking.filter(|_| kinds.is_empty() || layout.header) {
            return Err(error);
        }
        if let Some(trunk) = settings.trunk.as_deref()
            && !kinds.iter().any(|kind| kind.picks.ingress_trunk.is_some() && kind.has_trunk)
        {
            return Err(OpenError::NoTrunk { column: trunk.to_owned() });
        }
        let used: Vec<&str> =
            rows.iter().flat_map(|row| row.columns.iter().flat_map(|(_, pick)| pick.names())).collect();
        let is_unknown = |name: &&String| !used.iter().any(|own| own.eq_ignore_ascii_case(name));
        let unknown = header.iter().filter(is_unknown).cloned().collect();
        Ok(Self { layout: Arc::clone(layout), settings, kinds, width, header, unknown })
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = &Compiled> {
        self.kinds.iter()
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn shape(layout: &Layout) -> Shape {
        match (layout.kind, layout.quotes) {
            (Kind::Csv, Quotes::Doubled) => Shape::Quoted(layout.delimiter),
            (Kind::JsonLines, _) => Shape::Objects,
            (Kind::Csv | Kind::Fixed, _) => Shape::Lines,
        }
    }

    /// Reads the records of a block in their order, and tells how many of its rows are no calls.
    pub fn records(&self, block: &Block, take: &mut dyn FnMut(Result<Record, BadLine>)) -> u64 {
        self.each(block, &mut |item| take(item.map(Record::into_owned)))
    }

    /// The same, with texts that are borrowed from the block where that is possible.
    pub fn each(&self, block: &Block, take: &mut dyn FnMut(Result<LineRecord<'_>, BadLine>)) -> u64 {
        let mut scratch = Scratch::new(self);
        let mut walk = block.walk(Self::shape(&self.layout));
        let mut no_calls = 0;
        loop {
            match walk.step() {
                Step::Row { from, to, line } => {
                    let is_item = self.give(&walk.bytes[from..to], line, &mut scratch, take);
                    no_calls += u64::from(!is_item);
                }
                Step::Bad(error) => take(Err(self.bad(error))),
                Step::End => return no_calls,
            }
        }
    }

    /// The record of a row; `None` where the row is no call.
    pub(super) fn record(&self, row: &[u8], line: u64, scratch: &mut Scratch) -> Option<Result<Record, BadLine>> {
        let mut item = None;
        self.give(row, line, scratch, &mut |found| item = Some(found.map(Record::into_owned)));
        item
    }

    /// Gives the record of a row; `false` where the row is no call.
    fn give(
        &self,
        row: &[u8],
        line: u64,
        scratch: &mut Scratch,
        take: &mut dyn FnMut(Result<LineRecord<'_>, BadLine>),
    ) -> bool {
        let place = Place::new(self.settings.file, line);
        let read = self.read(row, place, scratch, &mut |record| take(Ok(record)));
        read.unwrap_or_else(|(field, fault)| {
            take(Err(BadLine { place, field, fault }));
            true
        })
    }

    fn read(
        &self,
        row: &[u8],
        place: Place,
        scratch: &mut Scratch,
        take: &mut dyn FnMut(LineRecord<'_>),
    ) -> Result<bool, Fault> {
        let raw = self.raw(row, place.line, &mut scratch.cells)?;
        let kind = match self.met(&raw)? {
            Met::Call(kind) => kind,
            Met::NoCall if place.line > 1 || !raw.is_single() => match self.torn(&raw) {
                Some(expected) => {
                    return Err((None, LineFault::CutOff { found: raw.len().unwrap_or_default(), expected }));
                }
                None if row.contains(&0) => return Err((None, LineFault::Nul)),
                None => return Ok(false),
            },
            // Torn where it says what it is: it may have been a call.
            Met::NoCall if row.contains(&0) => return Err((None, LineFault::Nul)),
            Met::NoCall => return Ok(false),
        };
        let line = Line { row: Row { raw: &raw, layout: &self.layout }, picks: &kind.picks, parser: self };
        match line.record(place, &mut scratch.clocks) {
            Ok(mut record) => {
                record.fingerprint = fingerprint(row);
                take(record);
                Ok(true)
            }
            Err(_) if self.is_header(&raw) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// The row cut into its parts.
    pub(super) fn raw<'r>(&self, row: &'r [u8], line: u64, cells: &'r mut Vec<Cell>) -> Result<Raw<'r>, Fault> {
        let layout = &self.layout;
        match layout.kind {
            Kind::Fixed => Ok(Raw::Fixed(row)),
            Kind::JsonLines => serde_json::from_slice(row)
                .map(Raw::Object)
                .map_err(|reason| (None, LineFault::Json { reason: reason.to_string() })),
            Kind::Csv => {
                let row = layout.wrapper.as_ref().map_or(row, |wrapper| unwrapped(row, wrapper));
                if !split(row, layout.delimiter, layout.quotes, cells) {
                    return Err((None, LineFault::Row(RowError::TooManyCells { line, limit: MAX_CELLS })));
                }
                Ok(Raw::cells(row, cells))
            }
        }
    }

    /// The first kind that the row is one of.
    pub(super) fn met(&self, raw: &Raw<'_>) -> Result<Met<'_>, Fault> {
        let cells = raw.len();
        if let (Some(expected), Some(found)) = (self.width, cells)
            && found != expected
        {
            return Err((None, LineFault::CellCount { found, expected }));
        }
        let mut met = None;
        let mut has_width = false;
        for kind in &self.kinds {
            if let (Some(width), Some(cells)) = (kind.width, cells)
                && width != cells
            {
                continue;
            }
            has_width = true;
            let row = Row { raw, layout: &self.layout };
            if kind.conditions.iter().any(|condition| !condition.holds(row)) {
                continue;
            }
            met = Some(kind);
            break;
        }
        match met {
            Some(kind) if kind.has_twin => Err((None, LineFault::Ambiguous { found: cells.unwrap_or_default() })),
            Some(kind) if cells.is_some_and(|cells| cells < kind.least) => {
                Err((None, LineFault::CellCount { found: cells.unwrap_or_default(), expected: kind.least }))
            }
            Some(kind) => Ok(Met::Call(kind)),
            None if has_width => Ok(Met::NoCall),
            None => Err((None, LineFault::Width { found: cells.unwrap_or_default(), fits: self.widths() })),
        }
    }

    /// The column that would say what a row is, where the row ends within it or before it and may have been a call.
    fn torn(&self, raw: &Raw<'_>) -> Option<usize> {
        let cells = raw.len()?;
        let row = Row { raw, layout: &self.layout };
        let is_open = |kind: &&Compiled| kind.width.is_none() && self.width.is_none();
        self.kinds.iter().filter(is_open).find_map(|kind| {
            let mut failing = kind.conditions.iter().filter(|condition| !condition.holds(row)).peekable();
            let first = failing.peek()?.pick.last_column();
            failing.all(|condition| is_cut(condition, row, cells)).then_some(first)
        })
    }

    fn widths(&self) -> String {
        let mut widths: Vec<usize> = self.kinds.iter().filter_map(|kind| kind.width).collect();
        widths.sort_unstable();
        widths.dedup();
        widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Whether the row is the header again, as where files were put one behind the other.
    fn is_header(&self, raw: &Raw<'_>) -> bool {
        !self.header.is_empty()
            && self.header.iter().enumerate().all(|(index, name)| {
                raw.column(index + 1).is_ok_and(|cell| cell.is_some_and(|cell| cell.eq_ignore_ascii_case(name)))
            })
    }

    pub(super) fn bad(&self, error: RowError) -> BadLine {
        BadLine { place: Place::new(self.settings.file, error.line()), field: None, fault: LineFault::Row(error) }
    }

    /// The columns of the header that mean nothing here; they are left out.
    #[must_use]
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown
    }

    /// Whether records of this source can carry Identity headers: without the column, their absence says nothing.
    #[must_use]
    pub fn records_identities(&self) -> bool {
        self.kinds.iter().any(|kind| kind.picks.identity.is_some())
    }

    /// Whether all records of this source can say where calls went: without the columns, that they do not is no end.
    #[must_use]
    pub fn records_egress(&self) -> bool {
        self.kinds.iter().all(|kind| kind.picks.egress_trunk.is_some() || kind.picks.egress_address.is_some())
    }
}

pub(super) type Fault = (Option<&'static str>, LineFault);

impl Compiled {
    fn new(row: &RowKind, names: &[String], is_header: bool, settings: &Settings) -> Result<Self, OpenError> {
        let mut kind = Self {
            width: (!is_header && !names.is_empty()).then_some(names.len()),
            least: 0,
            conditions: Vec::new(),
            picks: Picks::default(),
            has_trunk: false,
            has_twin: false,
        };
        for condition in &row.conditions {
            let Some(pick) = condition.pick.resolved(names) else {
                return Err(OpenError::NoColumn { field: "where", names: condition.pick.names().join(", ") });
            };
            kind.conditions.push(Condition { pick, wanted: condition.wanted.clone() });
        }
        for (field, pick) in &row.columns {
            *kind.picks.slot(*field) = pick.resolved(names);
        }
        if let Some(trunk) = settings.trunk.as_deref().and_then(|trunk| trunk_pick(trunk, row, names)) {
            kind.picks.ingress_trunk = Some(trunk);
            kind.has_trunk = true;
        }
        for field in Field::REQUIRED {
            let Some(pick) = kind.picks.get(field) else {
                let own = row.columns.iter().find(|(own, _)| *own == field);
                let names = own.map(|(_, pick)| pick.names().join(" or ")).unwrap_or_default();
                return Err(OpenError::NoColumn { field: field.name(), names });
            };
            kind.least = kind.least.max(pick.last_column());
        }
        Ok(kind)
    }

    /// What its rows are told by.
    fn looks(&self) -> String {
        format!("{:?} {:?}", self.width, self.conditions)
    }

    /// Whether it reads the same rows in the same way.
    fn is_like(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// The rows with the source's own list of columns, where it has one: one layout remains, and columns that are named as
/// our fields are them.
fn overridden(layout: &Layout, settings: &Settings) -> Vec<RowKind> {
    let mut rows = layout.rows.clone();
    if settings.columns.is_empty() || layout.header || layout.kind != Kind::Csv {
        return rows;
    }
    if rows.iter().any(|row| !row.names.is_empty()) {
        // Of layouts that are told apart by names and numbers of columns, the list is the only one now.
        rows.truncate(1);
    }
    for row in &mut rows {
        row.names.clone_from(&settings.columns);
        for name in &settings.columns {
            let Some(field) = Field::named(name) else { continue };
            row.columns.retain(|(own, _)| *own != field);
            row.columns.push((field, Pick::named(name)));
        }
    }
    rows
}

/// The column that the source says names the trunk.
fn trunk_pick(text: &str, row: &RowKind, names: &[String]) -> Option<Pick> {
    let is_path = row.columns.iter().any(|(_, pick)| pick.is_path());
    let named = Pick::named(text).resolved(names);
    named.or_else(|| match text.parse() {
        Ok(column) if column > 0 && !is_path => Some(Pick::At(At::Column(column))),
        _ if is_path => Some(Pick::At(At::Path(text.split('.').map(str::to_owned).collect()))),
        _ => None,
    })
}

/// Whether a row of so many cells ends before the one that a condition looks at, or within a word that it wants there.
fn is_cut(condition: &Condition, row: Row<'_>, cells: usize) -> bool {
    let column = condition.pick.last_column();
    if cells != column {
        return cells < column;
    }
    let Wanted::OneOf(words) = &condition.wanted else { return false };
    let text = row.text(&condition.pick).ok().flatten().unwrap_or_default();
    words.iter().any(|word| word.len() > text.len() && word.starts_with(text.as_ref()))
}

fn unwrapped<'r>(row: &'r [u8], (before, behind): &(String, String)) -> &'r [u8] {
    let inner = row.trim_ascii().strip_prefix(before.as_bytes()).map(<[u8]>::trim_ascii_end);
    inner.and_then(|inner| inner.strip_suffix(behind.as_bytes())).unwrap_or(row)
}

fn fingerprint(row: &[u8]) -> Fingerprint {
    let whole = digest(&SHA256, row);
    let mut first = [0; 16];
    first.copy_from_slice(&whole.as_ref()[..16]);
    Fingerprint(first)
}
