//! Which findings the records, the map of peers and a verdict allow; the conditions are those of
//! [`FindingName`].

use crate::cdr::{Place, Record};
use crate::number::{NumberPlan, TelephoneNumber};
use crate::passport::Attestation;
use crate::time::UnixTime;
use crate::traceback::candidate::{Tier, first_passport};
use crate::traceback::chain::{BelievedSigner, View};
use crate::traceback::finding::{Finding, FindingName};
use crate::traceback::replay::Replays;
use crate::traceback::search::{Match, Search};
use crate::verify::{CheckResult, Conclusion, Error, Verdict};

/// Everything that findings are drawn from.
pub(super) struct Facts<'a> {
    pub(super) search: &'a Search<'a>,
    pub(super) request: usize,
    pub(super) views: &'a [View<'a>],
    pub(super) verdict: Option<&'a Verdict>,
    pub(super) signer: Option<&'a BelievedSigner>,
    pub(super) replays: Option<&'a Replays>,
}

impl Facts<'_> {
    pub(super) fn findings(&self) -> Vec<Finding> {
        let Some(us) = self.views.first() else { return Vec::new() };
        let mut findings = Vec::new();
        findings.extend(self.clock_offset(&us.found));
        findings.extend(self.rewritten(us));
        findings.extend(self.loops());
        findings.extend(self.two_originators());
        findings.extend(self.missing_hop());
        findings.extend(self.attestation_lost());
        findings.extend(self.verdict.into_iter().flat_map(untrustworthy_signature));
        findings.extend(self.diverted(us.record()));
        findings.extend(self.downstream_signed());
        findings.extend(self.foreign_signer());
        findings.extend(self.spoofed_with_a(us.record()));
        findings.extend(self.replayed(us.record()));
        findings
    }

    /// Only where the run's requests agree on it: one that is found at its own time in that source outweighs one that is
    /// not, and a PASSporT that was signed when the record says that the call began shows the clock right.
    fn clock_offset(&self, found: &Match) -> Option<Finding> {
        let candidate = &found.candidate;
        let standing = &candidate.standing;
        if standing.tier != Tier::Clock {
            return None;
        }
        let clock = self.search.clock(candidate.origin, candidate.record.start);
        let minutes = clock.ahead / 60;
        if minutes == 0 || minutes != standing.parts.clock_offset_minutes {
            return None;
        }
        let (size, word) = (minutes.abs(), if minutes > 0 { "ahead of" } else { "behind" });
        let hours = format!("{}:{:02}", size / 60, size % 60);
        let source = self.search.source_name(candidate.origin);
        let agree = format!("{} of {} requests whose call may be there agree", clock.agreeing, clock.of);
        let detail =
            format!("the clock of {source} is {hours} hours {word} the requests' ({agree}); is its time_zone right?");
        Some(Finding::new(FindingName::ClockOffset, detail))
    }

    /// A network has the call twice, and it was with a peer in between.
    fn loops(&self) -> Vec<Finding> {
        let of_view = |view: &View<'_>| {
            let ways = view.ways.windows(2).filter_map(|pair| Some((pair[0].to?, pair[1].from?)));
            let around: Vec<String> = ways
                .map(|(to, from)| {
                    if to.is_same(from) {
                        format!("left for {} and came back", to.name)
                    } else {
                        format!("left for {} and came back from {}", to.name, from.name)
                    }
                })
                .collect();
            let name = &view.network.name;
            (!around.is_empty()).then(|| {
                Finding::new(
                    FindingName::Loop,
                    format!("{name} had the call {} times: it {}", around.len() + 1, around.join(", then ")),
                )
            })
        };
        self.views.iter().filter_map(of_view).collect()
    }

    /// Another network that says that it handed the call on names a customer of its own as the origin.
    fn two_originators(&self) -> Vec<Finding> {
        let Some((top, customer)) = self.views.last().and_then(|top| Some((top, top.customer()?))) else {
            return Vec::new();
        };
        let others =
            (0..self.search.networks().len()).filter(|index| self.views.iter().all(|view| view.index != *index));
        let claims = others.filter_map(|index| {
            let [only] = <[Match; 1]>::try_from(self.search.matches(self.request, index)).ok()?;
            let both_numbers = matches!(only.candidate.standing.judged, Tier::Exact | Tier::Near);
            let other = View::new(self.search, index, only);
            let theirs = other.customer().filter(|_| both_numbers && other.handed_to(top.network))?;
            let detail = format!(
                "{} names its customer {} as the origin, and {} says that it handed it the call of its customer {}",
                top.network.name, customer.name, other.network.name, theirs.name
            );
            Some(Finding::new(FindingName::TwoOriginators, detail))
        });
        claims.collect()
    }

    /// A hop's record has a PASSporT, and the next hop's has none, though its source records them.
    fn attestation_lost(&self) -> Vec<Finding> {
        let lost = |pair: &[View<'_>]| {
            let (below, above) = (&pair[0], &pair[1]);
            first_passport(above.record())?;
            let origin = below.found.candidate.origin;
            if !below.record().identity.is_empty() || !self.search.records_identities(origin) {
                return None;
            }
            let detail = format!(
                "the record of {} has a PASSporT, that of {} has none, and its source {} records them",
                above.network.name,
                below.network.name,
                self.search.source_name(origin)
            );
            Some(Finding::new(FindingName::AttestationLost, detail))
        };
        self.views.windows(2).filter_map(lost).collect()
    }

    fn replayed(&self, record: &Record) -> Option<Finding> {
        let places = self.replays?.elsewhere(record);
        let file = |place: &Place| self.search.files().get(place.file).map_or("", |file| file.name.as_str());
        let lines: Vec<String> = places.iter().map(|place| format!("{}:{}", file(place), place.line)).collect();
        let detail = || format!("the same token came with other calls: {}", lines.join(", "));
        (!lines.is_empty()).then(|| Finding::new(FindingName::ReplayedToken, detail()))
    }

    /// The request has the number as a later hop saw it; records of earlier hops have it as they saw it.
    fn rewritten(&self, us: &View<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let detail = |name: &str, own: &str, other: &str| {
            Finding::new(FindingName::NumberRewritten, format!("{name} has the calling number as {own}, {other}"))
        };
        let asked = self.search.requests().get(self.request).and_then(|request| request.from.canonical);
        let tier = us.found.candidate.standing.tier;
        if let (Tier::CalledOnly, Some(asked), Some(_)) = (tier, asked, us.record().calling.canonical) {
            let other = format!("the request as {asked}");
            findings.push(detail(&us.network.name, &calling(us.record()), &other));
        }
        for pair in self.views.windows(2) {
            let numbers = (pair[0].record().calling.canonical, pair[1].record().calling.canonical);
            // A number that one of them withholds is not another number.
            if matches!(numbers, (Some(below), Some(above)) if below != above) {
                let other = format!("{} as {}", pair[1].network.name, calling(pair[1].record()));
                findings.push(detail(&pair[0].network.name, &calling(pair[0].record()), &other));
            }
        }
        findings
    }

    fn missing_hop(&self) -> Vec<Finding> {
        let disagree = |pair: &[View<'_>]| {
            let downstream = pair[1].downstream.filter(|_| !pair[1].handed_to(pair[0].network))?;
            let (below, above) = (&pair[0].network.name, &pair[1].network.name);
            let detail = format!("{below} has the call from {above}, which handed it to {}", downstream.name);
            Some(Finding::new(FindingName::MissingHop, detail))
        };
        self.views.windows(2).filter_map(disagree).collect()
    }

    fn diverted(&self, record: &Record) -> Option<Finding> {
        let verdict = self.verdict.filter(|verdict| verdict.conclusion != Conclusion::Passed)?;
        let called = record.called.canonical.as_ref()?;
        let passport = first_passport(record)?;
        let dest = passport.claims().dest.clone()?;
        let plan = NumberPlan::NORTH_AMERICAN;
        let signed: Vec<TelephoneNumber> = dest.numbers.iter().filter_map(|text| plan.canonicalise(text)).collect();
        // A div chain that covers the called number makes the verdict pass; one that fails elsewhere says so itself.
        let uncovered = verdict.passports.iter().filter_map(|report| report.error.as_ref()).any(|error| {
            matches!(
                error,
                Error::DestMismatch { .. } | Error::DivChainIncomplete { .. } | Error::DivChainInvalid { .. }
            )
        });
        if signed.is_empty() || signed.contains(called) || !uncovered {
            return None;
        }
        let signed: Vec<&str> = signed.iter().map(TelephoneNumber::as_str).collect();
        let detail =
            format!("the call is for {called}, the PASSporT for {}, and no diversion is signed", signed.join(", "));
        Some(Finding::new(FindingName::DivertedUnverified, detail))
    }

    /// A hop that took the call from a provider is not the originating one.
    fn downstream_signed(&self) -> Option<Finding> {
        let signer = self.signer?;
        let attest = signer.attest.filter(|attest| matches!(attest, Attestation::A | Attestation::B))?;
        let view = self.views.iter().find(|view| view.network.spc.as_ref() == Some(&signer.spc))?;
        let upstream = view.upstream_provider()?;
        let detail = format!("{} signed with {attest} a call that it had from {}", signer.label(), upstream.name);
        Some(Finding::new(FindingName::DownstreamSignedAOrB, detail))
    }

    /// Both need the originating hop: the highest network names a customer.
    fn foreign_signer(&self) -> Vec<Finding> {
        let Some((signer, top)) = self.signer.zip(self.views.last()) else { return Vec::new() };
        let Some(customer) = top.customer() else { return Vec::new() };
        let Some(own) = &top.network.spc else { return Vec::new() };
        if signer.spc == *own || customer.spc.as_ref() == Some(&signer.spc) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let hop = |view: &View<'_>| view.network.spc.as_ref().is_none_or(|spc| *spc == signer.spc);
        let is_hop = self.views.iter().any(hop);
        if !is_hop {
            let detail =
                format!("{} signed, and is no hop between the customer {} and us", signer.label(), customer.name);
            findings.push(Finding::new(FindingName::SignerNotInPath, detail));
        }
        let signed_at = self.verdict.and_then(Verdict::verified).and_then(|passport| passport.get().claims().iat);
        // A provider further down signs with C what came unsigned, for itself and not for the responsible one.
        let signs_for_itself = is_hop && signer.attest == Some(Attestation::C);
        if !signs_for_itself && signed_at.is_some_and(|iat| iat >= THIRD_PARTY_SIGNING_ENDS) {
            let detail = format!(
                "{} originated the call of its customer {}, and {} signed it; since 2025-09-18 the responsible provider's own certificate must sign (47 CFR 64.6301)",
                top.network.name,
                customer.name,
                signer.label()
            );
            findings.push(Finding::new(FindingName::SignerIsNotResponsibleProvider, detail));
        }
        findings
    }

    fn spoofed_with_a(&self, record: &Record) -> Option<Finding> {
        let signer = self.signer.filter(|signer| signer.attest == Some(Attestation::A))?;
        let calling = record.calling.canonical.as_ref()?;
        let reason = not_assignable(calling)?;
        let detail = format!("{} attested A for {calling}: {reason}", signer.label());
        Some(Finding::new(FindingName::SpoofedNumberWithA, detail))
    }
}

