//! Whether a record can be the call of a request, and how sure that is: four tiers, every part of the score shown.

use serde::{Serialize, Serializer};

use crate::cdr::{Dialed, Record};
use crate::identity_header::IdentityHeader;
use crate::number::TelephoneNumber;
use crate::passport::Passport;
use crate::time::UnixTime;
use crate::traceback::request::Request;
use crate::zone::Moment;

/// How a record agrees with a request; the best first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Tier {
    /// Both numbers, within two minutes.
    Exact,
    /// Both numbers, within fifteen minutes.
    Near,
    /// Both numbers, a multiple of half an hour away: some clock is in another zone. Within two minutes; within fifteen
    /// where the run's other requests show the source's clock to be off by it.
    Clock,
    /// The called number, within two minutes: the calling number was rewritten.
    CalledOnly,
}

impl Tier {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Near => "near",
            Self::Clock => "clock",
            Self::CalledOnly => "called-only",
        }
    }
}

impl Serialize for Tier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Everything that the score is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Parts {
    /// The calling number: 1 the same, 0.9 without its country code, 0 another.
    pub from: f64,
    /// The called number: 1 the same, 0.9 without its country code, 0.8 by a diversion.
    pub to: f64,
    /// Seconds from the request's time to the record's start, the clock's offset taken out.
    pub seconds: i64,
    /// How many minutes the record's clock is ahead of the request's, where that explains the distance.
    pub clock_offset_minutes: i64,
    /// Whether the call was answered, as far as the record tells.
    pub answered: bool,
    /// Whether only a diversion ties the called number to the request.
    pub diverted: bool,
    /// Seconds of conversation, where the call was answered and the record tells its end.
    pub lasted: Option<i64>,
    /// What the record's first PASSporT says about the request's facts.
    pub signed: Option<SignedFacts>,
    /// What each part adds to the score.
    pub shares: Shares,
}

/// What the score is made of: the sum of the first three, times the last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Shares {
    /// The calling number's: 0.35 at most.
    pub from: f64,
    /// The called number's: 0.4 at most.
    pub to: f64,
    /// The time's: 0.25 at most; half of it is gone at 30 seconds.
    pub time: f64,
    /// 0.7 where only an offset of the clock explains the distance, else 1.
    pub clock: f64,
}

impl Shares {
    fn of(near: &Nearness) -> Self {
        let seconds = f64::from(i32::try_from(near.seconds.abs()).unwrap_or(i32::MAX));
        let round = |share: f64| (share * 10_000.0).round() / 10_000.0;
        Self {
            from: round(0.35 * near.from),
            to: round(0.4 * near.to),
            time: round(0.25 * 30.0 / (30.0 + seconds)),
            clock: if near.shown() == Tier::Clock { 0.7 } else { 1.0 },
        }
    }

    /// The score in hundredths.
    fn hundredths(&self) -> u8 {
        let score = ((self.from + self.to + self.time) * self.clock * 100.0).round();
        (0..100u8).find(|own| f64::from(*own) >= score).unwrap_or(100)
    }
}

/// How a PASSporT's claims agree with the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SignedFacts {
    /// Its orig is the request's caller.
    pub from: bool,
    /// Its dest holds the request's called number.
    pub to: bool,
    /// Seconds from the request's time to its iat.
    pub seconds: Option<i64>,
    /// Seconds from the record's start to its iat.
    pub seconds_from_record: Option<i64>,
}

/// A record's standing towards a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Standing {
    /// How they agree.
    pub tier: Tier,
    /// From 0 to 1; comparable within a tier.
    pub score: f64,
    /// What it is made of.
    pub parts: Parts,
    /// When the call began: the record's start with the clock's offset taken out.
    pub began: UnixTime,
    /// The start that the record means, as the switch's clock had it.
    pub written: UnixTime,
    /// The same with the offset taken out that the source's clock is known to have.
    pub(super) start: UnixTime,
    /// The tier by the source's right time: what candidates are compared by.
    pub(super) judged: Tier,
}

