//! The filter of a pane: its text, and whether a row passes.

/// A filter that a pane holds.
#[derive(Debug, Default)]
pub struct FilterSlot {
    text: String,
    needle: String,
}

/// What a filter may ask of a row.
pub trait Fields {
    /// Appends everything that a plain text is searched in.
    fn text(&self, out: &mut String);
}

impl FilterSlot {
    /// Takes a new text.
    ///
    /// # Errors
    /// What is wrong with it; the old filter stays.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        text.clone_into(&mut self.text);
        self.needle = text.to_lowercase();
        Ok(())
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True if the row stays.
    pub fn keeps(&self, row: &dyn Fields, scratch: &mut String) -> bool {
        if self.needle.is_empty() {
            return true;
        }
        scratch.clear();
        row.text(scratch);
        scratch.to_lowercase().contains(&self.needle)
    }
}
