//! Names of the tables and indexes that sessions are blocked on: asked of the database itself, once per object, a few
//! per poll. `run` fetches, the blocking decoder looks up.

use super::{
    batch::{self, Sets},
    script::{Needs, Script, script},
};
use crate::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::{
            reading::Unavailable,
            resource::{self, DatabaseNames, ResourceTarget},
            rights::Rights,
        },
    },
    sql::ident,
    tds::{Ask, Param, Question, ResultSet, Row},
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Name of a heap or B-tree, with `[$db$]` replaced.
pub(super) const RESOLVE_HOBT: Script = script!("resolve_hobt", Definition, one row);
/// Name of a table, with `[$db$]` replaced.
pub(super) const RESOLVE_OBJECT: Script = script!("resolve_object", Definition, one row);
/// Like `unknown_without` of a probe.
pub(super) const UNKNOWN_WITHOUT: (Needs, &str) = (Needs::Definition, "names behind locks");

/// Questions per poll: names are nice to have.
const PER_POLL: usize = 2;
/// More than the lock time-out of the session.
const WITHIN: Duration = Duration::from_secs(3);
/// Names kept; beyond it all are forgotten and asked for anew.
const MAX_NAMES: usize = 500;
/// The text that stands for the database in the scripts.
const PLACEHOLDER: &str = "[$db$]";

/// The right to enter every database.
const CONNECT: &str = "CONNECT ANY DATABASE";
/// The right to see what databases there are.
const DATABASES: &str = "VIEW ANY DATABASE";

/// Names by what a lock's resource tells, or why they cannot be had.
#[derive(Debug, Default)]
pub struct ObjectNames(HashMap<(i64, i64), Result<Arc<str>, Unavailable>>);

impl ObjectNames {
    /// The name of the object behind a raw resource, such as `dbo.orders.pk_orders`, or why it cannot be had. None: it was not
    /// asked for yet.
    pub fn name(&self, raw_resource: &str) -> Option<Result<Arc<str>, Unavailable>> {
        let (_, key) = question(raw_resource)?;
        self.0.get(&key).cloned()
    }

    /// Forgets what could not be had: rights may have changed.
    pub(super) fn forget_failures(&mut self) {
        self.0.retain(|_, name| name.is_ok());
    }
}

/// One question: a script, and database and object or heap. Ids of both kinds do not collide: a heap or B-tree has
/// one above 2^32.
fn question(raw_resource: &str) -> Option<(Script, (i64, i64))> {
    match resource::decode(raw_resource, DatabaseNames(&[]))?.target? {
        ResourceTarget::Hobt { database_id, hobt_id } => Some((RESOLVE_HOBT, (database_id, hobt_id))),
        ResourceTarget::Object { database_id, object_id } => Some((RESOLVE_OBJECT, (database_id, object_id))),
        ResourceTarget::Page { .. } => None,
    }
}

/// Asks for names that are not known yet. Returns the failure that broke the connection, if one did.
pub(super) async fn fetch<C: Ask>(
    conn: &mut C,
    sets: &Sets,
    databases: &HashMap<i32, Arc<str>>,
    rights: Option<&Rights>,
    names: &mut ObjectNames,
) -> Option<Failure> {
    let mut asked = 0;
    for row in sets.get("blocking").into_iter().flat_map(ResultSet::rows) {
        let Some((script, key)) = row.raw_text("resource_description").and_then(question) else { continue };
        let database = i32::try_from(key.0).ok().and_then(|id| databases.get(&id));
        if names.0.contains_key(&key) {
            continue;
        }
        let Some(database) = database else {
            if !databases.is_empty() {
                names.0.insert(key, Err(Unavailable::NoRight(DATABASES.into())));
            }
            continue;
        };
        if asked == PER_POLL {
            return None;
        }
        asked += 1;
        let sql = batch::statement(script.text).replace(PLACEHOLDER, &ident::quote_name(database));
        let what = "the name of a locked object";
        let answer =
            conn.ask(Question { what, sql: &sql, params: &[Param::Int(key.1)], within: WITHIN }).await;
        let name =
            Sets::of(answer.sets, &[script]).get(script.name).and_then(ResultSet::first).and_then(full_name);
        let name = name.ok_or_else(|| why_not(answer.error.as_ref(), rights));
        if names.0.len() >= MAX_NAMES {
            names.0.clear();
        }
        names.0.insert(key, name);
        if !conn.is_open() {
            return answer.error;
        }
    }
    None
}

/// Why a database did not say the name of an object in it. Objects that a login may not see are not there for it.
fn why_not(error: Option<&Failure>, rights: Option<&Rights>) -> Unavailable {
    let right = Needs::Definition.right(None);
    match error {
        Some(error) if error.kind == FailureKind::Permission => Unavailable::NoRight(CONNECT.into()),
        Some(error) => Unavailable::Failed(error.clone()),
        None if rights.and_then(|r| r.held(right)) == Some(true) => {
            Unavailable::Missing("such object".into())
        }
        None => Unavailable::NoRight(right.into()),
    }
}

fn full_name(row: Row<'_>) -> Option<Arc<str>> {
    let (schema, object) = (row.name("schema_name")?, row.name("object_name")?);
    Some(match row.name("index_name") {
        Some(index) => format!("{schema}.{object}.{index}").into(),
        None => format!("{schema}.{object}").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::rights::Right;

    #[test]
    fn a_name_that_is_not_told_has_its_reason() {
        let rights = |held| {
            let right = Right { name: "VIEW ANY DEFINITION".into(), held, gives: "".into() };
            Rights { rights: vec![right], present: vec![] }
        };
        let denied = Unavailable::NoRight("VIEW ANY DEFINITION".into());
        assert_eq!(why_not(None, Some(&rights(Some(false)))), denied);
        assert_eq!(why_not(None, Some(&rights(None))), denied, "it may be held in that database alone");
        assert_eq!(why_not(None, None), denied);
        let gone = why_not(None, Some(&rights(Some(true))));
        assert!(matches!(gone, Unavailable::Missing(_)), "{gone}");
        let error = Failure::new(FailureKind::Permission, "not able to access the database");
        assert_eq!(why_not(Some(&error), None), Unavailable::NoRight(CONNECT.into()));
        let locked = Failure::new(FailureKind::LockTimeout, "time out");
        assert_eq!(why_not(Some(&locked), None), Unavailable::Failed(locked));
    }

    #[test]
    fn resources_tell_what_to_ask_for() {
        let ask = |raw| question(raw).map(|(script, key)| (script.name, key));
        let key =
            "keylock hobtid=72057594043105280 dbid=7 id=lock1f mode=X associatedObjectId=72057594043105280";
        assert_eq!(ask(key), Some(("resolve_hobt", (7, 72_057_594_043_105_280))));
        let object = "objectlock lockPartition=0 objid=245575913 subresource=FULL dbid=7 id=lock1 mode=X";
        assert_eq!(ask(object), Some(("resolve_object", (7, 245_575_913))));
        assert_eq!(ask("exchangeEvent id=port1 nodeId=2"), None);
    }
}
