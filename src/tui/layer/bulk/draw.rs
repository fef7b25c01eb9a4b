//! How the form for many looks: which instances, the fields, and on the second page what would change.

use super::{Bulk, Page};
use crate::{
    model::{inventory::record::TlsCheck, judge::health::Level},
    tui::{
        pane::reading,
        theme::Theme,
        widget::canvas::{Canvas, width},
    },
};

/// Lines for the names.
const NAME_LINES: u16 = 3;
/// Wider lines are hard to read.
const WIDEST: u16 = 110;

pub fn render(bulk: &mut Bulk, canvas: &mut Canvas<'_>, theme: &Theme) {
    canvas.clear(theme.screen);
    let (w, h) = (canvas.width(), canvas.height());
    canvas.repeat(0, 0, w, "─", theme.rule);
    canvas.put(1, 0, w.saturating_sub(2), &format!(" Change {} instances ", bulk.of.len()), theme.strong);
    let used = names(bulk, &mut canvas.part(2, 1, w.saturating_sub(4), NAME_LINES), theme);
    let below = u16::from(bulk.said.is_some() || matches!(bulk.page, Page::Leave));
    let (y, room) = (used + 2, h.saturating_sub(used + 2 + below));
    let mut body = canvas.part(2, y, w.saturating_sub(2).min(WIDEST), room);
    if let Page::Preview(confirm) = &bulk.page {
        let width = body.width();
        confirm.render(&mut body.part(0, 0, width, confirm.height(width).min(room)), theme);
    } else {
        bulk.form.render(&mut body, theme);
    }
    let mut line = canvas.part(0, h.saturating_sub(1), w, below);
    if matches!(bulk.page, Page::Leave) {
        line.clear(theme.input);
        line.put(2, 0, w, "Throw away what you typed? y throws it away, Esc goes on", theme.warning);
    } else if let Some((level, text)) = &bulk.said {
        let style = reading::level_style(theme, *level);
        line.put(2, 0, 1, reading::glyph(*level), style);
        line.put(4, 0, w.saturating_sub(5), text, if *level == Level::Ok { theme.base } else { style });
    }
}

/// The names, as many as fit; those whose certificate is not checked in red. Returns the lines used.
fn names(bulk: &Bulk, canvas: &mut Canvas<'_>, theme: &Theme) -> u16 {
    let (w, h) = (canvas.width(), canvas.height());
    let (mut x, mut y) = (0, 0);
    for (n, record) in bulk.of.iter().enumerate() {
        let insecure = record.tls.check == TlsCheck::Insecure;
        let text = if insecure { format!("{} ! TLS insecure", record.name) } else { record.name.clone() };
        let more = format!("and {} more", bulk.of.len() - n);
        let needed = width(&text) as u16 + 2;
        let last = n + 1 == bulk.of.len();
        let reserve = if y + 1 == h && !last { width(&more) as u16 } else { 0 };
        if x > 0 && x + needed + reserve > w {
            if y + 1 == h {
                canvas.put(x, y, w, &more, theme.dim);
                return h;
            }
            (x, y) = (0, y + 1);
        }
        x += canvas.put(x, y, w, &text, if insecure { theme.critical } else { theme.base }) + 2;
    }
    y + 1
}
