//! A simulated SQL Server fleet that speaks TDS on loopback: demo, tests, benchmarks, rehearsals.
//!
//! `wire` speaks the protocol, `world` decides what happens on each instance at each moment, `answer` turns that
//! into the rows of each system view; `schema` knows which views exist and `bind` refuses batches that name others;
//! `backend` is the seam between them. Uses `model` and `sql` only. It must never
//! listen on an address outside loopback.

pub mod backend;
pub mod bind;
pub mod scenario;
pub mod schema;
pub mod wire;
pub mod world;
