//! The configuration while the program runs: read again when its file changes, and when somebody asks for it with SIGHUP (if
//! the terminal is gone, SIGHUP means the end: [`super::signals`]). A file with an error changes nothing. The session has one
//! [`Reloader`] and asks it what is [`next`](Reloader::next).

use super::configuration::{ConfigFile, Given, read};
use crate::config::{Config, ConfigError, Invalid, Origin, Read};
use std::{
    path::Path,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

/// How often the file is checked.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Time without a change before the file is read: an editor may write it in several steps.
const DEBOUNCE: Duration = Duration::from_secs(2);
/// Most options that a message names.
const NAMED: usize = 4;

/// Options that cannot change while the program runs.
const FIXED: [&str; 5] =
    ["log.folder", "log.format", "log.keep_days", "metrics.listen", "metrics.allow_remote"];

/// True for an option that counts from the next start only.
pub fn waits_for_start(option: &str) -> bool {
    FIXED.contains(&option)
}

/// The outcome of a reload.
#[derive(Debug, Clone, PartialEq)]
pub enum Reload {
    /// this is in force from now on
    Changed {
        /// all of it
        config: Box<Config>,
        /// the options that are not what they were
        options: Vec<String>,
    },
    /// nothing changed
    Same,
    /// the old one stays in force; why
    Refused(String),
}

impl Reload {
    /// In one line, for the screen and the log.
    pub fn words(&self) -> String {
        match self {
            Self::Same => "configuration read again: nothing changed".to_owned(),
            Self::Refused(why) => format!("{why}: the configuration stays as it was"),
            Self::Changed { options, .. } => {
                let (fixed, live): (Vec<_>, Vec<_>) =
                    options.iter().map(String::as_str).partition(|option| waits_for_start(option));
                let mut words = "configuration read again".to_owned();
                for (names, what) in [(live, ": "), (fixed, "; at the next start: ")] {
                    if !names.is_empty() {
                        words.push_str(what);
                        words.push_str(&few(&names));
                    }
                }
                words
            }
        }
    }
}

fn few(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A further check of a configuration, such as that its theme exists.
pub type Check = fn(&Read) -> Option<Invalid>;

/// Watches the configuration's file.
pub struct Reloader {
    place: Option<ConfigFile>,
    given: Given,
    check: Check,
    /// what is in force
    config: Config,
    /// how the file looked last
    seen: Option<Look>,
    /// it looks different since then, and was not read yet
    changed: Option<Instant>,
    /// see [`super::signals::listen_for_reload`]
    wishes: mpsc::Receiver<()>,
}

/// The marks of a file that change with its content, read without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    modified: Option<SystemTime>,
    size_bytes: u64,
    /// a file that was put in the place of another
    inode: u64,
}

impl Reloader {
    /// Reads the configuration for the first time.
    ///
    /// # Errors
    /// All errors in it.
    pub fn open(given: &Given, check: Check, wishes: mpsc::Receiver<()>) -> Result<Self, ConfigError> {
        let place = ConfigFile::find(given);
        // Before it is read, so that no change falls in between.
        let seen = place.as_ref().and_then(|place| look(&place.file));
        let config = take(place.as_ref(), given, check).map_err(ConfigError::Invalid)?;
        Ok(Self { place, given: given.clone(), check, config, seen, changed: None, wishes })
    }

    /// The configuration in force.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// File, command line and check, by which it reads.
    pub fn reads(&self) -> (Option<ConfigFile>, Given, Check) {
        (self.place.clone(), self.given.clone(), self.check)
    }

    /// Waits for a change of the file or a request, and reads it. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Reload {
        loop {
            tokio::select! {
                biased;
                Some(()) = self.wishes.recv() => {
                    self.look().await;
                    self.changed = None;
                    return self.read().await;
                }
                () = sleep(LOOK_EVERY) => {}
            }
            if self.look().await {
                self.changed = Some(Instant::now());
            } else if self.changed.is_some_and(|at| at.elapsed() >= DEBOUNCE) {
                self.changed = None;
                return self.read().await;
            }
        }
    }

    /// True if the file looks different from when this was asked last.
    async fn look(&mut self) -> bool {
        let Some(file) = self.place.as_ref().map(|place| place.file.clone()) else { return false };
        // The file may be on a slow network drive.
        let Ok(now) = tokio::task::spawn_blocking(move || look(&file)).await else { return false };
        let is_new = now != self.seen;
        self.seen = now;
        is_new
    }

    async fn read(&mut self) -> Reload {
        if let (None, Some(place)) = (&self.seen, &self.place)
            && (place.named || self.config != Config::default())
        {
            // At the start a missing file means the defaults. Here it is more likely being replaced.
            return Reload::Refused(format!("{} is gone", place.file.display()));
        }
        let (place, given, check) = (self.place.clone(), self.given.clone(), self.check);
        let reading = tokio::task::spawn_blocking(move || take(place.as_ref(), &given, check));
        match reading.await {
            Ok(Ok(config)) => {
                let options = differences(&self.config, &config);
                if options.is_empty() {
                    return Reload::Same;
                }
                self.config = config.clone();
                Reload::Changed { config: Box::new(config), options }
            }
            Ok(Err(errors)) => Reload::Refused(first_of(&errors)),
            Err(error) => Reload::Refused(format!("reading the configuration: {error}")),
        }
    }
}

