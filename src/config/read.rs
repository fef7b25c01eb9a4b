//! From a file and the environment to a [`Config`], the origin of each value, and every error on the way. The names of
//! sections and options are those of [`Config`] itself, so there is no second list to keep.

use super::{
    error::{ConfigError, Invalid, Origin, line_at, nearest, plain},
    rules,
    sections::Config,
};
use crate::model::base::error::with_causes;
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

/// The result of reading. Errors do not end the reading: an option with an error keeps its value from before.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// the configuration without the wrong values; to be used only if there are none
    pub config: Config,
    /// the origin of each value that is not a default, by option such as `poll.fleet_s`
    pub origins: BTreeMap<String, Origin>,
    /// errors in the file by line, then errors in the environment
    pub errors: Vec<Invalid>,
}

/// Reads the configuration as [`read()`] does, and takes it only without any error.
///
/// # Errors
/// [`ConfigError::Invalid`].
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let read = read(file, env);
    if read.errors.is_empty() { Ok(read.config) } else { Err(ConfigError::Invalid(read.errors)) }
}

/// Reads defaults, then `file` (if any), then `env` (all variables; those that start with `DBTOP_<SECTION>_` count).
pub fn read(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Read {
    let mut reading = Reading::default();
    if let Some(path) = file {
        match std::fs::read_to_string(path) {
            Ok(text) => reading.file(path, &text),
            Err(error) => reading.wrong(
                whole(path),
                "",
                format!("cannot be read: {}", with_causes(&error)),
                String::new(),
            ),
        }
    }
    reading.environment(env)
}

/// [`read()`] of a file that has this text, or would have it.
pub fn read_text(path: &Path, text: &str, env: impl IntoIterator<Item = (String, String)>) -> Read {
    let mut reading = Reading::default();
    reading.file(path, text);
    reading.environment(env)
}

/// A file as a whole.
fn whole(path: &Path) -> Origin {
    Origin::File { path: path.to_owned(), line: None }
}

/// The options of every section, as the defaults have them.
pub fn options() -> Table {
    // A structure of plain values always becomes a table.
    Table::try_from(Config::default()).unwrap_or_default()
}

/// The environment variable that sets an option.
pub fn variable(section: &str, option: &str) -> String {
    format!("DBTOP_{section}_{option}").to_uppercase()
}

struct Reading {
    known: Table,
    good: Table,
    origins: BTreeMap<String, Origin>,
    errors: Vec<Invalid>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { known: options(), good: Table::new(), origins: BTreeMap::new(), errors: Vec::new() }
    }
}

impl Reading {
    fn wrong(&mut self, at: Origin, option: &str, problem: String, advice: String) {
        self.errors.push(Invalid { at, option: option.to_owned(), problem, advice });
    }

    fn file(&mut self, path: &Path, text: &str) {
        let (file, errors) = DeTable::parse_recoverable(text);
        let at = |byte| Origin::File { path: path.to_owned(), line: Some(line_at(text, byte)) };
        if !errors.is_empty() {
            // After a syntax error options may seem to be in the wrong section.
            for error in errors {
                let place = error.span().map_or_else(|| whole(path), |span| at(span.start));
                self.wrong(place, "", plain(error.message()), String::new());
            }
            self.errors.sort_by(|a, b| a.at.cmp(&b.at));
            self.errors.dedup_by(|a, b| a.at == b.at);
            return;
        }
        let mut sections: Vec<_> = file.into_inner().into_iter().collect();
        sections.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in sections {
            let (place, section) = (at(name.span().start), name.into_inner());
            if !self.known.contains_key(&*section) {
                self.unknown_section(place, &section);
                continue;
            }
            let DeValue::Table(options) = value.into_inner() else {
                let advice = format!("write a line [{section}] and its options below it");
                self.wrong(place, &section, format!("`{section}` is a section"), advice);
                continue;
            };
            let mut options: Vec<_> = options.into_iter().collect();
            options.sort_by_key(|(name, _)| name.span().start);
            for (name, value) in options {
                self.option(at(name.span().start), &section, &name.into_inner(), value);
            }
        }
    }

    fn unknown_section(&mut self, place: Origin, name: &str) {
        let advice = match self.home_of(name) {
            Some(section) => format!("it belongs below the line [{section}]"),
            None => nearest(name, self.known.keys().map(String::as_str)).map_or_else(
                || format!("there are {}", list(self.known.keys())),
                |section| format!("did you mean `{section}`?"),
            ),
        };
        self.wrong(place, name, format!("there is no section `{name}`"), advice);
    }

