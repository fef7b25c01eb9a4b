//! Logins without rights, and logins that are refused.

use super::asking::{YEARS, ask, connect, connect_as, fleet, int, row, rows, script};

const NO_RIGHTS: &str = "[[event]]\non = '*'\nkind = 'no_rights'\nfrom_s = -1";

#[tokio::test]
async fn views_refuse_with_the_errors_of_their_version() {
    for year in YEARS {
        let sim = fleet(1, &[year], NO_RIGHTS).await;
        let mut client = connect(&sim, 0).await;
        let texts = if year >= 2022 { 371 } else { 300 };
        for (name, number) in
            [("waits", 300), ("headline", 300), ("blocking", 300), ("texts", texts), ("jobs", 229)]
        {
            assert_eq!(ask(&mut client, &script(name)).await.map(|_| ()), Err(number), "{name} on {year}");
        }
    }
}

#[tokio::test]
async fn sessions_and_requests_show_the_login_itself_and_no_error() {
    let storm = format!("{NO_RIGHTS}\n[[event]]\non = '*'\nkind = 'blocking_storm'\nfrom_s = -300");
    let sim = fleet(1, &[2022], &storm).await;
    let mut client = connect(&sim, 0).await;
    assert_eq!(int(&row(&mut client, "sessions").await["sessions_seen"]), Some(1));
    assert_eq!(rows(&mut client, "activity").await.len(), 0);
    let blocked = row(&mut client, "blocked").await;
    assert_eq!((int(&blocked["requests_seen"]), int(&blocked["blocked_requests"])), (Some(1), Some(0)));
    assert_eq!(row(&mut client, "cost").await.len(), 6);
}

#[tokio::test]
async fn a_refused_statement_does_not_stop_the_next_one() {
    let sim = fleet(1, &[2019], NO_RIGHTS).await;
    let mut client = connect(&sim, 0).await;
    let batch = script("waits") + &script("cost");
    let mut stream = client.simple_query(batch).await.unwrap();
    let mut tags = Vec::new();
    let mut refusal = None;
    loop {
        match futures_util::TryStreamExt::try_next(&mut stream).await {
            Ok(None) => break,
            Ok(Some(tiberius::QueryItem::Row(row))) => tags.push(row.columns()[0].name().to_owned()),
            Ok(Some(_)) => {}
            Err(error) => {
                refusal = error.code();
                break;
            }
        }
    }
    assert_eq!((tags, refusal), (vec!["dbtop_cost".to_owned()], Some(300)));
}

#[tokio::test]
async fn permission_functions_agree_with_what_is_refused() {
    for year in YEARS {
        let sim = fleet(12, &[year], "[[event]]\non = '#1'\nkind = 'no_rights'\nfrom_s = -1").await;
        for index in 0..12 {
            let mut client = connect(&sim, index).await;
            let rights = row(&mut client, "rights").await;
            let (old, new) =
                (int(&rights["view_server_state"]), int(&rights["view_server_performance_state"]));
            assert_eq!(new.is_none(), year < 2022, "a server does not know names of later versions");
            let may = old == Some(1) || new == Some(1);
            assert_eq!(ask(&mut client, &script("waits")).await.is_ok(), may, "{year} {index}");
            let security = int(&rights["view_server_security_state"]).unwrap_or(old.unwrap()) == 1;
            assert_eq!(ask(&mut client, &script("connections")).await.is_ok(), security, "{year} {index}");
        }
    }
}

#[tokio::test]
async fn wrong_passwords_and_databases_are_refused() {
    let sim = fleet(1, &[], "").await;
    let (user, password) = sim.login();
    let code = |result: tiberius::Result<_>| result.map(|_: super::asking::Driver| ()).map_err(|e| e.code());
    assert_eq!(code(connect_as(&sim, 0, user, "wrong", "").await), Err(Some(18_456)));
    assert_eq!(code(connect_as(&sim, 0, "sa", password, "").await), Err(Some(18_456)));
    assert_eq!(code(connect_as(&sim, 0, user, password, "nowhere").await), Err(Some(4060)));
    assert_eq!(code(connect_as(&sim, 0, user, password, "msdb").await), Ok(()));
}
