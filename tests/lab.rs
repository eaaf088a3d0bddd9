//! The lab PKI: the shipped `certs/` are what `stirtrace lab pki certs` writes, and hold what they say.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files, and may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stirtrace::lab::pki::{LabPki, Settings, generate};
use stirtrace::time::UnixTime;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs")
}

fn lab() -> LabPki {
    generate(&Settings::default()).unwrap()
}

fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

#[test]
fn the_shipped_folder_is_what_seed_1_gives() {
    // To renew it: `stirtrace lab pki certs --seed 1`.
    let lab = lab();
    for (path, file) in lab.files() {
        let shipped = fs::read(shipped().join(path)).unwrap_or_default();
        assert!(shipped == file.bytes, "certs/{path} is not what the lab writes");
    }
    let expected: BTreeSet<_> = lab.files().map(|(path, _)| shipped().join(path)).collect();
    assert_eq!(files_below(&shipped()), expected);
}

#[test]
fn the_same_settings_give_the_same_bytes_and_others_do_not() {
    let other_seed = generate(&Settings { seed: "two".to_owned(), ..Settings::default() }).unwrap();
    assert_eq!(other_seed, generate(&Settings { seed: "two".to_owned(), ..Settings::default() }).unwrap());
    for path in ["keys/twill.pem", "roots.pem", "crl/indirect.pem", "trust-list.jwt"] {
        assert_ne!(other_seed.file(path), lab().file(path), "{path}");
    }
    let later = Settings { start: UnixTime::parse_rfc3339("2030-06-01T00:00:00Z").unwrap(), ..Settings::default() };
    let later = generate(&later).unwrap();
    assert_eq!(later.file("keys/twill.pem"), lab().file("keys/twill.pem"));
    assert_ne!(later.file("roots.pem"), lab().file("roots.pem"));
}

#[test]
fn lifetimes_that_make_no_sense_are_refused() {
    for leaf_days in [0, Settings::MAX_LEAF_DAYS + 1] {
        assert!(generate(&Settings { leaf_days, ..Settings::default() }).is_err());
    }
    for seconds in [-1, i64::MAX] {
        assert!(generate(&Settings { start: UnixTime::from_seconds(seconds), ..Settings::default() }).is_err());
    }
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "mine").unwrap();
    let refused = lab().write_to(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("other things"), "{refused}");
    assert_eq!(files_below(folder.path()).len(), 1);
}

#[test]
fn a_lab_is_written_again_over_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/lab");
    generate(&Settings { seed: "earlier".to_owned(), ..Settings::default() }).unwrap().write_to(&target).unwrap();
    lab().write_to(&target).unwrap();
    let expected: BTreeSet<_> = lab().files().map(|(path, _)| target.join(path)).collect();
    assert_eq!(files_below(&target), expected);
    for (path, file) in lab().files() {
        assert_eq!(fs::read(target.join(path)).unwrap(), file.bytes, "{path}");
    }
}

#[cfg(unix)]
#[test]
fn private_keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("lab");
    lab().write_to(&target).unwrap();
    for path in files_below(&target) {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let is_key = path.parent().is_some_and(|parent| parent.ends_with("keys"));
        assert_eq!(mode, if is_key { 0o600 } else { 0o644 }, "{}", path.display());
    }
}
