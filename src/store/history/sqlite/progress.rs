//! How far sealing and cleaning up are. The engine keeps it, `seal` and `retain` go on from it.

/// How far an instance is sealed, ms.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sealed {
    pub blocks: i64,
    pub chunks: i64,
}

/// When it was done last, and what the cap took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cleaning {
    pub looked_at: i64,
    pub evicted_until: i64,
    /// of states and points: what ends before and is still there lies within incidents, as of `spared_at`
    pub spared: [i64; 2],
    pub spared_at: i64,
}
