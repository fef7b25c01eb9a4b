//! `dbtop instance test` and `dbtop doctor`: try connections, report each step, and name the rights that the login lacks.
//! Grants nothing: scripts are printed for a person.

mod words;

use super::{
    ask::{self, Terminal},
    invocation::Invocation,
    select::restrict,
};
use crate::{
    app::{fleet, inventory::doctor},
    cli::{Doctor, Format, Report, inventory::InstanceTest},
    model::inventory::instance::Target,
};
use anyhow::bail;
use std::{io::stdout, process::ExitCode};

/// `dbtop instance test NAME…|--all`: 0 if every connection works, 2 if one does not.
///
/// # Errors
/// Nothing to test, a name that is not in the inventory, an output that cannot be written.
pub async fn test(args: InstanceTest, output: Format, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let fleet = fleet::open(&invocation.selection, &mut Terminal::default()).await?;
    fleet.old_key.iter().for_each(|warning| ask::say(warning));
    let targets = named(fleet.targets, &args.names)?;
    let tested = doctor::run(targets).await;
    let output = if output == Format::Json { Report::Json } else { Report::Text };
    words::print_tests(&tested, output, &mut stdout().lock())?;
    let failed = tested.iter().any(|one| !one.report.passed());
    Ok(ExitCode::from(if failed { 2 } else { 0 }))
}

/// `dbtop doctor`: 0 if every login may see all, 1 if one lacks a right, 2 if one could not be asked.
///
/// # Errors
/// As [`test()`], and a scope that means nothing.
pub async fn doctor(args: Doctor, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let fleet = fleet::open(&invocation.selection, &mut Terminal::default()).await?;
    fleet.old_key.iter().for_each(|warning| ask::say(warning));
    let targets = restrict(fleet.targets, args.scope.as_deref())?;
    if targets.is_empty() {
        bail!(
            "no instances to examine: name some with `dbtop instance add` or --inventory FILE, or try --demo"
        );
    }
    let tested = doctor::run(targets).await;
    words::print_rights(&tested, args.output, &mut stdout().lock())?;
    let code = tested.iter().map(|one| match &one.rights {
        Some(Ok(diagnosis)) => u8::from(!diagnosis.holes.is_empty()),
        Some(Err(_)) | None => 2,
    });
    Ok(ExitCode::from(code.max().unwrap_or(0)))
}

/// The targets of these names, in their order; without names all.
fn named(targets: Vec<Target>, names: &[String]) -> anyhow::Result<Vec<Target>> {
    if targets.is_empty() {
        bail!("no instances to test: name some with `dbtop instance add` or --inventory FILE, or try --demo");
    }
    if names.is_empty() {
        return Ok(targets);
    }
    let mut left: Vec<Option<Target>> = targets.into_iter().map(Some).collect();
    let mut chosen = Vec::new();
    for name in names {
        let is_it = |t: &&mut Option<Target>| {
            t.as_ref().is_some_and(|t| t.info.id.as_str().eq_ignore_ascii_case(name))
        };
        match left.iter_mut().find(is_it).and_then(Option::take) {
            Some(target) => chosen.push(target),
            None if chosen.iter().any(|t: &Target| t.info.id.as_str().eq_ignore_ascii_case(name)) => {}
            None => bail!("no instance is called {name}; `dbtop once fleet` lists them"),
        }
    }
    Ok(chosen)
}
