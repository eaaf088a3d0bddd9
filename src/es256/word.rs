//! Numbers of 256 bits as four words, least significant first.

/// Four words of 64 bits, least significant first.
pub(super) type Words = [u64; 4];

/// `accumulator + a * b + carry`, which always fits: the low word and the carry.
#[inline(always)]
pub(super) fn multiply_add(accumulator: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(accumulator) + u128::from(carry);
    (low(sum), low(sum >> 64))
}

/// The square of a word: low and high word.
#[inline(always)]
pub(super) fn square(a: u64) -> (u64, u64) {
    multiply_add(0, a, a, 0)
}

/// `a + b + carry`.
#[inline(always)]
pub(super) const fn add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(if carry { 1 } else { 0 });
    (sum, first | second)
}

/// `a - b - borrow`.
#[inline(always)]
pub(super) const fn subtract(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(if borrow { 1 } else { 0 });
    (difference, first | second)
}

/// `a + b` and whether it went beyond 256 bits.
#[inline(always)]
pub(super) const fn add_wide(a: &Words, b: &Words) -> (Words, bool) {
    let (s0, carry) = add(a[0], b[0], false);
    let (s1, carry) = add(a[1], b[1], carry);
    let (s2, carry) = add(a[2], b[2], carry);
    let (s3, carry) = add(a[3], b[3], carry);
    ([s0, s1, s2, s3], carry)
}

/// `a - b` and whether it went below zero.
#[inline(always)]
pub(super) const fn subtract_wide(a: &Words, b: &Words) -> (Words, bool) {
    let (d0, borrow) = subtract(a[0], b[0], false);
    let (d1, borrow) = subtract(a[1], b[1], borrow);
    let (d2, borrow) = subtract(a[2], b[2], borrow);
    let (d3, borrow) = subtract(a[3], b[3], borrow);
    ([d0, d1, d2, d3], borrow)
}

/// `number`, 257 bits of which `top` is the highest, less `modulus` when that leaves it at least zero.
#[inline(always)]
pub(super) fn reduce_once(number: &Words, top: bool, modulus: &Words) -> Words {
    let (reduced, borrow) = subtract_wide(number, modulus);
    // Masks and no branch: which of the two it is, no predictor could learn.
    let keep = u64::from(borrow & !top).wrapping_neg();
    std::array::from_fn(|index| (reduced[index] & !keep) | (number[index] & keep))
}

#[inline(always)]
pub(super) fn is_below(a: &Words, b: &Words) -> bool {
    subtract_wide(a, b).1
}

#[inline(always)]
pub(super) const fn is_zero(a: &Words) -> bool {
    a[0] | a[1] | a[2] | a[3] == 0
}

/// The number that 32 bytes are, most significant first.
#[inline]
pub(super) fn from_bytes(bytes: &[u8; 32]) -> Words {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words
}

/// The low half.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "the one place that means to drop the high half")]
pub(super) const fn low(wide: u128) -> u64 {
    wide as u64
}

/// The low half of a signed number.
#[inline(always)]
pub(super) const fn low_signed(wide: i128) -> u64 {
    low(wide.cast_unsigned())
}

/// A small number as an index.
#[inline(always)]
pub(super) fn index(small: u64) -> usize {
    // More than any memory holds: an index that is refused, on machines of 32 bits.
    usize::try_from(small).unwrap_or(usize::MAX)
}
