//! `stirtrace speed`: what this machine verifies a second, beside the library whose primitives it uses.

mod course;
mod measured;

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressStyle;

use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::printer::Printer;
use crate::cli::speed::course::Course;

/// `stirtrace speed`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  stirtrace speed
  stirtrace speed --seconds 10 --keys 1 --threads 1
  stirtrace speed --format csv > speed.csv

Each setting measures in turn, again and again: a bare signature by the
cryptographic library (aws-lc-rs) with the key parsed, the same signature by our
tables, alone and 32 together, and the way from an Identity header's text to a
verdict with all its checks, the signature by the library and by tables.
Microseconds are of wall time for each signature, all threads together; figures
are medians, and a ratio is the median of those of the rounds.

Exit codes: 0 measured, 2 misuse.")]
pub(crate) struct SpeedArgs {
    /// How long to measure each setting
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// How many keys sign in turn; repeatable [default: 1 and 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    keys: Vec<u32>,
    /// How many threads verify; repeatable [default: 1 and one for each core]
    #[arg(long, value_name = "N")]
    threads: Vec<NonZeroUsize>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: Option<f64> = text.parse().ok();
    let wrong = || "write seconds, from 0.01 to 3600".to_owned();
    seconds.filter(|seconds| (0.01..=3600.0).contains(seconds)).ok_or_else(wrong)
}

/// Runs `stirtrace speed`.
pub(crate) fn run(args: &SpeedArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let keys = if args.keys.is_empty() { vec![1, 1_000] } else { args.keys.clone() };
    let all = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut threads = if args.threads.is_empty() { vec![NonZeroUsize::MIN, all] } else { args.threads.clone() };
    threads.dedup();
    let bar = printer.progress(u64::try_from(keys.len() * threads.len()).unwrap_or_default());
    if let Ok(style) = ProgressStyle::with_template("measuring {bar:30} {pos}/{len} settings") {
        bar.set_style(style);
    }
    bar.tick();
    for keys in keys {
        let course = Course::new(keys).map_err(|fault| Complaint::new(fault.to_string()))?;
        for threads in &threads {
            printer.show(&course.measure(threads.get(), Duration::from_secs_f64(args.seconds)))?;
            printer.flush()?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(Exit::Good)
}
