//! Requests to the inventory service, and the data of its answers.

use super::{AuditQuestion, ListChange, ListId, SlotChange};
use crate::model::{
    base::{secret::Secret, time::Timestamp, zone::Zone},
    inventory::{
        instance::InstanceId,
        record::{BulkChange, InstanceRecord, Limits, Slug},
    },
};
use std::{path::PathBuf, sync::Arc};

/// A request to the inventory service.
pub enum InventoryRequest {
    /// open the vault: with a passphrase, or with what needs no question
    Unlock(Option<Secret>),
    /// open the vault with this key file, and again with it while the program runs
    UnlockWith(PathBuf),
    /// make the first vault, which this passphrase opens
    CreateVault(Secret),
    /// forget the keys; polling goes on
    Lock,
    /// the answer to [`crate::protocol::Reply::Password`]; None: it is not given
    Password(Option<Secret>),
    /// what a form needs: of these instances, or for a new one
    Form(Vec<InstanceId>),
    /// try a connection
    Test {
        /// comes back with the answer
        ticket: u64,
        /// how to connect. Secrets that are stored and empty are those of `of`
        record: Box<InstanceRecord>,
        /// which instance is edited; None: it is new
        of: Option<InstanceId>,
    },
    /// the test is not wanted any more
    StopTest,
    /// save an instance
    Save {
        /// as it shall be. Secrets that are stored and empty stay as they are
        record: Box<InstanceRecord>,
        /// which instance this is, and its revision when the form was opened; None: it is new
        of: Option<(InstanceId, u64)>,
        /// also where another instance watches this server with another login. Without it that is a refusal of the field `second-login`
        second_login: bool,
    },
    /// change many at once
    Bulk {
        /// which ones
        ids: Vec<InstanceId>,
        /// how
        change: Box<BulkChange>,
    },
    /// take these out of the inventory; `dbtop instance restore` brings them back
    Remove(Vec<InstanceId>),
    /// back the open tenant up into this file; None: into one of dbtop's own naming. Answered by [`crate::protocol::Reply::Saved`] when it
    /// has begun, then by messages
    Backup(Option<PathBuf>),
    /// a list that has a pane. Answered by [`crate::protocol::Reply::List`], if the inventory is open or the list needs no key
    List(ListId),
    /// these entries of the audit log, as a list that is told again while it grows
    Audit {
        /// which ones
        question: AuditQuestion,
        /// how times are written, which the filter may ask for
        zone: Zone,
    },
    /// write these entries of the audit log into a new file, as CSV or JSON by the end of its name, in this order. Answered by
    /// [`crate::protocol::Reply::Saved`]
    ExportAudit {
        /// into this file
        file: PathBuf,
        /// their numbers
        entries: Vec<u64>,
    },
    /// write a text into a new file. Answered by [`crate::protocol::Reply::Saved`]; where there is an audit log, it has an entry
    WriteFile {
        /// into this file
        file: PathBuf,
        /// its kind, for the audit log: `plan`, `deadlock`
        what: &'static str,
        /// which one it is, in words
        scope: String,
        /// what stands in it
        text: Arc<str>,
    },
    /// change such a list
    Change(ListChange),
    /// change the key slots of the vault
    Slots(SlotChange),
    /// change a tenant as a whole
    Tenant(TenantChange),
    /// watch another tenant
    Switch(Slug),
    /// what the logins of these instances may not see; none named: of all
    Doctor(Vec<InstanceId>),
    /// the doctor is not wanted any more
    StopDoctor,
    /// every option of the configuration. Answered by [`crate::protocol::Reply::Settings`]
    Settings,
    /// edit an option of the configuration file. Answered by [`crate::protocol::Reply::Saved`], then by the list anew
    Set {
        /// `poll.fleet_s`
        key: String,
        /// as it is typed; None: take it out of the file
        value: Option<String>,
    },
}

/// The state of the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultState {
    /// there is none to keep: a demo, or a file that is written by hand
    Plain,
    /// no tenant was made yet
    Absent,
    /// there are several, and none was named
    Choose,
    /// being opened
    Opening,
    /// its keys are not in memory
    Locked {
        /// a passphrase opens it; else what opened it before
        by_passphrase: bool,
        /// why it is not open, where that needs a word: a wrong passphrase, a damaged header
        why: Option<String>,
    },
    /// its keys are in memory
    Open,
}

/// A change of a tenant as a whole. Answered by [`crate::protocol::Reply::Saved`], then by the list anew.
pub enum TenantChange {
    /// make one that this passphrase opens
    Create {
        /// its name
        slug: Slug,
        /// opens its vault
        passphrase: Secret,
    },
    /// neither poll nor change it; it must be the open one
    Suspend(Slug),
    /// go on with it
    Resume {
        /// which
        slug: Slug,
        /// None: it opens without a question
        passphrase: Option<Secret>,
    },
    /// give it a name and limits; it must be the open one
    Edit {
        /// which
        slug: Slug,
        /// its name from now on
        to: Slug,
        /// all of them
        limits: Limits,
    },
    /// make one of a backup. It goes on when the answer has come; a message says how it went
    Restore {
        /// the backup
        file: PathBuf,
        /// None: the name that it had
        to: Option<Slug>,
        /// None: it opens without a question
        passphrase: Option<Secret>,
    },
    /// put it aside for 30 days
    Delete(Slug),
    /// bring it back
    Undelete {
        /// the name that it had
        slug: Slug,
        /// when it was deleted: some of one name may have been
        at: Timestamp,
        /// None: that name
        to: Option<Slug>,
    },
}

/// A line of the list of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantLine {
    /// its name
    pub slug: Slug,
    /// `watched now`, `suspended`, `deleted`, or what is wrong with it
    pub state: String,
    /// it can be switched to
    pub usable: bool,
    /// it is the one that this program watches
    pub is_watched: bool,
    /// it is neither polled nor changed
    pub is_suspended: bool,
    /// None: not known
    pub instances: Option<u64>,
    /// of all its files; None: not known
    pub size_bytes: Option<u64>,
    /// of its history; None: there is none
    pub history_bytes: Option<u64>,
    /// when its files were written last; None: not known
    pub used: Option<Timestamp>,
    /// None: they are sealed, and it is not open
    pub limits: Option<Limits>,
    /// when it was deleted, and until when it can be brought back; None: it is not deleted
    pub deleted: Option<(Timestamp, Timestamp)>,
}

/// The data that a form needs.
#[derive(Clone, Default)]
pub struct FormData {
    /// the instances asked for, each with its revision; stored passwords are empty
    pub of: Vec<(InstanceRecord, u64)>,
    /// all names that are taken
    pub names: Vec<String>,
    /// all groups
    pub groups: Vec<String>,
    /// all labels, as `key=value`
    pub labels: Vec<String>,
}

/// Why something was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// the field to mend, as [`crate::model::inventory::record::RecordError`] names it
    pub field: Option<&'static str>,
    /// why
    pub words: String,
}
