//! The progress of sealing and cleaning up. The engine keeps it, `seal` and `retain` go on from it.

/// How far an instance is sealed, ms.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sealed {
    pub blocks: i64,
    pub chunks: i64,
}

/// When cleaning up was done last, and how far the cap deleted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cleaning {
    pub looked_at: i64,
    pub evicted_until: i64,
    /// of states and points: rows that end before this and still exist lie within incidents, as of `spared_at`
    pub spared: [i64; 2],
    pub spared_at: i64,
}