/// Two minutes: switches are seconds apart, and a call may ring for one.
pub const EXACT_SECONDS: i64 = 120;
/// Fifteen minutes: what people write down by hand.
pub const NEAR_SECONDS: i64 = 15 * 60;
/// Half an hour: the smallest step between zones that matters.
pub const CLOCK_STEP: i64 = 30 * 60;
/// Twelve hours: further off no zone is.
pub const CLOCK_LIMIT: i64 = 12 * 60 * 60;
/// How far off a record may start that has both of the request's numbers.
pub(super) const FURTHEST: i64 = CLOCK_LIMIT + NEAR_SECONDS;

impl Standing {
    /// Judges a record of a source whose clock is taken to be right; `None` when it cannot be the call.
    #[must_use]
    pub fn of(request: &Request, record: &Record) -> Option<Self> {
        Self::by_clock(request, record, 0)
    }

    /// Judges a record of a source whose clock is that many seconds ahead.
    pub(super) fn by_clock(request: &Request, record: &Record, ahead: i64) -> Option<Self> {
        let near = Nearness::of(request, record, ahead)?;
        let shares = Shares::of(&near);
        let lasted = record.answer.zip(record.end).map(|(answer, end)| end.seconds_since(answer).max(0));
        let parts = Parts {
            from: near.from,
            to: near.to,
            seconds: near.seconds,
            clock_offset_minutes: near.offset() / 60,
            answered: record.answer.is_some(),
            diverted: near.to < LAST_TEN,
            lasted,
            signed: signed_facts(request, record, near.written),
            shares,
        };
        Some(Self {
            tier: near.shown(),
            score: f64::from(shares.hundredths()) / 100.0,
            parts,
            began: near.written.plus_seconds(-near.offset()),
            written: near.written,
            start: near.written.plus_seconds(-ahead),
            judged: near.tier,
        })
    }
}

/// What decides which candidates are kept, and what they say about their source's clock; the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Rank {
    /// None where only a clock's offset, should it come to be known, makes it a candidate: these are the last.
    tier: Kept,
    /// How many hundredths are missing from the score.
    missing: u8,
    /// Half hours that the record is ahead of the request.
    steps: i8,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kept {
    In(Tier),
    ShouldTheClockBeOff,
}

impl Rank {
    pub(super) fn of(request: &Request, record: &Record) -> Option<Self> {
        if let Some(near) = Nearness::of(request, record, 0) {
            let steps = i8::try_from(near.offset() / CLOCK_STEP).unwrap_or_default();
            return Some(Self { tier: Kept::In(near.tier), missing: 100 - Shares::of(&near).hundredths(), steps });
        }
        let (from, _, away, _) = facts(request, record, 0)?;
        let may_be = from > 0.0 && (-FURTHEST..=FURTHEST).contains(&away);
        may_be.then_some(Self { tier: Kept::ShouldTheClockBeOff, missing: 100, steps: 0 })
    }

    /// Half hours that the source's clock would be ahead if this were the call; `None` where it says nothing about that.
    pub(super) fn clock_steps(&self) -> Option<i64> {
        let says = matches!(self.tier, Kept::In(Tier::Exact | Tier::Near | Tier::Clock));
        says.then_some(i64::from(self.steps))
    }
}

/// How far a record's facts are from the request's.
struct Nearness {
    /// By the source's right time.
    tier: Tier,
    from: f64,
    to: f64,
    /// With all offsets taken out.
    seconds: i64,
    /// The clock's, as it is known.
    ahead: i64,
    /// What is left of one.
    residue: i64,
    written: UnixTime,
}

impl Nearness {
    fn of(request: &Request, record: &Record, ahead: i64) -> Option<Self> {
        let (from, to, away, written) = facts(request, record, ahead)?;
        let (tier, residue) = tier(from > 0.0, away)?;
        Some(Self { tier, from, to, seconds: away - residue, ahead, residue, written })
    }

    const fn offset(&self) -> i64 {
        self.ahead + self.residue
    }

    /// A wrong clock is said, also where it is known.
    fn shown(&self) -> Tier {
        if self.ahead == 0 { self.tier } else { Tier::Clock }
    }
}

