//! Many signatures at once: one inversion of scalars for all, and sums of points in pairs, with one inversion of field
//! elements for a whole level of pairs.
//!
//! Nothing else is shared: each signature is judged by its own equation, as alone. No sum of random multiples hides
//! which one is wrong.

use crate::es256::field::Element;
use crate::es256::point::Affine;
use crate::es256::scalar::{Multiplier, Scalar};
use crate::es256::table::{self, Table};
use crate::es256::{Digest, KeyTable, Signature, SignatureFault};

/// Signatures to verify together, each with its key; at best 16 and more. Kept for the next ones, it allocates nothing.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    jobs: Vec<Job<'a>>,
    points: Vec<Affine>,
    slopes: Vec<Element>,
    products: Vec<Element>,
}

#[derive(Debug)]
struct Job<'a> {
    key: &'a KeyTable,
    digest: Digest,
    signature: Signature,
}

/// Where the points of one signature's sum are among all.
struct Lane {
    start: usize,
    length: usize,
    /// Two points with the same x met: there is no slope, and the signature is verified alone.
    stuck: bool,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the signature of a message; results come in this order.
    pub fn push(&mut self, key: &'a KeyTable, digest: Digest, signature: Signature) {
        self.jobs.push(Job { key, digest, signature });
    }

    /// How many signatures wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Verifies all and leaves the batch empty. More than [`Self::LANES`] are worked on in portions.
    pub fn verify(&mut self) -> Vec<Result<(), SignatureFault>> {
        let jobs = std::mem::take(&mut self.jobs);
        let mut results = Vec::with_capacity(jobs.len());
        for portion in jobs.chunks(Self::LANES) {
            self.verify_portion(portion, &mut results);
        }
        self.jobs = jobs;
        self.jobs.clear();
        results
    }

    /// How many are worked on together: more gain nothing and leave the processor's nearest cache.
    pub const LANES: usize = 32;

    /// Fewer than this are verified one by one: inversions that so few share cost more than they save.
    const WORTHWHILE: usize = 4;

    fn verify_portion(&mut self, jobs: &[Job<'a>], results: &mut Vec<Result<(), SignatureFault>>) {
        if jobs.len() < Self::WORTHWHILE {
            results.extend(jobs.iter().map(|job| job.key.verify_digest(&job.digest, &job.signature)));
            return;
        }
        let mut lanes = self.gather(jobs);
        while lanes.iter().any(|lane| lane.length > 1) {
            self.add_pairs(&mut lanes);
        }
        results.extend(jobs.iter().zip(lanes).map(|(job, lane)| {
            if lane.stuck || lane.length == 0 {
                return job.key.verify_digest(&job.digest, &job.signature);
            }
            let x = Scalar::reduced(&self.points[lane.start].x.to_number());
            if x == job.signature.r { Ok(()) } else { Err(SignatureFault::Mismatch) }
        }));
    }

    /// The points whose sum each signature is about: u1 G + u2 Q.
    fn gather(&mut self, jobs: &[Job<'a>]) -> Vec<Lane> {
        let generator = Table::of_generator();
        let mut inverses: Vec<Multiplier> = jobs.iter().map(|job| job.signature.s.to_multiplier()).collect();
        Multiplier::invert_all(&mut inverses);
        self.points.clear();
        let lane = |(job, inverse): (&Job<'a>, Multiplier)| {
            let start = self.points.len();
            self.points.extend(generator.terms(&(job.digest.scalar() * inverse)));
            self.points.extend(job.key.table.terms(&(job.signature.r * inverse)));
            Lane { start, length: self.points.len() - start, stuck: false }
        };
        jobs.iter().zip(inverses).map(lane).collect()
    }

    /// In each lane adds the points two by two; one that is left over stays.
    fn add_pairs(&mut self, lanes: &mut [Lane]) {
        self.slopes.clear();
        for lane in &mut *lanes {
            let points = &self.points[lane.start..lane.start + lane.length];
            for pair in points.chunks_exact(2) {
                let run = pair[1].x - pair[0].x;
                lane.stuck |= run.is_zero();
                self.slopes.push(if run.is_zero() { Element::ONE } else { run });
            }
        }
        Element::invert_all(&mut self.slopes, &mut self.products);
        let mut inverses = self.slopes.iter();
        for lane in lanes {
            let points = &mut self.points[lane.start..lane.start + lane.length];
            let pairs = lane.length / 2;
            for (index, inverse) in (0..pairs).zip(&mut inverses) {
                let (first, second) = (points[2 * index], points[2 * index + 1]);
                points[index] = table::chord(&first, &second, (second.y - first.y) * *inverse);
            }
            if lane.length % 2 == 1 {
                points[pairs] = points[lane.length - 1];
            }
            lane.length = lane.length.div_ceil(2);
        }
    }
}
