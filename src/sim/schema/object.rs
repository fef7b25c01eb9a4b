//! The schema of one object, and the small constructors that the data files are written with.

use crate::{
    model::poll::properties::Hosting,
    sim::backend::{self, ColumnType},
};

/// `sysname`, the type of names.
pub(super) const SYSNAME: ColumnType = ColumnType::NVarChar(128);

/// The oldest version that the simulator plays: 2016 with Service Pack 2.
const OLDEST: u16 = 2016;

/// A system view, function or table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    /// Its database and schema.
    pub home: Home,
    /// Its name, as the server spells it.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The right to read it, and the effect of not having it.
    pub access: Access,
    /// The first version that has it, as a year; 2016 for older ones.
    pub since: u16,
    /// Where it is.
    pub reach: Reach,
    /// Its columns in order, those of all versions.
    pub columns: &'static [Column],
}

/// Where an object is. Azure SQL Database is no server: it has views of its own for what else belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// everywhere
    All,
    /// not on Azure SQL Database
    Servers,
    /// on Azure SQL Database alone
    AzureDatabase,
}

/// Database and schema of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// schema `sys`, seen from every database
    Sys,
    /// schema `INFORMATION_SCHEMA`, seen from every database
    Information,
    /// schema `dbo` of database `msdb`
    Msdb,
}

/// The kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// a view
    View,
    /// a table-valued function, always called with arguments
    Function,
    /// a table
    Table,
}

/// A right on which the rows depend that a login sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need<'a> {
    /// VIEW SERVER STATE up to 2019; since 2022 VIEW SERVER PERFORMANCE STATE, which VIEW SERVER STATE includes
    ServerPerformanceState,
    /// VIEW SERVER STATE up to 2019; since 2022 VIEW SERVER SECURITY STATE, which VIEW SERVER STATE includes
    ServerSecurityState,
    /// VIEW DATABASE STATE, since 2022 VIEW DATABASE PERFORMANCE STATE, in the current database; not asked of a login
    /// that holds [`Need::ServerPerformanceState`], which includes it
    DatabasePerformanceState,
    /// VIEW ANY DEFINITION
    AnyDefinition,
    /// VIEW ANY DATABASE
    AnyDatabase,
    /// SELECT on this table of `msdb.dbo`
    SelectInMsdb(&'a str),
    /// to enter this database
    Enter(&'a str),
}

/// The right to read an object, and the effect of not having it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone reads it; catalogue views show each login what it may see.
    Public,
    /// Without the right: fewer rows, and no error.
    FewerRows(Need<'static>),
    /// Without one of the rights: errors 300 and 297.
    Server(&'static [Need<'static>]),
    /// As `Server` up to 2019; since 2022 error 371 alone.
    Policy(&'static [Need<'static>]),
    /// Without VIEW DATABASE STATE or the server right above it: errors 262 and 297.
    Database,
    /// Without SELECT: error 229.
    Select,
}

/// One column of an [`Object`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// True if it can be NULL.
    pub nullable: bool,
    /// The first version that has it; 2016 also for a column that is as old as its object.
    pub since: u16,
    /// The last version that had it, if it was removed.
    pub until: Option<u16>,
}

impl Object {
    /// True if the version of that year has it.
    pub fn exists_in(&self, year: u16) -> bool {
        self.since <= year
    }

    /// True if it is there where this server runs.
    pub fn exists_on(&self, hosting: Hosting) -> bool {
        match self.reach {
            Reach::All => true,
            Reach::Servers => hosting != Hosting::AzureDatabase,
            Reach::AzureDatabase => hosting == Hosting::AzureDatabase,
        }
    }

    /// The columns that the version of that year has, in order.
    pub fn columns_in(&self, year: u16) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(move |column| column.exists_in(year))
    }

    /// The column of that name, compared without case, if the version of that year has it.
    pub fn column_in(&self, name: &str, year: u16) -> Option<&'static Column> {
        self.columns_in(year).find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The database that it is stored in, as messages name it.
    pub const fn database(&self) -> &'static str {
        match self.home {
            Home::Sys | Home::Information => "master",
            Home::Msdb => "msdb",
        }
    }

    pub(super) const fn since(self, year: u16) -> Self {
        Self { since: year, ..self }
    }

    pub(super) const fn only(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }
}

impl Column {
    /// True if the version of that year has it.
    pub fn exists_in(&self, year: u16) -> bool {
        self.since <= year && self.until.is_none_or(|last| year <= last)
    }

    /// As a result set announces it.
    pub fn described(&self) -> backend::Column {
        backend::Column { name: self.name.to_owned(), kind: self.kind, nullable: self.nullable }
    }

    pub(super) const fn since(self, year: u16) -> Self {
        Self { since: year, ..self }
    }

    pub(super) const fn until(self, year: u16) -> Self {
        Self { until: Some(year), ..self }
    }
}

// The words of the data files.

pub(super) const PUBLIC: Access = Access::Public;
pub(super) const OWN_ROWS: Access = Access::FewerRows(Need::ServerPerformanceState);
pub(super) const DEFINITION: Access = Access::FewerRows(Need::AnyDefinition);
pub(super) const ANY_DATABASE: Access = Access::FewerRows(Need::AnyDatabase);
pub(super) const SERVER: Access = Access::Server(&[Need::ServerPerformanceState]);
pub(super) const SECURITY: Access = Access::Server(&[Need::ServerSecurityState]);
pub(super) const POLICY: Access = Access::Policy(&[Need::ServerPerformanceState]);
/// Addresses and encryption of connections are security matters, but the refusal was seen to name the other half:
/// both are asked for.
pub(super) const CONNECTIONS: Access =
    Access::Policy(&[Need::ServerPerformanceState, Need::ServerSecurityState]);
pub(super) const DATABASE: Access = Access::Database;

/// A view in `sys`.
pub(super) const fn view(name: &'static str, access: Access, columns: &'static [Column]) -> Object {
    Object { home: Home::Sys, name, kind: Kind::View, access, since: OLDEST, reach: Reach::All, columns }
}

/// A function in `sys` that returns a table.
pub(super) const fn function(name: &'static str, access: Access, columns: &'static [Column]) -> Object {
    Object { home: Home::Sys, name, kind: Kind::Function, access, since: OLDEST, reach: Reach::All, columns }
}

/// A table or view of msdb.
pub(super) const fn table(name: &'static str, columns: &'static [Column]) -> Object {
    Object {
        home: Home::Msdb,
        name,
        kind: Kind::Table,
        access: Access::Select,
        since: OLDEST,
        reach: Reach::All,
        columns,
    }
}

/// A view in `INFORMATION_SCHEMA`.
pub(super) const fn information(name: &'static str, columns: &'static [Column]) -> Object {
    Object {
        home: Home::Information,
        name,
        kind: Kind::View,
        access: PUBLIC,
        since: OLDEST,
        reach: Reach::All,
        columns,
    }
}

/// A column that is never NULL.
pub(super) const fn col(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind, nullable: false, since: OLDEST, until: None }
}

/// A column that can be NULL.
pub(super) const fn opt(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind, nullable: true, since: OLDEST, until: None }
}
