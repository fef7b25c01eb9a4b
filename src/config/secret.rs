//! Fetching a password from where the inventory says it is. Called by `command` for the collector, off the async
//! threads; the result is cached by the caller, never here.

use crate::model::{
    failure::{Failure, FailureKind},
    instance::SecretSource,
    secret::Secret,
};
use std::{
    io::Read,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use zeroize::Zeroize;

const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Fetches the secret. Blocks: up to 10 s for a command.
///
/// # Errors
/// A [`FailureKind::Config`] failure that says what was tried. The text never holds what a command printed.
pub fn resolve(source: &SecretSource) -> Result<Secret, Failure> {
    match source {
        SecretSource::Literal(secret) => Ok(secret.clone()),
        SecretSource::Env(name) => std::env::var(name)
            .map(Secret::new)
            .map_err(|_| config(format!("password: the environment variable {name} is not set"))),
        SecretSource::Command(line) => from_command(line),
    }
}

fn config(text: String) -> Failure {
    Failure::new(FailureKind::Config, text)
}

/// Runs `sh -c line` (`cmd /C` on Windows) and takes the first line that it prints.
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
    let read = child.stdout.take().map_or(Ok(0), |s| s.take(64 * 1024).read_to_string(&mut out));
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
        let s = resolve(&SecretSource::Command("printf 'one\\ntwo\\n'".into()));
        assert!(s.is_ok_and(|s| s.reveal() == "one"));
    }

    #[test]
    fn a_failing_command_says_so_without_its_output() {
        let e = resolve(&SecretSource::Command("echo hunter2; exit 3".into())).err().unwrap();
        assert_eq!(e.kind, FailureKind::Config);
        assert!(!e.text.contains("hunter2"), "{}", e.text);
        assert!(e.text.contains("failed") && e.text.contains('3'), "{}", e.text);
    }

    #[test]
    fn a_missing_variable_is_named() {
        let e = resolve(&SecretSource::Env("DBTOP_NO_SUCH_VARIABLE".into())).err().unwrap();
        assert!(e.text.contains("DBTOP_NO_SUCH_VARIABLE"));
    }
}
