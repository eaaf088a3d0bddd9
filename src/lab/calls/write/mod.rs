//! What switches write: one layout a file (traceback 4), made from the documents alone and not from the readers, so
//! that the two test each other.

mod asterisk;
mod broadworks;
mod cucm;
mod freeswitch;
mod freeswitch_json;
mod jsonl;
mod kamailio;
mod opensips;
mod oracle;
mod ribbon;
mod sansay;
mod stirtrace;
mod voip_innovations;

use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::world::Spelling;
use crate::time::UnixTime;
use crate::zone::Zone;

/// A layout of call records.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Layout {
    /// Asterisk's `Master.csv`.
    Asterisk,
    /// BroadWorks call detail records.
    Broadworks,
    /// Cisco's unified communications manager.
    Cucm,
    /// FreeSWITCH's CSV, the default template.
    Freeswitch,
    /// FreeSWITCH's JSON.
    FreeswitchJson,
    /// The canonical record, one object a line.
    Jsonl,
    /// Kamailio's accounting, exported.
    Kamailio,
    /// OpenSIPS' accounting, exported.
    Opensips,
    /// Oracle's session border controller.
    Oracle,
    /// Ribbon's `.ACT` files.
    Ribbon,
    /// Sansay's VSX.
    Sansay,
    /// Our own CSV.
    Stirtrace,
    /// VoIP Innovations' CSV.
    VoipInnovations,
}

impl Layout {
    /// Every layout.
    pub const ALL: &'static [Self] = &[
        Self::Stirtrace,
        Self::Freeswitch,
        Self::Sansay,
        Self::FreeswitchJson,
        Self::Kamailio,
        Self::Oracle,
        Self::Ribbon,
        Self::Asterisk,
        Self::Opensips,
        Self::Jsonl,
        Self::Cucm,
        Self::Broadworks,
        Self::VoipInnovations,
    ];

    /// The layout that `format` in `stirtrace.toml` means by that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|own| own.name() == name)
    }

    /// What `format` in `stirtrace.toml` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asterisk => "asterisk",
            Self::Broadworks => "broadworks",
            Self::Cucm => "cucm",
            Self::Freeswitch => "freeswitch",
            Self::FreeswitchJson => "freeswitch-json",
            Self::Jsonl => "jsonl",
            Self::Kamailio => "kamailio",
            Self::Opensips => "opensips",
            Self::Oracle => "oracle",
            Self::Ribbon => "ribbon",
            Self::Sansay => "sansay",
            Self::Stirtrace => "stirtrace",
            Self::VoipInnovations => "voip-innovations",
        }
    }

    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::FreeswitchJson | Self::Jsonl => "jsonl",
            Self::Ribbon => "ACT",
            Self::Sansay => "cdr",
            _ => "csv",
        }
    }

    /// What the source needs besides `format`, as lines of TOML.
    pub(super) const fn options(self) -> &'static str {
        ""
    }

    /// Whether its times are those of Greenwich, or say their zone.
    pub(super) const fn is_universal(self) -> bool {
        matches!(self, Self::Broadworks | Self::Cucm | Self::FreeswitchJson | Self::Jsonl | Self::Stirtrace)
    }

    /// Whether its one time is that of the final response.
    pub(super) const fn notes_the_response(self) -> bool {
        matches!(self, Self::Kamailio)
    }

    /// Whether Identity headers are in it.
    pub(super) const fn records_identities(self) -> bool {
        matches!(self, Self::FreeswitchJson | Self::Jsonl | Self::Kamailio | Self::Opensips | Self::Stirtrace)
    }

    /// Whether a number may have parameters in it: not where `;` ends a cell.
    pub(super) const fn takes_parameters(self) -> bool {
        !matches!(self, Self::Sansay | Self::VoipInnovations)
    }

    /// What a new file begins with; whole lines.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Cucm => cucm::HEADER,
            Self::Kamailio => kamailio::HEADER,
            Self::Opensips => opensips::HEADER,
            Self::Stirtrace => stirtrace::HEADER,
            Self::VoipInnovations => voip_innovations::HEADER,
            _ => "",
        }
    }

    /// Writes a call; several lines where the layout has several for one.
    pub(super) fn write(self, entry: &Entry<'_>, out: &mut String) {
        let write = match self {
            Self::Asterisk => asterisk::write,
            Self::Broadworks => broadworks::write,
            Self::Cucm => cucm::write,
            Self::Freeswitch => freeswitch::write,
            Self::FreeswitchJson => freeswitch_json::write,
            Self::Jsonl => jsonl::write,
            Self::Kamailio => kamailio::write,
            Self::Opensips => opensips::write,
            Self::Oracle => oracle::write,
            Self::Ribbon => ribbon::write,
            Self::Sansay => sansay::write,
            Self::Stirtrace => stirtrace::write,
            Self::VoipInnovations => voip_innovations::write,
        };
        write(entry, out);
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

    /// How far that is ahead of Greenwich, in seconds.
    pub(super) fn offset(&self, milliseconds: i64) -> i64 {
        let seconds = milliseconds.div_euclid(1000);
        let local = TimeZone::UTC.to_timestamp(self.local(milliseconds));
        local.map_or(0, |local| local.as_second() - seconds)
    }

    /// `2026-05-04 12:00:01`
    pub(super) fn stamp(&self, milliseconds: i64, out: &mut String) {
        let at = self.local(milliseconds);
        let _ = write!(
            out,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        );
    }

    /// `2026-05-04T12:00:01Z`
    pub(super) fn rfc3339(&self, milliseconds: i64, out: &mut String) {
        let before = out.len();
        self.stamp(milliseconds, out);
        out.replace_range(before + 10..=before + 10, "T");
        out.push('Z');
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
