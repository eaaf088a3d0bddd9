//! Cases as data: a scene and what must come of it, by the rows of table H.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};
use stirtrace::verify::{Check, PassportReport, Profile, SipResponse, Verdict};

use crate::scene::Scene;

/// One case of a vector file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// The clause that it holds the verifier to.
    pub(crate) source: String,
    /// Further rules that it shows, such as `G3`.
    #[serde(default)]
    pub(crate) rules: Vec<String>,
    #[serde(default, rename = "comment")]
    _comment: Option<String>,
    #[serde(default)]
    pub(crate) scene: Scene,
    pub(crate) expect: Expect,
    /// What a strict policy makes of it, where that differs.
    #[serde(default)]
    pub(crate) strict: Option<Expect>,
}

/// What must come of a scene.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// The outcome that decides, by its name in `outcomes.json`.
    pub(crate) outcome: String,
    /// The outcome of each PASSporT; where it is left out, of the only one.
    #[serde(default)]
    pub(crate) passports: Option<Vec<String>>,
    /// Checks of the first PASSporT.
    #[serde(default)]
    pub(crate) checks: BTreeMap<String, String>,
    /// Checks of each PASSporT.
    #[serde(default)]
    pub(crate) checks_of: Vec<BTreeMap<String, String>>,
    /// Checks of the call as a whole.
    #[serde(default)]
    pub(crate) call_checks: BTreeMap<String, String>,
    /// Words of the error's detail.
    #[serde(default)]
    pub(crate) detail: Option<String>,
    /// Where the error points, in bytes of the header's value.
    #[serde(default)]
    pub(crate) offset: Option<usize>,
    #[serde(default)]
    pub(crate) attest: Option<String>,
    #[serde(default)]
    pub(crate) spc: Option<String>,
    /// What came of the call's priority, and what of it is authorised; `none` where the call has none.
    #[serde(default)]
    pub(crate) priority: Option<String>,
    #[serde(default)]
    pub(crate) authorized: Option<Vec<String>>,
    /// Members of each entry of `rich_call_data`; of `reason`, words of it.
    #[serde(default)]
    pub(crate) rich_call_data: Option<Vec<Map<String, Value>>>,
}

/// One line of table H, or a variant of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    /// `H5`, or `H7.missing` for a variant.
    pub(crate) name: String,
    pub(crate) verdict: String,
    pub(crate) verstat: String,
    pub(crate) status: Option<String>,
    pub(crate) errors: Vec<String>,
    pub(crate) rfc: Option<(u16, String)>,
    pub(crate) atis: Option<(u16, String)>,
    pub(crate) atis82: Option<(u16, Option<String>)>,
    #[serde(default, rename = "comment")]
    _comment: Option<String>,
}

impl Outcome {
    /// The row without the variant.
    pub(crate) fn row(&self) -> &str {
        self.name.split('.').next().unwrap()
    }
}

/// Table H as the tests hold the verifier to it.
pub(crate) struct Table(BTreeMap<String, Outcome>);

impl Table {
    pub(crate) fn read() -> Self {
        let outcomes: Vec<Outcome> = read("outcomes.json");
        Self(outcomes.into_iter().map(|outcome| (outcome.name.clone(), outcome)).collect())
    }

    pub(crate) fn outcome(&self, name: &str) -> &Outcome {
        self.0.get(name).unwrap_or_else(|| panic!("outcomes.json has no {name:?}"))
    }

    pub(crate) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.0.values()
    }

    /// Runs a case in both profiles, strict too where the case says what that means. Gives what is wrong.
    pub(crate) fn run(&self, case: &Case) -> Vec<String> {
        let mut faults = self.compare(&case.scene, &case.expect, "");
        if let Some(expect) = &case.strict {
            let mut scene = case.scene.clone();
            scene.policy.strict = true;
            faults.extend(self.compare(&scene, expect, ", strict"));
        }
        faults.into_iter().map(|fault| format!("{}: {fault}", case.id)).collect()
    }

    fn compare(&self, scene: &Scene, expect: &Expect, how: &str) -> Vec<String> {
        let profiles = [Profile::Rfc, Profile::Atis];
        let faults = profiles.into_iter().flat_map(|profile| {
            let faults = self.faults(&scene.verdict(profile), expect, profile);
            faults.into_iter().map(move |fault| format!("[{}{how}] {fault}", profile.as_str()))
        });
        faults.collect()
    }

    fn faults(&self, verdict: &Verdict, expect: &Expect, profile: Profile) -> Vec<String> {
        let mut faults = Faults::default();
        let outcome = self.outcome(&expect.outcome);
        faults.equal("verdict", verdict.conclusion.as_str(), &outcome.verdict);
        faults.equal("verstat", verdict.verstat.as_str(), &outcome.verstat);
        faults.equal("sip", pair(verdict.sip), outcome.response(profile));
        let single = outcome.status.as_ref().map(|_| expect.outcome.clone()).into_iter().collect();
        let names = expect.passports.clone().unwrap_or(single);
        faults.equal("the number of PASSporTs", verdict.passports.len(), names.len());
        for (index, (report, name)) in verdict.passports.iter().zip(&names).enumerate() {
            self.outcome(name).compare(report, profile, &format!("PASSporT {index}"), &mut faults);
        }
        let in_error = verdict.passports.iter().filter(|report| report.sip.is_some()).count();
        faults.equal("the number of reasons (E23)", verdict.reasons.len(), in_error);
        if let Some(report) = verdict.passports.first() {
            checks(&report.checks, &expect.checks, "PASSporT 0", &mut faults);
            let error = report.error.as_ref();
            if let Some(words) = &expect.detail {
                let detail = error.map(ToString::to_string).unwrap_or_default();
                faults.check(detail.contains(words), || format!("{detail:?} does not say {words:?}"));
            }
            if expect.offset.is_some() {
                faults.equal("offset", error.and_then(stirtrace::verify::Error::offset), expect.offset);
            }
        }
        for (index, (report, wanted)) in verdict.passports.iter().zip(&expect.checks_of).enumerate() {
            checks(&report.checks, wanted, &format!("PASSporT {index}"), &mut faults);
        }
        checks(&verdict.checks, &expect.call_checks, "the call", &mut faults);
        if expect.attest.is_some() {
            faults.equal("attest", verdict.attest.map(|attest| attest.to_string()), expect.attest.clone());
        }
        if expect.spc.is_some() {
            let spc = verdict.signer.as_ref().and_then(|signer| signer.spc().map(str::to_owned));
            faults.equal("spc", spc, expect.spc.clone());
        }
        let priority = verdict.priority.as_deref();
        if let Some(expected) = &expect.priority {
            faults.equal("priority", priority.map_or("none", |own| own.verstat.as_str()), expected);
        }
        if let Some(expected) = &expect.authorized {
            let authorized = priority.map(|own| own.authorized.iter().map(ToString::to_string).collect::<Vec<_>>());
            faults.equal("authorized", authorized.unwrap_or_default(), expected.clone());
        }
        if let Some(wanted) = &expect.rich_call_data {
            faults.rich_call_data(verdict, wanted);
        }
        faults.list
    }
}

