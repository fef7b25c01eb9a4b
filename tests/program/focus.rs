//! What is on a screen that follows a collector is polled at the pace of the screen, by the collector, for as long as it is looked
//! at. The real program as a service and in a pseudo-terminal, over a simulated fleet in another process; how fast an instance
//! was polled is read from the history that they share.
#![cfg(target_os = "linux")]

use crate::harness::{
    Home, PATIENCE,
    process::{SimProcess, dbtop, signal},
    screen::Screen,
};
use dbtop::{
    model::{base::time::Timestamp, poll::id::ProbeId, timeline::record::Recorded},
    store::history::Reader,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

const LOOKED_AT: &str = "sqlprd-002";
const OTHER: &str = "sqlprd-001";
/// The pace of the fleet, and that of the screen, ms.
const SLOW: u32 = 30_000;
const FAST: u32 = 2_000;

/// A fleet of three, a collector, and where both keep what they know.
struct Scene {
    collector: Child,
    sim: SimProcess,
    home: Home,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.collector.kill();
        let _ = self.collector.wait();
    }
}

impl Scene {
    fn new() -> Self {
        let sim = SimProcess::start(3, 0, None);
        let home = Home::new();
        let mut command = dbtop(&["collect", "--inventory", &sim.inventory()], &home);
        // Nothing but a screen makes an instance's polls faster.
        command.env("DBTOP_COLLECT_RECORDER_INSTANCES", "0");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let collector = command.spawn().expect("starting a collector");
        let scene = Self { collector, sim, home };
        scene.until("it is polled", &mut [], |scene| scene.pace(LOOKED_AT) == Some(SLOW));
        scene
    }

    /// A screen that follows the collector and has the instance on it.
    fn screen(&self) -> Screen {
        let mut s = Screen::start(&["--inventory", &self.sim.inventory()], 160, 40, &self.home);
        s.until_shows(&format!("attached · collector pid {}, 3/3", self.collector.id()));
        s.until("the fleet", |text| text.contains(LOOKED_AT) && text.contains("3/3 polled"));
        s.keys(format!(":{LOOKED_AT}\r").as_bytes());
        s.until_shows("polled every ");
        s
    }

    /// Meanwhile the screens are read: one whose terminal is full stands still.
    #[track_caller]
    fn until(&self, what: &str, screens: &mut [&mut Screen], holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            for s in &mut *screens {
                s.run_for(Duration::from_millis(100));
            }
            assert!(
                started.elapsed() < PATIENCE,
                "waited in vain until {what}: {:?}",
                self.readings(LOOKED_AT)
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// When its counters were read in this test, and the interval of then, ms; told with it: the interval that holds now.
    fn readings(&self, uid: &str) -> (Vec<(Timestamp, u32)>, Option<u32>) {
        let (mut readings, mut pace) = (Vec::new(), None);
        let Some(file) = find(&self.home.path(), "history.db") else { return (readings, pace) };
        // The writer may be about to make it.
        let Ok(mut reader) = Reader::open(&file, None) else { return (readings, pace) };
        let all = reader
            .states()
            .between(&Arc::from(uid), Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX))
            .expect("a history that can be read");
        for kept in all.kept {
            match kept.what {
                Recorded::Reading { probe: ProbeId::Headline, every_ms, .. } => {
                    readings.push((kept.at, every_ms));
                    pace = Some(every_ms);
                }
                Recorded::Pace { probe: ProbeId::Headline, every_ms } => pace = Some(every_ms),
                _ => {}
            }
        }
        (readings, pace)
    }

    fn pace(&self, uid: &str) -> Option<u32> {
        self.readings(uid).1
    }

    /// What lies in the fleet's folder because of screens.
    fn wishes(&self) -> Vec<PathBuf> {
        let folder = self.folder();
        let all = crate::harness::names(&folder).into_iter().filter(|name| name.starts_with("focus."));
        all.map(|name| folder.join(name)).collect()
    }

    fn folder(&self) -> PathBuf {
        let lock = find(&self.home.path(), "collector.lock").expect("a collector");
        lock.parent().expect("a folder").to_owned()
    }
}

/// The file of this name somewhere below.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let here = entries.iter().find(|path| path.file_name().is_some_and(|found| found == name));
    here.cloned().or_else(|| entries.iter().filter(|path| path.is_dir()).find_map(|below| find(below, name)))
}

