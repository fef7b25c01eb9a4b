//! Probes: their scripts and catalog, their decoders, and polls over a server that answers as it likes ([`fake`]) or as a
//! simulated one does.

mod columns;
mod deadlocks;
mod demand;
mod extremes;
mod fake;
mod hosted;
mod keyed;
mod matrix;
mod noise;
mod poll;
mod queries;
mod query_store;
mod registry;
mod room;
mod room_columns;
mod sim;
mod store_columns;
mod store_sums;
