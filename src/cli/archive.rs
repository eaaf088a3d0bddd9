//! The certificate archive: what lies at a URL, in a folder laid out `host[:port]/path` as `wget --mirror` writes it.
//!
//! URLs are somebody else's words. Each segment is percent-decoded once and must be a plain file name; symbolic links
//! are followed only as long as they stay inside the folder.

use std::fs::canonicalize;
use std::path::{Path, PathBuf};

use crate::certificate::bundle::Limits;
use crate::certificate::sha256;
use crate::cli::exit::Complaint;
use crate::cli::files::{Unreadable, read};
use crate::fetch::fetcher::place::{Place, Unplaceable};
use crate::fetch::history::{self, History};

/// A folder of certificates.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    /// As the user named it, for what is said about it.
    named: PathBuf,
    /// With every link resolved.
    root: PathBuf,
}

impl Archive {
    /// The archive in a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, Complaint> {
        let hint = "name the folder that holds host/path, as `wget --mirror` writes it";
        let root = canonicalize(folder).map_err(|reason| {
            let reason = Unreadable::io(&reason);
            Complaint::new(format!("--certs {}: {reason}", folder.display())).hint(hint)
        })?;
        if !root.is_dir() {
            return Err(Complaint::new(format!("--certs {}: it is no folder", folder.display())).hint(hint));
        }
        Ok(Self { named: folder.to_owned(), root })
    }

    /// What the archive has for a URL.
    pub(crate) fn read(&self, url: &str) -> Result<Vec<u8>, NotHad> {
        let place = Place::of(url)?;
        let mut missing = None;
        for host in place.hosts() {
            match self.read_at(&place.path_below(&host)) {
                Err(NotHad::Missing { .. }) => {}
                other => return other,
            }
            missing.get_or_insert_with(|| self.named.join(place.path_below(&host)));
        }
        Err(NotHad::Missing { path: missing.unwrap_or_default() })
    }

    /// What was seen at a URL, and when; nothing where nobody noted it.
    pub(crate) fn history(&self, url: &str) -> History {
        match self.read_bounded(&history::url_file(url), MAX_HISTORY_BYTES) {
            Ok(bytes) => History::parse(url, &bytes),
            Err(_) => History::default(),
        }
    }

    /// A body that a history names, if it is as it was written.
    pub(crate) fn body(&self, hash: &[u8; 32]) -> Result<Vec<u8>, NotHad> {
        let relative = history::body_file(hash);
        let body = self.read_at(&relative)?;
        if sha256(&body) == *hash { Ok(body) } else { Err(NotHad::Damaged { path: self.named.join(relative) }) }
    }

    /// The body of this hash that a URL has or had.
    pub(crate) fn body_of(&self, url: &str, hash: &[u8; 32]) -> Option<Vec<u8>> {
        let plain = || self.read(url).ok().filter(|body| sha256(body) == *hash);
        self.body(hash).ok().or_else(plain)
    }

    fn read_at(&self, relative: &Path) -> Result<Vec<u8>, NotHad> {
        self.read_bounded(relative, MAX_CERTIFICATE_BYTES)
    }

    fn read_bounded(&self, relative: &Path, limit: usize) -> Result<Vec<u8>, NotHad> {
        let path = self.named.join(relative);
        // With all links resolved: what is opened is what was checked.
        let resolved = match canonicalize(self.root.join(relative)) {
            Ok(resolved) => resolved,
            Err(reason) => {
                return Err(match Unreadable::io(&reason) {
                    Unreadable::Missing => NotHad::Missing { path },
                    reason => NotHad::Unreadable { path, reason },
                });
            }
        };
        if !resolved.starts_with(&self.root) {
            return Err(NotHad::Outside { path });
        }
        // A pipe would never end, a device may do anything.
        if !resolved.is_file() {
            return Err(NotHad::NoFile { path });
        }
        read(&resolved, limit).map_err(|reason| NotHad::Unreadable { path, reason })
    }
}

/// The most that is read of one URL's file (G29): as much as a fetch would take.
const MAX_CERTIFICATE_BYTES: usize = Limits::UNTRUSTED.octets;

