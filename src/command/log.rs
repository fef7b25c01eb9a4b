//! The log file. stdout and stderr belong to the terminal while the screen is up, so nothing is ever logged there.

use crate::config::Log;
use anyhow::Context;
use std::path::{Path, PathBuf};
use tracing_appender::{non_blocking::WorkerGuard, rolling};
use tracing_subscriber::{EnvFilter, fmt};

/// Keeps the writer alive; dropping it flushes.
pub struct LogGuard {
    _worker: WorkerGuard,
    level: Box<dyn Fn(&str) + Send + Sync>,
}

impl LogGuard {
    /// From now on this level is written.
    pub fn set_level(&self, level: &str) {
        (self.level)(level);
    }
}

/// Starts logging to daily files `dbtop.<date>.log` in `folder`, seven kept.
///
/// The driver logs whole rows at TRACE and server texts at ERROR, so its target is always off.
///
/// # Errors
/// The folder cannot be made or written.
pub fn start(log: &Log, folder: &Path) -> anyhow::Result<LogGuard> {
    make(folder).with_context(|| format!("making the log folder {}", folder.display()))?;
    let appender = rolling::Builder::new()
        .rotation(rolling::Rotation::DAILY)
        .filename_prefix("dbtop")
        .filename_suffix("log")
        .max_log_files(7)
        .build(folder)
        .with_context(|| format!("opening a log file in {}", folder.display()))?;
    // Bounded and lossy: a slow disk must not slow the polls. Lost lines are fewer than a wrong picture.
    let (writer, worker) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(8_192)
        .finish(appender);
    let filter = filter(&log.level).context("the log filter")?;
    let subscriber =
        fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).with_filter_reloading();
    let handle = subscriber.reload_handle();
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber.finish());
    let level = Box::new(move |level: &str| {
        // Levels are checked where they are read; the subscriber lives as long as the program.
        let _ = self::filter(level).map(|filter| handle.reload(filter));
    });
    Ok(LogGuard { _worker: worker, level })
}

/// The folder is its owner's alone: a plain inventory's log names hosts.
#[cfg(unix)]
fn make(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

fn filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(format!("{level},tiberius=off,rustls=warn,tokio_rustls=warn"))
}

/// The folder for logs: `[log] folder`, else `$DBTOP_HOME/log`, else the platform's state folder.
pub fn folder(log: &Log) -> PathBuf {
    if !log.folder.is_empty() {
        return PathBuf::from(&log.folder);
    }
    if let Some(home) = std::env::var_os("DBTOP_HOME") {
        return PathBuf::from(home).join("log");
    }
    directories::ProjectDirs::from("", "", "dbtop").map_or_else(
        || std::env::temp_dir().join("dbtop-log"),
        |d| d.state_dir().unwrap_or_else(|| d.data_local_dir()).join("log"),
    )
}
