//! The settings as a list, and the edit of one: for `:settings` on the screen and for `dbtop config`. An edit changes one option of
//! the configuration file and leaves its comments as they are. The running session takes it by [`super::reload`], as it takes every
//! change of the file.
//!
//! The configuration holds no secrets, so an entry of the audit log may name the old and the new value.

use super::{
    configuration::{ConfigFile, Given, read, read_as},
    reload::{Check, waits_for_start},
};
use crate::{
    config::{self, Invalid, Origin, Read, edit::edited, help::help, nearest},
    model::{base::error::without_temporary, inventory::record::Outcome},
    protocol::{SettingLine, Settings},
    store::{Tenant, current_author},
};
use anyhow::{Context, bail};
use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// What an editor of settings knows: which file, what overrules it, and what else a value must be.
#[derive(Clone)]
pub struct Editor {
    /// the file; None: this system has no place for one
    pub place: Option<ConfigFile>,
    /// the options of the command line
    pub given: Given,
    /// such as that a theme exists
    pub check: Check,
}

/// An edit that was checked and not yet written.
#[derive(Debug)]
pub struct Edit {
    key: String,
    file: PathBuf,
    /// the file as it was; None: it was not there
    was: Option<String>,
    text: String,
    before: String,
    after: String,
    /// None: it is taken out of the file
    is_set: bool,
    overruled_by: Option<String>,
}

/// A written edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// `poll.fleet_s`
    pub key: String,
    /// the value that the file gave before, or the default
    pub before: String,
    /// the value that it gives now
    pub after: String,
    /// in a sentence, with what hinders it
    pub words: String,
}

impl Editor {
    /// Every option with its value and its origin.
    pub fn list(&self) -> Settings {
        let read = self.read();
        let file = self.place.as_ref().map(|place| place.file.clone());
        let text = file.as_deref().and_then(|file| fs::read_to_string(file).ok());
        let in_file =
            text.map(|text| config::read_text(Path::new(""), &text, []).origins).unwrap_or_default();
        let (defaults, help) = (config::options(), help());
        let lines = options(&table(&read))
            .map(|(key, value)| {
                let from = read.origins.get(&key).unwrap_or(&Origin::Default);
                SettingLine {
                    value: shown(&value),
                    default: value_of(&defaults, &key).map_or_else(String::new, |value| shown(&value)),
                    from: from.to_string(),
                    is_in_file: in_file.contains_key(&key),
                    is_overruled: is_stronger(from),
                    waits_for_start: waits_for_start(&key),
                    help: help.get(&key).cloned().unwrap_or_default(),
                    key,
                }
            })
            .collect();
        Settings {
            file: file.map_or_else(String::new, |file| file.display().to_string()),
            problems: read.errors.iter().map(ToString::to_string).collect(),
            lines,
        }
    }

    /// Checks an edit: the value, its neighbours, and the rest of the file. None takes the option out of the file.
    ///
    /// # Errors
    /// There is no such option or no file; the value is not allowed; the file has other errors, with which no edit would count.
    pub fn edit(&self, key: &str, value: Option<&str>) -> anyhow::Result<Edit> {
        let (section, option, default) = find(key)?;
        let place = self.place.as_ref().context("no folder for a configuration is known: set DBTOP_HOME")?;
        // A link stays a link.
        let file = fs::canonicalize(&place.file).unwrap_or_else(|_| place.file.clone());
        let was = match fs::read_to_string(&file) {
            Ok(text) => Some(text),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(e).with_context(|| format!("reading {}", file.display())),
        };
        let old = was.as_deref().unwrap_or_default();
        let text = edited(old, (section, option), value, &default).map_err(|problem| {
            anyhow::anyhow!("{}: {problem}: fix that first, nothing was changed", file.display())
        })?;
        let (before, after) = (self.read_as(&file, old), self.read_as(&file, &text));
        if let Some(new) = after.errors.iter().find(|new| before.errors.iter().all(|old| !is_same(old, new)))
        {
            let advice = if new.advice.is_empty() { String::new() } else { format!("; {}", new.advice) };
            bail!("{}{advice}: nothing was changed", new.problem);
        }
        if let Some(first) = after.errors.first() {
            bail!(
                "no edit counts until this is fixed: {first} (`dbtop config check` shows all): nothing was changed"
            );
        }
        let of_file = |text: &str| {
            let read = config::read_text(&file, text, []);
            value_of(&table(&read), key).map_or_else(String::new, |value| shown(&value))
        };
        let overruled_by = after.origins.get(key).filter(|from| is_stronger(from)).map(ToString::to_string);
        Ok(Edit {
            key: key.to_owned(),
            before: of_file(old),
            after: of_file(&text),
            is_set: value.is_some(),
            overruled_by,
            file,
            was,
            text,
        })
    }

    fn read(&self) -> Read {
        self.checked(read(self.place.as_ref(), &self.given))
    }

    fn read_as(&self, file: &Path, text: &str) -> Read {
        self.checked(read_as(file, text, &self.given))
    }

