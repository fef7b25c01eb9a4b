//! A stacked area chart of waiting time by category. Called by the waits pane; one instance or many added up.
//!
//! The categories are drawn as bands in a fixed order with fixed colours (of the theme's `chart` list), the steady ones at the foot
//! and the spiky ones on top. Without colour each band has its own pattern.

use super::{
    axis::{self, Layout, Scale, Times},
    canvas::{self, Canvas},
    spark, trace,
};
use crate::{
    model::{
        base::{time::Timestamp, zone::Zone},
        poll::{id::SeriesId, wait_class::WaitCategory},
        timeline::{
            chart::{ChartLine, Mark},
            history::History,
        },
    },
    tui::theme::Theme,
};
use ratatui::style::Style;

/// How many bands there are.
pub const BANDS: usize = 14;

/// A band: its name, its place in the theme's list of colours, its pattern where there is no colour.
type Band = (&'static str, usize, &'static str);

/// The bands from the foot up. Places in the list of colours are given out once: a theme of a user has the first ten.
const ALL: [Band; BANDS] = [
    ("CPU", 0, "░"),
    ("Buffer IO", 1, "▒"),
    ("Tran Log IO", 2, "="),
    ("Other Disk IO", 10, "-"),
    ("Network IO", 3, "~"),
    ("Parallelism", 4, "/"),
    ("Latch", 5, "+"),
    ("Replication", 11, "\\"),
    ("Preemptive", 12, "x"),
    ("Compilation", 13, "o"),
    ("other", OTHER, "·"),
    ("Memory", 7, "%"),
    ("Worker Thread", 8, "▓"),
    ("Lock", 9, "█"),
];

/// The place of the colour of all other categories.
const OTHER: usize = 6;

/// The band that a category is drawn in.
pub const fn band(category: WaitCategory) -> usize {
    match category {
        WaitCategory::Cpu => 0,
        WaitCategory::BufferIo => 1,
        WaitCategory::TranLogIo => 2,
        WaitCategory::OtherDiskIo => 3,
        WaitCategory::NetworkIo => 4,
        WaitCategory::Parallelism => 5,
        WaitCategory::Latch | WaitCategory::BufferLatch => 6,
        WaitCategory::Replication => 7,
        WaitCategory::Preemptive => 8,
        WaitCategory::Compilation => 9,
        WaitCategory::Memory => 11,
        WaitCategory::WorkerThread => 12,
        WaitCategory::Lock => 13,
        _ => 10,
    }
}

/// The colour of a band. A theme that has fewer colours draws the bands beyond them as the others.
fn colour(band: usize, theme: &Theme) -> Style {
    let place = ALL.get(band).map_or(OTHER, |(_, place, _)| *place);
    theme.area(if place < theme.chart.len() { place } else { OTHER })
}

/// Draws the colour (or pattern) of a band in one cell: the key to the chart in tables and legends.
pub fn swatch(band: usize, theme: &Theme) -> (&'static str, Style) {
    let glyph = if theme.hatched { ALL.get(band).map_or("·", |(.., pattern)| pattern) } else { "■" };
    (glyph, colour(band, theme))
}

/// How a stack is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// figure and unit
    pub title: &'a str,
    /// values are multiplied by this, to change their unit
    pub factor: f32,
    /// the text in the middle when there is nothing to draw
    pub empty: &'a str,
    /// whose clock times are told by
    pub zone: &'a Zone,
    /// a time to look at
    pub cursor: Option<Timestamp>,
    /// events on the axis
    pub marks: &'a [Mark],
    /// how much earlier the line over the stack is, in words
    pub earlier: &'a str,
}

/// The columns of a chart: ms of waiting per second by band; all NaN where nothing is known.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    columns: Vec<[f32; BANDS]>,
    times: Option<Times>,
    /// all waits of an earlier time, ms per second, a value for each column
    before: Vec<f32>,
}

