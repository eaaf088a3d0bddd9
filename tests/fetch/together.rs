//! Calls judged together have their certificates fetched together: answers that come only to those who ask at the same
//! time tell (F8, G21, H9).

use serde_json::Value;

use crate::command::{age_the_cache, sign};
use crate::desk::{Desk, Run, invite};
use crate::server::{Conduct, Gathering, Server, Shown, answer, certificate, gathered, listener_on_8443, ok};

/// Servers at addresses of their own, and calls whose certificates lie there.
struct Repositories {
    desk: Desk,
    servers: Vec<(String, Server)>,
    calls: usize,
}

impl Repositories {
    fn new(conducts: &[Conduct]) -> Self {
        let desk = Desk::new();
        let servers = conducts.iter().map(|conduct| {
            let listener = listener_on_8443();
            let host = listener.local_addr().unwrap().ip().to_string();
            let server = Server::on(listener, &host, Shown::Good, conduct.clone());
            (host, server)
        });
        let servers: Vec<_> = servers.collect();
        let roots: Vec<u8> = servers.iter().flat_map(|(_, server)| server.root.clone()).collect();
        desk.write("tls.pem", roots);
        Self { desk, servers, calls: 0 }
    }

    /// One more call, whose certificate lies on one of the servers.
    fn call(&mut self, signer: &str, server: usize, file: &str) {
        let url = format!("https://{}:8443/{file}", self.servers[server].0);
        let signed = sign(&self.desk, signer, &url);
        self.desk.write(&format!("calls/{:02}.sip", self.calls), invite(&[&signed]));
        self.calls += 1;
    }

    fn verify(&self, input: &str, more: &[&str]) -> Run {
        let mut args = vec!["verify", input, "--trust", "{certs}/roots.pem", "--at", "date", "--fetch"];
        args.extend(["--fetch-root", "tls.pem", "--fetch-timeout", "60"]);
        let allowed: Vec<String> = self.servers.iter().map(|(host, _)| format!("{host}={host}")).collect();
        allowed.iter().for_each(|allowed| args.extend(["--fetch-allow", allowed]));
        args.extend(more);
        self.desk.run_with(&args, b"")
    }
}

fn verdicts(run: &Run) -> Vec<Value> {
    run.objects().into_iter().map(|mut object| object["verdict"].take()).collect()
}

#[test]
fn hosts_are_asked_at_the_same_time() {
    let gathering = Gathering::of(5);
    let mut repositories = Repositories::new(&vec![gathered(&gathering, ok("", &certificate("twill"))); 5]);
    (0..5).for_each(|server| repositories.call("twill", server, "certificate.pem"));
    let run = repositories.verify("calls", &[]);
    assert_eq!((run.code, verdicts(&run)), (0, vec![Value::from("passed"); 5]), "{}", run.err);
}

#[test]
fn one_host_is_asked_by_as_many_as_may_connect() {
    // Twice as many as connect to one host at a time: the others wait, and none of them is called crowded.
    let gathering = Gathering::of(8);
    let mut repositories = Repositories::new(&[gathered(&gathering, ok("", &certificate("twill")))]);
    (0..16).for_each(|number| repositories.call("twill", 0, &format!("{number}.pem")));
    let run = repositories.verify("calls", &[]);
    assert_eq!((run.code, verdicts(&run)), (0, vec![Value::from("passed"); 16]), "{}", run.err);
    assert_eq!(gathering.most(), 8);
    assert_eq!(repositories.servers[0].1.connections(), 16);
    let files: Vec<_> = run.objects().iter().map(|object| object["source"]["file"].clone()).collect();
    assert!(files.is_sorted_by_key(Value::to_string), "in the order of the input: {files:?}");
}

#[test]
fn verdicts_are_those_of_calls_judged_alone() {
    let conducts =
        [ok("", &certificate("twill")), answer("500 x", "", b"x"), ok("", b"<html>"), answer("404 x", "", b"x")];
    let mut repositories = Repositories::new(&conducts);
    for _ in 0..2 {
        (0..conducts.len()).for_each(|server| repositories.call("twill", server, "certificate.pem"));
    }
    // The certificate there is another signer's.
    repositories.call("cascade", 0, "certificate.pem");
    let plain = |object: &Value| (object["verdict"].clone(), object["passports"].clone(), object["sip"].clone());
    let together = repositories.verify("calls", &[]);
    let together: Vec<_> = together.objects().iter().map(plain).collect();
    assert_eq!(together.len(), 9);
    for (number, object) in together.iter().enumerate() {
        let alone = repositories.verify(&format!("calls/{number:02}.sip"), &[]);
        assert_eq!(*object, plain(&alone.objects()[0]), "call {number}");
    }
}

#[test]
fn certificates_that_were_changed_meanwhile_are_asked_for_together() {
    // G21: the cache has the old ones for hours yet.
    let mut repositories = Repositories::new(&vec![ok("", &certificate("cascade")); 3]);
    (0..3).for_each(|server| repositories.call("twill", server, "certificate.pem"));
    let run = repositories.verify("calls", &["--fetch-cache", "cache"]);
    assert_eq!(verdicts(&run), vec![Value::from("failed"); 3], "{}", run.err);
    age_the_cache(&repositories.desk);
    let gathering = Gathering::of(3);
    for (_, server) in &repositories.servers {
        server.conduct(gathered(&gathering, ok("", &certificate("twill"))));
    }
    let run = repositories.verify("calls", &["--fetch-cache", "cache"]);
    assert_eq!((run.code, verdicts(&run)), (0, vec![Value::from("passed"); 3]), "{}", run.err);
}