#[test]
fn the_collector_polls_faster_what_a_screen_looks_at_until_it_looks_elsewhere_or_ends() {
    let scene = Scene::new();
    let mut s = scene.screen();
    // F12: what this process asked the servers for itself.
    s.keys(b"\x1b[24~");
    s.until("it polled nothing by itself", |text| text.contains("polls             0 ok"));
    s.keys(b"\x1b[24~");
    let fast = |scene: &Scene| {
        let readings = scene.readings(LOOKED_AT).0;
        readings.iter().filter(|(_, every_ms)| *every_ms == FAST).count()
    };
    // At the fleet's pace these took two minutes.
    scene.until("its readings come fast", &mut [&mut s], |scene| fast(scene) >= 4);
    assert_eq!(scene.pace(OTHER), Some(SLOW), "nobody looks at it");
    let files = scene.wishes();
    assert_eq!(files.len(), 1, "{files:?}");
    let said = fs::read_to_string(&files[0]).expect("what the screen asks for");
    assert!(said.contains(LOOKED_AT) && !said.contains("127.0.0.1") && !said.contains(OTHER), "{said}");
    s.until_shows("polled every 2s");

    s.keys(b"\x1b");
    scene.until("the list of the fleet asks for nothing", &mut [&mut s], |scene| {
        scene.pace(LOOKED_AT) == Some(SLOW)
    });
    assert!(scene.wishes().is_empty());

    // Two look at it: it goes on while one of them does.
    s.keys(format!(":{LOOKED_AT}\r").as_bytes());
    let mut two = scene.screen();
    scene.until("both ask", &mut [&mut s, &mut two], |scene| {
        scene.wishes().len() == 2 && scene.pace(LOOKED_AT) == Some(FAST)
    });
    two.keys(b"\x03");
    two.until_shows("Ctrl-c again quits");
    two.keys(b"\x03");
    assert_eq!(two.ended(), 0);
    let before = fast(&scene);
    scene.until("the other one still asks", &mut [&mut s], |scene| {
        scene.wishes().len() == 1 && fast(scene) >= before + 3
    });

    signal(s.pid(), "KILL");
    scene.until("nobody asks", &mut [], |scene| scene.pace(LOOKED_AT) == Some(SLOW));
    scene.until("what was left behind is swept", &mut [], |scene| scene.wishes().is_empty());
}

#[test]
fn garbage_and_what_nobody_holds_changes_no_pace_and_stops_no_collector() {
    let scene = Scene::new();
    let folder = scene.folder();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("writing a file");
        path
    };
    let wish = format!("{{\"uids\":[\"{LOOKED_AT}\"]}}");
    let left = file("focus.1.killed", wish.as_bytes());
    let held: Vec<File> = [
        file("focus.2.garbage", b"\x00\xff\x1b[2J{"),
        file("focus.3.long", format!("{{\"uids\":[\"{}\"]}}", "x".repeat(1 << 20)).as_bytes()),
        file("focus.4.strange", b"{\"uids\":[\"no-such-instance\"]}"),
    ]
    .iter()
    .map(|path| File::open(path).expect("opening a file"))
    .collect();
    for file in &held {
        file.try_lock().expect("a lock");
    }
    fs::create_dir(folder.join("focus.5.folder")).expect("a folder");
    let old = File::options().write(true).open(&left).expect("opening a file");
    old.set_modified(SystemTime::now() - Duration::from_mins(1)).expect("setting a time");
    scene.until("what is old is swept", &mut [], |_| !left.exists());
    let before = scene.readings(OTHER).0.len();
    scene.until("it goes on polling", &mut [], |scene| scene.readings(OTHER).0.len() > before);
    let paces: Vec<u32> = scene.readings(LOOKED_AT).0.into_iter().map(|(_, every_ms)| every_ms).collect();
    assert!(paces.iter().all(|every_ms| *every_ms == SLOW), "{paces:?}");
    // A screen beside all that is heard.
    let mut s = scene.screen();
    scene.until("the screen is heard", &mut [&mut s], |scene| scene.pace(LOOKED_AT) == Some(FAST));
}
