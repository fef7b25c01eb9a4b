//! Statements that other clients send when they connect, and by hand.

use super::asking::{ask, connect, fleet, int, row, rows, text};
use std::time::{Duration, Instant};
use tiberius::ColumnData;

#[tokio::test]
async fn constants_functions_and_properties_are_evaluated() {
    let sim = fleet(1, &[2019], "").await;
    let mut client = connect(&sim, 0).await;
    let sql = "SELECT 1 AS one, @@SPID AS spid, N'it''s' AS quoted, CAST(SERVERPROPERTY('ProductMajorVersion') AS int) \
               AS major, DB_NAME() AS db, @@VERSION AS version, NULL AS nothing";
    let row = ask(&mut client, sql).await.unwrap().remove(0);
    assert_eq!(int(&row["one"]), Some(1));
    assert!(int(&row["spid"]).unwrap() > 50);
    assert_eq!(text(&row["quoted"]), "it's");
    assert_eq!(text(&row["db"]), "master");
    assert!(text(&row["version"]).starts_with("Microsoft SQL Server 2019"), "{row:?}");
}

#[tokio::test]
async fn parameters_come_back_and_use_lasts() {
    let sim = fleet(1, &[2022], "").await;
    let mut client = connect(&sim, 0).await;
    let rows = client.query("SELECT @P1 AS a, @P2 AS b", &[&7_i64, &"x"]).await.unwrap();
    let row = rows.into_first_result().await.unwrap().remove(0);
    assert_eq!((row.get::<i64, _>(0), row.get::<&str, _>(1)), (Some(7), Some("x")));
    assert!(ask(&mut client, "USE msdb").await.is_ok());
    let row = ask(&mut client, "SELECT DB_NAME() AS db").await.unwrap().remove(0);
    assert_eq!(text(&row["db"]), "msdb");
    assert_eq!(ask(&mut client, "USE nowhere").await, Err(911));
}

#[tokio::test]
async fn a_view_can_be_looked_at_as_a_whole() {
    let sim = fleet(1, &[2016], "").await;
    let mut client = connect(&sim, 0).await;
    let sessions = ask(&mut client, "SELECT * FROM sys.dm_exec_sessions").await.unwrap();
    let own = sessions.iter().find(|r| text(&r["program_name"]) == "dbtop").unwrap();
    assert!(own.len() > 40 && !own.contains_key("page_server_reads"), "the columns of 2016: {}", own.len());
    assert!(sessions.len() > 1);
    let waits = ask(&mut client, "SELECT wait_type, wait_time_ms FROM sys.dm_os_wait_stats").await.unwrap();
    assert!(waits.len() > 150);
}

#[tokio::test]
async fn errors_are_those_of_a_server() {
    let sim = fleet(1, &[2022], "").await;
    let mut client = connect(&sim, 0).await;
    for (sql, number) in [
        ("SELECT * FROM dbo.nothing", 208),
        ("SELECT w.nothing FROM sys.dm_os_wait_stats AS w", 207),
        ("frobnicate the server", 102),
        ("EXEC dbo.nothing", 2812),
        ("KILL 1", 6107),
        ("KILL 77777", 6106),
        ("DROP TABLE dbo.x", 50_000),
    ] {
        assert_eq!(ask(&mut client, sql).await.map(|_| ()), Err(number), "{sql}");
    }
}

#[tokio::test]
async fn texts_are_found_by_handle_and_statements_by_offset() {
    let sim = fleet(1, &[2022], "[[event]]\non = '*'\nkind = 'cpu_storm'\nfrom_s = -60").await;
    let mut client = connect(&sim, 0).await;
    let running = rows(&mut client, "activity").await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tsql/probe/texts.sql");
    let sql = std::fs::read_to_string(path).unwrap();
    let none: Option<Vec<u8>> = None;
    let mut found = 0;
    for request in running {
        let ColumnData::Binary(Some(handle)) = &request["sql_handle"] else { panic!("{request:?}") };
        let handle = Some(handle.to_vec());
        let params: [&dyn tiberius::ToSql; 8] = [&handle, &none, &none, &none, &none, &none, &none, &none];
        let rows = client.query(&*sql, &params).await.unwrap().into_first_result().await.unwrap();
        let whole: Vec<u16> = rows[0].get::<&str, _>("batch_text").unwrap().encode_utf16().collect();
        let start = int(&request["statement_start_offset"]).unwrap() as usize / 2;
        let end = match int(&request["statement_end_offset"]).unwrap() {
            -1 => whole.len(),
            end => end as usize / 2 + 1,
        };
        let statement = String::from_utf16(&whole[start..end]).unwrap();
        let verb = text(&request["command"]).split(' ').next().unwrap().to_owned();
        assert!(statement.to_uppercase().contains(&verb), "{verb}: {statement}");
        found += 1;
    }
    assert!(found >= 4, "{found}");
}

#[tokio::test]
async fn our_own_session_costs_and_can_be_killed() {
    let sim = fleet(4, &[2022], "").await;
    for index in 0..4 {
        let mut client = connect(&sim, index).await;
        if int(&row(&mut client, "rights").await["alter_any_connection"]) != Some(1) {
            continue;
        }
        let mut victim = connect(&sim, index).await;
        let own = row(&mut victim, "cost").await;
        for _ in 0..20 {
            rows(&mut victim, "waits").await;
        }
        let later = row(&mut victim, "cost").await;
        assert_eq!(int(&own["session_id"]), int(&later["session_id"]));
        assert!(int(&own["cpu_time"]) < int(&later["cpu_time"]));
        assert!(int(&own["logical_reads"]) < int(&later["logical_reads"]));
        let spid = int(&own["session_id"]).unwrap();
        ask(&mut client, &format!("KILL {spid}")).await.unwrap();
        assert!(victim.simple_query("select 1").await.is_err());
        return;
    }
    panic!("no login of this seed may kill: choose another seed");
}

#[tokio::test]
async fn waiting_takes_its_time() {
    let sim = fleet(1, &[2022], "").await;
    let mut client = connect(&sim, 0).await;
    let before = Instant::now();
    ask(&mut client, "WAITFOR DELAY '00:00:00.3'; SELECT 1 AS one").await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(290));
}
