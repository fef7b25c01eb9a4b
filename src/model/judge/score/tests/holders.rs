//! What fills up names who fills it: what a person reads where that is known, where it is not, and where it is of something else.

use super::*;
use crate::model::poll::{
    activity::Activity,
    space::{Grown, SpaceTable, VolumeGrown},
    tempdb::{TempdbSession, TempdbTable, VersionHolder},
};

fn grown(mount: Option<&str>, database: Option<&str>, file: Option<&str>, more: u32) -> VolumeGrown {
    let [database, file] = [database, file].map(|name| name.map(Into::into));
    VolumeGrown { mount: mount.map(Into::into), grown: Grown { database, file, by_kb: 40 << 20, more } }
}

/// A volume that is full in an hour, beside what grew.
fn filling(mount: Option<&str>, grown: Vec<VolumeGrown>) -> String {
    told(&facts(|f| {
        let row = VolumeRow {
            mount: mount.map(Into::into),
            total_bytes: Some(100 << 30),
            free_bytes: Some(50 << 30),
            full_in_ms: Some(3_600_000),
            ..VolumeRow::default()
        };
        f.volumes = good(Arc::new(vec![row]));
        f.space = good(Arc::new(SpaceTable { grown, ..SpaceTable::default() }));
    }))
}

#[test]
fn a_volume_that_fills_names_what_grew_on_it() {
    let log = || grown(Some("L:\\"), Some("orders"), Some("orders_log"), 0);
    let of = |mount, grown| filling(mount, grown).split_once(": ").map(|(_, why)| why.to_owned()).unwrap();
    let named = "volume L: full in 1h00m, orders/orders_log grew 40 GB";
    let nobody = "volume L: full in 1h00m, 50 % free";
    assert_eq!(of(Some("L:\\"), vec![log()]), named);
    assert_eq!(of(Some("L:"), vec![log()]), named, "spelled another way");
    assert_eq!(of(Some("L:\\"), Vec::new()), nobody);
    assert_eq!(
        of(Some("L:\\"), vec![grown(Some("D:\\"), Some("crm"), None, 0)]),
        nobody,
        "of another volume"
    );
    assert_eq!(of(Some("L:\\"), vec![grown(None, Some("crm"), None, 0)]), nobody, "of nobody knows which");
    assert_eq!(of(None, vec![grown(None, Some("crm"), None, 0)]), "volume ? full in 1h00m, 50 % free");
    let several =
        vec![grown(Some("D:\\"), Some("crm"), None, 0), grown(Some("L:\\"), Some("orders"), None, 3)];
    assert_eq!(of(Some("L:\\"), several), "volume L: full in 1h00m, orders grew 40 GB, +3");
    assert_eq!(
        of(Some("L:\\"), vec![grown(Some("L:\\"), None, None, 0)]),
        "volume L: full in 1h00m, ? grew 40 GB"
    );
}

#[test]
fn what_grew_is_old_news_when_its_poll_is() {
    let mut f = facts(|f| {
        let row = VolumeRow {
            mount: Some("L:\\".into()),
            total_bytes: Some(100),
            free_bytes: Some(50),
            full_in_ms: Some(3_600_000),
            ..VolumeRow::default()
        };
        f.volumes = good(Arc::new(vec![row]));
    });
    let grown = vec![grown(Some("L:\\"), Some("orders"), None, 0)];
    f.space = Reading::good(
        Arc::new(SpaceTable { grown, ..SpaceTable::default() }),
        NOW.plus_ms(-86_400_000),
        900_000,
    );
    assert!(told(&f).ends_with("volume L: full in 1h00m, 50 % free"), "{}", told(&f));
}

/// tempdb of 1,000,000 KB with 4 % free, and who holds it.
fn tempdb(requests: Vec<Request>, table: Option<TempdbTable>) -> String {
    let mut f = with_headline(|h| (h.tempdb_used_pct, h.tempdb_size_kb) = (Some(96.0), Some(1_000_000)));
    f.activity = good(Arc::new(Activity { requests, ..Activity::default() }));
    if let Some(table) = table {
        f.tempdb_use = good(Arc::new(table));
    }
    told(&f).split_once(": ").map(|(_, why)| why.to_owned()).unwrap()
}

#[test]
fn tempdb_that_is_full_names_who_holds_most_of_it() {
    let request =
        |session_id, kb: i64| Request { session_id, tempdb_now_pages: Some(kb / 8), ..Request::default() };
    let session = |session_id, kb| TempdbSession {
        session_id,
        user_kb: Some(kb),
        internal_kb: Some(0),
        ..TempdbSession::default()
    };
    let sessions = |sessions| Some(TempdbTable { sessions, ..TempdbTable::default() });
    let versions = |version_kb, session_id| {
        let holders = vec![VersionHolder { session_id, ..VersionHolder::default() }];
        Some(TempdbTable { version_kb: Some(version_kb), holders, ..TempdbTable::default() })
    };
    let nobody = "tempdb 4 % free";
    assert_eq!(tempdb(Vec::new(), None), nobody);
    assert_eq!(tempdb(vec![request(60, 199_000)], None), nobody, "less than a fifth is not named");
    assert_eq!(tempdb(vec![request(60, 200_000)], None), "tempdb 4 % free, session 60 holds 20 %");
    let asleep = tempdb(vec![request(60, 300_000)], sessions(vec![session(71, 600_000), session(72, 1)]));
    assert_eq!(
        asleep, "tempdb 4 % free, session 71 holds 60 %",
        "who sleeps is in the answer of tempdb alone"
    );
    let both = tempdb(vec![request(60, 300_000)], sessions(vec![session(60, 250_000)]));
    assert_eq!(both, "tempdb 4 % free, session 60 holds 30 %", "the same session is not counted twice");
    assert_eq!(tempdb(Vec::new(), versions(800_000, 88)), "tempdb 4 % free, session 88 keeps versions, 80 %");
    assert_eq!(
        tempdb(vec![request(60, 900_000)], versions(50_000, 88)),
        "tempdb 4 % free, session 60 holds 90 %"
    );
    assert_eq!(tempdb(Vec::new(), versions(150_000, 88)), nobody);
    let unkept = TempdbTable { version_kb: Some(900_000), ..TempdbTable::default() };
    assert_eq!(tempdb(Vec::new(), Some(unkept)), nobody, "nobody keeps them from being cleaned up");
    assert_eq!(tempdb(vec![request(60, i64::MAX)], None), "tempdb 4 % free, session 60 holds 100 %");
}

#[test]
fn where_nobody_looks_what_names_the_holder_is_kept() {
    let table = TempdbTable {
        sessions: vec![TempdbSession { session_id: 71, ..TempdbSession::default() }; 3],
        holders: vec![VersionHolder { session_id: 88, ..VersionHolder::default() }; 3],
        version_kb: Some(7),
        ..TempdbTable::default()
    };
    let kept = crate::model::poll::State::TempdbUse(Arc::new(table)).only_judged();
    let Some(crate::model::poll::State::TempdbUse(kept)) = kept else { panic!("{kept:?}") };
    assert_eq!((kept.sessions.len(), kept.holders[0].session_id, kept.version_kb), (1, 88, Some(7)));
    let table = SpaceTable { grown: vec![grown(Some("L:\\"), None, None, 0)], ..SpaceTable::default() };
    let kept = crate::model::poll::State::Space(Arc::new(table)).only_judged();
    let Some(crate::model::poll::State::Space(kept)) = kept else { panic!("{kept:?}") };
    assert!(kept.grown_on(Some("L:")).is_some());
}
