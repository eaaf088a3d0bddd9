//! One writer at a time: a lock on `lake.lock` that ends with its process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::disk::make_folder;
use super::error::Error;
use crate::time::UnixTime;

const NAME: &str = "lake.lock";

/// The right to write to a lake.
#[derive(Debug)]
pub(super) struct Lock {
    /// Unlocked when it is closed.
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(folder: &Path) -> Result<Self, Error> {
        make_folder(folder)?;
        let path = folder.join(NAME);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|reason| Error::at(&path, &reason))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Busy { folder: folder.display().to_string(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(reason)) => return Err(Error::at(&path, &reason)),
        }
        let note = format!("process {}", std::process::id());
        file.set_len(0).and_then(|()| file.write_all(note.as_bytes())).map_err(|reason| Error::at(&path, &reason))?;
        Ok(Self { _file: file })
    }
}

/// Who has the lock, and since when.
fn holder(file: &mut File) -> Option<String> {
    let mut note = String::new();
    file.take(MAX_NOTE).read_to_string(&mut note).ok().filter(|length| *length > 0)?;
    let since = file.metadata().ok().and_then(|own| own.modified().ok());
    let since = since.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    let note: String = note.chars().filter(|c| !c.is_control()).collect();
    Some(seconds.map_or_else(|| note.clone(), |at| format!("{note}, since {}", UnixTime::from_seconds(at))))
}

const MAX_NOTE: u64 = 64;
