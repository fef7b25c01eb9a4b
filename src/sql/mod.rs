//! Our own T-SQL text tools: pure functions from text to facts about text.
//!
//! Everything here works on `&str`, in time linear in its length, and never panics: statement texts come from
//! servers and may be megabytes of anything. Called by `tui` (highlighting, one-line display), `probe` and the tests
//! (read-only proof of each script), `sim` (binding of names) and the collectors (grouping by fingerprint). Nothing
//! here talks to a server, reads a file or depends on another module of the crate.

pub mod batch;
pub mod blank;
pub mod highlight;
pub mod ident;
pub mod lexer;
pub mod module;
pub mod names;
pub mod normalize;
pub mod readonly;
pub mod secret;
pub mod words;
