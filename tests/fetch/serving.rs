//! `stirtrace serve` with `fetch_root` and `fetch_allow` of `[service]`: a repository of one's own (F8, G29).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::desk::{Desk, certs};
use crate::server::{Server, Shown, certificate, listener_on_8443, ok};

/// A service that ends with its test.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(desk: &Desk) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stirtrace"))
            .args(["serve", "--format", "json", "--config", "stirtrace.toml", "--fetch", "--fetch-timeout", "60"])
            .current_dir(desk.path("."))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
        }
        // The rest of the log goes nowhere, and blocks nobody.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let listening: Value = serde_json::from_str(&line).unwrap();
        Self { child, address: listening["url"].as_str().unwrap().replace("http://", "") }
    }

    fn verdict(&self, call: &Value) -> Value {
        let (body, mut stream) = (call.to_string(), TcpStream::connect(&self.address).unwrap());
        let head = "POST /v1/verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap_or_else(|_| panic!("{answer}"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_repository_of_ones_own_is_let_in_by_the_configuration() {
    let listener = listener_on_8443();
    let host = listener.local_addr().unwrap().ip().to_string();
    let server = Server::on(listener, &host, Shown::Good, ok("", &certificate("twill")));
    let desk = Desk::new();
    desk.write("tls/root.pem", &server.root);
    let url = format!("https://{host}:8443/certificate.pem");
    let (key, own) = ("{certs}/keys/twill.pem", "{certs}/archive/certificates.lab.example/twill.pem");
    let numbers = ["--orig", "12155550112", "--dest", "12155550131", "--attest", "A"];
    let signing = ["sign", "-q", "--key", key, "--certificate", own, "--x5u", &url];
    let signed = desk.run_with(&[&signing[..], &numbers].concat(), b"");
    let call = json!({"identity": signed.out.trim(), "from": "12155550112", "to": "12155550131"});
    let roots = certs().join("roots.pem").display().to_string();
    let service = format!("trust = [{roots:?}]\n[service]\nlisten = \"127.0.0.1:0\"\nlimits.request_seconds = 90\n");
    desk.write("stirtrace.toml", &service);
    let refused = Served::start(&desk).verdict(&call);
    assert_eq!(refused["passports"][0]["error"]["kind"], "CredentialUnavailable", "{refused}");
    let own = format!("{service}fetch_root = \"tls/root.pem\"\nfetch_allow = \"{host}={host}\"\n");
    desk.write("stirtrace.toml", own);
    assert_eq!(Served::start(&desk).verdict(&call)["verdict"], "passed");
    assert_eq!(server.connections(), 1);
}