/// The configuration, if there is no error in it.
fn take(place: Option<&ConfigFile>, given: &Given, check: Check) -> Result<Config, Vec<Invalid>> {
    let mut read = read(place, given);
    if read.errors.is_empty() {
        read.errors.extend(check(&read));
    }
    if read.errors.is_empty() { Ok(read.config) } else { Err(read.errors) }
}

/// A line has room for one of them.
fn first_of(errors: &[Invalid]) -> String {
    let Some(first) = errors.first() else { return String::new() };
    // The folder is the same as ever, and the line is short.
    let at = match &first.at {
        Origin::File { path, line } => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            line.map_or_else(|| name.to_string(), |line| format!("{name}: line {line}"))
        }
        other => other.to_string(),
    };
    let advice = if first.advice.is_empty() { String::new() } else { format!("; {}", first.advice) };
    let more = match errors.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more: `dbtop config check`)"),
    };
    format!("{at}: {}{advice}{more}", first.problem)
}

/// The options whose values are not the same, such as `poll.fleet_s`.
fn differences(before: &Config, after: &Config) -> Vec<String> {
    // Structures of plain values become tables in any case.
    let table = |config: &Config| toml::Table::try_from(config).unwrap_or_default();
    let before = table(before);
    let mut found = Vec::new();
    for (section, options) in &table(after) {
        let old = before.get(section);
        for (option, value) in options.as_table().into_iter().flatten() {
            if old.and_then(|old| old.get(option)) != Some(value) {
                found.push(format!("{section}.{option}"));
            }
        }
    }
    found
}

/// How a file looks now. None: it is not there.
pub fn look(file: &Path) -> Option<Look> {
    let metadata = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Look { modified: metadata.modified().ok(), size_bytes: metadata.len(), inode })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reloader over a file, and the other end of its wishes.
    fn over(text: &str) -> (tempfile::TempDir, std::path::PathBuf, Reloader, mpsc::Sender<()>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, text).unwrap();
        let given = Given { file: Some(file.clone()), ..Given::default() };
        let (wish, wishes) = mpsc::channel(1);
        let reloader = Reloader::open(&given, |_| None, wishes).unwrap();
        (folder, file, reloader, wish)
    }

    /// Fails instead of waiting for ever; time is paused.
    async fn within(reloader: &mut Reloader, s: u64) -> Option<Reload> {
        tokio::time::timeout(Duration::from_secs(s), reloader.next()).await.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_read_when_the_file_is_left_alone() {
        let (_folder, file, mut reloader, _wish) = over("[poll]\nfleet_s = 60\n");
        assert_eq!(reloader.config().poll.fleet_s, 60);
        assert_eq!(within(&mut reloader, 60).await, None, "nothing changed");
        std::fs::write(&file, "[poll]\nfleet_s = 5\n").unwrap();
        assert_eq!(within(&mut reloader, 1).await, None, "it may be half written");
        std::fs::write(&file, "[poll]\nfleet_s = 120\n[log]\nfolder = \"x\"\n").unwrap();
        assert_eq!(within(&mut reloader, 2).await, None, "it changed again");
        let Some(Reload::Changed { config, options }) = within(&mut reloader, 10).await else {
            panic!("a change")
        };
        assert_eq!((config.poll.fleet_s, reloader.config().poll.fleet_s), (120, 120));
        assert_eq!(options, ["log.folder", "poll.fleet_s"]);
        let words = Reload::Changed { config, options }.words();
        assert_eq!(words, "configuration read again: poll.fleet_s; at the next start: log.folder");
        assert_eq!(within(&mut reloader, 60).await, None, "once is enough");
    }

    #[tokio::test(start_paused = true)]
    async fn a_bad_file_changes_nothing_and_says_why() {
        let (_folder, file, mut reloader, _wish) = over("[poll]\nfleet_s = 60\n");
        std::fs::write(&file, "[poll]\nfleet_s = 120\nslow = 900\n[log]\nlevel = 3\n").unwrap();
        let Some(refused @ Reload::Refused(_)) = within(&mut reloader, 10).await else { panic!("refused") };
        let words = refused.words();
        for said in ["c.toml: line 3: [poll] has no option `slow`", "`slow_s`", "1 more", "stays as it was"] {
            assert!(words.contains(said), "{said}: {words}");
        }
        assert_eq!(reloader.config().poll.fleet_s, 60, "no half of it");
        std::fs::remove_file(&file).unwrap();
        let Some(Reload::Refused(words)) = within(&mut reloader, 10).await else { panic!("refused") };
        assert!(words.contains("is gone"), "{words}");
        std::fs::write(&file, "[poll]\nfleet_s = 60\n").unwrap();
        assert_eq!(within(&mut reloader, 10).await, Some(Reload::Same));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_is_carried_out_at_once() {
        let (_folder, file, mut reloader, wish) = over("");
        std::fs::write(&file, "[ui]\nmouse = true\n").unwrap();
        wish.send(()).await.unwrap();
        let reload = within(&mut reloader, 1).await;
        assert!(matches!(reload, Some(Reload::Changed { ref config, .. }) if config.ui.mouse), "{reload:?}");
        wish.send(()).await.unwrap();
        assert_eq!(within(&mut reloader, 1).await, Some(Reload::Same));
    }
}
