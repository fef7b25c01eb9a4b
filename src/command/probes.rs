//! `dbtop probes`: what dbtop asks servers, how often, with which rights, and what is unknown without each of them. Made of the
//! probes' descriptors and the configuration in force: no server is asked and no inventory is opened.

use super::{
    invocation::Invocation,
    output::{Cell, Grid},
};
use crate::{
    app::configuration,
    cli::Probes as Args,
    collect::Settings,
    model::{inventory::record::PollSettings, poll::cost::Tier},
    probe::{Probe, catalog, descriptor::EachDatabase, script::Needs},
};
use std::{io::stdout, process::ExitCode};

const COLUMNS: [&str; 8] =
    ["probe", "tier", "fleet_s", "on_screen_s", "timeout_s", "right_2016", "right_2022", "unknown_without"];

/// The first major version with the rights of 2022, and none before it.
const VERSION_2022: Option<i32> = Some(16);
const BEFORE_2022: Option<i32> = None;

/// Prints a row for each probe and right, in the order in which probes run.
///
/// # Errors
/// The errors of the configuration; an output that cannot be written.
pub fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let settings = configuration::collector(&configuration::load(&invocation.given)?);
    let rows = catalog::probes().flat_map(|probe| rows(probe, &settings)).collect();
    Grid { columns: COLUMNS.to_vec(), rows }.print(args.output, &mut stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn rows(probe: &Probe, settings: &Settings) -> Vec<Vec<Cell>> {
    let usual = PollSettings::default();
    let every = |on_screen| seconds(settings.every_ms(&usual, probe.id, on_screen));
    let row = |needs: Needs| {
        vec![
            Cell::Text(probe.id.name().to_owned()),
            Cell::Text(tier(probe.tier).to_owned()),
            every(false),
            every(true),
            seconds(probe.timeout_ms),
            Cell::Text(needs.right(BEFORE_2022).to_owned()),
            Cell::Text(needs.right(VERSION_2022).to_owned()),
            Cell::text(unknown_without(probe, needs).as_deref()),
        ]
    };
    rights(probe).into_iter().map(row).collect()
}

/// The rights that its scripts and its answer need, each once; without any: none, as a right.
fn rights(probe: &Probe) -> Vec<Needs> {
    let of_databases = probe.each.into_iter().flat_map(EachDatabase::scripts);
    let of_scripts =
        probe.parts.iter().map(|part| part.script).chain(of_databases).map(|script| script.needs);
    let of_answer = probe.unknown_without.iter().map(|(needs, _)| *needs);
    let mut rights = Vec::new();
    for needs in of_scripts.chain(of_answer) {
        if needs != Needs::Nothing && !rights.contains(&needs) {
            rights.push(needs);
        }
    }
    if rights.is_empty() {
        rights.push(Needs::Nothing);
    }
    rights
}

/// In the words of the probe; where it has none, of those that share its scripts of this right.
fn unknown_without(probe: &Probe, right: Needs) -> Option<String> {
    let of = |probe: &'static Probe| {
        probe.unknown_without.iter().filter(move |(needs, _)| *needs == right).map(|(_, words)| *words)
    };
    let shares = |other: &&Probe| {
        let mine = |name: &str| probe.parts.iter().any(|part| part.script.name == name);
        other.parts.iter().any(|part| part.script.needs == right && mine(part.script.name))
    };
    let own: Vec<&str> = of(catalog::probe(probe.id)).collect();
    let unknown = if own.is_empty() { catalog::probes().filter(shares).flat_map(of).collect() } else { own };
    (!unknown.is_empty()).then(|| unknown.join(", "))
}

const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Fast => "fast",
        Tier::Detail => "detail",
        Tier::Slow => "slow",
        Tier::Identity => "identity",
    }
}

fn seconds(ms: u32) -> Cell {
    if ms.is_multiple_of(1000) { Cell::Int((ms / 1000).into()) } else { Cell::Real(f64::from(ms) / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_a_probe_needs_has_words_for_what_is_unknown_without_it() {
        for probe in catalog::probes() {
            for right in rights(probe).into_iter().filter(|right| *right != Needs::Nothing) {
                assert!(unknown_without(probe, right).is_some(), "{:?} without {right:?}", probe.id);
            }
        }
    }

    #[test]
    fn a_part_of_a_second_is_not_rounded_away() {
        assert_eq!((seconds(2_000), seconds(500)), (Cell::Int(2), Cell::Real(0.5)));
    }
}
