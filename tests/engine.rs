//! The library below the screen, by what it does over real TDS, real files and real time: driver, simulator, probes,
//! collector, stores, vault and exchange. `cargo test --test engine store::` runs one of its parts.
//!
//! | part | tests |
//! |---|---|
//! | `tds` | the driver: TLS, trust, gateways, time-outs, what a refused login says |
//! | `sim` | the simulator: its wire and its worlds, versions, rights and scenarios |
//! | `probe` | scripts, decoders and polls, over servers that answer well, badly and never |
//! | `collect`, `asleep`, `late` | a collector over a simulated fleet; a machine that was suspended; servers that are late for a question |
//! | `history` | what is recorded comes back: at once, after damage, a full disk, kill -9, from older files |
//! | `store` | tenants and their inventory: damage, kill -9, migration, backups of older versions |
//! | `vault` | records, slots and key files |
//! | `exchange` | inventories as files, there and back |
//! | `catalog` | the simulator's schema against a catalogue of real engines, where there is one |
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail and tell like tests"
)]

#[path = "fixture/again.rs"]
mod again;
#[path = "engine/asleep.rs"]
mod asleep;
#[path = "engine/catalog.rs"]
mod catalog;
#[path = "engine/collect.rs"]
mod collect;
#[path = "clients/echo.rs"]
mod echo;
#[path = "engine/exchange/mod.rs"]
mod exchange;
#[path = "engine/history/mod.rs"]
mod history;
#[path = "engine/late.rs"]
mod late;
#[path = "engine/plans.rs"]
mod plans;
#[path = "engine/probe/mod.rs"]
mod probe;
#[path = "fixture/released.rs"]
mod released;
#[path = "engine/sim/mod.rs"]
mod sim;
#[path = "engine/store/mod.rs"]
mod store;
#[path = "engine/tds/mod.rs"]
mod tds;
#[path = "engine/vault/mod.rs"]
mod vault;
#[path = "fixture/world.rs"]
mod world;
