//! Inverses modulo a prime by the divsteps of Bernstein and Yang ("Fast constant-time gcd computation and modular
//! inversion", 2019), in variable time, 62 steps to a round.
//!
//! A round looks at the lowest words of f and g only and gives a matrix; the matrix is then applied to the whole of f
//! and g (divided by 2^62, exactly) and to d and e, which keep d * x = f and e * x = g modulo the prime. When g is zero,
//! f is 1 or -1, and d or -d is the inverse.

use crate::es256::word::{self, Words};

/// A prime of 256 bits, prepared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modulus {
    number: Words,
    limbs: Limbs,
    /// 1 / prime modulo 2^62.
    inverse: u64,
}

/// A signed number of five limbs, 62 bits each but the highest, which has the sign.
type Limbs = [i64; 5];

impl Modulus {
    pub(super) const fn new(number: Words) -> Self {
        // Newton's iteration: each step doubles the number of right bits.
        let mut inverse = number[0];
        let mut step = 0;
        while step < 6 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(number[0].wrapping_mul(inverse)));
            step += 1;
        }
        Self { number, limbs: split(&number), inverse: inverse & LIMB }
    }
}

/// The inverse of a number below the prime; of zero, zero.
pub(super) fn invert(number: &Words, modulus: &Modulus) -> Words {
    let (mut f, mut g) = (modulus.limbs, split(number));
    let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
    let (mut eta, mut length) = (-1, 5);
    // Bernstein and Yang, theorem 11.2: 741 divsteps are enough for 256 bits, which are 12 rounds.
    loop {
        let matrix = divsteps(&mut eta, f[0].cast_unsigned(), g[0].cast_unsigned());
        matrix.apply_modulo(&mut d, &mut e, modulus);
        matrix.apply(&mut f[..length], &mut g[..length]);
        if g[..length].iter().all(|limb| *limb == 0) {
            return normalize(&d, f[length - 1] < 0, modulus);
        }
        length = shorten(&mut f, &mut g, length);
    }
}

/// What a round of divsteps does to (f, g): f becomes (u f + v g) / 2^62, g becomes (q f + r g) / 2^62.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 62 divsteps on the lowest words. `eta` is minus the paper's delta.
fn divsteps(eta: &mut i64, mut f: u64, mut g: u64) -> Matrix {
    let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
    let mut left = 62_u32;
    loop {
        // Steps on an even g only halve it: all of them at once.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        (g, u, v) = (g >> zeros, u << zeros, v << zeros);
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        // How many steps come before f and g change places, and the multiple of f that makes g even for so many.
        let multiple;
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
            // -g / f modulo 64: f * (f^2 - 2) is -1/f, right to six bits.
            let inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
            multiple = g.wrapping_mul(inverse) & steps_mask(*eta, left) & 63;
        } else {
            // Here few steps can be left, and four bits are cheaper to get.
            let inverse = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
            multiple = g.wrapping_mul(inverse.wrapping_neg()) & steps_mask(*eta, left) & 15;
        }
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
    Matrix { u: u.cast_signed(), v: v.cast_signed(), q: q.cast_signed(), r: r.cast_signed() }
}

/// As many low bits as steps may be taken at once: `eta` + 1, or what is left of the round.
#[inline(always)]
fn steps_mask(eta: i64, left: u32) -> u64 {
    let steps = (eta + 1).min(i64::from(left));
    u64::MAX >> (64 - steps)
}

impl Matrix {
    /// Applies it to f and g.
    #[inline(always)]
    fn apply(&self, f: &mut [i64], g: &mut [i64]) {
        // The lowest 62 bits of both sums are zero: that is what divsteps made the matrix for.
        let (mut sum_f, mut sum_g) = self.times(f[0], g[0]);
        (sum_f, sum_g) = (sum_f >> 62, sum_g >> 62);
        let last = f.len() - 1;
        for index in 1..=last {
            let (more_f, more_g) = self.times(f[index], g[index]);
            (sum_f, sum_g) = (sum_f + more_f, sum_g + more_g);
            (f[index - 1], sum_f) = next_limb(sum_f);
            (g[index - 1], sum_g) = next_limb(sum_g);
        }
        f[last] = word::low_signed(sum_f).cast_signed();
        g[last] = word::low_signed(sum_g).cast_signed();
    }

