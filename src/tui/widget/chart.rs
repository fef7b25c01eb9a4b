//! A chart of one or two series over time: filled area, line or braille, with axes and limits. Called by the panes that
//! show one figure large. It keeps no state.

use super::{
    axis::{self, Layout, Scale, Times},
    canvas::{self, Canvas},
    spark, trace,
};
use crate::{
    model::{
        base::{time::Timestamp, zone::Zone},
        timeline::{
            chart::{ChartLine, Mark},
            history::Series,
        },
    },
    tui::theme::Theme,
};
use ratatui::style::{Modifier, Style};

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// filled from the foot, in eighths of a row
    #[default]
    Area,
    /// a line of box-drawing characters, one row exact
    Line,
    /// a line of braille dots, four to a row and two to a column; not every font has them
    Braille,
}

/// The source of the points of a series.
#[derive(Debug, Clone, Copy)]
pub enum Points<'a> {
    /// in memory: the last minutes; None if there has never been one
    Live(Option<&'a Series>),
    /// out of history, moved by so much into the future, ms: an earlier time drawn over a later one
    Kept(Option<&'a ChartLine>, i64),
}

impl Points<'_> {
    /// There is no point at all.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Live(series) => series.is_none_or(|s| s.last().is_none()),
            Self::Kept(line, _) => line.is_none_or(|l| l.buckets.is_empty()),
        }
    }
}

/// One series of a chart.
#[derive(Debug, Clone, Copy)]
pub struct Plot<'a> {
    /// its name, for the head line of a chart of two
    pub name: &'a str,
    /// its points
    pub points: Points<'a>,
    /// how it is drawn
    pub shape: Shape,
    /// colour where no limit is passed
    pub style: Style,
}

/// Limits beyond which a figure is a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// beyond it a warning
    pub warning: f32,
    /// from here on critical
    pub critical: f32,
    /// it is the low values that are bad
    pub low_is_bad: bool,
}

/// The style without underline and bold, with which lines and areas would look like others.
const fn line(style: Style) -> Style {
    style.remove_modifier(Modifier::UNDERLINED.union(Modifier::BOLD))
}

impl Limits {
    /// The style of a value that passes a limit, as verdicts count it: critical at the limit, a warning beyond it.
    fn style(&self, value: f32, theme: &Theme) -> Option<Style> {
        let beyond = |limit: f32| if self.low_is_bad { value < limit } else { value > limit };
        if beyond(self.critical) || value.total_cmp(&self.critical).is_eq() {
            Some(theme.critical)
        } else if beyond(self.warning) {
            Some(theme.warning)
        } else {
            None
        }
    }
}

/// The content of a chart.
#[derive(Debug, Clone, Copy)]
pub struct Chart<'a> {
    /// figure and unit: `CPU %`
    pub title: &'a str,
    /// drawn in this order, at most two make sense
    pub plots: &'a [Plot<'a>],
    /// right edge
    pub now: Timestamp,
    /// whose clock times are told by
    pub zone: &'a Zone,
    /// width in time, ms
    pub range_ms: i64,
    /// values are multiplied by this, to change their unit
    pub factor: f32,
    /// upper edge of the axis; None: what the values need
    pub top: Option<f32>,
    /// the axis reaches at least this far, so that noise does not look like a storm
    pub least: f32,
    /// limits, in the unit shown
    pub limits: Option<Limits>,
    /// the text in the middle when there is nothing to draw
    pub empty: &'a str,
    /// the cursor's time: marked, and its values shown in place of min and max
    pub cursor: Option<Timestamp>,
    /// events on the axis
    pub marks: &'a [Mark],
}

/// The values of a column.
#[derive(Debug, Clone, Copy)]
struct Value {
    min: f32,
    avg: f32,
    max: f32,
}

impl Value {
    const NONE: Self = Self { min: f32::NAN, avg: f32::NAN, max: f32::NAN };

    const fn of(v: f32) -> Self {
        Self { min: v, avg: v, max: v }
    }

    fn times(self, factor: f32) -> Self {
        Self { min: self.min * factor, avg: self.avg * factor, max: self.max * factor }
    }

