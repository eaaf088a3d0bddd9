//! Lakes of Parquet files, made by ingest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use stirtrace::cdr::Record;
use stirtrace::lake::{
    Error, Found, Held, IngestOptions, Input, Lake, LakeWriter, ParquetLake, Piece, Pieces, Tallied, Tally, Wanted,
};
use stirtrace::traceback::Span;

use super::lake_suite::Row;

/// A lake in a folder that is gone when dropped.
pub(crate) struct Kept {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) lake: ParquetLake,
}

impl Kept {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Opens it once more, with nothing in mind.
    pub(crate) fn again(&self) -> Result<ParquetLake, Error> {
        ParquetLake::open(self.path())
    }

    /// Its files that end so.
    pub(crate) fn files(&self, ending: &str) -> Vec<std::path::PathBuf> {
        files_below(self.path()).into_iter().filter(|path| path.to_str().unwrap().ends_with(ending)).collect()
    }
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

impl Lake for Kept {
    type Error = Error;

    fn candidates(&self, wanted: &[Wanted], take: &mut dyn FnMut(Found)) -> Result<(), Error> {
        self.lake.candidates(wanted, take)
    }

    fn tally(&self, tally: &Tally) -> Result<Vec<Tallied>, Error> {
        self.lake.tally(tally)
    }

    fn coverage(&self, network: &str) -> Result<Vec<Held>, Error> {
        self.lake.coverage(network)
    }

    fn signed(
        &self,
        span: Span,
        network: Option<&str>,
        take: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.lake.signed(span, network, take)
    }
}

pub(crate) fn make(rows: &[Row]) -> Kept {
    kept(tempfile::tempdir().unwrap(), &[rows], IngestOptions::default())
}

/// File by file, as a lake grows; the later runs see the earlier.
pub(crate) fn make_in_runs(rows: &[Row]) -> Kept {
    let mut by_file: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    rows.iter().for_each(|row| by_file.entry(&row.file).or_default().push(row.clone()));
    let runs: Vec<&[Row]> = by_file.values().map(Vec::as_slice).collect();
    kept(tempfile::tempdir().unwrap(), &runs, IngestOptions::default().with_threads(1))
}

/// Somebody has removed the side indexes: every answer stays.
pub(crate) fn make_without_index(rows: &[Row]) -> Kept {
    let kept = make(rows);
    kept.files(".index").iter().for_each(|path| fs::remove_file(path).unwrap());
    kept
}

fn kept(folder: tempfile::TempDir, runs: &[&[Row]], options: IngestOptions) -> Kept {
    let mut writer = LakeWriter::open(folder.path()).unwrap();
    // A lake without records is one, too.
    writer.ingest(&[], options, &|_| {}).unwrap();
    for rows in runs {
        ingest(&mut writer, rows, options);
    }
    drop(writer);
    let lake = match ParquetLake::open(folder.path()) {
        Err(Error::NoLake { .. }) if runs.iter().all(|rows| rows.is_empty()) => empty(folder.path()),
        lake => lake.unwrap(),
    };
    Kept { folder, lake }
}

/// The manifest of a lake that has nothing yet.
fn empty(folder: &Path) -> ParquetLake {
    fs::write(folder.join("manifest.json"), r#"{"version":1,"generation":0,"sources":[],"data":[]}"#).unwrap();
    ParquetLake::open(folder).unwrap()
}

fn ingest(writer: &mut LakeWriter, rows: &[Row], options: IngestOptions) {
    let sources = tempfile::tempdir().unwrap();
    let mut by_file: BTreeMap<(&str, &str, &str), Vec<Record>> = BTreeMap::new();
    for row in rows {
        by_file.entry((&row.network, &row.source, &row.file)).or_default().push(row.record.clone());
    }
    let contents: Vec<_> = by_file.into_iter().collect();
    let opens: Vec<_> = contents
        .iter()
        .map(|(_, records)| {
            move |_: Box<dyn std::io::Read + Send>| -> Result<Box<dyn Pieces>, String> {
                Ok(Box::new(Given(Some(records.clone()))))
            }
        })
        .collect();
    let inputs = contents.iter().zip(&opens).enumerate().map(|(place, (((network, source, file), records), open))| {
        let path = sources.path().join(place.to_string());
        fs::write(&path, format!("{network} {source} {file} {records:?}")).unwrap();
        Input::new(network, source, file, path, open)
    });
    let inputs: Vec<Input<'_>> = inputs.collect();
    let ingested = writer.ingest(&inputs, options, &|_| {}).unwrap();
    assert_eq!(ingested.added, u64::try_from(rows.len()).unwrap(), "{ingested:?}");
}

/// Records that are there already.
struct Given(Option<Vec<Record>>);

impl Pieces for Given {
    fn next_piece(&mut self) -> Result<Option<Piece>, String> {
        let Some(records) = self.0.take() else { return Ok(None) };
        Ok(Some(Box::new(move |take| records.into_iter().for_each(|record| take(Ok(record.map_texts(Cow::Owned)))))))
    }
}
