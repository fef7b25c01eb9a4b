//! Fetching a password from the place that the inventory names. Called for the collector, off the async threads; the
//! caller caches the result.

use crate::model::{
    base::{
        failure::{Failure, FailureKind},
        secret::Secret,
    },
    inventory::record::SecretRef,
};
use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use zeroize::Zeroize;

/// The most bytes that are read of a secret, with everything behind its first line.
const MAX_BYTES: u64 = 64 * 1024;
const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Fetches the secret. Blocks: up to 10 s for a command.
///
/// # Errors
/// A [`FailureKind::Config`] failure that says what was tried. The text never holds the output of a command.
pub fn resolve(source: &SecretRef) -> Result<Secret, Failure> {
    match source {
        SecretRef::Stored(secret) => Ok(secret.clone()),
        SecretRef::Env(name) => std::env::var(name).map(Secret::new).map_err(|_| config(unset(name))),
        SecretRef::Command(line) => from_command(line),
        SecretRef::File(file) => from_file(file),
        SecretRef::Ask => Err(config(
            "password: it is to be asked for at start and was not given; on the screen :unlock asks again"
                .to_owned(),
        )),
    }
}

/// The variable, and what to do: it is what somebody sees who looks at the instance.
fn unset(name: &str) -> String {
    format!(
        "password: the environment variable {name} is not set; set it where dbtop is started and start it again, or name \
         another place of the password"
    )
}

/// Reads the first line of a file, up to 64 KB.
fn from_file(file: &Path) -> Result<Secret, Failure> {
    let shown = file.display();
    let opened = std::fs::File::open(file).map_err(|e| config(format!("password: opening {shown}: {e}")))?;
    let mut text = String::new();
    let read = opened.take(MAX_BYTES).read_to_string(&mut text);
    let is_cut = text.len() as u64 == MAX_BYTES && !text.contains('\n');
    let first = text.lines().next().map(str::to_owned).filter(|line| !line.is_empty());
    text.zeroize();
    match (read, first) {
        (Ok(_), Some(_)) if is_cut => {
            Err(config(format!("password: the first line of {shown} is longer than 64 KB")))
        }
        (Ok(_), Some(line)) => Ok(Secret::new(line)),
        (Ok(_), None) => Err(config(format!("password: the first line of {shown} is empty"))),
        (Err(e), _) => Err(config(format!("password: reading {shown}: {e}"))),
    }
}

fn config(text: String) -> Failure {
    Failure::new(FailureKind::Config, text)
}

/// Runs `sh -c line` (`cmd /C` on Windows) and returns the first line that it prints.
fn from_command(line: &str) -> Result<Secret, Failure> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let name = line.split_whitespace().next().unwrap_or("(empty)");
    let mut child = Command::new(shell)
        .args([flag, line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| config(format!("password: starting the command {name}: {e}")))?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < COMMAND_LIMIT => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(config(format!("password: the command {name} gave nothing within 10 s")));
            }
            Err(e) => return Err(config(format!("password: waiting for the command {name}: {e}"))),
        }
    };
    if !status.success() {
        return Err(config(format!(
            "password: the command {name} failed ({status}); run it by hand to see why"
        )));
    }
    let mut out = String::new();
    let read = child.stdout.take().map_or(Ok(0), |s| s.take(MAX_BYTES).read_to_string(&mut out));
    let secret = out.lines().next().map(str::to_owned).filter(|s| !s.is_empty());
    out.zeroize();
    match (read, secret) {
        (Ok(_), Some(s)) => Ok(Secret::new(s)),
        (Ok(_), None) => Err(config(format!("password: the command {name} printed nothing"))),
        (Err(e), _) => Err(config(format!("password: reading from the command {name}: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gives_its_first_line() {
        let s = resolve(&SecretRef::Command("printf 'one\\ntwo\\n'".into()));
        assert!(s.is_ok_and(|s| s.reveal() == "one"));
    }

    #[test]
    fn a_failing_command_says_so_without_its_output() {
        let e = resolve(&SecretRef::Command("echo hunter2; exit 3".into())).err().unwrap();
        assert_eq!(e.kind, FailureKind::Config);
        assert!(!e.text.contains("hunter2"), "{}", e.text);
        assert!(e.text.contains("failed") && e.text.contains('3'), "{}", e.text);
    }

    #[test]
    fn a_missing_variable_is_named() {
        let e = resolve(&SecretRef::Env("DBTOP_NO_SUCH_VARIABLE".into())).err().unwrap();
        assert!(
            e.text
                .starts_with("password: the environment variable DBTOP_NO_SUCH_VARIABLE is not set; set it")
        );
    }

    #[test]
    fn a_file_gives_its_first_line_and_is_named_when_it_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pw");
        std::fs::write(&file, "hunter2\r\nmore\n").unwrap();
        let read = |file: &Path| resolve(&SecretRef::File(file.to_owned()));
        assert!(read(&file).is_ok_and(|s| s.reveal() == "hunter2"));
        std::fs::write(&file, "\n").unwrap();
        let e = read(&file).err().unwrap();
        assert!(e.text.contains("empty") && e.text.contains("pw"), "{e}");
        assert!(read(&folder.path().join("gone")).err().unwrap().text.contains("gone"));
        // As long as it may be, with its end; then without one.
        let most = "x".repeat(MAX_BYTES as usize - 1);
        std::fs::write(&file, format!("{most}\nmore")).unwrap();
        assert!(read(&file).is_ok_and(|s| s.reveal().len() == most.len()));
        std::fs::write(&file, format!("{most}xx")).unwrap();
        let e = read(&file).err().unwrap();
        assert!(e.text.contains("longer than 64 KB") && !e.text.contains("xx"), "{e}");
        assert_eq!(resolve(&SecretRef::Ask).err().map(|e| e.kind), Some(FailureKind::Config));
    }
}
