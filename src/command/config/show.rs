//! `dbtop config show`: every option with its value and where that comes from. No secrets: the configuration has none, and paths of
//! key files are no keys.

use crate::{
    app::{
        configuration::{ConfigFile, Given, read},
        selection::Selection,
    },
    cli::Format,
    command::output::{Cell, Grid},
    config::{ConfigError, Origin},
};
use std::{io::stdout, path::Path};

/// Prints the options by name.
///
/// # Errors
/// The errors of the configuration; an output that cannot be written.
pub fn run(output: Format, selection: &Selection, given: &Given) -> anyhow::Result<()> {
    let place = ConfigFile::find(given);
    let read = read(place.as_ref(), given);
    if !read.errors.is_empty() {
        return Err(ConfigError::Invalid(read.errors).into());
    }
    let config = place.as_ref().and_then(ConfigFile::to_read);
    let named = place.as_ref().is_some_and(|place| place.named);
    let mut rows = vec![
        row("config", path(config), &said(named, "DBTOP_CONFIG", "--config")),
        row(
            "inventory",
            path(selection.inventory.as_deref()),
            &said(selection.inventory.is_some(), "DBTOP_INVENTORY", "--inventory"),
        ),
        row(
            "tenant",
            Cell::text(selection.tenant.as_deref()),
            &said(selection.tenant.is_some(), "DBTOP_TENANT", "--tenant"),
        ),
        key_file(selection),
    ];
    let values = toml::Table::try_from(&read.config)?;
    for (section, options) in &values {
        for (option, value) in options.as_table().into_iter().flatten() {
            let name = format!("{section}.{option}");
            let from = read.origins.get(&name).unwrap_or(&Origin::Default);
            rows.push(row(&name, cell(value), from));
        }
    }
    Grid { columns: vec!["option", "value", "from"], rows }.print(output, &mut stdout().lock())
}

fn row(option: &str, value: Cell, from: &Origin) -> Vec<Cell> {
    vec![Cell::Text(option.to_owned()), value, Cell::Text(from.to_string())]
}

fn path(path: Option<&Path>) -> Cell {
    Cell::text(path.map(|path| path.display().to_string()).as_deref())
}

/// Options that the command line takes from the environment too; its arguments beat the environment.
fn said(is_said: bool, variable: &str, option: &'static str) -> Origin {
    let named = std::env::args_os().any(|word| word.to_string_lossy().starts_with(option));
    match (is_said, named) {
        (false, _) => Origin::Default,
        (true, true) => Origin::CommandLine(option),
        (true, false) => Origin::Variable(variable.to_owned()),
    }
}

fn key_file(selection: &Selection) -> Vec<Cell> {
    let of_environment = std::env::var_os("DBTOP_KEY_FILE").filter(|file| !file.is_empty());
    match (&selection.key_file, &of_environment) {
        (Some(file), _) => row("key_file", path(Some(file)), &Origin::CommandLine("--key-file")),
        (None, Some(file)) => {
            row("key_file", path(Some(Path::new(file))), &Origin::Variable("DBTOP_KEY_FILE".into()))
        }
        (None, None) => row("key_file", path(None), &Origin::Default),
    }
}

fn cell(value: &toml::Value) -> Cell {
    match value {
        toml::Value::String(text) => Cell::Text(text.clone()),
        toml::Value::Integer(number) => Cell::Int(*number),
        toml::Value::Float(number) => Cell::Real(*number),
        toml::Value::Boolean(flag) => Cell::Flag(*flag),
        other => Cell::Text(other.to_string()),
    }
}
