//! From file and environment to one validated [`Config`]. Read by `app` and `command`; knows nothing of sockets or screens.
//! The environment is stronger than the file, and the file than the defaults. `app::configuration` puts the command line over
//! all of them.
//!
//! [`read()`] takes file and environment and names every error in them; [`inventory`] reads the plain inventory;
//! [`edit`] changes one option in the text of a file, [`help`] says what each means;
//! [`secret`] fetches a password from the place that the inventory names.

pub mod edit;
mod error;
pub mod help;
pub mod inventory;
mod read;
mod rules;
pub mod secret;
mod sections;
mod zone;

pub use error::{ConfigError, Invalid, Origin, nearest};
pub use read::{Read, load, options, read, read_text, variable};
pub use sections::{Audit, Budget, Collect, Config, History, Log, Metrics, Poll, Ui, Vault};
pub use zone::zone;
