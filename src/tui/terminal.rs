//! The terminal: entering and leaving full screen, counting what is sent, the clipboard. However the program ends or stops, the
//! terminal is given back as it was.

use super::encoder::Encoder;
use base64::{Engine, engine::general_purpose::STANDARD};
use crossterm::{
    cursor, event, execute,
    style::{Attribute, SetAttribute},
    terminal::{
        self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    },
};
use ratatui::{Terminal, buffer::Buffer, layout::Rect};
use std::{
    io::{self, BufWriter, IsTerminal, Write},
    sync::{
        Arc, Once, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, ThreadId},
};

/// Longest text for the clipboard, bytes: terminals cut or drop longer OSC 52 sequences (xterm takes about 100,000
/// base64 characters).
const CLIPBOARD_MOST: usize = 74_000;

/// Standard output, counting. The terminal library keeps the writer to itself, hence the shared number.
///
/// Once the terminal is given back, nothing is written any more: the library shows the cursor when it is dropped, and if
/// that fails because the terminal is gone, it prints an error, which fails as well and would panic.
pub struct Counted {
    out: io::Stdout,
    bytes: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if !UP.load(Ordering::Relaxed) {
            return Ok(buf.len());
        }
        let n = self.out.write(buf)?;
        self.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !UP.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.out.flush()
    }
}

/// Where the hardware cursor stands; None: it is hidden.
type Place = Option<(u16, u16)>;

/// Draws a frame. Nothing at all is written where it is as the last one.
fn paint<W: Write>(
    terminal: &mut Terminal<Encoder<W>>,
    shown: &mut Option<(Buffer, Place)>,
    render: impl FnOnce(Rect, &mut Buffer) -> Place,
) -> io::Result<()> {
    terminal.autoresize()?;
    let mut frame = terminal.get_frame();
    let area = frame.area();
    let at = render(area, frame.buffer_mut());
    let now = terminal.current_buffer_mut();
    let is_same = |(cells, place): &(Buffer, Place)| *place == at && *cells == *now;
    if !shown.as_ref().is_some_and(is_same) {
        let is_first = shown.is_none();
        let is_visible = shown.as_ref().is_some_and(|(_, place)| place.is_some());
        match shown {
            Some((cells, place)) => {
                cells.clone_from(now);
                *place = at;
            }
            None => *shown = Some((now.clone(), at)),
        }
        crossterm::queue!(terminal.backend_mut(), BeginSynchronizedUpdate)?;
        terminal.flush()?;
        match at {
            // Several frames a second go over slow lines: nothing is said that is so already.
            Some((x, y)) if is_visible => crossterm::queue!(terminal.backend_mut(), cursor::MoveTo(x, y))?,
            Some((x, y)) => crossterm::queue!(terminal.backend_mut(), cursor::MoveTo(x, y), cursor::Show)?,
            None if is_visible || is_first => crossterm::queue!(terminal.backend_mut(), cursor::Hide)?,
            None => {}
        }
        execute!(terminal.backend_mut(), EndSynchronizedUpdate)?;
    }
    terminal.swap_buffers();
    Ok(())
}

/// The screen while it is ours.
pub struct Screen {
    // The first field, because it is dropped first: see `Counted`.
    _restore: Restore,
    terminal: Terminal<Encoder<BufWriter<Counted>>>,
    /// the last frame; None: the next one is written in full
    shown: Option<(Buffer, Place)>,
    bytes: Arc<AtomicU64>,
    has_mouse: bool,
}

/// Gives the terminal back when dropped.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        restore();
    }
}

/// Everything but raw mode and the mouse.
fn take(out: &mut impl Write) -> io::Result<()> {
    execute!(out, EnterAlternateScreen, event::EnableBracketedPaste, cursor::Hide)
}

/// Gives the terminal back; harmless when done twice. Errors are of no use any more: the terminal may be gone.
fn restore() {
    if !UP.swap(false, Ordering::Relaxed) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        SetAttribute(Attribute::Reset),
        event::DisableMouseCapture,
        event::DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
}

/// True while the screen is ours.
static UP: AtomicBool = AtomicBool::new(false);

/// The thread that draws.
static DRAWS: OnceLock<ThreadId> = OnceLock::new();

