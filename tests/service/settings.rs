//! The table `[service]`: what it says when it says nothing, and its faults with their places.

use stirtrace::service::Settings;
use stirtrace::service::settings::{KeyName, KeySettings, LogLevel, PinSource, ReasonNames};
use stirtrace::verify::{CrlPolicy, PrioritySigner, PrioritySigners, Require};

fn faults(toml: &str) -> String {
    let faults = Settings::parse(toml.as_bytes()).unwrap_err();
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn without_a_table_it_listens_to_this_machine_only_and_fetches_nothing() {
    let settings = Settings::parse(b"lake = \"lake\"").unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.listen, ["127.0.0.1:8080".parse().unwrap()]);
    assert!(!settings.fetch && !settings.fetch_rich_call_data && !settings.log.numbers && settings.evidence.is_none());
}

#[test]
fn everything_that_can_be_said_is_read() {
    let text = include_str!("../../examples/service/stirtrace.toml");
    let settings = Settings::parse(text.as_bytes()).unwrap();
    assert_eq!(settings.signers[0].name, "twill");
    let every = "[service]\nlisten = [\"127.0.0.1:0\", \"[::1]:0\"]\nopen = true\nfetch = true\nfetch_rich_call_data = true\nworkers = 2\n\
        fetch_root = \"tls/root.pem\"\nfetch_allow = [\"certificates.example=10.1.0.0/16\"]\n\
        [service.verification]\nmax_age = 30\nprofile = \"atis\"\nstrict = true\nrequire = \"shaken\"\n\
        crl_policy = \"require-fresh\"\n[service.atis82]\nreason_names = \"reasoncode\"\n\
        [service.limits]\nbody = 4096\nrate = 50\nburst = 10\ndrain_seconds = 3\n\
        [service.evidence]\nfolder = \"e\"\nlake = \"l\"\nnetwork = \"Prairie Telephone\"\nlake_seconds = 60\n\
        [service.log]\nlevel = \"requests\"\nnumbers = true\n";
    let settings = Settings::parse(every.as_bytes()).unwrap();
    assert_eq!((settings.listen.len(), settings.workers, settings.fetch), (2, Some(2), true));
    assert_eq!((settings.policy.max_age, settings.policy.crl), (30, CrlPolicy::RequireFresh));
    assert_eq!(settings.policy.require, Require::Shaken);
    assert_eq!(settings.atis82.reason_names, ReasonNames::Lower);
    assert_eq!((settings.limits.body, settings.limits.rate, settings.limits.burst), (4096, Some(50), 10));
    assert_eq!(settings.log.level, LogLevel::Requests);
    assert!(settings.fetch_rich_call_data);
    assert_eq!(settings.fetch_root, ["tls/root.pem"]);
    assert!(settings.fetch_allow[0].covers("certificates.example", "10.1.2.3".parse().unwrap()));
    let lake = settings.evidence.unwrap().lake.unwrap();
    assert_eq!((lake.folder.as_str(), lake.network.as_str(), lake.source.as_str()), ("l", "Prairie Telephone", "live"));
    assert_eq!((lake.every.as_secs(), lake.records), (60, 1_000_000));
}

