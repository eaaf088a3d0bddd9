//! SoftHSM: a token of a test's own, with keys of the lab in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Desk, certs};

/// Where distributions put the library.
const LIBRARIES: [&str; 5] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];
pub(crate) const PIN: &str = "83510947";
const OFFICER: &str = "40288113";

/// A folder with tokens in it, beside a desk's other files.
pub(crate) struct SoftHsm {
    pub(crate) library: &'static str,
    pub(crate) configuration: PathBuf,
    folder: PathBuf,
}

impl SoftHsm {
    /// Tokens for a desk; none, with a word, where SoftHSM is not installed.
    pub(crate) fn on(desk: &Desk) -> Option<Self> {
        let library = library();
        let (Some(library), true) = (library, Command::new("softhsm2-util").arg("--version").output().is_ok()) else {
            eprintln!("SKIPPED: softhsm2 is not installed, so nothing was signed by a token");
            return None;
        };
        let folder = desk.path("tokens");
        fs::create_dir_all(&folder).unwrap();
        let written = format!("directories.tokendir = {}\nlog.level = ERROR\n", folder.display());
        desk.write("softhsm2.conf", written).write("pin", format!("{PIN}\n"));
        Some(Self { library, configuration: desk.path("softhsm2.conf"), folder })
    }

    /// A new token.
    pub(crate) fn token(&self, label: &str) {
        self.run(&["--init-token", "--free", "--label", label, "--so-pin", OFFICER, "--pin", PIN]);
    }

    /// A key of the lab, put into a token.
    pub(crate) fn import(&self, token: &str, signer: &str, label: &str, id: &str) {
        let key = certs().join(format!("keys/{signer}.pem"));
        let key = key.to_str().unwrap();
        self.run(&["--import", key, "--token", token, "--label", label, "--id", id, "--pin", PIN]);
    }

    fn run(&self, args: &[&str]) {
        let run = Command::new("softhsm2-util").args(args).env("SOFTHSM2_CONF", &self.configuration).output().unwrap();
        assert!(run.status.success(), "{args:?}: {}{}", text(&run.stdout), text(&run.stderr));
    }

    /// Takes all tokens away.
    pub(crate) fn pull(&self) {
        fs::rename(&self.folder, self.folder.with_extension("away")).unwrap();
        fs::create_dir(&self.folder).unwrap();
    }

    /// Brings them back.
    pub(crate) fn put_back(&self) {
        fs::remove_dir(&self.folder).unwrap();
        fs::rename(self.folder.with_extension("away"), &self.folder).unwrap();
    }

    /// `[service.signer.pkcs11]`, with whatever more.
    pub(crate) fn table(&self, more: &str) -> String {
        format!("[service.signer.pkcs11]\nmodule = \"{}\"\n{more}\n", self.library)
    }

    /// The same, for whoever has no tokens of their own.
    pub(crate) fn table_of_any(more: &str) -> String {
        format!("[service.signer.pkcs11]\nmodule = \"{}\"\n{more}\n", library().unwrap())
    }
}

fn library() -> Option<&'static str> {
    LIBRARIES.into_iter().find(|path| Path::new(path).exists())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
