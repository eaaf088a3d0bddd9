//! One call before the verifier: examined, its signatures settled (with those of other calls, if there are any), and
//! concluded (RFC 8224 §6.2).

use crate::certificate::chain::LinkCache;
use crate::passport::HeaderCache;
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::credential_checks::Credentials;
use crate::verify::div_chain::DivChain;
use crate::verify::materials::Materials;
use crate::verify::policy::{MAX_IDENTITY_HEADERS, Policy};
use crate::verify::report;
use crate::verify::subject::{Kind, Subject};
use crate::verify::verdict::Verdict;

/// What is remembered from call to call: facts, never trust.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caches<'a> {
    pub(super) headers: &'a HeaderCache,
    pub(super) links: &'a LinkCache,
}

/// A call whose every check was made that needs no signature and follows none.
pub(super) struct Case<'a> {
    call: &'a Call,
    now: UnixTime,
    subjects: Vec<Subject>,
    chain: DivChain,
    signers: Vec<Credentials>,
}

impl<'a> Case<'a> {
    /// Examines a call as of the instant `now`.
    pub(super) fn open(
        call: &'a Call,
        materials: &Materials,
        policy: &Policy,
        caches: Caches<'_>,
        now: UnixTime,
    ) -> Self {
        let fields = call.identities.iter().take(MAX_IDENTITY_HEADERS);
        // RFC 8224 §6.2 step 1 and what each PASSporT's own text decides.
        let mut subjects: Vec<Subject> =
            fields.map(|field| Subject::read(field, call, policy, caches.headers)).collect();
        // RFC 8946 §4.2 (a): which PASSporT diverts which.
        let chain = DivChain::link(&subjects);
        let mut signers = Vec::with_capacity(subjects.len());
        for subject in &mut subjects {
            if subject.kind == Kind::Unsupported {
                signers.push(Credentials::default());
                continue;
            }
            // RFC 8224 §6.2 step 2.
            subject.check_orig(call);
            // RFC 8224 §6.2 steps 3 and 5, RFC 8226, ATIS-1000080.
            signers.push(subject.check_credential(materials, policy, caches.links, now));
            // RFC 9795 §5, §6.
            subject.check_rich_call_data(materials);
        }
        Self { call, now, subjects, chain, signers }
    }

    /// The PASSporTs, some of whose signatures may be unsettled.
    pub(super) fn subjects(&mut self) -> impl Iterator<Item = &mut Subject> {
        self.subjects.iter_mut()
    }

    /// Makes the checks that follow signatures, all of which must be settled, and draws the conclusion.
    pub(super) fn conclude(self, policy: &Policy) -> Verdict {
        let Self { call, now, mut subjects, chain, signers } = self;
        // RFC 8946 §4.2 (e): which PASSporTs may be older, because sound diversions followed them.
        let age = |subject: &Subject| subject.age(policy, now);
        let carried: Vec<bool> =
            (0..subjects.len()).map(|index| chain.is_carried(index, &subjects, call, age)).collect();
        for (subject, carried) in
            subjects.iter_mut().zip(carried).filter(|(subject, _)| subject.kind != Kind::Unsupported)
        {
            // RFC 8224 §6.2 step 4.
            subject.check_freshness(call, policy, now, carried);
            // RFC 8224 §12.1.
            subject.check_replay(call);
        }
        // RFC 8225 §10.1, RFC 8946 §4.2 (b) to (f).
        chain.judge(&mut subjects, call);
        report::conclude(subjects, signers, call, policy, now)
    }
}
