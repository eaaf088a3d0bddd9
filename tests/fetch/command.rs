//! `stirtrace verify --fetch` as its users run it (F8, G14, G21, G29, H8-H10).

use std::fs;

use stirtrace::fetch::history::{self, History};

use crate::desk::{DATE, Desk, Run, invite};
use crate::server::{Conduct, Server, Shown, answer, certificate, listener_on_8443, ok};

/// A server at an address and a port that a URL may name, and calls signed for it.
struct Repository {
    desk: Desk,
    server: Server,
    host: String,
}

impl Repository {
    fn new(conduct: Conduct) -> Self {
        Self::showing(Shown::Good, conduct)
    }

    fn showing(shown: Shown, conduct: Conduct) -> Self {
        let listener = listener_on_8443();
        let host = listener.local_addr().unwrap().ip().to_string();
        let server = Server::on(listener, &host, shown, conduct);
        let desk = Desk::new();
        desk.write("tls.pem", &server.root);
        let repository = Self { desk, server, host };
        let signed = repository.sign("twill");
        repository.desk.write("call.sip", invite(&[&signed]));
        repository
    }

    fn url(&self) -> String {
        format!("https://{}:8443/certificate.pem", self.host)
    }

    fn sign(&self, signer: &str) -> String {
        sign(&self.desk, signer, &self.url())
    }

    fn verify(&self, more: &[&str]) -> Run {
        let mut args = vec!["verify", "call.sip", "--trust", "{certs}/roots.pem", "--at", "date"];
        args.extend(more);
        self.desk.run_with(&args, b"")
    }

    /// The same, with this server allowed and its TLS trusted.
    fn fetch(&self, more: &[&str]) -> Run {
        let allowed = format!("{0}={0}", self.host);
        let mut args = vec!["--fetch", "--fetch-root", "tls.pem", "--fetch-allow", &allowed, "--fetch-timeout", "60"];
        args.extend(more);
        self.verify(&args)
    }
}

/// An Identity by a signer of the lab, whose certificate is said to lie at a URL.
pub(crate) fn sign(desk: &Desk, signer: &str, url: &str) -> String {
    let key = format!("{{certs}}/keys/{signer}.pem");
    let own = format!("{{certs}}/archive/certificates.lab.example/{signer}.pem");
    let mut args = vec!["sign", "-q", "--key", &key, "--certificate", &own, "--x5u", url, "--orig", "12155550112"];
    args.extend(["--dest", "12155550131", "--attest", "A", "--iat", DATE]);
    args.extend(["--origid", "6a2f0f6e-2c5c-4f0e-9b1c-0d9d7a3f5b11"]);
    let run = desk.run_with(&args, b"");
    assert_eq!(run.code, 0, "{}", run.err);
    run.out.trim().to_owned()
}

