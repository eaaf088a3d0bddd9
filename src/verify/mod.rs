//! Verification service: from a call and its Identity headers to a verdict (RFC 8224 §6.2, ATIS-1000074, ATIS-1000082).
//!
//! Ask, then judge: [`Verifier::missing`] lists the URLs of certificates that are needed and not there, the caller gets
//! them by any means, and [`Verifier::verify`] judges without any input or output. Time is an argument.
//!
//! What rich call data names by URL is asked for after that, once its PASSporT is known to be valid:
//! [`Verdict::missing_resources`] lists it, whoever gets it hands it in ([`Materials::add_resource`]) and judges again.

mod call_checks;
mod case;
mod credential_checks;
mod detail;
mod div_chain;
mod error;
mod examination;
mod materials;
mod policy;
mod priority;
mod report;
mod revocation;
mod rich_call_data;
mod rules;
mod signature;
mod stage;
mod subject;
mod verdict;

use std::sync::Arc;

use crate::certificate::chain::LinkCache;
use crate::es256::{Batch, TableCache};
use crate::identity_header::IdentityHeader;
use crate::passport::HeaderCache;
use crate::sip::call::Call;
use crate::time::UnixTime;
use case::{Caches, Case};
use subject::{Kind, Subject};

pub use detail::Detail;
pub use error::Error;
pub use materials::{Credential, Materials, Trust};
pub use policy::{CrlPolicy, MAX_IDENTITY_HEADERS, Policy, PrioritySigner, PrioritySigners, Require};
pub use priority::{Priority, PriorityVerstat};
pub use rich_call_data::{RichCallDataReport, RichCallDataStatus};
pub use rules::{RULES, Rule};
pub use stage::{Part, Stage};
pub use verdict::{
    Atis82, CallSummary, Check, CheckResult, Conclusion, PassportReport, PathElement, Profile, Reason, Signer,
    SipResponse, Status, Verdict, Verified, Verstat,
};

/// Verifies calls by one policy. Shared between threads, it verifies in parallel.
///
/// It remembers which issuer's key made which certificate's signature and what header segments say, facts that do not
/// change; never whom to trust, which depends on the instant, the anchors and the CRLs. For keys that sign much it keeps tables that make
/// their signatures cheaper to verify, and judge them the same.
#[derive(Debug, Default)]
pub struct Verifier {
    policy: Policy,
    headers: Arc<HeaderCache>,
    links: Arc<LinkCache>,
    tables: Arc<TableCache>,
}

impl Verifier {
    /// A verifier of this policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// The same with another cache of tables, which verifiers may share; one with a budget of 0 leaves all signatures
    /// to the library.
    #[must_use]
    pub fn with_tables(self, tables: Arc<TableCache>) -> Self {
        Self { tables, ..self }
    }

    /// A verifier of another policy that remembers what this one remembers: facts are true under any policy.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        let (headers, links, tables) = (Arc::clone(&self.headers), Arc::clone(&self.links), Arc::clone(&self.tables));
        Self { policy, headers, links, tables }
    }

    /// The tables of the keys that sign much.
    #[must_use]
    pub fn tables(&self) -> &TableCache {
        &self.tables
    }

    /// The policy it judges by.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The URLs of certificates that judging this call needs and `materials` does not have, in header order.
    ///
    /// URLs that may not be dereferenced (F8) and headers of unsupported types are left out.
    #[must_use]
    pub fn missing(&self, call: &Call, materials: &Materials) -> Vec<String> {
        let mut urls: Vec<String> = Vec::new();
        for field in call.identities.iter().take(MAX_IDENTITY_HEADERS) {
            // Mostly all is there: then nothing but the header has to be read.
            let header = IdentityHeader::parse(&field.value).ok();
            if header.and_then(|header| header.info).is_none_or(|url| materials.knows(&url)) {
                continue;
            }
            let subject = Subject::read(field, call, &self.policy, &self.headers);
            if subject.kind == Kind::Unsupported {
                continue;
            }
            if let Some(url) = subject.credential_url()
                && !materials.knows(url)
                && !urls.iter().any(|earlier| earlier == url)
            {
                urls.push(url.to_owned());
            }
        }
        urls
    }

    /// Judges a call at the instant `now`.
    pub fn verify(&self, call: &Call, materials: &Materials, now: UnixTime) -> Verdict {
        let mut case = Case::open(call, materials, &self.policy, self.caches(), now);
        signature::settle(case.subjects(), &self.tables, self.policy.cross_check);
        case.conclude(&self.policy)
    }

    /// Judges calls, each at its own instant; the verdicts come in this order, and are those of [`Self::verify`].
    ///
    /// Signatures by keys that sign much are verified together, which costs less than one by one: give some dozens of
    /// calls at once. More of them gain no more, and all are held until the last is judged.
    pub fn verify_batch(&self, calls: &[(&Call, UnixTime)], materials: &Materials) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(calls.len());
        for portion in calls.chunks(MAX_OPEN) {
            let open = |&(call, now)| Case::open(call, materials, &self.policy, self.caches(), now);
            let mut cases: Vec<Case<'_>> = portion.iter().map(open).collect();
            let subjects = cases.iter_mut().flat_map(Case::subjects);
            signature::settle(subjects, &self.tables, self.policy.cross_check);
            verdicts.extend(cases.into_iter().map(|case| case.conclude(&self.policy)));
        }
        verdicts
    }

    fn caches(&self) -> Caches<'_> {
        Caches { headers: &self.headers, links: &self.links }
    }
}

/// How many calls of a batch are open at a time.
const MAX_OPEN: usize = 2 * Batch::LANES;
