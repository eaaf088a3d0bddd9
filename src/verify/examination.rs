//! What one PASSporT's checks found so far: every check is kept, the first failing stage decides.

use crate::verify::detail::Detail;
use crate::verify::error::Error;
use crate::verify::rules::Rule;
use crate::verify::stage::Stage;
use crate::verify::verdict::{Check, CheckResult};

/// The notes of one examination.
#[derive(Clone, Debug, Default)]
pub(super) struct Examination {
    checks: Vec<Check>,
    failures: Vec<(Stage, Error)>,
    incomplete: bool,
}

impl Examination {
    /// With room for the checks of a usual PASSporT.
    pub(super) fn new() -> Self {
        Self { checks: Vec::with_capacity(30), ..Self::default() }
    }

    pub(super) fn pass(&mut self, rule: Rule, detail: impl Into<Detail>) {
        self.note(rule, CheckResult::Pass, detail.into());
    }

    pub(super) fn warn(&mut self, rule: Rule, detail: impl Into<Detail>) {
        self.note(rule, CheckResult::Warn, detail.into());
    }

    /// A check that lacks what it needs, and whose lack leaves the PASSporT as good as the others make it.
    pub(super) fn skip(&mut self, rule: Rule, detail: impl Into<Detail>) {
        self.note(rule, CheckResult::Skip, detail.into());
    }

    /// A check without which nobody can say that the PASSporT is valid.
    pub(super) fn cannot(&mut self, rule: Rule, detail: impl Into<Detail>) {
        self.incomplete = true;
        self.skip(rule, detail);
    }

    pub(super) fn fail(&mut self, rule: Rule, error: Error) {
        self.note(rule, CheckResult::Fail, error.to_string().into());
        self.failures.push((rule.stage().min(error.stage()), error));
    }

    /// The error of the first failing stage; within a stage the first found.
    pub(super) fn error(&self) -> Option<&Error> {
        self.failures.iter().min_by_key(|(stage, _)| *stage).map(|(_, error)| error)
    }

    /// All errors, in the order of stages.
    pub(super) fn errors(&self) -> Vec<Error> {
        let mut failures: Vec<_> = self.failures.iter().collect();
        failures.sort_by_key(|(stage, _)| *stage);
        failures.into_iter().map(|(_, error)| error.clone()).collect()
    }

    pub(super) const fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Whether nothing failed and nothing is missing, outside the stage of the numbers, where a chain of
    /// diversions is judged as a whole.
    pub(super) fn is_sound_but_for_numbers(&self) -> bool {
        !self.incomplete && self.failures.iter().all(|(stage, _)| *stage == Stage::Numbers)
    }

    /// The checks in the order of stages.
    pub(super) fn into_checks(mut self) -> Vec<Check> {
        // Long runs are in order already: what is not goes back to its stage, and nothing is allocated.
        for at in 1..self.checks.len() {
            let stage = self.checks[at].rule.stage();
            if stage < self.checks[at - 1].rule.stage() {
                let place = self.checks[..at].partition_point(|earlier| earlier.rule.stage() <= stage);
                self.checks[place..=at].rotate_right(1);
            }
        }
        self.checks
    }

    fn note(&mut self, rule: Rule, result: CheckResult, detail: Detail) {
        self.checks.push(Check { rule, result, detail });
    }
}
