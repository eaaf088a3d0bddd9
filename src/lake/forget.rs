//! Retention: records that began before an instant are kept no more, and do not come back.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;

use super::data::{self, DataWriter, RowInfo, day_of};
use super::error::Error;
use super::manifest::DataFile;
use super::schema;
use super::spans::Spans;
use super::writer::LakeWriter;
use crate::time::UnixTime;

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Forgotten {
    /// Records that are kept no more.
    pub records: u64,
    /// Data files that are gone, or were written anew without them.
    pub files: u64,
}

impl LakeWriter {
    /// Forgets the records that began before an instant: whole days by their files, the rest by writing files anew. The
    /// files they came from stay known, and what they hold from before then stays out.
    ///
    /// # Errors
    /// When the lake cannot be read or written. It is then as it was.
    pub fn forget(&mut self, before: UnixTime) -> Result<Forgotten, Error> {
        self.whole_or_not(|writer| writer.drop_before(before))
    }

    fn drop_before(&mut self, before: UnixTime) -> Result<Forgotten, Error> {
        let horizon = before.seconds();
        if self.manifest.horizon.is_some_and(|own| own >= horizon) {
            return Ok(Forgotten::default());
        }
        let mut manifest = self.manifest.clone();
        let mut held = self.held.clone();
        let mut forgotten = Forgotten::default();
        manifest.horizon = Some(horizon);
        manifest.data.clear();
        for file in &self.manifest.data {
            let left = self.without(file, horizon)?;
            if left.as_ref() == Some(file) {
                manifest.data.push(file.clone());
                continue;
            }
            forgotten.files += 1;
            let counts =
                |own: Option<&DataFile>| own.map(|own| (own.sources.clone(), own.counts.clone())).unwrap_or_default();
            for ((sources, counts), is_gone) in [(counts(Some(file)), true), (counts(left.as_ref()), false)] {
                for (place, count) in sources.into_iter().zip(counts) {
                    let Some(source) = held.sources.get_mut(place) else { continue };
                    source.records =
                        if is_gone { source.records.saturating_sub(count) } else { source.records + count };
                }
            }
            forgotten.records += file.rows - left.as_ref().map_or(0, |own| own.rows);
            manifest.data.extend(left);
        }
        for source in &mut held.sources {
            let mut spans = Spans::of(&source.spans, source.coarse);
            spans.cut(horizon);
            source.spans = spans.to_vec();
        }
        self.commit(manifest, held)?;
        Ok(forgotten)
    }

    /// The file without what began before; none when nothing is left.
    fn without(&self, file: &DataFile, horizon: i64) -> Result<Option<DataFile>, Error> {
        if file.start[0] >= horizon {
            return Ok(Some(file.clone()));
        }
        if file.start[1] < horizon {
            return Ok(None);
        }
        let path = self.folder.join(&file.path);
        let mut writer = DataWriter::create(&self.folder, day_of(&file.path), "kept", self.step())?;
        for batch in data::read(&path, None)? {
            let batch = batch.map_err(|reason| Error::damaged(&path, reason))?;
            let batch = RecordBatch::try_new(schema::schema(), batch.columns().to_vec());
            let batch = batch.map_err(|reason| Error::damaged(&path, reason))?;
            let infos = data::infos(&batch, &self.manifest.sources)
                .ok_or_else(|| Error::damaged(&path, "a row of a source that the manifest does not know"))?;
            let stays = |info: &RowInfo| info.key.start().max(info.repeated.unwrap_or(i64::MIN)) >= horizon;
            let mask: BooleanArray = infos.iter().map(|info| Some(stays(info))).collect();
            let batch = filter_record_batch(&batch, &mask).map_err(|reason| Error::damaged(&path, reason))?;
            for info in infos.iter().filter(|info| stays(info)) {
                writer.note(info.key.calling(), info.key.start(), info.repeated, info.source);
            }
            if batch.num_rows() > 0 {
                writer.write(&batch)?;
            }
        }
        match writer.rows() {
            0 => Ok(None),
            rows if rows == file.rows => Ok(Some(file.clone())),
            _ => writer.finish(self.step()).map(Some),
        }
    }
}
