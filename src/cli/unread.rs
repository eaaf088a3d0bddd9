//! An item that could not be read: its object says where and why, and the rest goes on.

use std::marker::PhantomData;

use serde::Serialize;

use crate::cli::exit::Complaint;
use crate::cli::files::{Source, Unlisted};
use crate::cli::printer::Present;
use crate::cli::text::{Text, Tone};

/// The object of an item that could not be read, where objects like `P` are printed: its CSV columns are theirs, so they
/// hold `error.kind`, `error.detail` and `error.hint`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unread<P> {
    source: Source,
    error: Fault,
    #[serde(skip)]
    like: PhantomData<P>,
}

#[derive(Clone, Debug, Serialize)]
struct Fault {
    kind: &'static str,
    detail: String,
    hint: Option<String>,
}

impl<P: Present> Unread<P> {
    /// What could not be read, and why.
    pub(crate) fn new(source: Source, complaint: &Complaint) -> Self {
        let hint = complaint.next().map(str::to_owned);
        Self {
            source,
            error: Fault { kind: "Unreadable", detail: complaint.what().to_owned(), hint },
            like: PhantomData,
        }
    }

    /// A folder that cannot be listed.
    pub(crate) fn folder(unlisted: &Unlisted) -> Self {
        Self::new(Source::file(&unlisted.file), &Complaint::new(&unlisted.reason).hint("make the folder readable"))
    }
}

impl<P: Present> Present for Unread<P> {
    const COLUMNS: &'static [&'static str] = P::COLUMNS;

    fn text(&self, text: &mut Text) {
        text.put(Tone::Bad, "UNREADABLE").put(Tone::Faint, format_args!("  {}", self.source)).end();
        text.field("why", &self.error.detail);
        if let Some(hint) = &self.error.hint {
            text.field("next", hint);
        }
        text.end();
    }
}
