//! The simulator really sends hostile data, so tests against it test something.

use super::asking::{ask, by_name, connect, fleet, int, row, rows, script, text};
use tiberius::ColumnData;

fn always(kind: &str) -> String {
    format!("[[event]]\non = '*'\nkind = '{kind}'\nfrom_s = -90")
}

#[tokio::test]
async fn names_carry_escape_sequences_and_control_characters() {
    let sim = fleet(1, &[2022], &always("hostile_names")).await;
    let mut client = connect(&sim, 0).await;
    let names: String = rows(&mut client, "databases").await.iter().map(|r| text(&r["name"])).collect();
    assert!(names.contains("\u{1b}["), "{names:?}");
    assert!(text(&row(&mut client, "properties").await["server_name"]).chars().any(char::is_control));
}

#[tokio::test]
async fn one_text_is_giant_and_broken() {
    let sim = fleet(1, &[2022], &always("hostile_texts")).await;
    let mut client = connect(&sim, 0).await;
    let running = rows(&mut client, "activity").await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tsql/probe/texts.sql");
    let sql = std::fs::read_to_string(path).unwrap();
    let none: Option<Vec<u8>> = None;
    let mut longest = 0;
    for request in running {
        let ColumnData::Binary(Some(handle)) = &request["sql_handle"] else { panic!("{request:?}") };
        let handle = Some(handle.to_vec());
        let params: [&dyn tiberius::ToSql; 8] = [&handle, &none, &none, &none, &none, &none, &none, &none];
        let answer = client.query(&*sql, &params).await.unwrap().into_first_result().await.unwrap();
        for found in answer.into_iter().map(by_name) {
            longest = longest.max(int(&found["full_chars"]).unwrap());
            if longest > 1_000_000 {
                let shown = text(&found["batch_text"]);
                assert!(shown.starts_with('\u{fffd}') && shown.contains("\u{1b}]52;"));
                assert!(shown.chars().count() <= 262_144);
                return;
            }
        }
    }
    panic!("the longest text has {longest} characters");
}

#[tokio::test]
async fn everything_is_null_or_negative_where_the_scenario_says_so() {
    let sim = fleet(1, &[2022], &always("hostile_nulls")).await;
    let mut client = connect(&sim, 0).await;
    for name in ["properties", "headline", "waits", "activity", "counters"] {
        for row in rows(&mut client, name).await {
            let tag = format!("dbtop_{name}");
            let others = row.iter().filter(|(column, _)| **column != tag);
            assert!(others.map(|(_, v)| format!("{v:?}")).all(|v| v.contains("None")), "{name}: {row:?}");
        }
    }
    let sim = fleet(1, &[2022], &always("hostile_negative")).await;
    let waits = rows(&mut connect(&sim, 0).await, "waits").await;
    assert!(waits.iter().any(|r| int(&r["wait_time_ms"]).unwrap() < 0));
}

#[tokio::test]
async fn blocking_goes_in_a_circle_and_to_sessions_that_do_not_exist() {
    let sim = fleet(1, &[2022], &always("hostile_cycle")).await;
    let tasks = rows(&mut connect(&sim, 0).await, "blocking").await;
    let edges: Vec<(i64, i64)> = tasks
        .iter()
        .map(|r| (int(&r["session_id"]).unwrap(), int(&r["blocking_session_id"]).unwrap()))
        .collect();
    let next = |id: i64| edges.iter().find(|(from, _)| *from == id).map(|(_, to)| *to);
    let ring = edges.iter().any(|(id, _)| next(*id).and_then(next).and_then(next) == Some(*id));
    assert!(ring, "{edges:?}");
    assert!(edges.iter().any(|(_, to)| *to == -2), "{edges:?}");
}

#[tokio::test]
async fn the_clock_goes_back() {
    let sim = fleet(1, &[2022], &always("hostile_clock")).await;
    let mut client = connect(&sim, 0).await;
    let ColumnData::DateTimeOffset(Some(told)) = row(&mut client, "headline").await["server_time"] else {
        panic!()
    };
    let calm = fleet(1, &[2022], "").await;
    let ColumnData::DateTimeOffset(Some(right)) =
        row(&mut connect(&calm, 0).await, "headline").await["server_time"]
    else {
        panic!()
    };
    let seconds = |t: tiberius::time::DateTimeOffset| {
        let date = t.datetime2().date().days();
        i64::from(date) * 86_400 + (t.datetime2().time().increments() / 10_000_000) as i64
    };
    let behind = seconds(right) - seconds(told);
    assert!((85..100).contains(&behind), "{behind}");
}

#[tokio::test]
async fn results_are_cut_or_never_end() {
    let sim = fleet(1, &[2022], &always("hostile_cut")).await;
    let mut client = connect(&sim, 0).await;
    let cut = match client.simple_query(script("waits")).await {
        Ok(stream) => stream.into_first_result().await.is_err(),
        Err(_) => true,
    };
    assert!(cut);
    let sim = fleet(1, &[2022], &always("hostile_endless")).await;
    let mut client = connect(&sim, 0).await;
    let mut stream = client.simple_query(script("waits")).await.unwrap();
    for _ in 0..5_000 {
        assert!(futures_util::TryStreamExt::try_next(&mut stream).await.unwrap().is_some());
    }
    drop(stream);
    assert!(ask(&mut connect(&sim, 0).await, &script("memory")).await.is_ok());
}
