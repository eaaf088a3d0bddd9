//! Verification service: from a call and its Identity headers to a verdict (RFC 8224 §6.2, ATIS-1000074, ATIS-1000082).
//!
//! Ask, then judge: [`Verifier::missing`] lists the URLs of certificates that are needed and not there, the caller gets
//! them by any means, and [`Verifier::verify`] judges without any input or output. Time is an argument.

mod call_checks;
mod credential_checks;
mod div_chain;
mod error;
mod examination;
mod materials;
mod policy;
mod report;
mod revocation;
mod rules;
mod signature;
mod subject;
mod verdict;

use std::sync::Arc;

use crate::certificate::chain::LinkCache;
use crate::es256::TableCache;
use crate::sip::call::Call;
use crate::time::UnixTime;
use credential_checks::Caches;
use div_chain::DivChain;
use subject::{Kind, Subject};

pub use error::{Error, Part, Stage};
pub use materials::{Credential, Materials, Trust};
pub use policy::{CrlPolicy, MAX_IDENTITY_HEADERS, Policy, Require};
pub use rules::{RULES, Rule};
pub use verdict::{
    Atis82, CallSummary, Check, CheckResult, Conclusion, PassportReport, PathElement, Profile, Reason, Signer,
    SipResponse, Status, Verdict, Verified, Verstat,
};

/// Verifies calls by one policy. Shared between threads, it verifies in parallel.
///
/// It remembers which issuer's key made which certificate's signature, a fact that does not change; never whom to
/// trust, which depends on the instant, the anchors and the CRLs. For keys that sign much it keeps tables that make
/// their signatures cheaper to verify, and judge them the same.
#[derive(Debug, Default)]
pub struct Verifier {
    policy: Policy,
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
        Self { policy, links: Arc::clone(&self.links), tables: Arc::clone(&self.tables) }
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
            let subject = Subject::read(field, call, &self.policy);
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
        let fields = call.identities.iter().take(MAX_IDENTITY_HEADERS);
        // RFC 8224 §6.2 step 1 and what each PASSporT's own text decides.
        let mut subjects: Vec<Subject> = fields.map(|field| Subject::read(field, call, &self.policy)).collect();
        // RFC 8946 §4.2 (a): which PASSporT diverts which.
        let chain = DivChain::link(&subjects);
        let caches = Caches { links: &self.links, tables: &self.tables };
        let mut signers = Vec::with_capacity(subjects.len());
        for subject in &mut subjects {
            if subject.kind == Kind::Unsupported {
                signers.push(credential_checks::Credentials::default());
                continue;
            }
            // RFC 8224 §6.2 step 2.
            subject.check_orig(call);
            // RFC 8224 §6.2 steps 3 and 5, RFC 8226, ATIS-1000080.
            signers.push(subject.check_credential(materials, &self.policy, caches, now));
        }
        // RFC 8946 §4.2 (e): which PASSporTs may be older, because sound diversions followed them.
        let age = |subject: &Subject| subject.age(&self.policy, now);
        let carried: Vec<bool> =
            (0..subjects.len()).map(|index| chain.is_carried(index, &subjects, call, age)).collect();
        for (subject, carried) in
            subjects.iter_mut().zip(carried).filter(|(subject, _)| subject.kind != Kind::Unsupported)
        {
            // RFC 8224 §6.2 step 4.
            subject.check_freshness(call, &self.policy, now, carried);
            // RFC 8224 §12.1.
            subject.check_replay(call);
        }
        // RFC 8225 §10.1, RFC 8946 §4.2 (b) to (f).
        chain.judge(&mut subjects, call);
        report::conclude(subjects, signers, call, &self.policy, now)
    }
}
