//! Records that cannot be trusted, and why. Reading goes on with the others; this is for people.

use std::fmt;

/// One part of a tenant's file that is not as dbtop left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// kind of record: `instance`, `group`, `label`, `filter`; else the table
    pub kind: &'static str,
    /// the record's name; the start of its id if the name is lost, too
    pub name: String,
    /// the damage
    pub harm: Harm,
}

/// The damage of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// the seal does not fit: changed, cut short, or moved from another place
    Broken,
    /// an older version of it was put back, or its plain columns were changed
    Replayed,
    /// it is missing
    Missing,
    /// dbtop did not write it
    Unexpected,
    /// a newer dbtop wrote it
    Newer,
    /// the table of contents of its kind is broken: loss and replay cannot be noticed
    Contents,
    /// the audit log is longer or shorter than the header says
    Log,
    /// the header is broken: key slots, suspension and the end of the audit log cannot be trusted
    Header,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, harm } = self;
        match harm {
            Harm::Broken => write!(f, "{kind} {name} was altered or damaged and is refused"),
            Harm::Replayed => {
                write!(f, "{kind} {name} was replaced by an older version of it and is refused")
            }
            Harm::Missing => write!(f, "{kind} {name} was taken out of the file"),
            Harm::Unexpected => {
                write!(f, "{kind} {name} was put into the file by something else and is refused")
            }
            Harm::Newer => {
                return write!(f, "{kind} {name} was written by a newer dbtop: install that version");
            }
            Harm::Contents => write!(f, "the list of all {kind} records was altered or damaged"),
            Harm::Log => f.write_str("the audit log was cut short or written to by something else"),
            Harm::Header => write!(f, "the header was altered or damaged"),
        }?;
        f.write_str(
            ": restore a backup with `dbtop tenant restore`, or keep what is left with `dbtop tenant repair`",
        )
    }
}
