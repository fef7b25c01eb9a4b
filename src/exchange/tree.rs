//! JSON and TOML: objects with the keys of the columns, nested or flat. `auth.secret.command` and `password_command` are
//! the same key, so one function reads our own records, the inventory of `dbtop sim` and hand-written files.

use super::{
    Draft, FileProblem, Row, RowProblem, Rows, Secrets,
    field::{Column, Field, Kind, Value, column, set_text, shown},
    text::Lines,
};
use crate::model::inventory::record::{InstanceRecord, RecordError, SecretRef};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

#[derive(Deserialize)]
struct JsonRoot<'a> {
    #[serde(borrow, alias = "instances")]
    instance: Vec<&'a RawValue>,
    ca_file: Option<String>,
}

#[derive(Deserialize)]
struct TomlRoot {
    #[serde(alias = "instances", default)]
    instance: Vec<Spanned<toml::Table>>,
    ca_file: Option<String>,
}

/// Reads JSON: an array of objects, or an object with such an array called `instance` or `instances`.
pub fn read_json(text: &str) -> Result<Rows, FileProblem> {
    let array = text.trim_start().starts_with('[');
    let root = if array {
        serde_json::from_str(text).map(|instance| JsonRoot { instance, ca_file: None })
    } else {
        serde_json::from_str(text)
    };
    let root = root.map_err(|error| FileProblem { line: error.line().max(1), reason: why(text, &error) })?;
    let lines = Lines::of(text);
    let rows = root.instance.into_iter().map(|raw| {
        // The raw value is a slice of the text: the distance between the two is its place.
        let at = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        (lines.at(at), serde_json::from_str(raw.get()).map_err(|error| why(raw.get(), &error)))
    });
    Ok(gather(rows, root.ca_file.as_deref()))
}

/// Reads TOML with `[[instance]]` tables; `ca_file` before them is for all.
pub fn read_toml(text: &str) -> Result<Rows, FileProblem> {
    let lines = Lines::of(text);
    let root: TomlRoot = toml::from_str(text).map_err(|error| FileProblem {
        line: lines.at(error.span().map_or(0, |span| span.start)),
        reason: unquoted(error.message()),
    })?;
    if root.instance.is_empty() {
        return Err(FileProblem { line: 1, reason: "there is no [[instance]] in it".into() });
    }
    let rows = root.instance.into_iter().map(|table| {
        let at = lines.at(table.span().start);
        (at, Ok(of_toml(toml::Value::Table(table.into_inner()))))
    });
    Ok(gather(rows, root.ca_file.as_deref()))
}

/// Why a text is no JSON, or not the one that is asked for, in our words.
fn why(text: &str, error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let said = error.to_string();
    match error.classify() {
        _ if text.trim().is_empty() => "the file is empty".into(),
        Category::Eof => "the file is cut short: a bracket or a quote is open at its end".into(),
        _ if said.contains("recursion limit") => "its brackets are nested too deep".into(),
        // A value that cannot be read is said by its key where rows are read; here only the frame around them is.
        Category::Data => {
            "there is no list of instances in it: write [{\"name\": …}] or {\"instances\": [{\"name\": …}]}"
                .into()
        }
        Category::Syntax | Category::Io => unquoted(&said),
    }
}

/// A parser's message without its quotes from the file: they may hold a password.
fn unquoted(message: &str) -> String {
    let quotes = ["string \"", "character \"", "`", "'"].iter().any(|quote| message.contains(quote));
    if quotes { "a value of the wrong type, or a missing quote".into() } else { message.replace('\n', " ") }
}

fn of_toml(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => n.into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(of_toml).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, of_toml(value))).collect(),
    }
}

fn gather(
    found: impl Iterator<Item = (usize, Result<serde_json::Value, String>)>,
    ca_file: Option<&str>,
) -> Rows {
    let (mut rows, mut unknown) = (Vec::new(), BTreeSet::new());
    for (line, value) in found {
        let wrong = |reason: &str| RowProblem { line, field: "row".into(), reason: reason.to_owned() };
        let draft = match value {
            Ok(value @ serde_json::Value::Object(_)) => draft(&value, ca_file, line, &mut unknown),
            Ok(_) => Err(wrong("is no object with name, host and user")),
            Err(reason) => Err(wrong(&reason)),
        };
        rows.push(Row { line, draft, remark: None });
    }
    let remarks =
        unknown.iter().map(|key| format!("key {} is not known and is left out", shown(key))).collect();
    Rows { rows, remarks }
}

