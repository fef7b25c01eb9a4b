//! The settings on the screen.

/// Every option of the configuration. See [`crate::protocol::InventoryRequest::Settings`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// the file that edits go to; empty: this system has no place for one
    pub file: String,
    /// errors in file and environment, each with its place: until they are mended nothing can be edited but what mends them
    pub problems: Vec<String>,
    /// by name
    pub lines: Vec<SettingLine>,
}

/// An option.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingLine {
    /// `poll.fleet_s`
    pub key: String,
    /// the value of file, environment and command line together, as it is typed: texts without quotes
    pub value: String,
    /// what counts where nobody sets it
    pub default: String,
    /// `default`, a file with its line, a variable, an option of the command line
    pub from: String,
    /// the file sets it: it can be unset
    pub is_in_file: bool,
    /// an edit of the file changes nothing: `from`, a variable or the command line, is stronger
    pub is_overruled: bool,
    /// an edit counts from the next start only
    pub waits_for_start: bool,
    /// what it means, with its unit
    pub help: String,
}
