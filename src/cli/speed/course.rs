//! The course that is run: signers, calls that they signed, and the ways to verify these, each in its turn.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

use crate::certificate::bundle::{Bundle, Limits};
use crate::cli::speed::measured::Measured;
use crate::clock;
use crate::es256::{Batch, Digest, KeyTable, PublicKey, Signature, TableCache, Width};
use crate::identity_header::IdentityHeader;
use crate::lab::Error;
use crate::lab::crowd::Crowd;
use crate::number::Identity;
use crate::passport::Passport;
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::trust::TrustAnchors;
use crate::verify::{Conclusion, Materials, Policy, Verifier};

/// Calls signed by so many keys in turn, and everything that verifying them takes, warm.
pub(super) struct Course {
    keys: u32,
    now: UnixTime,
    calls: Vec<Signed>,
    parsed: Vec<ParsedPublicKey>,
    tables: Vec<KeyTable>,
    materials: Materials,
    /// Whose signatures the library verifies.
    by_library: Verifier,
    by_tables: Verifier,
}

/// A call's Identity value, and the token in it.
struct Signed {
    key: usize,
    value: String,
    passport: Passport,
}

const CALLER: &str = "12155550112";
const CALLED: &str = "12155550131";

/// So many calls at least, so that no signature is a habit.
const MIN_CALLS: usize = 256;
/// As many as `verify` judges together.
const TOGETHER: usize = Batch::LANES;

impl Course {
    pub(super) fn new(keys: u32) -> Result<Self, Error> {
        let now = clock::now();
        let count = usize::try_from(keys).unwrap_or(usize::MAX);
        let crowd = Crowd::new(count, now)?;
        let mut materials = Materials::new();
        // What the lab makes can be read.
        materials.set_anchors(TrustAnchors::from_pem(crowd.root_pem().as_bytes()).unwrap_or_default());
        let mut points = Vec::with_capacity(count);
        for signer in crowd.signers() {
            let body = signer.certificate_pem();
            materials.add_certificate(signer.url(), body.as_bytes());
            let bundle = Bundle::read(body.as_bytes(), &Limits::UNTRUSTED).map_err(|_| Error::Signature)?;
            points.push(*bundle.leaf().p256_point().ok_or(Error::Signature)?);
        }
        let call = |place: usize| {
            let key = place % count;
            let value = crowd.signers()[key].sign(CALLER, CALLED, now)?;
            let token = IdentityHeader::parse(&value).map_err(|_| Error::Signature)?.token;
            Ok(Signed { key, value, passport: Passport::parse(&token).map_err(|_| Error::Signature)? })
        };
        // What the cache of tables would come to.
        let fits = |width: &Width| count * width.bytes() <= TableCache::default().budget() / 4;
        let width = [Width::Ten, Width::Eight].into_iter().find(fits).unwrap_or_default();
        let parse = |point: &[u8; 65]| ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        let table = |point: &[u8; 65]| Some(KeyTable::new(&PublicKey::from_uncompressed(point).ok()?, width));
        let course = Self {
            keys,
            now,
            calls: (0..count.max(MIN_CALLS)).map(call).collect::<Result<_, Error>>()?,
            parsed: points.iter().map(parse).collect::<Result<_, _>>().map_err(|_| Error::Signature)?,
            tables: points.iter().map(table).collect::<Option<_>>().ok_or(Error::Signature)?,
            materials,
            by_library: Verifier::new(Policy::default()).with_tables(Arc::new(TableCache::new(0))),
            by_tables: Verifier::new(Policy::default()),
        };
        course.warm(width);
        Ok(course)
    }

    /// Until every key has its table, and the few that may have the largest have it.
    fn warm(&self, width: Width) {
        let uses = match width {
            Width::Ten => TableCache::HOT + TableCache::HOTTEST,
            Width::Eight => TableCache::HOT,
            _ => TableCache::USES,
        };
        // What is judged together with a table's first use does not count for it yet.
        let uses = usize::try_from(uses + TableCache::WARM_UP).unwrap_or_default() + 3 * TOGETHER;
        let whole: usize = self.tables.iter().map(KeyTable::bytes).sum();
        for _ in 0..uses.div_ceil(self.calls.len() / self.tables.len()) {
            self.verify_together(0);
            if self.by_tables.tables().bytes() == whole {
                break;
            }
        }
    }

