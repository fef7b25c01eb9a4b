//! The person who can be asked while something is opened. `command` has one at its terminal.

use crate::model::base::secret::Secret;

/// Asks questions and shows messages. Passphrases and passwords come from here or the screen, never from arguments or a pipe.
pub trait Prompt {
    /// Asks for a passphrase or a password. The typed text is not shown.
    ///
    /// # Errors
    /// There is nobody to ask, or the question was broken off.
    fn secret(&mut self, question: &str) -> anyhow::Result<Secret>;

    /// Shows a line.
    fn say(&mut self, line: &str);
}
