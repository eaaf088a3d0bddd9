//! What came of all calls together, in a sentence and in the exit code.

use crate::cli::exit::Exit;
use crate::cli::printer::Printer;
use crate::cli::settings::VerifySettings;
use crate::cli::verify::Judged;
use crate::sip::call::Call;
use crate::verify::Conclusion;

/// What came of all calls together.
#[derive(Debug, Default)]
pub(super) struct Tally {
    passed: usize,
    failed: usize,
    none: usize,
    /// Those that start no call: responses, ACK, BYE; nothing was to be signed there.
    idle: usize,
    /// Of captures: calls that nobody signed.
    unsigned: usize,
    /// Of captures: requests that were sent, or captured, again.
    again: usize,
    only_stale: usize,
    pub(super) exit: Exit,
}

impl Tally {
    pub(super) fn count(&mut self, judged: &Judged<'_>) {
        if judged.captured.is_some() && judged.call.identities.is_empty() {
            return self.count_unsigned(&judged.call);
        }
        match judged.verdict.conclusion {
            Conclusion::Passed => self.passed += 1,
            Conclusion::Failed => self.failed += 1,
            Conclusion::None if !judged.call.starts_call() && judged.call.identities.is_empty() => self.idle += 1,
            Conclusion::None => self.none += 1,
        }
        self.only_stale += usize::from(judged.is_only_stale());
    }

    /// Adds what came of other calls.
    pub(super) const fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.none += other.none;
        self.idle += other.idle;
        self.unsigned += other.unsigned;
        self.again += other.again;
        self.only_stale += other.only_stale;
        self.exit = self.exit.and(other.exit);
    }

    /// A message of a capture without Identity: that nobody signed it is no failure.
    pub(super) fn count_unsigned(&mut self, call: &Call) {
        if call.starts_call() {
            self.unsigned += 1;
        } else {
            self.idle += 1;
        }
    }

    /// A request of a capture that was there before.
    pub(super) const fn count_again(&mut self) {
        self.again += 1;
    }

    pub(super) fn exit(&self) -> Exit {
        let nothing_judged = self.passed + self.failed + self.none == 0;
        let calls = match (self.failed, self.none) {
            (0, 0) if !nothing_judged => Exit::Good,
            (0, _) => Exit::Unable,
            _ => Exit::Bad,
        };
        self.exit.and(calls)
    }

    pub(super) fn say(&self, settings: &VerifySettings, printer: &mut Printer) {
        if self.only_stale > 0 && !settings.at.is_date() {
            let calls =
                if self.only_stale == 1 { "one call is".to_owned() } else { format!("{} calls are", self.only_stale) };
            printer.note(&format!("{calls} refused only for age; `--at date` judges a call as of its own time"));
        }
        let more =
            [(self.unsigned, "calls without Identity"), (self.again, "sent again"), (self.idle, "that start no call")];
        let all = self.passed + self.failed + self.none + more.iter().map(|(count, _)| count).sum::<usize>();
        if all > 1 {
            let more = more.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
            printer.note(&format!(
                "{all} messages or headers: {} passed, {} failed, {} could not be checked{}",
                self.passed,
                self.failed,
                self.none,
                more.collect::<String>()
            ));
        }
    }
}
