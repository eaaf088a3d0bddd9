//! Files that are there whole or not at all: written under a temporary name, synced, renamed, the folder synced.
#![expect(clippy::disallowed_methods, reason = "the lake is files in a folder")]

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use super::error::Error;

/// Ends the names of files that are not yet whole: no engine takes them for Parquet.
pub(super) const TEMPORARY: &str = "tmp";

/// Called before each step that changes the disk: a test stops the process there.
pub(super) type Step<'a> = &'a (dyn Fn(&Path) + Sync);

/// A file that is being written; dropped before it is kept, it is removed.
pub(super) struct Pending {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Context,
    length: u64,
    kept: bool,
}

impl Pending {
    /// Begins a file in a folder; a name that nobody else uses tells it from others.
    pub(super) fn create(folder: &Path, name: &str, step: Step<'_>) -> Result<Self, Error> {
        make_folder(folder)?;
        let path = folder.join(format!("{name}.{TEMPORARY}"));
        step(&path);
        let file = File::create(&path).map_err(|reason| Error::at(&path, &reason))?;
        Ok(Self {
            path,
            file: BufWriter::with_capacity(BUFFER, file),
            hash: Context::new(&SHA256),
            length: 0,
            kept: false,
        })
    }

    /// The temporary name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes so far.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The SHA-256 of what was written so far, in hex.
    pub(super) fn sha256(&self) -> String {
        hex(self.hash.clone().finish().as_ref())
    }

    /// Puts the file in place under that name, beyond the reach of a crash.
    pub(super) fn keep(mut self, name: &str, step: Step<'_>) -> Result<PathBuf, Error> {
        let target = self.path.with_file_name(name);
        self.settle(&target, step).map_err(|reason| Error::at(&target, &reason))?;
        self.kept = true;
        Ok(target)
    }

    /// Leaves the file under its temporary name, for this writer alone.
    pub(super) fn leave(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }

    fn settle(&mut self, target: &Path, step: Step<'_>) -> io::Result<()> {
        self.file.flush()?;
        step(&self.path);
        self.file.get_ref().sync_all()?;
        step(target);
        fs::rename(&self.path, target)?;
        if let Some(folder) = target.parent() {
            step(folder);
            sync_folder(folder)?;
        }
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.length += u64::try_from(written).unwrap_or_default();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.kept {
            // What stays here, the next writer removes.
            let _ = fs::remove_file(&self.path);
        }
    }
}

const BUFFER: usize = 256 * 1024;

/// Makes a folder and those above it, beyond the reach of a crash.
pub(super) fn make_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        make_folder(above)?;
    }
    match fs::create_dir(folder) {
        Err(reason) if reason.kind() != io::ErrorKind::AlreadyExists => Err(Error::at(folder, &reason)),
        _ => sync_folder(above.unwrap_or_else(|| Path::new("."))).map_err(|reason| Error::at(folder, &reason)),
    }
}

/// Makes names in a folder outlast a crash.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened, and names are kept with the file.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Removes a file; one that is gone already is no fault.
pub(super) fn remove(path: &Path, step: Step<'_>) -> Result<(), Error> {
    step(path);
    match fs::remove_file(path) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(Error::at(path, &reason)),
        _ => Ok(()),
    }
}

/// The files below a folder, with their paths relative to it; none where there is no folder.
pub(super) fn files_below(folder: &Path, below: &str) -> Result<Vec<String>, Error> {
    let own = folder.join(below);
    let entries = match fs::read_dir(&own) {
        Ok(entries) => entries,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(reason) => return Err(Error::at(&own, &reason)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|reason| Error::at(&own, &reason))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let relative = format!("{below}/{name}");
        // Links are not followed: nothing outside the lake is ours to remove.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_below(folder, &relative)?),
            Ok(kind) if kind.is_file() => found.push(relative),
            _ => {}
        }
    }
    Ok(found)
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}
