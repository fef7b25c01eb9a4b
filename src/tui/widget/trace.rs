//! Values as a line or as dots over the columns of a plot. Called by charts and stacks; axes and limits are not its business.

use super::{axis::Scale, canvas::Canvas};
use ratatui::style::Style;

/// Height of a value in eighths of a row, at least one: zero is drawn, a gap is not.
pub fn eighths(value: f32, scale: Scale, rows: u16) -> u16 {
    let full = f32::from(rows) * 8.0;
    (value / scale.top * full).round().clamp(1.0, full.max(1.0)) as u16
}

/// Draws a line from value to value. Over the inside of an area it takes that area's colour as its background; the area's
/// upper edge stays. `below` is the area's value and style at a column.
pub fn draw_line(
    plot: &mut Canvas<'_>,
    values: &[f32],
    scale: Scale,
    style: Style,
    below: &dyn Fn(usize) -> Option<(f32, Style)>,
) {
    let rows = plot.height();
    let mut before: Option<u16> = None;
    for (x, value) in values.iter().enumerate() {
        if !value.is_finite() {
            before = None;
            continue;
        }
        let row = scale.row(*value, rows).unwrap_or(0);
        let from = before.unwrap_or(row);
        let filled = below(x).and_then(|(value, style)| Some((eighths(value, scale, rows), style.fg?)));
        for r in row.min(from)..=row.max(from) {
            let glyph = match (r == row, r == from) {
                (true, true) => "─",
                (true, false) => {
                    if row > from {
                        "╭"
                    } else {
                        "╰"
                    }
                }
                (false, true) => {
                    if row > from {
                        "╯"
                    } else {
                        "╮"
                    }
                }
                (false, false) => "│",
            };
            if filled.is_some_and(|(top, _)| (r * 8 + 1..r * 8 + 8).contains(&top)) {
                continue; // The area's edge is worth more than the line.
            }
            let inside = filled.filter(|(top, _)| *top >= (r + 1) * 8);
            let style = inside.map_or(style, |(_, colour)| style.bg(colour));
            plot.glyph(x as u16, rows - 1 - r, glyph, style);
        }
        before = Some(row);
    }
}

/// Bits of the braille patterns (Unicode 2800) by column and by row from the top.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Draws a line of dots; `values` holds two for each column.
pub fn draw_braille(plot: &mut Canvas<'_>, values: &[f32], scale: Scale, style: Style) {
    let (width, rows) = (usize::from(plot.width()), usize::from(plot.height()));
    let highest = (rows * 4).saturating_sub(1);
    let mut cells = vec![0_u8; width * rows];
    let mut before: Option<usize> = None;
    for (i, value) in values.iter().enumerate().take(width * 2) {
        if !value.is_finite() {
            before = None;
            continue;
        }
        let dot = ((value / scale.top).clamp(0.0, 1.0) * highest as f32).round() as usize;
        let from = before.unwrap_or(dot);
        for d in dot.min(from)..=dot.max(from) {
            let down = highest - d;
            cells[down / 4 * width + i / 2] |= DOTS[i % 2][down % 4];
        }
        before = Some(dot);
    }
    let mut glyph = [0_u8; 4];
    for (i, bits) in cells.iter().enumerate().filter(|(_, bits)| **bits != 0) {
        let c = char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(' ');
        plot.glyph((i % width) as u16, (i / width) as u16, c.encode_utf8(&mut glyph), style);
    }
}
