//! Changed cells as bytes for the terminal, few of them: what the terminal holds already, colours, attributes and the row, is not
//! said again. The library's own backend says all of it anew in every frame, which is half of what a calm screen sends.
//! Called by `terminal`; everything but drawing and clearing is the library's.

use crossterm::{
    cursor::{MoveTo, MoveToColumn},
    queue,
    style::{Attribute, Colors, Print, ResetColor, SetAttribute, SetColors, SetUnderlineColor},
};
use ratatui::{
    backend::{Backend, ClearType, CrosstermBackend, IntoCrossterm, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
    style::{Color, Modifier},
};
use std::io::{self, Write};

/// How the terminal writes the next character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    underline: Color,
    modifier: Modifier,
}

/// The pen after a reset.
const PLAIN: Pen =
    Pen { fg: Color::Reset, bg: Color::Reset, underline: Color::Reset, modifier: Modifier::empty() };

/// What is seen of a blank, too.
const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Attributes and what sets them. The other two that the library knows, fast blinking and hidden, are not used.
const ATTRIBUTES: [(Modifier, Attribute); 7] = [
    (Modifier::BOLD, Attribute::Bold),
    (Modifier::DIM, Attribute::Dim),
    (Modifier::ITALIC, Attribute::Italic),
    (Modifier::UNDERLINED, Attribute::Underlined),
    (Modifier::SLOW_BLINK, Attribute::SlowBlink),
    (Modifier::REVERSED, Attribute::Reverse),
    (Modifier::CROSSED_OUT, Attribute::CrossedOut),
];

/// The library's backend, with drawing of our own.
pub struct Encoder<W: Write> {
    inner: CrosstermBackend<W>,
    /// None: not known
    pen: Option<Pen>,
}

impl<W: Write> Encoder<W> {
    /// Over this output.
    pub const fn new(out: W) -> Self {
        Self { inner: CrosstermBackend::new(out), pen: None }
    }

