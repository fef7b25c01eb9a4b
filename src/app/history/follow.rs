//! Following the process that polls: its writes go to our reducer, its state to the header.

use super::archive::Archive;
use crate::{
    app::{
        attach::{heartbeat::Heartbeat, lock::Held},
        module::Links,
    },
    model::{base::time::Timestamp, fold::update::Update, inventory::instance::InstanceInfo},
    store::{StoreError, disk::DiskTrouble},
};
use std::{collections::HashMap, sync::Arc};

/// A heartbeat older than this, ms, says nothing about now.
const BEAT_MS: u64 = 10_000;

/// True if the beat is recent enough to say something about now.
pub(super) fn is_fresh(beat: &Heartbeat, now: Timestamp) -> bool {
    beat.age_ms(now) <= BEAT_MS
}

/// Hands the reducer all that was written since the cursor, with -1 all that is known. Returns the new cursor.
pub(super) fn take_new(
    archive: &mut Archive,
    links: &Links,
    mut cursor: i64,
    now: Timestamp,
) -> Result<i64, StoreError> {
    // By their ids in history.
    let infos: HashMap<Arc<str>, Arc<InstanceInfo>> =
        links.instances().into_iter().map(|info| (Arc::clone(&info.uid), info)).collect();
    let reader = archive.reader()?;
    let mut news = Vec::new();
    let mut histories = Vec::new();
    if cursor >= 0 {
        loop {
            let followed = reader.follow().since(cursor)?;
            cursor = followed.cursor;
            news.extend(followed.kept);
            if followed.missed {
                cursor = -1;
            }
            if followed.missed || !followed.more {
                break;
            }
        }
    }
    if cursor < 0 {
        cursor = reader.follow().cursor()?;
        let uids: Vec<Arc<str>> = infos.keys().cloned().collect();
        news = reader.states().at(&uids, now)?.kept;
        for (uid, info) in &infos {
            histories.push((info.id.clone(), reader.states().recent(uid, now)?));
        }
    }
    let Some(feed) = links.feed.upgrade() else { return Ok(cursor) };
    for mut kept in news {
        let Some(info) = infos.get(&kept.info.uid) else { continue };
        // Its name may be another one by now.
        kept.info = Arc::clone(info);
        let _ = feed.blocking_send(Update::Remembered(Box::new(kept)));
    }
    for (instance, history) in histories {
        let _ = feed.blocking_send(Update::History { instance, history: Arc::new(history) });
    }
    Ok(cursor)
}

/// The polling process, in words for the header.
pub(super) fn attached(
    held: std::io::Result<Held>,
    beat: Option<&Heartbeat>,
    disk: Option<DiskTrouble>,
    now: Timestamp,
) -> String {
    let holder = match held {
        Ok(Held::Free) => return "attached · no collector runs: waiting for one".to_owned(),
        Ok(Held::By(holder)) => holder,
        Err(e) => {
            tracing::warn!("looking who collects: {e}");
            None
        }
    };
    // The beat may be that of a collector before this one.
    let of_holder = |b: &&Heartbeat| holder.as_ref().is_none_or(|holder| holder.pid == b.pid);
    match (beat.filter(of_holder), &holder) {
        (Some(b), _) if is_fresh(b, now) => {
            format!("attached · collector pid {}, {}/{}", b.pid, b.instances.up, b.instances.total)
        }
        (Some(b), _) => match disk {
            Some(disk) => format!("attached · {}: collector pid {} cannot say how it is", disk.sign(), b.pid),
            None => format!("attached · collector pid {} does not answer", b.pid),
        },
        (None, Some(holder)) if holder.screen => format!("attached · screen pid {}", holder.pid),
        (None, Some(holder)) => format!("attached · collector pid {} starts", holder.pid),
        (None, None) => "attached · another dbtop collects".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::history::file::Location,
        config::Config,
        model::{
            fold::snapshot::{FleetSnapshot, InstanceSnapshot},
            inventory::instance::InstanceId,
            judge::health::Health,
            poll::{Facts, link::Link},
            timeline::{
                history::History,
                record::{Record, Recorded},
            },
        },
        store::history::{Engine, Options},
    };
    use tokio::sync::{mpsc, watch};

    const AT: Timestamp = Timestamp::from_ms(1_795_183_331_000);

    fn info(name: &str) -> Arc<InstanceInfo> {
        Arc::new(InstanceInfo { id: InstanceId::new(name), uid: "uid-1".into(), ..InstanceInfo::named(name) })
    }

    #[test]
    fn a_renamed_instance_is_followed_under_its_new_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let mut engine = Engine::open(&file, None, Options::default()).unwrap();
        let mut write = |second: i64| {
            let (at, link) = (AT.plus_ms(second * 1000), Link::Up);
            let what = Recorded::Link { link, since: at, was_down: false };
            engine.take(vec![Record { info: info("old"), at, what }]);
            engine.commit().unwrap();
        };
        write(0);
        let of_inventory = InstanceSnapshot {
            info: info("new"),
            facts: Facts::default(),
            history: Arc::new(History::default()),
            health: Health::default(),
            level_since: None,
        };
        let fleet = FleetSnapshot { instances: vec![Arc::new(of_inventory)], ..FleetSnapshot::default() };
        let (feed, mut heard) = mpsc::channel(64);
        let links = Links {
            collector: mpsc::channel(1).0,
            feed: feed.downgrade(),
            fleet: watch::channel(Arc::new(fleet)).1,
            config: watch::channel(Arc::new(Config::default())).1,
            screen: None,
        };
        let mut archive = Archive::new(Location::of_recording(file));
        let mut cursor = -1;
        // All that is known first, then what is new.
        for second in [0, 10] {
            if second > 0 {
                write(second);
            }
            cursor = take_new(&mut archive, &links, cursor, AT.plus_ms(second * 1000 + 500)).unwrap();
            let mut followed = 0;
            while let Ok(update) = heard.try_recv() {
                match update {
                    Update::Remembered(kept) => {
                        assert_eq!((kept.info.id.as_str(), kept.at), ("new", AT.plus_ms(second * 1000)));
                        followed += 1;
                    }
                    Update::History { instance, .. } => assert_eq!(instance.as_str(), "new"),
                    _ => panic!("neither a record nor a history"),
                }
            }
            assert_eq!(followed, 1, "after {second} s");
        }
    }
}