/// A panic of the thread that draws first gives the terminal back, so that its message can be read. A panic of another
/// thread is caught by its task; its message goes to the log, because it would tear the screen that lives on.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let here = thread::current().id();
            if UP.load(Ordering::Relaxed) && DRAWS.get().is_some_and(|t| *t != here) {
                tracing::error!(panic = %info, "a task panicked");
                return;
            }
            restore();
            before(info);
        }));
    });
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// If standard output is not a terminal or cannot be written.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is not one"));
        }
        restore_on_panic();
        DRAWS.get_or_init(|| thread::current().id());
        terminal::enable_raw_mode()?;
        UP.store(true, Ordering::Relaxed);
        let restore = Restore;
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Counted { out: io::stdout(), bytes: Arc::clone(&bytes) };
        let mut out = BufWriter::with_capacity(64 * 1024, counted);
        take(&mut out)?;
        let terminal = Terminal::new(Encoder::new(out))?;
        let mut screen = Self { _restore: restore, terminal, shown: None, bytes, has_mouse: false };
        screen.mouse(mouse)?;
        Ok(screen)
    }

    /// Gives the terminal back for a while: the program is about to stop.
    pub fn leave(&mut self) {
        let _ = Write::flush(self.terminal.backend_mut());
        restore();
    }

    /// Takes the terminal again after a stop, whatever the shell or another program made of it meanwhile. The next frame is drawn
    /// in full, at the size of now. In the background the system stops the program here until it is in the foreground.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn come_back(&mut self) -> io::Result<()> {
        // The library takes raw mode for granted once it was on.
        let _ = terminal::disable_raw_mode();
        terminal::enable_raw_mode()?;
        UP.store(true, Ordering::Relaxed);
        take(self.terminal.backend_mut())?;
        let has_mouse = std::mem::take(&mut self.has_mouse);
        self.mouse(has_mouse)?;
        self.repaint()
    }

    /// Takes the mouse, or leaves it to the terminal.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub fn mouse(&mut self, wanted: bool) -> io::Result<()> {
        if wanted == self.has_mouse {
            return Ok(());
        }
        self.has_mouse = wanted;
        if wanted {
            execute!(self.terminal.backend_mut(), event::EnableMouseCapture)
        } else {
            execute!(self.terminal.backend_mut(), event::DisableMouseCapture)
        }
    }

    /// Draws a frame: one synchronized update, one write of what changed. `render` says where the hardware cursor shall stand.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub fn draw(&mut self, render: impl FnOnce(Rect, &mut Buffer) -> Place) -> io::Result<()> {
        paint(&mut self.terminal, &mut self.shown, render)
    }

    /// Forgets what is on the screen: the next frame is drawn in full, and shown at once.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub fn repaint(&mut self) -> io::Result<()> {
        // `Terminal::clear` would ask the terminal where its cursor is, and wait up to two seconds for the answer.
        let clear = terminal::Clear(terminal::ClearType::All);
        let out = self.terminal.backend_mut();
        crossterm::queue!(out, BeginSynchronizedUpdate)?;
        out.put_down()?;
        crossterm::queue!(out, clear)?;
        // The frame that the next one is compared with: an empty one.
        self.terminal.swap_buffers();
        self.shown = None;
        Ok(())
    }

    /// Puts a text on the clipboard of the terminal, over SSH too (OSC 52). False if it is too long for that.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub fn copy(&mut self, text: &str) -> io::Result<bool> {
        if text.len() > CLIPBOARD_MOST {
            return Ok(false);
        }
        let out = self.terminal.backend_mut();
        write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        Write::flush(out)?;
        Ok(true)
    }

    /// Bytes sent so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::encoder::tests::Out;
    use ratatui::{TerminalOptions, Viewport, style::Style};

    #[test]
    fn an_unchanged_frame_writes_nothing_and_the_cursor_alone_a_few_bytes() {
        let area = Rect::new(0, 0, 80, 24);
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let out = Out::default();
        let mut terminal = Terminal::with_options(Encoder::new(out.clone()), options).unwrap();
        let mut shown = None;
        let mut sent = |text: &str, at: Place| {
            out.0.borrow_mut().clear();
            let render = |_: Rect, buf: &mut Buffer| {
                buf.set_string(2, 3, text, Style::new());
                at
            };
            paint(&mut terminal, &mut shown, render).unwrap();
            String::from_utf8(out.0.borrow().clone()).unwrap()
        };
        let first = sent("sqlprd-014", Some((0, 3)));
        assert!(first.contains("sqlprd-014") && first.contains("\u{1b}[4;1H\u{1b}[?25h"), "{first:?}");
        assert_eq!(sent("sqlprd-014", Some((0, 3))), "");
        let moved = sent("sqlprd-014", Some((0, 4)));
        assert!(moved.contains("\u{1b}[5;1H") && !moved.contains("sqlprd"), "{moved:?}");
        assert!(!moved.contains("\u{1b}[?25h"), "it is shown already: {moved:?}");
        assert!(sent("sqlprd-015", Some((0, 4))).contains('5'));
        assert!(sent("sqlprd-015", None).contains("\u{1b}[?25l"));
    }
}
