//! A program of the user that unwraps a key: the way to a KMS, to HashiCorp Vault, to a TPM. It gets the wrapped key on standard input and
//! gives the secret on standard output; arguments and environment, which others can read, never hold either. No shell is between.

use super::{
    VaultError,
    keys::{self, Key},
};
use crate::model::base::{figure, text};
use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

/// The longest wrapped key.
pub const MAX_WRAPPED_BYTES: usize = 16 << 10;
/// How long the program may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The shortest and the longest secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=4096;
/// More of its complaint is not read.
const MOST_SAID: u64 = 4096;
const WIDEST: usize = 200;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Unwraps a key. `salt` is the slot's: what the program gives becomes a key of its own for each slot.
///
/// # Errors
/// [`VaultError::NoUnwrap`] without a program; [`VaultError::Unwrap`] if it cannot be started, fails, takes too long, or gives what is no
/// secret.
pub(super) fn key(
    command: &[String],
    wrapped: &[u8],
    salt: &[u8; 32],
    patience: Duration,
) -> Result<Key, VaultError> {
    let Some((program, args)) = command.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err(VaultError::NoUnwrap);
    };
    let failed = |why: String| VaultError::Unwrap { program: program.clone(), why };
    let secret = run(program, args, wrapped, patience).map_err(failed)?;
    let secret = trimmed(&secret);
    if !SECRET_BYTES.contains(&secret.len()) {
        let (least, most) = SECRET_BYTES.into_inner();
        return Err(failed(format!(
            "it gave {} bytes: a secret has {least} to {most}, 32 random ones are right",
            secret.len()
        )));
    }
    Ok(keys::derive(salt, secret, &[b"dbtop unwrapped v1"]))
}

/// Without the line end that programs write behind a text.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn run(
    program: &str,
    args: &[String],
    wrapped: &[u8],
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what it has started ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|e| format!("it cannot be started: {e}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let wrapped = wrapped.to_vec();
        // It may end without reading all of it.
        thread::spawn(move || drop(stdin.write_all(&wrapped)));
    }
    let secret = reader(child.stdout.take(), *SECRET_BYTES.end() as u64 + 3);
    let said = reader(child.stderr.take(), MOST_SAID);
    let until = Instant::now() + patience;
    let left = || until.saturating_duration_since(Instant::now());
    // What it gives is read to the end before its exit code counts; a child of it may hold the pipe open.
    let secret = secret.recv_timeout(left());
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if left().is_zero() => break None,
            Ok(None) => thread::sleep(LOOK_EVERY),
            Err(e) => return Err(format!("it cannot be waited for: {e}")),
        }
    };
    let (Some(status), Ok(secret)) = (status, secret) else {
        kill(&mut child);
        return Err(format!("it took more than {} and was ended", figure::limit(patience)));
    };
    if status.success() {
        return Ok(secret);
    }
    let said = said.recv_timeout(left()).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let first = text::sanitize_line(said.lines().next().unwrap_or("").trim(), WIDEST);
    let ended =
        status.code().map_or_else(|| "it was killed".to_owned(), |code| format!("it ended with code {code}"));
    Err(if first.is_empty() { format!("{ended} and said nothing") } else { format!("{ended}: {first}") })
}

/// Reads a pipe on a thread, so much of it; the rest is read and dropped, so that the program is not held up.
fn reader(pipe: Option<impl Read + Send + 'static>, most: u64) -> Receiver<Zeroizing<Vec<u8>>> {
    let (told, heard) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(most as usize));
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(most).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        // Nobody waits any more.
        let _ = told.send(bytes);
    });
    heard
}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    /// Programs of a shell.
    #[cfg(unix)]
    mod unix {
        use super::super::*;
        use std::{fs, os::unix::fs::PermissionsExt, path::Path};

        const SALT: [u8; 32] = [7; 32];

        /// A small program in a folder of its own.
        fn program(folder: &Path, body: &str) -> Vec<String> {
            let path = folder.join("unwrap");
            // Written aside: a file that is open for writing cannot be run.
            let new = folder.join("new");
            fs::write(&new, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
            fs::rename(&new, &path).unwrap();
            vec![path.to_str().unwrap().to_owned(), "an $argument; with `all`".to_owned()]
        }

        fn said(body: &str, patience: Duration) -> String {
            let folder = tempfile::tempdir().unwrap();
            key(&program(folder.path(), body), b"wrapped", &SALT, patience).unwrap_err().to_string()
        }

        #[test]
        fn it_gets_the_wrapped_key_on_stdin_and_gives_the_secret_on_stdout() {
            let folder = tempfile::tempdir().unwrap();
            let seen = folder.path().join("seen");
            let body = format!("printf '%s' \"$1\" > '{}'; tr a-z A-Z", seen.display());
            let argv = program(folder.path(), &body);
            let wrapped = b"a wrapped key of some length";
            let one = key(&argv, wrapped, &SALT, PATIENCE).unwrap();
            let secret = b"A WRAPPED KEY OF SOME LENGTH";
            assert_eq!(*one, *keys::derive(&SALT, secret, &[b"dbtop unwrapped v1"]));
            assert_eq!(fs::read_to_string(seen).unwrap(), argv[1], "no shell has read the arguments");
            assert_ne!(*one, *key(&argv, wrapped, &[8; 32], PATIENCE).unwrap(), "another slot, another key");
            // A line end behind it is none of it.
            let line = program(folder.path(), "tr a-z A-Z; echo");
            assert_eq!(*one, *key(&line, wrapped, &SALT, PATIENCE).unwrap());
        }

        #[test]
        fn each_failure_says_what_happened_and_no_secret() {
            let long = PATIENCE;
            let denied =
                said("echo top-secret-value-1234; printf 'access \\033[31mdenied\\nmore' >&2; exit 7", long);
            assert!(denied.contains("code 7: access ") && denied.contains("denied"), "{denied}");
            assert!(
                !denied.contains("more") && !denied.contains('\u{1b}') && !denied.contains("top-secret"),
                "{denied}"
            );
            assert!(said("exit 1", long).contains("said nothing"));
            assert!(said("printf short", long).contains("it gave 5 bytes"));
            assert!(said("head -c 100000 /dev/zero", long).contains("a secret has 16 to 4096"));
            assert!(said("kill -9 $$", long).contains("it was killed"));
            let none = key(&["/no/such/program".to_owned()], b"w", &SALT, long).unwrap_err().to_string();
            assert!(none.contains("cannot be started") && none.contains("/no/such/program"), "{none}");
            assert!(key(&[], b"w", &SALT, long).unwrap_err().to_string().contains("[vault] unwrap"));
        }

        #[test]
        fn one_that_hangs_is_ended_with_all_that_it_started() {
            let slow = said("sleep 600 & sleep 600", Duration::from_millis(300));
            assert!(slow.contains("300 ms and was ended"), "{slow}");
        }
    }
}