    fn checked(&self, mut read: Read) -> Read {
        let more = (self.check)(&read);
        read.errors.extend(more);
        read
    }
}

impl Edit {
    /// True if the file stays as it is.
    pub fn is_nothing(&self) -> bool {
        self.was.as_deref().unwrap_or_default() == self.text
    }

    /// Writes the file, whole or not at all, with an entry in this tenant's audit log. The entry comes first, when all that can fail has
    /// been tried but the last step, a rename; if that fails, a second entry says so.
    ///
    /// # Errors
    /// The file or the log cannot be written; somebody else changed the file meanwhile.
    pub fn write(self, log: Option<&mut Tenant>) -> anyhow::Result<Edited> {
        if !self.is_nothing() {
            self.replace(log).with_context(|| format!("writing {}", self.file.display()))?;
        }
        Ok(self.done())
    }

    fn replace(&self, mut log: Option<&mut Tenant>) -> anyhow::Result<()> {
        let folder = self.file.parent().context("it has no folder")?;
        fs::create_dir_all(folder)?;
        let mut new =
            tempfile::Builder::new().prefix(".config-").tempfile_in(folder).map_err(without_temporary)?;
        new.write_all(self.text.as_bytes())?;
        if let Ok(old) = fs::metadata(&self.file) {
            fs::set_permissions(new.path(), old.permissions())?;
        }
        new.as_file().sync_all()?;
        if fs::read_to_string(&self.file).ok() != self.was {
            bail!("it was changed by somebody else meanwhile: look at it and try again");
        }
        let (action, detail) = self.entry();
        let mut note = |outcome| {
            let Some(tenant) = &mut log else { return Ok(()) };
            tenant.note(&current_author(), (action, "setting", &self.key), outcome, &detail)
        };
        note(Outcome::Done)?;
        if let Err(e) = new.persist(&self.file) {
            let _ = note(Outcome::Refused(e.error.to_string()));
            return Err(e.error.into());
        }
        // Without this the old file may be back after a power cut; it is whole as well.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn entry(&self) -> (&'static str, String) {
        (if self.is_set { "set" } else { "unset" }, format!("{} → {}", self.before, self.after))
    }

    fn done(self) -> Edited {
        let Self { key, before, after, .. } = &self;
        let mut words = match (self.is_nothing(), self.is_set) {
            (true, true) => format!("{key} is {after} already"),
            (true, false) => format!("{key} is not set in the file: the default {after} counts"),
            (false, true) => format!("{key}: {before} → {after}"),
            (false, false) => format!("{key}: {before} → the default {after}"),
        };
        if let Some(stronger) = &self.overruled_by {
            words.extend(["; ", stronger, " is stronger and stays in force"]);
        } else if waits_for_start(key) && !self.is_nothing() {
            words.push_str("; it counts from the next start");
        }
        Edited { before: before.clone(), after: after.clone(), key: key.clone(), words }
    }
}

/// Section, option and default of `poll.fleet_s`.
fn find(key: &str) -> anyhow::Result<(&str, &str, Value)> {
    let known = config::options();
    let found = key.split_once('.').zip(value_of(&known, key));
    if let Some(((section, option), default)) = found {
        return Ok((section, option, default));
    }
    let names: Vec<String> = options(&known).map(|(key, _)| key).collect();
    let is_name_of = |name: &&String| name.split_once('.').is_some_and(|(_, option)| option == key);
    let meant = names.iter().find(is_name_of).map(String::as_str);
    match meant.or_else(|| nearest(key, names.iter().map(String::as_str))) {
        Some(meant) => bail!("there is no option {key}: did you mean {meant}?"),
        None => bail!("there is no option {key}: `dbtop config list` shows all"),
    }
}

/// The same error, wherever the lines have moved.
fn is_same(one: &Invalid, other: &Invalid) -> bool {
    (&one.option, &one.problem) == (&other.option, &other.problem)
}

const fn is_stronger(from: &Origin) -> bool {
    matches!(from, Origin::Variable(_) | Origin::CommandLine(_))
}

fn table(read: &Read) -> Table {
    // A structure of plain values always becomes a table.
    Table::try_from(&read.config).unwrap_or_default()
}

fn value_of(table: &Table, key: &str) -> Option<Value> {
    let (section, option) = key.split_once('.')?;
    table.get(section)?.get(option).cloned()
}

fn options(table: &Table) -> impl Iterator<Item = (String, Value)> {
    table.iter().flat_map(|(section, options)| {
        let named = move |(option, value): (&String, &Value)| (format!("{section}.{option}"), value.clone());
        options.as_table().into_iter().flatten().map(named)
    })
}

