//! The simulator's schema against a catalogue of system objects extracted from real engines. The catalogue is not part
//! of the project: `tests/catalog_check.sh` says where it is in `DBTOP_DMV_CATALOG` and `DBTOP_DESCRIBED`; without
//! them these tests say that they skip.

use dbtop::{
    sim::{
        backend::ColumnType,
        schema::{self, Access, Home, Kind, Object},
    },
    sql::{ident::ObjectName, names},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

const YEARS: [u16; 5] = [2016, 2017, 2019, 2022, 2025];

/// Objects of the schema that the catalogue lacks, or whose columns it lacks. All are documented by name; types of
/// `dm_os_memory_health_history` are from the documentation's prose.
const NOT_IN_CATALOGUE: &[&str] = &[
    "INFORMATION_SCHEMA.COLUMNS",
    "INFORMATION_SCHEMA.SCHEMATA",
    "INFORMATION_SCHEMA.TABLES",
    "INFORMATION_SCHEMA.VIEWS",
    // The lists of a Central Management Server; the catalogue has no views of msdb's management part.
    "msdb.dbo.sysmanagement_shared_registered_servers",
    "msdb.dbo.sysmanagement_shared_server_groups",
    // Of Azure SQL Database alone.
    "sys.dm_xe_database_session_events",
    "sys.dm_xe_database_session_targets",
    "sys.dm_xe_database_sessions",
    "sys.dm_exec_query_optimizer_memory_gateways",
    "sys.dm_os_memory_health_history",
    "sys.dm_os_out_of_memory_events",
    "sys.fn_PageResCracker",
    "sys.query_store_plan_feedback",
    "sys.query_store_query_variant",
    "sys.sysdatabases",
    "sys.sysobjects",
    "sys.system_columns",
    "sys.system_objects",
    "sys.system_sql_modules",
];

/// Views that the catalogue gives a right, and that everyone may read all the same.
const PUBLIC: &[&str] = &[
    // Granted to public; the right counts only if that grant was revoked.
    "sys.dm_os_host_info",
    // Catalogue views: the rights that they mention widen what is seen, none is asked for.
    "sys.database_permissions",
    "sys.server_permissions",
];

#[derive(Deserialize)]
struct Catalogue {
    objects: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    kind: Option<String>,
    columns: Vec<EntryColumn>,
    versions: Vec<String>,
    permission: Option<Vec<String>>,
    since_override: Option<String>,
}

#[derive(Deserialize)]
struct EntryColumn {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    nullable: Option<bool>,
    versions: Vec<String>,
    versions_2016_sp: Option<String>,
}

impl Entry {
    fn returns_rows(&self) -> bool {
        let kind = self.kind.as_deref().unwrap_or_default();
        !kind.is_empty() && !kind.ends_with("Procedure") && kind != "ScalarFunction"
    }

    fn years(&self) -> BTreeSet<u16> {
        played(&self.versions, self.since_override.as_deref())
    }
}

/// The years of a catalogue entry. It took 2016 from a preview: what RTM, SP1 or SP2 added is noted beside the versions
/// (`marked`), and we play SP2. A mark on something that even 2017 lacks is a slip of the documentation.
fn played(versions: &[String], marked: Option<&str>) -> BTreeSet<u16> {
    let mut years: BTreeSet<u16> = versions.iter().map(|year| year.parse().unwrap()).collect();
    if marked.is_some_and(|mark| mark.starts_with("2016")) && years.contains(&2017) {
        years.insert(2016);
    }
    years
}

fn full_name(object: &Object) -> String {
    match object.home {
        Home::Sys => format!("sys.{}", object.name),
        Home::Information => format!("INFORMATION_SCHEMA.{}", object.name),
        Home::Msdb => format!("msdb.dbo.{}", object.name),
    }
}

/// A type as T-SQL spells it.
fn spelled(kind: ColumnType) -> String {
    use ColumnType as T;
    match kind {
        T::NVarCharMax => "nvarchar(max)".into(),
        T::VarCharMax => "varchar(max)".into(),
        T::VarBinaryMax => "varbinary(max)".into(),
        T::Guid => "uniqueidentifier".into(),
        T::Variant => "sql_variant".into(),
        T::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
        // The others are spelled as they are named, and Debug prints the argument as T-SQL does.
        other => format!("{other:?}").to_lowercase(),
    }
}

/// A type of the catalogue in the spelling of [`spelled`]: aliases and defaults resolved, and the old large types as
/// their successors, which is how the simulator sends them.
fn plain(kind: &str) -> String {
    match kind {
        "sysname" => "nvarchar(128)".into(),
        "image" => "varbinary(max)".into(),
        "ntext" => "nvarchar(max)".into(),
        "sqlvariant" => "sql_variant".into(),
        "datetime2" | "datetimeoffset" | "time" => format!("{kind}(7)"),
        other => other.replace("numeric", "decimal"),
    }
}

#[test]
fn the_schema_says_what_the_engines_say() {
    let Ok(path) = env::var("DBTOP_DMV_CATALOG") else {
        println!("skipped: DBTOP_DMV_CATALOG is not set; run tests/catalog_check.sh");
        return;
    };
    let catalogue: Catalogue = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let ours: BTreeMap<String, &Object> =
        schema::objects().map(|object| (full_name(object), object)).collect();
    let mut faults = Vec::new();
    let mut checked = 0;
    for (name, entry) in catalogue.objects.iter().filter(|(_, entry)| entry.returns_rows()) {
        let known = entry.columns.iter().any(|column| !column.versions.is_empty());
        match ours.get(name) {
            Some(object) if known => {
                compare(name, object, entry, &mut faults);
                checked += object.columns.len();
            }
            None if known && !entry.versions.is_empty() => {
                faults.push(format!("{name}: missing in the schema"));
            }
            _ => {}
        }
    }
    for name in ours.keys() {
        let listed = NOT_IN_CATALOGUE.contains(&name.as_str());
        let known = catalogue.objects.get(name).is_some_and(|entry| !entry.columns.is_empty());
        if listed == known {
            faults.push(format!("{name}: in the catalogue {known}, on the list of exceptions {listed}"));
        }
    }
    println!("{} objects of the schema, {checked} columns compared", ours.len());
    assert!(checked > 3000, "the catalogue was not read: {checked} columns");
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}

fn compare(name: &str, object: &Object, entry: &Entry, faults: &mut Vec<String>) {
    let years: BTreeSet<u16> = YEARS.into_iter().filter(|&year| object.exists_in(year)).collect();
    if years != entry.years() {
        faults.push(format!("{name}: in {years:?}, the catalogue says {:?}", entry.years()));
    }
    let is_function = entry.kind.as_deref().is_some_and(|kind| kind.ends_with("Function"));
    if is_function != (object.kind == Kind::Function) {
        faults.push(format!("{name}: is a {:?}, the catalogue says {:?}", object.kind, entry.kind));
    }
    compare_rights(name, object, entry, faults);
    let mut theirs: BTreeMap<String, &EntryColumn> = entry
        .columns
        .iter()
        .filter(|column| !column.versions.is_empty())
        .map(|column| (column.name.to_lowercase(), column))
        .collect();
    for column in object.columns {
        let Some(their) = theirs.remove(&column.name.to_lowercase()) else {
            faults.push(format!("{name}.{}: not in the catalogue", column.name));
            continue;
        };
        let years: BTreeSet<u16> =
            YEARS.into_iter().filter(|&year| object.exists_in(year) && column.exists_in(year)).collect();
        let mark = their.versions_2016_sp.as_deref().or(entry.since_override.as_deref());
        let expected = played(&their.versions, mark);
        if years != expected {
            faults.push(format!("{name}.{}: in {years:?}, the catalogue says {expected:?}", column.name));
        }
        // Where the catalogue has no type there is nothing to compare with.
        let kind = their.kind.as_deref().map(plain);
        if kind.as_ref().is_some_and(|kind| *kind != spelled(column.kind)) {
            faults.push(format!("{name}.{}: {}, not {kind:?}", column.name, spelled(column.kind)));
        }
        if their.nullable.is_some_and(|nullable| nullable != column.nullable) {
            faults.push(format!("{name}.{}: nullable {}", column.name, column.nullable));
        }
    }
    faults.extend(theirs.into_keys().map(|column| format!("{name}.{column}: missing in the schema")));
}

/// What the catalogue gives a state right is not public here, and the reverse.
fn compare_rights(name: &str, object: &Object, entry: &Entry, faults: &mut Vec<String>) {
    let Some(rights) = entry.permission.as_ref().filter(|rights| !rights.is_empty()) else { return };
    let asks =
        rights.iter().any(|right| right.ends_with("SERVER STATE") || right.ends_with("DATABASE STATE"));
    let open = object.access == Access::Public;
    let closed = matches!(object.access, Access::Server(_) | Access::Policy(_) | Access::Database);
    if (asks && open && !PUBLIC.contains(&name)) || (!asks && closed) {
        faults.push(format!("{name}: {:?}, the catalogue says {rights:?}", object.access));
    }
}

#[derive(Deserialize)]
struct Described {
    file: String,
    columns: Vec<(String, Option<String>)>,
}

/// Result columns that a script computes and names like their source.
const COMPUTED: &[(&str, &str)] = &[
    ("availability", "group_database_id"),
    ("availability", "replica_id"),
    ("connections", "client_net_address"),
    ("counters", "counter_name"),
    ("counters", "instance_name"),
    ("input_buffers", "event_info"),
    ("memory_counters", "counter_name"),
    ("memory_counters", "instance_name"),
    ("memory_health", "snapshot_time"),
    ("module_functions", "sql_handle"),
    ("module_triggers", "sql_handle"),
    ("modules", "sql_handle"),
    ("plan_live", "query_plan"),
    ("plans_last", "query_plan"),
    ("queries", "plan_handle"),
    ("queries", "query_plan_hash"),
    ("queries", "sql_handle"),
    ("queries_2016", "plan_handle"),
    ("queries_2016", "query_plan_hash"),
    ("queries_2016", "sql_handle"),
    ("query_store_plan", "query_plan"),
    ("query_store_replicas", "replica_name"),
    ("room_files", "database_id"),
    ("session_input", "event_info"),
    ("volumes", "volume_mount_point"),
];

/// What the tool beside the catalogue says of each script's result columns; None without it.
fn described() -> Option<Vec<Described>> {
    let path = env::var("DBTOP_DESCRIBED").ok();
    if path.is_none() {
        println!("skipped: DBTOP_DESCRIBED is not set; run tests/catalog_check.sh");
    }
    let text = fs::read_to_string(path?).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn the_columns_of_our_scripts_have_the_types_that_the_schema_gives_them() {
    let Some(all) = described() else { return };
    let mut faults = Vec::new();
    let mut checked = 0;
    for described in &all {
        let script = Path::new(&described.file).file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&described.file)).unwrap();
        let names = names::read(&text);
        let outputs: Vec<_> = names.queries[0]
            .output
            .iter()
            .filter_map(|output| match output {
                names::Output::Named(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let theirs: Vec<_> = described.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(outputs, theirs, "{}", described.file);
        let sources: Vec<&ObjectName> = names.objects().map(|(name, _)| name).collect();
        for (column, kind) in &described.columns {
            let computed = COMPUTED.contains(&(script, column));
            let Some(kind) = kind.as_ref().filter(|_| !computed) else { continue };
            let ours = types_of(column, &sources);
            checked += usize::from(!ours.is_empty());
            if !ours.is_empty() && !ours.contains(&plain(kind)) {
                faults.push(format!("{}: {column} is {kind}, the schema says {ours:?}", described.file));
            }
        }
    }
    println!("{} scripts, {checked} result columns compared", all.len());
    assert!(all.len() > 30 && checked > 100, "{} scripts, {checked} columns", all.len());
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}

/// The types of all columns of this name in the objects that a script selects from. None for a column that the script
/// computes.
fn types_of(column: &str, sources: &[&ObjectName]) -> BTreeSet<String> {
    let objects = sources.iter().filter_map(|source| schema::find(source, "master"));
    objects.filter_map(|object| object.column_in(column, 2025)).map(|column| spelled(column.kind)).collect()
}

/// Numbers that the server gives as text, and a decoder takes out of it.
const NUMBERS_IN_TEXT: &[&str] = &["product_major_version"];

/// True if the accessor of a row with this name (`Row::count`, `Row::local` …) can read a column of this type.
fn can_read(accessor: &str, kind: &str) -> bool {
    let whole =
        ["bit", "tinyint", "smallint", "int", "bigint"].contains(&kind) || kind.starts_with("decimal");
    match accessor {
        "i64" | "i32" | "count" | "bool" => whole,
        "f64" => whole || kind == "real" || kind == "float",
        "raw_text" | "line" | "name" => kind.contains("char"),
        "bytes" => kind.contains("binary"),
        "instant" => kind.starts_with("datetimeoffset"),
        "local" => kind.starts_with("datetime") && !kind.starts_with("datetimeoffset"),
        _ => false,
    }
}

/// Every `.accessor("column"` of the decoders.
fn asked_by_decoders() -> BTreeSet<(String, String)> {
    const ACCESSORS: &[&str] =
        &["i64", "i32", "count", "bool", "f64", "raw_text", "line", "name", "bytes", "instant", "local"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/probe");
    let mut asked = BTreeSet::new();
    for entry in [folder.clone(), folder.join("catalog")].iter().flat_map(|it| fs::read_dir(it).unwrap()) {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for accessor in ACCESSORS {
            for (_, rest) in
                code.match_indices(&format!(".{accessor}(")).map(|(at, it)| (at, &code[at + it.len()..]))
            {
                if let Some(column) = rest.trim_start().strip_prefix('"').and_then(|it| it.split('"').next())
                {
                    asked.insert(((*accessor).to_owned(), column.to_owned()));
                }
            }
        }
    }
    asked
}

#[test]
fn the_decoders_ask_for_columns_that_our_scripts_return_by_fitting_accessors() {
    let Some(all) = described() else { return };
    let mut faults = Vec::new();
    let asked = asked_by_decoders();
    for (accessor, column) in &asked {
        let kinds: Vec<_> = all
            .iter()
            .flat_map(|described| described.columns.iter().map(move |it| (&described.file, it)))
            .filter(|(_, (name, _))| name == column)
            .collect();
        if kinds.is_empty() {
            faults.push(format!("no script returns {column}, which a decoder reads by {accessor}()"));
        }
        for (file, (_, kind)) in kinds {
            let parsed = NUMBERS_IN_TEXT.contains(&column.as_str());
            if !parsed && kind.as_ref().is_some_and(|kind| !can_read(accessor, &plain(kind))) {
                faults.push(format!("{file}: {column} is {kind:?}, and a decoder reads it by {accessor}()"));
            }
        }
    }
    println!("{} accesses of decoders compared", asked.len());
    assert!(asked.len() > 80, "the decoders were not read: {} accesses", asked.len());
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}
