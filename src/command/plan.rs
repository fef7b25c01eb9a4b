//! `dbtop plan`: a plan in a file, without any server. Reads the file, asks `plan` what it says, and prints it as text, JSON or
//! a page.

use super::{
    files::{self, Input, name},
    output,
};
use crate::{
    cli::plan::{By, Output, Plan as Args},
    plan::{
        MAX_BYTES, Plan, Query, Statement, decoded,
        find::{self, Finding, Weight, create_index, findings},
        lines,
        time::{Metric, Own, own},
    },
    report,
    tui::{Alone, PlanSource},
};
use anyhow::{Context, bail};
use serde::Serialize;
use std::{
    io::{IsTerminal as _, stdout},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

/// Something in the plan is grave.
const GRAVE: u8 = 1;

/// Prints what is asked for.
///
/// # Errors
/// A file that cannot be read, or is no plan: in sentences.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plan = read(&args.file)?;
    let width = args.width.map(usize::from).or_else(terminal_width);
    if let Some(file) = &args.compare {
        let other = read(file)?;
        print(&lines::comparison(heaviest(&plan, &args.file)?, heaviest(&other, file)?), width)?;
        return Ok(ExitCode::SUCCESS);
    }
    match args.output {
        Output::Text => print(&lines::text(&plan, args.by.map(metric), args.fold), width)?,
        Output::Json => output::print(
            &(serde_json::to_string_pretty(&told(&plan)).context("writing the plan as JSON")? + "\n"),
        )?,
        Output::Html => output::print(&report::plan::page(&plan, &name(&args.file)))?,
    }
    let grave =
        queries(&plan).any(|(_, _, found)| found.iter().any(|finding| finding.weight == Weight::Grave));
    Ok(if grave { ExitCode::from(GRAVE) } else { ExitCode::SUCCESS })
}

/// Prints lines, cut after so many columns.
fn print(text: &str, width: Option<usize>) -> anyhow::Result<()> {
    match width {
        None => output::print(text),
        Some(width) => output::print(
            &text.lines().fold(String::new(), |all, line| all + &output::clip(line, width) + "\n"),
        ),
    }
}

fn read(file: &Path) -> anyhow::Result<Plan> {
    let Input { name, bytes } = files::read(file, MAX_BYTES)?;
    parsed(&name, &bytes)
}

fn parsed(name: &str, bytes: &[u8]) -> anyhow::Result<Plan> {
    Plan::read(bytes).with_context(|| format!("{name} cannot be read as a plan"))
}

/// The plan for the screen, and the one to compare it with.
///
/// # Errors
/// A file that cannot be read, or is no plan: in sentences.
pub fn alone(args: &Args) -> anyhow::Result<Alone> {
    let source = |file: &Path| {
        let Input { name, bytes } = files::read_beside_keys(file, MAX_BYTES)?;
        let plan = Arc::new(parsed(&name, &bytes)?);
        let raw = decoded(&bytes).into();
        anyhow::Ok(PlanSource {
            title: name,
            instance: None,
            facts: Vec::new(),
            raw,
            judged: Arc::new(find::Judged::all(&plan)),
            plan,
            query_hash: None,
            live: None,
        })
    };
    let others = args.compare.iter().map(|file| source(file)).collect::<anyhow::Result<_>>()?;
    Ok(Alone::Plan(source(&args.file)?, others))
}

const fn metric(by: By) -> Metric {
    match by {
        By::Time => Metric::Time,
        By::Cpu => Metric::Cpu,
        By::Reads => Metric::Reads,
        By::Rows => Metric::Rows,
        By::Cost => Metric::Cost,
    }
}

/// The query of a plan that takes the longest, or costs most: a batch is compared by what matters in it.
fn heaviest<'a>(plan: &'a Plan, file: &Path) -> anyhow::Result<(&'a Statement, &'a Query)> {
    // A cost is no time: what was timed is compared with what was timed, and before all that was not.
    let weight = |(statement, query): &(&Statement, &Query)| {
        let cost = statement.cost.unwrap_or(0.0);
        query.total.map_or((false, cost), |total| (true, total.elapsed_ms as f64))
    };
    let all = plan
        .statements
        .iter()
        .flat_map(|statement| statement.queries.iter().map(move |query| (statement, query)));
    let heavier = |a: (bool, f64), b: (bool, f64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
    match all.max_by(|a, b| heavier(weight(a), weight(b))) {
        Some(found) => Ok(found),
        None => bail!("no statement in {} has a plan", name(file)),
    }
}

/// The columns of the terminal on standard output; `None`: it is none.
fn terminal_width() -> Option<usize> {
    if !stdout().is_terminal() {
        return None;
    }
    #[cfg(unix)]
    let columns = rustix::termios::tcgetwinsize(stdout()).ok().map(|size| usize::from(size.ws_col));
    #[cfg(not(unix))]
    let columns = Some(120);
    columns.filter(|columns| *columns > 0)
}

fn queries(plan: &Plan) -> impl Iterator<Item = (&Query, Own, Vec<Finding>)> {
    plan.statements.iter().flat_map(|statement| {
        statement.queries.iter().map(move |query| {
            let own = own(query);
            let found = findings(statement, query, &own);
            (query, own, found)
        })
    })
}

/// A plan in JSON: what was read, and what follows from it.
#[derive(Serialize)]
struct Told<'a> {
    version: &'a str,
    build: &'a str,
    statements: Vec<ToldStatement<'a>>,
}

#[derive(Serialize)]
struct ToldStatement<'a> {
    #[serde(flatten)]
    statement: &'a Statement,
    /// One for each of `queries`, in their order.
    judged: Vec<Judged>,
}

#[derive(Serialize)]
struct Judged {
    own: Own,
    findings: Vec<Finding>,
    create_index: Vec<String>,
}

fn told(plan: &Plan) -> Told<'_> {
    let statements = plan.statements.iter().map(|statement| {
        let judged = statement.queries.iter().map(|query| {
            let own = own(query);
            Judged {
                findings: findings(statement, query, &own),
                create_index: query.missing.iter().map(create_index).collect(),
                own,
            }
        });
        ToldStatement { statement, judged: judged.collect() }
    });
    Told { version: &plan.version, build: &plan.build, statements: statements.collect() }
}