impl Outcome {
    fn response(&self, profile: Profile) -> Option<(u16, String)> {
        match profile {
            Profile::Rfc => self.rfc.clone(),
            _ => self.atis.clone(),
        }
    }

    fn compare(&self, report: &PassportReport, profile: Profile, which: &str, faults: &mut Faults) {
        faults.equal(&format!("{which}: status"), Some(report.status.as_str().to_owned()), self.status.clone());
        let kind = report.error.as_ref().map(stirtrace::verify::Error::kind);
        let expected = if self.errors.is_empty() { kind.is_none() } else { kind.is_some_and(|kind| self.has(kind)) };
        let shown = report.error.as_ref().map(|error| format!("{}: {error}", error.kind()));
        faults.check(expected, || format!("{which}: error is {shown:?}, not of {:?}", self.errors));
        faults.equal(&format!("{which}: sip"), pair(report.sip), self.response(profile));
        let found = report.atis82.map(|result| (result.code, result.case.map(str::to_owned)));
        faults.equal(&format!("{which}: atis82"), found, self.atis82.clone());
        if let Some(error) = &report.error {
            faults.equal(&format!("{which}: row"), error.row(), self.row());
        }
    }

    fn has(&self, kind: &str) -> bool {
        self.errors.iter().any(|known| known == kind)
    }
}

/// What a case found wrong.
#[derive(Default)]
struct Faults {
    list: Vec<String>,
}

impl Faults {
    fn equal<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug>(&mut self, what: &str, found: A, expected: B) {
        self.check(found == expected, || format!("{what} is {found:?}, not {expected:?}"));
    }

    fn rich_call_data(&mut self, verdict: &Verdict, wanted: &[Map<String, Value>]) {
        let found = serde_json::to_value(&verdict.rich_call_data).unwrap();
        self.equal("the number of rich call data", verdict.rich_call_data.len(), wanted.len());
        for (index, members) in wanted.iter().enumerate() {
            for (name, value) in members {
                let own = &found[index][name];
                let holds = match (name.as_str(), own.as_str(), value.as_str()) {
                    ("reason", Some(own), Some(words)) => own.contains(words),
                    _ => own == value,
                };
                self.check(holds, || format!("rich call data {index}: {name} is {own}, not {value}"));
            }
        }
    }

    fn check(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.list.push(fault());
        }
    }
}

/// The worst result of each check named.
fn checks(found: &[Check], expected: &BTreeMap<String, String>, which: &str, faults: &mut Faults) {
    for (name, wanted) in expected {
        let rank = |result: &str| ["pass", "skip", "warn", "fail"].iter().position(|known| *known == result);
        let results = found.iter().filter(|check| check.rule.name() == name).map(|check| check.result.as_str());
        let worst = results.max_by_key(|result| rank(result)).unwrap_or("absent");
        let details: Vec<_> =
            found.iter().filter(|check| check.rule.name() == name).map(|check| &check.detail).collect();
        faults.check(worst == wanted, || format!("{which}: the check {name} is {worst}, not {wanted}: {details:?}"));
    }
}

fn pair(response: Option<SipResponse>) -> Option<(u16, String)> {
    response.map(|response| (response.code, response.phrase.to_owned()))
}

/// The file of `tests/vectors` of that name.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = fs::read(&path).unwrap_or_else(|reason| panic!("{name}: {reason}"));
    serde_json::from_slice(&text).unwrap_or_else(|reason| panic!("{name}: {reason}"))
}

/// Runs every case of these files; panics with everything that is wrong.
pub(crate) fn run(names: &[&str]) {
    let table = Table::read();
    let mut ids = BTreeSet::new();
    let mut faults = Vec::new();
    for case in names.iter().flat_map(|name| read::<Vec<Case>>(name)) {
        assert!(ids.insert(case.id.clone()), "{} stands twice", case.id);
        assert!(!case.source.is_empty(), "{} cites nothing", case.id);
        faults.extend(table.run(&case));
    }
    assert!(!ids.is_empty());
    assert!(faults.is_empty(), "{} faults in {} cases:\n{}", faults.len(), ids.len(), faults.join("\n"));
}
