//! The one who writes to a lake: it holds the lock, and changes the lake by replacing the manifest, last.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::data::{CALLS, INDEX};
use super::disk::{self, Pending, Step, TEMPORARY};
use super::error::Error;
use super::folder;
use super::lock::Lock;
use super::manifest::{HeldSources, MANIFEST, Manifest, VERSION};

/// Where the files lie that say what was read, relative to the lake's folder.
pub(super) const HELD: &str = "held";

/// The one writer of a lake, until it is dropped.
pub struct LakeWriter {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) held: HeldSources,
    watch: Box<dyn Fn(&Path) + Send + Sync>,
    _lock: Lock,
}

impl LakeWriter {
    /// Makes ready to write to the lake of a folder, which is made where it is missing. What an interrupted writer left
    /// is removed.
    ///
    /// # Errors
    /// When another writes, or the folder cannot be read or written.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_watched(folder, Box::new(|_| {}))
    }

    /// The same; `watch` is told before each step that changes the disk, with the path.
    ///
    /// # Errors
    /// As for [`LakeWriter::open`].
    pub fn open_watched(folder: &Path, watch: Box<dyn Fn(&Path) + Send + Sync>) -> Result<Self, Error> {
        let lock = Lock::take(folder)?;
        let manifest = folder::manifest(folder)?;
        let is_new = manifest.is_none();
        let mut manifest = manifest.unwrap_or_else(|| Manifest { version: VERSION, ..Manifest::default() });
        let mut held = folder::held(folder, &manifest)?;
        manifest.sources.iter().skip(held.sources.len()).for_each(|name| held.add(name));
        manifest.version = VERSION;
        let writer = Self { folder: folder.to_owned(), manifest, held, watch, _lock: lock };
        writer.clean()?;
        if is_new {
            // Before any data: from now on, data without a manifest are a lake that lost it.
            writer.keep_manifest(&writer.manifest)?;
        }
        Ok(writer)
    }

    /// Whether a file of that name and length was read to its end for a source. What it holds now only its hash tells;
    /// for files that nobody writes to any more, that is enough.
    #[must_use]
    pub fn holds(&self, network: &str, source: &str, name: &str, bytes: u64) -> bool {
        let of_source = self.held.sources.iter().filter(|own| own.name.network == network && own.name.source == source);
        let mut files = of_source.flat_map(|own| &own.files);
        files.any(|own| own.name == name && own.bytes == bytes && own.cut_short.is_none())
    }

    /// Does a change; where it fails, what was written for it goes at once: it may be what fills the disk.
    pub(super) fn whole_or_not<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let done = change(self);
        if done.is_err() {
            // What stays here, the next writer removes.
            let _ = self.clean();
        }
        done
    }

    /// Told before each step that changes the disk.
    pub(super) fn step(&self) -> Step<'_> {
        &*self.watch
    }

    /// Removes what the manifest does not name: an interrupted writer left it.
    fn clean(&self) -> Result<(), Error> {
        let named: BTreeSet<&str> = self.manifest.named().collect();
        for below in [CALLS, INDEX, HELD] {
            for file in disk::files_below(&self.folder, below)? {
                if !named.contains(file.as_str()) {
                    disk::remove(&self.folder.join(file), self.step())?;
                }
            }
        }
        disk::remove(&self.folder.join(format!("{MANIFEST}.{TEMPORARY}")), self.step())
    }

    /// Makes a change the lake's: until the manifest is in place, nobody sees any of it.
    pub(super) fn commit(&mut self, mut manifest: Manifest, held: HeldSources) -> Result<(), Error> {
        manifest.held = Some(self.keep_held(&held)?);
        manifest.generation = self.manifest.generation + 1;
        manifest.data.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let now: BTreeSet<&str> =
            manifest.data.iter().flat_map(|file| file.files()).chain(manifest.held.as_deref()).collect();
        let before = self.manifest.data.iter().flat_map(|file| file.files()).chain(self.manifest.held.as_deref());
        manifest.retired = before.filter(|file| !now.contains(file)).map(str::to_owned).collect();
        self.keep_manifest(&manifest)?;
        let kept: BTreeSet<String> = manifest.named().map(str::to_owned).collect();
        let old = std::mem::replace(&mut self.manifest, manifest);
        self.held = held;
        for file in old.named().filter(|file| !kept.contains(*file)) {
            // The lake is changed already; what stays here, the next writer removes.
            let _ = disk::remove(&self.folder.join(file), self.step());
        }
        Ok(())
    }

    fn keep_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        let mut pending = Pending::create(&self.folder, MANIFEST, self.step())?;
        print(manifest, &mut pending)?;
        pending.keep(MANIFEST, self.step()).map(drop)
    }

    fn keep_held(&self, held: &HeldSources) -> Result<String, Error> {
        let mut pending = Pending::create(&self.folder.join(HELD), "held.json", self.step())?;
        print(held, &mut pending)?;
        let name = format!("{}.json", pending.sha256());
        pending.keep(&name, self.step())?;
        Ok(format!("{HELD}/{name}"))
    }
}

impl fmt::Debug for LakeWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeWriter").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn print(value: &impl Serialize, pending: &mut Pending) -> Result<(), Error> {
    let printed = serde_json::to_writer(&mut *pending, value).map_err(io::Error::from);
    printed.and_then(|()| pending.flush()).map_err(|reason| Error::at(pending.path(), &reason))
}