    const fn is_known(self) -> bool {
        self.avg.is_finite()
    }

    /// True if min and max differ so much that both are shown.
    fn is_wide(self) -> bool {
        self.is_known() && self.max - self.min > self.avg.abs() * 0.01
    }
}

impl Chart<'_> {
    /// Draws the chart on the whole canvas, whatever its size.
    pub fn draw(&self, canvas: &mut Canvas<'_>, theme: &Theme) {
        let at = Layout::fit(canvas.width(), canvas.height());
        if at.width == 0 || at.height == 0 {
            return;
        }
        let times = Times::fit(self.now, self.range_ms, at.width);
        let values: Vec<Vec<Value>> = self.plots.iter().map(|p| self.values(p, &times)).collect();
        let known = || values.iter().flatten().map(|v| v.max).filter(|v| v.is_finite());
        let scale = Scale::fit(known().fold(self.least, f32::max), at.height, self.top);
        axis::draw_values(canvas, &at, scale, theme);
        axis::draw_times(canvas, &at, &times, theme, self.zone);
        if at.foot >= 2 {
            axis::draw_marks(canvas, &at, &times, self.marks, theme);
        }
        let cursor = self.cursor.and_then(|at| Some((at, times.column(at.ms())?)));
        if at.head > 0 {
            let x = self.draw_names(canvas, &values, theme);
            match cursor {
                Some((at, column)) => draw_moment(canvas, x, &times, (at, self.zone), column, &values, theme),
                None => self.draw_extremes(canvas, x, &values, theme),
            }
        }
        let mut plot = at.plot(canvas);
        self.draw_limits(&mut plot, scale, theme);
        if let Some((_, column)) = cursor {
            axis::draw_cursor(&mut plot, column, theme);
        }
        let means: Vec<Vec<f32>> = values.iter().map(|v| v.iter().map(|v| v.avg).collect()).collect();
        let mut below = None;
        for ((p, values), means) in self.plots.iter().zip(&values).zip(&means) {
            match p.shape {
                Shape::Area => {
                    self.draw_area(&mut plot, values, scale, p.style, theme);
                    below = Some((means, p.style));
                }
                Shape::Line => {
                    let filled = |x| {
                        let (means, style): (&Vec<f32>, Style) = below?;
                        let value: f32 = *means.get(x)?;
                        Some((value, self.area_style(value, style, theme)))
                    };
                    trace::draw_line(&mut plot, means, scale, p.style, &filled);
                }
                Shape::Braille => trace::draw_braille(&mut plot, &self.halves(p, &times), scale, p.style),
            }
        }
        if at.foot < 2 {
            axis::draw_marks(canvas, &at, &times, self.marks, theme);
        }
        let mut plot = at.plot(canvas);
        if let Some((_, column)) = cursor {
            axis::light_cursor(&mut plot, column, theme);
        }
        if known().next().is_none() {
            let w = canvas::width(self.empty).min(usize::from(plot.width())) as u16;
            let (x, y) = ((plot.width() - w) / 2, plot.height() / 2);
            plot.put(x, y, w, self.empty, theme.dim);
        }
    }

    /// A value for each column, in the unit shown.
    fn values(&self, plot: &Plot<'_>, times: &Times) -> Vec<Value> {
        self.buckets(plot.points, times, times.bucket_ms, usize::from(times.columns))
    }

    /// A value for each half of a column.
    fn halves(&self, plot: &Plot<'_>, times: &Times) -> Vec<f32> {
        let half_ms = (times.bucket_ms / 2).max(1);
        let halves = self.buckets(plot.points, times, half_ms, usize::from(times.columns) * 2);
        halves.iter().map(|v| v.avg).collect()
    }

    fn buckets(&self, points: Points<'_>, times: &Times, bucket_ms: i64, n: usize) -> Vec<Value> {
        match points {
            Points::Live(series) => {
                let mut values = vec![f32::NAN; n];
                spark::bucket(series, self.now, bucket_ms, &mut values);
                values.iter().map(|v| Value::of(*v).times(self.factor)).collect()
            }
            Points::Kept(None, _) => vec![Value::NONE; n],
            Points::Kept(Some(line), later_ms) => {
                let first = Timestamp::from_ms(times.first_ms.saturating_sub(later_ms));
                let value = |i: usize| {
                    let from = first.plus_ms(i as i64 * bucket_ms);
                    let b = line.over(from, from.plus_ms(bucket_ms))?;
                    Some(Value { min: b.min, avg: b.avg, max: b.max }.times(self.factor))
                };
                (0..n).map(|i| value(i).unwrap_or(Value::NONE)).collect()
            }
        }
    }

    /// Title, and the names of several series as far as they fit whole; returns the columns used.
    fn draw_names(&self, canvas: &mut Canvas<'_>, values: &[Vec<Value>], theme: &Theme) -> u16 {
        let mut x = canvas.put(0, 0, canvas.width(), self.title, theme.strong);
        if self.plots.len() > 1 {
            for (p, values) in self.plots.iter().zip(values).filter(|(p, _)| !p.name.is_empty()) {
                if usize::from(x) + 4 + canvas::width(p.name) > usize::from(canvas.width()) {
                    continue;
                }
                // An area past a limit is drawn in the colour of the limit: its key has that of its newest column.
                let newest = values.iter().rfind(|v| v.is_known()).map_or(f32::NAN, |v| v.avg);
                let (mark, style) = match p.shape {
                    Shape::Area => ("■", self.area_style(newest, p.style, theme)),
                    _ => ("─", p.style),
                };
                x += 2;
                canvas.put(x, 0, 1, mark, style);
                x += 2;
                x += canvas.put(x, 0, canvas.width().saturating_sub(x), p.name, theme.dim);
            }
        }
        x
    }

    /// Min, max and last value of the first series at the right edge, as far as they fit behind column `x`.
    fn draw_extremes(&self, canvas: &mut Canvas<'_>, x: u16, values: &[Vec<Value>], theme: &Theme) {
        let Some(first) = values.first() else { return };
        let known = || first.iter().copied().filter(|v| v.is_known());
        let Some(last) = known().next_back() else { return };
        let figures = [
            ("min ", known().fold(f32::INFINITY, |least, v| least.min(v.min))),
            ("max ", known().fold(f32::NEG_INFINITY, |most, v| most.max(v.max))),
            ("last ", last.avg),
        ];
        let mut end = canvas.width();
        let mut text = String::new();
        for (name, value) in figures.into_iter().rev() {
            text.clear();
            axis::push_number(&mut text, value);
            let (name_w, w) = (name.len() as u16, canvas::width(&text) as u16);
            if end < x + 2 + name_w + w {
                return;
            }
            let limit = self.limits.and_then(|l| l.style(value, theme));
            canvas.put(end - w, 0, w, &text, limit.unwrap_or(theme.base));
            canvas.put(end - w - name_w, 0, name_w, name, theme.dim);
            end = end.saturating_sub(w + name_w + 2);
        }
    }

    fn draw_limits(&self, plot: &mut Canvas<'_>, scale: Scale, theme: &Theme) {
        let Some(limits) = self.limits else { return };
        for (value, style) in [(limits.warning, theme.warning), (limits.critical, theme.critical)] {
            if value <= scale.top
                && let Some(row) = scale.row(value, plot.height())
            {
                let (y, width) = (plot.height() - 1 - row, plot.width());
                plot.repeat(0, y, width, "┄", line(style));
            }
        }
    }

    /// An area has the colour of the limit that its average passes, else its own.
    fn area_style(&self, avg: f32, style: Style, theme: &Theme) -> Style {
        self.limits.and_then(|l| l.style(avg, theme)).map_or(style, line)
    }

    /// Filled up to the average. Where a column holds many values it has three shades: up to min, avg and max.
    fn draw_area(&self, plot: &mut Canvas<'_>, values: &[Value], scale: Scale, style: Style, theme: &Theme) {
        let rows = plot.height();
        for (x, value) in values.iter().enumerate().filter(|(_, v)| v.is_known()) {
            let style = self.area_style(value.avg, style, theme);
            let [min, avg, max] = [value.min, value.avg, value.max].map(|v| trace::eighths(v, scale, rows));
            for row in 0..max.div_ceil(8).min(rows) {
                let floor = row * 8;
                let part = |edge: u16| spark::EIGHTHS[usize::from(edge.saturating_sub(floor).min(8))];
                let is_mixed = avg >= floor + 8 && min < floor + 4 && min < avg;
                // A cell has room for two shades.
                let (glyph, style) = match (avg > floor, theme.hatched) {
                    (true, true) if is_mixed => ("▓", style),
                    (true, false) if is_mixed => (part(avg), line(theme.spark)),
                    (true, false) if avg < floor + 8 && max >= floor + 6 => {
                        (part(avg), theme.rule.fg.map_or(style, |band| style.bg(band)))
                    }
                    (true, _) => (part(avg), style),
                    (false, true) if max < floor + 4 => continue,
                    (false, true) => ("░", style),
                    (false, false) => (part(max), line(theme.rule)),
                };
                plot.glyph(x as u16, rows - 1 - row, glyph, style);
            }
        }
    }
}

