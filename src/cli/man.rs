//! `stirtrace man`: the manual pages, made from the same words as `--help`.

use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::args::{Cli, ManArgs};
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::printer::Printer;

pub(super) fn run(args: &ManArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let mut command = Cli::command();
    command.build();
    match &args.out {
        Some(folder) => write_pages(command, folder)?,
        None => {
            let mut page = Vec::new();
            // Writing to memory cannot fail.
            let _ = Man::new(command).render(&mut page);
            printer.raw(&page)?;
        }
    }
    Ok(Exit::Good)
}

fn write_pages(command: clap::Command, folder: &Path) -> Result<(), Complaint> {
    let unwritable = |reason: std::io::Error| {
        Complaint::new(format!("the manual pages cannot be written to {}: {reason}", folder.display()))
            .hint("name a folder that exists or can be made: --out DIR")
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    clap_mangen::generate_to(command, folder).map_err(unwritable)
}
