//! The certificate archive: what lies at a URL, in a folder laid out `host[:port]/path` as `wget --mirror` writes it.
//!
//! URLs are somebody else's words. Each segment is percent-decoded once and must be a plain file name; symbolic links
//! are followed only as long as they stay inside the folder.

use std::fs::canonicalize;
use std::path::{Path, PathBuf};

use crate::certificate::bundle::Limits;
use crate::cli::exit::Complaint;
use crate::cli::files::{Unreadable, read};

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

    fn read_at(&self, relative: &Path) -> Result<Vec<u8>, NotHad> {
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
        read(&resolved, MAX_CERTIFICATE_BYTES).map_err(|reason| NotHad::Unreadable { path, reason })
    }
}

/// The most that is read of one URL's file (G29): as much as a fetch would take.
const MAX_CERTIFICATE_BYTES: usize = Limits::UNTRUSTED.octets;

/// Where in an archive a URL lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    host: String,
    port: Option<String>,
    segments: Vec<String>,
}

impl Place {
    /// The place of an https URL; an error when a segment of it is not the name of a file.
    pub(crate) fn of(url: &str) -> Result<Self, NotHad> {
        let refused = |why| NotHad::Refused { url: url.to_owned(), why };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("it is no absolute URL"))?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(refused("only https URLs have a place in the archive"));
        }
        if rest.contains(['?', '#']) {
            return Err(refused("it has a query or a fragment"));
        }
        let (authority, path) = rest.split_once('/').ok_or_else(|| refused("it has no path"))?;
        let (host, port) = split_authority(authority).ok_or_else(|| refused("its host is no host name"))?;
        let segments: Result<Vec<_>, _> = path.split('/').map(|segment| decode(segment).map_err(refused)).collect();
        Ok(Self { host, port, segments: segments? })
    }

    /// The folders that may hold it: `host` alone stands for port 443.
    fn hosts(&self) -> Vec<String> {
        match self.port.as_deref() {
            None | Some("443") => vec![self.host.clone(), format!("{}:443", self.host)],
            Some(port) => vec![format!("{}:{port}", self.host)],
        }
    }

    fn path_below(&self, host: &str) -> PathBuf {
        let mut path = PathBuf::from(host);
        path.extend(&self.segments);
        path
    }

    /// The path in an archive, for saying where to put what is missing.
    pub(crate) fn to_path(&self) -> PathBuf {
        let hosts = self.hosts();
        self.path_below(hosts.first().map_or("", String::as_str))
    }
}

/// Host and port. Names are compared in lower case (RFC 3986 §3.2.2), as `wget` writes them.
fn split_authority(authority: &str) -> Option<(String, Option<String>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_address = host.starts_with('[') && host.ends_with(']');
    let bare = if is_address { &host[1..host.len() - 1] } else { host };
    let is_host = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.') || (is_address && c == b':');
    let is_port =
        port.is_none_or(|port| !port.is_empty() && port.len() <= 5 && port.bytes().all(|c| c.is_ascii_digit()));
    let is_good = is_port && bare.bytes().all(is_host) && bare.bytes().any(|c| c.is_ascii_alphanumeric());
    is_good.then(|| (host.to_ascii_lowercase(), port.map(str::to_owned)))
}

/// One segment, percent-decoded once; an error unless it is the plain name of a file.
fn decode(segment: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or("a percent sign in it is not followed by two hexadecimal digits")?);
        rest = &after[2..];
    }
    let name = String::from_utf8(bytes).map_err(|_| "a segment of its path is no UTF-8")?;
    match name.as_str() {
        "" => Err("a segment of its path is empty"),
        "." | ".." => Err("a segment of its path is '.' or '..'"),
        _ if name.len() > MAX_SEGMENT_BYTES => Err("a segment of its path is longer than a file's name can be"),
        _ if name.contains(['/', '\\', ':']) => Err("a segment of its path holds a slash, backslash or colon"),
        _ if name.contains(char::is_control) => Err("a segment of its path holds a control character"),
        _ => Ok(name),
    }
}

/// The longest file name that file systems take.
const MAX_SEGMENT_BYTES: usize = 255;

/// Why the archive does not give what lies at a URL.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NotHad {
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
    #[error("{url} has no place in an archive: {why}")]
    Refused {
        /// The URL.
        url: String,
        /// Which rule it breaks.
        why: &'static str,
    },
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

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

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

    proptest! {
        #[test]
        fn every_place_is_plain_names_below_its_host(url in "https://[a-zA-Z0-9.:%/\\\\_\\[\\]-]{0,40}") {
            if let Ok(place) = Place::of(&url) {
                let path = place.to_path();
                prop_assert!(path.is_relative());
                prop_assert!(path.components().count() == place.segments.len() + 1);
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
