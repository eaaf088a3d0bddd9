//! The folder of a lake: what a reader finds there.
#![expect(clippy::disallowed_methods, reason = "the lake is files in a folder")]

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::data::CALLS;
use super::disk::files_below;
use super::error::Error;
use super::manifest::{DataFile, HeldSources, MANIFEST, Manifest, VERSION};
use super::opened::OpenedFiles;

/// A lake of Parquet files in a folder, as its manifest had it when it was opened.
#[derive(Clone, Debug)]
pub struct ParquetLake {
    folder: PathBuf,
    manifest: Manifest,
    opened: Arc<OpenedFiles>,
}

impl ParquetLake {
    /// Opens a lake for reading. A writer beside does not disturb: what this manifest names stays until the writer
    /// after the next.
    ///
    /// # Errors
    /// When there is none, or its manifest cannot be understood.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let manifest = manifest(folder)?.ok_or_else(|| Error::NoLake { folder: folder.display().to_string() })?;
        Ok(Self { folder: folder.to_owned(), manifest, opened: Arc::default() })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it holds.
    pub(super) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The same lake as its manifest has it now.
    pub(super) fn again(&self) -> Result<Self, Error> {
        Ok(Self { opened: Arc::clone(&self.opened), ..Self::open(&self.folder)? })
    }

    /// Data files that are open.
    pub(super) fn opened(&self) -> &OpenedFiles {
        &self.opened
    }

    /// What was read of each source.
    pub(super) fn held(&self) -> Result<HeldSources, Error> {
        match held(&self.folder, &self.manifest) {
            // A writer has put another in its place.
            Err(Error::Unreachable { kind: io::ErrorKind::NotFound, .. }) => {
                held(&self.folder, &self.again()?.manifest)
            }
            held => held,
        }
    }
}

/// The manifest of a folder; none where there is no lake.
pub(super) fn manifest(folder: &Path) -> Result<Option<Manifest>, Error> {
    let path = folder.join(MANIFEST);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return no_manifest(folder, &path),
        Err(reason) => return Err(Error::at(&path, &reason)),
    };
    // A newer layout may have nothing of ours but its version.
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes)
        && manifest.version == VERSION
    {
        return checked(&path, manifest).map(Some);
    }
    let value: Value = understood(&path, &bytes)?;
    match value.get("version").and_then(Value::as_u64) {
        Some(VERSION) | None => checked(&path, understood(&path, &bytes)?).map(Some),
        Some(found) => Err(Error::Version { path: path.display().to_string(), found, known: VERSION }),
    }
}

/// There is no lake; but data without their manifest are a lake that lost it, and no rubbish to be cleared away: a
/// writer puts a manifest there before anything else.
fn no_manifest(folder: &Path, path: &Path) -> Result<Option<Manifest>, Error> {
    if files_below(folder, CALLS)?.iter().any(|name| name.ends_with(".parquet")) {
        return Err(Error::damaged(path, "it is not there, and data files are"));
    }
    Ok(None)
}

/// A manifest whose words lead nowhere else: a lake may come from somebody else, and a writer removes what it retired.
fn checked(path: &Path, manifest: Manifest) -> Result<Manifest, Error> {
    let is_inside = |name: &str| {
        let mut parts = Path::new(name).components();
        !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    let wrong = |reason: String| Error::Manifest { path: path.display().to_string(), reason };
    if let Some(name) = manifest.named().find(|name| !is_inside(name)) {
        return Err(wrong(format!("{name:?} lies outside the lake")));
    }
    let sources = manifest.sources.len();
    let is_known = |file: &DataFile| {
        file.sources.len() == file.counts.len() && file.sources.iter().all(|source| *source < sources)
    };
    match manifest.data.iter().find(|file| !is_known(file)) {
        Some(file) => Err(wrong(format!("{} is of a source that it does not name", file.path))),
        None => Ok(manifest),
    }
}

/// What a manifest says was read.
pub(super) fn held(folder: &Path, manifest: &Manifest) -> Result<HeldSources, Error> {
    let Some(name) = &manifest.held else { return Ok(HeldSources::default()) };
    let path = folder.join(name);
    let bytes = fs::read(&path).map_err(|reason| Error::at(&path, &reason))?;
    understood(&path, &bytes)
}

fn understood<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes)
        .map_err(|reason| Error::Manifest { path: path.display().to_string(), reason: reason.to_string() })
}
