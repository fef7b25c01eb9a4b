//! `dbtop config check`, `dbtop config show` and `dbtop config set`.

mod set;
mod show;
mod warn;

use super::{
    invocation::Invocation,
    output::{Cell, Grid},
    theme,
};
use crate::{
    app::{
        configuration::{ConfigFile, Given, environment, read},
        inventory::{
            open::{locked, tenants_there, unlock_unasked},
            targets::targets,
        },
        selection::Selection,
    },
    cli::{ConfigCommand, Configuration, Format},
    config::{Invalid, Origin, inventory},
    model::{
        base::{error::with_causes, text},
        inventory::instance::Target,
    },
};
use anyhow::Context;
use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Runs one of the sub-commands. `check` ends with 0 if it found nothing, 1 if there are warnings, 2 if there are
/// errors.
///
/// # Errors
/// `show`: the errors of the configuration. Both: an output that cannot be written.
pub fn run(args: Configuration, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    match args.command {
        ConfigCommand::Check => check(args.output, &invocation.selection, &invocation.given),
        ConfigCommand::Show => {
            show::run(args.output, &invocation.selection, &invocation.given).map(|()| ExitCode::SUCCESS)
        }
        ConfigCommand::Set { key, value, .. } => {
            set::run(&key, value.as_deref(), args.output, invocation).map(|()| ExitCode::SUCCESS)
        }
    }
}

/// How much a finding matters. Ordered: worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// something was not checked
    Note,
    /// it works but is insecure, costly or probably not intended
    Warning,
    /// dbtop does not start with it
    Error,
}

impl Weight {
    const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding of `check`.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    weight: Weight,
    said: Invalid,
}

impl Finding {
    fn warning(at: Origin, option: &str, problem: String, advice: impl Into<String>) -> Self {
        let said = Invalid { at, option: option.to_owned(), problem, advice: advice.into() };
        Self { weight: Weight::Warning, said }
    }

    const fn error(said: Invalid) -> Self {
        Self { weight: Weight::Error, said }
    }
}

/// The instances that the configuration is for.
struct Fleet {
    /// each with the line of the plain inventory where it begins
    targets: Vec<(Option<usize>, Target)>,
    /// the plain inventory, if it is one
    file: Option<PathBuf>,
    /// the file, or `tenant x`
    name: String,
}

fn check(output: Format, selection: &Selection, given: &Given) -> anyhow::Result<ExitCode> {
    let place = ConfigFile::find(given);
    let read = read(place.as_ref(), given);
    let mut findings: Vec<Finding> = read.errors.iter().cloned().map(Finding::error).collect();
    findings.extend(theme::error(&read).map(Finding::error));
    let fleet = fleet(selection, &mut findings);
    let file = place.as_ref().and_then(ConfigFile::to_read);
    findings.extend(warn::values(&read, fleet.as_ref()));
    findings.extend(warn::files(file, selection.key_file.as_deref(), fleet.as_ref()));
    findings.extend(warn::variables(environment().map(|(name, _)| name), fleet.as_ref()));
    findings.extend(fleet.iter().flat_map(warn::transport));
    // Stable: findings of one kind keep their order.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    print(&findings, output, file)?;
    let worst = findings.iter().map(|finding| finding.weight).max();
    Ok(ExitCode::from(match worst {
        Some(Weight::Error) => 2,
        Some(Weight::Warning) => 1,
        Some(Weight::Note) | None => 0,
    }))
}

/// The plain inventory if one is named, else the sealed one if it opens without a question.
fn fleet(selection: &Selection, findings: &mut Vec<Finding>) -> Option<Fleet> {
    if let Some(file) = &selection.inventory {
        let at = Origin::File { path: file.clone(), line: None };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("cannot be read: {error}");
                let said = Invalid { at, option: String::new(), problem, advice: String::new() };
                findings.push(Finding::error(said));
                return None;
            }
        };
        let read = inventory::read(file, &text);
        findings.extend(read.errors.into_iter().map(Finding::error));
        let targets = read.targets.into_iter().map(|(line, target)| (Some(line), target)).collect();
        return Some(Fleet { targets, file: Some(file.clone()), name: file.display().to_string() });
    }
    match sealed(selection) {
        Ok(fleet) => fleet,
        Err(error) => {
            let problem = format!("the sealed inventory was not looked at: {}", with_causes(&*error));
            let advice = "give --key-file FILE, or --inventory FILE for a plain one".to_owned();
            let said = Invalid { at: Origin::Default, option: String::new(), problem, advice };
            findings.push(Finding { weight: Weight::Note, said });
            None
        }
    }
}

/// The tenant's inventory; None without any tenant.
///
/// # Errors
/// It opens only with a question, or not at all.
fn sealed(selection: &Selection) -> anyhow::Result<Option<Fleet>> {
    if selection.tenant.is_none() && tenants_there()?.is_empty() {
        return Ok(None);
    }
    let tenant = unlock_unasked(selection, &locked(selection)?)?;
    let (targets, _) = targets(&tenant.inventory()?);
    let targets = targets.into_iter().map(|target| (None, target)).collect();
    Ok(Some(Fleet { targets, file: None, name: format!("tenant {}", tenant.slug()) }))
}

/// Lines for people, rows for programs.
fn print(findings: &[Finding], output: Format, file: Option<&Path>) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    if output != Format::Table {
        return grid(findings).print(output, &mut out);
    }
    let mut shown = String::new();
    for Finding { weight, said } in findings {
        let place = if said.at == Origin::Default { String::new() } else { format!("{}: ", said.at) };
        let advice = if said.advice.is_empty() { String::new() } else { format!("; {}", said.advice) };
        let line = format!("{:<7}  {place}{}{advice}", weight.name(), said.problem);
        shown.push_str(&text::sanitize_line(&line, LONGEST_LINE));
        shown.push('\n');
    }
    let read = file.map_or_else(|| "no file: the defaults".to_owned(), |file| file.display().to_string());
    let count = |weight| findings.iter().filter(|finding| finding.weight == weight).count();
    let (errors, warnings) = (count(Weight::Error), count(Weight::Warning));
    let sum = match (errors, warnings) {
        (0, 0) => "no errors, nothing to warn about".to_owned(),
        _ => format!("errors {errors}, warnings {warnings}"),
    };
    let done = out.write_all(shown.as_bytes()).and_then(|()| writeln!(out, "{read}: {sum}"));
    done.or_else(cli_gone).context("writing the result")
}

/// A finding longer than this is cut.
const LONGEST_LINE: usize = 1_000;

/// A reader that closes the pipe early is no error.
fn cli_gone(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

fn grid(findings: &[Finding]) -> Grid {
    let optional = |text: &str| Cell::text(Some(text).filter(|text| !text.is_empty()));
    let row = |Finding { weight, said }: &Finding| {
        let (place, line) = match &said.at {
            Origin::File { path, line } => (path.display().to_string(), *line),
            Origin::Default => (String::new(), None),
            other => (other.to_string(), None),
        };
        vec![
            Cell::Text(weight.name().to_owned()),
            optional(&place),
            Cell::int(line.map(|line| line as i64)),
            optional(&said.option),
            Cell::Text(said.problem.clone()),
            optional(&said.advice),
        ]
    };
    Grid {
        columns: vec!["level", "place", "line", "option", "problem", "advice"],
        rows: findings.iter().map(row).collect(),
    }
}
