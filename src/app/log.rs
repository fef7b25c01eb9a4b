//! The log: daily files, and standard error as well where no screen is up, for the journal. While a screen is up, stdout
//! and stderr belong to the terminal, and nothing is ever logged there.
//!
//! All that happens during a poll is logged with the instance and the number of the poll (`poll{instance=… poll=…}`).

use crate::{config::Log, tds::DRIVER_LOG_TARGET};
use anyhow::Context;
use std::path::{Path, PathBuf};
use tracing_appender::{
    non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard},
    rolling,
};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    fmt::{self, writer::BoxMakeWriter, writer::MakeWriterExt as _},
    layer::SubscriberExt as _,
    reload,
};

/// Keeps the writers alive; dropping it flushes.
pub struct LogGuard {
    _workers: Vec<WorkerGuard>,
    level: Box<dyn Fn(&str) + Send + Sync>,
}

impl LogGuard {
    /// Changes the level that is written.
    pub fn set_level(&self, level: &str) {
        (self.level)(level);
    }
}

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines<'a> {
    /// the files are `<name>.<date>.log`
    pub name: &'a str,
    /// to standard error as well
    pub to_stderr: bool,
}

/// To files only: the terminal is used for something else.
pub const FILE_ONLY: Lines<'static> = Lines { name: "dbtop", to_stderr: false };

/// Starts logging to daily files in `folder`; the newest `keep_days` of that name are kept.
///
/// The driver logs whole rows at TRACE and server texts at ERROR, so its target is always off.
///
/// # Errors
/// The folder cannot be made or written.
pub fn start(log: &Log, folder: &Path, lines: Lines) -> anyhow::Result<LogGuard> {
    make_folder(folder).with_context(|| format!("making the log folder {}", folder.display()))?;
    let appender = rolling::Builder::new()
        .rotation(rolling::Rotation::DAILY)
        .filename_prefix(lines.name)
        .filename_suffix("log")
        .max_log_files(log.keep_days as usize)
        .build(folder)
        .with_context(|| format!("opening a log file in {}", folder.display()))?;
    let (file, worker) = unhurried(appender);
    let mut workers = vec![worker];
    let writer = if lines.to_stderr {
        let (stderr, worker) = unhurried(std::io::stderr());
        workers.push(worker);
        BoxMakeWriter::new(file.and(stderr))
    } else {
        BoxMakeWriter::new(file)
    };
    let layer = fmt::layer().with_writer(writer).with_ansi(false);
    let layer = if log.format == "json" {
        layer.json().flatten_event(true).with_span_list(false).boxed()
    } else {
        layer.boxed()
    };
    let (filter, handle) = reload::Layer::new(filter(&log.level).context("the log filter")?);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(filter).with(layer));
    let level = Box::new(move |level: &str| {
        // Levels are checked where they are read; the subscriber lives as long as the program.
        let _ = self::filter(level).map(|filter| handle.reload(filter));
    });
    Ok(LogGuard { _workers: workers, level })
}

/// Bounded and lossy: a slow disk, or a journal that does not read, must not slow the polls. A few lost lines do less harm
/// than a wrong picture.
fn unhurried(to: impl std::io::Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().lossy(true).buffered_lines_limit(8_192).finish(to)
}

/// The folder is its owner's alone: a plain inventory's log names hosts.
///
/// # Errors
/// It cannot be made.
#[cfg(unix)]
pub fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The profile's own rights protect it.
///
/// # Errors
/// It cannot be made.
#[cfg(not(unix))]
pub fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

fn filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(format!("{level},{DRIVER_LOG_TARGET}=off,rustls=warn,tokio_rustls=warn"))
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
