//! Answers kept on disk across restarts (RFC 9111 §3): bodies by their SHA-256, and an entry for each URL.
//!
//! `bodies/<SHA-256>` and `<kind>/<SHA-256 of the URL>`, each written whole and then named. Whatever a crash, another
//! process or a bad disk does to them, what is read is as it was written or is not read.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::certificate::der::hexadecimal;
use crate::certificate::sha256;
use crate::fetch::entry::Entry;
use crate::fetch::fetcher::disk::{Fault, Workplace, make_folder, names, read};
use crate::fetch::fetcher::fetched::Kind;

/// A folder of answers. Several processes may share it.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    workplace: Workplace,
    budget: u64,
    bytes: AtomicU64,
}

/// What the folder has for a URL.
#[derive(Debug)]
pub(super) enum Loaded {
    Found(Box<Entry>, Arc<[u8]>),
    Missing,
    Damaged(PathBuf),
}

impl Store {
    pub(super) fn open(folder: &Path, budget: u64) -> Result<Self, Fault> {
        let workplace = Workplace::open(folder.join("tmp"))?;
        for name in Kind::ALL.map(Kind::name).into_iter().chain([BODIES]) {
            make_folder(&folder.join(name))?;
        }
        let store = Self { folder: folder.to_owned(), workplace, budget, bytes: AtomicU64::new(0) };
        store.make_room();
        Ok(store)
    }

    /// Reads what is kept of a URL; what is damaged is removed.
    pub(super) fn load(&self, kind: Kind, url: &str, limit: usize) -> Loaded {
        let path = self.entry_path(kind, url);
        let Some(bytes) = read(&path, MAX_ENTRY_BYTES) else { return Loaded::Missing };
        let Some(entry) = Entry::parse(&bytes).ok().filter(|entry| entry.url == url) else {
            let _ = fs::remove_file(&path);
            return Loaded::Damaged(path);
        };
        let body_path = self.body_path(&entry.sha256);
        // Another process may have made room.
        if entry.length > limit || !body_path.exists() {
            return Loaded::Missing;
        }
        match read(&body_path, limit).filter(|body| sha256(body) == entry.sha256) {
            Some(body) => Loaded::Found(Box::new(entry), body.into()),
            None => {
                let _ = fs::remove_file(&path);
                let _ = fs::remove_file(&body_path);
                Loaded::Damaged(body_path)
            }
        }
    }

    /// Keeps an answer: the body first, then the entry that names it.
    pub(super) fn keep(&self, kind: Kind, entry: &Entry, body: &[u8]) -> Result<(), Fault> {
        let body_path = self.body_path(&entry.sha256);
        let is_there = fs::metadata(&body_path).is_ok_and(|file| file.len() == length(body));
        if !is_there {
            self.workplace.write(&body_path, body)?;
            self.bytes.fetch_add(length(body), Ordering::Relaxed);
        }
        let line = entry.print();
        self.workplace.write(&self.entry_path(kind, &entry.url), line.as_bytes())?;
        self.bytes.fetch_add(length(line.as_bytes()), Ordering::Relaxed);
        if self.bytes() > self.budget {
            self.make_room();
        }
        Ok(())
    }

    /// How much is kept; more by what was written over since it was last counted.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts what is there and, where it is too much, drops the certificates that were confirmed longest ago. CRLs and
    /// lists stay: the last good one is needed most when nothing else is to be had.
    fn make_room(&self) {
        let folder = self.folder.join(Kind::Certificate.name());
        let mut files: Vec<File> = names(&folder).iter().filter_map(|name| File::at(folder.join(name))).collect();
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let bodies = self.folder.join(BODIES);
        total +=
            names(&bodies).iter().filter_map(|name| File::at(bodies.join(name))).map(|file| file.bytes).sum::<u64>();
        if total > self.budget {
            files.sort_by_key(|file| file.modified);
            total -= self.drop_oldest(&files, total - self.budget / 10 * 9);
        }
        self.bytes.store(total, Ordering::Relaxed);
    }

    /// Removes entries, oldest first, until their bodies and they come to so many bytes; says to how many they came.
    fn drop_oldest(&self, files: &[File], excess: u64) -> u64 {
        let mut freed = 0;
        let mut dropped = HashSet::new();
        for file in files {
            if freed >= excess {
                break;
            }
            let entry = read(&file.path, MAX_ENTRY_BYTES).and_then(|bytes| Entry::parse(&bytes).ok());
            if fs::remove_file(&file.path).is_ok() {
                freed += file.bytes;
            }
            if let Some(entry) = entry.filter(|entry| dropped.insert(entry.sha256)) {
                freed += u64::try_from(entry.length).unwrap_or(0);
            }
        }
        self.drop_orphans();
        freed
    }

    /// Removes bodies that no entry names. One whose entry is just being written is missed by it, and fetched again.
    fn drop_orphans(&self) {
        let mut named = HashSet::new();
        for kind in Kind::ALL {
            let folder = self.folder.join(kind.name());
            let entries = names(&folder).into_iter().filter_map(|name| read(&folder.join(name), MAX_ENTRY_BYTES));
            named.extend(entries.filter_map(|bytes| Entry::parse(&bytes).ok()).map(|entry| hexadecimal(&entry.sha256)));
        }
        let bodies = self.folder.join(BODIES);
        for file in names(&bodies).iter().filter_map(|name| File::at(bodies.join(name))) {
            let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !named.contains(name) {
                let _ = fs::remove_file(&file.path);
            }
        }
    }

    fn entry_path(&self, kind: Kind, url: &str) -> PathBuf {
        self.folder.join(kind.name()).join(hexadecimal(&sha256(url.as_bytes())))
    }

    fn body_path(&self, hash: &[u8; 32]) -> PathBuf {
        self.folder.join(BODIES).join(hexadecimal(hash))
    }
}

const BODIES: &str = "bodies";
const MAX_ENTRY_BYTES: usize = 16 * 1024;

/// A file with its size and age.
struct File {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

impl File {
    fn at(path: PathBuf) -> Option<Self> {
        let metadata = fs::metadata(&path).ok()?;
        Some(Self { path, bytes: metadata.len(), modified: metadata.modified().ok()? })
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
