//! Files: named ones, folders walked in order, standard input; whatever is read is bounded.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use walkdir::WalkDir;

use crate::cli::exit::Complaint;

/// One input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    /// A file that was named.
    Named(PathBuf),
    /// A file that was found in a folder that was named.
    Found(PathBuf),
    /// `-`, or nothing named and something piped in.
    Stdin,
}

impl Input {
    /// The name that output gives it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Named(path) | Self::Found(path) => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// Opens it for reading from its start.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>, Unreadable> {
        match self {
            Self::Named(path) | Self::Found(path) => Ok(Box::new(open(path)?)),
            Self::Stdin => Ok(Box::new(io::stdin())),
        }
    }

    /// How long it is; `None` of a pipe, a terminal or a device, of which more may come while it is read.
    pub(crate) fn length(&self) -> Option<u64> {
        let metadata = match self {
            Self::Named(path) | Self::Found(path) => path.metadata().ok()?,
            Self::Stdin => stdin_metadata()?,
        };
        metadata.is_file().then_some(metadata.len())
    }

    /// All of its bytes, if they are at most `limit`.
    pub(crate) fn read(&self, limit: usize) -> Result<Vec<u8>, Unreadable> {
        read_all(self.open()?, limit)
    }
}

#[cfg(unix)]
fn stdin_metadata() -> Option<Metadata> {
    use std::os::fd::AsFd;
    File::from(io::stdin().as_fd().try_clone_to_owned().ok()?).metadata().ok()
}

#[cfg(not(unix))]
const fn stdin_metadata() -> Option<Metadata> {
    None
}

/// What was named, with folders walked: their files in order of their names, hidden ones left out.
pub(crate) fn inputs(named: &[PathBuf]) -> Vec<Result<Input, Unlisted>> {
    let mut inputs = Vec::new();
    for path in named {
        if path.as_os_str() == OsStr::new("-") {
            inputs.push(Ok(Input::Stdin));
        } else if path.is_dir() {
            inputs.extend(walk(path));
        } else {
            inputs.push(Ok(Input::Named(path.clone())));
        }
    }
    inputs
}

/// What was named, or standard input when nothing was and it is no terminal.
pub(crate) fn inputs_or_stdin(named: &[PathBuf], what: &str) -> Result<Vec<Result<Input, Unlisted>>, Complaint> {
    if !named.is_empty() {
        return Ok(inputs(named));
    }
    if io::stdin().is_terminal() {
        let complaint = Complaint::new(format!("nothing to read: no {what} was named, and nothing is piped in"));
        return Err(complaint.hint("name a file or a folder, or pipe something in"));
    }
    Ok(vec![Ok(Input::Stdin)])
}

fn walk(folder: &Path) -> impl Iterator<Item = Result<Input, Unlisted>> + '_ {
    let hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    WalkDir::new(folder)
        .sort_by_file_name()
        .max_depth(MAX_FOLDER_DEPTH)
        .into_iter()
        .filter_entry(move |entry| entry.depth() == 0 || !hidden(entry.file_name()))
        .filter_map(|entry| match entry {
            Ok(entry) if entry.path().is_dir() => None,
            Ok(entry) => Some(Ok(Input::Found(entry.into_path()))),
            Err(fault) => Some(Err(Unlisted {
                file: fault.path().unwrap_or(folder).display().to_string(),
                reason: fault.to_string(),
            })),
        })
}

/// A folder that cannot be listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Unlisted {
    /// Which one.
    pub(crate) file: String,
    /// Why.
    pub(crate) reason: String,
}

/// How deep folders are walked.
const MAX_FOLDER_DEPTH: usize = 32;

/// A regular file, opened.
pub(crate) fn open(path: &Path) -> Result<File, Unreadable> {
    #[expect(clippy::disallowed_methods, reason = "the command's one opener of files")]
    let file = File::open(path).map_err(|reason| Unreadable::io(&reason))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Unreadable::Folder);
    }
    Ok(file)
}

/// A file's bytes, if they are at most `limit`.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Unreadable> {
    read_all(open(path)?, limit)
}

/// A file's bytes, for an option that names it: a complaint that says which.
pub(crate) fn read_named(option: &str, path: &Path, limit: usize) -> Result<Vec<u8>, Complaint> {
    read(path, limit).map_err(|reason| {
        Complaint::new(format!("{option} {}: {reason}", path.display())).hint("name a file that can be read")
    })
}

fn read_all(reader: impl Read, limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut bytes).map_err(|reason| Unreadable::io(&reason))?;
    if bytes.len() > limit { Err(Unreadable::TooLong { limit }) } else { Ok(bytes) }
}

/// Why a file cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// It is a folder.
    #[error("it is a folder, where a file belongs")]
    Folder,
    /// The system says no.
    #[error("it cannot be read: {reason}")]
    Io {
        /// What the system says.
        reason: String,
    },
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// It is longer than is read.
    #[error("it is longer than the {limit} bytes that are read of such a file")]
    TooLong {
        /// The most that is read.
        limit: usize,
    },
}

impl Unreadable {
    pub(crate) fn io(reason: &io::Error) -> Self {
        match reason.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io { reason: reason.to_string() },
        }
    }
}

/// Where an item was read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Source {
    /// The file's name; `-` is standard input.
    pub(crate) file: String,
    /// The item's first line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The packet of a capture that made it complete, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame: Option<u64>,
}

impl Source {
    /// A whole file.
    pub(crate) fn file(name: impl Into<String>) -> Self {
        Self { file: name.into(), line: None, frame: None }
    }

    /// A line of it.
    pub(crate) fn at(&self, line: usize) -> Self {
        Self { file: self.file.clone(), line: Some(line), frame: None }
    }

    /// A packet of it.
    pub(crate) fn at_frame(&self, frame: u64) -> Self {
        Self { file: self.file.clone(), line: None, frame: Some(frame) }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.file == "-" { "standard input" } else { &self.file };
        match (self.line, self.frame) {
            (Some(line), _) => write!(f, "{name}:{line}"),
            (None, Some(frame)) => write!(f, "{name} frame {frame}"),
            (None, None) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_hidden_files_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c", "b/2", "b/1", "a", ".hidden"] {
            #[expect(clippy::disallowed_methods, reason = "a test's own files")]
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let found = inputs(&[folder.path().to_owned()]).into_iter().map(|input| input.unwrap().name());
        let found: Vec<_> = found.map(|name| name[folder.path().as_os_str().len() + 1..].to_owned()).collect();
        assert_eq!(found, ["a", "b/1", "b/2", "c"]);
    }

    #[test]
    fn what_is_too_long_is_not_read() {
        assert_eq!(read_all(&b"12345"[..], 4), Err(Unreadable::TooLong { limit: 4 }));
        assert_eq!(read_all(&b"1234"[..], 4), Ok(b"1234".to_vec()));
    }
}
