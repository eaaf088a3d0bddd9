//! Putting a lab into a folder: an edge, the only part of the lab that touches files.
#![expect(clippy::disallowed_methods, reason = "an edge: files are its business")]

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::manifest::GENERATOR;
use super::pki::{LabFile, LabPki};

/// Why a lab could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A file or folder could not be made.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds something that is not a lab.
    #[error("{} holds other things than a lab; name an empty or a new folder", path.display())]
    OccupiedFolder {
        /// Which one.
        path: PathBuf,
    },
}

impl LabPki {
    /// Writes every file below `folder`, which is made if it is missing, and may be empty or hold an earlier lab.
    ///
    /// Each file appears whole or not at all; files with private keys are readable by their owner only.
    ///
    /// # Errors
    /// When the folder holds other things, or a file cannot be written.
    pub fn write_to(&self, folder: &Path) -> Result<(), WriteError> {
        refuse_occupied(folder)?;
        // The manifest says that the folder is a lab's: the first file, so that a broken-off run can be repeated.
        let (manifest, others): (Vec<_>, Vec<_>) = self.files().partition(|(path, _)| *path == "manifest.json");
        for (path, file) in manifest.into_iter().chain(others) {
            let path = folder.join(path);
            write_whole(&path, file).map_err(|source| WriteError::Io { path, source })?;
        }
        Ok(())
    }
}

fn refuse_occupied(folder: &Path) -> Result<(), WriteError> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(WriteError::Io { path: folder.to_owned(), source }),
    };
    if entries.next().is_none() || is_lab(folder) {
        return Ok(());
    }
    Err(WriteError::OccupiedFolder { path: folder.to_owned() })
}

fn is_lab(folder: &Path) -> bool {
    let manifest = fs::read(folder.join("manifest.json")).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    manifest.get("generator").is_some_and(|generator| generator == GENERATOR)
}

fn write_whole(path: &Path, file: &LabFile) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    // What an earlier run left may have other rights.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if file.private { 0o600 } else { 0o644 });
    }
    let mut output = options.open(&temporary)?;
    output.write_all(&file.bytes)?;
    output.sync_all()?;
    fs::rename(&temporary, path)
}
