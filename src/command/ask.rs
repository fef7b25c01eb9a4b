//! Questions on the terminal, for commands that have no screen. Passphrases come from here only: never from arguments, the
//! environment or a pipe.

use super::quiet::Quiet;
use crate::{model::base::secret::Secret, vault};
use anyhow::bail;
use std::io::Write;

/// Asks for a passphrase, without showing it. Called within the async runtime.
///
/// # Errors
/// There is no terminal, or the question was broken off.
pub fn passphrase(question: &str) -> anyhow::Result<Secret> {
    Quiet::begin()?.ask(question)
}

/// Asks for a new passphrase, twice, until it is long enough and the same; three times at most.
///
/// # Errors
/// As [`passphrase`]; no good one in three tries.
pub fn new_passphrase(whose: &str) -> anyhow::Result<Secret> {
    let mut quiet = Quiet::begin()?;
    for _ in 0..3 {
        let first = quiet.ask(&format!("New passphrase for {whose}: "))?;
        if let Err(e) = vault::check_passphrase(&first) {
            say(&e.to_string());
            continue;
        }
        if quiet.ask("Once more: ")?.reveal() == first.reveal() {
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
