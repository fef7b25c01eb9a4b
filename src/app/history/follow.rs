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
