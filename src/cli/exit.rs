//! How a command ends: its exit code, or why it stopped before its end.

use std::fmt;
use std::process::ExitCode;

use crate::sip::json_call::JsonCallError;

/// The exit codes that every command shares; the manual's table says what each means for which command.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[must_use]
pub(crate) enum Exit {
    /// 0: everything asked for is so.
    #[default]
    Good,
    /// 1: something is not so: a call failed verification, a file has faults.
    Bad,
    /// 2: something could not be told, or the command was misused.
    Unable,
}

impl Exit {
    /// The exit of two pieces of work together: bad outranks unable, which outranks good.
    pub(crate) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Bad, _) | (_, Self::Bad) => Self::Bad,
            (Self::Unable, _) | (_, Self::Unable) => Self::Unable,
            (Self::Good, Self::Good) => Self::Good,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::Unable => 2,
        })
    }
}

/// Why a command stopped before its end. Either way the exit code is 2.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// Nobody reads stdout any more, as behind `| head`: no reason to say a word.
    Closed,
    /// Something that the reader has to put right.
    Complaint(Complaint),
}

impl From<Complaint> for Stop {
    fn from(complaint: Complaint) -> Self {
        Self::Complaint(complaint)
    }
}

/// What is wrong, and what to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Complaint {
    what: String,
    hint: Option<String>,
}

impl Complaint {
    /// A complaint about `what`, in one sentence without a full stop.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What to do next.
    pub(crate) fn next(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl From<JsonCallError> for Complaint {
    fn from(error: JsonCallError) -> Self {
        Self::new(error.to_string()).hint(error.hint())
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outranks_what_could_not_be_checked() {
        assert_eq!(Exit::Unable.and(Exit::Bad), Exit::Bad);
        assert_eq!(Exit::Bad.and(Exit::Unable), Exit::Bad);
        assert_eq!(Exit::Good.and(Exit::Unable), Exit::Unable);
        assert_eq!(Exit::Good.and(Exit::Good), Exit::Good);
    }
}
