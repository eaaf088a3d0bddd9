//! Points of P-256, y^2 = x^3 - 3x + b: affine ones, and sums of them with their denominators beside them.

use std::ops::Neg;

use crate::es256::field::Element;
use crate::es256::word::Words;

/// A point other than the one at infinity.
// A cache line each, so that a look-up touches one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(align(64))]
pub(super) struct Affine {
    pub(super) x: Element,
    pub(super) y: Element,
}

impl Affine {
    /// What stands where no point does; not on the curve.
    pub(super) const NONE: Self = Self { x: Element::ZERO, y: Element::ZERO };

    /// The point with these coordinates, if they are canonical and on the curve.
    ///
    /// The curve's order is prime: a point on it is in the group, and is not the one at infinity.
    pub(super) fn new(x: &Words, y: &Words) -> Option<Self> {
        let (x, y) = (Element::from_number(x)?, Element::from_number(y)?);
        let b = Element::from_number(&B)?;
        let right = x.square() * x - x.triple() + b;
        (y.square() == right).then_some(Self { x, y })
    }

    /// The generator G.
    pub(super) fn generator() -> Self {
        let [x, y] = [GENERATOR_X, GENERATOR_Y].map(|number| Element::from_number(&number).unwrap_or(Element::ZERO));
        Self { x, y }
    }

    /// The numerator of the slope of the tangent: 3x^2 - 3. The denominator is 2y.
    #[inline(always)]
    pub(super) fn tangent(&self) -> Element {
        (self.x.square() - Element::ONE).triple()
    }
}

impl Neg for Affine {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { x: self.x, y: -self.y }
    }
}

/// A point as X/ZZ, Y/ZZZ with ZZ^3 = ZZZ^2: sums without divisions (the XYZZ coordinates of the Explicit-Formulas
/// Database, <https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html>).
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    x: Element,
    y: Element,
    zz: Element,
    zzz: Element,
}

impl Sum {
    /// The point at infinity: its denominators are zero, and no other point's are.
    pub(super) const INFINITY: Self = Self { x: Element::ONE, y: Element::ONE, zz: Element::ZERO, zzz: Element::ZERO };

    #[inline(always)]
    pub(super) const fn is_infinity(&self) -> bool {
        self.zz.is_zero()
    }

    /// Whether its x-coordinate is this number's; not for the point at infinity.
    pub(super) fn has_x(&self, number: &Words) -> bool {
        // x = X/ZZ, so X = x * ZZ: no division.
        Element::from_number(number).is_some_and(|x| x * self.zz == self.x)
    }

    /// Adds a point: "madd-2008-s", 8 products and 2 squares, and the cases that it has no answer for.
    #[inline]
    pub(super) fn add(&mut self, point: &Affine) {
        if self.is_infinity() {
            *self = Self::from(point);
            return;
        }
        let p = point.x * self.zz - self.x;
        let r = point.y * self.zzz - self.y;
        if p.is_zero() {
            // The same x: the same point, or its opposite.
            *self = if r.is_zero() { Self::from(point).double() } else { Self::INFINITY };
            return;
        }
        let pp = p.square();
        let ppp = p * pp;
        let q = self.x * pp;
        let x = r.square() - ppp - q.double();
        *self = Self { x, y: r * (q - x) - self.y * ppp, zz: self.zz * pp, zzz: self.zzz * ppp };
    }

    /// Twice the point: "dbl-2008-s-1". No point has y = 0, because the order is odd.
    pub(super) fn double(&self) -> Self {
        let u = self.y.double();
        let v = u.square();
        let w = u * v;
        let s = self.x * v;
        let m = (self.x.square() - self.zz.square()).triple();
        let x = m.square() - s.double();
        Self { x, y: m * (s - x) - w * self.y, zz: v * self.zz, zzz: w * self.zzz }
    }

    /// All of them as affine points, at the cost of one inversion; none may be at infinity.
    pub(super) fn to_affine(sums: &[Self]) -> Vec<Affine> {
        let mut inverses: Vec<Element> = sums.iter().map(|sum| sum.zzz).collect();
        Element::invert_all(&mut inverses, &mut Vec::new());
        let affine = |(sum, inverse): (&Self, Element)| {
            // ZZ/ZZZ = 1/Z, and its square is 1/ZZ.
            let z = inverse * sum.zz;
            Affine { x: sum.x * z.square(), y: sum.y * inverse }
        };
        sums.iter().zip(inverses).map(affine).collect()
    }
}

impl From<&Affine> for Sum {
    #[inline(always)]
    fn from(point: &Affine) -> Self {
        Self { x: point.x, y: point.y, zz: Element::ONE, zzz: Element::ONE }
    }
}

// FIPS 186-4 D.1.2.3.
const B: Words = [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7];
const GENERATOR_X: Words = [0xf4a1_3945_d898_c296, 0x7703_7d81_2deb_33a0, 0xf8bc_e6e5_63a4_40f2, 0x6b17_d1f2_e12c_4247];
const GENERATOR_Y: Words = [0xcbb6_4068_37bf_51f5, 0x2bce_3357_6b31_5ece, 0x8ee7_eb4a_7c0f_9e16, 0x4fe3_42e2_fe1a_7f9b];
