//! The program in a pseudo-terminal, and the screen that a person would see.

use super::{DBTOP, Home, PATIENCE};
use base64::{Engine, engine::general_purpose::STANDARD};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::{Duration, Instant},
};

/// Begin and end of an update that a terminal shows at once.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// What a terminal does besides showing.
#[derive(Default)]
pub struct Beside {
    /// texts that were put on the clipboard (OSC 52)
    pub copies: Vec<String>,
}

impl vt100::Callbacks for Beside {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        let text = STANDARD.decode(data).expect("base64 for the clipboard");
        self.copies.push(String::from_utf8(text).expect("UTF-8 for the clipboard"));
    }
}

/// The program in a pseudo-terminal; ended on drop.
pub struct Screen {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    output: Receiver<Vec<u8>>,
    there: Arc<AtomicBool>,
    parser: vt100::Parser<Beside>,
    held: Vec<u8>,
    modes_before: String,
    /// all that the program wrote
    pub raw: Vec<u8>,
    /// when the program was started
    pub started: Instant,
    /// bytes that it wrote
    pub bytes: u64,
    /// when the first byte came that draws
    pub first_paint: Option<Duration>,
}

/// `dbtop` with `args`, in the environment of `home` alone.
pub fn dbtop(args: &[&str], home: &Home) -> CommandBuilder {
    let mut command = CommandBuilder::new(DBTOP);
    command.args(args);
    command.env_clear();
    for (name, value) in home.environment() {
        command.env(name, value);
    }
    command.cwd(home.path());
    command
}

impl Screen {
    /// Starts dbtop with `args` on a terminal of `cols` × `rows`.
    pub fn start(args: &[&str], cols: u16, rows: u16, home: &Home) -> Self {
        Self::start_command(dbtop(args, home), cols, rows)
    }

    /// Starts a command on a terminal of `cols` × `rows`.
    pub fn start_command(command: CommandBuilder, cols: u16, rows: u16) -> Self {
        let pty = native_pty_system()
            .openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let modes_before = modes(&*pty.master);
        let started = Instant::now();
        let child = pty.slave.spawn_command(command).expect("starting dbtop");
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().expect("the terminal's output");
        let writer = pty.master.take_writer().expect("the terminal's input");
        // Wait when full: the program then waits on the terminal, as it would on a slow line.
        let (send, output) = sync_channel(1024);
        let there = Arc::new(AtomicBool::new(true));
        let still_there = Arc::clone(&there);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(n) = reader.read(&mut buffer) {
                let wanted = n > 0 && still_there.load(Relaxed);
                if !wanted || send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            writer: Some(writer),
            master: Some(pty.master),
            output,
            there,
            parser: vt100::Parser::new_with_callbacks(rows, cols, 0, Beside::default()),
            held: Vec::new(),
            modes_before,
            raw: Vec::new(),
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
        let writer = self.writer.as_mut().expect("a terminal that is there");
        writer.write_all(bytes).and_then(|()| writer.flush()).expect("typing");
    }

    /// The user makes the window larger or smaller.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let master = self.master.as_ref().expect("a terminal that is there");
        self.parser.screen_mut().set_size(rows, cols);
        master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("another size");
    }

    /// Resizes, and waits until the program has painted a whole frame anew.
    #[track_caller]
    pub fn resize_seen(&mut self, cols: u16, rows: u16) {
        const CLEAR: &[u8] = b"\x1b[2J";
        let from = self.raw.len();
        self.resize(cols, rows);
        let since = Instant::now();
        let seen = |raw: &[u8]| {
            let clear = raw.windows(CLEAR.len()).rposition(|w| w == CLEAR);
            clear.is_some_and(|at| raw[at..].windows(END.len()).any(|w| w == END))
        };
        while !seen(&self.raw[from..]) {
            assert!(since.elapsed() < PATIENCE, "no frame of {cols} × {rows}\n{}", self.text());
            self.pump(Duration::from_millis(20));
        }
    }

    /// The window is closed, or the line is cut.
    pub fn hang_up(&mut self) {
        // The reading thread holds the terminal, too; it lets go with the next byte, which the clock brings.
        self.there.store(false, Relaxed);
        self.writer = None;
        self.master = None;
    }

