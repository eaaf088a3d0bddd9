//! Multiples of one point, so that any multiple of it is a sum of a few of them, without doublings.
//!
//! Row i holds 1 to 2^(w-1) times 2^(w i) B. A scalar in digits of w bits, signed, takes at most one from each row.

use std::slice::ChunksExact;
use std::sync::OnceLock;

use crate::es256::field::Element;
use crate::es256::point::{Affine, Sum};
use crate::es256::scalar::Scalar;
use crate::es256::word::{self, Words};

/// The multiples of a point.
#[derive(Clone, Debug)]
pub(super) struct Table {
    bits: u32,
    /// Row by row.
    multiples: Vec<Affine>,
}

impl Table {
    /// The multiples of `base` for digits of `bits` bits, 2 to 16.
    pub(super) fn new(base: &Affine, bits: u32) -> Self {
        let (rows, half) = (rows(bits), 1 << (bits - 1));
        let mut multiples = vec![*base; rows * half];
        for (row, first) in multiples.chunks_exact_mut(half).zip(row_bases(base, rows, bits)) {
            row[0] = first;
        }
        let mut room = Room::default();
        let mut known = 1;
        while known < half {
            double_rows(&mut multiples, half, known, &mut room);
            known *= 2;
        }
        Self { bits, multiples }
    }

    /// The multiples of the generator: 5 MiB, made on first use and the same for all.
    pub(super) fn of_generator() -> &'static Self {
        // NOTE: the one static of the core. It holds no state: a constant that is too big to print here.
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Self::new(&Affine::generator(), GENERATOR_BITS))
    }

    /// The bytes that a table of this width takes.
    pub(super) const fn bytes_of(bits: u32) -> usize {
        rows(bits) * (1 << (bits - 1)) * size_of::<Affine>()
    }

    /// The bytes that it takes.
    pub(super) const fn bytes(&self) -> usize {
        size_of_val(self.multiples.as_slice())
    }

    /// How many points a multiple takes at most.
    pub(super) const fn rows_of(bits: u32) -> usize {
        rows(bits)
    }

    /// The same of the generator.
    pub(super) const fn rows_of_generator() -> usize {
        rows(GENERATOR_BITS)
    }

    /// The points whose sum is `scalar` times the base.
    #[inline(always)]
    pub(super) fn terms(&self, scalar: &Scalar) -> Terms<'_> {
        let half = 1_usize << (self.bits - 1);
        Terms { rows: self.multiples.chunks_exact(half), digits: Digits::new(scalar, self.bits) }
    }
}

/// Points of a table that a scalar's digits name: at most one from each row.
pub(super) struct Terms<'a> {
    rows: ChunksExact<'a, Affine>,
    digits: Digits,
}

impl Iterator for Terms<'_> {
    type Item = Affine;

    // By hand, because the closures of adapters are not always inlined.
    #[inline(always)]
    fn next(&mut self) -> Option<Affine> {
        loop {
            let (row, digit) = (self.rows.next()?, self.digits.next()?);
            if let Some(place) = digit.size.checked_sub(1) {
                let point = row[place];
                return Some(if digit.negative { -point } else { point });
            }
        }
    }
}

/// A digit from -2^(w-1) to 2^(w-1).
struct Digit {
    size: usize,
    negative: bool,
}

/// The signed digits of a scalar, lowest first, without end.
struct Digits {
    rest: Words,
    negative: bool,
    bits: u32,
    carry: u64,
}

impl Digits {
    #[inline(always)]
    fn new(scalar: &Scalar, bits: u32) -> Self {
        // Below 2^255, so that the highest digit of a width that divides 256 has no carry.
        let (rest, negative) = scalar.signed();
        Self { rest, negative, bits, carry: 0 }
    }
}

impl Iterator for Digits {
    type Item = Digit;

    #[inline(always)]
    fn next(&mut self) -> Option<Digit> {
        let (bits, base) = (self.bits, 1 << self.bits);
        let digit = (self.rest[0] & (base - 1)) + self.carry;
        let [w0, w1, w2, w3] = self.rest;
        let up = 64 - bits;
        self.rest = [w0 >> bits | w1 << up, w1 >> bits | w2 << up, w2 >> bits | w3 << up, w3 >> bits];
        let above_half = digit > base / 2;
        self.carry = u64::from(above_half);
        let size = word::index(if above_half { base - digit } else { digit });
        Some(Digit { size, negative: above_half ^ self.negative })
    }
}

/// The first multiple of each row: the base, doubled `bits` times from row to row.
fn row_bases(base: &Affine, rows: usize, bits: u32) -> Vec<Affine> {
    let next_row = |sum: &Sum| Some((0..bits).fold(*sum, |sum, _| sum.double()));
    let bases: Vec<Sum> = std::iter::successors(Some(Sum::from(base)), next_row).take(rows).collect();
    Sum::to_affine(&bases)
}

/// What [`double_rows`] works in.
#[derive(Default)]
struct Room {
    slopes: Vec<Element>,
    products: Vec<Element>,
}

/// From multiples 1 to `known` of each row to twice as many: the highest known added to each, with one inversion for
/// all rows. None of these sums is at infinity: the multiples are far below the order.
fn double_rows(multiples: &mut [Affine], half: usize, known: usize, room: &mut Room) {
    room.slopes.clear();
    for row in multiples.chunks_exact(half) {
        let highest = row[known - 1];
        room.slopes.extend(row[..known - 1].iter().map(|point| highest.x - point.x));
        room.slopes.push(highest.y.double());
    }
    Element::invert_all(&mut room.slopes, &mut room.products);
    let mut inverses = room.slopes.iter();
    for row in multiples.chunks_exact_mut(half) {
        let (old, new) = row.split_at_mut(known);
        let highest = old[known - 1];
        for (point, (sum, inverse)) in old.iter().zip(new.iter_mut().zip(&mut inverses)) {
            let rise = if *point == highest { highest.tangent() } else { highest.y - point.y };
            *sum = chord(&highest, point, rise * *inverse);
        }
    }
}

/// The sum of two points by the slope of the line through them.
#[inline(always)]
pub(super) fn chord(first: &Affine, second: &Affine, slope: Element) -> Affine {
    let x = slope.square() - first.x - second.x;
    Affine { x, y: slope * (first.x - x) - first.y }
}

const fn rows(bits: u32) -> usize {
    let mut rows = 0;
    let mut covered = 0;
    while covered < 256 {
        covered += bits;
        rows += 1;
    }
    rows
}

/// Wide digits for the point that every signature needs.
const GENERATOR_BITS: u32 = 13;
