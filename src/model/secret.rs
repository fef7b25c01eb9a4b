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
