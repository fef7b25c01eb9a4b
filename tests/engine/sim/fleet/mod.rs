//! The simulated fleet over real TDS with the real driver: every script on every version, what scenarios do to the
//! answers, logins without rights, statements of other clients.

mod asking;
mod described;
mod grants;
mod hostile;
mod rights;
mod scenarios;
mod statements;

use asking::{YEARS, ask, connect, fleet, int, script};
use dbtop::probe::catalog::scripts;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_script_is_answered_on_every_version_it_is_for() {
    let mut empty = Vec::new();
    for year in YEARS {
        let scenario = "[[event]]\non = '*'\nkind = 'blocking_storm'\nfrom_s = -300";
        let sim = fleet(1, &[year], scenario).await;
        let mut client = connect(&sim, 0).await;
        for name in scripts().map(|script| script.name.to_owned()).collect::<BTreeSet<String>>() {
            let sql = script(&name);
            let from: u16 = sql.split("min=").nth(1).unwrap()[..4].parse().unwrap();
            let answer = ask(&mut client, &sql).await;
            if year < from {
                assert!(matches!(answer, Err(207 | 208)), "{name} on {year}: {answer:?}");
                continue;
            }
            let rows = answer.unwrap_or_else(|number| panic!("{name} on {year}: error {number}"));
            // Those that are asked with parameters are asked for nothing here, and some things are not there.
            let may_be_empty = [
                "resolve_hobt",
                "resolve_object",
                "resolve_job",
                "texts",
                "availability",
                "jobs",
                "tempdb",
                "grants",
                "growths",
                "deadlocks",
                "plan_live",
                "plan_session",
                "plans_cached",
                "plans_last",
                "room_files",
                "session_input",
                "session_waits",
                "tempdb_waits",
                "version_holders",
            ];
            // Of each database it is told by its id, a parameter.
            let of_database = name.starts_with("query_store") && name != "query_stores";
            if rows.is_empty() && !of_database && !may_be_empty.contains(&name.as_str()) {
                empty.push(format!("{name} on {year}"));
            }
            assert!(rows.iter().all(|r| int(&r[&format!("dbtop_{name}")]) == Some(1)), "{name}");
        }
    }
    assert_eq!(empty, [""; 0]);
}

#[tokio::test]
async fn combined_scripts_are_answered_in_order_with_their_tags() {
    let sim = fleet(1, &[2019], "").await;
    let mut client = connect(&sim, 0).await;
    let batch = ["headline", "waits", "cost"].map(script).concat();
    let sets = client.simple_query(batch).await.unwrap().into_results().await.unwrap();
    let first = |n: usize| sets[n][0].columns()[0].name().to_owned();
    assert_eq!([first(0), first(1), first(2)], ["dbtop_headline", "dbtop_waits", "dbtop_cost"]);
    assert!((150..400).contains(&sets[1].len()), "{} wait types", sets[1].len());
}

#[tokio::test]
async fn a_script_altered_to_name_a_column_that_2016_lacks_fails_on_2016() {
    let altered = script("activity").replace("r.dop,", "r.dop, r.page_resource,");
    for (year, expected) in [(2016, Err(207)), (2017, Err(207)), (2019, Ok(())), (2025, Ok(()))] {
        let sim = fleet(1, &[year], "").await;
        let answer = ask(&mut connect(&sim, 0).await, &altered).await;
        assert_eq!(answer.map(|_| ()), expected, "{year}");
    }
}
