//! dbtop: a full-screen terminal console for SQL Server fleets.
//!
//! Collectors turn SQL Server rows into samples; one reducer folds samples into an immutable
//! [`std::sync::Arc`]`<FleetSnapshot>`; the screen is a pure function of (snapshot, view state); everything the
//! screen wants done leaves it as an effect.

pub mod model;
pub mod sim;
pub mod sql;
