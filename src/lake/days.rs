//! Day by day: the data files of one are open before any of them is read, so that a writer who replaces them does not
//! disturb.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::error::Error;
use super::folder::ParquetLake;
use super::manifest::DataFile;
use super::opened::OpenedFile;
use crate::time::UnixTime;
use crate::traceback::Span;

/// A file of a day, with the span of its records.
type Spanned = (Span, Arc<OpenedFile>);

impl ParquetLake {
    /// Gives the data files of each day that may matter, open.
    ///
    /// Where a writer has removed some, the manifest is read once more: the days before stay as they were given.
    pub(super) fn each_day(
        &self,
        matters: &dyn Fn(Span) -> bool,
        take: &mut dyn FnMut(&[Spanned]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut lake = self.clone();
        let mut days = lake.days();
        while let Some((day, files)) = days.pop_first() {
            let opened = match lake.open_files(&files, matters) {
                Err(Error::Unreachable { kind: io::ErrorKind::NotFound, .. }) => {
                    lake = lake.again()?;
                    days = lake.days().split_off(&day);
                    let files = days.remove(&day).unwrap_or_default();
                    lake.open_files(&files, matters).map_err(lost)?
                }
                opened => opened?,
            };
            if !opened.is_empty() {
                take(&opened)?;
            }
        }
        Ok(())
    }

    /// The data files by the folder of their day.
    fn days(&self) -> BTreeMap<String, Vec<DataFile>> {
        let mut days: BTreeMap<String, Vec<DataFile>> = BTreeMap::new();
        for file in &self.manifest().data {
            let day = file.path.rsplit_once('/').map_or("", |(day, _)| day);
            days.entry(day.to_owned()).or_default().push(file.clone());
        }
        days
    }

    fn open_files(&self, files: &[DataFile], matters: &dyn Fn(Span) -> bool) -> Result<Vec<Spanned>, Error> {
        let spans = files.iter().map(|file| {
            let [from, to] = file.start.map(UnixTime::from_seconds);
            (Span::new(from, to), file)
        });
        let mattering = spans.filter(|(span, _)| matters(*span));
        mattering.map(|(span, file)| Ok((span, self.opened().open(self.folder(), file)?))).collect()
    }
}

/// A file that the newest manifest names and that is not there.
fn lost(error: Error) -> Error {
    match error {
        Error::Unreachable { path, kind: io::ErrorKind::NotFound, .. } => {
            Error::Damaged { path, reason: "it is not there".to_owned() }
        }
        error => error,
    }
}
