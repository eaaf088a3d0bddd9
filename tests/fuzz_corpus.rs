//! The fuzz corpus as an ordinary test: what fuzzing found stays found.
#![cfg(all(feature = "capture", feature = "fetch-rules", feature = "service-rules", feature = "traceback"))]
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

/// A test for each target, by the name of its function and of its folder.
macro_rules! replayed {
    ($($name:ident: $($target:ident)::+),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let target = stringify!($($target)::+);
                replay(target.rsplit(':').next().unwrap().trim(), targets::$($target)::+);
            }
        )*
    };
}

replayed! {
    answers_of_the_corpus_stay_within_bounds: fetching::freshness,
    cached_entries_of_the_corpus_hold: fetching::cache_entry,
    call_records_of_the_corpus_hold: cdr,
    captures_of_the_corpus_hold_pcap: captures::pcap,
    captures_of_the_corpus_hold_pcapng: captures::pcapng,
    hep_packets_of_the_corpus_hold: captures::hep,
    packets_of_the_corpus_come_together: captures::reassembly,
    certificate_chains_of_the_corpus_hold: certificate_chain,
    crls_of_the_corpus_hold: crl,
    signatures_of_the_corpus_hold: es256,
    identity_headers_of_the_corpus_hold: identity_header,
    locations_of_the_corpus_hold: fetching::location,
    mapping_files_of_the_corpus_hold: mapping,
    passports_of_the_corpus_hold: passport,
    rich_call_data_of_the_corpus_holds: rich_call_data,
    sip_messages_of_the_corpus_hold: sip_message,
    redirect_servers_of_the_corpus_hold: service::sip_server,
    tn_auth_lists_of_the_corpus_hold: tn_auth_list,
}
