//! What switches write: one layout a file (traceback 4), made from the documents alone and not from the readers, so
//! that the two test each other.

mod stirtrace;

use std::fmt::Write as _;

use jiff::civil::DateTime;

use super::world::Spelling;
use crate::time::UnixTime;
use crate::zone::Zone;

/// A layout of call records.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Layout {
    /// Our own CSV.
    Stirtrace,
}

impl Layout {
    /// Every layout.
    pub const ALL: &'static [Self] = &[Self::Stirtrace];

    /// The layout that `format` in `stirtrace.toml` means by that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|own| own.name() == name)
    }

    /// What `format` in `stirtrace.toml` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stirtrace => "stirtrace",
        }
    }

    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Stirtrace => "csv",
        }
    }

    /// What the source needs besides `format`, as lines of TOML.
    pub(super) const fn options(self) -> &'static str {
        ""
    }

    /// Whether its times say their zone, or have none.
    pub(super) const fn is_universal(self) -> bool {
        match self {
            Self::Stirtrace => true,
        }
    }

    /// Whether its one time is that of the final response.
    pub(super) const fn notes_the_response(self) -> bool {
        false
    }

    /// Whether Identity headers are in it.
    pub(super) const fn records_identities(self) -> bool {
        match self {
            Self::Stirtrace => true,
        }
    }

    /// What a new file begins with; whole lines.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Stirtrace => stirtrace::HEADER,
        }
    }

    /// Writes a call; several lines where the layout has several for one.
    pub(super) fn write(self, entry: &Entry<'_>, out: &mut String) {
        match self {
            Self::Stirtrace => stirtrace::write(entry, out),
        }
    }
}

/// A line's facts, spelled as its switch spells them. Times are milliseconds by the switch's clock.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) zone: &'a Zone,
    pub(super) switch: &'a str,
    /// Counts the entries of a switch.
    pub(super) id: u64,
    pub(super) start: i64,
    pub(super) answer: Option<i64>,
    pub(super) end: i64,
    pub(super) calling: &'a str,
    pub(super) called: &'a str,
    pub(super) original: Option<&'a str>,
    pub(super) diversion: Option<&'a str>,
    pub(super) ingress: Side<'a>,
    pub(super) egress: Option<Side<'a>>,
    pub(super) status: u16,
    pub(super) q850: u16,
    pub(super) identity: Option<&'a str>,
    pub(super) is_final: bool,
}

/// One side of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side<'a> {
    pub(super) trunk: &'a str,
    pub(super) address: &'a str,
    pub(super) call_id: &'a str,
}

impl Entry<'_> {
    /// The date and time of day where the switch stands.
    pub(super) fn local(&self, milliseconds: i64) -> DateTime {
        let instant = UnixTime::from_seconds(milliseconds.div_euclid(1000));
        self.zone.local(instant).unwrap_or_default()
    }

    /// `2026-05-04T12:00:01Z`
    pub(super) fn rfc3339(&self, milliseconds: i64, out: &mut String) {
        let at = self.local(milliseconds);
        let _ = write!(
            out,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        );
    }
}

/// A number as a switch writes it; one that is withheld in its words.
pub(super) fn spell(number: u64, spelling: Spelling, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match (number, spelling) {
        (0, Spelling::Ten) => write!(out, "Anonymous"),
        (0, _) => write!(out, "anonymous"),
        (_, Spelling::Plus) => write!(out, "+{number}"),
        (_, Spelling::Whole) => write!(out, "{number}"),
        (10_000_000_000..20_000_000_000, Spelling::Ten) => write!(out, "{}", number - 10_000_000_000),
        (_, Spelling::Zeros) => write!(out, "00{number}"),
        (_, Spelling::Ten | Spelling::International) => write!(out, "011{number}"),
    };
}

/// A cell of CSV, quoted.
pub(super) fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
}
