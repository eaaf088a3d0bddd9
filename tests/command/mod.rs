//! Runs the real command in a folder of its own, with calls signed by the lab.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files, and may panic")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The instant that all calls of these tests are made at.
pub(crate) const DATE: &str = "2026-05-04T12:00:01Z";
/// The same as SIP writes it.
pub(crate) const SIP_DATE: &str = "Mon, 04 May 2026 12:00:01 GMT";

/// A folder to run the command in.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What a run of the command gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Run {
        self.run_with(&args, b"")
    }

    /// Runs it with something piped in; `{certs}` in an argument stands for the lab's folder.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Run {
        let certs = certs();
        let args = args.iter().map(|arg| arg.replace("{certs}", certs.to_str().unwrap()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_stirtrace"))
            .args(args)
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A command that reads nothing closes the pipe.
            let _ = stdin.write_all(&input);
        });
        let run = Run::of(&child.wait_with_output().unwrap());
        writer.join().unwrap();
        run
    }

    /// An Identity value for a call of the tests' usual parties, signed by a certificate of the lab.
    pub(crate) fn sign(&self, signer: &str, more: &[&str]) -> String {
        let shaken = ["--attest", "A", "--origid", "6a2f0f6e-2c5c-4f0e-9b1c-0d9d7a3f5b11"];
        self.sign_as(signer, &[&shaken, more].concat())
    }

    /// The same of another type than shaken, whose options are all in `more`.
    pub(crate) fn sign_as(&self, signer: &str, more: &[&str]) -> String {
        let key = format!("{{certs}}/keys/{signer}.pem");
        let certificate = format!("{{certs}}/archive/certificates.lab.example/{signer}.pem");
        let url = format!("https://certificates.lab.example/{signer}.pem");
        let mut args = vec!["sign", "-q", "--key", &key, "--certificate", &certificate, "--x5u", &url];
        args.extend(["--orig", "12155550112", "--iat", DATE]);
        if !more.contains(&"--dest") {
            args.extend(["--dest", "12155550131"]);
        }
        args.extend(more);
        let run = self.run_with(&args, b"");
        assert_eq!(run.code, 0, "{}", run.err);
        run.out.trim().to_owned()
    }
}

impl Run {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let run =
            Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) };
        assert!(!run.err.contains("panicked"), "{}", run.err);
        run
    }

    /// The objects of JSON output.
    pub(crate) fn objects(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Everything that it gave, for a snapshot.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.out, self.err)
    }
}

/// The lab's PKI.
pub(crate) fn certs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs")
}

/// An INVITE of the tests' usual parties with these Identity values.
pub(crate) fn invite(identities: &[&str]) -> String {
    let fields: String = identities.iter().map(|value| format!("Identity: {value}\r\n")).collect();
    format!(
        "INVITE sip:+12155550131@prairie.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: <sip:+12155550112@twill.example>;tag=1\r\n\
         To: <sip:+12155550131@prairie.example>\r\n\
         Call-ID: 7f1@twill.example\r\n\
         CSeq: 1 INVITE\r\n\
         Date: {SIP_DATE}\r\n\
         {fields}Content-Length: 0\r\n\r\n"
    )
}

/// Compares with the snapshot of that name; paths of this machine are left out.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let certs = certs();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(certs.to_str().unwrap(), "[certs]");
    settings.add_filter(r"/tmp/\.tmp\w+", "[desk]");
    settings.add_filter(r"process \d+, since [0-9TZ:-]+", "process [id], since [time]");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| insta::assert_snapshot!(name, text));
}
