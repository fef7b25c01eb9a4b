//! Questions on the terminal, for commands that have no screen. Passphrases come from here only: never from arguments, the
//! environment or a pipe.

use crate::{model::secret::Secret, vault};
use anyhow::bail;
use std::io::{ErrorKind, Write};

/// Asks for a passphrase, without showing it. Called within the async runtime.
///
/// # Errors
/// There is no terminal, or the question was broken off.
pub fn passphrase(question: &str) -> anyhow::Result<Secret> {
    // Ctrl-C becomes a signal before the terminal is put back, so it must not end the process there: with a handler, it
    // comes back as an error.
    #[cfg(unix)]
    let _interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    match rpassword::prompt_password(question) {
        Ok(text) => Ok(Secret::new(text)),
        Err(e) if e.kind() == ErrorKind::Interrupted => bail!("broken off: nothing was changed"),
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
            bail!("no passphrase was given: nothing was changed")
        }
        Err(_) => bail!(
            "a passphrase is needed and there is no terminal to ask on: give --key-file FILE or set DBTOP_KEY_FILE"
        ),
    }
}

/// Asks for a new passphrase, twice, until it is long enough and the same; three times at most.
///
/// # Errors
/// As [`passphrase`]; no good one in three tries.
pub fn new_passphrase(whose: &str) -> anyhow::Result<Secret> {
    for _ in 0..3 {
        let first = passphrase(&format!("New passphrase for {whose}: "))?;
        if let Err(e) = vault::check_passphrase(&first) {
            say(&e.to_string());
            continue;
        }
        if passphrase("Once more: ")?.reveal() == first.reveal() {
            return Ok(first);
        }
        say("the two are not the same: again, please");
    }
    bail!("no passphrase in three tries: nothing was changed")
}

/// A line for the person at the terminal; results go to standard output instead.
pub fn say(line: &str) {
    // Nobody to read it is no failure of the command.
    let _ = writeln!(std::io::stderr(), "dbtop: {line}");
}
