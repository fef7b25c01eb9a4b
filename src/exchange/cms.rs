//! A Central Management Server: from the rows of msdb's registered servers, as the script returns them, to instances. The
//! caller asks the server.

use super::{
    Draft, Row, Rows,
    field::{Field, Value, shown},
};
use crate::model::inventory::record::GroupRecord;
use std::collections::BTreeMap;

/// The script that returns the rows.
pub const SCRIPT: &str = include_str!("../../tsql/cms.sql");

/// SSMS's number of a database engine.
const DATABASE_ENGINE: i64 = 0;
/// The deepest folder that is followed: a server may send a circle.
const MAX_DEPTH: usize = 32;

/// A row of `sysmanagement_shared_server_groups_internal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmsGroup {
    /// `server_group_id`
    pub id: i64,
    /// `parent_id`; None at the top
    pub parent: Option<i64>,
    /// its name
    pub name: String,
}

/// A row of `sysmanagement_shared_registered_servers_internal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmsServer {
    /// `server_group_id`
    pub group: i64,
    /// its display name
    pub name: String,
    /// `host`, `host,port` or `host\instance`
    pub server_name: String,
    /// for people
    pub description: String,
    /// 0: database engine
    pub server_type: i64,
}

/// Makes instances of the servers, with their folder and every folder above it as groups. A Central Management Server has
/// no logins: they come from the defaults. A server in several folders becomes one instance.
pub fn rows(groups: &[CmsGroup], servers: &[CmsServer]) -> Rows {
    let by_id: BTreeMap<i64, &CmsGroup> = groups.iter().map(|group| (group.id, group)).collect();
    let mut all = Rows::default();
    for (at, server) in servers.iter().enumerate() {
        if server.server_type != DATABASE_ENGINE {
            all.remarks.push(format!("{} is no database engine and is left out", shown(&server.name)));
            continue;
        }
        let mut draft = Draft::default();
        let is_named = !server.name.trim().is_empty();
        let name = if is_named { &server.name } else { &server.server_name };
        for (field, column) in [
            (Field::Name, if is_named { "name" } else { "server_name" }),
            (Field::Host, "server_name"),
            (Field::Notes, "description"),
            (Field::Groups, "server_group_id"),
        ] {
            draft.spell_field(field, column);
        }
        draft.set(Field::Name, Value::Text(name.trim().to_owned()));
        draft.set(Field::Host, Value::Text(server.server_name.trim().to_owned()));
        if !server.description.trim().is_empty() {
            draft.set(Field::Notes, Value::Text(server.description.trim().to_owned()));
        }
        let remark = set_folder(&mut draft, &folder(server.group, &by_id));
        all.rows.push(Row { line: at + 1, draft: Ok(draft), remark });
    }
    merge_folders(&mut all.rows);
    all
}

/// Names of the folders from the top to the one of a server, without the top itself, which holds every server.
fn folder(id: i64, by_id: &BTreeMap<i64, &CmsGroup>) -> Vec<String> {
    let mut path = Vec::new();
    let mut next = by_id.get(&id);
    while let Some(group) = next {
        if path.len() >= MAX_DEPTH {
            return Vec::new();
        }
        let Some(parent) = group.parent else { break };
        path.push(group.name.trim().to_owned());
        next = by_id.get(&parent);
    }
    path.reverse();
    path
}

/// One group for each level: `EU`, `EU/Sales`, so that the group of a folder holds everything below it. Returns a remark if a folder is
/// called as no group may be.
pub(super) fn set_folder(draft: &mut Draft, folders: &[String]) -> Option<String> {
    let mut groups = Vec::new();
    let path: Vec<String> = folders.iter().map(|folder| GroupRecord::free_name(folder)).collect();
    for depth in 1..=path.len() {
        groups.push(path[..depth].join("/"));
    }
    groups.retain(|group| !group.is_empty());
    if !groups.is_empty() {
        draft.set(Field::Groups, Value::List(groups));
    }
    (path != folders).then(|| {
        let [from, to] = [folders, &path].map(|names| shown(&names.join("/")));
        format!("its folder {from} is the group {to}: scopes and filters could not name it otherwise")
    })
}

