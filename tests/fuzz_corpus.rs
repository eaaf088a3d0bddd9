//! The fuzz corpus as an ordinary test: what fuzzing found stays found.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its files and stops at a fault")]

#[expect(unreachable_pub, reason = "the library of the fuzz crate")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::PathBuf;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus for {target}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        if std::panic::catch_unwind(|| body(&bytes)).is_err() {
            panic!("{} does not hold", file.display());
        }
    }
}

#[test]
fn sip_messages_of_the_corpus_hold() {
    replay("sip_message", targets::sip_message);
}

#[test]
fn identity_headers_of_the_corpus_hold() {
    replay("identity_header", targets::identity_header);
}

#[test]
fn passports_of_the_corpus_hold() {
    replay("passport", targets::passport);
}

#[test]
fn tn_auth_lists_of_the_corpus_hold() {
    replay("tn_auth_list", targets::tn_auth_list);
}

#[test]
fn crls_of_the_corpus_hold() {
    replay("crl", targets::crl);
}

#[test]
fn certificate_chains_of_the_corpus_hold() {
    replay("certificate_chain", targets::certificate_chain);
}
