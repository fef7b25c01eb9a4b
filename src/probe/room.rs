//! What is free inside of database files: only each database tells, so one is asked after another, when somebody wants to know.
//! Part of the questions on demand; the probe of the same (`catalog::room`) is seldom, and tells of data files alone. One that cannot be asked is in the answer with its reason, and hides no other.

use super::{
    batch::{self, Sets},
    context::ProbeContext,
    each::{PLACEHOLDER, WITHIN, place, why_not},
    script::{Script, script},
    single::ask,
};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            figure,
        },
        poll::{
            demand::{DatabaseRoom, FileRoom},
            reading::Unavailable,
        },
    },
    sql::ident,
    tds::{Ask, Param, Question, Row},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) const DATABASES: Script = script!("room_databases", Nothing, by "database_id");
pub(super) const FILES: Script = script!("room_files", Performance, by "database_id" "file_id");

/// Until the list of the databases is there.
const LIST_WITHIN: Duration = Duration::from_secs(5);
/// Longest that all of them may take.
const BUDGET: Duration = Duration::from_mins(1);

/// Asks one database, or all that are online and not left out, the first ids first.
///
/// # Errors
/// The list of the databases did not come, or the one that was asked for is not there.
pub(super) async fn free_space<C: Ask>(
    conn: &mut C,
    database_id: Option<i32>,
    ctx: &ProbeContext,
) -> Result<Vec<DatabaseRoom>, Failure> {
    let sets = listed(conn, database_id, ctx).await?;
    let started = Instant::now();
    let mut found = Vec::new();
    for row in sets.all(DATABASES.name) {
        let Some((id, name)) = place(row, ctx) else { continue };
        let files = match name {
            Err(why) => Err(words(&why)),
            Ok(_) if !conn.is_open() => Err("not asked: the connection was lost".to_owned()),
            Ok(_) if started.elapsed() >= BUDGET => {
                Err(format!("not asked: the others took {}", figure::limit(BUDGET)))
            }
            Ok(name) => of_database(conn, id, &name, ctx).await,
        };
        let database = row.name("database_name").unwrap_or_else(|| format!("db {id}").into());
        found.push(DatabaseRoom { database, files: files.map_err(Into::into) });
    }
    if found.is_empty() {
        return Err(Failure::new(FailureKind::MissingObject, UNSEEN));
    }
    Ok(found)
}

/// Why a database that is asked for is not in the list.
const UNSEEN: &str = "the database is gone, is left out by the settings, or may not be seen by the login";

/// The list of the databases, or the one that is asked for.
async fn listed<C: Ask>(conn: &mut C, database_id: Option<i32>, ctx: &ProbeContext) -> Result<Sets, Failure> {
    let params = [database_id.map_or(Param::Null, |id| Param::Int(id.into()))];
    ask(conn, DATABASES, &params, LIST_WITHIN, ctx).await
}

/// The name of a database that can be asked, as the server spells it: for a quoted name, and nobody is shown it.
///
/// # Errors
/// It is not there, or is not online: in words.
pub(super) async fn online<C: Ask>(
    conn: &mut C,
    database_id: i32,
    ctx: &ProbeContext,
) -> Result<Arc<str>, Failure> {
    let sets = listed(conn, Some(database_id), ctx).await?;
    let found = sets.all(DATABASES.name).find_map(|row| place(row, ctx));
    let (_, name) = found.ok_or_else(|| Failure::new(FailureKind::MissingObject, UNSEEN))?;
    name.map_err(|why| Failure::new(FailureKind::MissingObject, words(&why)))
}

async fn of_database<C: Ask>(
    conn: &mut C,
    id: i32,
    name: &str,
    ctx: &ProbeContext,
) -> Result<Vec<FileRoom>, String> {
    let sql = batch::statement(FILES.text).replace(PLACEHOLDER, &ident::quote_name(name));
    let params = [Param::Int(id.into())];
    let question = Question { what: FILES.name, sql: &sql, params: &params, within: WITHIN };
    let answer = conn.ask(question).await;
    let sets = Sets::of(answer.sets, &[FILES]);
    match answer.error {
        Some(failure) if failure.kind == FailureKind::Timeout => {
            Err(format!("no answer within {}", figure::limit(WITHIN)))
        }
        Some(failure) => Err(words(&why_not(&failure, ctx))),
        None if sets.has(FILES.name) => Ok(files(&sets)),
        None => Err("the answer lacks its result set".to_owned()),
    }
}

/// Why a database told nothing, as a sentence.
pub(super) fn words(why: &Unavailable) -> String {
    match why {
        Unavailable::NoRight(right) => format!("the login lacks {right}"),
        Unavailable::NotHere(why) => why.to_string(),
        Unavailable::Failed(failure) => failure.text.to_string(),
        other => other.to_string(),
    }
}

