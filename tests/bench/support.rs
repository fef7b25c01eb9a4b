//! What the benchmarks share: the simulator in a process of its own, the program in a pseudo-terminal, and the
//! kernel's figures of a process.

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::{Duration, Instant},
};

/// The program under test, built by cargo for this benchmark.
pub const DBTOP: &str = env!("CARGO_BIN_EXE_dbtop");

/// A `dbtop sim` process; ended on drop.
pub struct SimProcess {
    child: Child,
    /// its inventory
    pub inventory: PathBuf,
    _folder: tempfile::TempDir,
}

impl SimProcess {
    /// Starts `instances` simulated instances and waits until their inventory is there.
    pub fn start(instances: u32, port: u16, scenario: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let inventory = folder.path().join("fleet.toml");
        let mut command = Command::new(DBTOP);
        command.args([
            "sim",
            "--instances",
            &instances.to_string(),
            "--port",
            &port.to_string(),
            "--seed",
            "7",
        ]);
        command.arg("--inventory-out").arg(&inventory);
        if let Some(text) = scenario {
            let file = folder.path().join("scenario.toml");
            std::fs::write(&file, text).expect("writing the scenario");
            command.arg("--scenario").arg(file);
        }
        let child = command.stdout(Stdio::null()).spawn().expect("starting dbtop sim");
        let started = Instant::now();
        while !inventory.exists() {
            assert!(started.elapsed() < Duration::from_secs(30), "dbtop sim wrote no inventory within 30 s");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, inventory, _folder: folder }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for SimProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program in a pseudo-terminal, and the screen that a person would see.
pub struct Screen {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    _master: Box<dyn MasterPty + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    /// when the program was started
    pub started: Instant,
    /// bytes that it wrote
    pub bytes: u64,
    /// when the first byte came that draws
    pub first_paint: Option<Duration>,
}

impl Screen {
    /// Starts dbtop with `args` on a terminal of `cols` × `rows`.
    pub fn start(args: &[&str], cols: u16, rows: u16, home: &Path) -> Self {
        let pty = native_pty_system()
            .openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(DBTOP);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("DBTOP_HOME", home);
        let started = Instant::now();
        let child = pty.slave.spawn_command(command).expect("starting dbtop");
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().expect("the terminal's output");
        let writer = pty.master.take_writer().expect("the terminal's input");
        // Wait when full: the program then waits on the terminal, as it would on a slow line.
        let (send, output) = sync_channel(1024);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            writer,
            _master: pty.master,
            output,
            parser: vt100::Parser::new(rows, cols, 0),
            started,
            bytes: 0,
            first_paint: None,
        }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process id")
    }

    /// Types.
    pub fn keys(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).and_then(|()| self.writer.flush()).expect("typing");
    }

    /// Takes what the program writes within `limit`; true if anything came.
    pub fn pump(&mut self, limit: Duration) -> bool {
        match self.output.recv_timeout(limit) {
            Ok(chunk) => {
                self.bytes += chunk.len() as u64;
                self.parser.process(&chunk);
                if self.first_paint.is_none() && !self.parser.screen().contents().trim().is_empty() {
                    self.first_paint = Some(self.started.elapsed());
                }
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Pumps for `time`.
    pub fn run_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if !self.pump(left) {
                std::thread::sleep(left.min(Duration::from_millis(5)));
            }
        }
    }

    /// Pumps until the screen satisfies `until`; the time from `since`, or None after `limit`.
    pub fn wait(
        &mut self,
        since: Instant,
        limit: Duration,
        until: impl Fn(&str) -> bool,
    ) -> Option<Duration> {
        while since.elapsed() < limit {
            if until(&self.text()) {
                return Some(since.elapsed());
            }
            self.pump(Duration::from_millis(2));
        }
        until(&self.text()).then(|| since.elapsed())
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// True while the program is on the terminal's alternate screen.
    pub fn is_alternate(&self) -> bool {
        self.parser.screen().alternate_screen()
    }

    /// Waits for the end; the exit code.
    pub fn exit(&mut self, limit: Duration) -> Option<u32> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            while self.pump(Duration::from_millis(10)) {}
            if let Ok(Some(status)) = self.child.try_wait() {
                while self.pump(Duration::from_millis(50)) {}
                return Some(status.exit_code());
            }
        }
        None
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU seconds (user + system) and resident KB of a process, from /proc.
pub fn figures(pid: u32) -> (f64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .and_then(|l| l.split_whitespace().next())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    // The kernel counts in USER_HZ, which is 100 on every Linux that dbtop runs on.
    ((ticks(11) + ticks(12)) / 100.0, rss)
}

/// The `p`-th percentile (0..=1) of sorted values.
pub fn percentile(sorted: &[f64], p: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    sorted[((sorted.len() - 1) as f64 * p).round() as usize]
}
