//! The only module that knows the SQL Server driver: connect, ask with a deadline, lenient rows, error classes.
//!
//! `collect` connects and keeps a [`Connection`]; `probe` asks over anything that is [`Ask`]. The public items of this
//! module name no type of the driver (tiberius), so that another one can take its place in here alone.
//!
//! Rules that are kept by construction:
//! * a connection that saw a timeout, a cancelled question, or any error but a plain server error is closed for good
//!   (`Ask::is_open` turns false): the rest of an answer on the wire would be taken for the next one. The server is told to end
//!   the statement before;
//! * connecting is two steps, [`dial()`] (name, TCP) and [`Dialed::login`] (TLS, login), so that a permit for the costly
//!   second step is never held by a host that does not answer at all;
//! * an answer is bounded in bytes (counted below TLS, so that one endless value is caught too) and in rows.
//!
//! * TLS is ours, not the driver's: pins, one verifier for all connections, certificates for people; the driver gets a
//!   line after PRELOGIN and TLS (`secure`). Only `LoginOnly` is left to the driver.
//!
//! The driver logs rows at TRACE and every server error at ERROR: every log filter must silence its target
//! [`DRIVER_LOG_TARGET`]. rustls runs with aws-lc-rs, which each configuration names; nothing here installs a default.
//!
//! # TLS without the driver
//!
//! - TLS is not the driver's: it has no hook for verification and tells nothing of the certificate. `tds::secure` plays
//!   PRELOGIN and TLS, and `tds::line` hands the driver a line on which PRELOGIN is over: its own question is swallowed, the
//!   server's answer played back with "no encryption". A pin asks for the key too: the signature of the handshake is
//!   checked, so that a copied certificate is worth nothing. Only `login-only` is left to the driver.
//! - A pin goes with TDS 7.x (TLS 1.2 within PRELOGIN); a server that takes nothing but TDS 8.0 needs `strict`.

mod answer;
mod ask;
mod browser;
mod budget;
mod certificate;
mod check;
mod connect;
mod convert;
mod dial;
mod error;
mod judge;
mod line;
mod prelogin;
mod refusal;
mod roots;
mod secure;

pub use answer::{Answer, Cell, ResultSet, Row};
pub use ask::{Ask, Connection, Param, Question};
pub use check::{check, look};
pub use dial::{Dialed, dial};
pub use roots::Roots;

/// The driver's tracing target: to be switched off in every log filter.
pub const DRIVER_LOG_TARGET: &str = "tiberius";
