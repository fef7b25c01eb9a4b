//! The only module that knows the SQL Server driver: connect, ask with a deadline, lenient rows, error classes.
//!
//! `collect` connects and keeps a [`Connection`]; `probe` asks over anything that is [`Ask`]. The public items of this
//! module name no type of the driver (tiberius), so that another one can take its place in here alone.
//!
//! Rules that are kept by construction:
//! * a connection that saw a timeout, a cancelled question, or any error but a plain server error is closed for good
//!   (`Ask::is_open` turns false): what is left of an answer on the wire would shift every later one;
//! * connecting is two steps, [`dial`] (name, TCP) and [`Dialed::login`] (TLS, login), so that a permit for the costly
//!   second step is never held by a host that does not answer at all;
//! * an answer is bounded in bytes (counted below TLS, so that one endless value is caught too) and in rows.
//!
//! The driver logs rows at TRACE and every server error at ERROR: whoever sets up logging must silence its target
//! [`DRIVER_LOG_TARGET`]. The driver's TLS takes the process's default rustls provider if one is installed, else
//! aws-lc-rs; nothing here installs one. Other code that builds a rustls configuration must name its provider.

mod answer;
mod ask;
mod budget;
mod connect;
mod convert;
mod error;
mod roots;

pub use answer::{Answer, Cell, ResultSet, Row};
pub use ask::{Ask, Connection, Param, Question};
pub use connect::{Dialed, dial};
pub use roots::Roots;

/// The program name of our sessions, by which they are known on a server and left out of what is shown.
pub const PROGRAM_NAME: &str = "dbtop";

/// The driver's tracing target: to be switched off in every log filter.
pub const DRIVER_LOG_TARGET: &str = "tiberius";
