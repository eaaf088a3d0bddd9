//! The field of P-256: integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-4 D.1.2.3), in Montgomery form.
//!
//! An element x is kept as x * 2^256 mod p, below p, so that equal elements are equal words. Time varies with the
//! values: they are public.

use std::ops::{Add, Mul, Neg, Sub};

use crate::es256::inversion::{self, Modulus};
use crate::es256::word::{self, Words};

/// An element of the field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Element(Words);

impl Element {
    pub(super) const ZERO: Self = Self([0; 4]);
    /// 2^256 mod p.
    pub(super) const ONE: Self =
        Self([0x0000_0000_0000_0001, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_fffe]);

    /// The element of a number below p; `None` for other numbers, which are no canonical encoding.
    pub(super) fn from_number(number: &Words) -> Option<Self> {
        word::is_below(number, &P).then(|| Self(*number) * R_SQUARED)
    }

    /// The number below p that it stands for.
    pub(super) fn to_number(self) -> Words {
        (self * Self([1, 0, 0, 0])).0
    }

    #[inline(always)]
    pub(super) const fn is_zero(&self) -> bool {
        word::is_zero(&self.0)
    }

    #[inline(always)]
    pub(super) fn double(self) -> Self {
        self + self
    }

    #[inline(always)]
    pub(super) fn triple(self) -> Self {
        self + self + self
    }

    #[inline(always)]
    pub(super) fn square(self) -> Self {
        let (low, high) = square_wide(&self.0);
        // Each step leaves four words: what it adds at the top cannot go beyond them.
        let low = (0..4).fold(low, |words, _| {
            let [_, r0, r1, r2, r3] = cancel_lowest([words[0], words[1], words[2], words[3], 0]);
            [r0, r1, r2, r3]
        });
        let (sum, carry) = word::add_wide(&low, &high);
        Self(word::reduce_once(&sum, carry, &P))
    }

    /// The inverse; of zero, zero.
    pub(super) fn invert(self) -> Self {
        // The inverse of x * R is x^-1 * R^-1; each product with R^2 brings one R.
        Self(inversion::invert(&self.0, &MODULUS)) * R_SQUARED * R_SQUARED
    }

    /// Replaces each element by its inverse at the cost of one inversion; none may be zero (Montgomery's trick).
    /// `products` is room to work in.
    pub(super) fn invert_all(elements: &mut [Self], products: &mut Vec<Self>) {
        products.clear();
        let all = elements.iter().fold(Self::ONE, |product, element| {
            products.push(product);
            product * *element
        });
        let mut inverse = all.invert();
        for (element, before) in elements.iter_mut().zip(products.iter()).rev() {
            let own = inverse * *before;
            inverse = inverse * *element;
            *element = own;
        }
    }
}

impl Add for Element {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (sum, carry) = word::add_wide(&self.0, &other.0);
        Self(word::reduce_once(&sum, carry, &P))
    }
}

impl Sub for Element {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let (difference, borrow) = word::subtract_wide(&self.0, &other.0);
        let mask = u64::from(borrow).wrapping_neg();
        let back = P.map(|word| word & mask);
        Self(word::add_wide(&difference, &back).0)
    }
}

impl Neg for Element {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Mul for Element {
    type Output = Self;

    /// Montgomery's product, a word of `other` at a time.
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let a = &self.0;
        let mut sum = [0; 5];
        for b in other.0 {
            let (s0, carry) = word::multiply_add(sum[0], a[0], b, 0);
            let (s1, carry) = word::multiply_add(sum[1], a[1], b, carry);
            let (s2, carry) = word::multiply_add(sum[2], a[2], b, carry);
            let (s3, carry) = word::multiply_add(sum[3], a[3], b, carry);
            // The sum stays below 2p, so nothing goes beyond the fifth word but a bit here.
            let (s4, beyond) = sum[4].overflowing_add(carry);
            let [_, r0, r1, r2, r3] = cancel_lowest([s0, s1, s2, s3, 0]);
            let (r3, carry) = word::add(r3, s4, false);
            sum = [r0, r1, r2, r3, u64::from(beyond) + u64::from(carry)];
        }
        Self(word::reduce_once(&[sum[0], sum[1], sum[2], sum[3]], sum[4] != 0, &P))
    }
}

/// Adds the multiple of p that makes the lowest word zero: p = -1 modulo 2^64, so it is that word's own multiple.
#[inline(always)]
fn cancel_lowest(sum: [u64; 5]) -> [u64; 5] {
    let multiple = sum[0];
    // multiple * (p + 1) without its highest word is a shift: p + 1 = 2^96 modulo 2^192.
    let (r1, carry) = word::add(sum[1], multiple << 32, false);
    let (r2, carry) = word::add(sum[2], multiple >> 32, carry);
    let (low, high) = word::multiply_add(0, multiple, P[3], 0);
    let (r3, carry) = word::add(sum[3], low, carry);
    let r4 = sum[4].wrapping_add(high).wrapping_add(u64::from(carry));
    [0, r1, r2, r3, r4]
}

/// The square of a number: its low and its high half.
#[inline(always)]
fn square_wide(a: &Words) -> (Words, Words) {
    // The products of different words, once.
    let (p1, carry) = word::multiply_add(0, a[0], a[1], 0);
    let (p2, carry) = word::multiply_add(0, a[0], a[2], carry);
    let (p3, p4) = word::multiply_add(0, a[0], a[3], carry);
    let (p3, carry) = word::multiply_add(p3, a[1], a[2], 0);
    let (p4, p5) = word::multiply_add(p4, a[1], a[3], carry);
    let (p5, p6) = word::multiply_add(p5, a[2], a[3], 0);
    // Twice these, and the squares.
    let ((q0, q1), (q2, q3)) = (word::square(a[0]), word::square(a[1]));
    let ((q4, q5), (q6, q7)) = (word::square(a[2]), word::square(a[3]));
    let (r1, carry) = word::add(p1 << 1, q1, false);
    let (r2, carry) = word::add(p2 << 1 | p1 >> 63, q2, carry);
    let (r3, carry) = word::add(p3 << 1 | p2 >> 63, q3, carry);
    let (r4, carry) = word::add(p4 << 1 | p3 >> 63, q4, carry);
    let (r5, carry) = word::add(p5 << 1 | p4 >> 63, q5, carry);
    let (r6, carry) = word::add(p6 << 1 | p5 >> 63, q6, carry);
    let (r7, _) = word::add(p6 >> 63, q7, carry);
    ([q0, r1, r2, r3], [r4, r5, r6, r7])
}

/// The prime.
pub(super) const P: Words = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];
/// 2^512 mod p.
const R_SQUARED: Element =
    Element([0x0000_0000_0000_0003, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd]);
const MODULUS: Modulus = Modulus::new(P);
