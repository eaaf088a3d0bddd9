//! The command: `args` is what was typed, `settings` what it means; one file for each command.
//!
//! To add a command: its clap struct goes to `args` (or its own file), a variant to [`args::Command`], and an arm to
//! [`run`]. The command's `run(&args, &mut Printer) -> Result<Exit, Stop>` prints objects that implement
//! [`printer::Present`] through [`Printer::show`], in whatever format was asked for; says things in passing through
//! [`Printer::note`] and [`Printer::warn`]; and returns a [`Complaint`](exit::Complaint) with a hint for what its user
//! must put right. Nothing else writes to stdout or stderr.

mod archive;
mod args;
mod captures;
mod caret;
mod certificate;
mod completions;
mod configuration;
mod content;
mod credentials;
mod days;
mod exit;
mod fetching;
mod files;
mod findings;
mod ingest;
mod inspect;
mod lab;
mod lake;
mod lines;
mod man;
mod packed;
mod pieces;
mod pipeline;
mod printer;
mod recorded;
mod serve;
mod set_aside;
mod settings;
mod shown_certificate;
mod shown_value;
mod sign;
mod sources;
mod speed;
mod table;
mod text;
mod trace;
mod trust;
mod unread;
mod verdict_text;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::{Cli, Command};
use crate::cli::configuration::Configured;
use crate::cli::exit::{Exit, Stop};
use crate::cli::printer::Printer;
use crate::cli::settings::VerifySettings;
use crate::clock;

/// Runs the command that the process's arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version go to stdout with code 0, misuse to stderr with code 2; a closed pipe is no news.
            let _ = if answer.use_stderr() && asks_for_redaction() {
                printer::say_masked(&answer.to_string())
            } else {
                answer.print()
            };
            return if answer.use_stderr() { Exit::Unable.into() } else { Exit::Good.into() };
        }
    };
    let mut printer = Printer::new(&cli.global);
    let outcome = run(cli.command, &mut printer).and_then(|exit| printer.flush().map(|()| exit));
    match outcome {
        Ok(exit) => exit.into(),
        Err(Stop::Closed) => Exit::Unable.into(),
        Err(Stop::Complaint(complaint)) => {
            printer.complain(&complaint);
            Exit::Unable.into()
        }
    }
}

/// Whether numbers are to be masked though the arguments could not be understood: a complaint repeats them.
fn asks_for_redaction() -> bool {
    std::env::args_os().any(|argument| argument == "--redact")
}

fn run(command: Command, printer: &mut Printer) -> Result<Exit, Stop> {
    match command {
        Command::Certificate(command) => certificate::run(&command, printer),
        Command::Completions(args) => completions::run(&args, printer),
        Command::Ingest(args) => ingest::run(&args, printer),
        Command::Inspect(args) => inspect::run(&args, printer),
        Command::Lab(args) => lab::run(&args, printer),
        Command::Lake(args) => lake::run(&args, printer),
        Command::Man(args) => man::run(&args, printer),
        Command::Serve(args) => serve::run(args, printer),
        Command::Sign(args) => sign::run(&args, clock::now(), printer),
        Command::Speed(args) => speed::run(&args, printer),
        Command::Trace(args) => trace::run(&args, printer),
        Command::Verify(args) => {
            let configured = Configured::find_any(args.config.config.as_deref(), printer)?;
            verify::run(&VerifySettings::resolve(*args, configured.as_ref(), clock::now())?, printer)
        }
    }
}
