//! Several scripts as one batch, and its answer back as named result sets. Used by `run`, read by decoders.

use super::script::{Key, Script};
use crate::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::{properties::Hosting, reading::Unavailable},
    },
    tds::{Cell, ResultSet, Row},
};
use foldhash::fast::RandomState;
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
};

/// The prefix of the name of a tagged set's first column; the script's name follows.
pub const TAG_PREFIX: &str = "dbtop_";

/// Result sets by the name of their script. No row in it is about what an earlier one is about.
#[derive(Debug, Clone, Default)]
pub struct Sets(Vec<(String, ResultSet)>);

impl Sets {
    /// Sorts the sets that these scripts were answered with by their tags, each row once. Other and incomplete sets are left
    /// out; of two with the same tag the first one counts.
    pub fn of(answer: Vec<ResultSet>, scripts: &[Script]) -> Self {
        let mut sets = Self::default();
        for mut set in answer.into_iter().filter(|s| s.complete) {
            let tag = set.columns.first().and_then(|c| c.strip_prefix(TAG_PREFIX));
            if let Some(script) = scripts.iter().find(|script| tag == Some(script.name)) {
                keep_each_once(&mut set, script.key);
                sets.add(script.name.to_owned(), set);
            }
        }
        sets
    }

    /// Takes over the rows of another answer to the same scripts, behind those that are there.
    pub fn append(&mut self, other: Self) {
        for (name, set) in other.0 {
            match self.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) if known.columns == set.columns => known.rows.extend(set.rows),
                Some(_) => {}
                None => self.0.push((name, set)),
            }
        }
    }

    /// Leaves each row of these scripts once, where sets were appended.
    pub fn keep_each_once(&mut self, scripts: impl Iterator<Item = Script>) {
        for script in scripts {
            if let Some((_, set)) = self.0.iter_mut().find(|(name, _)| name == script.name) {
                keep_each_once(set, script.key);
            }
        }
    }

    /// Takes over the sets of another answer that are not there yet.
    pub fn merge(&mut self, other: Self) {
        for (name, set) in other.0 {
            self.add(name, set);
        }
    }

    fn add(&mut self, name: String, set: ResultSet) {
        if !self.has(&name) {
            self.0.push((name, set));
        }
    }

    /// The set of a script, by its name.
    pub fn get(&self, name: &str) -> Option<&ResultSet> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, s)| s)
    }

    /// True if the set of this script is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The single row of a set that must have one.
    ///
    /// # Errors
    /// An empty or missing set, in words.
    pub fn one(&self, name: &str) -> Result<Row<'_>, Unavailable> {
        self.many(name)?.next().ok_or_else(|| lacking("row", name))
    }

    /// The rows of a set that must be there, if only empty.
    ///
    /// # Errors
    /// A missing set, in words.
    pub fn many(&self, name: &str) -> Result<impl Iterator<Item = Row<'_>>, Unavailable> {
        self.get(name).map(ResultSet::rows).ok_or_else(|| lacking("result set", name))
    }

    /// All rows of a set; none if it was not asked for or failed.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Row<'a>> + use<'a> {
        self.get(name).into_iter().flat_map(ResultSet::rows)
    }

    /// All sets.
    pub fn iter(&self) -> impl Iterator<Item = &ResultSet> {
        self.0.iter().map(|(_, s)| s)
    }
}

/// Leaves the first row of each key, in order.
fn keep_each_once(set: &mut ResultSet, key: Key) {
    let Key::By(names) = key else { return set.rows.truncate(1) };
    let places: Vec<usize> =
        names.iter().filter_map(|name| set.columns.iter().position(|column| column == name)).collect();
    let mut seen = HashSet::with_capacity_and_hasher(set.rows.len(), RandomState::default());
    let is_first: Vec<bool> = set.rows.iter().map(|row| seen.insert(About::of(row, &places))).collect();
    drop(seen);
    let mut is_first = is_first.into_iter();
    set.rows.retain(|_| is_first.next().unwrap_or_default());
}

/// What a row is about: its cells at these places; all of them if nothing stands there.
struct About<'a> {
    row: &'a [Cell],
    /// None: all
    places: Option<&'a [usize]>,
}

impl<'a> About<'a> {
    fn of(row: &'a [Cell], places: &'a [usize]) -> Self {
        let is_told = places.iter().any(|place| row.get(*place).is_some_and(|cell| *cell != Cell::Null));
        Self { row, places: is_told.then_some(places) }
    }