impl Stack {
    /// Adds up the wait series of some instances over `range_ms` up to `now`, for a plot of this many columns
    /// (see [`plot_columns`]).
    pub fn gather<'a>(
        histories: impl Iterator<Item = &'a History>,
        now: Timestamp,
        range_ms: i64,
        columns: u16,
    ) -> Self {
        let times = Times::fit(now, range_ms, columns);
        let mut sums = vec![[f32::NAN; BANDS]; usize::from(columns)];
        let mut values = vec![f32::NAN; usize::from(columns)];
        for history in histories {
            for (id, series) in history.iter() {
                let SeriesId::Wait(category) = id else { continue };
                spark::bucket(Some(series), now, times.bucket_ms, &mut values);
                let band = band(category);
                for (sum, value) in sums.iter_mut().zip(&values).filter(|(_, v)| v.is_finite()) {
                    let known = if sum[band].is_nan() { 0.0 } else { sum[band] };
                    sum[band] = known + value.max(0.0);
                }
            }
        }
        Self { columns: sums, times: Some(times), before: Vec::new() }
    }

    /// Draws from history: the lines of categories, and the sum of an earlier time, moved by so many ms.
    pub fn kept<'a>(
        lines: impl Iterator<Item = (WaitCategory, &'a ChartLine)>,
        before: Option<(&ChartLine, i64)>,
        end: Timestamp,
        range_ms: i64,
        columns: u16,
    ) -> Self {
        let times = Times::fit(end, range_ms, columns);
        let mut sums = vec![[f32::NAN; BANDS]; usize::from(columns)];
        for (category, line) in lines {
            let band = band(category);
            for (i, sum) in sums.iter_mut().enumerate() {
                let (from, to) = times.span(i);
                let Some(b) = line.over(from, to) else { continue };
                let known = if sum[band].is_nan() { 0.0 } else { sum[band] };
                sum[band] = known + b.avg.max(0.0);
            }
        }
        let before = before.map_or_else(Vec::new, |(line, later_ms)| {
            let value = |i: usize| {
                let (from, to) = times.span(i);
                line.over(from.plus_ms(-later_ms), to.plus_ms(-later_ms)).map_or(f32::NAN, |b| b.avg)
            };
            (0..usize::from(columns)).map(value).collect()
        });
        Self { columns: sums, times: Some(times), before }
    }

    /// Draws the chart with axes on the whole canvas. The legend is for the caller to place: see [`Stack::draw_legend`] and
    /// [`swatch`].
    pub fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>, theme: &Theme) {
        let factor = look.factor;
        let at = Layout::fit(canvas.width(), canvas.height());
        let Some(times) = self.times.as_ref().filter(|_| at.width > 0 && at.height > 0) else { return };
        let sum = |c: &[f32; BANDS]| c.iter().filter(|v| v.is_finite()).sum::<f32>() * factor;
        let before: Vec<f32> = self.before.iter().map(|v| v * factor).collect();
        let most = self.columns.iter().map(sum).chain(before.iter().copied()).filter(|v| v.is_finite());
        let scale = Scale::fit(most.fold(0.0, f32::max), at.height, None);
        axis::draw_values(canvas, &at, scale, theme);
        axis::draw_times(canvas, &at, times, theme, look.zone);
        if at.head > 0 {
            canvas.put(0, 0, canvas.width(), look.title, theme.strong);
        }
        axis::draw_marks(canvas, &at, times, look.marks, theme);
        let cursor = look.cursor.and_then(|at| times.column(at.ms()));
        let mut plot = at.plot(canvas);
        if let Some(column) = cursor {
            axis::draw_cursor(&mut plot, column, theme);
        }
        let mut known = false;
        for (x, column) in self.columns.iter().enumerate().filter(|(_, c)| c.iter().any(|v| v.is_finite())) {
            known = true;
            draw_column(&mut plot, x as u16, &edges(column, factor, scale, at.height), theme);
        }
        if !before.is_empty() {
            trace::draw_line(&mut plot, &before, scale, theme.earlier(), &|_| None);
        }
        if !known {
            let w = canvas::width(look.empty).min(usize::from(plot.width())) as u16;
            let (x, y) = ((plot.width() - w) / 2, plot.height() / 2);
            plot.put(x, y, w, look.empty, theme.dim);
        }
        if let Some(column) = cursor {
            axis::light_cursor(&mut plot, column, theme);
        }
    }

    /// Names the bands, those on top first, with a cursor the time and the values there. Where not all fit, the heaviest
    /// ones are named: a colour that can be seen has a name.
    pub fn draw_legend(&self, canvas: &mut Canvas<'_>, look: &Look<'_>, theme: &Theme) {
        let mut x = 0;
        let mut text = String::new();
        let moment = look.cursor.zip(self.times).and_then(|(at, times)| Some((at, times.column(at.ms())?)));
        if let (Some((at, _)), Some(times)) = (moment, self.times) {
            times.push_moment(&mut text, at, look.zone);
            x += canvas.put(x, 0, canvas.width(), &text, theme.accent) + 2;
        }
        let here = moment.map(|(_, column)| usize::from(column)..usize::from(column) + 1);
        let named = |band: usize, text: &mut String| {
            text.clear();
            text.push_str(ALL.get(band).map_or("", |(name, ..)| name));
            if let Some(column) = here.as_ref() {
                text.push(' ');
                axis::push_number(text, self.weight(band, column.clone()) * look.factor);
            }
        };
        if !self.before.is_empty() {
            x += canvas.put(x, 0, canvas.width().saturating_sub(x), "─ ", theme.earlier());
            x += canvas.put(x, 0, canvas.width().saturating_sub(x), look.earlier, theme.dim);
            if let Some(value) = here.as_ref().and_then(|h| self.before.get(h.start)) {
                text.clear();
                text.push(' ');
                axis::push_number(&mut text, value * look.factor);
                x += canvas.put(x, 0, canvas.width().saturating_sub(x), &text, theme.dim);
            }
            x += 2;
        }
        let all = here.clone().unwrap_or(0..self.columns.len());
        let mut bands: Vec<(usize, f32)> = (0..BANDS).map(|b| (b, self.weight(b, all.clone()))).collect();
        bands.retain(|(_, weight)| *weight > 0.0);
        bands.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut room = canvas.width().saturating_sub(x);
        bands.retain(|(band, _)| {
            named(*band, &mut text);
            let fits = text.len() as u16 + 2 <= room;
            room = room.saturating_sub(if fits { text.len() as u16 + 4 } else { room });
            fits
        });
        bands.sort_by_key(|(band, _)| std::cmp::Reverse(*band));
        for (band, _) in bands {
            let (glyph, style) = swatch(band, theme);
            canvas.glyph(x, 0, glyph, style);
            named(band, &mut text);
            x += 2;
            x += canvas.put(x, 0, canvas.width() - x, &text, theme.dim) + 2;
        }
    }

    /// The share of a band in these columns, ms of waiting per second; 0 where nothing is known.
    fn weight(&self, band: usize, columns: std::ops::Range<usize>) -> f32 {
        let known = self.columns.get(columns).into_iter().flatten();
        known.map(|c| c[band]).filter(|v| v.is_finite()).sum()
    }
}

