//! From files, environment and command line to one validated [`Config`]. Read by `app` and `command`; knows nothing of
//! sockets or screens. Strength: command line > environment > file > default.
//!
//! [`read()`] takes file and environment and names every error in them; [`inventory`] reads the plain inventory;
//! [`secret`] fetches a password from the place that the inventory names.

mod error;
pub mod inventory;
mod read;
mod rules;
pub mod secret;
mod sections;

pub use error::{ConfigError, Invalid, Origin, nearest};
pub use read::{Read, load, options, read, variable};
pub use sections::{Budget, Collect, Config, History, Log, Metrics, Poll, Ui, Vault};