    fn cells(&self) -> impl Iterator<Item = Same<'a>> {
        let row = self.row;
        let (some, all) = match self.places {
            Some(places) => (places, [].as_slice()),
            None => ([].as_slice(), row),
        };
        some.iter().map(move |place| row.get(*place).unwrap_or(&Cell::Null)).chain(all).map(Same::of)
    }
}

impl PartialEq for About<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cells().eq(other.cells())
    }
}

impl Eq for About<'_> {}

impl Hash for About<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.cells().for_each(|cell| cell.hash(state));
    }
}

/// A cell that can be looked up: a fraction is the same as another one by its bits.
#[derive(PartialEq, Eq, Hash)]
enum Same<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Local(i64),
    Instant(i64, i16),
}

impl<'a> Same<'a> {
    fn of(cell: &'a Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Bool(b) => Self::Bool(*b),
            Cell::Int(n) => Self::Int(*n),
            Cell::Float(f) => Self::Float(f.to_bits()),
            Cell::Text(text) => Self::Text(text),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
            Cell::Local(ms) => Self::Local(*ms),
            Cell::Instant { utc_ms, offset_min } => Self::Instant(*utc_ms, *offset_min),
        }
    }
}

fn lacking(what: &str, name: &str) -> Unavailable {
    Unavailable::Failed(Failure::new(FailureKind::Protocol, format!("the server gave no {what} for {name}")))
}

/// One batch of all scripts: header comments stripped, in order, each statement ended by its own semicolon. The text is
/// the same for the same scripts, so that the server keeps one plan each. It is sent with every poll, as two bytes a character, so
/// it goes without indentation.
pub fn text(scripts: &[Script]) -> String {
    let mut batch = String::with_capacity(scripts.iter().map(|script| script.text.len()).sum());
    for script in scripts {
        let key = (script.name, script.text.as_ptr());
        LEAN.with_borrow_mut(|known| {
            batch.push_str(known.entry(key).or_insert_with(|| lean(&script.sql())));
        });
    }
    batch
}

thread_local! {
    /// The scripts as they are sent, by their name and where their text stands: it is the program's, and several may share one.
    static LEAN: RefCell<HashMap<(&'static str, *const u8), String>> = RefCell::default();
}

/// A script without header and indentation.
fn lean(text: &str) -> String {
    statement(text).lines().flat_map(|line| [line.trim_start(), "\n"]).collect()
}

/// What a batch says of a server, and what it says in its place in Azure, managed or not: there counters name a database by its
/// physical name, which is a GUID.
const OF_AZURE: [(&str, &str); 1] =
    [("s.instance_name = d.name", "s.instance_name IN (d.name, d.physical_database_name)")];

/// The same of Azure SQL Database, which is no server: sessions of Extended Events belong to a database, and the views of them have the
/// same columns under other names; only the files of the own database are told; memory is that of the job that it runs in. `DB_ID` is
/// what its views go by, and need not be what `sys.databases` says.
const OF_DATABASE: [(&str, &str); 6] = [
    ("sys.dm_xe_", "sys.dm_xe_database_"),
    (
        "sys.master_files",
        "(SELECT DB_ID() AS database_id, a.file_id, a.type, a.type_desc, a.data_space_id, a.name, a.physical_name, a.size, \
         a.max_size, a.growth, a.is_percent_growth FROM sys.database_files AS a)",
    ),
    ("sys.dm_io_virtual_file_stats(NULL, NULL)", "sys.dm_io_virtual_file_stats(DB_ID(), NULL)"),
    ("f.database_id = d.database_id", "f.database_id = DB_ID(d.name)"),
    (
        "sys.dm_os_sys_memory",
        "(SELECT a.memory_limit_mb * 1024 AS total_physical_memory_kb, CAST(NULL AS bigint) AS available_physical_memory_kb, \
         CAST(NULL AS bit) AS system_low_memory_signal_state FROM sys.dm_os_job_object AS a)",
    ),
    (
        "sys.dm_os_process_memory",
        "(SELECT MAX(a.cntr_value) AS physical_memory_in_use_kb, CAST(NULL AS bit) AS process_physical_memory_low \
         FROM sys.dm_os_performance_counters AS a WHERE a.counter_name = N'Total Server Memory (KB)')",
    ),
];

/// A batch as it is asked of who runs the server.
pub fn of_hosting(batch: String, hosting: Hosting) -> String {
    let replaced = |batch: String, (there, here): &(&str, &str)| batch.replace(there, here);
    match hosting {
        Hosting::Own | Hosting::Rds => batch,
        Hosting::ManagedInstance => OF_AZURE.iter().fold(batch, replaced),
        Hosting::AzureDatabase => OF_AZURE.iter().chain(&OF_DATABASE).fold(batch, replaced),
    }
}

/// A script without its header: from the first line that is no comment.
pub fn statement(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, after)| after);
    }
    rest
}

