//! The windows of an instance: where a state block and a chunk end. Pure. The writer seals by them; the readers know from them that
//! nothing is longer.

/// The length of a state block, ms.
pub(super) const BLOCK_MS: i64 = 15 * 60_000;
/// The length of a chunk, ms.
pub(super) const CHUNK_MS: i64 = 8 * BLOCK_MS;

/// How long after a quarter of an hour the windows of an instance end, ms. Instances are spread evenly over the quarter.
const fn stagger_ms(instance: u32, window_ms: i64) -> i64 {
    // The golden ratio of 2^32: neighbours land far apart.
    (instance.wrapping_mul(2_654_435_769) as i64 * window_ms) >> 32
}

/// The last end of a window at or before `at`.
pub(super) fn boundary(instance: u32, window_ms: i64, at: i64) -> i64 {
    let offset = stagger_ms(instance, BLOCK_MS)
        + (stagger_ms(instance.wrapping_add(7), window_ms) / BLOCK_MS) * BLOCK_MS;
    (at - offset).div_euclid(window_ms) * window_ms + offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_instances_end_at_different_seconds_and_nest() {
        let at = 1_900_000_000_000;
        let mut ends: Vec<i64> = (1..=500).map(|no| boundary(no, BLOCK_MS, at)).collect();
        ends.sort_unstable();
        ends.dedup();
        assert!(ends.len() > 490, "{} different ends of 500", ends.len());
        for no in 1..500 {
            let end = boundary(no, BLOCK_MS, at);
            assert!(end <= at && at - end < BLOCK_MS);
            assert_eq!(boundary(no, BLOCK_MS, end), end);
            assert_eq!(boundary(no, BLOCK_MS, end - 1), end - BLOCK_MS);
            let chunk = boundary(no, CHUNK_MS, at);
            assert!(chunk <= at && at - chunk < CHUNK_MS);
            assert_eq!(boundary(no, BLOCK_MS, chunk), chunk, "a chunk ends where a block ends");
        }
    }
}