#[test]
fn who_may_authorise_priorities_is_said_for_signing_and_for_verifying() {
    // RFC 8443 §4.1 (E8, E12): nobody signs unless it is said, and everybody is believed until somebody is named.
    let usual = Settings::default();
    assert_eq!(usual.policy.priority_signers, PrioritySigners::AnyProvider);
    let signer = "[[service.signer]]\nname = \"a\"\nkey = \"k\"\ncertificate = \"c\"\nx5u = \"u\"\n";
    let text = format!(
        "[[service.verification.rph_signer]]\nspc = \"552D\"\nnamespaces = [\"ETS\", \"wps\"]\n\
         {signer}rph = \"ESNET\"\nrph_clients = [\"psap-1\"]\n"
    );
    let settings = Settings::parse(text.as_bytes()).unwrap();
    let named = PrioritySigners::Only(vec![PrioritySigner::new("552D", ["ets", "wps"])]);
    assert_eq!(settings.policy.priority_signers, named);
    let own = &settings.signers[0];
    assert_eq!(
        (own.rph.as_slice(), own.rph_clients.as_slice()),
        (&["esnet".to_owned()][..], &["psap-1".to_owned()][..])
    );
    assert!(faults(&format!("{signer}rph = \"ets\"\nrph_clients = []\n")).contains("rph_clients: it is empty"));
    // As `openssl x509 -fingerprint -sha256` prints it; cut short it would fit nobody.
    let colons = vec!["AB"; 32].join(":");
    let settings = Settings::parse(format!("{signer}rph = \"ets\"\nrph_clients = \"{colons}\"\n").as_bytes()).unwrap();
    assert_eq!(settings.signers[0].rph_clients, ["ab".repeat(32)]);
    let short = faults(&format!("{signer}rph = \"ets\"\nrph_clients = \"{}\"\n", &colons[..92]));
    assert!(short.contains("rph_clients: 62 hexadecimal digits are no SHA-256"), "{short}");
    insta::assert_snapshot!(faults(&format!(
        "[[service.verification.rph_signer]]\nnamespaces = [\"ets.0\", \"\"]\n\
         [[service.verification.rph_signer]]\nspc = \"771C\"\n{signer}rph_clients = \"psap-1\"\n"
    )));
}

#[test]
fn what_only_a_new_start_changes_is_named() {
    let usual = Settings::default();
    let changed = |text: &str| usual.fixed_keys_changed(&Settings::parse(text.as_bytes()).unwrap());
    let cases = [
        ("[service]\nlisten = \"127.0.0.1:9\"", "listen"),
        ("[service]\nworkers = 2", "workers"),
        ("[service]\nfetch = true", "fetch"),
        ("[service]\nfetch_cache = \"c\"", "fetch_cache"),
        ("[service]\nfetch_archive = \"a\"", "fetch_archive"),
        ("[service]\nfetch_root = \"r\"", "fetch_root"),
        ("[service]\nfetch_allow = \"a.example=10.0.0.1\"", "fetch_allow"),
        ("[service.limits]\nrequests = 7", "limits"),
        ("[service.sip]\nlisten = \"udp:127.0.0.1:5065\"", "sip"),
        ("[service.sip]\nrate = 7", "sip"),
        ("[service.replay]", "replay"),
        ("[service.log]\nlevel = \"warn\"", "log"),
        ("[service.evidence]\nfolder = \"e\"", "evidence"),
    ];
    for (text, key) in cases {
        assert_eq!(changed(text), [key], "{text}");
    }
    for text in [
        "[service.limits]\nrate = 7",
        "[service.treatment]\nreason = \"SIP\"",
        "[service.signing]",
        "[service.verification]\nmax_age = 30",
    ] {
        assert_eq!(changed(text), [""; 0], "{text}");
    }
    // Tokens are remembered for as long as they may be old.
    let with = |age: u32| format!("[service.replay]\n[service.verification]\nmax_age = {age}");
    let before = Settings::parse(with(60).as_bytes()).unwrap();
    assert_eq!(before.fixed_keys_changed(&Settings::parse(with(30).as_bytes()).unwrap()), ["replay"]);
}

#[test]
fn faults_are_told_with_their_place_and_what_belongs_there() {
    let wrong = "[service]\nlisten = [\"localhost:8080\", \"127.0.0.1:8080\"]\nfetch = \"yes\"\nworkers = 0\nport = 1\n\
        fetch_allow = \"here\"\n[service.evidence]\nfolder = \"e\"\nlake_seconds = 0\n\
        [service.limits]\nbody = 10\nburts = 7\n[service.verification]\nprofile = \"rfc8224\"\n\
        [service.tls]\ncertificate = \"server.pem\"\n[service.tokens]\nalgorithms = [\"HS256\", \"none\"]\n\
        [[service.signer]]\nname = \"a\"\nkey = \"k\"\ncertificate = \"c\"\nx5u = \"u\"\n\
        [[service.signer]]\nname = \"a\"\nkey = \"\"\n";
    insta::assert_snapshot!(faults(wrong));
}