    /// The pen is as the terminal has it at first: before it is cleared, which fills it with the colour of the pen, and before
    /// somebody else writes.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub fn put_down(&mut self) -> io::Result<()> {
        self.pen = Some(PLAIN);
        queue!(self.inner, ResetColor, SetAttribute(Attribute::Reset))
    }

    /// Takes the pen for a cell.
    fn take(&mut self, cell: &Cell) -> io::Result<()> {
        let wanted =
            Pen { fg: cell.fg, bg: cell.bg, underline: cell.underline_color, modifier: cell.modifier };
        let is_blank = cell.symbol() == " " && !wanted.modifier.intersects(SEEN_ON_BLANKS);
        let held = match self.pen {
            Some(held) if held == wanted => return Ok(()),
            Some(held) if is_blank && held.bg == wanted.bg && !held.modifier.intersects(SEEN_ON_BLANKS) => {
                return Ok(());
            }
            Some(held) if held.modifier - wanted.modifier == Modifier::empty() => held,
            // To take an attribute back is to begin anew: terminals differ in what ends one of them.
            _ => {
                self.put_down()?;
                PLAIN
            }
        };
        for (modifier, attribute) in ATTRIBUTES {
            if (wanted.modifier - held.modifier).contains(modifier) {
                queue!(self.inner, SetAttribute(attribute))?;
            }
        }
        let differing = |wanted: Color, held: Color| (wanted != held).then(|| wanted.into_crossterm());
        let colors =
            Colors { foreground: differing(wanted.fg, held.fg), background: differing(wanted.bg, held.bg) };
        if colors.foreground.is_some() || colors.background.is_some() {
            queue!(self.inner, SetColors(colors))?;
        }
        if wanted.underline != held.underline {
            queue!(self.inner, SetUnderlineColor(wanted.underline.into_crossterm()))?;
        }
        self.pen = Some(wanted);
        Ok(())
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.inner.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

impl<W: Write> Backend for Encoder<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // Where the cursor is only by what was written since it was placed. A column is always named in full: a terminal that
        // takes a character for wider than we do must not shift what follows.
        let mut last: Option<(u16, u16)> = None;
        for (x, y, cell) in content {
            match last {
                Some((before, row)) if row == y && before.checked_add(1) == Some(x) => {}
                Some((_, row)) if row == y => queue!(self.inner, MoveToColumn(x))?,
                _ => queue!(self.inner, MoveTo(x, y))?,
            }
            last = Some((x, y));
            self.take(cell)?;
            queue!(self.inner, Print(cell.symbol()))?;
        }
        Ok(())
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        self.inner.append_lines(n)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.put_down()?;
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};
    use std::{cell::RefCell, rc::Rc};

    /// What is sent.
    #[derive(Clone, Default)]
    pub struct Out(pub Rc<RefCell<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(buf);
            Ok(buf.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const AREA: Rect = Rect::new(0, 0, 12, 3);

    fn colour() -> impl Strategy<Value = Color> {
        prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::Rgb(1, 20, 255)),
            Just(Color::Indexed(99))
        ]
    }

    fn modifier() -> impl Strategy<Value = Modifier> {
        let each = ATTRIBUTES.map(|(modifier, _)| modifier);
        // This terminal takes bold and dim for one thing that the last of them decides.
        let one_weight = |m: Modifier| if m.contains(Modifier::BOLD) { m - Modifier::DIM } else { m };
        proptest::sample::subsequence(each.to_vec(), 0..=3)
            .prop_map(move |m| one_weight(m.into_iter().collect()))
    }

    /// Cells that change in a frame.
    fn frame() -> impl Strategy<Value = Vec<(u16, u16, char, Color, Color, Modifier)>> {
        let symbol = prop_oneof![3 => Just(' '), 3 => prop::char::range('a', 'z'), 1 => Just('●')];
        prop::collection::vec((0..12_u16, 0..3_u16, symbol, colour(), colour(), modifier()), 0..12)
    }

    /// What two terminals show after the same frames, one fed by the library's backend: text and colours of every cell.
    fn shown(screen: &vt100::Screen) -> Vec<String> {
        let mut cells = Vec::new();
        for (y, x) in (0..AREA.height).flat_map(|y| (0..AREA.width).map(move |x| (y, x))) {
            let Some(cell) = screen.cell(y, x) else { continue };
            let text = if cell.contents().is_empty() { " " } else { cell.contents() };
            let lines = (cell.underline(), cell.inverse());
            // Of a blank nobody sees more than its background, and what lies on it.
            let ink = (text != " " || cell.inverse())
                .then(|| (cell.fgcolor(), cell.bold(), cell.dim(), cell.italic()));
            cells.push(format!("{text:?} {:?} {lines:?} {ink:?}", cell.bgcolor()));
        }
        cells
    }

    proptest! {
        #[test]
        fn a_terminal_shows_the_same_as_by_the_librarys_backend(frames in prop::collection::vec(frame(), 1..6)) {
            let (mut ours, mut theirs) = (vt100::Parser::new(3, 12, 0), vt100::Parser::new(3, 12, 0));
            let (sent, expected) = (Out::default(), Out::default());
            let mut encoder = Encoder::new(sent.clone());
            let mut library = CrosstermBackend::new(expected.clone());
            let mut before = Buffer::empty(AREA);
            for frame in frames {
                let mut now = before.clone();
                for (x, y, symbol, fg, bg, modifier) in frame {
                    let style = Style::reset().fg(fg).bg(bg).add_modifier(modifier);
                    now[(x, y)].set_char(symbol).set_style(style);
                }
                encoder.draw(before.diff(&now).into_iter())?;
                library.draw(before.diff(&now).into_iter())?;
                before = now;
            }
            ours.process(&sent.0.borrow());
            theirs.process(&expected.0.borrow());
            prop_assert_eq!(shown(ours.screen()), shown(theirs.screen()));
        }
    }

    #[test]
    fn what_the_terminal_holds_is_not_said_again() {
        let sent = Out::default();
        let mut encoder = Encoder::new(sent.clone());
        let mut cell = Cell::new("7");
        cell.set_style(Style::new().fg(Color::Red).bg(Color::Rgb(1, 2, 3)));
        encoder.put_down().unwrap();
        encoder.draw([(3, 1, &cell)].into_iter()).unwrap();
        sent.0.borrow_mut().clear();
        encoder.draw([(3, 1, &cell), (4, 1, &cell), (9, 1, &cell)].into_iter()).unwrap();
        assert_eq!(String::from_utf8(sent.0.borrow().clone()).unwrap(), "\u{1b}[2;4H77\u{1b}[10G7");
    }

    #[test]
    fn the_screen_is_cleared_in_the_terminals_own_colour() {
        let sent = Out::default();
        let mut encoder = Encoder::new(sent.clone());
        let mut cell = Cell::new("x");
        cell.set_style(Style::new().bg(Color::Red));
        encoder.draw([(0, 0, &cell)].into_iter()).unwrap();
        encoder.clear().unwrap();
        let sent = String::from_utf8(sent.0.borrow().clone()).unwrap();
        assert!(sent.contains("\u{1b}[0m\u{1b}[2J"), "{sent:?}");
    }
}
