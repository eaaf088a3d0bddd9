//! The fourth question: the records that carry an Identity, one after the other, to have their signatures judged again.

use std::ops::ControlFlow;
use std::slice;

use arrow_array::RecordBatch;
use parquet::errors::ParquetError;

use super::candidates::Names;
use super::error::Error;
use super::folder::ParquetLake;
use super::group::Group;
use super::opened::OpenedFile;
use super::question::Found;
use super::rows::Rows;
use super::schema;
use crate::time::UnixTime;
use crate::traceback::Span;

/// What is asked for, and who takes it.
struct Scan<'a> {
    span: Span,
    network: Option<&'a str>,
    names: Names,
    take: &'a mut dyn FnMut(Found) -> ControlFlow<()>,
    stopped: bool,
}

impl ParquetLake {
    /// Answers the question, day by day and file by file; no more than a batch of rows is held.
    pub(super) fn scan_signed(
        &self,
        span: Span,
        network: Option<&str>,
        take: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut scan = Scan { span, network, names: Names::default(), take, stopped: false };
        self.each_day(&|own: Span| span.from <= own.to && own.from <= span.to, &mut |files| {
            for (_, file) in files {
                for group in 0..file.metadata.num_row_groups() {
                    let read = if scan.stopped { Ok(()) } else { scan.group(file, group) };
                    read.map_err(|reason| Error::damaged(&self.folder().join(&file.path), reason))?;
                }
            }
            Ok(())
        })
    }
}

impl Scan<'_> {
    fn group(&mut self, file: &OpenedFile, number: usize) -> Result<(), ParquetError> {
        let group = Group::open(file, number)?;
        let rows = u32::try_from(file.metadata.row_group(number).num_rows())?;
        let read = group.read(&schema::RECORD, slice::from_ref(&(0..rows)), &mut |batch| self.batch(batch));
        if self.stopped { Ok(()) } else { read }
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let rows = Rows::new(batch).map_err(|fault| ParquetError::General(fault.to_string()))?;
        for at in 0..batch.num_rows() {
            let within = |start: Option<UnixTime>| start.is_some_and(|at| self.span.from <= at && at <= self.span.to);
            let is_asked_for = rows.has_identity(at)
                && self.network.is_none_or(|network| network == rows.network(at))
                && rows.starts(at).into_iter().any(within);
            if !is_asked_for {
                continue;
            }
            let found = self.names.found(0, &rows, at, rows.record(at, 0));
            if (self.take)(found).is_break() {
                self.stopped = true;
                return Err(ParquetError::General("nobody wants the rest".to_owned()));
            }
        }
        Ok(())
    }
}
