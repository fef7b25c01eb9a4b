//! For tests of drawing code: a screen in memory and its text.

use super::canvas::Canvas;
use ratatui::{
    buffer::{Buffer, Cell},
    layout::Rect,
};

/// The buffer after `draw` has written on a canvas of this size.
pub fn buffer(width: u16, height: u16, draw: impl FnOnce(&mut Canvas<'_>)) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    draw(&mut Canvas::new(&mut buf, area));
    buf
}

/// The lines of a buffer, without the blanks at their ends.
pub fn lines(buf: &Buffer) -> Vec<String> {
    let width = usize::from(buf.area.width.max(1));
    let line = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned();
    buf.content().chunks(width).map(line).collect()
}

/// The output of `draw`, line by line.
pub fn drawn(width: u16, height: u16, draw: impl FnOnce(&mut Canvas<'_>)) -> Vec<String> {
    lines(&buffer(width, height, draw))
}
