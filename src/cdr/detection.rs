//! Which formats fit a source: each built-in one reads the beginning, and says how far it came.

use crate::cdr::blocks::Blocks;
use crate::cdr::record::Record;
use crate::cdr::{Format, Settings};
use crate::zone::Zone;

/// As much of a source as formats are tried on.
pub const SAMPLE_BYTES: usize = 256 * 1024;

/// A format that reads the beginning of a source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guess {
    /// The format.
    pub format: Format,
    /// Rows that were read as calls.
    pub calls: u64,
    /// Rows that were read as no calls.
    pub no_calls: u64,
    /// Lines that could not be read.
    pub set_aside: u64,
    /// Calls whose called number is one.
    pub numbers: u64,
    /// Fields that the calls filled, all together.
    pub filled: u64,
}

impl Guess {
    /// Why it fits, in words.
    #[must_use]
    pub fn reason(&self) -> String {
        let Self { calls, no_calls, set_aside, numbers, .. } = self;
        let rows = calls + no_calls + set_aside;
        let per_call = self.filled / (*calls).max(1);
        format!("{calls} of {rows} rows are calls, {numbers} with a called number, {per_call} fields each")
    }

    /// Nearly all rows are read, and what is called is mostly a number.
    fn fits(&self) -> bool {
        self.calls > 0 && self.set_aside * 10 <= self.calls + self.no_calls && self.numbers * 2 >= self.calls
    }
}

/// The built-in formats that read the beginning of a source, the best first.
#[must_use]
pub fn detect(sample: &[u8]) -> Vec<Guess> {
    let sample = &sample[..sample.len().min(SAMPLE_BYTES)];
    let mut guesses: Vec<Guess> =
        Format::names().filter_map(|name| tried(Format::named(name).ok()?, sample)).filter(Guess::fits).collect();
    // What fills more fields of more rows says more.
    guesses.sort_by_key(|guess| std::cmp::Reverse((guess.numbers, guess.filled)));
    guesses
}

fn tried(format: Format, sample: &[u8]) -> Option<Guess> {
    // Any zone will do: whether rows are read does not depend on which.
    let settings = Settings::default().with_zone(Some(Zone::utc()));
    let (parser, mut blocks): (_, Blocks<&[u8]>) = format.split(sample, settings).ok()?;
    let mut guess = Guess { format, calls: 0, no_calls: 0, set_aside: 0, numbers: 0, filled: 0 };
    let mut last_is_bad = false;
    while let Ok(Some(block)) = blocks.next_block() {
        guess.no_calls += parser.records(&block, &mut |item| {
            last_is_bad = item.is_err();
            match item {
                Ok(record) => guess.take(&record),
                Err(_) => guess.set_aside += 1,
            }
        });
    }
    // The sample may end in the middle of a line.
    if last_is_bad && !sample.ends_with(b"\n") {
        guess.set_aside -= 1;
    }
    Some(guess)
}

impl Guess {
    fn take(&mut self, record: &Record) {
        self.calls += 1;
        self.numbers += u64::from(record.called.canonical.is_some_and(|number| number.as_str().len() >= 3));
        let links = [&record.ingress, &record.egress];
        let texts = links.iter().flat_map(|link| [&link.trunk, &link.address, &link.call_id]);
        let times = [record.answer, record.end];
        let filled = texts.filter(|text| text.is_some()).count()
            + times.iter().flatten().count()
            + usize::from(record.calling.canonical.is_some())
            + usize::from(record.sip_status.is_some())
            + usize::from(record.q850.is_some())
            + usize::from(record.switch.is_some())
            + usize::from(!record.identity.is_empty());
        self.filled += u64::try_from(filled).unwrap_or_default();
    }
}
