//! A folder with files of call records and a lake, and what stands in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use stirtrace::cdr::{Format, Settings};
use stirtrace::lake::{IngestOptions, Ingested, Input, LakeWriter, Open, Pieces, pieces};
use stirtrace::time::UnixTime;

/// The columns of the files.
pub(crate) const HEADER: &str = "start,calling,called,ingress_trunk,ingress_call_id";

/// A call of that caller, so many seconds after noon of 2026-05-04.
pub(crate) fn line(caller: i64, second: i64) -> String {
    let start = UnixTime::from_seconds(1_777_896_000 + second);
    format!("{start},+{},+1215555{:04},tg-{},c{caller}@sbc.example", 12_155_550_000 + caller, caller % 100, caller % 7)
}

/// A folder with files of call records and a lake; gone when dropped.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

/// A row of a data file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Row {
    pub(crate) calling: i64,
    pub(crate) start: i64,
    pub(crate) occurrence: i32,
    pub(crate) text: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn lake(&self) -> PathBuf {
        self.path().join("lake")
    }

    pub(crate) fn write(&self, name: &str, lines: &[String]) {
        self.write_raw(
            name,
            format!("{HEADER}\n{}\n", lines.join("\n"))
                .replace("soon,12155550100,12155550199", "soon,12155550100,12155550199,,")
                .as_bytes(),
        );
    }

    pub(crate) fn write_raw(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    pub(crate) fn input(&self, name: &str, network: &str, source: &str) -> Input<'static> {
        input(self.path(), name, network, source)
    }

    pub(crate) fn ingest(&self, names: &[&str]) -> Ingested {
        self.ingest_with(names, IngestOptions::default())
    }

    pub(crate) fn ingest_with(&self, names: &[&str], options: IngestOptions) -> Ingested {
        let inputs: Vec<Input<'_>> = names.iter().map(|name| self.input(name, "Cascade Transit", "sbc")).collect();
        LakeWriter::open(&self.lake()).unwrap().ingest(&inputs, options, &|_| {}).unwrap()
    }

    pub(crate) fn manifest(&self) -> serde_json::Value {
        manifest(&self.lake())
    }

    /// The data files that the manifest names, with their rows in order.
    pub(crate) fn data_files(&self) -> Vec<(String, Vec<Row>)> {
        data_files(&self.lake())
    }

    /// All rows, sorted: network, source, file, line, start, fingerprint, occurrence.
    pub(crate) fn rows(&self) -> Vec<String> {
        rows(&self.lake())
    }

    pub(crate) fn occurrences(&self) -> Vec<i32> {
        self.data_files().into_iter().flat_map(|(_, rows)| rows).map(|row| row.occurrence).collect()
    }

    /// Rows as the Parquet crate prints them.
    pub(crate) fn printed_rows(&self) -> Vec<String> {
        self.data_files().into_iter().flat_map(|(_, rows)| rows).map(|row| row.text).collect()
    }

    /// Where Python has another engine, it reads the lake too.
    pub(crate) fn ask_python(&self) {
        let script = "import sys, duckdb\n\
            print(duckdb.sql(f\"select count(*), min(calling), max(calling) from read_parquet('{sys.argv[1]}/calls/**/*.parquet')\").fetchall())";
        for python in ["python3", "python"] {
            let Ok(output) = Command::new(python).args(["-c", script]).arg(self.lake()).output() else { continue };
            if output.status.success() {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(text.trim(), "[(3, 12155550001, 12155550002)]");
                return;
            }
        }
    }
}

pub(crate) fn input(folder: &Path, name: &str, network: &str, source: &str) -> Input<'static> {
    Input::new(network, source, name, folder.join(name), OPEN).with_reading("stirtrace")
}

const OPEN: &Open<'static> = &open;

fn open(source: Box<dyn std::io::Read + Send>) -> Result<Box<dyn Pieces>, String> {
    let format = Format::named("stirtrace").map_err(|reason| reason.to_string())?;
    pieces(&format, source, Settings::default()).map_err(|reason| reason.to_string())
}

pub(crate) fn manifest(lake: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(lake.join("manifest.json")).unwrap()).unwrap()
}

/// The files that a manifest names as data.
pub(crate) fn named(manifest: &serde_json::Value) -> Vec<String> {
    let data = manifest["data"].as_array().unwrap();
    let paths = data.iter().flat_map(|file| [&file["path"], &file["index"]]).filter_map(|path| path.as_str());
    paths.map(str::to_owned).collect()
}

pub(crate) fn data_files(lake: &Path) -> Vec<(String, Vec<Row>)> {
    let Ok(bytes) = fs::read(lake.join("manifest.json")) else { return Vec::new() };
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let paths = named(&manifest).into_iter().filter(|path| path.ends_with(".parquet"));
    paths.map(|path| (path.clone(), rows_of(&lake.join(path)))).collect()
}

pub(crate) fn rows(lake: &Path) -> Vec<String> {
    let all = data_files(lake).into_iter().flat_map(|(_, rows)| rows);
    let mut rows: Vec<String> = all.map(|row| row.summary()).collect();
    rows.sort();
    rows
}

impl Row {
    /// Everything of the row that tells it from others.
    pub(crate) fn summary(&self) -> String {
        let value = |name: &str| {
            let from = self.text.find(&format!("{name}: ")).unwrap() + name.len() + 2;
            self.text[from..].split(", ").next().unwrap().trim_matches('"').to_owned()
        };
        let names = ["network", "source", "file", "line", "fingerprint", "occurrence"].map(value);
        let [network, source, file, line, fingerprint, occurrence] = names;
        format!("{network}|{source}|{file}:{line}|{}|{fingerprint}|{occurrence}", self.start / 1000)
    }
}

/// The second that a summed-up row begins at.
pub(crate) fn start_of(row: &str) -> i64 {
    row.split('|').nth(3).unwrap().parse().unwrap()
}

pub(crate) fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap()
}

fn rows_of(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| {
        let mut own = Row { calling: i64::MIN, start: 0, occurrence: 0, text: String::new() };
        let mut parts = Vec::new();
        for (name, field) in row.get_column_iter() {
            match (name.as_str(), field) {
                ("calling", Field::Long(number)) => own.calling = *number,
                ("start", Field::TimestampMillis(start)) => own.start = *start,
                ("occurrence", Field::Int(occurrence)) => own.occurrence = *occurrence,
                _ => {}
            }
            parts.push(format!("{name}: {}", shown(field)));
        }
        own.text = parts.join(", ");
        own
    })
    .collect()
}

fn shown(field: &Field) -> String {
    match field {
        Field::Bytes(bytes) => bytes.data().iter().map(|octet| format!("{octet:02x}")).collect(),
        other => other.to_string(),
    }
}
