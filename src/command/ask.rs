//! Questions on the terminal, for commands that have no screen. Passphrases come from here only: never from arguments, the
//! environment or a pipe.

use super::quiet::Quiet;
use crate::{
    app::{inventory::open, prompt::Prompt, selection::Selection},
    model::base::secret::Secret,
    store::Tenant,
    vault,
};
use anyhow::{Context, bail};
use std::io::{IsTerminal, Write};

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
    // A closed standard error does not fail the command.
    let _ = writeln!(std::io::stderr(), "dbtop: {line}");
}

/// The person at the terminal, as a [`crate::app::prompt::Prompt`]. The terminal stops echoing with the first question and is given back
/// when this is dropped.
#[derive(Default)]
pub struct Terminal {
    quiet: Option<Quiet>,
}

impl Prompt for Terminal {
    fn secret(&mut self, question: &str) -> anyhow::Result<Secret> {
        let quiet = match self.quiet.take() {
            Some(quiet) => quiet,
            None => Quiet::begin()?,
        };
        self.quiet.insert(quiet).ask(question)
    }

    fn say(&mut self, line: &str) {
        say(line);
    }
}

/// The selected tenant, unlocked; asks for its passphrase at the terminal if nothing else opens it.
///
/// # Errors
/// As [`open::unlocked`].
pub fn unlocked(selection: &Selection) -> anyhow::Result<Tenant> {
    open::unlocked(selection, &mut Terminal::default())
}

/// Asks unless `yes`.
///
/// # Errors
/// The answer was no, or there is nobody to ask.
pub fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        bail!("this needs a yes and there is no terminal to ask on: give --yes");
    }
    say(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("reading the answer")?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    bail!("nothing was changed")
}

/// Asks before many are changed, as one typing error would change a fleet.
///
/// # Errors
/// As [`confirm`].
pub fn confirm_many(count: usize, what: &str, yes: bool) -> anyhow::Result<()> {
    if count < 2 {
        return Ok(());
    }
    let told = format!("{count} instances {what}");
    confirm(&format!("{told}. Go on?"), yes).context(told)
}

/// Tells what hangs on something that is removed, and asks.
///
/// # Errors
/// No is said; something hangs on it, and there is neither a terminal nor --yes.
pub fn confirm_loss(what: &str, hangs: &[String], yes: bool) -> anyhow::Result<()> {
    if hangs.is_empty() {
        return Ok(());
    }
    let told = format!("{what}: {}", hangs.join("; "));
    confirm(&format!("{told}. Remove it?"), yes).context(told)
}
