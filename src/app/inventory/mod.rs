//! The inventory: its `service`, which has the keys while the program runs, and the use cases that it shares with the
//! sub-commands: [`open`] a tenant, [`edit`] its records, its [`lists`], the [`slots`] of its vault, make a [`backup`], [`connect`] to an instance, ask the [`doctor`],
//! and choose what is polled ([`targets`]).

pub mod backup;
pub mod connect;
pub mod doctor;
pub mod edit;
mod form;
pub mod lists;
pub mod open;
mod passwords;
mod service;
pub mod slots;
pub mod targets;
mod trials;
pub mod typed;

pub use service::{Start, start};
