//! `verify --lake`: the kept records that carry an Identity, each judged as of its call.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::exit::{Complaint, Stop};
use crate::cli::printer::Printer;
use crate::cli::settings::Records;
use crate::cli::verify::chunk::{Chunks, Item};
use crate::lake::{Found, Lake};

/// Reads the records into chunks.
pub(super) fn read(records: &Records, chunks: &mut Chunks<'_, '_>, bar: &ProgressBar) -> Result<(), Stop> {
    let mut stop = None;
    let mut take = |found: Found| {
        bar.inc(1);
        let weight = found.record.identity.iter().map(String::len).sum();
        match chunks.add(Item::Record(Box::new(found)), weight) {
            Ok(()) => ControlFlow::Continue(()),
            Err(reason) => {
                stop = Some(reason);
                ControlFlow::Break(())
            }
        }
    };
    let scanned = records.lake.signed(records.span, records.network.as_deref(), &mut take);
    // What was read before a fault is judged; then it is said.
    chunks.hand_over()?;
    match (stop, scanned) {
        (Some(stop), _) => Err(stop),
        (None, Err(fault)) => Err(Complaint::new(fault.to_string()).into()),
        (None, Ok(())) => Ok(()),
    }
}

/// How many records were judged: how many of a span carry an Identity, only their reading tells.
pub(super) fn bar(printer: &mut Printer) -> ProgressBar {
    let bar = printer.progress(0);
    if let Ok(style) = ProgressStyle::with_template("verifying {human_pos} signed records, {per_sec}") {
        bar.set_style(style);
    }
    bar
}
