//! Volumes, the files on them, and Agent jobs.

use super::{dice::Dice, moment::Moment, profile::Profile, totals::Meter, wait_types::Driver};
use crate::{model::poll::properties::Hosting, sim::scenario::Kind};

/// A volume with database files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// mount point: `L:\` or `/var/opt/mssql/log`
    pub mount: String,
    /// label
    pub label: &'static str,
    /// size
    pub total_bytes: i64,
    /// free
    pub free_bytes: i64,
}

/// A database file, with counters since the service started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// database id
    pub database_id: i32,
    /// file id: 1 is the data file, 2 the log
    pub file_id: i32,
    /// logical name
    pub name: String,
    /// a log, not data
    pub log: bool,
    /// path
    pub path: String,
    /// reads
    pub reads: i64,
    /// bytes read
    pub read_bytes: i64,
    /// ms waited for reads
    pub read_stall_ms: i64,
    /// writes
    pub writes: i64,
    /// bytes written
    pub write_bytes: i64,
    /// ms waited for writes
    pub write_stall_ms: i64,
    /// size
    pub size_bytes: i64,
    /// it grows by so much, bytes; None: by a tenth
    pub growth_bytes: Option<i64>,
    /// I/Os in flight
    pub pending_ios: i64,
    /// the oldest of them is so old, ms; None: there is none
    pub oldest_io_ms: Option<i64>,
}

/// The transaction log of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// database id
    pub database_id: i32,
    /// size
    pub size_kb: i64,
    /// in use
    pub used_kb: i64,
    /// size that it may reach; None: as its volume lets it
    pub max_kb: Option<i64>,
    /// path
    pub path: String,
    /// what keeps it from being used again
    pub waits_for: &'static str,
    /// virtual log files
    pub vlfs: i64,
    /// the last backup of it, ms since the simulator's start; None: there is none
    pub backup_ms: Option<i64>,
}

/// A file that grew by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// database id
    pub database_id: i32,
    /// logical name of the file
    pub name: String,
    /// a log, not data
    pub log: bool,
    /// when it began, ms since the simulator's start
    pub at_ms: i64,
    /// how long it took: logs are filled with zeros
    pub took_ms: i64,
    /// by so much
    pub bytes: i64,
}

/// Where a session of Extended Events keeps growths of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrowthSession {
    /// in a file
    File,
    /// in memory
    Memory,
}

/// A job, with its newest outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// job id
    pub id: [u8; 16],
    /// name
    pub name: String,
    /// number of the step that decided
    pub step_id: i32,
    /// its name
    pub step: &'static str,
    /// 0 failed, 1 succeeded
    pub run_status: i32,
    /// begin of the newest run, ms since the simulator's start
    pub ran_ms: i64,
    /// how long it took, s
    pub took_s: i64,
    /// message
    pub message: String,
}

const GB: i64 = 1 << 30;
/// Pages of a usual read.
const PAGES: f64 = 8.0;
/// The volume of data files.
const DATA_OF_LINUX: &str = "/var/opt/mssql/data";
const DATA_OF_WINDOWS: &str = "D:\\";
/// A data file that grows again and again has room for so many times.
const MOST_GROWTHS: i64 = 6;
/// The database whose log fills.
const FIRST_USER_DATABASE: i32 = 5;
/// The database whose log a sleeping session holds.
pub(super) const HELD_DATABASE: i32 = 6;

/// The id of a job.
pub fn job_id(profile: &Profile, name: &str) -> [u8; 16] {
    profile.dice.of(name).of("job").bytes()
}

