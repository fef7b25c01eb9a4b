//! `dbtop healthcheck`: whether a fleet's collector does its work, in the form of a Nagios plug-in: one line, figures behind a
//! bar, and the exit code 0 (ok), 1 (warning), 2 (critical) or 3 (could not tell). Reads files only, as `status` does.

use super::{invocation::Invocation, output::print};
use crate::{
    app::attach::{
        heartbeat::{Heartbeat, Standing},
        lock::Held,
        run_folder::RunFolder,
        seen::{FRESH_MS, STARTS_WITHIN_MS, Seen},
    },
    cli::{Healthcheck, Report},
    model::base::{error::with_causes, figure},
};
use serde::Serialize;
use std::{path::Path, process::ExitCode};

/// Age of a beat from which on the collector hangs for good, ms.
const HANGS_MS: u64 = 30_000;

/// The result of a check. The number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Worse is greater. Unknown is worse than a warning only if nothing is known.
    const fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Unknown => 1,
            Self::Warning => 2,
            Self::Critical => 3,
        }
    }

    /// A check of a figure for which more is worse.
    fn above(value: f64, warning: f64, critical: f64) -> Self {
        match value {
            v if v >= critical => Self::Critical,
            v if v >= warning => Self::Warning,
            _ => Self::Ok,
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Check {
    name: &'static str,
    status: Verdict,
    words: String,
    /// figure with its unit, as it is drawn
    #[serde(skip_serializing_if = "Option::is_none")]
    figure: Option<Figure>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Figure {
    value: f64,
    unit: &'static str,
    warning: f64,
    critical: f64,
}

impl Check {
    fn new(name: &'static str, status: Verdict, words: impl Into<String>) -> Self {
        Self { name, status, words: words.into(), figure: None }
    }
}

/// All checks together.
#[derive(Debug, Serialize)]
struct Answer {
    status: Verdict,
    fleet: String,
    checks: Vec<Check>,
}

/// Runs all checks and prints them.
///
/// # Errors
/// The output cannot be written. Everything else is a result.
pub fn run(args: Healthcheck, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let answer = match RunFolder::find(&invocation.selection).and_then(Seen::look) {
        Ok(seen) => judge(&args, &seen),
        Err(error) => Answer {
            status: Verdict::Unknown,
            fleet: String::new(),
            checks: vec![Check::new("collector", Verdict::Unknown, with_causes(&*error))],
        },
    };
    let text = match args.output {
        Report::Text => words(&answer),
        Report::Json => serde_json::to_string_pretty(&answer)? + "\n",
    };
    print(&text)?;
    Ok(ExitCode::from(answer.status as u8))
}

fn judge(args: &Healthcheck, seen: &Seen) -> Answer {
    let checks =
        vec![collector(seen), poll(args, seen), lag(args, seen), store(seen), disk(args, &seen.place.folder)];
    let worst = checks.iter().map(|check| check.status).max_by_key(|status| status.rank());
    Answer { status: worst.unwrap_or(Verdict::Unknown), fleet: seen.place.title.clone(), checks }
}

fn collector(seen: &Seen) -> Check {
    let says = |status, words: String| Check::new("collector", status, words);
    if !seen.is_held() {
        return says(Verdict::Critical, format!("no collector runs ({})", seen.word()));
    }
    if let Held::By(Some(holder)) = &seen.held
        && holder.screen
    {
        let words = format!("no collector runs: the screen of process {} polls while it is open", holder.pid);
        return says(Verdict::Warning, words);
    }
    if let Some(disk) = seen.is_mute() {
        let pid = seen.living_beat().map_or_else(String::new, |beat| format!(" of pid {}", beat.pid));
        let words = format!("{}: the collector{pid} cannot say how it is", disk.sign());
        return says(Verdict::Critical, words);
    }
    let Some(beat) = seen.living_beat() else {
        let hangs = seen.held_for_ms() > STARTS_WITHIN_MS;
        let status = if hangs { Verdict::Critical } else { Verdict::Warning };
        return says(status, "a collector runs and has not said anything yet".to_owned());
    };
    let age = seen.beat_age_ms().unwrap_or_default();
    let since = seen.held_for_ms();
    match beat.standing {
        _ if age > FRESH_MS => {
            let status = if age > HANGS_MS { Verdict::Critical } else { Verdict::Warning };
            says(status, format!("pid {} has not said anything for {}", beat.pid, figure::wait(age as f64)))
        }
        Standing::Waiting => says(Verdict::Warning, format!("pid {} waits: {}", beat.pid, beat.words)),
        Standing::Starting if since > STARTS_WITHIN_MS => says(
            Verdict::Warning,
            format!("pid {} has been starting for {}", beat.pid, figure::wait(since as f64)),
        ),
        _ => says(
            Verdict::Ok,
            format!(
                "{} with pid {}, {}/{} up",
                beat.standing.name(),
                beat.pid,
                beat.instances.up,
                beat.instances.total
            ),
        ),
    }
}

/// The newest good poll of any instance: a single instance that is down is not the collector's fault.
fn poll(args: &Healthcheck, seen: &Seen) -> Check {
    let Some(beat) = seen.telling_beat() else { return not_known("poll") };
    if beat.instances.total == 0 {
        return Check::new("poll", Verdict::Ok, "there is nothing to poll");
    }
    let age = beat.newest_poll_age_ms(seen.at);
    let age_s = age.unwrap_or_else(|| seen.held_for_ms()) as f64 / 1000.0;
    let (warning, critical) = (f64::from(args.poll_warning), f64::from(args.poll_critical));
    let words = match age {
        Some(_) => format!("newest poll {} ago", figure::wait(age_s * 1000.0)),
        None => format!("no good poll since the start {} ago", figure::wait(age_s * 1000.0)),
    };
    Check {
        figure: Some(Figure { value: age_s, unit: "s", warning, critical }),
        ..Check::new("poll", Verdict::above(age_s, warning, critical), words)
    }
}

fn lag(args: &Healthcheck, seen: &Seen) -> Check {
    let Some(beat) = seen.telling_beat() else { return not_known("lag") };
    let store_ms = beat.store.as_ref().map_or(0, |store| store.lag_ms);
    let lag_s = store_ms.max(beat.lag_ms.into()) as f64 / 1000.0;
    let (warning, critical) = (f64::from(args.lag_warning), f64::from(args.lag_critical));
    let words = if store_ms > u64::from(beat.lag_ms) {
        format!("the store is {} behind", figure::wait(lag_s * 1000.0))
    } else {
        format!("polls start {} late", figure::wait(lag_s * 1000.0))
    };
    Check {
        figure: Some(Figure { value: lag_s, unit: "s", warning, critical }),
        ..Check::new("lag", Verdict::above(lag_s, warning, critical), words)
    }
}

fn store(seen: &Seen) -> Check {
    let says = |status, words: &str| Check::new("store", status, words);
    if seen.place.folder.exists() && !can_write(&seen.place.folder) {
        return says(Verdict::Critical, "its folder cannot be written");
    }
    match seen.telling_beat().map(|beat: &Heartbeat| beat.store.as_ref()) {
        None => not_known("store"),
        Some(None) => says(Verdict::Ok, "nothing is kept"),
        Some(Some(store)) => match (store.writable, &store.problem) {
            (false, problem) => says(Verdict::Critical, problem.as_deref().unwrap_or("it cannot be written")),
            (true, Some(problem)) => says(Verdict::Warning, problem),
            (true, None) => says(Verdict::Ok, "it is written"),
        },
    }
}

fn disk(args: &Healthcheck, folder: &Path) -> Check {
    let Some((free_pct, what)) = free(folder) else { return not_known("disk") };
    let (warning, critical) = (f64::from(args.disk_warning), f64::from(args.disk_critical));
    // Less is worse.
    let status = Verdict::above(-free_pct, -warning, -critical);
    Check {
        figure: Some(Figure { value: free_pct, unit: "%", warning, critical }),
        ..Check::new("disk", status, format!("{free_pct:.0} % of the {what} free"))
    }
}

fn not_known(name: &'static str) -> Check {
    Check::new(name, Verdict::Unknown, "not known")
}

/// What the file system has left for users other than root, %: room or inodes, whichever is less.
#[cfg(unix)]
fn free(folder: &Path) -> Option<(f64, &'static str)> {
    let stat = rustix::fs::statvfs(folder).ok().filter(|stat| stat.f_blocks > 0)?;
    scarcest((stat.f_blocks, stat.f_bavail), (stat.f_files, stat.f_favail))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<(f64, &'static str)> {
    None
}

/// Of room and inodes, each as what there is and what is free, the one of which less is left. A file system may count no inodes.
#[cfg(unix)]
fn scarcest(blocks: (u64, u64), inodes: (u64, u64)) -> Option<(f64, &'static str)> {
    let share = |(all, free): (u64, u64), what| (all > 0).then(|| (free as f64 / all as f64 * 100.0, what));
    let both = [share(blocks, "disk"), share(inodes, "inodes of the disk")];
    both.into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0))
}

#[cfg(unix)]
fn can_write(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn can_write(_: &Path) -> bool {
    true
}

/// `DBTOP OK: …, … | poll=2s;120;300 …`: worst first, so that a line that is cut still shows it.
fn words(answer: &Answer) -> String {
    let mut checks: Vec<&Check> = answer.checks.iter().filter(|c| c.status != Verdict::Unknown).collect();
    if checks.is_empty() {
        checks = answer.checks.iter().collect();
    }
    checks.sort_by_key(|check| std::cmp::Reverse(check.status.rank()));
    let said: Vec<String> = checks.iter().map(|c| c.words.replace('|', "/")).collect();
    let figures: Vec<String> = answer
        .checks
        .iter()
        .filter_map(|check| check.figure.as_ref().map(|figure| (check.name, figure)))
        .map(|(name, f)| {
            // Free space is bad below its limits: `N:` in the plug-ins' words.
            let below = if f.unit == "%" { ":" } else { "" };
            format!("{name}={:.1}{};{}{below};{}{below}", f.value, f.unit, f.warning, f.critical)
        })
        .collect();
    let bar = if figures.is_empty() { String::new() } else { format!(" | {}", figures.join(" ")) };
    let fleet = if answer.fleet.is_empty() { String::new() } else { format!(" {}", answer.fleet) };
    format!("DBTOP{fleet} {}: {}{bar}\n", answer.status.word(), said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{attach::heartbeat::StoreFigures, attach::lock::Holder, clock},
        model::base::time::Timestamp,
        store::disk::DiskTrouble,
    };

    /// A collector of this process that polls two instances, seen by now's clock plus so much.
    fn seen(ahead_ms: i64) -> Seen {
        let holder = Holder::this_process(false);
        let mut beat = Heartbeat::first(&holder, "acme");
        beat.stamp();
        beat.standing = Standing::Collecting;
        (beat.instances.total, beat.instances.up) = (2, 2);
        beat.newest_poll_ms = Some(beat.written_ms);
        beat.newest_poll_up_ms = beat.written_up_ms;
        let folder = std::env::temp_dir();
        Seen {
            place: RunFolder { folder, title: "acme".to_owned(), name: "tenant-acme".to_owned() },
            held: Held::By(Some(holder)),
            beat: Some(beat),
            disk: None,
            at: clock::now().plus_ms(ahead_ms),
        }
    }

    const ARGS: Healthcheck = Healthcheck {
        output: Report::Text,
        poll_warning: 120,
        poll_critical: 300,
        lag_warning: 5,
        lag_critical: 30,
        disk_warning: 10,
        disk_critical: 5,
    };

    fn long_ago(seen: &mut Seen, ms: i64) {
        let Held::By(Some(holder)) = &mut seen.held else { panic!("held") };
        // Of before the system was started again: only the wall clock tells.
        (holder.started_ms, holder.boot) = (holder.started_ms - ms, None);
    }

    #[test]
    fn without_any_good_poll_the_time_since_the_start_counts() {
        for (ms, status) in [(0, Verdict::Ok), (130_000, Verdict::Warning), (400_000, Verdict::Critical)] {
            let mut seen = seen(0);
            seen.beat.as_mut().unwrap().newest_poll_ms = None;
            long_ago(&mut seen, ms);
            let check = poll(&ARGS, &seen);
            assert_eq!(check.status, status, "{}", check.words);
            assert!(check.words.starts_with("no good poll since the start"), "{}", check.words);
        }
        let mut seen = seen(0);
        seen.beat.as_mut().unwrap().instances.total = 0;
        assert_eq!(poll(&ARGS, &seen).status, Verdict::Ok);
    }

    #[test]
    fn the_longer_of_both_lags_is_told_as_what_it_is() {
        for (polls, store_ms, status, words) in [
            (1_000, 0, Verdict::Ok, "polls start 1.0 s late"),
            (1_000, 6_000, Verdict::Warning, "the store is 6.0 s behind"),
            (7_000, 40_000, Verdict::Critical, "the store is 40 s behind"),
            (40_000, 6_000, Verdict::Critical, "polls start 40 s late"),
        ] {
            let mut seen = seen(0);
            let beat = seen.beat.as_mut().unwrap();
            beat.lag_ms = polls;
            beat.store = Some(StoreFigures { writable: true, lag_ms: store_ms, ..StoreFigures::default() });
            let check = lag(&ARGS, &seen);
            assert_eq!((check.status, &*check.words), (status, words));
        }
    }

    #[test]
    fn a_collector_may_take_a_minute_to_start_and_no_longer() {
        let told = |held_ms: i64, standing: Option<Standing>| {
            let mut seen = seen(0);
            match standing {
                Some(standing) => seen.beat.as_mut().unwrap().standing = standing,
                None => seen.beat = None,
            }
            long_ago(&mut seen, held_ms);
            let check = collector(&seen);
            (check.status, check.words)
        };
        let silent = "a collector runs and has not said anything yet";
        assert_eq!(told(0, None), (Verdict::Warning, silent.to_owned()));
        assert_eq!(told(70_000, None), (Verdict::Critical, silent.to_owned()));
        let (status, words) = told(0, Some(Standing::Starting));
        assert!(status == Verdict::Ok && words.starts_with("starting with pid"), "{words}");
        let (status, words) = told(70_000, Some(Standing::Starting));
        assert!(status == Verdict::Warning && words.contains("has been starting for 1m10s"), "{words}");
        let (status, words) = told(70_000, Some(Standing::Collecting));
        assert!(status == Verdict::Ok && words.ends_with("2/2 up"), "{words}");
        let (status, words) = told(0, Some(Standing::Waiting));
        assert!(status == Verdict::Warning && words.contains("waits"), "{words}");
    }

    #[test]
    fn without_a_collector_it_is_critical_and_with_a_screen_instead_a_warning() {
        let mut seen = seen(0);
        seen.held = Held::By(Some(Holder::this_process(true)));
        let check = collector(&seen);
        assert_eq!(check.status, Verdict::Warning);
        assert!(check.words.contains("the screen of process"), "{}", check.words);
        seen.held = Held::Free;
        let check = collector(&seen);
        assert_eq!(check.status, Verdict::Critical);
        assert!(check.words.starts_with("no collector runs"), "{}", check.words);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_beat_of_ten_seconds_is_late_and_one_of_thirty_hangs() {
        let told = |ms: u64| {
            let mut seen = seen(0);
            let beat = seen.beat.as_mut().unwrap();
            beat.written_up_ms = beat.written_up_ms.map(|up| up.saturating_sub(ms));
            let check = collector(&seen);
            (check.status, check.words.contains("has not said anything for"))
        };
        assert_eq!(told(5_000), (Verdict::Ok, false));
        assert_eq!(told(15_000), (Verdict::Warning, true));
        assert_eq!(told(40_000), (Verdict::Critical, true));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_step_of_the_clock_is_no_age() {
        let days = 20 * 86_400_000;
        for ahead in [days, -days, 7_200_000, -7_200_000] {
            let seen = seen(ahead);
            let found = judge(&ARGS, &seen);
            let told = |name: &str| found.checks.iter().find(|c| c.name == name).map(|c| c.status);
            assert_eq!((told("collector"), told("poll")), (Some(Verdict::Ok), Some(Verdict::Ok)), "{ahead}");
            assert_eq!(seen.word(), "collecting");
        }
        // And one that hangs is seen to hang although the clock went back.
        let mut seen = seen(-days);
        let beat = seen.beat.as_mut().unwrap();
        let old = |up: Option<u64>| up.map(|up| up.saturating_sub(400_000));
        (beat.written_up_ms, beat.newest_poll_up_ms) = (old(beat.written_up_ms), old(beat.newest_poll_up_ms));
        assert_eq!(collector(&seen).status, Verdict::Critical);
        assert_eq!(poll(&ARGS, &seen).status, Verdict::Critical);
        assert_eq!(seen.word(), "hangs");
    }

    #[test]
    #[cfg(unix)]
    fn a_disk_with_room_and_no_inodes_is_not_well() {
        assert_eq!(scarcest((1_000, 500), (1_000, 0)), Some((0.0, "inodes of the disk")));
        assert_eq!(scarcest((1_000, 500), (1_000, 900)), Some((50.0, "disk")));
        assert_eq!(scarcest((1_000, 500), (0, 0)), Some((50.0, "disk")), "btrfs counts none");
        for trouble in [DiskTrouble::Inodes, DiskTrouble::Quota, DiskTrouble::FileSize] {
            let mut seen = seen(0);
            let words = format!("writing the history: {}", trouble.words());
            let store = StoreFigures { writable: false, problem: Some(words), ..StoreFigures::default() };
            seen.beat.as_mut().unwrap().store = Some(store);
            let found = judge(&ARGS, &seen);
            assert_eq!(found.status, Verdict::Critical);
            assert!(super::words(&found).contains(trouble.words()), "{}", super::words(&found));
        }
    }

    #[test]
    fn on_a_full_disk_an_old_beat_says_nothing_about_now() {
        let mut seen = seen(0);
        seen.disk = Some(DiskTrouble::Full);
        assert_eq!((collector(&seen).status, seen.word()), (Verdict::Ok, "collecting"), "it says so still");
        let beat = seen.beat.as_mut().unwrap();
        (beat.written_ms, beat.boot) = (Timestamp::from_ms(beat.written_ms).plus_ms(-600_000).ms(), None);
        let found = judge(&ARGS, &seen);
        assert_eq!((found.status, seen.word()), (Verdict::Critical, "disk full"));
        let words = words(&found);
        assert!(words.contains("disk full: the collector of pid"), "{words}");
        assert!(!words.contains("newest poll") && !words.contains("has not said"), "{words}");
    }

    #[test]
    fn the_worst_is_said_first_and_gives_the_exit_code() {
        let disk = Check {
            figure: Some(Figure { value: 42.0, unit: "%", warning: 10.0, critical: 5.0 }),
            ..Check::new("disk", Verdict::Ok, "42 % of the disk free")
        };
        let answer = Answer {
            status: Verdict::Critical,
            fleet: "acme".to_owned(),
            checks: vec![
                Check::new("collector", Verdict::Ok, "fine"),
                not_known("lag"),
                Check::new("store", Verdict::Critical, "full | really"),
                disk,
            ],
        };
        assert_eq!(
            words(&answer),
            "DBTOP acme CRITICAL: full / really, fine, 42 % of the disk free | disk=42.0%;10:;5:\n"
        );
        assert_eq!(Verdict::above(-4.0, -10.0, -5.0), Verdict::Critical);
        assert_eq!(Verdict::above(-42.0, -10.0, -5.0), Verdict::Ok);
        assert_eq!(Verdict::above(120.0, 120.0, 300.0), Verdict::Warning);
    }

    #[test]
    fn only_a_folder_that_is_there_and_cannot_be_written_is_critical() {
        let mut seen = seen(0);
        assert_eq!(store(&seen), Check::new("store", Verdict::Ok, "nothing is kept"));
        seen.place.folder.push("no-folder-of-dbtop");
        assert_eq!(store(&seen), Check::new("store", Verdict::Ok, "nothing is kept"));
    }
}
