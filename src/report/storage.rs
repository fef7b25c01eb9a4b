//! The storage of an incident: files that were slow, volumes that filled, files that grew, logs and tempdb at their fullest.
//! `gather` hands over the readings, `page` asks for the section.

use super::{
    html::Html,
    parts::{Worst, more, name, none},
    words::{count, pct, size, span, wait},
};
use crate::model::{
    base::{time::Timestamp, zone::Zone},
    inventory::instance::InstanceId,
    poll::{
        State,
        files::FileTable,
        growths::{FileGrowth, GrowthTable},
        headline::Headline,
        logs::LogRow,
        tempdb::TempdbTable,
        volumes::VolumeRow,
        who::Who,
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Rows of each table that are kept while the story is gathered.
const KEPT: usize = 60;
/// The most rows of a table.
const TOP: usize = 20;

type Name = Option<Arc<str>>;

/// A file over the stretch.
#[derive(Debug, Clone, Default)]
struct FileSum {
    database: Name,
    name: Name,
    path: Name,
    reads: f64,
    writes: f64,
    bytes: f64,
    /// waited for reads and for writes, ms
    waited_ms: [f64; 2],
    /// the slowest poll of each, ms
    worst_ms: [f64; 2],
    over_ms: u64,
}

impl FileSum {
    fn all_ms(&self) -> f64 {
        self.waited_ms.iter().sum()
    }
}

/// A volume over the stretch, bytes.
#[derive(Debug, Clone, Copy, Default)]
struct VolumeSpan {
    total: i64,
    first_free: i64,
    least_free: i64,
    last_free: i64,
    full_in_ms: Option<i64>,
}

/// A log or tempdb at its fullest.
#[derive(Debug, Clone, Default)]
struct Fullest {
    pct: f64,
    used_kb: Option<i64>,
    at: Timestamp,
    waits_for: Name,
    holder: Option<(Option<i32>, Who)>,
}

/// What storage went through.
#[derive(Debug, Default)]
pub(super) struct Storage {
    files: Worst<(InstanceId, FileSum)>,
    volumes: Worst<(InstanceId, Arc<str>, VolumeSpan)>,
    growths: Worst<(InstanceId, FileGrowth)>,
    logs: Worst<(InstanceId, Arc<str>, Fullest)>,
    tempdb: Worst<(InstanceId, Fullest)>,
    polls: u64,
    own: Own,
}

/// Of the instance that is read now.
#[derive(Debug, Default)]
struct Own {
    files: HashMap<(i32, i32), FileSum>,
    volumes: BTreeMap<Arc<str>, VolumeSpan>,
    growths: Option<Arc<GrowthTable>>,
    logs: BTreeMap<Arc<str>, Fullest>,
    tempdb: Option<Fullest>,
    /// who held most of tempdb when it was told last
    eater: Option<Eater>,
}

/// Who held most of tempdb.
#[derive(Debug, Clone)]
struct Eater {
    at: Timestamp,
    /// it says nothing of what is further away than this, ms
    reach_ms: i64,
    holder: (Option<i32>, Who),
}

impl Eater {
    /// Who it was at an instant; None: that is too long ago, or too long before.
    fn at(&self, at: Timestamp) -> Option<(Option<i32>, Who)> {
        ((at - self.at).abs() <= self.reach_ms).then(|| self.holder.clone())
    }
}

impl Storage {
    /// Takes a reading of the instance that is read now.
    pub fn take(&mut self, at: Timestamp, every_ms: u32, state: &State) {
        let own = &mut self.own;
        match state {
            State::Files(table) => own.files(table),
            State::Volumes(rows) => own.volumes(rows),
            State::Growths(table) => own.growths = Some(Arc::clone(table)),
            State::Logs(rows) => own.logs(at, rows),
            State::TempdbUse(table) => own.eater(at, every_ms, table),
            State::Headline(headline) => return own.tempdb(at, headline),
            _ => return,
        }
        self.polls += 1;
    }

    /// The instance is read: of each kind the worst stay.
    pub fn end(&mut self, instance: &InstanceId, (from, to): (Timestamp, Timestamp)) {
        let own = std::mem::take(&mut self.own);
        let id = || instance.clone();
        let waited = own.files.into_values().filter(|file| file.all_ms() > 0.0);
        let by_wait =
            |a: &(InstanceId, FileSum), b: &(InstanceId, FileSum)| b.1.all_ms().total_cmp(&a.1.all_ms());
        self.files.take(waited.map(|file| (id(), file)), KEPT, by_wait);
        let free = |volume: &VolumeSpan| volume.least_free as f64 / volume.total.max(1) as f64;
        let volumes = own.volumes.into_iter().map(|(mount, volume)| (id(), mount, volume));
        self.volumes.take(volumes, KEPT, |a, b| free(&a.2).total_cmp(&free(&b.2)));
        let grown = own.growths.iter().flat_map(|table| &table.growths);
        let grown = grown.filter(|growth| growth.at >= from && growth.at <= to);
        let longest =
            |a: &(InstanceId, FileGrowth), b: &(InstanceId, FileGrowth)| b.1.took_ms.cmp(&a.1.took_ms);
        self.growths.take(grown.map(|growth| (id(), growth.clone())), KEPT, longest);
        let logs = own.logs.into_iter().map(|(database, log)| (id(), database, log));
        self.logs.take(logs, KEPT, |a, b| b.2.pct.total_cmp(&a.2.pct));
        self.tempdb.take(own.tempdb.map(|tempdb| (id(), tempdb)), KEPT, |a, b| b.1.pct.total_cmp(&a.1.pct));
    }
}

impl Own {
    fn files(&mut self, table: &FileTable) {
        let seconds = table.over_ms as f64 / 1_000.0;
        for row in &table.files {
            let file = self.files.entry(row.file.ids()).or_default();
            if file.path.is_none() {
                (file.database, file.name, file.path) =
                    (row.file.database.clone(), row.file.name.clone(), row.file.path.clone());
            }
            let many = [row.reads_per_s, row.writes_per_s].map(|n| n.unwrap_or(0.0) * seconds);
            (file.reads, file.writes) = (file.reads + many[0], file.writes + many[1]);
            let bytes = row.read_bytes_per_s.unwrap_or(0.0) + row.write_bytes_per_s.unwrap_or(0.0);
            file.bytes += bytes * seconds;
            file.over_ms = file.over_ms.saturating_add(table.over_ms);
            for (n, ms) in [row.read_ms, row.write_ms].into_iter().enumerate() {
                let (Some(ms), Some(many)) = (ms, many.get(n)) else { continue };
                if let (Some(waited), Some(worst)) = (file.waited_ms.get_mut(n), file.worst_ms.get_mut(n)) {
                    *waited += ms * many;
                    *worst = worst.max(ms);
                }
            }
        }
    }

    fn volumes(&mut self, rows: &[VolumeRow]) {
        for row in rows {
            let (Some(mount), Some(total), Some(free)) = (&row.mount, row.total_bytes, row.free_bytes) else {
                continue;
            };
            let new =
                VolumeSpan { total, first_free: free, least_free: free, last_free: free, full_in_ms: None };
            let known = self.volumes.entry(Arc::clone(mount)).or_insert(new);
            known.total = total;
            known.least_free = known.least_free.min(free);
            known.last_free = free;
            known.full_in_ms = row.full_in_ms;
        }
    }

    fn logs(&mut self, at: Timestamp, rows: &[LogRow]) {
        for row in rows {
            let (Some(database), Some(pct)) = (&row.database, row.used_pct().or_else(|| row.of_files_pct()))
            else {
                continue;
            };
            let known = self.logs.entry(Arc::clone(database)).or_default();
            if pct >= known.pct {
                let holder = row.holder.as_ref().map(|holder| (holder.session_id, holder.who.clone()));
                let waits_for = row.reuse_wait.clone();
                *known = Fullest { pct, used_kb: row.used_kb, at, waits_for, holder };
            }
        }
    }

    fn eater(&mut self, at: Timestamp, every_ms: u32, table: &TempdbTable) {
        let reach_ms = 2 * i64::from(every_ms);
        let holder = table.sessions.first().map(|session| (Some(session.session_id), session.who.clone()));
        self.eater = holder.map(|holder| Eater { at, reach_ms, holder });
        // It is told seldomer than the headline.
        if let Some(tempdb) = self.tempdb.as_mut().filter(|tempdb| tempdb.holder.is_none()) {
            tempdb.holder = self.eater.as_ref().and_then(|eater| eater.at(tempdb.at));
        }
    }

    fn tempdb(&mut self, at: Timestamp, headline: &Headline) {
        let Some(pct) = headline.tempdb_used_pct else { return };
        let used_kb = headline.tempdb_size_kb.map(|kb| (kb as f64 * pct / 100.0) as i64);
        if self.tempdb.as_ref().is_none_or(|known| pct >= known.pct) {
            let holder = self.eater.as_ref().and_then(|eater| eater.at(at));
            self.tempdb = Some(Fullest { pct, used_kb, at, waits_for: None, holder });
        }
    }
}

/// The section.
pub(super) fn section(html: &mut Html, storage: &Storage, zone: &Zone) {
    if storage.polls == 0 && storage.tempdb.rows.is_empty() {
        return none(html, "No poll of files, volumes or logs is kept of that time.");
    }
    files(html, storage);
    volumes(html, storage);
    growths(html, storage, zone);
    logs(html, storage, zone);
}

fn files(html: &mut Html, storage: &Storage) {
    html.leaf("h3", &[], "Files that were waited for longest");
    if storage.files.rows.is_empty() {
        return none(html, "No read or write of a file is kept of that time.");
    }
    let row = |(instance, file): &(InstanceId, FileSum)| {
        let average = |n: usize, many: f64| match file.waited_ms.get(n) {
            Some(ms) if many > 0.0 => wait(ms / many),
            _ => "–".to_owned(),
        };
        let worst = |n: usize| {
            file.worst_ms.get(n).filter(|ms| **ms > 0.0).map_or_else(|| "–".to_owned(), |ms| wait(*ms))
        };
        let seconds = (file.over_ms as f64 / 1_000.0).max(1.0);
        vec![
            instance.to_string(),
            name(&file.database),
            name(&file.name),
            span(file.all_ms() as i64),
            average(0, file.reads),
            worst(0),
            average(1, file.writes),
            worst(1),
            count((file.reads + file.writes) / seconds),
            size(file.bytes / seconds),
            name(&file.path),
        ]
    };
    let columns = [
        "instance",
        "database",
        "file",
        "#waited",
        "#read avg",
        "#max",
        "#write avg",
        "#max",
        "#I/O per s",
        "#per s",
        "path",
    ];
    html.table(&columns, storage.files.rows.iter().take(TOP).map(row));
    more(html, storage.files.all, TOP, "file");
}

fn volumes(html: &mut Html, storage: &Storage) {
    html.leaf("h3", &[], "Volumes");
    if storage.volumes.rows.is_empty() {
        return none(html, "No poll of volumes is kept of that time.");
    }
    let row = |(instance, mount, volume): &(InstanceId, Arc<str>, VolumeSpan)| {
        let change = volume.last_free - volume.first_free;
        let sign = if change < 0 { "−" } else { "+" };
        vec![
            instance.to_string(),
            mount.to_string(),
            size(volume.total as f64),
            size(volume.first_free as f64),
            size(volume.least_free as f64),
            pct(volume.least_free as f64 * 100.0 / volume.total.max(1) as f64),
            if change == 0 {
                "–".to_owned()
            } else {
                format!("{sign}{}", size(change.unsigned_abs() as f64))
            },
            volume.full_in_ms.map_or_else(|| "–".to_owned(), span),
        ]
    };
    let columns = [
        "instance",
        "volume",
        "#size",
        "#free at first",
        "#least free",
        "#of size",
        "#change",
        "#full in, at the end",
    ];
    html.table(&columns, storage.volumes.rows.iter().take(TOP).map(row));
    more(html, storage.volumes.all, TOP, "volume");
}

fn growths(html: &mut Html, storage: &Storage, zone: &Zone) {
    html.leaf("h3", &[], "Files that grew");
    let growths = &storage.growths;
    if growths.rows.is_empty() {
        return none(html, "No growth of a file is known of that time.");
    }
    let row = |(instance, growth): &(InstanceId, FileGrowth)| {
        vec![
            instance.to_string(),
            zone.instant(growth.at),
            name(&growth.database),
            name(&growth.file),
            growth.by_kb.map_or_else(|| "–".to_owned(), |kb| size(kb as f64 * 1024.0)),
            growth.took_ms.map_or_else(|| "–".to_owned(), |ms| wait(ms as f64)),
            name(&growth.who.login),
            name(&growth.who.program),
        ]
    };
    let columns = ["instance", "at", "database", "file", "#by", "#took", "login", "program"];
    html.table(&columns, growths.rows.iter().take(TOP).map(row));
    more(html, growths.all, TOP, "growth");
}

fn logs(html: &mut Html, storage: &Storage, zone: &Zone) {
    html.leaf("h3", &[], "Transaction logs and tempdb at their fullest");
    let logs =
        storage.logs.rows.iter().map(|(instance, database, log)| (instance, format!("{database}, log"), log));
    let tempdb = storage.tempdb.rows.iter().map(|(instance, tempdb)| (instance, "tempdb".to_owned(), tempdb));
    let mut rows: Vec<(&InstanceId, String, &Fullest)> = logs.chain(tempdb).collect();
    if rows.is_empty() {
        return none(html, "How full they were is not kept of that time.");
    }
    rows.sort_by(|a, b| b.2.pct.total_cmp(&a.2.pct));
    let row = |(instance, what, fullest): &(&InstanceId, String, &Fullest)| {
        let session = fullest.holder.as_ref().and_then(|(session, _)| *session);
        let who = |of: fn(&Who) -> &Name| {
            fullest.holder.as_ref().map_or_else(|| "–".to_owned(), |(_, who)| name(of(who)))
        };
        vec![
            instance.to_string(),
            what.clone(),
            pct(fullest.pct),
            fullest.used_kb.map_or_else(|| "–".to_owned(), |kb| size(kb as f64 * 1024.0)),
            zone.instant(fullest.at),
            name(&fullest.waits_for),
            session.map_or_else(|| "–".to_owned(), |session| session.to_string()),
            who(|who| &who.login),
            who(|who| &who.program),
        ]
    };
    let columns =
        ["instance", "what", "#used", "#which is", "at", "waits for", "#held by session", "login", "program"];
    html.table(&columns, rows.iter().take(TOP).map(row));
    more(html, storage.logs.all + storage.tempdb.all, TOP, "row");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::files::{DatabaseFile, FileRow};

    fn id() -> InstanceId {
        InstanceId::new("a")
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    const EVER: (Timestamp, Timestamp) = (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX / 4));

    #[test]
    fn a_file_is_as_slow_as_its_reads_were_and_not_as_its_polls() {
        let table = |reads: f64, ms: f64| {
            let row = FileRow {
                file: DatabaseFile { database_id: 5, file_id: 1, ..DatabaseFile::default() },
                reads_per_s: Some(reads),
                read_ms: Some(ms),
                ..FileRow::default()
            };
            State::Files(Arc::new(FileTable { files: vec![row], over_ms: 60_000, ..FileTable::default() }))
        };
        let mut storage = Storage::default();
        storage.take(at(1), 60_000, &table(99.0, 2.0));
        storage.take(at(2), 60_000, &table(1.0, 102.0));
        storage.end(&id(), EVER);
        let (_, file) = &storage.files.rows[0];
        assert!((file.waited_ms[0] / file.reads - 3.0).abs() < 1e-9, "{file:?}");
        assert!((file.worst_ms[0] - 102.0).abs() < 1e-9 && file.over_ms == 120_000);
    }

    #[test]
    fn a_volume_tells_its_least_and_what_changed() {
        let rows = |free: i64| {
            let row = VolumeRow {
                mount: Some("D:\\".into()),
                total_bytes: Some(100),
                free_bytes: Some(free),
                ..VolumeRow::default()
            };
            State::Volumes(Arc::new(vec![row, VolumeRow::default()]))
        };
        let mut storage = Storage::default();
        for (minute, free) in [(1, 40), (2, 5), (3, 30)] {
            storage.take(at(minute), 60_000, &rows(free));
        }
        storage.end(&id(), EVER);
        let [(_, _, volume)] = &storage.volumes.rows[..] else { panic!("{storage:?}") };
        assert_eq!((volume.first_free, volume.least_free, volume.last_free), (40, 5, 30));
    }

    #[test]
    fn a_log_and_tempdb_are_told_at_their_fullest_with_who_held_them() {
        let log = |used: i64, session: i32| {
            let holder =
                crate::model::poll::logs::LogHolder { session_id: Some(session), ..Default::default() };
            let row = LogRow {
                database: Some("orders".into()),
                size_kb: Some(100),
                used_kb: Some(used),
                holder: Some(holder),
                ..LogRow::default()
            };
            State::Logs(Arc::new(vec![row]))
        };
        let headline = |used: i64| {
            let pct = Some(used as f64);
            let figures = Headline { tempdb_size_kb: Some(100), tempdb_used_pct: pct, ..Headline::default() };
            State::Headline(Box::new(figures))
        };
        let mut storage = Storage::default();
        for (minute, used, session) in [(1, 20, 51), (2, 90, 52), (3, 30, 53)] {
            storage.take(at(minute), 60_000, &log(used, session));
            storage.take(at(minute), 60_000, &headline(used));
        }
        storage.end(&id(), EVER);
        let [(_, _, fullest)] = &storage.logs.rows[..] else { panic!("{storage:?}") };
        assert_eq!((fullest.at, fullest.holder.as_ref().unwrap().0), (at(2), Some(52)));
        let [(_, tempdb)] = &storage.tempdb.rows[..] else { panic!("{storage:?}") };
        assert_eq!((tempdb.at, tempdb.used_kb), (at(2), Some(90)));
    }

    #[test]
    fn who_held_tempdb_at_another_time_did_not_hold_it_at_its_peak() {
        let headline = |used: i64| {
            let pct = Some(used as f64);
            State::Headline(Box::new(Headline { tempdb_used_pct: pct, ..Headline::default() }))
        };
        let holds = |session_id: i32| {
            let session = crate::model::poll::tempdb::TempdbSession { session_id, ..Default::default() };
            State::TempdbUse(Arc::new(TempdbTable { sessions: vec![session], ..TempdbTable::default() }))
        };
        let holder = |told: &[(i64, State)]| {
            let mut storage = Storage::default();
            for (minute, state) in told {
                storage.take(at(*minute), 60_000, state);
            }
            storage.end(&id(), EVER);
            storage.tempdb.rows[0].1.holder.as_ref().and_then(|(session, _)| *session)
        };
        assert_eq!(holder(&[(1, holds(51)), (2, headline(90)), (9, holds(52))]), Some(51));
        assert_eq!(holder(&[(2, headline(90)), (3, holds(52))]), Some(52));
        assert_eq!(holder(&[(1, holds(51)), (9, headline(90)), (20, holds(52))]), None);
    }

    #[test]
    fn of_many_rows_the_number_of_all_is_told() {
        let row = |n: usize| VolumeRow {
            mount: Some(format!("V{n}:\\").into()),
            total_bytes: Some(100),
            free_bytes: Some(n as i64),
            ..VolumeRow::default()
        };
        let mut storage = Storage::default();
        storage.take(at(1), 60_000, &State::Volumes(Arc::new((1..=90).map(row).collect())));
        storage.end(&id(), EVER);
        assert_eq!((storage.volumes.rows.len(), storage.volumes.all), (KEPT, 90));
        assert_eq!(storage.volumes.rows[0].2.least_free, 1);
    }

    #[test]
    fn growths_of_that_time_alone_are_told_the_longest_first() {
        let growth = |minute: i64, took: i64| FileGrowth {
            at: at(minute),
            took_ms: Some(took),
            ..FileGrowth::default()
        };
        let table = GrowthTable {
            growths: vec![growth(9, 1), growth(6, 5), growth(5, 70), growth(1, 900)],
            ..GrowthTable::default()
        };
        let mut storage = Storage::default();
        storage.take(at(9), 60_000, &State::Growths(Arc::new(table)));
        storage.end(&id(), (at(4), at(8)));
        let told: Vec<_> = storage.growths.rows.iter().map(|(_, growth)| growth.took_ms.unwrap()).collect();
        assert_eq!(told, [70, 5]);
    }
}
