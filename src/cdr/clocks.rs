//! The clocks of a source: the one that its times are written in, and those that rows name themselves.

use crate::cdr::parser::Parser;
use crate::cdr::times::TimeForm;
use crate::zone::{Clock, Moment, MomentError, Zone};

/// Reads the times of one source.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    own: Clock,
    /// What a row said last about its zone, and its clock.
    named: Option<(String, Clock)>,
}

impl Clocks {
    pub(super) fn new(parser: &Parser) -> Self {
        let zone = parser.layout.zone.clone().or_else(|| parser.settings.zone.clone());
        Self { own: Clock::new(zone), named: None }
    }

    /// The clock of rows that say so about their zone; `zone` tells what that means.
    pub(super) fn named<E>(&mut self, text: &str, zone: impl FnOnce() -> Result<Zone, E>) -> Result<&mut Clock, E> {
        if self.named.as_ref().is_none_or(|(own, _)| own != text) {
            self.named = Some((text.to_owned(), Clock::new(Some(zone()?))));
        }
        // It was put there just now.
        Ok(self.named.as_mut().map_or(&mut self.own, |(_, clock)| clock))
    }

    /// The source's own clock.
    pub(super) fn own(&mut self) -> &mut Clock {
        &mut self.own
    }
}

/// Reads a time in the first form that fits.
pub(super) fn read(
    text: &str,
    forms: &[TimeForm],
    clock: &mut Clock,
    abbreviations: &[(String, i32)],
) -> Result<Moment, MomentError> {
    let mut first = None;
    for form in forms {
        match form.read(text, clock, abbreviations) {
            Ok(moment) => return Ok(moment),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or(MomentError::Empty))
}
