//! URLs that want into somebody's network (G29): none reaches a listener on loopback, which a client without the guard
//! does reach.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stirtrace::fetch::{Fetcher, Limits, NotFetched, Settings};

use crate::server::{Conduct, HOST, NOW, Names, Server, Shown, URL, answer, certificate, listener_on_8443, ok};

/// Counts who connects, and hangs up.
struct Trap {
    address: SocketAddr,
    reached: Arc<AtomicUsize>,
}

impl Trap {
    fn set(listener: TcpListener) -> Self {
        let trap = Self { address: listener.local_addr().unwrap(), reached: Arc::default() };
        let reached = Arc::clone(&trap.reached);
        std::thread::spawn(move || listener.incoming().for_each(|_| drop(reached.fetch_add(1, Ordering::SeqCst))));
        trap
    }

    fn reached(&self) -> usize {
        // A connection that was made is counted a moment later.
        std::thread::sleep(Duration::from_millis(20));
        self.reached.load(Ordering::SeqCst)
    }
}

/// Names that lead to the trap, and the answers of DNS, in their order.
fn names(trap: SocketAddr, public: SocketAddr) -> Names {
    let mapped = |address: String| SocketAddr::new(address.parse().unwrap(), trap.port());
    let IpAddr::V4(v4) = trap.ip() else { unreachable!("the trap is on IPv4") };
    let [a, b, c, d] = v4.octets();
    Names::new(&[
        ("localhost", trap),
        ("localtest.example", trap),
        ("certificates.example.localtest.example", trap),
        ("xn--127-0-0-1.example", trap),
        ("a_b.example", trap),
        ("mapped.example", mapped(v4.to_ipv6_mapped().to_string())),
        ("compatible.example", mapped(v4.to_ipv6_compatible().to_string())),
        ("nat64.example", mapped(format!("64:ff9b::{v4}"))),
        ("nat64-own.example", mapped(format!("64:ff9b:1::{v4}"))),
        ("six-to-four.example", mapped(format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"))),
        ("teredo.example", mapped(format!("2001::{v4}"))),
        ("isatap.example", mapped(format!("2a00:1450::5efe:{v4}"))),
        ("translated.example", mapped(format!("::ffff:0:{v4}"))),
        ("unspecified.example", mapped("0.0.0.0".to_owned())),
        ("unspecified6.example", mapped("::".to_owned())),
        ("link-local.example", mapped("169.254.169.254".to_owned())),
        ("metadata.google.internal.example", mapped("169.254.169.254".to_owned())),
        ("alibaba.example", mapped("100.100.100.200".to_owned())),
        ("azure.example", mapped("168.63.129.16".to_owned())),
        ("aws6.example", mapped("fd00:ec2::254".to_owned())),
        ("private.example", mapped("10.0.0.1".to_owned())),
    ])
    .with("rebound.example", &[&[trap], &[public]])
    // Both at once, in either order: whoever tries one after the other gets there.
    .with("mixed.example", &[&[public, trap]])
    .with("mixed-first.example", &[&[trap, public]])
}

/// All of them lead to the trap, for somebody.
fn urls(trap: SocketAddr) -> Vec<String> {
    let IpAddr::V4(v4) = trap.ip() else { unreachable!("the trap is on IPv4") };
    let [a, b, c, d] = v4.octets();
    let number = v4.to_bits();
    let low = number & 0xff_ffff;
    let port = trap.port();
    let mut hosts = vec![
        // Addresses, in every spelling that some library reads (RFC 3986 §7.4).
        v4.to_string(),
        format!("{number}"),
        format!("{number:#x}"),
        format!("{number:#X}"),
        format!("0{number:o}"),
        format!("{a}.{low}"),
        format!("{a}.{b}.{}", number & 0xffff),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("{a:#x}.{low}"),
        format!("{a}.{b}.{c}.0{d:o}"),
        format!("00000{a:o}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{number}."),
        format!("{}", u64::from(number) + (1 << 32)),
        // Percent signs, letters that look like digits and dots.
        v4.to_string().replace('.', "%2e"),
        v4.to_string().replace('.', "%2E"),
        format!("%31{}", &v4.to_string()[1..]),
        v4.to_string().replace('.', "\u{3002}"),
        v4.to_string().replace('.', "\u{ff0e}"),
        v4.to_string().replace('.', "\u{ff61}"),
        v4.to_string().replace('1', "\u{2460}"),
        v4.to_string().replace('7', "\u{ff17}"),
        v4.to_string().replace('1', "\u{1d7cf}"),
        format!("{v4}%00.certificates.example"),
        format!("{v4}\t"),
        format!("\u{ad}{v4}"),
        // IPv6 with IPv4 inside, zones, loopback.
        format!("[::ffff:{v4}]"),
        format!("[::ffff:{:x}:{:x}]", number >> 16, number & 0xffff),
        format!("[0:0:0:0:0:ffff:{v4}]"),
        format!("[::{v4}]"),
        format!("[::ffff:0:{v4}]"),
        format!("[64:ff9b::{v4}]"),
        format!("[64:ff9b:1::{v4}]"),
        format!("[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::]"),
        format!("[2001:0:{:x}:{:x}::1]", number >> 16, number & 0xffff),
        "[::1]".to_owned(),
        "[0000:0000:0000:0000:0000:0000:0000:0001]".to_owned(),
        "[::]".to_owned(),
        "[::1%25lo]".to_owned(),
        "[::1%lo]".to_owned(),
        "[fe80::1%25eth0]".to_owned(),
        "[::%31]".to_owned(),
        "0".to_owned(),
        "0.0.0.0".to_owned(),
        "0x0".to_owned(),
        // Somebody else's name before the at sign.
        format!("certificates.example@{v4}"),
        format!("certificates.example:443@{v4}"),
        format!("certificates.example%40{v4}"),
        format!("user:password@{v4}"),
        format!("@{v4}"),
    ];
    // Names, as DNS answers them.
    for name in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localtest.example",
        "localtest.example.",
        "certificates.example.localtest.example",
        "xn--127-0-0-1.example",
        "a_b.example",
        "mapped.example",
        "compatible.example",
        "nat64.example",
        "nat64-own.example",
        "six-to-four.example",
        "teredo.example",
        "isatap.example",
        "translated.example",
        "unspecified.example",
        "unspecified6.example",
        "link-local.example",
        "metadata.google.internal.example",
        "alibaba.example",
        "azure.example",
        "aws6.example",
        "private.example",
        "rebound.example",
        "mixed.example",
        "mixed-first.example",
    ] {
        hosts.push(name.to_owned());
    }
    let mut urls: Vec<String> = hosts.into_iter().map(|host| format!("https://{host}:{port}/a.pem")).collect();
    urls.extend([
        // Two readings of where the host ends.
        format!("https://certificates.example:{port}\\@{v4}:{port}/"),
        format!("https://{v4}:{port}\\certificates.example/"),
        format!("https://{v4}:{port}?@certificates.example/"),
        format!("https://{v4}:{port}#@certificates.example/"),
        format!("https:///{v4}:{port}/"),
        format!("https:{v4}:{port}/"),
        format!("https:/{v4}:{port}/"),
        format!("https:\\\\{v4}:{port}\\"),
        format!("//{v4}:{port}/"),
        format!(" https://{v4}:{port}/"),
        format!("ht\ntps://{v4}:{port}/"),
        format!("https://{v4}:{port}\r\nHost: certificates.example/"),
        // Other schemes and ports.
        format!("http://{v4}:{port}/"),
        format!("ftp://{v4}:{port}/"),
        format!("gopher://{v4}:{port}/_x"),
        format!("jar:https://{v4}:{port}/!/"),
        format!("unix://{v4}:{port}/"),
        format!("https://{v4}:0{port}/"),
        format!("https://{v4}:+{port}/"),
        format!("https://{v4}:{}/", u32::from(port) + 65_536),
    ]);
    urls
}

fn settings(trap: &Trap) -> Settings {
    // It stands beside the trap only, so it is refused with it before anybody is connected to.
    let public = "192.0.43.10:443".parse().unwrap();
    let limits = Limits { certificate_time: Duration::from_millis(400), ..Limits::default() };
    Settings { resolver: Some(Arc::new(names(trap.address, public))), limits, ..Server::new(ok("", b"")).settings() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_url_reaches_a_listener_on_loopback() {
    let trap = Trap::set(listener_on_8443());
    let fetcher = Fetcher::new(settings(&trap)).unwrap();
    let urls = urls(trap.address);
    assert!(urls.len() >= 60, "{}", urls.len());
    for url in &urls {
        let failed = fetcher.certificate(url, NOW).await.expect_err(url);
        assert!(failed.is_refusal(), "{url}: {failed}");
        assert_eq!(trap.reached(), 0, "{url} got there");
    }
    let counts = fetcher.counts();
    assert_eq!(counts.refused.values().sum::<u64>(), u64::try_from(urls.len()).unwrap(), "{counts:?}");
}

#[tokio::test]
async fn a_name_that_is_rebound_is_judged_each_time_and_asked_for_once() {
    // What stands for a public address is this server, at the only address that is allowed.
    let trap = Trap::set(listener_on_8443());
    let server = Server::new(ok("", &certificate("twill")));
    let resolver = Arc::new(Names::new(&[]).with(HOST, &[&[server.address], &[trap.address]]));
    let allowances = vec![format!("{HOST}={}", server.address.ip()).parse().unwrap()];
    let fetcher = Fetcher::new(Settings { allowances, resolver: Some(resolver.clone()), ..server.settings() }).unwrap();
    fetcher.certificate(URL, NOW).await.unwrap();
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1, "connected to what was judged, not to what DNS says next");
    let stale = fetcher.certificate(URL, NOW.plus_seconds(2 * 86_400)).await.unwrap();
    assert!(matches!(stale.stale, Some(NotFetched::RefusedAddress { .. })), "{:?}", stale.stale);
    assert_eq!((server.connections(), trap.reached()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_guard_the_same_urls_get_there() {
    // The control: a client of the same library with the same names and nothing between.
    let trap = Trap::set(listener_on_8443());
    let naive = Naive::new(&trap);
    let urls = urls(trap.address);
    let mut there = Vec::new();
    for url in &urls {
        let before = trap.reached();
        naive.get(url).await;
        if trap.reached() > before {
            there.push(url);
        }
    }
    assert!(there.len() >= 30, "only {} of {}: {there:?}", there.len(), urls.len());
    // And so does ours, where its owner allows it: it is the guard that keeps it away.
    let host = trap.address.ip().to_string();
    let allowances = vec![
        format!("{host}={host}").parse().unwrap(),
        format!("localtest.example={host}/32").parse().unwrap(),
        format!("mixed.example={host}").parse().unwrap(),
    ];
    let fetcher = Fetcher::new(Settings { allowances, ..settings(&trap) }).unwrap();
    for host in [host.as_str(), "localtest.example"] {
        let before = trap.reached();
        let failed = fetcher.certificate(&format!("https://{host}:8443/a.pem"), NOW).await.unwrap_err();
        assert!(!failed.is_refusal(), "{failed}");
        assert_eq!(trap.reached(), before + 1, "{host}");
    }
    let before = trap.reached();
    assert!(fetcher.certificate("https://rebound.example:8443/a.pem", NOW).await.unwrap_err().is_refusal());
    assert_eq!(trap.reached(), before, "what is allowed to one host is allowed to no other");
}

/// What somebody might have written who has not been attacked yet.
struct Naive(reqwest::Client);

impl Naive {
    fn new(trap: &Trap) -> Self {
        struct Asked(Names);
        impl reqwest::dns::Resolve for Asked {
            fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
                let answer = stirtrace::fetch::Resolver::resolve(&self.0, name.as_str());
                Box::pin(async move { Ok(Box::new(answer.await?.into_iter()) as reqwest::dns::Addrs) })
            }
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(any_tls())
            .no_proxy()
            .timeout(Duration::from_millis(300))
            .dns_resolver(Arc::new(Asked(names(trap.address, "192.0.2.1:443".parse().unwrap()))));
        Self(client.build().unwrap())
    }

    async fn get(&self, url: &str) {
        // Whether anything came is no matter: somebody was connected to.
        let _ = self.0.get(url).send().await;
    }
}

fn any_tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_redirect_reaches_a_listener_on_loopback() {
    let trap = Trap::set(listener_on_8443());
    for (number, url) in urls(trap.address).into_iter().chain(["/other.pem".to_owned()]).enumerate() {
        if url.contains(['\r', '\n']) {
            continue;
        }
        let status =
            ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"][number % 5];
        let server = Server::new(answer(status, &format!("Location: {url}\r\nRefresh: 0; url={url}\r\n"), b""));
        let failed = server.fetcher().certificate(&format!("https://{HOST}/a.pem"), NOW).await.unwrap_err();
        assert!(matches!(failed, NotFetched::Redirect { .. }), "{url}: {failed}");
        assert_eq!(server.connections(), 1);
    }
    assert_eq!(trap.reached(), 0);
}

#[tokio::test]
async fn ipv6_loopback_is_reached_by_nobody_either() {
    // Where a machine has no IPv6, nobody can be reached there.
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 8443)) else { return };
    let trap = Trap::set(listener);
    let server = Server::new(ok("", b""));
    let fetcher = server.fetcher();
    for url in ["https://[::1]:8443/a.pem", "https://[0:0:0:0:0:0:0:1]:8443/a.pem", "https://[::0001]:8443/a.pem"] {
        assert!(fetcher.certificate(url, NOW).await.unwrap_err().is_refusal(), "{url}");
    }
    assert_eq!(trap.reached(), 0);
    let allowances = vec!["[::1]=::1".parse().unwrap()];
    let fetcher = Fetcher::new(Settings { allowances, ..server.settings() }).unwrap();
    assert!(!fetcher.certificate("https://[::1]:8443/a.pem", NOW).await.unwrap_err().is_refusal());
    assert_eq!(trap.reached(), 1, "the control");
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    // A proxy connects wherever a name leads. The variables are set for a process of its own.
    if std::env::var_os("STIRTRACE_TEST_PROXIED").is_some() {
        let listener = listener_on_8443();
        let host = listener.local_addr().unwrap().ip().to_string();
        let server = Server::on(listener, &host, Shown::Good, ok("", &certificate("twill")));
        let allowances = vec![format!("{host}={host}").parse().unwrap()];
        let settings = Settings { allowances, resolver: None, ..server.settings() };
        let url = format!("https://{host}:8443/a.pem");
        Fetcher::new(settings).unwrap().certificate(&url, NOW).await.unwrap();
        return;
    }
    let proxy = Server::new(Conduct::Reset);
    let address = format!("http://{}", proxy.address);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "ssrf::a_proxy_of_the_environment_is_not_used"]).env("STIRTRACE_TEST_PROXIED", "1");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"] {
        child.env(name, &address);
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(proxy.connections(), 0);
}