fn draft(
    value: &serde_json::Value,
    ca_file: Option<&str>,
    line: usize,
    unknown: &mut BTreeSet<String>,
) -> Result<Draft, RowProblem> {
    let mut draft = Draft::default();
    walk("", value, &mut draft, unknown).map_err(|mistake| draft.problem(line, mistake))?;
    if let Some(file) = ca_file.filter(|_| draft.get(Field::CaFile).is_none()) {
        draft.set(Field::CaFile, Value::Text(file.to_owned()));
    }
    Ok(draft)
}

fn walk(
    path: &str,
    value: &serde_json::Value,
    draft: &mut Draft,
    unknown: &mut BTreeSet<String>,
) -> Result<(), RecordError> {
    use serde_json::Value as Json;
    let known = column(path);
    if let Some(column) = known {
        draft.spell(column, path);
    }
    match (value, known) {
        (Json::Null, _) => Ok(()),
        (Json::Object(map), Some(column)) if column.kind == Kind::Labels => draft.add(column, labels(map)?),
        (Json::Object(map), _) => map.iter().try_for_each(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            walk(&path, value, draft, unknown)
        }),
        (_, None) => {
            // A handful is enough to see the error; a hostile file may have any number of them.
            if unknown.len() < 20 {
                unknown.insert(path.to_owned());
            }
            Ok(())
        }
        (Json::Array(items), Some(column)) if column.kind == Kind::List => {
            let items = items.iter().map(|item| scalar(column, item)).collect::<Result<_, _>>()?;
            draft.add(column, Value::List(items))
        }
        (value, Some(column)) => {
            let text = scalar(column, value)?;
            set_text(column, &text)?.map_or(Ok(()), |value| draft.add(column, value))
        }
    }
}

fn labels(map: &serde_json::Map<String, serde_json::Value>) -> Result<Value, RecordError> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(n) => Some(n.to_string()),
        serde_json::Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    };
    let pairs = map.iter().map(|(key, value)| Some((key.clone(), text(value)?)));
    let labels: Option<BTreeMap<String, String>> = pairs.collect();
    labels.map(Value::Labels).ok_or_else(|| Field::Labels.wrong("a label's value must be a text"))
}

fn scalar(column: &Column, value: &serde_json::Value) -> Result<String, RecordError> {
    match value {
        serde_json::Value::String(text) => Ok(text.clone()),
        serde_json::Value::Number(n) => Ok(n.to_string()),
        serde_json::Value::Bool(yes) => Ok((if *yes { "yes" } else { "no" }).into()),
        _ => Err(RecordError { field: column.name, problem: "must be a text or a number".into() }),
    }
}

/// An instance as an object, its keys in the table's order.
struct Object<'a>(&'a Draft, Secrets);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (column, value) in self.0.cells(self.1) {
            match value {
                Value::Number(n) => map.serialize_entry(column.name, n)?,
                Value::Flag(yes) => map.serialize_entry(column.name, yes)?,
                Value::List(items) => map.serialize_entry(column.name, items)?,
                Value::Labels(labels) => map.serialize_entry(column.name, labels)?,
                Value::Secret(SecretRef::Stored(secret)) => {
                    map.serialize_entry(column.name, secret.reveal())?;
                }
                Value::Secret(SecretRef::Ask) => map.serialize_entry(column.name, &true)?,
                other => map.serialize_entry(column.name, &other.text())?,
            }
        }
        map.end()
    }
}

/// Writes an array of objects.
pub fn write_json(records: &[InstanceRecord], secrets: Secrets) -> Result<Vec<u8>, String> {
    let drafts: Vec<Draft> = records.iter().map(Draft::of).collect();
    let objects: Vec<Object<'_>> = drafts.iter().map(|draft| Object(draft, secrets)).collect();
    let mut out = serde_json::to_vec_pretty(&objects).map_err(|error| format!("writing JSON: {error}"))?;
    out.push(b'\n');
    Ok(out)
}

