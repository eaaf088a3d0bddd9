//! The archive of certificates that were used, with the times at which they lay at their URLs.
//!
//! The newest lies at `host/path`, where `--certs` looks; all of them, with their times, under `@history`
//! ([`crate::fetch::history`]).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::certificate::sha256;
use crate::fetch::fetcher::disk::{Fault, Workplace, make_folder, read};
use crate::fetch::fetcher::place::Place;
use crate::fetch::history::{self, History};
use crate::time::UnixTime;

/// A folder that certificates are added to and never taken from. Several processes may share it.
#[derive(Debug)]
pub(super) struct Archive {
    root: PathBuf,
    workplace: Workplace,
}

impl Archive {
    pub(super) fn open(folder: &Path) -> Result<Self, Fault> {
        let history = folder.join(history::FOLDER);
        let workplace = Workplace::open(history.join("tmp"))?;
        make_folder(&history.join("urls"))?;
        make_folder(&history.join("bodies"))?;
        let root = fs::canonicalize(folder).map_err(|reason| Fault { path: folder.to_owned(), reason })?;
        Ok(Self { root, workplace })
    }

    /// Notes that a body lay at a URL at an instant.
    pub(super) fn keep(&self, url: &str, body: &[u8], at: UnixTime) -> Result<(), Fault> {
        let _lock = self.lock()?;
        let hash = sha256(body);
        let file = self.root.join(history::url_file(url));
        let mut history = read(&file, MAX_HISTORY_BYTES).map(|bytes| History::parse(url, &bytes)).unwrap_or_default();
        if !history.see(hash, at) {
            return Ok(());
        }
        let body_file = self.root.join(history::body_file(&hash));
        // What was damaged since is written again.
        if read(&body_file, body.len()).is_none_or(|kept| kept != body) {
            self.workplace.write(&body_file, body)?;
        }
        if history.spans.iter().max_by_key(|span| span.last_seen).is_some_and(|newest| newest.sha256 == hash) {
            self.show(url, body)?;
        }
        self.workplace.write(&file, history.print(url).as_bytes())
    }

    /// Puts the newest where `wget --mirror` would. What stands in its way stays there: the history has it too.
    fn show(&self, url: &str, body: &[u8]) -> Result<(), Fault> {
        let Ok(place) = Place::of(url) else { return Ok(()) };
        let path = self.root.join(place.to_path());
        let Some(folder) = path.parent() else { return Ok(()) };
        if make_folder(folder).is_err() || path.is_dir() || read(&path, body.len()).is_some_and(|kept| kept == body) {
            return Ok(());
        }
        // Hosts and paths are somebody else's words, links are the archive's owner's: they lead nowhere outside.
        let is_inside = fs::canonicalize(folder).is_ok_and(|resolved| resolved.starts_with(&self.root));
        if is_inside { self.workplace.write(&path, body) } else { Ok(()) }
    }

    /// Reading a history and writing it again is one thing: one process at a time. A crash lets go of it.
    fn lock(&self) -> Result<File, Fault> {
        let path = self.root.join(history::FOLDER).join("lock");
        let open = || -> io::Result<File> {
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map_err(|reason| Fault { path: path.clone(), reason })
    }
}

/// More than the longest history takes.
const MAX_HISTORY_BYTES: usize = History::MAX_SPANS * 4096;
