//! Scalars: integers modulo the order n of the group of P-256 (FIPS 186-4 D.1.2.3).

use std::ops::Mul;

use crate::es256::field::P;
use crate::es256::inversion::{self, Modulus};
use crate::es256::word::{self, Words};

/// A number below n.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Scalar(Words);

/// A scalar x kept as x * 2^256 mod n, so that products with it need no division (Montgomery's form).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Multiplier(Words);

impl Scalar {
    /// The scalar of a number from 1 to n - 1, which r and s of a signature are.
    pub(super) fn in_range(number: &Words) -> Option<Self> {
        (!word::is_zero(number) && word::is_below(number, &N)).then_some(Self(*number))
    }

    /// Any number of 256 bits modulo n.
    pub(super) fn reduced(number: &Words) -> Self {
        Self(word::reduce_once(number, false, &N))
    }

    pub(super) const fn number(&self) -> &Words {
        &self.0
    }

    /// The number that is the same scalar and yet below p: n more, when that is below p.
    pub(super) fn second_number(&self) -> Option<Words> {
        word::is_below(&self.0, &P_MINUS_N).then(|| word::add_wide(&self.0, &N).0)
    }

    pub(super) fn to_multiplier(self) -> Multiplier {
        Multiplier(product(&self.0, &R_SQUARED))
    }

    /// The inverse; of zero, zero.
    pub(super) fn invert(self) -> Multiplier {
        Self(inversion::invert(&self.0, &MODULUS)).to_multiplier()
    }

    /// Its size and whether that counts negatively: the smaller of the number and n less the number.
    pub(super) fn signed(&self) -> (Words, bool) {
        if word::is_below(&HALF_N, &self.0) { (word::subtract_wide(&N, &self.0).0, true) } else { (self.0, false) }
    }
}

impl Multiplier {
    pub(super) const ONE: Self =
        Self([0x0c46_353d_039c_daaf, 0x4319_0552_58e8_617b, 0x0000_0000_0000_0000, 0x0000_0000_ffff_ffff]);

    fn to_scalar(self) -> Scalar {
        Scalar(product(&self.0, &[1, 0, 0, 0]))
    }

    /// Replaces each by its inverse at the cost of one inversion; none may be zero (Montgomery's trick).
    pub(super) fn invert_all(multipliers: &mut [Self]) {
        let mut products = Vec::with_capacity(multipliers.len());
        let all = multipliers.iter().fold(Self::ONE, |product, multiplier| {
            products.push(product);
            product * *multiplier
        });
        let mut inverse = all.to_scalar().invert();
        for (multiplier, before) in multipliers.iter_mut().zip(products).rev() {
            let own = inverse * before;
            inverse = inverse * *multiplier;
            *multiplier = own;
        }
    }
}

impl Mul for Multiplier {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(product(&self.0, &other.0))
    }
}

impl Mul<Multiplier> for Scalar {
    type Output = Self;

    fn mul(self, other: Multiplier) -> Self {
        Self(product(&self.0, &other.0))
    }
}

/// Montgomery's product: a * b / 2^256 mod n.
fn product(a: &Words, b: &Words) -> Words {
    let mut sum = [0; 5];
    for word in b {
        let (s0, carry) = word::multiply_add(sum[0], a[0], *word, 0);
        let (s1, carry) = word::multiply_add(sum[1], a[1], *word, carry);
        let (s2, carry) = word::multiply_add(sum[2], a[2], *word, carry);
        let (s3, carry) = word::multiply_add(sum[3], a[3], *word, carry);
        let (s4, beyond) = sum[4].overflowing_add(carry);
        let multiple = s0.wrapping_mul(MINUS_INVERSE_OF_N);
        let (_, carry) = word::multiply_add(s0, multiple, N[0], 0);
        let (r0, carry) = word::multiply_add(s1, multiple, N[1], carry);
        let (r1, carry) = word::multiply_add(s2, multiple, N[2], carry);
        let (r2, carry) = word::multiply_add(s3, multiple, N[3], carry);
        let (r3, carry) = s4.overflowing_add(carry);
        sum = [r0, r1, r2, r3, u64::from(beyond) + u64::from(carry)];
    }
    word::reduce_once(&[sum[0], sum[1], sum[2], sum[3]], sum[4] != 0, &N)
}

/// The order of the group.
pub(super) const N: Words =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];
/// (n - 1) / 2.
const HALF_N: Words = [0x79dc_e561_7e31_92a8, 0xde73_7d56_d38b_cf42, 0x7fff_ffff_ffff_ffff, 0x7fff_ffff_8000_0000];
const P_MINUS_N: Words = word::subtract_wide(&P, &N).0;
/// -1 / n modulo 2^64.
const MINUS_INVERSE_OF_N: u64 = 0xccd1_c8aa_ee00_bc4f;
/// 2^512 mod n.
const R_SQUARED: Words = [0x8324_4c95_be79_eea2, 0x4699_799c_49bd_6fa6, 0x2845_b239_2b6b_ec59, 0x66e1_2d94_f3d9_5620];
const MODULUS: Modulus = Modulus::new(N);
