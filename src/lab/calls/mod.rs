//! Practice worlds: the call records of several networks, requests about some of the calls, and the truth beside them.
//!
//! A world is decided by its settings: providers that do not exist, their customers and peers, switches that write in
//! every layout, in local zones, some with a wrong clock; ordinary calls, dialers' campaigns, redials, routes that fail,
//! diverted calls, rewritten callers, lost attestations. Its folder holds
//!
//! - `stirtrace.toml`, `cdr/NETWORK/..`, `certs/..`: what an investigator has,
//! - `requests.csv`: what is asked,
//! - `truth.jsonl`: what may be answered, an object a request (the members are told in the folder's README),
//! - `world.json`: how many lines there are, and how many of them damaged.
//!
//! Calls are made a quarter of an hour at a time, each slot from its own chance: a world of any size needs little memory,
//! and the same settings give the same bytes.

mod call;
mod cast;
mod configuration;
mod folder;
mod held;
mod pcap;
mod plan;
mod random;
mod readme;
mod request;
mod settings;
mod signing;
mod slot;
mod traffic;
mod truth;
mod world;
mod write;

pub use pcap::{CaptureSettings, write_capture};
pub use settings::{Refused, Settings};
pub use write::Layout;

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::lab::pki;
use crate::lab::write::WriteError;
use plan::Plan;
use request::{Clerk, Located};
use signing::Keys;
use slot::{Picked, Slot};
use traffic::Traffic;
use world::World;

/// How much a world came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Call records.
    pub records: u64,
    /// Lines that no reader can read.
    pub damaged: u64,
    /// Requests.
    pub requests: usize,
    /// Networks.
    pub networks: usize,
    /// Days.
    pub days: u32,
}

/// Why a world could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be made.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds something that is no world.
    #[error("{} holds other things than a practice world; name an empty or a new folder", path.display())]
    OccupiedFolder {
        /// Which one.
        path: PathBuf,
    },
    /// Its PKI could not be made.
    #[error("{0}")]
    Pki(#[from] crate::lab::Error),
    /// Its PKI could not be written.
    #[error("{0}")]
    PkiFiles(#[from] WriteError),
    /// The settings make no world.
    #[error("{0}")]
    Settings(#[from] Refused),
}

impl Error {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Writes a world below a folder: a new one, an empty one, or an earlier world, which is replaced.
///
/// # Errors
/// When the settings make no world, the folder holds other things, or a file cannot be written.
pub fn write_world(settings: &Settings, folder: &Path) -> Result<Summary, Error> {
    let world = World::new(settings)?;
    let traffic = Traffic::new(&world, settings);
    let keys = Keys::new(&world, &settings.seed)?;
    let plan = Plan::new(&world, &traffic, settings.requests);
    folder::clear(folder)?;
    // The lab's verdicts hold on its 123rd day: certificates are revoked by then, and long in use.
    let pki = pki::Settings {
        seed: settings.seed.clone(),
        start: settings.start.plus_seconds(-123 * 86_400),
        ..pki::Settings::default()
    };
    pki::generate(&pki)?.write_to(&folder.join("certs"))?;
    folder::write(folder, "stirtrace.toml", &configuration::print(&world, settings))?;
    let mut records = folder::Records::new(&world, folder);
    let mut located = Vec::new();
    let slots: Vec<usize> = (0..traffic.slots()).collect();
    // So many at once keep every core busy, and little in memory.
    for batch in slots.chunks(rayon::current_num_threads().max(1) * 4) {
        let make = |slot: &usize| Slot::make(*slot, &traffic, &world, &keys, &plan.wanted(*slot, &traffic));
        let made: Vec<Slot> = batch.par_iter().map(make).collect();
        for (slot, made) in batch.iter().zip(made) {
            let first = records.add(*slot, made.outputs)?;
            located.extend(made.picked.into_iter().map(|picked| locate(picked, &first, &world)));
        }
    }
    let held = records.finish()?;
    let clerk = Clerk { world: &world, traffic: &traffic, plan: &plan, held: &held };
    let requests = clerk.requests(located, settings.requests);
    let summary = Summary {
        records: held.iter().map(|(_, _, held)| held.records).sum(),
        damaged: held.iter().map(|(_, _, held)| held.damaged_lines).sum(),
        requests: requests.len(),
        networks: world.networks.len(),
        days: settings.days(),
    };
    let lines: String = requests.iter().map(|own| own.line.as_str()).collect();
    folder::write(folder, "requests.csv", &format!("{}{lines}", request::HEADER))?;
    let truth: String = requests.iter().map(|own| json(&own.truth)).collect();
    folder::write(folder, "truth.jsonl", &truth)?;
    folder::write(folder, "world.json", &json(&summary))?;
    folder::write(folder, "README.md", &readme::print(&world, settings, &summary))?;
    Ok(summary)
}

fn locate(picked: Picked, first: &[folder::Place], world: &World) -> Located {
    let before = |network: usize| world.networks.iter().take(network).map(|own| own.switches.len()).sum::<usize>();
    let place = |line: &slot::PickedLine| {
        let first = first.get(before(line.network) + line.switch)?;
        Some(folder::Place { file: first.file.clone(), line: first.line + line.position? })
    };
    let places = picked.places.iter().map(place).collect();
    Located { picked, places }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}
