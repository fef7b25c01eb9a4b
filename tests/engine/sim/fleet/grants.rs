//! Logins with fewer rights than they need, and the permission doctor: what its scripts grant, run as sa on the simulator,
//! closes exactly the holes that it names.

use super::asking::{YEARS, fleet_with, target};
use dbtop::{
    model::{
        base::{failure::FailureKind, secret::Secret},
        inventory::doctor::{Cell, Diagnosis, Right},
    },
    probe::doctor::examine,
    sim::{
        Sim,
        world::rights::{Login, Rights},
    },
    sql::batch,
    tds::{Ask, Connection, Question, Roots, check},
};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(30);
/// A name and a password that need care.
const WATCHER: &str = "watch]er's";

fn logins(rights: Rights) -> Vec<Login> {
    let login = |user: &str, rights| Login { user: user.into(), password: format!("{user} pw"), rights };
    vec![login("sa", Rights::ADMIN), login(WATCHER, rights)]
}

/// A tested connection of a login, and what the doctor says of it.
async fn examined(sim: &Sim, user: &str) -> (Connection, Diagnosis) {
    let target = target(sim, 0, user);
    let secret = Ok(Secret::new(format!("{user} pw")));
    let (report, conn) = check(&target, secret, &Roots::public(), WITHIN, dbtop::app::clock::now).await;
    let mut conn = conn.unwrap_or_else(|| panic!("{:?}", report.lines()));
    let server = report.server.done().unwrap();
    let diagnosis = examine(&mut conn, &target.info.id, server).await.unwrap();
    (conn, diagnosis)
}

/// Runs a script as a person's tool would: batch by batch. The numbers of the errors.
async fn run(conn: &mut Connection, script: &str) -> Vec<Option<i32>> {
    let mut errors = Vec::new();
    for batch in batch::split(script) {
        let question = Question { what: "a script", sql: batch.text, params: &[], within: WITHIN };
        errors.extend(conn.ask(question).await.error.map(|e| e.number));
    }
    errors
}

async fn works(conn: &mut Connection, script: &str) -> Result<(), FailureKind> {
    let text = super::asking::script(script);
    let answer = conn.ask(Question { what: script, sql: &text, params: &[], within: WITHIN }).await;
    answer.error.map_or(Ok(()), |e| Err(e.kind))
}

fn missing(of: &Diagnosis) -> Vec<Right> {
    Right::ALL.into_iter().filter(|right| of.holes.iter().any(|hole| hole.closes.contains(right))).collect()
}

/// Sets of rights that administrators give, with holes of every kind.
fn restricted() -> Vec<Rights> {
    vec![
        Rights::NONE,
        Rights { performance: true, ..Rights::NONE },
        Rights { security: true, msdb: 0b001, msdb_user: true, ..Rights::NONE },
        Rights { definition: true, connect_any: true, ..Rights::NONE },
        Rights { admin: false, msdb: 0b101, ..Rights::ADMIN },
        Rights { admin: false, definition: false, ..Rights::ADMIN },
    ]
}

#[tokio::test]
async fn each_script_closes_its_hole_and_no_other() {
    for year in YEARS {
        for rights in restricted() {
            // Half of VIEW SERVER STATE cannot be held where it is whole.
            let whole = year >= 2022 || rights.performance == rights.security;
            if !whole {
                continue;
            }
            let both = rights.performance && rights.security;
            let rights = Rights { server_state: both, ..rights };
            let sim = fleet_with(year, logins(rights)).await;
            let (mut sa, all) = examined(&sim, "sa").await;
            assert_eq!(all.script(), None, "sa lacks nothing");
            let (_, mut before) = examined(&sim, WATCHER).await;
            assert_eq!(&*before.login, WATCHER);
            assert_eq!(missing(&before).contains(&Right::Performance), !rights.performance);
            while let Some(hole) = before.holes.first().cloned() {
                let wrong = run(&mut sa, &hole.script).await;
                assert_eq!(wrong, [], "{year} {rights:?}\n{}", hole.script);
                let (_, after) = examined(&sim, WATCHER).await;
                let mut expected = missing(&before);
                expected.retain(|right| !hole.closes.contains(right));
                assert_eq!(missing(&after), expected, "{year} {rights:?}\n{}", hole.script);
                before = after;
            }
            assert!(before.rows.iter().all(|row| !row.cells.contains(&Cell::Missing)));
        }
    }
}

#[tokio::test]
async fn what_the_doctor_says_is_what_the_server_does() {
    for year in [2019, 2022] {
        let sim = fleet_with(year, logins(Rights::NONE)).await;
        let (mut conn, before) = examined(&sim, WATCHER).await;
        let asked = [("waits", Right::Performance), ("connections", Right::Security), ("jobs", Right::Jobs)];
        for (script, right) in asked {
            assert!(missing(&before).contains(&right));
            assert_eq!(works(&mut conn, script).await, Err(FailureKind::Permission), "{script} on {year}");
        }
        let (mut sa, _) = examined(&sim, "sa").await;
        assert_eq!(run(&mut sa, &before.script().unwrap()).await, []);
        for (script, _) in asked {
            assert_eq!(works(&mut conn, script).await, Ok(()), "{script} on {year}");
        }
    }
}

#[tokio::test]
async fn the_simulator_grants_as_a_server_does() {
    let sim = fleet_with(2019, logins(Rights::NONE)).await;
    let (mut sa, _) = examined(&sim, "sa").await;
    let (mut watcher, _) = examined(&sim, WATCHER).await;
    let give = "GRANT VIEW SERVER STATE TO [watch]]er's]";
    assert_eq!(run(&mut watcher, give).await, [Some(4613)], "nobody gives rights to oneself");
    assert_eq!(run(&mut sa, &format!("USE msdb;\nGO\n{give}")).await, [Some(4621)], "only in master");
    assert_eq!(
        run(&mut sa, "USE master;\nGO\nGRANT VIEW SERVER PERFORMANCE STATE TO [watch]]er's]").await,
        [Some(102)]
    );
    assert_eq!(run(&mut sa, "GRANT VIEW SERVER STATE TO [nobody]").await, [Some(15_151)]);
    let select = "USE msdb;\nGO\nGRANT SELECT ON dbo.sysjobs TO [watch]]er's]";
    assert_eq!(run(&mut sa, select).await, [Some(15_151)], "there is no such user in msdb yet");
}
