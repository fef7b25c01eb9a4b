//! A Central Management Server: from the rows of msdb's registered servers, as the script returns them, to instances. The
//! caller asks the server.

use super::{
    Draft, Row, Rows,
    field::{Field, Value},
};
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
            all.remarks.push(format!("{} is no database engine and is left out", server.name));
            continue;
        }
        let mut draft = Draft::default();
        let name = if server.name.trim().is_empty() { &server.server_name } else { &server.name };
        draft.set(Field::Name, Value::Text(name.trim().to_owned()));
        draft.set(Field::Host, Value::Text(server.server_name.trim().to_owned()));
        if !server.description.trim().is_empty() {
            draft.set(Field::Notes, Value::Text(server.description.trim().to_owned()));
        }
        set_folder(&mut draft, &folder(server.group, &by_id));
        all.rows.push(Row { line: at + 1, draft: Ok(draft), remark: None });
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

/// One group for each level: `EU`, `EU/Sales`, so that the group of a folder holds everything below it.
pub(super) fn set_folder(draft: &mut Draft, path: &[String]) {
    let mut groups = Vec::new();
    for depth in 1..=path.len() {
        groups.push(path[..depth].join("/"));
    }
    groups.retain(|group| !group.is_empty());
    if !groups.is_empty() {
        draft.set(Field::Groups, Value::List(groups));
    }
}

/// The same server in several folders becomes one row with all their groups.
pub(super) fn merge_folders(rows: &mut Vec<Row>) {
    let mut first: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        let key = row.draft.as_ref().ok().and_then(|draft| {
            Some((draft.text(Field::Name)?.to_lowercase(), draft.text(Field::Host)?.to_lowercase()))
        });
        let there = key.as_ref().and_then(|key| first.get(key)).and_then(|at| merged.get_mut(*at));
        if let (Some(Ok(there)), Ok(more)) = (there.map(|row| &mut row.draft), &row.draft) {
            add_groups(there, more);
            continue;
        }
        if let Some(key) = key {
            first.insert(key, merged.len());
        }
        merged.push(row);
    }
    *rows = merged;
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
}