/// The most that is read of what is known of one URL.
const MAX_HISTORY_BYTES: usize = 4 * 1024 * 1024;

/// Why the archive does not give what lies at a URL.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NotHad {
    /// It is not what it was.
    #[error("{} is damaged: its SHA-256 is not its name", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
    },
    /// Nothing is there.
    #[error("it is not in the archive; put it at {}", path.display())]
    Missing {
        /// Where it belongs.
        path: PathBuf,
    },
    /// Something is there that is no file.
    #[error("{} is no regular file", path.display())]
    NoFile {
        /// Where.
        path: PathBuf,
    },
    /// A link leads out of the archive.
    #[error("{} leads out of the archive; put the file itself there", path.display())]
    Outside {
        /// Where.
        path: PathBuf,
    },
    /// The URL has no place in any archive.
    #[error(transparent)]
    Refused(#[from] Unplaceable),
    /// It is there and cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: Unreadable,
    },
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir_all;

    use tempfile::TempDir;

    use super::*;
    use crate::fetch::fetcher::place::MAX_SEGMENT_BYTES;

    /// `outside/secret.pem` beside `archive/`, which holds a few certificates.
    fn folders() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "outside/secret.pem",
            "archive/host.example/a.pem",
            "archive/host.example/sub/b c.pem",
            "archive/host.example/%41.pem",
            "archive/host.example:8443/a.pem",
            "archive/old.example:443/a.pem",
            "archive/[2001:db8::1]/a.pem",
            "archive/top.pem",
        ] {
            let path = folder.path().join(path);
            create_dir_all(path.parent().unwrap()).unwrap();
            write(&path, path.to_str().unwrap().as_bytes());
        }
        folder
    }

    fn write(path: &Path, bytes: &[u8]) {
        #[expect(clippy::disallowed_methods, reason = "a test's own files")]
        std::fs::write(path, bytes).unwrap();
    }

    fn read_from(folder: &TempDir, url: &str) -> Result<String, NotHad> {
        let archive = Archive::open(&folder.path().join("archive")).unwrap();
        let bytes = archive.read(url)?;
        Ok(String::from_utf8(bytes).unwrap().rsplit_once("archive/").unwrap().1.to_owned())
    }

    #[test]
    fn a_url_is_found_by_host_port_and_path() {
        let folder = folders();
        for (url, path) in [
            ("https://host.example/a.pem", "host.example/a.pem"),
            ("HTTPS://HOST.Example/a.pem", "host.example/a.pem"),
            ("https://host.example:443/a.pem", "host.example/a.pem"),
            ("https://host.example:8443/a.pem", "host.example:8443/a.pem"),
            ("https://old.example/a.pem", "old.example:443/a.pem"),
            ("https://old.example:443/a.pem", "old.example:443/a.pem"),
            ("https://host.example/sub/b%20c.pem", "host.example/sub/b c.pem"),
            ("https://host.example/%61.pem", "host.example/a.pem"),
            ("https://host.example/%2541.pem", "host.example/%41.pem"),
            ("https://[2001:DB8::1]/a.pem", "[2001:db8::1]/a.pem"),
        ] {
            assert_eq!(read_from(&folder, url).as_deref(), Ok(path), "{url}");
        }
    }

    #[test]
    fn no_url_reaches_out_of_the_archive() {
        let folder = folders();
        for url in [
            "https://host.example/../../outside/secret.pem",
            "https://../outside/secret.pem",
            "https://./top.pem",
            "https:///top.pem",
            "https://host.example/..",
            "https://host.example/.",
            "https://host.example/./a.pem",
            "https://host.example/sub/../a.pem",
            "https://host.example/%2e%2e/%2e%2e/outside/secret.pem",
            "https://host.example/%2E%2E/host.example/a.pem",
            "https://host.example/.%2e/host.example/a.pem",
            "https://host.example/%2e/a.pem",
            "https://host.example/..%2f..%2foutside%2fsecret.pem",
            "https://host.example/sub%2fb%20c.pem",
            "https://host.example/%2fetc/passwd",
            "https://host.example//etc/passwd",
            "https://host.example//a.pem",
            "https://host.example/a.pem/",
            "https://host.example/",
            "https://host.example",
            "https://host.example/a.pem%00.txt",
            "https://host.example/%00",
            "https://host.example/..\\..\\outside\\secret.pem",
            "https://host.example/..%5c..%5coutside",
            "https://host.example/C:/a.pem",
            "https://host.example/%zz",
            "https://host.example/%",
            "https://host.example/%2",
            "https://host.example/%+1",
            "https://host.example/%ff%fe",
            "https://host.example/a%0a.pem",
            "https://host.example/a.pem?x",
            "https://host.example/a.pem#x",
            "https://user@host.example/a.pem",
            "https://host.example:/a.pem",
            "https://host.example:99999999/a.pem",
            "https://host%2eexample/a.pem",
            "https://[../a.pem",
            "http://host.example/a.pem",
            "file:///etc/passwd",
            "/etc/passwd",
            "",
        ] {
            assert!(
                matches!(read_from(&folder, url), Err(NotHad::Refused { .. })),
                "{url}: {:?}",
                read_from(&folder, url)
            );
        }
        let long = format!("https://host.example/{}", "a".repeat(MAX_SEGMENT_BYTES + 1));
        assert!(matches!(read_from(&folder, &long), Err(NotHad::Refused { .. })));
        let deep = format!("https://host.example{}", "/a".repeat(5000));
        assert!(matches!(read_from(&folder, &deep), Err(NotHad::Missing { .. } | NotHad::Unreadable { .. })));
        // Decoded once, never twice: this is a file's name with a percent sign in it.
        let twice = "https://host.example/%252e%252e/%252e%252e/outside/secret.pem";
        assert!(matches!(read_from(&folder, twice), Err(NotHad::Missing { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_inside_the_archive() {
        use std::os::unix::fs::symlink;
        let folder = folders();
        let (archive, outside) = (folder.path().join("archive"), folder.path().join("outside"));
        let host = archive.join("host.example");
        symlink(outside.join("secret.pem"), host.join("file-out.pem")).unwrap();
        symlink("../../outside/secret.pem", host.join("relative-out.pem")).unwrap();
        symlink(&outside, host.join("folder-out")).unwrap();
        symlink(&outside, archive.join("evil.example")).unwrap();
        symlink(host.join("file-out.pem"), host.join("twice-out.pem")).unwrap();
        symlink("loop.pem", host.join("loop.pem")).unwrap();
        symlink("a.pem", host.join("inside.pem")).unwrap();
        for url in ["file-out.pem", "relative-out.pem", "folder-out/secret.pem", "twice-out.pem"] {
            let found = read_from(&folder, &format!("https://host.example/{url}"));
            assert!(matches!(found, Err(NotHad::Outside { .. })), "{url}: {found:?}");
        }
        let found = read_from(&folder, "https://evil.example/secret.pem");
        assert!(matches!(found, Err(NotHad::Outside { .. })), "{found:?}");
        assert!(matches!(read_from(&folder, "https://host.example/loop.pem"), Err(NotHad::Unreadable { .. })));
        assert_eq!(read_from(&folder, "https://host.example/inside.pem").as_deref(), Ok("host.example/a.pem"));
    }

    #[test]
    fn folders_and_long_files_are_no_certificates() {
        let folder = folders();
        assert!(matches!(read_from(&folder, "https://host.example/sub"), Err(NotHad::NoFile { .. })));
        write(&folder.path().join("archive/host.example/long.pem"), &vec![b'x'; MAX_CERTIFICATE_BYTES + 1]);
        let found = read_from(&folder, "https://host.example/long.pem");
        assert!(
            matches!(found, Err(NotHad::Unreadable { reason: Unreadable::TooLong { limit: 65_536 }, .. })),
            "{found:?}"
        );
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let folder = folders();
        let found = read_from(&folder, "https://host.example:443/x/y.pem").unwrap_err().to_string();
        assert!(found.ends_with("archive/host.example/x/y.pem"), "{found}");
    }
}
