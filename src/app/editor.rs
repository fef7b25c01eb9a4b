//! A text in the user's editor: in a file that only the user can read, and that is gone when the editor is closed.

use crate::model::base::error::with_causes;
use anyhow::{Context, bail};
use std::{io::Write, process::Command};

/// Opens the editor that `VISUAL` or `EDITOR` names with a text, and returns when it is closed. It has the terminal meanwhile. What
/// is changed there is not kept.
///
/// # Errors
/// None is named, it cannot be started, or it failed: in a sentence.
pub fn open(ending: &str, text: &str) -> Result<(), String> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| {
        std::env::var(name).ok().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
    });
    let Some(line) = named else {
        return Err("neither VISUAL nor EDITOR names an editor: e writes a file".to_owned());
    };
    run(&line, ending, text).map_err(|e| with_causes(&*e))
}

fn run(line: &str, ending: &str, text: &str) -> anyhow::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix("dbtop-")
        .suffix(&format!(".{ending}"))
        .tempfile()
        .context("making a file for the editor")?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).context("writing the file for the editor")?;
    let name = line.split_whitespace().next().unwrap_or_default();
    let status =
        command(line).arg(file.path()).status().with_context(|| format!("starting the editor {name}"))?;
    if !status.success() {
        bail!("the editor {name} failed ({status})");
    }
    Ok(())
}

/// The editor as a shell understands it: with its options, and blanks in its path. The file follows as an argument.
#[cfg(unix)]
fn command(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{line} \"$@\""), "sh"]);
    command
}

/// The editor and its options.
#[cfg(not(unix))]
fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_editor_is_given_a_private_file_that_is_gone_when_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let line = format!("f() {{ ls -l \"$2\" > '{0}'; cat \"$2\" >> '{0}'; }}; f --wait", seen.display());
        run(&line, "sqlplan", "<ShowPlanXML/>").unwrap();
        let told = fs::read_to_string(&seen).unwrap();
        assert!(told.starts_with("-rw-------") && told.ends_with(".sqlplan\n<ShowPlanXML/>"), "{told}");
        let file = told.split_whitespace().find(|word| word.contains("dbtop-")).unwrap();
        assert!(!std::path::Path::new(file).exists(), "{file}");
    }

    #[test]
    fn an_editor_that_fails_is_named() {
        assert!(with_causes(&*run("false", "xdl", "x").unwrap_err()).contains("the editor false failed"));
    }
}
