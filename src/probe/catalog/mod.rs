//! The probes: one file for each, with its scripts, its descriptor and its decoder. This file is the list of them.
//!
//! For decoders: every column may be NULL, missing, negative or hostile; then a field is None, or a row without identity is
//! left out. Nothing in here may panic, invent a zero, or keep a text that was not made harmless.

mod activity;
mod availability;
mod blocking;
mod clerks;
mod cost;
mod counts;
mod cpu_ring;
mod databases;
mod deadlocks;
mod file;
mod files;
mod grants;
mod growths;
mod headline;
mod jobs;
mod log_use;
mod logs;
mod memory;
mod modules;
mod properties;
mod queries;
mod query_store;
mod rights;
mod room;
mod schedulers;
mod space;
mod tempdb;
mod volumes;
mod waits;
mod who;

pub(super) use query_store::VARIANTS;

use super::{
    demand,
    descriptor::{EachDatabase, Probe},
    job, object, plan_database,
    script::Script,
    text,
};
use crate::model::poll::id::ProbeId;

/// A probe by its id.
pub fn probe(id: ProbeId) -> &'static Probe {
    match id {
        ProbeId::Properties => &properties::PROBE,
        ProbeId::Rights => &rights::PROBE,
        ProbeId::Databases => &databases::PROBE,
        ProbeId::Headline => &headline::PROBE,
        ProbeId::Activity => &activity::PROBE,
        ProbeId::Blocking => &blocking::PROBE,
        ProbeId::Waits => &waits::PROBE,
        ProbeId::Schedulers => &schedulers::PROBE,
        ProbeId::CpuRing => &cpu_ring::PROBE,
        ProbeId::Memory => &memory::PROBE,
        ProbeId::Clerks => &clerks::PROBE,
        ProbeId::Availability => &availability::PROBE,
        ProbeId::Volumes => &volumes::PROBE,
        ProbeId::Jobs => &jobs::PROBE,
        ProbeId::Logs => &logs::PROBE,
        ProbeId::Space => &space::PROBE,
        ProbeId::TempdbUse => &tempdb::PROBE,
        ProbeId::LogUse => &log_use::PROBE,
        ProbeId::Grants => &grants::PROBE,
        ProbeId::Growths => &growths::PROBE,
        ProbeId::Room => &room::PROBE,
        ProbeId::Files => &files::PROBE,
        ProbeId::Queries => &queries::PROBE,
        ProbeId::Modules => &modules::PROBE,
        ProbeId::QueryStore => &query_store::PROBE,
        ProbeId::Deadlocks => &deadlocks::PROBE,
        ProbeId::Cost => &cost::PROBE,
    }
}

/// All probes, in the order in which they run when several are due.
pub fn probes() -> impl Iterator<Item = &'static Probe> {
    ProbeId::ALL.into_iter().map(probe)
}

/// Every script of every probe, and those asked on demand.
pub fn scripts() -> impl Iterator<Item = Script> {
    let parts = probes().flat_map(|p| p.parts).map(|p| p.script);
    let of_databases = probes().filter_map(|p| p.each).flat_map(EachDatabase::scripts);
    parts
        .chain(of_databases)
        .chain([
            text::TEXTS,
            plan_database::PLAN_DATABASES,
            object::RESOLVE_HOBT,
            object::RESOLVE_OBJECT,
            job::RESOLVE_JOB,
        ])
        .chain(demand::SCRIPTS)
}
