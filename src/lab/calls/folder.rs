//! The folder that a practice world is written to: rotated files of call records, and everything beside them.
#![expect(clippy::disallowed_methods, reason = "an edge: files are its business")]

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::Error;
use super::cast::PROVIDERS;
use super::held::Held;
use super::random::part;
use super::slot::{Output, compressed};
use super::traffic::SLOT;
use super::world::{DAY, HOUR, Rotation, Switch, World};
use crate::time::UnixTime;

/// A line of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: u64,
}

/// What the switches write, each to its own files.
#[derive(Debug)]
pub(super) struct Records<'w> {
    world: &'w World,
    folder: PathBuf,
    tapes: Vec<Tape<'w>>,
}

/// One switch's files, one after the other.
#[derive(Debug)]
struct Tape<'w> {
    network: usize,
    place: usize,
    switch: &'w Switch,
    open: Option<(String, BufWriter<File>)>,
    /// Lines in the file so far.
    lines: u64,
    held: Held,
}

impl<'w> Records<'w> {
    pub(super) fn new(world: &'w World, folder: &Path) -> Self {
        let mut tapes = Vec::new();
        for (network, own) in world.networks.iter().enumerate() {
            for (place, switch) in own.switches.iter().enumerate() {
                tapes.push(Tape { network, place, switch, open: None, lines: 0, held: Held::default() });
            }
        }
        Self { world, folder: folder.to_owned(), tapes }
    }

    /// Adds what the switches wrote in a slot, and tells where each of their first lines came to stand.
    pub(super) fn add(&mut self, slot: usize, outputs: Vec<Output>) -> Result<Vec<Place>, Error> {
        let at = self.world.start + i64::try_from(slot).unwrap_or(0) * SLOT;
        let mut first = Vec::new();
        for (tape, output) in self.tapes.iter_mut().zip(outputs) {
            let name = tape.name(at, self.world.start);
            first.push(
                tape.add(&self.folder, &name, output).map_err(|source| Error::io(&self.folder.join(&name), source))?,
            );
        }
        Ok(first)
    }

    /// Ends the last files, and tells what is held of each switch.
    pub(super) fn finish(self) -> Result<Vec<(usize, usize, Held)>, Error> {
        let mut held = Vec::new();
        for mut tape in self.tapes {
            tape.close().map_err(|source| Error::io(&self.folder, source))?;
            held.push((tape.network, tape.place, tape.held));
        }
        Ok(held)
    }
}

impl Tape<'_> {
    /// The file that a line of that time goes to.
    fn name(&self, at: i64, start: i64) -> String {
        let since = match self.switch.rotation {
            Rotation::Never => start,
            Rotation::Daily => at.div_euclid(DAY) * DAY,
            Rotation::EverySixHours => at.div_euclid(6 * HOUR) * 6 * HOUR,
        };
        let since = UnixTime::from_seconds(since / 1000).to_string();
        let stamp = if self.switch.rotation == Rotation::EverySixHours { &since[..13] } else { &since[..10] };
        let packed = if self.switch.is_compressed { ".gz" } else { "" };
        format!("{}-{stamp}.{}{packed}", stem(self.network, self.switch), self.switch.layout.extension())
    }

    fn add(&mut self, folder: &Path, name: &str, output: Output) -> io::Result<Place> {
        if self.open.as_ref().is_none_or(|(open, _)| open != name) {
            self.close()?;
            self.begin(folder, name)?;
        }
        let place = Place { file: name.to_owned(), line: self.lines + 1 };
        if let Some((_, file)) = &mut self.open {
            file.write_all(&output.bytes)?;
        }
        self.lines += output.lines;
        output.starts.into_iter().for_each(|start| self.held.add(start));
        Ok(place)
    }

    fn begin(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        let header = self.switch.layout.header();
        if self.switch.is_compressed {
            file.write_all(&compressed(header.as_bytes()))?;
        } else {
            file.write_all(header.as_bytes())?;
        }
        self.lines = part(header.matches('\n').count());
        self.open = Some((name.to_owned(), file));
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.held.turn();
        match self.open.take() {
            Some((_, mut file)) => file.flush(),
            None => Ok(()),
        }
    }
}

/// What the names of a switch's files begin with.
pub(super) fn stem(network: usize, switch: &Switch) -> String {
    format!("cdr/{}/{}", PROVIDERS[network].slug, switch.name)
}

/// Makes the folder ready: new, empty, or an earlier world, which is taken away.
pub(super) fn clear(folder: &Path) -> Result<(), Error> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::create_dir_all(folder).map_err(|source| Error::io(folder, source)).and_then(|()| mark(folder));
        }
        Err(source) => return Err(Error::io(folder, source)),
    };
    if entries.next().is_some() {
        if !folder.join(MARK).is_file() {
            return Err(Error::OccupiedFolder { path: folder.to_owned() });
        }
        for name in ["cdr", "certs"] {
            match fs::remove_dir_all(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io(&folder.join(name), error));
                }
                _ => {}
            }
        }
    }
    mark(folder)
}

/// What tells a world's folder from others.
const MARK: &str = ".stirtrace-world";

fn mark(folder: &Path) -> Result<(), Error> {
    write(folder, MARK, "Written by stirtrace lab calls; it may be written over.\n")
}

/// Writes a whole file beside the records.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|source| Error::io(&path, source))
}
