//! The folder of a lake: what a reader finds there.
#![expect(clippy::disallowed_methods, reason = "the lake is files in a folder")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::Error;
use super::manifest::{HeldSources, MANIFEST, Manifest, VERSION};

/// A lake of Parquet files in a folder, as its manifest had it when it was opened.
#[derive(Clone, Debug)]
pub struct ParquetLake {
    folder: PathBuf,
    manifest: Manifest,
}

impl ParquetLake {
    /// Opens a lake for reading. A writer beside does not disturb: what this manifest names stays until the writer
    /// after the next.
    ///
    /// # Errors
    /// When there is none, or its manifest cannot be understood.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let manifest = manifest(folder)?.ok_or_else(|| Error::NoLake { folder: folder.display().to_string() })?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it holds.
    pub(super) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What was read of each source.
    pub(super) fn held(&self) -> Result<HeldSources, Error> {
        held(&self.folder, &self.manifest)
    }
}

/// The manifest of a folder; none where there is no lake.
pub(super) fn manifest(folder: &Path) -> Result<Option<Manifest>, Error> {
    let path = folder.join(MANIFEST);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(Error::at(&path, &reason)),
    };
    // A newer layout may have nothing of ours but its version.
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes)
        && manifest.version == VERSION
    {
        return Ok(Some(manifest));
    }
    let value: Value = understood(&path, &bytes)?;
    match value.get("version").and_then(Value::as_u64) {
        Some(VERSION) | None => understood(&path, &bytes).map(Some),
        Some(found) => Err(Error::Version { path: path.display().to_string(), found, known: VERSION }),
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