/// The values at a moment, at the right edge: `13:58:20  41 · 2`; where a column holds many, their avg, min and
/// max: `13:58  41 (12–97)`.
fn draw_moment(
    canvas: &mut Canvas<'_>,
    x: u16,
    times: &Times,
    (at, zone): (Timestamp, &Zone),
    column: u16,
    values: &[Vec<Value>],
    theme: &Theme,
) {
    let mut text = String::new();
    for (n, values) in values.iter().enumerate() {
        text.push_str(if n > 0 { " · " } else { "" });
        let value = values.get(usize::from(column)).copied().unwrap_or(Value::NONE);
        axis::push_number(&mut text, value.avg);
        if n == 0 && value.is_wide() {
            text.push_str(" (");
            axis::push_number(&mut text, value.min);
            text.push('–');
            axis::push_number(&mut text, value.max);
            text.push(')');
        }
    }
    let mut time = String::new();
    times.push_moment(&mut time, at, zone);
    let (w, time_w) = (canvas::width(&text) as u16, time.len() as u16);
    let start = canvas.width().saturating_sub(w);
    if start >= x + 2 {
        canvas.put(start, 0, w, &text, theme.strong);
    }
    if start >= x + time_w + 4 {
        canvas.put(start - time_w - 2, 0, time_w, &time, theme.accent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        theme::Depth,
        widget::screen::{buffer, drawn, lines},
    };
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn theme() -> Theme {
        Theme::load("dark", Depth::True).unwrap()
    }

    /// One value each 30 s, the last one now.
    fn series(values: &[f32]) -> Series {
        let mut s = Series::default();
        for (i, v) in values.iter().enumerate() {
            s.push(NOW.plus_ms((i as i64 + 1 - values.len() as i64) * 30_000), *v);
        }
        s
    }

    fn chart<'a>(plots: &'a [Plot<'a>]) -> Chart<'a> {
        Chart {
            title: "CPU %",
            plots,
            now: NOW,
            zone: &crate::model::base::zone::UTC,
            range_ms: 900_000,
            factor: 1.0,
            top: Some(100.0),
            least: 0.0,
            limits: None,
            empty: "no data yet",
            cursor: None,
            marks: &[],
        }
    }

    fn plot(series: Option<&Series>, shape: Shape) -> [Plot<'_>; 1] {
        [Plot { name: "SQL", points: Points::Live(series), shape, style: Style::default() }]
    }

    #[test]
    fn an_area_has_axes_and_figures() {
        let s = series(&(0..31).map(|i| i as f32 * 3.2).collect::<Vec<_>>());
        let shown = drawn(36, 8, |c| chart(&plot(Some(&s), Shape::Area)).draw(c, &theme()));
        assert_eq!(
            shown,
            [
                "CPU %       min 3.2  max 96  last 96",
                " 100┤                           ▁▃▅▆",
                "    │                     ▂▃▅▅▆█████",
                "    │               ▁▂▄▅▇███████████",
                "  50┤          ▁▂▄▆▇████████████████",
                "    │     ▁▃▄▆▇█████████████████████",
                "    │▂▃▅▆███████████████████████████",
                "   0└  22:00     22:05      22:10",
            ]
        );
    }

    #[test]
    fn a_gap_stays_a_gap_and_zero_shows() {
        let s = series(&[0.0, 0.0, f32::NAN, f32::NAN, f32::NAN, 0.0]);
        let shown = drawn(6, 1, |c| {
            Chart { range_ms: 180_000, ..chart(&plot(Some(&s), Shape::Area)) }.draw(c, &theme());
        });
        assert_eq!(shown, ["▁▁   ▁"]);
    }

    #[test]
    fn a_line_joins_its_values() {
        let s = series(&[10.0, 10.0, 90.0, 90.0, 40.0, 40.0]);
        let shown = drawn(6, 4, |c| {
            Chart { range_ms: 180_000, ..chart(&plot(Some(&s), Shape::Line)) }
                .draw(&mut c.part(0, 0, 6, 4), &theme());
        });
        assert_eq!(shown, ["CPU %", "  ╭─╮", "  │ ╰─", "──╯"]);
    }

    #[test]
    fn braille_has_four_dots_a_row() {
        let s = series(&[0.0, 100.0]);
        let shown = drawn(2, 1, |c| {
            Chart { range_ms: 60_000, ..chart(&plot(Some(&s), Shape::Braille)) }.draw(c, &theme());
        });
        assert_eq!(shown, ["⢀⣸"]);
    }

    #[test]
    fn nothing_known_says_why() {
        let shown = drawn(40, 7, |c| {
            Chart { empty: "n/a (VIEW SERVER STATE)", ..chart(&plot(None, Shape::Area)) }.draw(c, &theme());
        });
        assert!(shown[3].contains("n/a (VIEW SERVER STATE)"), "{shown:?}");
    }

    #[test]
    fn the_key_to_an_area_has_the_colour_of_its_newest_column() {
        let (now, before, t) = (series(&[10.0, 99.0]), series(&[1.0, 1.0]), theme());
        let limits = Some(Limits { warning: 80.0, critical: 95.0, low_is_bad: false });
        let named = |s, name, shape| Plot { name, style: t.area(0), ..plot(Some(s), shape)[0] };
        let plots = [named(&now, "SQL Server", Shape::Area), named(&before, "others", Shape::Line)];
        let buf = buffer(60, 8, |c| {
            Chart { range_ms: 60_000, limits, ..chart(&plots) }.draw(c, &t);
        });
        let key = (0..60).find(|x| buf.cell((*x, 0)).unwrap().symbol() == "■").unwrap();
        assert_eq!(Some(buf.cell((key, 0)).unwrap().fg), t.critical.fg);
    }

    #[test]
    fn columns_past_a_limit_take_its_colour() {
        let (s, t) = (series(&[10.0, 85.0, 99.0]), theme());
        let limits = Some(Limits { warning: 80.0, critical: 95.0, low_is_bad: false });
        let plots = [Plot { style: t.area(0), ..plot(Some(&s), Shape::Area)[0] }];
        let buf = buffer(3, 2, |c| {
            Chart { range_ms: 90_000, limits, ..chart(&plots) }.draw(c, &t);
        });
        let foot = [0, 1, 2].map(|x| buf.cell((x, 1)).unwrap().fg);
        assert_eq!(foot.map(Some), [t.area(0).fg, t.warning.fg, t.critical.fg]);
    }

    #[test]
    fn where_low_is_bad_the_low_columns_take_the_colour() {
        let (s, t) = (series(&[300.0, 100.0, 99.0, 50.0, 49.0]), theme());
        let plots = [Plot { style: t.area(0), ..plot(Some(&s), Shape::Area)[0] }];
        let foot = |low_is_bad| {
            let limits =
                Some(Limits { warning: 100.0, critical: if low_is_bad { 50.0 } else { 300.0 }, low_is_bad });
            let buf = buffer(5, 2, |c| Chart { range_ms: 150_000, limits, ..chart(&plots) }.draw(c, &t));
            [0, 1, 2, 3, 4].map(|x| buf.cell((x, 1)).unwrap().fg)
        };
        let [calm, warning, critical] = [t.area(0).fg, t.warning.fg, t.critical.fg];
        assert_eq!(foot(true).map(Some), [calm, calm, warning, critical, critical]);
        assert_eq!(
            foot(false).map(Some),
            [critical, calm, calm, calm, calm],
            "at its limit it is no warning"
        );
    }

    #[test]
    fn a_line_over_an_area_keeps_the_area_behind_it() {
        let (s, l, t) = (series(&[100.0; 3]), series(&[10.0; 3]), theme());
        let plots = [
            Plot { name: "SQL", points: Points::Live(Some(&s)), shape: Shape::Area, style: t.area(0) },
            Plot { name: "other", points: Points::Live(Some(&l)), shape: Shape::Line, style: t.area(1) },
        ];
        let buf = buffer(3, 2, |c| Chart { range_ms: 90_000, ..chart(&plots) }.draw(c, &t));
        let cell = buf.cell((1, 1)).unwrap();
        assert_eq!((cell.symbol(), Some(cell.fg), Some(cell.bg)), ("─", t.area(1).fg, t.area(0).fg));
    }

    #[test]
    fn a_line_over_an_area_past_a_limit_has_the_colour_of_the_limit_behind_it() {
        let (s, l, t) = (series(&[100.0; 3]), series(&[10.0; 3]), theme());
        let plots = [
            Plot { name: "read", points: Points::Live(Some(&s)), shape: Shape::Area, style: t.area(0) },
            Plot { name: "write", points: Points::Live(Some(&l)), shape: Shape::Line, style: t.area(1) },
        ];
        let limits = Some(Limits { warning: 80.0, critical: 120.0, low_is_bad: false });
        let buf = buffer(3, 2, |c| Chart { range_ms: 90_000, limits, ..chart(&plots) }.draw(c, &t));
        let cell = buf.cell((1, 1)).unwrap();
        assert_eq!((cell.symbol(), Some(cell.bg)), ("─", t.warning.fg));
    }

    #[test]
    fn a_cursor_tells_the_values_of_its_moment() {
        let (s, t) = (series(&[10.0, 20.0, 40.0, 30.0]), theme());
        let cursor = Some(NOW.plus_ms(-30_000));
        let buf = buffer(40, 5, |c| {
            Chart { range_ms: 120_000, cursor, ..chart(&plot(Some(&s), Shape::Area)) }.draw(c, &t);
        });
        let lines = lines(&buf);
        assert!(lines[0].ends_with("22:12:50  40"), "{lines:#?}");
        let x = (5..40).find(|x| buf.cell((*x, 1)).unwrap().symbol() == "│").unwrap();
        let foot = buf.cell((x, 3)).unwrap();
        assert_eq!((foot.symbol(), Some(foot.fg)), ("█", t.accent.fg), "{lines:#?}");
    }

    #[test]
    fn a_line_does_not_hide_the_edge_of_an_area() {
        let (s, l, t) = (series(&[30.0; 3]), series(&[1.0; 3]), theme());
        let plots = [
            Plot { name: "SQL", points: Points::Live(Some(&s)), shape: Shape::Area, style: t.area(0) },
            Plot { name: "other", points: Points::Live(Some(&l)), shape: Shape::Line, style: t.area(1) },
        ];
        assert_eq!(drawn(3, 2, |c| Chart { range_ms: 90_000, ..chart(&plots) }.draw(c, &t)), ["", "▅▅▅"]);
    }

    proptest! {
        #[test]
        fn any_size_and_any_values_hold(
            w in 0_u16..220, h in 0_u16..70, top in proptest::option::of(-1.0_f32..1e9), range in -5_i64..2_000_000,
            values in proptest::collection::vec(proptest::num::f32::ANY, 0..40), shape in 0..3,
        ) {
            let s = series(&values);
            let shape = [Shape::Area, Shape::Line, Shape::Braille][shape as usize];
            let limits = Some(Limits { warning: 80.0, critical: f32::NAN, low_is_bad: values.len() % 2 == 0 });
            drawn(w, h, |c| {
                Chart { range_ms: range, top, limits, ..chart(&plot(Some(&s), shape)) }.draw(c, &theme());
            });
        }
    }
}
