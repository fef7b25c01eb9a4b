//! `dbtop deadlock`: deadlocks in a file, without any server. Reads the file, asks `deadlock` what it says, and prints it.

use super::{
    files::{self, Input},
    invocation::Invocation,
    output,
};
use crate::{
    app::configuration,
    cli::{Report, deadlock::Deadlock as Args},
    deadlock::{Deadlock, MAX_BYTES, decoded, lines},
    tui::{Alone, DeadlockSource},
};
use anyhow::Context;
use serde::Serialize;
use std::{process::ExitCode, sync::Arc};

/// Prints what is asked for.
///
/// # Errors
/// A file that cannot be read, or has no deadlock in it: in sentences.
pub fn run(args: &Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let Input { name, bytes } = files::read(&args.file, MAX_BYTES)?;
    let deadlocks =
        Deadlock::read_all(&bytes).with_context(|| format!("{name} cannot be read as a deadlock"))?;
    let zone = configuration::zone(&configuration::load(&invocation.given)?);
    let when = |deadlock: &Deadlock| deadlock.at.map_or_else(|| "no time".to_owned(), |at| zone.instant(at));
    match args.output {
        Report::Text => output::print(&lines::text(&deadlocks, when))?,
        Report::Json => {
            let told: Vec<Told<'_>> =
                deadlocks.iter().map(|deadlock| Told { rings: rings(deadlock), deadlock }).collect();
            output::print(
                &(serde_json::to_string_pretty(&told).context("writing the deadlocks as JSON")? + "\n"),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The deadlocks of a file for the screen.
///
/// # Errors
/// A file that cannot be read, or has no deadlock in it: in sentences.
pub fn alone(args: &Args, invocation: &Invocation) -> anyhow::Result<Alone> {
    let Input { name, bytes } = files::read_beside_keys(&args.file, MAX_BYTES)?;
    let deadlocks =
        Deadlock::read_all(&bytes).with_context(|| format!("{name} cannot be read as a deadlock"))?;
    let zone = configuration::zone(&configuration::load(&invocation.given)?);
    // Each is written with the whole file that it came in.
    let raw: Arc<str> = decoded(&bytes).into();
    let source = |deadlock: Deadlock| DeadlockSource {
        title: deadlock.at.map_or_else(|| name.clone(), |at| format!("{} · {name}", zone.instant(at))),
        instance: None,
        raw: Arc::clone(&raw),
        deadlock: Arc::new(deadlock),
    };
    Ok(Alone::Deadlocks(deadlocks.into_iter().map(source).collect()))
}

/// A deadlock in JSON: what was read, and what follows from it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    deadlock: &'a Deadlock,
    rings: Vec<Ring>,
}

#[derive(Serialize)]
struct Ring {
    pattern: &'static str,
    fingerprint: String,
    why: String,
    usual_cure: &'static str,
}

fn rings(deadlock: &Deadlock) -> Vec<Ring> {
    let each = lines::pictures(deadlock).into_iter().map(|picture| Ring {
        pattern: picture.pattern.word(),
        fingerprint: picture.fingerprint,
        why: picture.why,
        usual_cure: picture.pattern.cure(),
    });
    each.collect()
}