/// Columns of the plot on a canvas of this size.
pub const fn plot_columns(width: u16, height: u16) -> u16 {
    Layout::fit(width, height).width
}

/// Upper edges of the bands, in eighths of a row from the foot. A known total is at least one eighth high.
fn edges(column: &[f32; BANDS], factor: f32, scale: Scale, rows: u16) -> [u16; BANDS] {
    let full = f32::from(rows) * 8.0;
    let mut edges = [0; BANDS];
    let mut sum = 0.0;
    let mut highest = 0;
    for (i, value) in column.iter().enumerate() {
        if value.is_finite() && *value > 0.0 {
            sum += value * factor;
            highest = i;
        }
        edges[i] = (sum / scale.top * full).round().clamp(0.0, full) as u16;
    }
    if edges[BANDS - 1] == 0 {
        edges[highest..].fill(1);
    }
    edges
}

/// Draws a column from the foot up. A cell has room for two bands: those that take most of it.
fn draw_column(plot: &mut Canvas<'_>, x: u16, edges: &[u16; BANDS], theme: &Theme) {
    let (rows, top) = (plot.height(), edges[BANDS - 1]);
    for row in 0..top.div_ceil(8).min(rows) {
        let (floor, ceiling) = (row * 8, row * 8 + 8);
        // (share in eighths, band); the air above the stack counts as one.
        let mut most: [(u16, Option<usize>); 2] = [(ceiling.saturating_sub(top.max(floor)), None), (0, None)];
        let mut from = 0;
        for (band, to) in edges.iter().enumerate() {
            let share = to.min(&ceiling).saturating_sub(from.max(floor));
            if share > most[0].0 {
                most = [(share, Some(band)), most[0]];
            } else if share > most[1].0 {
                most[1] = (share, Some(band));
            }
            from = *to;
        }
        let y = rows - 1 - row;
        match most {
            [(a, Some(one)), (b, Some(two))] if b > 0 => {
                let ((low, share), high) = if one < two { ((one, a), two) } else { ((two, b), one) };
                draw_cell(plot, x, y, low, Some(high), share * 8 / (a + b), theme);
            }
            [(a, Some(one)), (b, None)] | [(b, None), (a, Some(one))] => {
                draw_cell(plot, x, y, one, None, (a * 8).div_ceil(a + b), theme);
            }
            _ => {}
        }
    }
}

