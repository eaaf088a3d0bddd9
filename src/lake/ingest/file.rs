//! A file on its way into the lake: what it is, whether it is known, and what was read of it.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{Context, SHA256};

use super::Input;
use crate::cdr::BadLine;
use crate::lake::disk::hex;
use crate::lake::error::Error;
use crate::lake::manifest::{HeldSource, HeldSources, SetAside};
use crate::lake::positioned::Cursor;
use crate::lake::run::{MAX_NAMED, Told};
use crate::lake::spans::Spans;

/// What a first look at a file shows.
#[derive(Clone, Debug)]
pub(super) enum Looked {
    /// Its content is held.
    Known {
        /// Its SHA-256 in hex.
        sha256: String,
    },
    /// Another source of the network holds its content.
    KnownElsewhere {
        /// Which.
        source: String,
    },
    /// Its content is held, understood in another way.
    KnownOtherwise {
        /// How.
        before: String,
    },
    /// It is to be read.
    New(Content),
    /// It cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// What a file holds, by its hash.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// Its SHA-256 in hex.
    pub(super) sha256: String,
    /// Its length.
    pub(super) bytes: u64,
    /// Held files of its name that it begins with, by their SHA-256.
    pub(super) continues: Vec<String>,
}

/// An opened file.
#[derive(Debug)]
pub(super) struct Opened {
    file: Arc<File>,
    before: Metadata,
}

impl Opened {
    fn new(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).open(path)?;
        let before = file.metadata()?;
        if before.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Self { file: Arc::new(file), before })
    }

    /// What its first bytes hold. `prefixes` are lengths of which the hash is wanted too, each with the one expected.
    pub(super) fn content(&self, prefixes: &[(u64, &str)], most: u64) -> io::Result<Content> {
        let mut file = Cursor::new(Arc::clone(&self.file));
        let mut marks: Vec<(u64, &str)> = prefixes.to_vec();
        marks.sort_unstable();
        let mut hash = Context::new(&SHA256);
        let mut bytes = 0;
        let mut continues = Vec::new();
        for (length, expected) in marks {
            bytes += hash_some(&mut file, &mut hash, length - bytes)?;
            if bytes < length {
                break;
            }
            if hex(hash.clone().finish().as_ref()) == expected {
                continues.push(expected.to_owned());
            }
        }
        bytes += hash_some(&mut file, &mut hash, most.saturating_sub(bytes))?;
        Ok(Content { sha256: hex(hash.finish().as_ref()), bytes, continues })
    }

    /// So many of its bytes, from their beginning; how many were read is counted.
    pub(super) fn reader(&self, bytes: u64, read: &Arc<AtomicU64>) -> impl Read + Send + use<> {
        let source = Cursor::new(Arc::clone(&self.file)).take(bytes);
        Counted { source, read: Arc::clone(read) }
    }

    /// Its length when it was opened.
    pub(super) fn length(&self) -> u64 {
        self.before.len()
    }

    /// Makes sure that what was read is what was hashed.
    pub(super) fn check(&self, input: &Input<'_>, content: &Content) -> Result<(), Error> {
        let now = self.file.metadata().map_err(|reason| Error::at(&input.path, &reason))?;
        let before = &self.before;
        if before.len() == now.len() && before.modified().ok() == now.modified().ok() {
            return Ok(());
        }
        let mut hash = Context::new(&SHA256);
        let again = hash_some(&mut Cursor::new(Arc::clone(&self.file)), &mut hash, content.bytes);
        again.map_err(|reason| Error::at(&input.path, &reason))?;
        if hex(hash.finish().as_ref()) == content.sha256 {
            return Ok(());
        }
        Err(Error::Changed { file: input.name.clone() })
    }
}

struct Counted<R> {
    source: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.read.fetch_add(u64::try_from(length).unwrap_or_default(), Ordering::Relaxed);
        Ok(length)
    }
}

fn hash_some(file: &mut Cursor, hash: &mut Context, most: u64) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut done = 0;
    loop {
        let wanted = usize::try_from(most - done).unwrap_or(BUFFER).min(BUFFER);
        let length = match file.read(&mut buffer[..wanted]) {
            Ok(0) => return Ok(done),
            Ok(length) => length,
            Err(reason) if reason.kind() == io::ErrorKind::Interrupted => continue,
            Err(reason) => return Err(reason),
        };
        hash.update(&buffer[..length]);
        done += u64::try_from(length).unwrap_or_default();
    }
}

const BUFFER: usize = 256 * 1024;

/// A file that is to be read; its content is hashed beside the reading where it cannot be known.
pub(super) struct ToRead {
    pub(super) opened: Opened,
    pub(super) content: Option<Content>,
}

