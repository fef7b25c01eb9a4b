//! Reproducible randomness: every "random" fact of the fleet is a hash of the seed and the name of the fact, so that
//! any moment can be computed on its own, in any order, with no generator to carry around.

/// A source of numbers at one point of the tree of facts. Copy it freely: the same point has the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dice(u64);

impl Dice {
    /// The root, from the user's seed.
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x9e37_79b9_7f4a_7c15))
    }

    /// The child called `name`, such as `"collation"`.
    #[must_use]
    pub fn of(self, name: &str) -> Self {
        // FNV-1a over the name, then mixed: names are short and fixed in the source
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(mix(self.0 ^ hash))
    }

    /// The child with number `n`, such as a slot or a cycle.
    #[must_use]
    pub const fn at(self, n: i64) -> Self {
        Self(mix(self.0 ^ mix(n as u64 ^ 0xa076_1d64_78bd_642f)))
    }

    /// 64 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// From 0 to below 1.
    pub fn unit(self) -> f64 {
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` to below `high`.
    pub fn between(self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// From `low` to below `high`, in whole numbers.
    pub fn whole(self, low: i64, high: i64) -> i64 {
        low + (self.unit() * (high - low) as f64) as i64
    }

    /// From `low` to `high` with most values near `low`: sizes, durations, rates.
    pub fn skewed(self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit().powi(2))
    }

    /// True with this probability.
    pub fn chance(self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of a list; the list must not be empty.
    pub fn pick<T>(self, list: &[T]) -> &T {
        &list[(self.unit() * list.len() as f64) as usize]
    }

    /// `N` bytes, for handles and hashes.
    pub fn bytes<const N: usize>(self) -> [u8; N] {
        let mut out = [0; N];
        for (i, chunk) in out.chunks_mut(8).enumerate() {
            let word = self.at(i as i64).0.to_be_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        out
    }
}

/// The finalizer of splitmix64.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_path_same_number_other_path_other_number() {
        let dice = Dice::new(7);
        assert_eq!(dice.of("a").at(3), Dice::new(7).of("a").at(3));
        assert_ne!(dice.of("a").at(3), dice.of("a").at(4));
        assert_ne!(dice.of("a").at(3), dice.of("b").at(3));
        assert_ne!(dice.of("a"), Dice::new(8).of("a"));
    }

    #[test]
    fn numbers_stay_in_their_range_and_spread() {
        let units: Vec<f64> = (0..1000).map(|n| Dice::new(1).at(n).unit()).collect();
        assert!(units.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = units.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "mean {mean}");
        assert!((0..1000).all(|n| (3..9).contains(&Dice::new(1).at(n).whole(3, 9))));
    }
}