/// The names of scripts, for messages.
pub fn names(scripts: &[Script]) -> String {
    scripts.iter().map(|s| s.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::catalog::{probes, scripts};

    fn set(tag: &str, complete: bool) -> ResultSet {
        ResultSet { columns: vec![tag.to_owned()], rows: vec![vec![Cell::Int(1)]], complete }
    }

    #[test]
    fn sets_are_known_by_their_tag_not_by_their_place() {
        let scripts: Vec<_> = scripts().collect();
        let told = vec![set("dbtop_waits", true), set("other", true), set("dbtop_memory", false)];
        let sets = Sets::of(told.clone(), &scripts);
        let asked = |name: &str| scripts.iter().copied().filter(|s| s.name == name).collect::<Vec<_>>();
        assert!(!Sets::of(told, &asked("files")).has("waits"), "it was not asked for");
        assert!(sets.has("waits"));
        assert!(!sets.has("memory"), "a set that may lack rows is no answer");
        assert!(!sets.has("other"));
    }

    #[test]
    fn a_row_is_told_once_whatever_moved_in_it() {
        let scripts: Vec<_> = scripts().collect();
        let rows = |name: &str, columns: &[&str], rows: &[&[Cell]]| {
            let tag = format!("dbtop_{name}");
            let columns = std::iter::once(tag).chain(columns.iter().map(|c| (*c).to_owned())).collect();
            let rows = rows.iter().map(|r| std::iter::once(Cell::Int(1)).chain(r.iter().cloned()).collect());
            let told = ResultSet { columns, rows: rows.collect(), complete: true };
            let sets = Sets::of(vec![told], &scripts);
            sets.all(name).map(|r| r.i64("available_bytes")).collect::<Vec<_>>()
        };
        let mount = |name: &str| Cell::Text(name.to_owned());
        let columns = ["volume_mount_point", "available_bytes"];
        let [one, two, null] = [Cell::Int(1), Cell::Int(2), Cell::Null];
        let told = rows(
            "volumes",
            &columns,
            &[&[mount("C:\\"), one.clone()], &[mount("C:\\"), two.clone()], &[mount("D:\\"), one.clone()]],
        );
        assert_eq!(told, [Some(1), Some(1)], "the first row of a key counts");
        let nameless: [&[Cell]; 3] =
            [&[null.clone(), one.clone()], &[null.clone(), two.clone()], &[null, two]];
        assert_eq!(rows("volumes", &columns, &nameless), [Some(1), Some(2)], "no name is no key");
        let again = [one.clone()];
        let unkeyed: [&[Cell]; 3] = [&again, &[Cell::Int(2)], &again];
        assert_eq!(rows("volumes", &["available_bytes"], &unkeyed), [Some(1), Some(2)]);
        assert_eq!(rows("memory", &["available_bytes"], &[&[one], &[Cell::Int(2)]]), [Some(1)], "one row");
        assert_eq!(rows("volumes", &columns, &[&[], &[]]), [None], "rows without cells");
    }

    #[test]
    fn what_azure_lacks_is_asked_in_another_way_there() {
        let all: Vec<_> = probes().flat_map(|p| p.parts).map(|p| p.script).collect();
        let (own, hosted) = (text(&all), |hosting| of_hosting(text(&all), hosting));
        assert_eq!(hosted(Hosting::Own), own);
        for (there, here) in OF_AZURE.iter().chain(&OF_DATABASE) {
            assert!(own.contains(there), "no script says {there}");
            assert!(hosted(Hosting::AzureDatabase).contains(here), "{here}");
        }
        let managed = hosted(Hosting::ManagedInstance);
        assert!(managed.contains("d.physical_database_name") && managed.contains("sys.master_files"));
    }

    #[test]
    fn a_batch_holds_every_statement_once_and_no_header() {
        let all: Vec<_> = probes().flat_map(|p| p.parts).map(|p| p.script).collect();
        let batch = text(&all);
        assert!(!batch.contains("-- "), "headers are not sent");
        for script in all {
            assert!(batch.contains(&format!("/* dbtop:{} */", script.name)), "{}", script.name);
        }
    }
}