#[test]
fn a_key_lies_in_a_file_or_in_a_security_module() {
    let signer = |more: &str| {
        format!("[[service.signer]]\nname = \"a\"\ncertificate = \"c\"\nx5u = \"u\"\n{more}[service.signer.pkcs11]\n")
    };
    if cfg!(feature = "pkcs11") {
        let text = signer("")
            + "module = \"m.so\"\ntoken = \"t\"\nkey_id = \"A1b2\"\npin_variable = \"PIN\"\nwait_seconds = 5\n";
        let settings = Settings::parse(text.as_bytes()).unwrap();
        let KeySettings::Pkcs11(own) = &settings.signers[0].key else { panic!("{settings:?}") };
        assert_eq!((&own.key, own.sessions), (&KeyName::Id(vec![0xa1, 0xb2]), 4));
        assert_eq!((&own.pin, own.wait.as_secs()), (&Some(PinSource::Variable("PIN".to_owned())), 5));
        let wrong = "token = 1\nkey = \"k\"\nkey_id = \"a1b\"\npin = \"1234\"\npin_file = \"p\"\npin_variable = \"P\"\n\
            sessions = 0\nslot = 1\n";
        insta::assert_snapshot!(faults(&(signer("key = \"k.pem\"\n") + wrong)));
    } else {
        let text = signer("") + "module = \"m.so\"\ntoken = \"t\"\nkey = \"k\"\n";
        assert!(faults(&text).contains("build it with the feature pkcs11"), "{}", faults(&text));
    }
}

#[test]
fn traces_go_to_a_collector_that_is_named() {
    let table = |more: &str| format!("[service.telemetry]\n{more}");
    if cfg!(feature = "otel") {
        let otlp = |url: &str| {
            let settings = Settings::parse(table(&format!("otlp = \"{url}\"")).as_bytes());
            settings.unwrap().telemetry.unwrap().otlp
        };
        assert_eq!(otlp("http://127.0.0.1:4318"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(otlp("https://traces.example/own/path"), "https://traces.example/own/path");
        let wrong = ["127.0.0.1:4318", "ftp://a.example", "http://u:p@a.example", "http://a.example/?key=1"];
        let wrong: String = wrong.map(|url| faults(&table(&format!("otlp = \"{url}\"\n"))) + "\n").concat();
        insta::assert_snapshot!(wrong + &faults(&table("every = 0\nqueue = 0\n")));
    } else {
        let text = faults(&table("otlp = \"http://127.0.0.1:4318\""));
        assert!(text.contains("build it with the feature otel"), "{text}");
    }
}

#[test]
fn what_anybody_could_reach_is_refused_unless_it_is_meant() {
    insta::assert_snapshot!(faults("[service]\nlisten = \"192.0.2.1:8080\""));
    insta::assert_snapshot!(faults(
        "[service]\nlisten = \"192.0.2.1:8080\"\n[service.tokens]\nkeys = \"k\"\nissuer = \"i\"\naudience = \"a\""
    ));
    let meant = "[service]\nlisten = \"192.0.2.1:8080\"\nopen = true";
    assert!(Settings::parse(meant.as_bytes()).is_ok());
    let sip = "[service.sip]\nlisten = \"tls:192.0.2.1:5061\"\n";
    let tls = "[service.tls]\ncertificate = \"c\"\nkey = \"k\"\n";
    insta::assert_snapshot!(faults(sip));
    insta::assert_snapshot!(faults(&format!("{sip}{tls}")));
    // Whoever has to show a certificate is known.
    assert!(Settings::parse(format!("{sip}{tls}client_ca = \"a\"").as_bytes()).is_ok());
    let udp = sip.replace("tls:", "udp:");
    assert!(faults(&format!("{udp}{tls}client_ca = \"a\"")).contains("everybody is served"));
}

#[test]
fn a_table_for_the_service_is_none_of_the_other_readers_business() {
    let text = "[service]\nwhatever = 1";
    assert!(stirtrace::network::Configuration::parse(text.as_bytes()).is_ok());
    assert!(faults(text).contains("whatever"));
}
