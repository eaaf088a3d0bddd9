//! Packet captures: what messages come out of them, whatever carried them, and what hostile bytes cannot do.
#![cfg(feature = "capture")]
#![expect(clippy::unwrap_used, reason = "a test stops at a fault")]

mod build;
mod files;
mod fragments;
mod links;
mod properties;
mod streams;

use stirtrace::capture::{Capture, CapturedMessage, Counts, Error, Limits};

/// All messages of a capture, its counts, and how it ended.
pub(crate) struct Read {
    pub(crate) messages: Vec<CapturedMessage<'static>>,
    pub(crate) counts: Counts,
    pub(crate) error: Option<Error>,
}

pub(crate) fn read(file: &[u8]) -> Read {
    read_within(file, Limits::default())
}

pub(crate) fn read_within(file: &[u8], limits: Limits) -> Read {
    let mut capture = Capture::new(file, limits);
    let (mut messages, mut error) = (Vec::new(), None);
    for item in capture.by_ref() {
        match item {
            Ok(message) => messages.push(message),
            Err(reason) => assert_eq!(error.replace(reason), None, "two ends"),
        }
    }
    Read { messages, counts: *capture.counts(), error }
}

/// The one message of a capture that is whole and says nothing else.
pub(crate) fn only(file: &[u8]) -> CapturedMessage<'static> {
    let read = read(file);
    assert_eq!(read.error, None);
    assert_eq!(read.counts.losses(), [], "{:?}", read.counts);
    assert_eq!(read.messages.len(), 1, "{:?}", read.counts);
    read.messages.into_iter().next().unwrap()
}
