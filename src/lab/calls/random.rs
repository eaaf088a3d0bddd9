//! What looks like chance in a practice world: SplitMix64, so that every part can be made by itself, in any order.

/// A stream of numbers that its seed alone decides.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream that belongs to a place: the same parts give the same stream.
    pub(super) fn of(parts: &[u64]) -> Self {
        Self(parts.iter().fold(0x5174_7261_6365, |state, part| mix(state.wrapping_add(*part).wrapping_add(STEP))))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// From 0 to below `bound`; 0 where the bound is.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// From `least` to `most`, both possible.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = u64::try_from(most.saturating_sub(least)).unwrap_or(0).saturating_add(1);
        least.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    /// A place in something of that length; 0 where it is empty.
    pub(super) fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).unwrap_or(1);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub(super) const fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.index(of.len()))
    }
}

/// A number that belongs to these numbers.
pub(super) fn hash(parts: &[u64]) -> u64 {
    Random::of(parts).next()
}

/// As a part of a hash.
pub(super) fn part(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX)
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_gives_the_same_numbers_and_another_place_others() {
        let take = |parts: &[u64]| {
            let mut random = Random::of(parts);
            (0..8).map(|_| random.next()).collect::<Vec<_>>()
        };
        assert_eq!(take(&[1, 2]), take(&[1, 2]));
        assert_ne!(take(&[1, 2]), take(&[2, 1]));
        let mut random = Random::of(&[7]);
        assert!((0..1000).all(|_| (-3..=3).contains(&random.between(-3, 3))));
    }
}