/// One cell: `low` up to `share` eighths, `high` (or nothing) above.
fn draw_cell(
    plot: &mut Canvas<'_>,
    x: u16,
    y: u16,
    low: usize,
    high: Option<usize>,
    share: u16,
    theme: &Theme,
) {
    let share = usize::from(share.clamp(1, 8));
    if theme.hatched {
        let band = high.filter(|_| share < 4).unwrap_or(low);
        let (glyph, style) = swatch(band, theme);
        plot.glyph(x, y, glyph, style);
        return;
    }
    let mut style = colour(low, theme);
    if let Some(above) = high.and_then(|h| colour(h, theme).fg) {
        style = style.bg(above);
    }
    plot.glyph(x, y, spark::EIGHTHS[share], style);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        theme::{BUILT_IN, Depth},
        widget::screen::{buffer, drawn},
    };
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
    const LOOK: Look<'_> = Look {
        title: "waits",
        factor: 0.001,
        empty: "nothing yet",
        zone: &crate::model::base::zone::UTC,
        cursor: None,
        marks: &[],
        earlier: "",
    };

    fn theme(name: &str) -> Theme {
        Theme::load(name, Depth::True).unwrap()
    }

    /// One value each 30 s for each category, the last one now.
    fn history(waits: &[(WaitCategory, &[f32])]) -> History {
        let mut h = History::default();
        for (category, values) in waits {
            for (i, v) in values.iter().enumerate() {
                let at = NOW.plus_ms((i as i64 + 1 - values.len() as i64) * 30_000);
                h.entry(SeriesId::Wait(*category)).push(at, *v);
            }
        }
        h
    }

    fn show(h: &[History], w: u16, rows: u16, theme: &Theme) -> Vec<String> {
        let columns = plot_columns(w, rows);
        let stack = Stack::gather(h.iter(), NOW, i64::from(columns) * 30_000, columns);
        drawn(w, rows, |c| {
            stack.draw(c, &LOOK, theme);
            stack.draw_legend(&mut c.part(7, 0, w, 1), &LOOK, theme);
        })
    }

    #[test]
    fn bands_lie_on_each_other_in_their_order() {
        let h = history(&[
            (WaitCategory::Lock, &[1000.0, 1000.0, 4000.0, 4000.0]),
            (WaitCategory::Cpu, &[2000.0, 2000.0, 2000.0, 2000.0]),
        ]);
        let mono = show(std::slice::from_ref(&h), 60, 8, &theme("mono"));
        assert_eq!(mono[0], "waits  █ Lock  ░ CPU");
        let plot: Vec<&str> = mono[1..7].iter().map(|l| l.rsplit(['│', '┤']).next().unwrap()).collect();
        assert!(plot.iter().all(|l| l.is_empty() || l.chars().count() == 55), "{mono:?}");
        let right: Vec<&str> = plot.iter().map(|l| l.trim_start()).collect();
        assert_eq!(right, ["  ██", "  ██", "  ██", "████", "░░░░", "░░░░"].map(str::trim_start), "{mono:#?}");
        assert!(mono[1].starts_with("   6┤") && mono[5].starts_with("   2┤"), "{mono:#?}");
    }

    #[test]
    fn a_cell_with_two_bands_shows_both_colours() {
        let h = history(&[(WaitCategory::Lock, &[500.0]), (WaitCategory::Cpu, &[500.0])]);
        let t = theme("dark");
        let stack = Stack::gather([&h].into_iter(), NOW, 30_000, 1);
        let buf = buffer(1, 1, |c| stack.draw(c, &LOOK, &t));
        let cell = buf.cell((0, 0)).unwrap();
        assert_eq!((cell.symbol(), Some(cell.fg), Some(cell.bg)), ("▄", t.area(0).fg, t.area(9).fg));
    }

    #[test]
    fn instances_add_up_and_a_gap_of_all_stays_a_gap() {
        let one = history(&[(WaitCategory::Lock, &[1000.0, f32::NAN, f32::NAN, 1000.0])]);
        let two = history(&[(WaitCategory::Lock, &[1000.0, f32::NAN, f32::NAN, 3000.0])]);
        let stack = Stack::gather([&one, &two].into_iter(), NOW, 120_000, 4);
        let lock: Vec<f32> = stack.columns.iter().map(|c| c[band(WaitCategory::Lock)]).collect();
        assert_eq!((lock[0].to_bits(), lock[3].to_bits()), (2000_f32.to_bits(), 4000_f32.to_bits()));
        assert!(lock[1].is_nan() && lock[2].is_nan(), "{lock:?}");
    }

    #[test]
    fn a_cursor_tells_the_bands_of_its_moment() {
        let h = history(&[
            (WaitCategory::Lock, &[500.0, 3000.0, 0.0]),
            (WaitCategory::Cpu, &[500.0, 1000.0, 1000.0]),
        ]);
        let stack = Stack::gather([&h].into_iter(), NOW, 90_000, 3);
        let look = Look { cursor: Some(NOW.plus_ms(-30_000)), ..LOOK };
        let shown = drawn(40, 1, |c| stack.draw_legend(c, &look, &theme("dark")));
        assert_eq!(shown, ["22:12:50  ■ Lock 3  ■ CPU 1"]);
    }

    #[test]
    fn where_not_all_fit_the_legend_names_the_heaviest() {
        let h = history(&[
            (WaitCategory::Lock, &[10.0]),
            (WaitCategory::Memory, &[9000.0]),
            (WaitCategory::TranLogIo, &[400.0]),
            (WaitCategory::Cpu, &[20.0]),
        ]);
        let stack = Stack::gather([&h].into_iter(), NOW, 30_000, 1);
        let legend =
            |w| drawn(w, 1, |c| stack.draw_legend(c, &LOOK, &theme("dark")))[0].trim_end().to_owned();
        assert_eq!(legend(60), "■ Lock  ■ Memory  ■ Tran Log IO  ■ CPU");
        assert_eq!(legend(24), "■ Memory  ■ Tran Log IO");
        assert_eq!(legend(9), "■ Memory");
    }

    #[test]
    fn without_waits_it_says_so() {
        assert!(show(&[], 40, 7, &theme("dark"))[3].contains("nothing yet"));
    }

    #[test]
    fn every_theme_tells_the_bands_apart() {
        for (name, _) in BUILT_IN {
            for depth in [Depth::True, Depth::Ansi256] {
                let t = Theme::load(name, depth).unwrap();
                for (a, (one, ..)) in ALL.iter().enumerate() {
                    for (b, (other, ..)) in ALL.iter().enumerate().take(a) {
                        let alike = swatch(a, &t) == swatch(b, &t);
                        assert!(!alike, "{name}, {depth:?}: {one} and {other} look alike");
                    }
                }
            }
        }
    }

    #[test]
    fn a_band_has_the_name_of_its_category_and_the_rare_ones_share_one() {
        let mut shared = Vec::new();
        for category in WaitCategory::ALL {
            match ALL[band(category)].0 {
                "other" => shared.push(category.name()),
                "Latch" => assert!(category.name().ends_with("Latch"), "{}", category.name()),
                name => assert_eq!(name, category.name()),
            }
        }
        assert_eq!(shared.len(), WaitCategory::ALL.len() - BANDS, "a band each, two for latches: {shared:?}");
        let mut places: Vec<usize> = ALL.iter().map(|(_, place, _)| *place).collect();
        places.sort_unstable();
        assert_eq!(places, (0..BANDS).collect::<Vec<_>>(), "each colour once");
    }

    #[test]
    fn a_theme_with_ten_colours_draws_the_bands_beyond_them_as_the_others() {
        let text = BUILT_IN[0].1;
        let from = text.find("chart = ").unwrap();
        let mut colours: Vec<&str> = text[from..].split('"').skip(1).step_by(2).collect();
        colours.truncate(10);
        let chart = colours.iter().map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", ");
        let own = format!("{}chart = [{chart}]\n", &text[..from]);
        let t = Theme::parse("mine", &own, Depth::True).unwrap();
        let of = |category| swatch(band(category), &t);
        assert_eq!(of(WaitCategory::Preemptive), of(WaitCategory::Tracing));
        assert_ne!(of(WaitCategory::Preemptive), of(WaitCategory::Cpu));
        assert_eq!(of(WaitCategory::Lock), ("■", t.area(9)));
    }

    proptest! {
        #[test]
        fn any_size_and_any_values_hold(
            w in 0_u16..200, rows in 0_u16..60, factor in -1.0_f32..1e6, mono: bool,
            lock in proptest::collection::vec(proptest::num::f32::ANY, 0..40),
            cpu in proptest::collection::vec(0.0_f32..1e6, 0..40),
        ) {
            let h = history(&[(WaitCategory::Lock, &lock), (WaitCategory::Cpu, &cpu)]);
            let stack = Stack::gather([&h].into_iter(), NOW, 900_000, plot_columns(w, rows));
            drawn(w, rows, |c| stack.draw(c, &Look { factor, cursor: Some(NOW), ..LOOK }, &theme(if mono { "mono" } else { "dark" })));
        }
    }
}