    fn option(&mut self, place: Origin, section: &str, option: &str, value: Spanned<DeValue<'_>>) {
        if self.is_unknown(&place, section, option) {
            return;
        }
        match Value::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => self.set(place, section, option, value),
            Err(error) => {
                let problem = format!("[{section}] {option}: {}", plain(error.message()));
                self.wrong(place, &format!("{section}.{option}"), problem, String::new());
            }
        }
    }

    /// True, and noted, if the section has no such option.
    fn is_unknown(&mut self, place: &Origin, section: &str, option: &str) -> bool {
        let names = |table: &Table| table.keys().cloned().collect::<Vec<String>>();
        let here = self.known.get(section).and_then(Value::as_table).map(names).unwrap_or_default();
        if here.iter().any(|name| name == option) {
            return false;
        }
        let elsewhere = self.home_of(option);
        let advice = match (nearest(option, here.iter().map(String::as_str)), elsewhere) {
            (_, Some(home)) => format!("it belongs below the line [{home}]"),
            (Some(name), None) if matches!(place, Origin::Variable(_)) => {
                format!("did you mean `{name}`, {}?", variable(section, name))
            }
            (Some(name), None) => format!("did you mean `{name}`?"),
            (None, None) => format!("it has {}", list(&here)),
        };
        let problem = format!("[{section}] has no option `{option}`");
        self.wrong(place.clone(), &format!("{section}.{option}"), problem, advice);
        true
    }

    /// The section that has an option of this name.
    fn home_of(&self, option: &str) -> Option<String> {
        let has = |table: &Value| table.get(option).is_some();
        self.known.iter().find(|(_, options)| has(options)).map(|(section, _)| section.clone())
    }

    /// Takes a value if it is of the right type.
    fn set(&mut self, place: Origin, section: &str, option: &str, value: Value) {
        let name = format!("{section}.{option}");
        // Values are tried one by one, to find the wrong one.
        let alone = Table::from_iter([(option.to_owned(), value.clone())]);
        let tried = Table::from_iter([(section.to_owned(), Value::Table(alone))]).try_into::<Config>();
        if let Err(error) = tried {
            let problem = format!("[{section}] {option}: {}", plain(error.message()));
            self.wrong(place, &name, problem, String::new());
            return;
        }
        let entry = self.good.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        if let Some(options) = entry.as_table_mut() {
            options.insert(option.to_owned(), value);
            self.origins.insert(name, place);
        }
    }

    /// Reads `DBTOP_UI_THEME=light`; variables of another form are ignored.
    fn variable(&mut self, name: String, text: &str) {
        let Some((section, option)) = option_of(&name, self.known.keys()) else { return };
        let place = Origin::Variable(name);
        if !self.is_unknown(&place, &section, &option) {
            let default = self.known.get(&section).and_then(|options| options.get(&option));
            let value = value_of(text, default);
            self.set(place, &section, &option, value);
        }
    }

    /// Reads the variables, and ends.
    fn environment(mut self, env: impl IntoIterator<Item = (String, String)>) -> Read {
        let mut variables: Vec<_> = env.into_iter().filter(|(name, _)| name.starts_with("DBTOP_")).collect();
        variables.sort();
        for (name, value) in variables {
            self.variable(name, &value);
        }
        self.end()
    }

    fn end(mut self) -> Read {
        let config = std::mem::take(&mut self.good).try_into::<Config>();
        // Each option was tried alone, so an error here is a bug of ours, and it hides no error of the user.
        let config = config.unwrap_or_else(|error| {
            self.wrong(Origin::Default, "", plain(error.message()), String::new());
            Config::default()
        });
        for broken in rules::broken(&config) {
            let names = broken.options.iter().map(|option| format!("{}.{option}", broken.section));
            let set = names.clone().find_map(|name| Some((self.origins.get(&name)?.clone(), name)));
            // Defaults keep the rules, so one of these options was set.
            let (at, name) = set.unwrap_or((Origin::Default, names.clone().next().unwrap_or_default()));
            self.wrong(at, &name, broken.message, broken.advice);
        }
        let mut errors = self.errors;
        errors.sort_by(|a, b| a.at.cmp(&b.at));
        Read { config, origins: self.origins, errors }
    }
}

/// `DBTOP_UI_THEME` -> (`ui`, `theme`).
fn option_of<'a>(variable: &str, sections: impl Iterator<Item = &'a String>) -> Option<(String, String)> {
    let rest = variable.strip_prefix("DBTOP_")?.to_ascii_lowercase();
    sections.into_iter().find_map(|section| {
        let option = rest.strip_prefix(section.as_str())?.strip_prefix('_')?;
        Some((section.clone(), option.to_owned()))
    })
}

/// The text of a variable as a value of the default's type, if it reads as one.
pub(super) fn value_of(text: &str, default: Option<&Value>) -> Value {
    let read = match (default, text) {
        (Some(Value::Boolean(_)), "true" | "1") => Some(Value::Boolean(true)),
        (Some(Value::Boolean(_)), "false" | "0") => Some(Value::Boolean(false)),
        (Some(Value::Integer(_)), _) => text.parse().ok().map(Value::Integer),
        (Some(Value::Array(_)), _) => {
            format!("v = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("v"))
        }
        (Some(Value::Float(_)), _) => text.parse().ok().map(Value::Float),
        _ => None,
    };
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