/// The files of an answer. What is in use of a log is known where it is the only one.
fn files(sets: &Sets) -> Vec<FileRoom> {
    let is_log = |row: Row<'_>| row.line("type_desc", 60).as_deref() == Some("LOG");
    let logs = sets.all(FILES.name).filter(|row| is_log(*row)).count();
    let file = |row: Row<'_>| FileRoom {
        name: row.name("logical_name"),
        kind: row.line("type_desc", 60),
        size_kb: row.count("size_pages").and_then(|pages| pages.checked_mul(8)),
        used_kb: if is_log(row) {
            row.count("log_bytes").filter(|_| logs == 1).map(|bytes| bytes / 1024)
        } else {
            row.count("used_pages").and_then(|pages| pages.checked_mul(8))
        },
    };
    sets.all(FILES.name).map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::fixture::{set, text},
        tds::{Answer, Cell},
    };

    /// A server with four databases: one is fine, one is not online, one may not be entered, one never answers.
    struct Server {
        asked: Vec<String>,
        open: bool,
    }

    impl Ask for Server {
        async fn ask(&mut self, question: Question<'_>) -> Answer {
            assert!(self.open);
            self.asked.push(question.sql.to_owned());
            if question.what == "room_databases" {
                let row = |id, name: &str, state: &str| vec![Cell::Int(id), text(name), text(state)];
                let rows = vec![
                    row(5, "or]ders", "ONLINE"),
                    row(6, "old", "RESTORING"),
                    row(7, "closed", "ONLINE"),
                    row(8, "slow", "ONLINE"),
                    row(9, "next", "ONLINE"),
                ];
                let columns = ["database_id", "database_name", "state_desc"];
                return Answer { sets: vec![set("room_databases", &columns, rows)], error: None };
            }
            let failed = |kind, number| {
                let failure = Failure { number, ..Failure::new(kind, "no") };
                Answer { sets: Vec::new(), error: Some(failure) }
            };
            if question.sql.contains("[closed]") {
                return failed(FailureKind::Permission, Some(916));
            }
            if question.sql.contains("[slow]") {
                self.open = false;
                return failed(FailureKind::Timeout, None);
            }
            let columns = ["file_id", "logical_name", "type_desc", "size_pages", "used_pages", "log_bytes"];
            let row = |id, name: &str, kind: &str, used| {
                vec![Cell::Int(id), text(name), text(kind), Cell::Int(1_000), used, Cell::Int(2_048_000)]
            };
            let rows = vec![row(1, "data", "ROWS", Cell::Int(250)), row(2, "log", "LOG", Cell::Null)];
            Answer { sets: vec![set("room_files", &columns, rows)], error: None }
        }

        fn is_open(&self) -> bool {
            self.open
        }

        fn transport(&self) -> &'static str {
            ""
        }
    }

    #[tokio::test]
    async fn each_database_tells_its_files_or_why_not() {
        let mut server = Server { asked: Vec::new(), open: true };
        let ctx = ProbeContext::new(Timestamp::default);
        let found = free_space(&mut server, None, &ctx).await.unwrap();
        let [orders, old, closed, slow, next] = &found[..] else { panic!("{found:?}") };
        assert!(server.asked[1].contains("FROM [or]]ders].sys.database_files"), "{}", server.asked[1]);
        let files = orders.files.as_ref().unwrap();
        let told: Vec<_> = files.iter().map(|file| (file.size_kb, file.used_kb)).collect();
        assert_eq!(told, [(Some(8_000), Some(2_000)), (Some(8_000), Some(2_000))]);
        let why = |room: &DatabaseRoom| room.files.clone().unwrap_err();
        assert_eq!(&*why(old), "the database is RESTORING");
        assert!(why(closed).contains("CONNECT ANY DATABASE"), "{closed:?}");
        assert_eq!(&*why(slow), "no answer within 5 s");
        assert_eq!(&*why(next), "not asked: the connection was lost");
    }

    #[test]
    fn of_several_logs_nobody_knows_what_each_has_in_use() {
        let columns = ["file_id", "type_desc", "size_pages", "log_bytes"];
        let row = |id| vec![Cell::Int(id), text("LOG"), Cell::Int(-5), Cell::Int(8_192)];
        let sets = Sets::of(vec![set("room_files", &columns, vec![row(2), row(3)])], &[FILES]);
        let files = files(&sets);
        assert!(
            files.len() == 2 && files.iter().all(|f| f.used_kb.is_none() && f.size_kb.is_none()),
            "{files:?}"
        );
    }
}