impl Moment<'_> {
    /// Volumes; the log volume is the one that fills up.
    pub fn volumes(&self) -> Vec<Volume> {
        let p = self.profile;
        let mounts = if p.linux {
            [(DATA_OF_LINUX, "data"), ("/var/opt/mssql/log", "log"), ("/var/opt/mssql/tempdb", "tempdb")]
        } else {
            [(DATA_OF_WINDOWS, "Data"), ("L:\\", "Log"), ("T:\\", "TempDB")]
        };
        let data_gb = p.databases.iter().map(|d| d.size_mb).sum::<i64>() / 1024;
        let sizes_gb = [data_gb * 14 / 10 + 60, data_gb / 4 + 40, self.tempdb().size_kb / (1 << 20) * 2 + 20];
        mounts
            .into_iter()
            .zip(sizes_gb)
            .map(|((mount, label), size_gb)| {
                let dice = p.dice.of(mount);
                let total_bytes = size_gb * GB;
                // a slow wave over hours: backups and loads come and go
                let breath = (self.utc_ms() as f64 / 3.6e6 + dice.of("phase").between(0.0, 6.0)).sin() * 0.01;
                // What the files take is not free.
                let files_gb = match label {
                    "Log" | "log" => data_gb / 5,
                    "Data" | "data" => data_gb,
                    _ => self.tempdb().size_kb / (1 << 20),
                };
                let most = 1.0 - files_gb as f64 / size_gb as f64;
                let mut free = (dice.of("free").between(0.17, 0.55) + breath).min(most);
                if label.eq_ignore_ascii_case("log")
                    && let Some(a) = self.active(Kind::DiskFill)
                {
                    let target = a.amount.clamp(0.0, 99.0) / 100.0;
                    let part = (a.age_ms as f64 / 3.6e6).min(1.0);
                    free = (free + (target - free) * part.powf(0.4)).max(0.000_1);
                }
                let grown_bytes = if label == "Data" || label == "data" { self.grown_bytes() } else { 0 };
                Volume {
                    mount: mount.to_owned(),
                    label,
                    total_bytes,
                    free_bytes: ((total_bytes as f64 * free) as i64 - grown_bytes).max(GB / 4),
                }
            })
            .collect()
    }

    /// By how much the data file of the first user database grows at a time while it grows again and again: its volume has room for six.
    fn growth_bytes(&self) -> i64 {
        let p = self.profile;
        let mount = if p.linux { DATA_OF_LINUX } else { DATA_OF_WINDOWS };
        let data_gb = p.databases.iter().map(|d| d.size_mb).sum::<i64>() / 1024;
        let most = 1.0 - data_gb as f64 / (data_gb * 14 / 10 + 60) as f64;
        let free = p.dice.of(mount).of("free").between(0.17, 0.55).min(most);
        (((data_gb * 14 / 10 + 60) * GB) as f64 * free / 6.5) as i64 >> 20 << 20
    }

    /// So much it has grown.
    fn grown_bytes(&self) -> i64 {
        let Some(a) = self.active(Kind::Autogrowth) else { return 0 };
        let times = a.age_ms / (a.amount.max(1.0) * 1000.0) as i64;
        times.min(MOST_GROWTHS) * self.growth_bytes()
    }

    /// The files that grew since the service started, the newest first: the one that grows again and again, and on calm days now and
    /// then a log of a busy database.
    pub fn growths(&self) -> Vec<Growth> {
        const EVERY_MS: i64 = 36 * 3_600_000;
        let p = self.profile;
        let mut growths = Vec::new();
        for d in p.user_databases().iter().take(3) {
            let dice = p.dice.of("growth").of(&d.name);
            let age_ms = (self.utc_ms() + dice.whole(0, EVERY_MS)).rem_euclid(EVERY_MS);
            for n in 0..if dice.of("grows").chance(0.6) { 3 } else { 0 } {
                growths.push(Growth {
                    database_id: d.id,
                    name: format!("{}_log", d.name),
                    log: true,
                    at_ms: self.at_ms - age_ms - n * EVERY_MS,
                    took_ms: dice.at(n).whole(90, 700),
                    bytes: 64 << 20,
                });
            }
        }
        if let (Some(a), Some(d)) = (self.active(Kind::Autogrowth), p.user_databases().first()) {
            let every_ms = (a.amount.max(1.0) * 1000.0) as i64;
            let times = (a.age_ms / every_ms).min(MOST_GROWTHS);
            growths.extend((1..=times).map(|n| Growth {
                database_id: d.id,
                name: d.name.clone(),
                log: false,
                at_ms: self.at_ms - a.age_ms + n * every_ms,
                took_ms: p.dice.of("grown").at(n).whole(120, 2_400),
                bytes: self.growth_bytes(),
            }));
        }
        growths.retain(|growth| growth.at_ms >= self.started_ms());
        growths.sort_by_key(|growth| -growth.at_ms);
        growths
    }

    /// The default trace runs: on most servers nobody switched it off. A Managed Instance hands none out.
    pub fn has_default_trace(&self) -> bool {
        let is_off = self.profile.dice.of("default trace").chance(0.06);
        !is_off && self.profile.hosting != Hosting::ManagedInstance
    }

    /// The session of Extended Events that a DBA made for growths where no default trace tells of them: not everywhere.
    pub fn growth_session(&self) -> Option<GrowthSession> {
        if self.has_default_trace() {
            return None;
        }
        let is_made = self.profile.dice.of("growth session").chance(0.5);
        match self.profile.hosting {
            Hosting::ManagedInstance => Some(GrowthSession::Memory),
            _ => is_made.then_some(GrowthSession::File),
        }
    }

    /// The file that the default trace writes, and since when, ms since the simulator's start: it begins another one every day.
    pub fn trace_file(&self) -> (String, i64) {
        const EVERY_MS: i64 = 86_400_000;
        let p = self.profile;
        let phase = p.dice.of("trace file").whole(0, EVERY_MS);
        let (n, age_ms) = ((self.utc_ms() + phase) / EVERY_MS, (self.utc_ms() + phase).rem_euclid(EVERY_MS));
        let folder = if p.linux {
            "/var/opt/mssql/log/"
        } else {
            "C:\\Program Files\\Microsoft SQL Server\\MSSQL\\Log\\"
        };
        (format!("{folder}log_{n}.trc"), self.at_ms - age_ms)
    }

    /// Reads of the slow file beside the usual ones since the start, and what all of them took beyond the usual, ms.
    fn slow_reads(&self, share: f64) -> (i64, i64) {
        /// Reads a second that do not depend on how busy the instance is.
        const MORE: f64 = 8.0;
        let started_ms = self.started_ms();
        let (mut reads, mut ms) = (0.0, 0.0);
        for h in self.happenings().iter().filter(|h| h.kind == Kind::IoSlowFile) {
            for o in h.span.occurrences(started_ms, self.at_ms) {
                let from_ms = o.from_ms.max(started_ms);
                let to_ms = o.to_ms.min(self.at_ms).max(from_ms);
                let more = (to_ms - from_ms) as f64 / 1e3 * MORE;
                let pages = self.totals_between(from_ms, to_ms).get(Meter::PageReads) as f64 * share;
                reads += more;
                ms += (pages / PAGES + more) * h.amount;
            }
        }
        (reads as i64, ms as i64)
    }

    /// The data file and the log of every database: each has its share of the pages, of the log and of the waits for them, so
    /// that a file is slow where the instance waits for I/O.
    pub fn files(&self) -> Vec<File> {
        let p = self.profile;
        let weight = |name: &str| p.dice.of("file").of(name).skewed(1.0, 60.0);
        let sum: f64 = p.databases.iter().map(|d| weight(&d.name)).sum();
        let each = |d: &super::profile::Database| {
            let share = weight(&d.name) / sum.max(1.0);
            // tempdb is as large as what is said of its contents.
            let data_mb = if d.name == "tempdb" { self.tempdb().size_kb / 1024 } else { d.size_mb };
            [self.data_file(d.id, &d.name, data_mb, share), self.log_file(d.id, &d.name, d.size_mb, share)]
        };
        p.databases.iter().flat_map(each).collect()
    }

    /// The log of every database. That of the first user database fills where the scenario says so, and may not grow; that of the
    /// second one is held by a session that sleeps.
    pub fn logs(&self) -> Vec<Log> {
        let logs = self.files().into_iter().filter(|file| file.log);
        logs.map(|file| self.log(file)).collect()
    }

    fn log(&self, file: File) -> Log {
        let (id, size_kb) = (file.database_id, file.size_bytes >> 10);
        let fills = self.active(Kind::LogFill).filter(|_| id == FIRST_USER_DATABASE);
        let held = self.active(Kind::LogHold).filter(|_| id == HELD_DATABASE);
        let dice = self.profile.dice.of("log used").at(id.into());
        let calm = dice.between(0.02, 0.2);
        let used = fills.or(held).map_or(calm, |a| {
            let part = (a.age_ms as f64 / 300e3).min(1.0);
            calm + (a.amount.clamp(0.0, 99.9) / 100.0 - calm).max(0.0) * part
        });
        let is_simple = matches!(id, 1 | 2 | 4);
        let every_ms = 900_000;
        let backup_ms =
            self.at_ms - (self.utc_ms() + dice.of("backup").whole(0, every_ms)).rem_euclid(every_ms);
        let grown = size_kb >> 16;
        Log {
            database_id: id,
            size_kb,
            used_kb: (size_kb as f64 * used) as i64,
            max_kb: fills.map(|_| size_kb),
            path: file.path,
            waits_for: match fills.or(held) {
                Some(_) => "ACTIVE_TRANSACTION",
                None if is_simple => "NOTHING",
                None => "LOG_BACKUP",
            },
            vlfs: (4 + grown * if dice.of("vlfs").chance(0.1) { 90 } else { 4 }).min(6_000),
            backup_ms: (!is_simple).then_some(backup_ms),
        }
    }

    fn data_file(&self, database_id: i32, database: &str, size_mb: i64, share: f64) -> File {
        const PAGE: f64 = 8_192.0;
        let totals = self.totals();
        let part = |meter| totals.get(meter) as f64 * share;
        let (_, waited_ms, _) = totals.wait(Driver::Io, share, 1.0, 0.0);
        let folder = match (self.profile.linux, database == "tempdb") {
            (true, false) => "/var/opt/mssql/data/",
            (true, true) => "/var/opt/mssql/tempdb/",
            (false, false) => "D:\\Data\\",
            (false, true) => "T:\\TempDB\\",
        };
        let is_first = database_id == FIRST_USER_DATABASE;
        let (slow_reads, slow_ms) = if is_first { self.slow_reads(share) } else { (0, 0) };
        let is_slow = is_first && self.is(Kind::IoSlowFile);
        let flicker = self.profile.dice.of("pending").at(self.at_ms / 700);
        let grown_bytes = if is_first { self.grown_bytes() } else { 0 };
        let grows = if is_first && self.is(Kind::Autogrowth) { self.growth_bytes() } else { 256 << 20 };
        // Files of old servers still grow by a tenth.
        let by_a_tenth = database_id > 4 && self.profile.dice.of("growth").of(database).chance(0.2);
        let pending_ios = if is_slow { flicker.whole(9, 60) } else { flicker.whole(0, 2) };
        // Of many in flight one is late.
        let usual_ms = self.active(Kind::IoSlowFile).filter(|_| is_slow).map_or(6.0, |slow| slow.amount);
        let oldest_ms = (usual_ms * flicker.of("oldest").between(1.0, 2.0)) as i64;
        File {
            oldest_io_ms: (pending_ios > 0).then_some(oldest_ms),
            growth_bytes: (!by_a_tenth || grows != 256 << 20).then_some(grows),
            pending_ios,
            database_id,
            file_id: 1,
            name: database.to_owned(),
            log: false,
            path: format!("{folder}{database}.mdf"),
            reads: (part(Meter::PageReads) / PAGES) as i64 + slow_reads,
            read_bytes: (part(Meter::PageReads) * PAGE) as i64 + slow_reads * (PAGE * PAGES) as i64,
            read_stall_ms: waited_ms + slow_ms,
            writes: (part(Meter::PageWrites) / PAGES) as i64,
            write_bytes: (part(Meter::PageWrites) * PAGE) as i64,
            write_stall_ms: waited_ms / 6,
            size_bytes: (size_mb << 20) + grown_bytes,
        }
    }

    fn log_file(&self, database_id: i32, database: &str, size_mb: i64, share: f64) -> File {
        let part = |meter| (self.totals().get(meter) as f64 * share) as i64;
        let folder = if self.profile.linux { "/var/opt/mssql/log/" } else { "L:\\Log\\" };
        File {
            growth_bytes: Some(64 << 20),
            pending_ios: 0,
            oldest_io_ms: None,
            database_id,
            file_id: 2,
            name: format!("{database}_log"),
            log: true,
            path: format!("{folder}{database}_log.ldf"),
            reads: part(Meter::LogFlushes) / 900,
            read_bytes: part(Meter::LogBytes) / 900,
            read_stall_ms: part(Meter::LogFlushWait) / 450,
            writes: part(Meter::LogFlushes),
            write_bytes: part(Meter::LogBytes),
            write_stall_ms: part(Meter::LogFlushWait),
            size_bytes: (size_mb / 5).max(8) << 20,
        }
    }

    /// Agent jobs.
    pub fn jobs(&self) -> Vec<Job> {
        const JOBS: [(&str, &str, i64); 6] = [
            ("DBA - Backup full", "backup user databases", 86_400),
            ("DBA - Backup log", "backup logs", 900),
            ("DBA - Index maintenance", "rebuild what is worth it", 86_400),
            ("DBA - CHECKDB", "check user databases", 7 * 86_400),
            ("Load warehouse", "load increment", 3_600),
            ("Purge history", "delete old rows", 86_400),
        ];
        let failed = self.active(Kind::FailedJob);
        JOBS.iter()
            .enumerate()
            .map(|(n, &(name, step, every_s))| {
                let dice: Dice = self.profile.dice.of(name);
                let every_ms = every_s * 1000;
                let age_ms = (self.utc_ms() + dice.whole(0, every_ms)).rem_euclid(every_ms);
                let failed = failed.filter(|_| n == 4);
                Job {
                    id: job_id(self.profile, name),
                    name: name.to_owned(),
                    step_id: 1,
                    step,
                    run_status: i32::from(failed.is_none()),
                    ran_ms: self.at_ms - failed.map_or(age_ms, |f| f.age_ms),
                    took_s: dice.of("took").whole(2, 900),
                    message: failed.map_or_else(
                        || "The step succeeded.".to_owned(),
                        |_| {
                            "Executed as user: ACME\\etl. Violation of PRIMARY KEY constraint 'PK_Increment'. Cannot insert \
                             duplicate key in object 'stage.Increment'. The duplicate key value is (4711). [SQLSTATE 23000] \
                             (Error 2627)  The statement has been terminated. [SQLSTATE 01000] (Error 3621).  The step failed."
                                .to_owned()
                        },
                    ),
                }
            })
            .collect()
    }
}