/// A value as it is typed.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor(file: &Path) -> Editor {
        let given = Given { file: Some(file.to_owned()), ..Given::default() };
        let no_theme = |read: &Read| {
            (read.config.ui.theme == "none").then(|| Invalid {
                at: Origin::Default,
                option: "ui.theme".into(),
                problem: "no such theme".into(),
                advice: String::new(),
            })
        };
        Editor { place: ConfigFile::find(&given), given, check: no_theme }
    }

    fn refused(editor: &Editor, key: &str, value: Option<&str>) -> String {
        editor.edit(key, value).err().map_or_else(String::new, |e| e.to_string())
    }

    #[test]
    fn an_edit_is_written_whole_and_the_rest_of_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep").join("config.toml");
        let editor = editor(&file);
        let edit = |key, value| editor.edit(key, value).unwrap().write(None).unwrap();
        assert_eq!(edit("history.raw_days", Some("90")).words, "history.raw_days: 30 → 90");
        fs::write(&file, "# ours\n[history] # long\n# a quarter\nraw_days = 90\n").unwrap();
        edit("health.cpu_warning_pct", Some("70"));
        assert_eq!(edit("history.raw_days", Some("60")).before, "90");
        let text = fs::read_to_string(&file).unwrap();
        let as_wanted =
            "# ours\n[history] # long\n# a quarter\nraw_days = 60\n\n[health]\ncpu_warning_pct = 70.0\n";
        assert_eq!(text, as_wanted);
        assert_eq!(edit("history.raw_days", None).words, "history.raw_days: 60 → the default 30");
        assert!(edit("history.raw_days", Some("30")).words.contains("30"));
        assert_eq!(
            edit("log.format", Some("json")).words,
            "log.format: text → json; it counts from the next start"
        );
        assert_eq!(edit("log.format", Some("json")).words, "log.format is json already");
        let files = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "no half file stays");
        let listed = editor.list();
        let line = |key: &str| listed.lines.iter().find(|line| line.key == key).unwrap();
        assert!(line("log.format").is_in_file && line("log.format").waits_for_start);
        assert_eq!((line("ui.theme").value.as_str(), line("ui.theme").from.as_str()), ("dark", "default"));
    }

    #[test]
    fn a_value_that_is_not_allowed_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, "[health]\ncpu_warning_pct = 80\n").unwrap();
        let editor = editor(&file);
        for (key, value, words) in [
            ("poll.fleet_s", "5", "is not within 30 to 3600"),
            ("poll.fleet_s", "soon", "\"soon\" is not a whole number"),
            ("health.cpu_critical_pct", "70", "must not be above"),
            ("health.offline_after_s", "-1", "-1 is below 0"),
            ("ui.mouse", "perhaps", "\"perhaps\" is not true or false"),
            ("ui.theme", "none", "no such theme"),
            ("raw_days", "3", "did you mean history.raw_days?"),
            ("ui.theem", "dark", "did you mean ui.theme?"),
            ("x", "dark", "there is no option x"),
        ] {
            let said = refused(&editor, key, Some(value));
            assert!(said.contains(words), "{key}={value}: {said}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "[health]\ncpu_warning_pct = 80\n");
    }

    #[test]
    fn a_file_with_another_error_takes_no_edit_but_the_one_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, "[poll]\nfleet_s = 3\n[history]\nraw_days = 5000\n").unwrap();
        let editor = editor(&file);
        let said = refused(&editor, "ui.mouse", Some("true"));
        assert!(said.contains("until this is fixed") && said.contains("line 2"), "{said}");
        fs::write(&file, "[poll]\nfleet_s = 3\n").unwrap();
        assert!(refused(&editor, "ui.mouse", Some("true")).contains("fleet_s = 3"));
        assert_eq!(editor.list().problems.len(), 1);
        editor.edit("poll.fleet_s", Some("45")).unwrap().write(None).unwrap();
        assert!(editor.list().problems.is_empty());
        fs::write(&file, "[poll\n").unwrap();
        let said = refused(&editor, "ui.mouse", Some("true"));
        assert!(said.contains("line 1") && said.contains("fix that first"), "{said}");
    }

    #[test]
    fn a_file_that_somebody_else_changed_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, "").unwrap();
        let edit = editor(&file).edit("ui.mouse", Some("true")).unwrap();
        fs::write(&file, "[ui]\ntheme = 'light'\n").unwrap();
        let said = format!("{:#}", edit.write(None).unwrap_err());
        assert!(said.contains("somebody else") && said.contains("config.toml"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "[ui]\ntheme = 'light'\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_mode_stays_a_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("dotfiles.toml"), folder.path().join("config.toml"));
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        editor(&link).edit("ui.mouse", Some("true")).unwrap().write(None).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "[ui]\nmouse = true\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn what_overrules_an_edit_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let mut editor = editor(&file);
        editor.given.mouse = true;
        let done = editor.edit("ui.mouse", Some("false")).unwrap();
        let words = done.write(None).unwrap().words;
        assert!(words.ends_with("--mouse is stronger and stays in force"), "{words}");
        let listed = editor.list();
        let line = listed.lines.iter().find(|line| line.key == "ui.mouse").unwrap();
        assert!(line.is_overruled && line.is_in_file && line.value == "true", "{line:?}");
    }
}
