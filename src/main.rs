//! The `stirtrace` command; everything is in [`stirtrace::cli`].

use std::process::ExitCode;

/// Calls are read on one thread and judged on others: what one allocates another frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stirtrace::cli::main()
}