/// The likeness of both numbers, the seconds between the times, and which of the record's times that is from.
fn facts(request: &Request, record: &Record, ahead: i64) -> Option<(f64, f64, i64, UnixTime)> {
    let to = called_part(request, record)?;
    let from = likeness_of_dialed(&request.from, &record.calling);
    let starts = std::iter::once(record.start).chain(record.start_repeated);
    let starts = starts.map(|start| (distance(request.time, start.plus_seconds(-ahead)), start));
    let (away, written) = starts.min_by_key(|(away, _)| away.unsigned_abs())?;
    Some((from, to, away, written))
}

/// A call without its country code is as good as certain, but not quite.
const LAST_TEN: f64 = 0.9;
/// The request knows the call by another called number.
const DIVERTED: f64 = 0.8;

fn called_part(request: &Request, record: &Record) -> Option<f64> {
    let wanted = request.to.canonical.as_ref()?;
    let direct = record.called.canonical.as_ref().map_or(0.0, |called| likeness(wanted, called));
    if direct > 0.0 {
        return Some(direct);
    }
    record.destinations().any(|number| likeness(wanted, number) > 0.0).then_some(DIVERTED)
}

fn likeness_of_dialed(left: &Dialed, right: &Dialed) -> f64 {
    match (&left.canonical, &right.canonical) {
        (Some(left), Some(right)) => likeness(left, right),
        // `anonymous` in one and `Restricted` in the other.
        (None, None) if left.is_withheld() && right.is_withheld() => LAST_TEN,
        (None, None) if left.raw.eq_ignore_ascii_case(&right.raw) => LAST_TEN,
        _ => 0.0,
    }
}

/// Ten digits count as a number without its country code; two whole numbers are the same or are not.
fn likeness(left: &TelephoneNumber, right: &TelephoneNumber) -> f64 {
    let ten = |number: &TelephoneNumber| number.as_str().len() == 10;
    if left == right {
        1.0
    } else if (ten(left) || ten(right)) && left.same_last_ten(right) {
        LAST_TEN
    } else {
        0.0
    }
}

/// Seconds from the moment to the instant; 0 within the moment. Of a moment that the clock showed twice, the nearer.
fn distance(moment: Moment, instant: UnixTime) -> i64 {
    let length = moment.latest.seconds_since(moment.earliest);
    let from = |earliest: UnixTime| {
        let away = instant.seconds_since(earliest);
        if away < 0 { away } else { away.saturating_sub(length).max(0) }
    };
    let first = from(moment.earliest);
    let second = moment.repeated.map_or(first, from);
    if second.unsigned_abs() < first.unsigned_abs() { second } else { first }
}

/// The tier, and the clock's offset in seconds where it is one.
fn tier(same_caller: bool, away: i64) -> Option<(Tier, i64)> {
    let within = |limit: i64| (-limit..=limit).contains(&away);
    if !same_caller {
        return within(EXACT_SECONDS).then_some((Tier::CalledOnly, 0));
    }
    if within(EXACT_SECONDS) {
        return Some((Tier::Exact, 0));
    }
    if within(NEAR_SECONDS) {
        return Some((Tier::Near, 0));
    }
    if !within(CLOCK_LIMIT + EXACT_SECONDS) {
        return None;
    }
    let steps = (away + away.signum() * CLOCK_STEP / 2) / CLOCK_STEP;
    let offset = steps * CLOCK_STEP;
    ((away - offset).abs() <= EXACT_SECONDS && offset.abs() <= CLOCK_LIMIT).then_some((Tier::Clock, offset))
}

fn signed_facts(request: &Request, record: &Record, written: UnixTime) -> Option<SignedFacts> {
    let passport = first_passport(record)?;
    let claims = passport.claims();
    let same = |text: &str, dialed: &Dialed| {
        let signed = Dialed::read(text, crate::number::NumberPlan::NORTH_AMERICAN);
        signed.canonical.is_some() && signed.canonical == dialed.canonical
    };
    Some(SignedFacts {
        from: claims.orig.as_ref().is_some_and(|orig| same(orig.as_str(), &request.from)),
        to: claims.dest.as_ref().is_some_and(|dest| dest.numbers.iter().any(|number| same(number, &request.to))),
        seconds: claims.iat.map(|iat| distance(request.time, iat)),
        seconds_from_record: claims.iat.map(|iat| iat.seconds_since(written)),
    })
}

