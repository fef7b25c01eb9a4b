//! dbtop: a full-screen terminal console for SQL Server fleets.
//!
//! Collectors turn SQL Server rows into samples; one reducer folds samples into an immutable
//! [`std::sync::Arc`]`<`[`model::fold::snapshot::FleetSnapshot`]`>` that it publishes over `watch`; the screen is a pure
//! function of (snapshot, view state); all that it asks of the rest of the program leaves it as an effect.
//!
//! `docs/ARCHITECTURE.md` says how it is built and why. `docs/CONTRIBUTING.md` leads a newcomer along three paths through the
//! code: from a wait on a server to a row on the screen, from a key to an action, and a collector without a screen.
//!
//! # The map, in reading order
//!
//! | module | what it owns |
//! |---|---|
//! | [`model`] | the vocabulary: plain data and pure functions, the fold among them; uses nobody |
//! | [`sql`] | our own T-SQL text tools: lexer, names, quoting, read-only proof; uses nobody |
//! | [`xml`] | XML from servers and files as a flat tree, with limits |
//! | [`plan`] | plans of queries: operators, their own times, findings, the tree in lines |
//! | [`deadlock`] | deadlocks: the parties, their rings, the pattern and its fingerprint |
//! | [`config`] | file and environment to a validated configuration; the plain inventory |
//! | [`vault`] | sealing and opening of records; where the keys come from: passphrase, key file, keyring |
//! | [`store`] | the only module that knows SQLite: tenants, their sealed inventory and audit log; history |
//! | [`exchange`] | inventories as files: CSV, JSON, TOML, SSMS registered servers, CMS rows; the plan of an import |
//! | [`report`] | reports on a range of time, from history to bytes: the page of an incident, dbtop's own cost |
//! | [`tds`] | the only module that knows the SQL Server driver: connect, ask with a deadline, lenient rows |
//! | [`probe`] | the questions as data: scripts, intervals, rights and one decoder each; one poll |
//! | [`collect`] | the polling: one task an instance, time-tables, permits, retries; the reducer |
//! | [`sim`] | a simulated SQL Server fleet that speaks TDS on loopback |
//! | [`protocol`] | the messages between the screen and the rest of the program: effects, requests, replies |
//! | [`tui`] | the screen: the only module that knows ratatui and crossterm |
//! | [`app`] | the running program without clap and without a screen: session, services, attach, headless |
//! | [`cli`] | clap types |
//! | [`command`] | one file, or folder, a sub-command: reads its options, calls `app`, prints |

// The fixtures under tests/ name the crate from outside; unit tests use them too.
#[cfg(test)]
extern crate self as dbtop;

pub mod model;
pub mod sql;

pub mod xml;

pub mod plan;

pub mod deadlock;

pub mod config;

pub mod exchange;

pub mod vault;

pub mod store;

pub mod report;

pub mod tds;

pub mod probe;

pub mod collect;

pub mod sim;

pub mod protocol;

pub mod tui;

pub mod app;

pub mod cli;
pub mod command;
