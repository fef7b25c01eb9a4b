//! A history as a file to carry away: a backup is restored, and a stretch of time is copied into another history, which
//! exports and imports recordings. For `dbtop store` and the export of incidents.

use super::{
    engine::{Engine, lock, lock_file},
    reader::Reader,
    schema,
};
use crate::store::history::{
    api::{Copied, EventFilter, Options, Stretch},
    event::Event,
};
use crate::{
    model::timeline::record::Record,
    store::{StoreError, clock::now},
    vault::Sealer,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// So much of one instance is in memory at once, ms.
const STRETCH_MS: i64 = 3_600_000;

/// Puts a backup in the place of the history at `path`. The backup is checked first. The old history stays beside it under
/// the name that is returned.
///
/// # Errors
/// The backup is damaged or sealed with another key; another process writes the history.
pub fn restore(backup: &Path, path: &Path, sealer: Option<Sealer>) -> Result<Option<PathBuf>, StoreError> {
    let reader = Reader::open(backup, sealer)?;
    let checked = reader.check()?;
    if let Some(first) = checked.words.first() {
        return Err(StoreError::History {
            path: backup.to_owned(),
            problem: format!(
                "it is damaged ({first}; {} problems in all): nothing was changed",
                checked.problems
            ),
        });
    }
    let _lock = lock(path)?;
    let temporary = path.with_extension("db.restored");
    let _ = fs::remove_file(&temporary);
    reader.backup(&temporary)?;
    // A log of the old file must never meet the new one.
    let old = path.exists().then(|| beside(path, &format!("before-restore-{}", now().ms() / 1000)));
    if let Some(old) = &old {
        let failed = || StoreError::io("putting aside", path);
        fold_log(path);
        fs::rename(path, old).map_err(failed())?;
        for ending in ["-wal", "-shm"] {
            let from = beside_exact(path, ending);
            if from.exists() {
                fs::rename(&from, beside_exact(old, ending)).map_err(failed())?;
            }
        }
    }
    fs::rename(&temporary, path).map_err(StoreError::io("restoring the history", path))?;
    Ok(old)
}

/// Brings the log of a history into its file, as far as that works.
fn fold_log(path: &Path) {
    if let Ok(connection) = schema::open_or_create(path, schema::STEPS) {
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

fn beside(path: &Path, word: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{word}"))
}

fn beside_exact(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Copies a stretch of one history into another, which is made if it is missing: the state at its start, all readings,
/// texts and events. `change` and `change_event` may change each reading and event on its way (to scrub names, say).
///
/// A new file is plain: a reader makes no file beside it, so it can lie where nothing can be written.
///
/// Both may be sealed, each with its own key. An instance is left out if the other history already has readings of it at
/// that time, so that nothing is there twice.
///
/// # Errors
/// One cannot be read, or the other not be written.
pub fn copy(
    from: &mut Reader,
    to: &Path,
    sealer: Option<Sealer>,
    stretch: &Stretch,
    change: &mut dyn FnMut(&mut Record),
    change_event: &mut dyn FnMut(&mut Event),
) -> Result<Copied, StoreError> {
    // No row of a recording is too old.
    let options = Options {
        raw_days: 3650,
        state_days: 3650,
        five_min_days: 3650,
        hour_days: 3650,
        day_days: 3650,
        events_days: 3650,
        max_bytes: 1 << 40,
        ..Options::default()
    };
    let is_new = !to.exists();
    let mut engine = Engine::open(to, sealer.clone(), options)?;
    engine.only_copies();
    let mut done = Copied::default();
    let mut there = Reader::open(to, sealer)?;
    let wanted = |uid: &Arc<str>| stretch.uids.is_empty() || stretch.uids.contains(uid);
    let instances: Vec<_> = from.instances().all()?.into_iter().filter(|info| wanted(&info.uid)).collect();
    for info in &instances {
        if !there.states().between(&info.uid, stretch.from.plus_ms(-1), stretch.to)?.kept.is_empty() {
            done.left_out.push(info.id.to_string());
            continue;
        }
        let before = done.readings;
        let mut state = from.states().at(std::slice::from_ref(&info.uid), stretch.from)?;
        done.damaged.append(&mut state.damaged);
        take(&mut engine, state.kept, &mut done, change)?;
        let mut at = stretch.from;
        while at < stretch.to {
            let until = at.plus_ms(STRETCH_MS).min(stretch.to);
            let mut past = from.states().between(&info.uid, at, until)?;
            done.damaged.append(&mut past.damaged);
            take(&mut engine, past.kept, &mut done, change)?;
            at = until;
        }
        done.instances += u64::from(done.readings > before);
        engine.seal(stretch.to.plus_ms(86_400_000), Duration::from_hours(1))?;
    }
    let uids: Vec<Arc<str>> = instances.iter().map(|info| info.uid.clone()).collect();
    for mut event in from.events().list(&EventFilter { uids, kinds: Vec::new() }, stretch.from, stretch.to)? {
        change_event(&mut event);
        engine.note(event);
        done.events += 1;
    }
    engine.close()?;
    drop(there);
    if is_new {
        schema::make_plain(to)?;
        // No other process knows the file yet, and a recording is one file.
        let _ = fs::remove_file(lock_file(to));
    }
    Ok(done)
}

fn take(
    engine: &mut Engine,
    mut kept: Vec<Record>,
    done: &mut Copied,
    change: &mut dyn FnMut(&mut Record),
) -> Result<(), StoreError> {
    kept.iter_mut().for_each(&mut *change);
    done.readings += kept.len() as u64;
    engine.take(kept);
    engine.commit().map(drop)
}