/// The first PASSporT in full form that the record carries, read and not believed.
pub(super) fn first_passport(record: &Record) -> Option<Passport> {
    let tokens = record.identity.iter().filter_map(|value| IdentityHeader::parse(value).ok());
    tokens.filter_map(|header| Passport::parse(&header.token).ok()).next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::number::NumberPlan;

    fn request(time: &str) -> Request {
        Request::new("1", "+12155550112", "+12155550131", time, NumberPlan::NORTH_AMERICAN).unwrap()
    }

    fn record(calling: &str, called: &str, start: i64) -> Record {
        let dialed = |text| Dialed::read(text, NumberPlan::NORTH_AMERICAN);
        Record {
            calling: dialed(calling),
            called: dialed(called),
            start: UnixTime::from_seconds(1_777_896_001 + start),
            ..Record::default()
        }
    }

    fn standing(record: &Record) -> Option<(Tier, i64, i64)> {
        let found = Standing::of(&request("2026-05-04T12:00:01Z"), record)?;
        Some((found.tier, found.parts.seconds, found.parts.clock_offset_minutes))
    }

    #[test]
    fn each_tier_ends_where_it_should() {
        for (start, expected) in [
            (0, Some((Tier::Exact, 0, 0))),
            (-120, Some((Tier::Exact, -120, 0))),
            (121, Some((Tier::Near, 121, 0))),
            (900, Some((Tier::Near, 900, 0))),
            (901, None),
            (1679, None),
            (1680, Some((Tier::Clock, -120, 30))),
            (-18_003, Some((Tier::Clock, -3, -300))),
            (43_320, Some((Tier::Clock, 120, 720))),
            (45_000, None),
        ] {
            assert_eq!(standing(&record("12155550112", "12155550131", start)), expected, "{start}");
        }
        assert_eq!(standing(&record("12155550199", "12155550131", -3)), Some((Tier::CalledOnly, -3, 0)));
        assert_eq!(standing(&record("12155550199", "12155550131", 121)), None);
    }

    #[test]
    fn a_changed_called_number_counts_only_with_a_diversion() {
        let mut other = record("12155550112", "12155550133", 0);
        assert_eq!(standing(&other), None);
        other.original_called = Some(Dialed::read("2155550131", NumberPlan::NORTH_AMERICAN));
        let found = Standing::of(&request("2026-05-04T12:00:01Z"), &other).unwrap();
        assert_eq!((found.tier, found.parts.to, found.parts.diverted), (Tier::Exact, 0.8, true));
    }

    #[test]
    fn two_countries_numbers_are_not_the_same_for_their_last_ten_digits() {
        assert_eq!(standing(&record("442155550112", "12155550131", 200)), None);
    }

    #[test]
    fn a_minute_is_near_all_of_its_seconds() {
        let found = Standing::of(&request("2026-05-04 12:00Z"), &record("12155550112", "12155550131", 40)).unwrap();
        assert_eq!((found.tier, found.parts.seconds, found.score), (Tier::Exact, 0, 1.0));
    }

    proptest! {
        #[test]
        fn shifting_every_clock_by_the_same_changes_nothing(start in -50_000i64..50_000, shift in -1_000_000i64..1_000_000) {
            let mut shifted = request("2026-05-04T12:00:01Z");
            shifted.time = Moment::exact(shifted.time.earliest.plus_seconds(shift));
            let here = Standing::of(&request("2026-05-04T12:00:01Z"), &record("12155550112", "12155550131", start));
            let there = Standing::of(&shifted, &record("12155550112", "12155550131", start + shift));
            let shown = |found: Option<Standing>| found.map(|own| (own.tier, own.score, own.parts));
            prop_assert_eq!(shown(here), shown(there));
        }
    }
}
