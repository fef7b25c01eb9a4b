//! `dbtop config show`: every option with its value, where that comes from, and what it means. No secrets: the configuration has none, and paths of
//! key files are no keys.

use crate::{
    app::{
        configuration::{ConfigFile, Given, read},
        selection::Selection,
        settings::Editor,
    },
    cli::Format,
    command::{
        output::{Cell, Grid},
        theme,
    },
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
    let editor = Editor { place, given: given.clone(), check: theme::error };
    let values = toml::Table::try_from(&read.config)?;
    for line in editor.list().lines {
        let value = line.key.split_once('.').and_then(|(section, option)| values.get(section)?.get(option));
        let from = read.origins.get(&line.key).unwrap_or(&Origin::Default);
        let [name, value, from, ..] = row(&line.key, value.map_or(Cell::text(None), cell), from);
        let when = if line.waits_for_start { "next start" } else { "at once" };
        rows.push([
            name,
            value,
            from,
            Cell::Text(line.default),
            Cell::Text(when.into()),
            Cell::Text(line.help),
        ]);
    }
    let columns = vec!["option", "value", "from", "default", "takes_effect", "help"];
    let rows = rows.into_iter().map(Vec::from).collect();
    Grid { columns, rows }.print(output, &mut stdout().lock())
}

/// Options of the command line have no default to go back to and no help here.
fn row(option: &str, value: Cell, from: &Origin) -> [Cell; 6] {
    let none = || Cell::text(None);
    [Cell::Text(option.to_owned()), value, Cell::Text(from.to_string()), none(), none(), none()]
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

fn key_file(selection: &Selection) -> [Cell; 6] {
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