/// 2025-09-19T00:00:00Z: the day after third-party signing needed the responsible provider's certificate (FCC 24-120).
const THIRD_PARTY_SIGNING_ENDS: UnixTime = UnixTime::from_seconds(1_758_240_000);

fn calling(record: &Record) -> String {
    record.calling.canonical.map_or_else(|| record.calling.raw.clone(), |number| number.to_string())
}

fn untrustworthy_signature(verdict: &Verdict) -> Vec<Finding> {
    let mut findings = Vec::new();
    for report in &verdict.passports {
        let failed = |name| report.check(name) == Some(CheckResult::Fail);
        let who = || report.signer.as_ref().and_then(|own| own.common_name()).unwrap_or("the signer").to_owned();
        let reason = |default: String| report.error.as_ref().map_or(default, ToString::to_string);
        if failed("signature") {
            let detail = match &report.error {
                Some(error @ Error::InvalidSignature { .. }) => error.to_string(),
                _ => format!("the signature does not verify with the key of {}", who()),
            };
            findings.push(Finding::new(FindingName::SignatureInvalid, detail));
        }
        if failed("revocation") && matches!(report.error, Some(Error::CertificateRevoked { .. })) {
            let detail = reason(format!("the certificate of {} was revoked", who()));
            findings.push(Finding::new(FindingName::CertificateRevoked, detail));
        }
    }
    findings
}

/// Why no subscriber can have a number of the North American plan; `None` where one can, and for all others.
fn not_assignable(number: &TelephoneNumber) -> Option<&'static str> {
    let [b'1', area @ .., _, _, _, _] = number.as_str().as_bytes() else { return None };
    let [a, b, c, x, y, z] = area else { return None };
    if !matches!(a, b'2'..=b'9') || *b == b'9' {
        return Some("no area code is numbered so");
    }
    if !matches!(x, b'2'..=b'9') {
        return Some("no exchange begins so");
    }
    let service = |second: &u8, third: &u8| *second == b'1' && *third == b'1';
    (service(b, c) || service(y, z)).then_some("codes that end in 11 are services")
}
