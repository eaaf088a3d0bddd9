//! Files written so that a crash leaves the old one or the new one, each whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A folder whose files are written beside it first.
#[derive(Debug)]
pub(super) struct Workplace {
    temporary: PathBuf,
    next: AtomicU64,
}

/// What could not be done to which file.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: PathBuf,
    pub(super) reason: io::Error,
}

impl Workplace {
    /// Makes the folder for what is not whole yet, and removes what an interrupted run left there.
    pub(super) fn open(temporary: PathBuf) -> Result<Self, Fault> {
        make_folder(&temporary)?;
        for name in names(&temporary) {
            let path = temporary.join(name);
            // What is young may be another process's, which is about to name it.
            let is_old = |modified: std::time::SystemTime| modified.elapsed().is_ok_and(|age| age > ABANDONED);
            if fs::metadata(&path).and_then(|metadata| metadata.modified()).is_ok_and(is_old) {
                let _ = fs::remove_file(&path);
            }
        }
        Ok(Self { temporary, next: AtomicU64::new(0) })
    }

    /// Writes a file in the place of whatever has its name.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Fault> {
        let (file, temporary) = self.begin().map_err(|reason| Fault { path: path.to_owned(), reason })?;
        let written = write_synced(file, bytes).and_then(|()| fs::rename(&temporary, path));
        let written = written.and_then(|()| path.parent().map_or(Ok(()), sync_folder));
        written.map_err(|reason| {
            // What is half there may be what fills the disk.
            let _ = fs::remove_file(&temporary);
            Fault { path: path.to_owned(), reason }
        })
    }

    /// A file that nobody else writes: in containers every process has the same number, and one that was killed left
    /// its files behind.
    fn begin(&self) -> io::Result<(File, PathBuf)> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let temporary = self.temporary.join(format!("{}-{number}", process::id()));
            match File::options().write(true).create_new(true).open(&temporary) {
                Ok(file) => return Ok((file, temporary)),
                Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => {}
                Err(reason) => return Err(reason),
            }
        }
    }
}

const ABANDONED: Duration = Duration::from_secs(3600);

fn write_synced(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

#[expect(clippy::disallowed_methods, reason = "an edge: the cache is files")]
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened, and names are kept with the file.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// All bytes of a file; nothing where there is none, or where it is longer than `limit`.
#[expect(clippy::disallowed_methods, reason = "an edge: the cache is files")]
pub(super) fn read(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let length = usize::try_from(file.metadata().ok().filter(fs::Metadata::is_file)?.len()).ok()?;
    if length > limit {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Makes a folder and those above it.
pub(super) fn make_folder(folder: &Path) -> Result<(), Fault> {
    fs::create_dir_all(folder).map_err(|reason| Fault { path: folder.to_owned(), reason })
}

/// The names in a folder; none where it cannot be read.
#[expect(clippy::disallowed_methods, reason = "an edge: the cache is files")]
pub(super) fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| PathBuf::from(entry.file_name())).collect()
}