/// Shorter files are read twice in less time than a thread takes to begin.
const WORTH_A_THREAD: u64 = 8 * 1024 * 1024;

/// Looks at a file: what it holds, and whether that is known. Of a content that is known there is a file of that
/// length: held, or among the `lengths` of all that is to be read.
pub(super) fn look(input: &Input<'_>, held: &HeldSource, all: &HeldSources, lengths: &[u64]) -> Result<ToRead, Looked> {
    let unreadable = |reason: io::Error| Looked::Unreadable { reason: reason.to_string() };
    let opened = Opened::new(&input.path).map_err(unreadable)?;
    let of_network = || all.sources.iter().filter(|own| own.name.network == held.name.network);
    let named = of_network().flat_map(|own| &own.files).filter(|own| own.name == input.name);
    let prefixes: Vec<(u64, &str)> = named.map(|own| (own.bytes, own.sha256.as_str())).collect();
    let length = opened.length();
    let has_its_like = of_network().flat_map(|own| &own.files).any(|own| own.bytes == length)
        || lengths.iter().filter(|own| **own == length).count() > 1;
    if length >= WORTH_A_THREAD && prefixes.is_empty() && !has_its_like {
        return Ok(ToRead { opened, content: None });
    }
    let content = opened.content(&prefixes, u64::MAX).map_err(unreadable)?;
    let is_known = |sha256: &str| sha256 == content.sha256 || content.continues.iter().any(|own| own == sha256);
    for own in held.files.iter().filter(|own| is_known(&own.sha256)) {
        if own.reading != input.reading {
            return Err(Looked::KnownOtherwise { before: own.reading.clone() });
        }
        if own.sha256 == content.sha256 && own.cut_short.is_none() {
            return Err(Looked::Known { sha256: own.sha256.clone() });
        }
    }
    // Files without a record may well be the same: a header and no calls.
    let has_it = |other: &&HeldSource| other.files.iter().any(|own| own.records > 0 && is_known(&own.sha256));
    match of_network().filter(|own| own.name != held.name).find(has_it) {
        Some(other) => Err(Looked::KnownElsewhere { source: other.name.source.clone() }),
        None => Ok(ToRead { opened, content: Some(content) }),
    }
}

/// What was read of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) records: u64,
    pub(super) added: u64,
    pub(super) set_aside: u64,
    pub(super) bad: Vec<BadLine>,
    /// The starts of the records around lines that could not be read.
    pub(super) unread: Vec<[Option<i64>; 2]>,
    pub(super) lacks_egress: bool,
    pub(super) cut_short: Option<String>,
    pub(super) spans: Spans,
    last: Option<i64>,
    waiting: u64,
}

/// More lines that could not be read become one span.
const MAX_UNREAD: usize = 1000;

impl Tally {
    /// Adds what the next piece told.
    pub(super) fn add(&mut self, records: usize, told: Told) {
        self.records += u64::try_from(records).unwrap_or_default();
        self.set_aside += told.set_aside;
        let room = MAX_NAMED.saturating_sub(self.bad.len());
        self.bad.extend(told.bad.into_iter().take(room));
        self.spans.extend(&told.spans);
        let Some([first, last]) = told.ends else {
            self.waiting += told.trailing;
            return;
        };
        if self.waiting + told.leading > 0 {
            self.add_unread([self.last, Some(first)]);
        }
        told.around.into_iter().for_each(|[before, after]| self.add_unread([Some(before), Some(after)]));
        self.last = Some(last);
        self.waiting = told.trailing;
    }

    /// Nothing follows; so many of its records were new.
    pub(super) fn end(mut self, added: u64) -> Self {
        if std::mem::take(&mut self.waiting) > 0 {
            self.add_unread([self.last, None]);
        }
        self.added = added;
        self
    }

    fn add_unread(&mut self, around: [Option<i64>; 2]) {
        let is_full = self.unread.len() >= MAX_UNREAD;
        match self.unread.last_mut() {
            Some(last) if *last == around => {}
            Some([_, after]) if is_full => *after = around[1].or(around[0]).max(*after),
            _ => self.unread.push(around),
        }
    }

    /// The lines that could not be read, as the manifest names them.
    pub(super) fn named(&self) -> Vec<SetAside> {
        let each = self.bad.iter().map(|bad| {
            let whole = bad.to_string();
            let reason = whole.split_once(": ").map_or(whole.as_str(), |(_, reason)| reason);
            SetAside { line: bad.place.line, reason: shortened(reason) }
        });
        each.collect()
    }
}

/// A reason may quote what a stranger wrote.
const MAX_REASON: usize = 300;

fn shortened(reason: &str) -> String {
    if reason.chars().nth(MAX_REASON).is_none() {
        return reason.to_owned();
    }
    reason.chars().take(MAX_REASON).chain(['…']).collect()
}