/// Adds to a row's remark.
pub(super) fn add_remark(to: &mut Option<String>, more: &str) {
    match to {
        Some(there) if there.contains(more) => {}
        Some(there) => {
            there.push_str("; ");
            there.push_str(more);
        }
        None => *to = Some(more.to_owned()),
    }
}

/// What makes two rows of one name the same instance: their address, their database and their login.
const IDENTITY: [Field; 4] = [Field::Host, Field::User, Field::Database, Field::Auth];

/// The same server in several folders becomes one row with all their groups. One with another login or database there is
/// another instance: it gets a name of its own, and the plan asks about the login.
pub(super) fn merge_folders(rows: &mut Vec<Row>) {
    let mut first: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for mut row in rows.drain(..) {
        let key = row.draft.as_ref().ok().and_then(key);
        if let Some(at) = key.as_ref().and_then(|key| first.get(key))
            && let (Some(Row { draft: Ok(there), remark, .. }), Ok(more)) = (merged.get_mut(*at), &row.draft)
        {
            add_groups(there, more);
            if let Some(more) = &row.remark {
                add_remark(remark, more);
            }
            continue;
        }
        if let (Some(key), Ok(draft)) = (key, &mut row.draft) {
            let same_name = named.get(&key[0]).and_then(|at| merged.get(*at)?.draft.as_ref().ok());
            if let Some(name) = same_name.and_then(|there| other_name(draft, there)) {
                add_remark(&mut row.remark, TWICE);
                draft.set(Field::Name, Value::Text(name));
            } else {
                named.entry(key[0].clone()).or_insert(merged.len());
            }
            first.insert(key, merged.len());
        }
        merged.push(row);
    }
    *rows = merged;
}

/// Why a name is another than in the file.
const TWICE: &str = "its name stands in another folder with another login or database, so it says which";

/// The name first, then what else makes it this instance.
fn key(draft: &Draft) -> Option<Vec<String>> {
    let text = |field: Field| draft.text(field).unwrap_or_default().to_lowercase();
    draft.text(Field::Host)?;
    let name = draft.text(Field::Name)?.to_lowercase();
    Some(std::iter::once(name).chain(IDENTITY.map(text)).collect())
}

/// A name that says in what it differs from another row of this name on the same server: `sales (audit)`. None: it is another server.
fn other_name(draft: &Draft, there: &Draft) -> Option<String> {
    let differs = |field: &&Field| {
        let [a, b] = [draft, there].map(|draft| draft.text(**field).unwrap_or_default());
        !a.eq_ignore_ascii_case(b)
    };
    let field = IDENTITY.iter().find(differs).filter(|field| **field != Field::Host)?;
    let word = draft.text(*field).unwrap_or("none");
    Some(format!("{} ({word})", draft.text(Field::Name)?))
}

