//! `stirtrace completions`: what a shell needs to complete the command.

use clap::CommandFactory;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::exit::{Exit, Stop};
use crate::cli::printer::Printer;

pub(super) fn run(args: &CompletionsArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stirtrace", &mut script);
    printer.raw(&script)?;
    Ok(Exit::Good)
}
