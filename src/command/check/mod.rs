//! `dbtop instance test` and `dbtop doctor`: try connections, say what each step found, and what the login may not see.
//! Grants nothing: scripts are printed for a person.

mod words;

use super::{once, source};
use crate::{
    cli::{Doctor, Format, Report, Source, Tenancy, inventory::InstanceTest},
    collect::{Resolver, Secrets},
    config::secret,
    model::{
        base::failure::Failure,
        inventory::{check::ConnectionReport, doctor::Diagnosis, instance::Target},
    },
    probe::doctor::examine,
    tds::{self, Roots},
};
use anyhow::bail;
use std::{io::stdout, process::ExitCode, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet};

/// Name, TCP, TLS, login and version together.
const WITHIN: Duration = Duration::from_secs(10);
/// Tests at once.
const AT_ONCE: usize = 16;
/// Goodbyes are not waited for.
const CLOSE_WITHIN: Duration = Duration::from_millis(200);

/// One instance: its connection, and its rights if it came to that.
pub struct Tested {
    /// the connection, step by step
    pub report: ConnectionReport,
    /// None: it was not reached
    pub rights: Option<Result<Diagnosis, Failure>>,
}

/// `dbtop instance test NAME…|--all`: 0 if every connection works, 2 if one does not.
///
/// # Errors
/// Nothing to test, a name that is not in the inventory, an output that cannot be written.
pub async fn test(
    args: InstanceTest,
    output: Format,
    source: Source,
    tenancy: &Tenancy,
) -> anyhow::Result<ExitCode> {
    let fleet = source::open(&source, tenancy).await?;
    let targets = named(fleet.targets, &args.names)?;
    let tested = run(targets).await;
    let output = if output == Format::Json { Report::Json } else { Report::Text };
    words::print_tests(&tested, output, &mut stdout().lock())?;
    let failed = tested.iter().any(|one| !one.report.passed());
    Ok(ExitCode::from(if failed { 2 } else { 0 }))
}

/// `dbtop doctor`: 0 if every login may see all, 1 if one lacks a right, 2 if one could not be asked.
///
/// # Errors
/// As [`test()`], and a scope that means nothing.
pub async fn doctor(args: Doctor, source: Source, tenancy: &Tenancy) -> anyhow::Result<ExitCode> {
    let fleet = source::open(&source, tenancy).await?;
    let targets = once::restrict(fleet.targets, args.scope.as_deref())?;
    if targets.is_empty() {
        bail!(
            "no instances to examine: name some with `dbtop instance add` or --inventory FILE, or try --demo"
        );
    }
    let tested = run(targets).await;
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

/// Tests all of them, some at once, and gives the results in the same order.
pub async fn run(targets: Vec<Target>) -> Vec<Tested> {
    let mut tested: Vec<(usize, Tested)> = start(targets).join_all().await;
    tested.sort_by_key(|(index, _)| *index);
    tested.into_iter().map(|(_, one)| one).collect()
}

/// Starts to test all of them, some at once; each result comes with the place of its target in the list.
pub fn start(targets: Vec<Target>) -> JoinSet<(usize, Tested)> {
    let resolver: Resolver = Arc::new(secret::resolve);
    let mut secrets = Secrets::new(resolver);
    let roots = Roots::load();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (index, target) in targets.into_iter().enumerate() {
        let secret = secrets.cell(&target.auth);
        let (roots, places) = (roots.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            // Nobody closes it; without a place the test would only run earlier.
            let _place = places.acquire_owned().await;
            let (report, conn) = tds::check(&target, secret.get().await, &roots, WITHIN).await;
            let mut rights = None;
            if let (Some(mut conn), Some(server)) = (conn, report.server.done()) {
                rights = Some(examine(&mut conn, &target.info.id, server).await);
                conn.close(CLOSE_WITHIN).await;
            }
            (index, Tested { report, rights })
        });
    }
    tasks
}