/// Writes `[[instance]]` tables.
pub fn write_toml(records: &[InstanceRecord], secrets: Secrets) -> Result<Vec<u8>, String> {
    #[derive(Serialize)]
    struct Root<'a> {
        instance: Vec<Object<'a>>,
    }
    let drafts: Vec<Draft> = records.iter().map(Draft::of).collect();
    let root = Root { instance: drafts.iter().map(|draft| Object(draft, secrets)).collect() };
    toml::to_string(&root).map(String::into_bytes).map_err(|error| format!("writing TOML: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Defaults;

    fn records(rows: &Rows) -> Vec<Result<InstanceRecord, RowProblem>> {
        rows.records(&Defaults::default())
    }

    #[test]
    fn the_inventory_of_the_simulator() {
        let text = "ca_file = \"ca.pem\"\n\n[[instance]]\nname = \"a\"\nhost = \"127.1.0.1\"\nuser = \"u\"\n\
                    password = \"p\"\ntls = \"strict\"\ngroups = [\"prod\"]\nlabels = { env = \"prod\" }\n\n\
                    [[instance]]\nname = \"b\"\nhost = \"h\"\nuser = \"u\"\npassword = { env = \"PW\" }\n";
        let rows = read_toml(text).unwrap();
        assert_eq!(rows.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 12]);
        let found = records(&rows);
        let (a, b) = (found[0].as_ref().unwrap(), found[1].as_ref().unwrap());
        assert_eq!(a.secrets().next().unwrap().reveal(), "p");
        assert_eq!(a.tls.ca_file.as_deref(), Some(std::path::Path::new("ca.pem")));
        assert!(*b.auth.secret().unwrap() == SecretRef::Env("PW".into()));
        assert!(rows.remarks.is_empty(), "{:?}", rows.remarks);
    }

    #[test]
    fn our_own_records_nested_and_flat() {
        let nested = r#"{"instances": [
            {"name": "a", "host": "h", "auth": {"kind": "sql", "user": "u", "secret": {"command": "pass x"}},
             "tls": {"check": "strict", "ca_file": null}, "poll": {"every_s": 60}, "labels": {"tier": 1}},
            {"name": "b", "host": "h", "auth": {"kind": "sql", "user": "u", "secret": "ask"}, "colour": "red"},
            7]}"#;
        let rows = read_json(nested).unwrap();
        let found = records(&rows);
        let a = found[0].as_ref().unwrap();
        assert!(*a.auth.secret().unwrap() == SecretRef::Command("pass x".into()));
        assert_eq!((a.poll.every_s, a.labels["tier"].as_str()), (Some(60), "1"));
        assert!(*found[1].as_ref().unwrap().auth.secret().unwrap() == SecretRef::Ask);
        assert_eq!(found[2].as_ref().err().unwrap().line, 5);
        assert!(rows.remarks.len() == 1 && rows.remarks[0].contains("colour"), "{:?}", rows.remarks);
    }

    #[test]
    fn parsers_do_not_quote_passwords() {
        for bad in [
            "[{\"host\": \"h\", \"password\": \"hunter2}]",
            "{\"instance\": \"hunter2\"}",
            "[{\"host\": \"h\", \"user\": \"u\", \"password\": [\"hunter2\"]}]",
        ] {
            let text = match read_json(bad) {
                Err(problem) => problem.to_string(),
                Ok(rows) => records(&rows).remove(0).err().unwrap().to_string(),
            };
            assert!(!text.contains("hunter2"), "{text}");
        }
        for bad in [
            "instance = \"hunter2\"",
            "[[instance]]\npassword = \"hunter2",
            "[[instance]]\npassword = hunter2",
        ] {
            let text = read_toml(bad).err().unwrap().to_string();
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn deep_files_are_refused_not_followed() {
        assert!(read_json(&"[".repeat(200_000)).is_err());
        let deep = format!("[{}{}]", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert!(read_json(&deep).is_err() || records(&read_json(&deep).unwrap())[0].is_err());
        assert!(read_toml(&format!("instance = {}", "[".repeat(200_000))).is_err());
    }

    #[test]
    fn a_file_that_is_no_list_of_instances_is_told_in_our_words() {
        let why = |text: &str| read_json(text).map(|_| ()).unwrap_err().reason;
        assert_eq!(why("  "), "the file is empty");
        assert!(
            why("[{").contains("cut short") && why("[{\"a\": \"x").contains("cut short"),
            "{}",
            why("[{")
        );
        assert!(why(&"[".repeat(100_000)).contains("cut short"));
        for text in ["null", "{\"a\": 1}", "5", "{\"instances\": 5}"] {
            assert!(why(text).contains("no list of instances"), "{text}: {}", why(text));
        }
        let deep = format!("[{}1{}]", "{\"a\":".repeat(5_000), "}".repeat(5_000));
        let rows = read_json(&deep).unwrap().rows;
        assert!(rows[0].draft.as_ref().is_err_and(|problem| problem.reason.contains("too deep")));
    }
}
