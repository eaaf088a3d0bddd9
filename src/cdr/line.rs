//! One row read to a record, field by field.

use std::borrow::Cow;

use crate::cdr::LineFault;
use crate::cdr::clocks::{self, Clocks};
use crate::cdr::field::Field;
use crate::cdr::layout::Pick;
use crate::cdr::parser::{Fault, Parser, Picks};
use crate::cdr::raw::Row;
use crate::cdr::record::{Dialed, LineRecord, Link, Place, Record, Stated};
use crate::cdr::times::is_no_time;
use crate::identity_header;
use crate::number::NumberPlan;
use crate::time::UnixTime;
use crate::zone::{Clock, Moment, MomentError, Zone};

/// The most Identity or Diversion values that one record may carry.
pub const MAX_VALUES: usize = 64;

/// The longest conversation that is believed, in seconds: a year.
const MAX_SECONDS: u32 = 366 * 86_400;

/// A row of a kind.
pub(super) struct Line<'l> {
    pub(super) row: Row<'l>,
    pub(super) picks: &'l Picks,
    pub(super) parser: &'l Parser,
}

impl<'l> Line<'l> {
    pub(super) fn record(&self, place: Place, clocks: &mut Clocks) -> Result<LineRecord<'l>, Fault> {
        let picks = self.picks;
        let clock = self.clock(clocks)?;
        let start = self.time(Field::Start, &picks.start, clock)?.ok_or((Some("start"), LineFault::Empty))?;
        let (answer, end) = self.answer_and_end(&start, clock)?;
        Ok(Record {
            place,
            start: start.earliest,
            start_repeated: start.repeated,
            answer,
            end,
            calling: self.dialed(Field::Calling, &picks.calling)?.unwrap_or_default(),
            called: self.dialed(Field::Called, &picks.called)?.ok_or((Some("called"), LineFault::Empty))?,
            original_called: self.dialed(Field::OriginalCalled, &picks.original_called)?,
            ingress: Link {
                trunk: self.text(Field::IngressTrunk, &picks.ingress_trunk)?,
                address: self.text(Field::IngressAddress, &picks.ingress_address)?,
                call_id: self.text(Field::IngressCallId, &picks.ingress_call_id)?,
            },
            egress: Link {
                trunk: self.text(Field::EgressTrunk, &picks.egress_trunk)?,
                address: self.text(Field::EgressAddress, &picks.egress_address)?,
                call_id: self.text(Field::EgressCallId, &picks.egress_call_id)?,
            },
            sip_status: self.number(Field::SipStatus, &picks.sip_status, 699)?,
            q850: self.number(Field::Q850, &picks.q850, 127)?,
            identity: self.values(Field::Identity, &picks.identity)?,
            diversion: self.diversion()?,
            switch: self.text(Field::Switch, &picks.switch)?,
            is_final: self.flag(Field::Final, &picks.is_final)?,
            stated: Stated {
                verstat: self.text(Field::Verstat, &picks.verstat)?,
                attest: self.text(Field::Attest, &picks.attest)?,
                origid: self.text(Field::Origid, &picks.origid)?,
                spc: self.text(Field::Spc, &picks.spc)?,
            },
            ..Record::default()
        })
    }

    /// The text of a field; `None` where it is empty, or the layout lacks it.
    #[inline]
    fn text(&self, field: Field, pick: &'l Option<Pick>) -> Result<Option<Cow<'l, str>>, Fault> {
        let Some(pick) = pick else { return Ok(None) };
        self.row.text(pick).map_err(|fault| (Some(field.name()), fault))
    }

    /// The clock of the row: what the row says of its zone, else the source's.
    fn clock<'c>(&self, clocks: &'c mut Clocks) -> Result<&'c mut Clock, Fault> {
        let of = |field: Field, fault: MomentError| (Some(field.name()), LineFault::Time(fault));
        if let Some(text) = self.text(Field::Zone, &self.picks.zone)? {
            let fault = |unknown| of(Field::Zone, MomentError::UnknownZone { text: text.to_string(), unknown });
            return clocks.named(&text, || match Zone::offset(&text).and_then(Zone::fixed) {
                Some(zone) => Ok(zone),
                None => Zone::named(&text).map_err(fault),
            });
        }
        if let Some(text) = self.text(Field::MinutesWest, &self.picks.minutes_west)? {
            let zone = || text.parse::<i32>().ok().filter(|minutes| minutes.abs() < 1440);
            let fault = || of(Field::MinutesWest, MomentError::NotATime { text: text.chars().take(40).collect() });
            return clocks.named(&text, || zone().and_then(|west| Zone::fixed(-60 * west)).ok_or_else(fault));
        }
        Ok(clocks.own())
    }

    fn time(&self, field: Field, pick: &'l Option<Pick>, clock: &mut Clock) -> Result<Option<Moment>, Fault> {
        let Some(text) = self.text(field, pick)? else { return Ok(None) };
        if is_no_time(&text) {
            return Ok(None);
        }
        let layout = &self.parser.layout;
        let moment = clocks::read(&text, &layout.times, clock, &layout.abbreviations);
        moment.map(Some).map_err(|error| (Some(field.name()), LineFault::Time(error)))
    }

    /// Times of the first day of 1970 stand for none. In the hour that a clock shows twice, the later instant is meant
    /// where the earlier lies before the start.
    fn answer_and_end(&self, start: &Moment, clock: &mut Clock) -> Result<(Option<UnixTime>, Option<UnixTime>), Fault> {
        let mut later = |field, pick| {
            let moment = self.time(field, pick, clock)?;
            Ok(moment.filter(|moment| moment.latest.seconds() >= 86_400).map(|moment| match moment.repeated {
                Some(repeated) if moment.earliest < start.earliest => repeated,
                _ => moment.earliest,
            }))
        };
        let mut answer = later(Field::Answer, &self.picks.answer)?;
        let mut end = later(Field::End, &self.picks.end)?;
        let duration = self.seconds(Field::Duration, &self.picks.duration, 1)?;
        if answer.is_none() && duration.is_none_or(|seconds| seconds > 0) {
            let ring = match self.seconds(Field::Ring, &self.picks.ring, 1)? {
                None => self.seconds(Field::RingMs, &self.picks.ring_ms, 1000)?,
                ring => ring,
            };
            answer = ring.map(|ring| start.earliest.plus_seconds(ring));
        }
        match (answer, end, duration) {
            (Some(answer), None, Some(duration)) => end = Some(answer.plus_seconds(duration)),
            (None, Some(end), Some(duration)) if duration > 0 => {
                answer = Some(end.plus_seconds(-duration)).filter(|answer| *answer >= start.earliest);
            }
            _ => {}
        }
        Ok((answer, end))
    }

    fn seconds(&self, field: Field, pick: &'l Option<Pick>, per_second: i64) -> Result<Option<i64>, Fault> {
        let Some(text) = self.text(field, pick)? else { return Ok(None) };
        let whole = text.split('.').next().unwrap_or_default();
        let most = i64::from(MAX_SECONDS) * per_second;
        let count = whole.parse::<i64>().ok().filter(|count| (0..=most).contains(count));
        let fault = || (Some(field.name()), LineFault::Seconds { found: text.chars().take(40).collect() });
        count.map(|count| Some(count / per_second)).ok_or_else(fault)
    }

    fn plan(&self) -> NumberPlan {
        self.parser.layout.numbers.unwrap_or(self.parser.settings.plan)
    }

    fn dialed(&self, field: Field, pick: &'l Option<Pick>) -> Result<Option<Dialed<Cow<'l, str>>>, Fault> {
        Ok(self.text(field, pick)?.map(|text| Dialed::of(text, self.plan())))
    }

    fn number(&self, field: Field, pick: &'l Option<Pick>, most: u16) -> Result<Option<u16>, Fault> {
        let Some(text) = self.text(field, pick)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number <= most);
        let fault = || (Some(field.name()), LineFault::Number { found: text.chars().take(40).collect(), most });
        number.map(Some).ok_or_else(fault)
    }

    fn flag(&self, field: Field, pick: &'l Option<Pick>) -> Result<Option<bool>, Fault> {
        let Some(text) = self.text(field, pick)? else { return Ok(None) };
        match text.as_ref() {
            "true" | "1" | "yes" => Ok(Some(true)),
            "false" | "0" | "no" => Ok(Some(false)),
            _ => Err((Some(field.name()), LineFault::Flag { found: text.chars().take(40).collect() })),
        }
    }

    /// Several values in one cell are joined by commas, as SIP joins them, or as FreeSWITCH writes its arrays.
    fn values(&self, field: Field, pick: &'l Option<Pick>) -> Result<Vec<Cow<'l, str>>, Fault> {
        let values: Vec<Cow<'l, str>> = match self.text(field, pick)? {
            None => return Ok(Vec::new()),
            Some(Cow::Borrowed(text)) => each_value(text).map(Cow::Borrowed).collect(),
            Some(Cow::Owned(text)) => each_value(&text).map(|value| Cow::Owned(value.to_owned())).collect(),
        };
        if values.len() > MAX_VALUES {
            return Err((Some(field.name()), LineFault::TooMany { limit: MAX_VALUES }));
        }
        Ok(values)
    }

    fn diversion(&self) -> Result<Vec<Dialed<Cow<'l, str>>>, Fault> {
        let values = self.values(Field::Diversion, &self.picks.diversion)?;
        Ok(values.into_iter().map(|value| Dialed::of(value, self.plan())).collect())
    }
}

/// The values of a cell, as many as are read and one more.
fn each_value(text: &str) -> impl Iterator<Item = &str> {
    let array = text.strip_prefix("ARRAY::").map(|array| array.split("|:").map(str::trim));
    let joined = array.is_none().then(|| identity_header::split(text));
    array.into_iter().flatten().chain(joined.into_iter().flatten()).take(MAX_VALUES + 1)
}
