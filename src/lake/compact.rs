//! Compaction: the many files of a day become few, parted by calling number, so that a known caller stands in one or two.

use std::collections::BTreeMap;

use super::data::{DataWriter, MERGED_ROWS, day_of};
use super::disk;
use super::error::Error;
use super::manifest::DataFile;
use super::merge::Merge;
use super::writer::LakeWriter;

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Compacted {
    /// Files that were replaced.
    pub before: u64,
    /// Files that they became.
    pub after: u64,
    /// Records in them.
    pub records: u64,
}

/// Files that are merged at once.
const MAX_MERGED: usize = 64;

impl LakeWriter {
    /// Merges small files. Records stay what they are, and readers of the manifest before stay undisturbed; `progress`
    /// is told how many records were merged since it was told last.
    ///
    /// # Errors
    /// When the lake cannot be read or written. It is then as it was.
    pub fn compact(&mut self, progress: &dyn Fn(u64)) -> Result<Compacted, Error> {
        self.compact_to(MERGED_ROWS, progress)
    }

    /// The same into files of about that many records.
    ///
    /// # Errors
    /// As for [`LakeWriter::compact`].
    pub fn compact_to(&mut self, rows: u64, progress: &dyn Fn(u64)) -> Result<Compacted, Error> {
        self.whole_or_not(|writer| writer.merge(rows, progress))
    }

    fn merge(&mut self, rows: u64, progress: &dyn Fn(u64)) -> Result<Compacted, Error> {
        let mut days: BTreeMap<i64, Vec<DataFile>> = BTreeMap::new();
        for file in &self.manifest.data {
            days.entry(day_of(&file.path)).or_default().push(file.clone());
        }
        let mut manifest = self.manifest.clone();
        let mut compacted = Compacted::default();
        for (day, files) in days.into_iter().filter(|(_, files)| !is_compact(files, rows)) {
            let merged = self.merge_day(day, &files, rows, progress)?;
            compacted.before += count(&files);
            compacted.after += count(&merged);
            compacted.records += merged.iter().map(|file| file.rows).sum::<u64>();
            manifest.data.retain(|own| files.iter().all(|file| file.path != own.path));
            manifest.data.extend(merged);
        }
        if compacted.before > 0 {
            self.commit(manifest, self.held.clone())?;
        }
        Ok(compacted)
    }

    fn merge_day(
        &self,
        day: i64,
        files: &[DataFile],
        rows: u64,
        progress: &dyn Fn(u64),
    ) -> Result<Vec<DataFile>, Error> {
        let mut files = files.to_vec();
        let mut number = 0;
        let mut passing: Vec<DataFile> = Vec::new();
        // More files than can be open at once are merged in several passes.
        while files.len() > MAX_MERGED {
            let mut next = Vec::new();
            for some in files.chunks(MAX_MERGED) {
                next.extend(self.merge_some(day, some, u64::MAX, &mut number, &|_| {})?);
            }
            let done = std::mem::replace(&mut files, next);
            self.remove_all(done.iter().filter(|file| passing.contains(file)))?;
            passing.clone_from(&files);
        }
        let merged = self.merge_some(day, &files, rows, &mut number, progress)?;
        self.remove_all(passing.iter().filter(|file| merged.iter().all(|own| own.path != file.path)))?;
        Ok(merged)
    }

    fn merge_some(
        &self,
        day: i64,
        files: &[DataFile],
        rows: u64,
        number: &mut u64,
        progress: &dyn Fn(u64),
    ) -> Result<Vec<DataFile>, Error> {
        let total: u64 = files.iter().map(|file| file.rows).sum();
        // Files of the same length, rather than full ones and a short one.
        let each = total.div_ceil(total.div_ceil(rows.max(1)).max(1)).max(1);
        let mut merge = Merge::new(&self.folder, files, &self.manifest.sources)?;
        let mut merged = Vec::new();
        let mut writer: Option<DataWriter> = None;
        let mut room = each;
        while let Some((batch, infos)) = merge.next(room)? {
            let own = match &mut writer {
                Some(own) => own,
                None => {
                    *number += 1;
                    writer.insert(DataWriter::create(&self.folder, day, &format!("merged-{number}"), self.step())?)
                }
            };
            infos.iter().for_each(|info| own.note(info.key.calling(), info.key.start(), info.repeated, info.source));
            own.write(&batch)?;
            progress(count(&infos));
            room = room.saturating_sub(count(&infos));
            if room == 0 {
                merged.extend(writer.take().map(|own| own.finish(self.step())).transpose()?);
                room = each;
            }
        }
        merged.extend(writer.map(|own| own.finish(self.step())).transpose()?);
        Ok(merged)
    }

    fn remove_all<'f>(&self, files: impl Iterator<Item = &'f DataFile>) -> Result<(), Error> {
        for path in files.flat_map(DataFile::files) {
            disk::remove(&self.folder.join(path), self.step())?;
        }
        Ok(())
    }
}

/// Whether merging would leave as many files, and each caller stands in one or in two that touch.
fn is_compact(files: &[DataFile], rows: u64) -> bool {
    let total: u64 = files.iter().map(|file| file.rows).sum();
    let mut ranges: Vec<[i64; 2]> = files.iter().map(|file| file.calling.unwrap_or([i64::MIN; 2])).collect();
    ranges.sort_unstable();
    let is_parted = ranges.windows(2).all(|pair| matches!(pair, [before, after] if before[1] <= after[0]));
    count(files) <= total.div_ceil(rows.max(1)).max(1) && is_parted
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
