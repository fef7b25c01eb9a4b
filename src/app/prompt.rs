//! The person who can be asked while something is opened. `command` has one at its terminal.

use crate::model::base::secret::Secret;

/// Asks and tells. Passphrases and passwords come from here or from the screen: never from arguments or a pipe.
pub trait Prompt {
    /// Asks for a passphrase or a password. What is typed is not shown.
    ///
    /// # Errors
    /// There is nobody to ask, or the question was broken off.
    fn secret(&mut self, question: &str) -> anyhow::Result<Secret>;

    /// Tells a line.
    fn say(&mut self, line: &str);
}