    /// Measures every way for so long, on so many threads, each in its turn.
    pub(super) fn measure(&self, threads: usize, time: Duration) -> Measured {
        let ways: [(&(dyn Fn(usize) + Sync), usize); WAYS] = [
            (&|from| self.library(from), 1),
            (&|from| self.single(from), 4),
            (&|from| self.together(from), 6),
            (&|from| self.verify(&self.by_library, from), 1),
            (&|from| self.verify(&self.by_tables, from), 3),
            (&|from| self.verify_together(from), 4),
        ];
        let began = Instant::now();
        let mut rounds: Vec<[f64; WAYS]> = Vec::new();
        while rounds.len() < 3 || began.elapsed() < time {
            rounds.push(ways.map(|(way, passes)| self.microseconds(threads, passes, way)));
        }
        let column = |way: usize| median(rounds.iter().map(|round| round[way]).collect());
        let ratio = |of: usize, to: usize| median(rounds.iter().map(|round| round[to] / round[of]).collect());
        Measured {
            keys: self.keys,
            threads,
            backend_us: column(0),
            single_us: column(1),
            batch_us: column(2),
            ratio_single: ratio(1, 0),
            ratio_batch: ratio(2, 0),
            verify_backend_us: column(3),
            verify_us: column(4),
            verify_batch_us: column(5),
            ratio_verify: ratio(4, 3),
            ratio_verify_batch: ratio(5, 3),
            table_bytes: self.tables.iter().map(KeyTable::bytes).sum(),
            rounds: rounds.len(),
        }
    }

    /// Microseconds of wall time for each call, where threads pass over all calls so often, each beginning elsewhere.
    fn microseconds(&self, threads: usize, passes: usize, way: &(dyn Fn(usize) + Sync)) -> f64 {
        let start = Barrier::new(threads + 1);
        let began = thread::scope(|scope| {
            for number in 0..threads {
                let start = &start;
                scope.spawn(move || {
                    let from = number * self.calls.len() / threads;
                    start.wait();
                    (0..passes).for_each(|_| way(from));
                });
            }
            start.wait();
            Instant::now()
        });
        let calls = u32::try_from(threads * passes * self.calls.len()).unwrap_or(u32::MAX);
        began.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
    }

    fn calls(&self, from: usize) -> impl Iterator<Item = &Signed> {
        let (before, after) = self.calls.split_at(from.min(self.calls.len()));
        after.iter().chain(before)
    }

    fn library(&self, from: usize) {
        for call in self.calls(from) {
            let (input, signature) = (call.passport.signing_input(), call.passport.signature());
            assert!(self.parsed[call.key].verify_sig(black_box(input), signature).is_ok(), "{ALL_ARE_GOOD}");
        }
    }

    fn single(&self, from: usize) {
        for call in self.calls(from) {
            let (input, signature) = (call.passport.signing_input(), call.passport.signature());
            assert!(self.tables[call.key].verify(black_box(input), signature).is_ok(), "{ALL_ARE_GOOD}");
        }
    }

    fn together(&self, from: usize) {
        let mut batch = Batch::new();
        let mut calls = self.calls(from).peekable();
        while calls.peek().is_some() {
            for call in calls.by_ref().take(TOGETHER) {
                let Ok(signature) = Signature::from_bytes(call.passport.signature()) else { continue };
                batch.push(&self.tables[call.key], Digest::of(black_box(call.passport.signing_input())), signature);
            }
            assert!(batch.verify().iter().all(Result::is_ok), "{ALL_ARE_GOOD}");
        }
    }

    fn verify(&self, verifier: &Verifier, from: usize) {
        for call in self.calls(from) {
            let verdict = verifier.verify(&bare(&call.value), &self.materials, self.now);
            assert_eq!(verdict.conclusion, Conclusion::Passed, "{ALL_ARE_GOOD}");
        }
    }

    fn verify_together(&self, from: usize) {
        let mut calls = self.calls(from).peekable();
        while calls.peek().is_some() {
            let bare: Vec<Call> = calls.by_ref().take(TOGETHER).map(|call| bare(&call.value)).collect();
            let bare: Vec<(&Call, UnixTime)> = bare.iter().map(|call| (call, self.now)).collect();
            let verdicts = self.by_tables.verify_batch(&bare, &self.materials);
            assert!(verdicts.iter().all(|verdict| verdict.conclusion == Conclusion::Passed), "{ALL_ARE_GOOD}");
        }
    }
}

/// The call of a header's text, between the parties that all calls of the course have.
fn bare(value: &str) -> Call {
    let mut call = Call::bare([black_box(value)]);
    call.from = CALLER.parse().ok().map(Identity::Number);
    call.to = CALLED.parse().ok().map(Identity::Number);
    call
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values[values.len() / 2];
    (middle * 1000.0).round() / 1000.0
}

const WAYS: usize = 6;

/// Measured is only what gives the right answer.
const ALL_ARE_GOOD: &str = "a good signature was refused: this is a defect of stirtrace, please report it";
