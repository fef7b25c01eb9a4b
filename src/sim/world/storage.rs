//! Volumes and Agent jobs, which change slowly.

use super::{dice::Dice, moment::Moment, profile::Profile};
use crate::sim::scenario::Kind;

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

/// The id of a job.
pub fn job_id(profile: &Profile, name: &str) -> [u8; 16] {
    profile.dice.of(name).of("job").bytes()
}

impl Moment<'_> {
    /// Volumes; the log volume is the one that fills up.
    pub fn volumes(&self) -> Vec<Volume> {
        let p = self.profile;
        let mounts = if p.linux {
            [
                ("/var/opt/mssql/data", "data"),
                ("/var/opt/mssql/log", "log"),
                ("/var/opt/mssql/tempdb", "tempdb"),
            ]
        } else {
            [("D:\\", "Data"), ("L:\\", "Log"), ("T:\\", "TempDB")]
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
                let mut free = dice.of("free").between(0.17, 0.55) + breath;
                if label.eq_ignore_ascii_case("log")
                    && let Some(a) = self.active(Kind::DiskFill)
                {
                    let target = a.amount.clamp(0.0, 99.0) / 100.0;
                    let part = (a.age_ms as f64 / 3.6e6).min(1.0);
                    free = (free + (target - free) * part.powf(0.4)).max(0.000_1);
                }
                Volume {
                    mount: mount.to_owned(),
                    label,
                    total_bytes,
                    free_bytes: (total_bytes as f64 * free) as i64,
                }
            })
            .collect()
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
