//! A secret text that cannot be printed by accident and is wiped when dropped.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password or token. No `Debug`, no `Display`, no `Serialize`; wiped on drop. Only the driver may look inside.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of the text; the caller keeps no other copy.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. For the moment of use only: never store, log or format what this returns.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A secret while it is typed. Its memory never moves, so that no copy is left behind; wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretInput(String);

impl SecretInput {
    /// More characters are not taken: no passphrase or password of SQL Server (128) is longer.
    pub const MAX_CHARS: usize = 512;

    /// Takes a character; false if it is full or the character cannot be typed on purpose.
    pub fn push(&mut self, c: char) -> bool {
        let fits = !c.is_control() && self.0.chars().count() < Self::MAX_CHARS;
        if fits {
            self.0.push(c);
        }
        fits
    }

    /// Takes the last character back; false if there is none.
    pub fn pop(&mut self) -> bool {
        // A popped character is overwritten by the next character or by the wiping, which covers the whole capacity.
        self.0.pop().is_some()
    }

    /// Takes everything back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Characters typed.
    pub fn count(&self) -> usize {
        self.0.chars().count()
    }

    /// True if nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The typed text, as a secret of its own.
    pub fn to_secret(&self) -> Secret {
        Secret::new(self.0.clone())
    }
}

impl Default for SecretInput {
    fn default() -> Self {
        Self(String::with_capacity(Self::MAX_CHARS * char::MAX_LEN_UTF8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_moves_no_memory() {
        let mut input = SecretInput::default();
        let before = input.0.as_ptr();
        let typed = (0..1000).filter(|_| input.push('ß')).count();
        assert_eq!((typed, input.count()), (SecretInput::MAX_CHARS, SecretInput::MAX_CHARS));
        assert!(!input.push('\u{7}') && input.pop() && !input.push('\n'));
        assert_eq!(input.0.as_ptr(), before);
        assert_eq!(input.to_secret().reveal().chars().count(), SecretInput::MAX_CHARS - 1);
        input.clear();
        assert!(input.is_empty() && !input.pop());
    }
}
