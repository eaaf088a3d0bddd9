//! CRLs that are stale, or whose host is down: what the policy says (F22, F23, H20, H22).

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use stirtrace::certificate::crl::Crl;
use stirtrace::fetch::{Fetcher, Settings};
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::Trust;
use tokio::runtime::Runtime;

use crate::lab;
use crate::load::{Load, is_passed};
use crate::page::Page;
use crate::server::{DAY, HOUR, Server, answer, ok};
use crate::stand::{NOW, Request, Setup, Stand, VERIFICATION, good, identity, verification_of};

/// The lab's roots, and this CRL alone.
fn trust(crl: &[u8]) -> Trust {
    let mut trust = Trust::new();
    trust.set_anchors(lab::roots());
    trust.add_crl(Crl::from_bytes(crl).unwrap());
    for signer in TrustAnchors::from_pem(&lab::file("crl-signer.pem")).unwrap().certificates() {
        trust.add_crl_signer(signer.clone());
    }
    trust
}

/// What becomes of a good call, and whether the service is ready, by the lab's CRL whose time was over in January.
fn results(policy: &str) -> (Value, u16) {
    let setup = Setup::new(&format!("[service.verification]\ncrl_policy = \"{policy}\""));
    let mut loaded = setup.loaded();
    loaded.trust = trust(&lab::file("crl/stale.pem"));
    let stand = Stand::start(move |_| Ok(loaded.clone()), None);
    let body = verification_of(good());
    let request = Request::new(VERIFICATION, body.to_string().as_bytes()).bytes();
    let load = Load::start(stand.address, &request, |answer| answer.code == 200);
    let result = stand.verification(&body);
    load.goes_on(policy);
    let age = Page::of(&stand).ending("_age_seconds").map(|(_, age)| age).next().unwrap();
    assert!(age > 100.0 * 86_400.0, "from January to May: {age}");
    let ready = stand.get("/ready").code;
    (result, ready)
}

#[test]
fn a_stale_crl_is_what_the_policy_makes_of_it() {
    // F23: soft by default, with its age visible.
    for (policy, passes, ready) in [("use", true, 200), ("require", true, 200), ("require-fresh", false, 503)] {
        let (result, is_ready) = results(policy);
        assert_eq!(is_ready, ready, "{policy}");
        if passes {
            assert_eq!(result["verstat"], "TN-Validation-Passed", "{policy}: {result}");
        } else {
            // H20.
            assert_eq!((&result["reasonCode"], &result["verstat"]), (&437.into(), &"TN-Validation-Failed".into()));
        }
    }
}

/// A service that reads its CRL as the command does: by the fetcher, at the start and whenever it reads anew.
struct Reading {
    fetcher: Fetcher,
    runtime: Runtime,
}

const CRL: &str = "https://certificates.example/crl";

impl Reading {
    fn new(server: &Server, cache: &Path) -> Self {
        let settings = Settings { cache: Some(cache.to_owned()), ..server.settings() };
        Self { fetcher: Fetcher::new(settings).unwrap(), runtime: Runtime::new().unwrap() }
    }

    fn start(self: Arc<Self>) -> Stand {
        Stand::start(
            move |now| {
                let fetched = self.runtime.block_on(self.fetcher.crl(CRL, now)).map_err(|why| why.to_string())?;
                let mut loaded = Setup::new("[service.verification]\ncrl_policy = \"require\"").loaded();
                loaded.trust = trust(&fetched.body);
                loaded.fetcher = Some(self.fetcher.clone());
                Ok(loaded)
            },
            None,
        )
    }
}

#[test]
fn while_the_host_of_the_crl_is_down_the_last_good_one_counts() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("Cache-Control: max-age=3600\r\n", &lab::file("crl/indirect.pem")));
    let reading = Arc::new(Reading::new(&server, folder.path()));
    let stand = Arc::clone(&reading).start();
    assert_calls(&stand, NOW);
    let body = verification_of(good()).to_string();
    let load = Load::start(stand.address, &Request::new(VERIFICATION, body.as_bytes()).bytes(), is_passed);
    // Everything the host may do instead: none of it replaces what was good.
    let page = ok("", b"<html></html>");
    for (conduct, hours) in [(answer("500 x", "", b"x"), 2), (page, 3), (answer("404 x", "", b"x"), 5)] {
        server.conduct(conduct);
        // The clock of warm calls stands; only the reading goes on.
        let later = UnixTime::from_seconds(NOW + hours * HOUR);
        let served = reading.runtime.block_on(reading.fetcher.crl(CRL, later)).unwrap();
        assert!(served.stale.is_some(), "and says so");
        stand.engine.reload().unwrap();
        load.goes_on("the host of the CRL is down");
        assert_calls(&stand, NOW);
    }
    let counts = reading.fetcher.counts();
    assert_eq!((counts.failed.get("Status"), counts.failed.get("Unacceptable")), (Some(&2), Some(&1)), "{counts:?}");
    assert_eq!(counts.stale, 3);
    load.stop();
    stand.stop();
    reading.runtime.block_on(reading.fetcher.settle());
    drop(reading);
    // A new start, the host still down: the disk has the last good one.
    let again = Arc::new(Reading::new(&server, folder.path())).start();
    again.at(NOW + 2 * DAY);
    again.engine.reload().unwrap();
    assert_calls(&again, NOW + 2 * DAY);
    let ages: Vec<_> = Page::of(&again).ending("_age_seconds").map(|(series, _)| series.to_owned()).collect();
    assert_eq!(ages.len(), 1, "{ages:?}");
}

/// A good call passes, one of a revoked certificate does not (H22).
fn assert_calls(stand: &Stand, seconds: i64) {
    let shift = seconds - NOW;
    let at = |odd: Value| {
        let mut body = verification_of(identity(odd));
        body["verificationRequest"]["time"] = seconds.into();
        stand.verification(&body)
    };
    let passed = at(serde_json::json!({"iat": shift}));
    assert_eq!(passed["verstat"], "TN-Validation-Passed", "{passed}");
    let revoked = at(serde_json::json!({"iat": shift, "signer": "revoked"}));
    assert_eq!((&revoked["reasonCode"], &revoked["verstat"]), (&437.into(), &"TN-Validation-Failed".into()));
}