fn add_groups(there: &mut Draft, more: &Draft) {
    let list = |draft: &Draft| match draft.get(Field::Groups) {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let mut groups = list(there);
    groups.extend(list(more).into_iter().filter(|group| !list(there).contains(group)));
    if !groups.is_empty() {
        there.set(Field::Groups, Value::List(groups));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::Defaults,
        model::inventory::record::{Auth, SecretRef},
    };

    fn group(id: i64, parent: Option<i64>, name: &str) -> CmsGroup {
        CmsGroup { id, parent, name: name.into() }
    }

    fn server(group: i64, name: &str, server_name: &str) -> CmsServer {
        CmsServer {
            group,
            name: name.into(),
            server_name: server_name.into(),
            description: String::new(),
            server_type: DATABASE_ENGINE,
        }
    }

    #[test]
    fn the_deepest_folder_is_followed_and_one_below_it_is_none() {
        let groups_of = |depth: i64| {
            let mut groups = vec![group(0, None, "DatabaseEngineServerGroup")];
            groups.extend((1..=depth).map(|n| group(n, Some(n - 1), &format!("f{n}"))));
            let rows = rows(&groups, &[server(depth, "a", "a")]);
            let auth = Auth::Sql { user: "u".into(), secret: SecretRef::Ask };
            rows.records(&Defaults { auth: Some(auth) }).remove(0).unwrap().groups.len()
        };
        assert_eq!([groups_of(1), groups_of(31), groups_of(32)], [1, 31, 0]);
    }

    #[test]
    fn a_folder_that_no_group_may_be_called_as_is_written_otherwise_and_said() {
        let groups = [
            group(1, None, "DatabaseEngineServerGroup"),
            group(6, Some(1), "EU, West"),
            group(7, Some(6), "@night"),
            group(8, Some(1), "day"),
        ];
        let rows = rows(&groups, &[server(8, "a", "db1"), server(7, "a", "db1"), server(8, "b", "db2")]);
        let Ok(draft) = &rows.rows[0].draft else { panic!("no draft") };
        let named = ["day", "EU- West", "EU- West/-night"].map(str::to_owned).to_vec();
        assert!(draft.get(Field::Groups) == Some(&Value::List(named)));
        let remarks: Vec<Option<&str>> = rows.rows.iter().map(|row| row.remark.as_deref()).collect();
        assert!(
            remarks[0].is_some_and(|r| r.contains("EU, West/@night") && r.contains("EU- West/-night")),
            "{remarks:?}"
        );
        assert_eq!(remarks[1..], [None]);
    }

    #[test]
    fn folders_become_groups_and_logins_come_from_outside() {
        let groups = [
            group(1, None, "DatabaseEngineServerGroup"),
            group(6, Some(1), "EU"),
            group(7, Some(6), "Sales"),
            group(8, Some(9), "round"),
            group(9, Some(8), "and round"),
        ];
        let servers = [
            server(7, "sales-1", r"db1\A,1444"),
            server(1, "", "db2"),
            server(6, "sales-1", r"db1\A,1444"),
            server(8, "odd", "db3"),
            CmsServer { server_type: 1, ..server(1, "cube", "db4") },
        ];
        let rows = rows(&groups, &servers);
        let auth = Auth::Sql { user: "u".into(), secret: SecretRef::Ask };
        let found: Vec<_> =
            rows.records(&Defaults { auth: Some(auth) }).into_iter().map(Result::unwrap).collect();
        assert_eq!(found.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["sales-1", "db2", "odd"]);
        assert_eq!(found[0].groups, ["EU", "EU/Sales"]);
        assert_eq!((found[0].host.as_str(), found[0].port), ("db1", Some(1444)));
        assert!(found[1].groups.is_empty());
        assert!(rows.remarks[0].contains("cube"));
        assert!(rows.records(&Defaults::default())[0].as_ref().is_err_and(|problem| problem.field == "user"));
    }

    #[test]
    fn what_is_refused_is_called_as_the_server_calls_it_and_shows_no_password() {
        let groups = [group(1, None, "DatabaseEngineServerGroup")];
        let servers = [
            server(1, "a", "db1,99999"),
            server(1, "", "sa:hunter2@db1"),
            CmsServer { server_type: 1, ..server(1, "sa:hunter2@cube", "db4") },
        ];
        let rows = rows(&groups, &servers);
        let plan = crate::exchange::plan(&[], &rows, &Defaults::default());
        let told: Vec<String> =
            plan.entries.iter().filter_map(|entry| Some(entry.problem()?.to_string())).collect();
        assert!(told[0].starts_with("line 1: server_name: has a port"), "{told:?}");
        assert!(told[1].starts_with("line 2: server_name: has a login"), "{told:?}");
        let all = format!("{told:?} {:?} {:?}", rows.remarks, plan.entries[1].name);
        assert!(!all.contains("hunter2"), "{all}");
    }
}