    /// Applies it to d and e modulo the prime, keeping both between -2 primes and one.
    #[inline(always)]
    fn apply_modulo(&self, d: &mut Limbs, e: &mut Limbs, modulus: &Modulus) {
        // A multiple of the prime makes a negative number positive, and another the lowest 62 bits zero.
        let (sign_d, sign_e) = (d[4] >> 63, e[4] >> 63);
        let (mut sum_d, mut sum_e) = self.times(d[0], e[0]);
        let of_d = cancelling((self.u & sign_d) + (self.v & sign_e), sum_d, modulus);
        let of_e = cancelling((self.q & sign_d) + (self.r & sign_e), sum_e, modulus);
        sum_d = (sum_d + wide(modulus.limbs[0], of_d)) >> 62;
        sum_e = (sum_e + wide(modulus.limbs[0], of_e)) >> 62;
        for index in 1..5 {
            let (more_d, more_e) = self.times(d[index], e[index]);
            sum_d += more_d + wide(modulus.limbs[index], of_d);
            sum_e += more_e + wide(modulus.limbs[index], of_e);
            (d[index - 1], sum_d) = next_limb(sum_d);
            (e[index - 1], sum_e) = next_limb(sum_e);
        }
        d[4] = word::low_signed(sum_d).cast_signed();
        e[4] = word::low_signed(sum_e).cast_signed();
    }

    #[inline(always)]
    fn times(&self, f: i64, g: i64) -> (i128, i128) {
        (wide(self.u, f) + wide(self.v, g), wide(self.q, f) + wide(self.r, g))
    }
}

/// `multiple`, less what makes the lowest 62 bits of `sum + multiple * prime` zero.
#[inline(always)]
fn cancelling(multiple: i64, sum: i128, modulus: &Modulus) -> i64 {
    let wrong = modulus.inverse.wrapping_mul(word::low_signed(sum)).wrapping_add(multiple.cast_unsigned()) & LIMB;
    multiple.wrapping_sub(wrong.cast_signed())
}

#[inline(always)]
fn wide(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// The lowest limb of a sum, and the rest.
#[inline(always)]
fn next_limb(sum: i128) -> (i64, i128) {
    ((word::low_signed(sum) & LIMB).cast_signed(), sum >> 62)
}

/// Folds highest limbs that are signs only into the next ones; gives the number of limbs left.
fn shorten(f: &mut Limbs, g: &mut Limbs, length: usize) -> usize {
    let (top_f, top_g) = (f[length - 1], g[length - 1]);
    let is_sign = |limb: i64| limb == 0 || limb == -1;
    if length < 2 || !is_sign(top_f) || !is_sign(top_g) {
        return length;
    }
    f[length - 2] |= top_f << 62;
    g[length - 2] |= top_g << 62;
    length - 1
}

/// `d`, or `-d`, as a number from 0 to below the prime.
fn normalize(d: &Limbs, negate: bool, modulus: &Modulus) -> Words {
    // d lies between -2 primes and one: with one more it lies between -1 and 1, negated too.
    let mut limbs = *d;
    raise_if_negative(&mut limbs, modulus);
    if negate {
        limbs = limbs.map(|limb| -limb);
        carry(&mut limbs);
    }
    raise_if_negative(&mut limbs, modulus);
    let number = join(&limbs);
    debug_assert!(word::is_below(&number, &modulus.number));
    number
}

fn raise_if_negative(limbs: &mut Limbs, modulus: &Modulus) {
    if limbs[4] < 0 {
        for (limb, of_prime) in limbs.iter_mut().zip(modulus.limbs) {
            *limb += of_prime;
        }
        carry(limbs);
    }
}

fn carry(limbs: &mut Limbs) {
    for index in 0..4 {
        let over = limbs[index] >> 62;
        limbs[index] -= over << 62;
        limbs[index + 1] += over;
    }
}

const fn split(number: &Words) -> Limbs {
    [
        (number[0] & LIMB).cast_signed(),
        ((number[0] >> 62 | number[1] << 2) & LIMB).cast_signed(),
        ((number[1] >> 60 | number[2] << 4) & LIMB).cast_signed(),
        ((number[2] >> 58 | number[3] << 6) & LIMB).cast_signed(),
        (number[3] >> 56).cast_signed(),
    ]
}

fn join(limbs: &Limbs) -> Words {
    let limbs = limbs.map(i64::cast_unsigned);
    [
        limbs[0] | limbs[1] << 62,
        limbs[1] >> 2 | limbs[2] << 60,
        limbs[2] >> 4 | limbs[3] << 58,
        limbs[3] >> 6 | limbs[4] << 56,
    ]
}

const LIMB: u64 = u64::MAX >> 2;