    /// Takes what the program writes within `limit`; true if anything came.
    pub fn pump(&mut self, limit: Duration) -> bool {
        match self.output.recv_timeout(limit) {
            Ok(chunk) => {
                self.bytes += chunk.len() as u64;
                self.raw.extend_from_slice(&chunk);
                self.held.extend_from_slice(&chunk);
                let whole = self.whole();
                self.show(whole);
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }

    /// How many of the bytes that came can be shown: an update that has begun waits for its end.
    fn whole(&self) -> usize {
        let ended = self.held.windows(END.len()).rposition(|w| w == END).map_or(0, |at| at + END.len());
        let begun = self.held[ended..].windows(BEGIN.len()).position(|w| w == BEGIN);
        begun.map_or_else(
            || {
                let begins = |n: &usize| self.held.ends_with(&BEGIN[..*n]);
                self.held.len() - (1..BEGIN.len()).rev().find(begins).unwrap_or(0)
            },
            |at| ended + at,
        )
    }

    fn show(&mut self, bytes: usize) {
        let rest = self.held.split_off(bytes);
        self.parser.process(&std::mem::replace(&mut self.held, rest));
        if self.first_paint.is_none() && !self.parser.screen().contents().trim().is_empty() {
            self.first_paint = Some(self.started.elapsed());
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

    /// Waits until the text on the screen satisfies `holds`; fails with what is there instead.
    #[track_caller]
    pub fn until(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        let came = self.wait(Instant::now(), PATIENCE, holds);
        assert!(came.is_some(), "waited in vain for: {what}\n{}", self.text());
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub fn until_shows(&mut self, text: &str) {
        self.until(text, |screen| screen.contains(text));
    }

    /// Waits until the cells of the screen satisfy `holds`.
    #[track_caller]
    pub fn until_looks(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let since = Instant::now();
        while !holds(self.parser.screen()) {
            assert!(since.elapsed() < PATIENCE, "waited in vain for: {what}\n{}", self.text());
            self.pump(Duration::from_millis(20));
        }
    }

    /// The screen as text, a line a row.
    pub fn text(&self) -> String {
        let screen = self.parser.screen();
        let rows: Vec<String> = screen.rows(0, screen.size().1).collect();
        rows.join("\n")
    }

    /// The row that has `text` in it.
    pub fn row(&self, text: &str) -> Option<String> {
        self.text().lines().find(|row| row.contains(text)).map(str::to_owned)
    }

    /// Cells, cursor and modes.
    pub fn look(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Texts that were put on the clipboard.
    pub fn copies(&self) -> &[String] {
        &self.parser.callbacks().copies
    }

    /// True while the program is on the terminal's alternate screen.
    pub fn is_alternate(&self) -> bool {
        self.parser.screen().alternate_screen()
    }

    /// The terminal's line discipline in words of the system: ECHO, ICANON and so on.
    pub fn modes(&self) -> String {
        self.master.as_deref().map(|m| modes(m)).unwrap_or_default()
    }

    /// Waits for the end; the exit code.
    pub fn exit(&mut self, limit: Duration) -> Option<u32> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            while self.pump(Duration::from_millis(10)) {}
            if let Ok(Some(status)) = self.child.try_wait() {
                while self.pump(Duration::from_millis(50)) {}
                self.show(self.held.len());
                return Some(status.exit_code());
            }
        }
        None
    }

    /// Waits for the end; fails if it does not come.
    #[track_caller]
    pub fn ended(&mut self) -> u32 {
        let code = self.exit(PATIENCE);
        assert!(code.is_some(), "the program did not end\n{}", self.text());
        code.unwrap_or_default()
    }

    /// Fails unless the terminal is as it was before the program: what a shell after it finds.
    #[track_caller]
    pub fn assert_restored(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "pasted text comes as it is");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "the mouse is the terminal's"
        );
        assert_eq!(self.modes(), self.modes_before, "raw mode is off");
    }
}

#[cfg(unix)]
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

#[cfg(not(unix))]
fn modes(_: &dyn MasterPty) -> String {
    String::new()
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
