//! The instances of a simulated fleet.

use super::{dice::Dice, profile::Profile, version::Version};

/// All instances, and the time at which they began to exist.
#[derive(Debug)]
pub struct Fleet {
    /// in order
    pub profiles: Vec<Profile>,
    /// the simulator's start, UTC ms since 1970
    pub utc_origin_ms: i64,
}

impl Fleet {
    /// Rolls a fleet. No versions means all of them.
    pub fn roll(seed: u64, instances: usize, versions: &[Version], utc_origin_ms: i64) -> Self {
        let root = Dice::new(seed);
        let profiles = (0..instances).map(|i| Profile::roll(root, i, instances, versions)).collect();
        Self { profiles, utc_origin_ms }
    }
}
