//! The running program, without clap and without a screen. `command` parses, calls in here and prints.
//!
//! | module | what it owns |
//! |---|---|
//! | [`selection`] | which fleet is meant, and what opens it without a question |
//! | [`configuration`], [`reload`] | file, environment and command line to the settings in force; the same while the program runs |
//! | [`settings`] | the settings as a list, and the edit of one in the file |
//! | [`fleet`] | a fleet opened to be polled: a demo, a file, a sealed inventory |
//! | [`session`] | the one root: collector, modules, settings. The screen and [`headless`] both start it |
//! | [`editor`] | a text in the user's editor |
//! | [`exported`] | what leaves dbtop as a file, and its entry in the audit log |
//! | `effects` | carries out the effects of the screen: collector, inventory, history |
//! | `demand` | questions of the screen to one server, and the plans that come back |
//! | [`module`] | what runs beside the collector, and what it is connected to |
//! | [`inventory`] | the inventory service, and the use cases that it shares with the sub-commands |
//! | [`history`] | the history service: who polls and writes, answers about the past, recordings |
//! | [`attach`] | how processes of one fleet find each other: lock, heartbeat, watch request |
//! | [`headless`] | a collector without a screen |
//! | [`prompt`] | the person who can be asked while something is opened |
//! | [`log`], [`signals`], [`sockets`], [`locale`], [`clock`] | what a process needs of the system |
//!
//! A module that runs for as long as the program (a service, a rule evaluator) is registered once, in [`session`], and runs
//! under the screen and under `dbtop collect` alike.

pub mod attach;
pub mod clock;
pub mod configuration;
pub mod demand;
pub mod editor;
mod effects;
pub mod exported;
pub mod fleet;
pub mod headless;
pub mod history;
pub mod inventory;
pub mod locale;
pub mod log;
pub mod module;
pub mod prompt;
pub mod reload;
pub mod selection;
pub mod session;
pub mod settings;
pub mod signals;
pub mod sockets;
