//! Lines of call records that could not be read: the first of them are shown, all are counted.

use crate::cdr::BadLine;
use crate::cli::printer::Printer;
use crate::cli::text::grouped;

/// The lines of one run.
#[derive(Debug, Default)]
pub(crate) struct SetAside {
    shown: Vec<String>,
    count: u64,
}

/// How many are shown.
pub(crate) const SHOWN: usize = 20;

impl SetAside {
    /// Notes a line of the file of that name.
    pub(crate) fn note(&mut self, bad: &BadLine, name: &str) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(format!("{name}: {bad}"));
        }
    }

    /// Notes lines of which no more than the number is known.
    pub(crate) const fn count_more(&mut self, lines: u64) {
        self.count = self.count.saturating_add(lines);
    }

    /// Says them on stderr.
    pub(crate) fn say(&self, printer: &mut Printer) {
        self.shown.iter().for_each(|line| printer.warn(line));
        let lines = if self.count == 1 { "line was" } else { "lines were" };
        if self.count > 0 {
            printer.warn(&format!("{} {lines} set aside; the rest was read", grouped(self.count)));
        }
    }
}
