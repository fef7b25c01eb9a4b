//! History: the readings of every instance, in a file that is cheap to write, small, and quick to ask. `app::history` starts the
//! writer and asks the reader; nothing here polls or draws.
//!
//! | file | what it owns |
//! |---|---|
//! | `api` | the questions and the answers, as data |
//! | `writer`, `health` | the thread that writes: a commit a second, sealing, retention; the way through a failing disk |
//! | `tracker`, `incident`, `event` | readings become events of the time line |
//! | `fleet` | the fleet at an instant, from the states that are kept |
//! | `codec` | readings, points and totals as bytes |
//! | `sqlite` | the engine and the reader over one SQLite file: the only place with SQL |
//!
//! # How history is kept
//!
//! `<data>/tenants/<slug>/history.db` is another SQLite file (`store::history`; `schema` has the tables). The fold returns
//! a reading for each poll (`model::timeline::record::Record`); the writer's thread commits it once a second to the *write buffer* (the table
//! `hot`), each reading with its points beside it. So a killed process loses at most a second, and a restart has nothing to rebuild.
//!
//! ```text
//! Record -> write buffer - 15 min ----> state block (keyframe + readings, zstd)         state at T = one block + write buffer
//!              `- points - 15 min --> open chunks -- 2 h --> chunk + roll-ups (pco)   chart = the roll-up that fits + points
//!                                                                                     that are not rolled up yet
//! ```
//!
//! - A block, a chunk and a roll-up row hold one instance (chunks and roll-ups: one probe of it), so a chart of one metric reads
//!   a few rows. Instances take turns: their windows end at different seconds.
//! - Probes, metrics, kinds of events and tiers have numbers of their own (`model::base::code`), only ever appended to; types
//!   in MessagePack only grow at their end. `tests/fixture/released` has files of each release, and tests read them.
//! - An event is data (`model::timeline::event::What`); its sentence is made when it is shown, and nothing reads one back.
//! - The series of a probe share their times; which polls a series missed is kept, so a gap stays a gap.
//! - Names, readings, texts and events are sealed with the history's key, which the tenant keeps (`Tenant::history_key`) and a
//!   rotation seals anew; numbers are not, but every blob has a sum that shows damage.
//! - A damaged part is missing alone: states of the other instances and times are read, and the second line of the screen says
//!   `damaged: …` for as long as it shows such an instant (`fleet_with_damage`, `Reply::Past`).
//! - A step of the clock is no age (`model::base::age`): retention and sealing judge by a time that is believed, which the file keeps.
//! - Retention deletes old ends in small transactions; the cap is SQLite's own page limit, kept clear by evicting the oldest.
//! - The flight recorder is the history itself. A departure from the first plan, a ring in memory for each unhealthy
//!   instance: that would be a second copy, and a killed process would lose it. Instead the manager polls the worst of the
//!   unwell at the pace of the screen (`collect::flight_recorder`, `[collect] recorder_instances`), all of which is kept as
//!   always; so the ten minutes before an incident are on the disk when it begins. A change of health to critical makes the
//!   `Incident`, a key prolongs it or makes one (`store::history::incident`); it is one while the trouble comes back, an hour
//!   at most. An instance that is not reachable has none: it has no readings. States and points within an incident stay for
//!   `events_days`; the cap takes them when no others are left. Charts know it: points that reach back only within an
//!   incident do not hide the means.
//! - A fleet's past is read by up to four threads, each with a connection of its own (`store::history::sqlite::pool`), kept for the next
//!   time; a few instances are read by one. Statements promise a stable plan (`schema::open`), or SQLite parses them anew for
//!   other values; `.cargo/config.toml` builds SQLite without its process-wide count of bytes, which is a lock, and AWS-LC without
//!   entropy from the jitter of the processor, which took 50 ms of each start (the system's random numbers stay).
//! - When the disk fails the writer keeps the newest in memory, tries again by itself, and loses the oldest first, counted. The
//!   header says so for as long as it lasts (`Reply::Store`); an attached screen shows the collector's heartbeat.

mod api;
mod codec;
mod deadlocks;
mod event;
mod fleet;
mod health;
mod incident;
mod query_stores;
mod sqlite;
mod tracker;
mod writer;

pub use api::{
    Checked, Cleaned, Committed, Copied, Drawn, EventFilter, Followed, Options, Past, Recent, Remembered,
    SealedNow, StoreStats, Stretch, TierStats,
};
pub use codec::rollup::{Tier, Total};
pub use event::{Episode, Event};
pub use fleet::{fleet_at, fleet_with_damage};
pub use health::StoreHealth;
pub use incident::{AFTER_MS, BEFORE_MS};
pub use sqlite::{
    Charts, Engine, Events, Follow, KnownInstances, MAX_EVENTS, Marks, Reader, States, Stats, copy, restore,
};
pub use writer::{QUEUE, Recorder, Writer, WriterHandle, WriterStats};
