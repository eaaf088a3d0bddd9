//! The `stirtrace` command; everything is in [`stirtrace::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    stirtrace::cli::main()
}