fn error(run: &Run) -> String {
    run.objects()[0]["passports"][0]["error"]["detail"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn nothing_is_fetched_unasked() {
    let repository = Repository::new(ok("", &certificate("twill")));
    for more in [&[][..], &["--offline"]] {
        let run = repository.verify(more);
        assert_eq!(run.code, 2);
        assert!(error(&run).contains("--fetch"), "{}", run.out);
    }
    let run = repository.desk.run(["verify", "call.sip", "--trust", "https://list.example/", "--format", "json"]);
    assert!(run.err.contains("nothing is fetched unasked") && run.err.contains("--fetch"), "{}", run.err);
    assert_eq!(run.code, 2);
    let run = repository.verify(&["--offline", "--fetch"]);
    assert_eq!(run.code, 2);
    let run = repository.verify(&["--fetch-cache", "cache"]);
    assert!(run.code == 2 && run.err.contains("--fetch"), "{}", run.err);
    assert_eq!(repository.server.connections(), 0);
}

#[test]
fn a_call_passes_with_the_certificate_fetched() {
    let repository = Repository::new(ok("", &certificate("twill")));
    let run = repository.fetch(&[]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let object = run.objects().remove(0);
    assert_eq!((&object["verdict"], &object["attest"]), (&"passed".into(), &"A".into()));
    assert_eq!(object["fetched"][0]["url"], repository.url().as_str());
    assert_eq!(object["fetched"][0]["stale"], serde_json::Value::Null);
    assert!(run.err.contains(&format!("fetched {} (", repository.url())), "{}", run.err);
    let text = repository.fetch(&["--format", "text"]);
    assert!(text.out.contains("fetched at "), "{}", text.out);
    assert_eq!(repository.server.connections(), 2);
}

#[test]
fn a_refusal_says_what_to_do() {
    let repository = Repository::new(ok("", &certificate("twill")));
    let run = repository.verify(&["--fetch"]);
    assert_eq!(run.code, 2);
    let detail = error(&run);
    assert!(detail.contains("loopback (RFC 1122 3.2.1.3)") && detail.contains("--fetch-allow"), "{detail}");
    assert_eq!(repository.server.connections(), 0);
    let allowed = format!("{0}={0}", repository.host);
    let run = repository.verify(&["--fetch", "--fetch-allow", &allowed]);
    assert!(error(&run).contains("--fetch-root"), "{}", error(&run));
    let run = repository.verify(&["--fetch", "--fetch-allow", "nonsense"]);
    assert!(run.err.contains("HOST=ADDRESS/PREFIX"), "{}", run.err);
    let run = repository.verify(&["--fetch", "--fetch-root", "call.sip"]);
    assert!(run.code == 2 && run.err.contains("no certificate in PEM"), "{}", run.err);
}

#[test]
fn what_a_server_does_wrong_is_the_reason_of_the_verdict() {
    // H9: none of it is the caller's lie.
    for (conduct, word) in [
        (answer("404 Not Found", "", b"x"), "404"),
        (answer("302 Found", "Location: https://elsewhere.example/\r\n", b""), "elsewhere.example"),
        (Conduct::Reset, ""),
        (ok("Content-Encoding: gzip\r\n", b"\x1f\x8b"), "gzip"),
    ] {
        let repository = Repository::new(conduct);
        let run = repository.fetch(&[]);
        let object = run.objects().remove(0);
        assert_eq!(object["verdict"], "none");
        assert_eq!(object["passports"][0]["error"]["kind"], "CredentialUnavailable");
        assert!(error(&run).contains(word), "{}", error(&run));
        assert_eq!(object["sip"]["code"], 436);
    }
    // H10: something is there that is no certificate.
    let repository = Repository::new(ok("", b"<html>"));
    let object = repository.fetch(&[]).objects().remove(0);
    assert_eq!(object["passports"][0]["error"]["kind"], "UnusableCredential");
    assert_eq!(object["sip"]["code"], 437);
    let repository = Repository::showing(Shown::Expired, ok("", &certificate("twill")));
    let run = repository.fetch(&[]);
    assert!(error(&run).contains("TLS") && error(&run).contains("xpired"), "{}", error(&run));
}

#[test]
fn the_archive_is_asked_first() {
    let repository = Repository::new(ok("", &certificate("cascade")));
    let place = format!("archive/{}:8443/certificate.pem", repository.host);
    repository.desk.write(&place, certificate("twill"));
    let run = repository.fetch(&["--certs", "archive"]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.objects()[0].get("fetched").is_none());
    assert_eq!(repository.server.connections(), 0);
}

#[test]
fn what_is_cached_is_not_fetched_again_and_serves_while_its_host_is_down() {
    let repository = Repository::new(ok("", &certificate("twill")));
    for _ in 0..3 {
        assert_eq!(repository.fetch(&["--fetch-cache", "cache"]).code, 0);
    }
    assert_eq!(repository.server.connections(), 1);
    repository.server.conduct(Conduct::Reset);
    assert_eq!(repository.fetch(&["--fetch-cache", "cache"]).code, 0);
    assert_eq!(repository.fetch(&[]).code, 2, "without the cache, nothing is had");
}

#[test]
fn a_certificate_that_was_changed_meanwhile_is_fetched_again() {
    // G21: the cache has the old one for hours yet.
    let repository = Repository::new(ok("", &certificate("cascade")));
    repository.desk.write("other.sip", invite(&[&repository.sign("cascade")]));
    let run = repository.fetch(&["--fetch-cache", "cache", "other.sip"]);
    assert_eq!(run.code, 1, "the one call is signed by the other key: {}", run.out);
    age_the_cache(&repository.desk);
    repository.server.conduct(ok("", &certificate("twill")));
    let run = repository.fetch(&["--fetch-cache", "cache"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(repository.server.connections(), 2);
}

/// Makes what is cached ten minutes old: what came just now is not asked for again.
pub(crate) fn age_the_cache(desk: &Desk) {
    use stirtrace::fetch::entry::Entry;
    let folder = desk.path("cache/certificate");
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let mut entry = Entry::parse(&fs::read(&file).unwrap()).unwrap();
        entry.validity.answered_at = entry.validity.answered_at.plus_seconds(-600);
        entry.fetched_at = entry.fetched_at.plus_seconds(-600);
        fs::write(file, entry.print()).unwrap();
    }
}

#[test]
fn an_archive_finds_the_certificate_of_the_day() {
    let repository = Repository::new(ok("", &certificate("twill")));
    let run = repository.fetch(&["--fetch-archive", "archive"]);
    assert_eq!(run.code, 0, "{}", run.err);
    // Now the signer has another key, and the archive learns of it.
    repository.server.conduct(ok("", &certificate("cascade")));
    let run = repository.fetch(&["--fetch-archive", "archive"]);
    assert_eq!(run.code, 1, "{}", run.out);
    let file = repository.desk.path("archive").join(history::url_file(&repository.url()));
    let mut history = History::parse(&repository.url(), &fs::read(&file).unwrap());
    assert_eq!(history.spans.len(), 2);
    // The old call, offline: whichever was seen nearer comes first, and the signature tells.
    let offline = || repository.verify(&["--certs", "archive"]);
    assert_eq!(offline().code, 0, "{}", offline().out);
    let from = |text: &str| stirtrace::time::UnixTime::parse_rfc3339(text).unwrap();
    for (first, second) in
        [("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"), ("2026-05-05T00:00:00Z", "2026-05-03T00:00:00Z")]
    {
        history.spans[0].first_seen = from(first);
        history.spans[0].last_seen = from(first);
        history.spans[1].first_seen = from(second);
        history.spans[1].last_seen = from(second);
        fs::write(&file, history.print(&repository.url())).unwrap();
        let run = offline();
        assert_eq!(run.code, 0, "{}", run.out);
        assert!(run.objects()[0].get("fetched").is_none());
    }
    // A body that was damaged is not believed.
    fs::write(
        repository.desk.path("archive").join(history::body_file(&history.spans[0].sha256)),
        certificate("cascade"),
    )
    .unwrap();
    assert_eq!(offline().code, 1);
}

#[test]
fn a_crl_and_a_list_come_by_their_urls() {
    let crl = fs::read(crate::desk::certs().join("crl/indirect.der")).unwrap();
    let repository = Repository::new(ok("", &crl));
    let url = format!("https://{}:8443/sti-pa.crl", repository.host);
    let run =
        repository.fetch(&["--certs", "{certs}/archive", "--crl", &url, "--crl-signer", "{certs}/crl-signer.pem"]);
    assert!(run.err.contains(&format!("fetched {url}")), "{}", run.err);
    repository.server.conduct(answer("500 x", "", b"x"));
    let run = repository.fetch(&["--crl", &url]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains(&format!("--crl {url}")) && run.err.contains("500"), "{}", run.err);
    let list = fs::read(crate::desk::certs().join("trust-list.jwt")).unwrap();
    repository.server.conduct(ok("", &list));
    let allowed = format!("{0}={0}", repository.host);
    let url = format!("https://{}:8443/list", repository.host);
    let run = repository.desk.run_with(
        &[
            "verify",
            "call.sip",
            "--trust",
            &url,
            "--trust-signer",
            "{certs}/trust-signer.pem",
            "--fetch",
            "--fetch-root",
            "tls.pem",
            "--fetch-allow",
            &allowed,
            "--at",
            "date",
        ],
        b"",
    );
    assert!(run.err.contains(&format!("fetched {url}")), "{}", run.err);
}

#[test]
fn a_path_is_found_for_a_certificate_at_its_url() {
    let repository = Repository::new(ok("", &certificate("twill")));
    let (url, allowed) = (repository.url(), format!("{0}={0}", repository.host));
    let path = ["certificate", "path", &url, "--trust", "{certs}/roots.pem", "--at", DATE];
    let run = repository.desk.run_with(&path, b"");
    assert!(run.code == 2 && run.err.contains("--fetch"), "{}", run.err);
    let mut args = path.to_vec();
    args.extend(["--fetch", "--fetch-root", "tls.pem", "--fetch-allow", &allowed]);
    let run = repository.desk.run_with(&args, b"");
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(run.objects()[0]["file"], url.as_str());
}

#[test]
fn a_cache_that_is_no_folder_is_named() {
    let repository = Repository::new(ok("", &certificate("twill")));
    repository.desk.write("cache", "a file, where a folder belongs");
    let run = repository.fetch(&["--fetch-cache", "cache"]);
    assert!(run.code == 2 && run.err.contains("cache/tmp: "), "{}", run.err);
}
