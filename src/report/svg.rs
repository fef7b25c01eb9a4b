//! Charts of a page: one series as a line of its averages within the band of its minimum and maximum, or several on top of
//! each other. A gap is shaded. The style sheet has the colours, for light and for dark.

use super::{html::Html, period::Period, words::with_unit};
use crate::model::{
    base::{time::Timestamp, zone::Zone},
    timeline::chart::{ChartLine, Mark},
};
use std::{borrow::Cow, fmt::Write as _};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 120.0;
const LEFT: f64 = 46.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 18.0;
/// The number of columns of a chart.
pub(super) const COLUMNS: u32 = 160;
/// The most marks on a chart; more would hide it.
const MOST_MARKS: usize = 80;

/// A chart.
pub(super) struct Chart {
    /// its title
    pub title: Cow<'static, str>,
    /// of its figures; empty for counts
    pub unit: &'static str,
    /// one series, or several to stack: each with its name
    pub lines: Vec<(Cow<'static, str>, ChartLine)>,
    /// one on top of the other
    pub stacked: bool,
}

/// Minimum, average, maximum.
type Column = Option<(f64, f64, f64)>;

impl Chart {
    /// True if there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|(_, line)| line.buckets.iter().all(|bucket| bucket.n == 0))
    }

    /// Draws it, with its caption.
    pub fn draw(&self, html: &mut Html, period: Period, marks: &[Mark], zone: &Zone) {
        let layers = self.layers(period);
        let tops =
            layers.iter().flatten().flatten().map(|(_, mean, max)| if self.stacked { *mean } else { *max });
        let greatest = tops.fold(0.0, f64::max);
        let scale = Scale { period, zone, top: ceiling(greatest, self.unit) };
        html.within("figure", &[], |html| {
            html.within("figcaption", &[], |html| self.caption(html, &layers));
            let size = format!("0 0 {WIDTH} {HEIGHT}");
            let attributes = [
                ("viewBox", size.as_str()),
                ("role", "img"),
                ("aria-label", &self.title),
                ("class", "chart"),
            ];
            html.within("svg", &attributes, |html| {
                gaps(html, layers.first().map_or(&[], Vec::as_slice));
                for (n, layer) in layers.iter().enumerate().rev() {
                    self.layer(html, n, layer, &scale);
                }
                axes(html, &scale, self.unit);
                each_mark(html, marks, &scale);
            });
        });
    }

    /// The columns of each line; of stacked ones each is the sum of those before it and its own.
    fn layers(&self, period: Period) -> Vec<Vec<Column>> {
        let step = (period.to - period.from) as f64 / f64::from(COLUMNS);
        let edge = |n: u32| period.from.plus_ms((f64::from(n) * step) as i64);
        let mut below: Vec<f64> = vec![0.0; COLUMNS as usize];
        let mut layers = Vec::new();
        for (_, line) in &self.lines {
            let mut layer = Vec::with_capacity(COLUMNS as usize);
            for n in 0..COLUMNS {
                let bucket = line.over(edge(n), edge(n + 1).max(edge(n).plus_ms(1)));
                let figures = bucket.map(|b| (f64::from(b.min), f64::from(b.avg), f64::from(b.max)));
                layer.push(match figures {
                    Some((_, mean, _)) if self.stacked => {
                        let sum = below.get(n as usize).copied().unwrap_or_default() + mean;
                        if let Some(b) = below.get_mut(n as usize) {
                            *b = sum;
                        }
                        Some((0.0, sum, sum))
                    }
                    figures => figures,
                });
            }
            layers.push(layer);
        }
        layers
    }

    fn caption(&self, html: &mut Html, layers: &[Vec<Column>]) {
        html.leaf("b", &[], &self.title);
        if self.stacked {
            html.words(&format!(", {}:", self.unit));
            for (n, (name, _)) in self.lines.iter().enumerate() {
                html.words(" ");
                html.leaf("span", &[("class", &format!("key k{}", n % 8))], name);
            }
            return;
        }
        let seen = || layers.iter().flatten().flatten();
        let (least, most) = seen()
            .fold((f64::MAX, f64::MIN), |(least, most), (min, _, max)| (least.min(*min), most.max(*max)));
        let count = seen().count().max(1) as f64;
        let mean = seen().map(|(_, mean, _)| mean).sum::<f64>() / count;
        if least <= most {
            let words = format!(
                " min {}, avg {}, max {}",
                with_unit(least, self.unit),
                with_unit(mean, self.unit),
                with_unit(most, self.unit)
            );
            html.leaf("span", &[("class", "dim")], &words);
        }
    }

    /// Each run of columns without a gap: its band, then its line.
    fn layer(&self, html: &mut Html, n: usize, layer: &[Column], scale: &Scale<'_>) {
        let mut start = 0;
        while start < layer.len() {
            let run: Vec<(f64, f64, f64)> = layer.iter().skip(start).map_while(|column| *column).collect();
            if run.is_empty() {
                start += 1;
                continue;
            }
            let at = |i: usize| x_of_column(start + i);
            let mut band = String::new();
            steps(&mut band, run.iter().enumerate().map(|(i, (.., max))| (at(i), at(i + 1), scale.y(*max))));
            let back = run.iter().enumerate().rev();
            steps(&mut band, back.map(|(i, (min, ..))| (at(i + 1), at(i), scale.y(*min))));
            let class = if self.stacked { format!("k{}", n % 8) } else { "band".into() };
            html.empty("polygon", &[("points", &band), ("class", &class)]);
            if !self.stacked {
                let mut line = String::new();
                let parts = run.iter().enumerate();
                steps(&mut line, parts.map(|(i, (_, mean, _))| (at(i), at(i + 1), scale.y(*mean))));
                html.empty("polyline", &[("points", &line), ("class", "line")]);
            }
            start += run.len();
        }
    }
}

struct Scale<'a> {
    period: Period,
    zone: &'a Zone,
    top: f64,
}

impl Scale<'_> {
    fn x(&self, at: Timestamp) -> f64 {
        let share = (at - self.period.from) as f64 / self.period.length_ms() as f64;
        LEFT + (WIDTH - LEFT) * share.clamp(0.0, 1.0)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value / self.top).clamp(0.0, 1.0);
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share)
    }
}

fn x_of_column(column: usize) -> f64 {
    LEFT + (WIDTH - LEFT) * column as f64 / f64::from(COLUMNS)
}

fn point(out: &mut String, x: f64, y: f64) {
    let _ = write!(out, "{x:.1},{y:.1} ");
}

/// A line in steps (left, right, height). Only its corners are written, which keeps a page small.
fn steps(out: &mut String, parts: impl Iterator<Item = (f64, f64, f64)>) {
    /// A difference that the rounding of points hides.
    const SAME: f64 = 0.05;
    let mut level: Option<(f64, f64)> = None;
    for (from, to, y) in parts {
        level = match level {
            Some((_, before)) if (before - y).abs() < SAME => Some((to, before)),
            before => {
                if let Some((x, before)) = before {
                    point(out, x, before);
                }
                point(out, from, y);
                Some((to, y))
            }
        };
    }
    if let Some((x, y)) = level {
        point(out, x, y);
    }
}

/// The next round figure.
fn ceiling(value: f64, unit: &str) -> f64 {
    if unit == "KB" && value > 0.0 {
        // Round in powers of 1024, as it is shown.
        let power = 1024_f64.powf(value.ln().div_euclid(1024_f64.ln()));
        return ceiling(value / power, "") * power;
    }
    if unit == "%" && value > 25.0 {
        return value.max(100.0);
    }
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 3.0, 5.0, 8.0].into_iter().map(|n| n * power).find(|top| *top >= value).unwrap_or(10.0 * power)
}

fn gaps(html: &mut Html, layer: &[Column]) {
    let mut start = 0;
    while start < layer.len() {
        let len = layer.iter().skip(start).take_while(|column| column.is_none()).count();
        if len > 0 {
            let (x, end) = (x_of_column(start), x_of_column(start + len));
            let (x, width) = (format!("{x:.1}"), format!("{:.1}", end - x));
            let (y, height) = (TOP.to_string(), (HEIGHT - TOP - BOTTOM).to_string());
            let place =
                [("x", x.as_str()), ("y", &y), ("width", &width), ("height", &height), ("class", "gap")];
            html.within("rect", &place, |html| html.leaf("title", &[], "nothing is kept of this time"));
        }
        start += len.max(1);
    }
}

fn axes(html: &mut Html, scale: &Scale<'_>, unit: &str) {
    // There is room for short units only; the caption has the others.
    let unit = if matches!(unit, "%" | "ms" | "s" | "KB") { unit } else { "" };
    let label = |html: &mut Html, x: f64, y: f64, anchor: &str, words: &str| {
        let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
        html.leaf("text", &[("x", &x), ("y", &y), ("text-anchor", anchor)], words);
    };
    for share in [0.0, 0.5, 1.0] {
        let y = scale.y(scale.top * share);
        let (x1, x2, at) = (LEFT.to_string(), WIDTH.to_string(), format!("{y:.1}"));
        html.empty("line", &[("x1", &x1), ("x2", &x2), ("y1", &at), ("y2", &at), ("class", "axis")]);
        label(html, LEFT - 4.0, y + 3.5, "end", &with_unit(scale.top * share, unit));
    }
    let length = scale.period.to - scale.period.from;
    for n in 0..=4_i64 {
        let at = scale.period.from.plus_ms(length / 4 * n);
        let mut words = String::new();
        if length > 2 * 86_400_000 {
            scale.zone.push_date(&mut words, at);
        } else {
            scale.zone.push_clock(&mut words, at);
        }
        let anchor =
            ["start", "middle", "middle", "middle", "end"].get(n as usize).copied().unwrap_or("middle");
        label(html, scale.x(at), HEIGHT - 4.0, anchor, &words);
    }
}

fn each_mark(html: &mut Html, marks: &[Mark], scale: &Scale<'_>) {
    for mark in marks.iter().take(MOST_MARKS) {
        let (x, y1, y2) =
            (format!("{:.1}", scale.x(mark.at)), TOP.to_string(), (HEIGHT - BOTTOM).to_string());
        html.within("g", &[("class", "mark")], |html| {
            html.empty("line", &[("x1", &x), ("x2", &x), ("y1", &y1), ("y2", &y2)]);
            let mut words = String::new();
            scale.zone.push_clock(&mut words, mark.at);
            let _ = write!(words, " {}: {}", mark.kind.name(), mark.what.told(scale.zone));
            html.leaf("title", &[], &words);
            html.leaf("text", &[("x", &x), ("y", "13"), ("text-anchor", "middle")], mark.kind.glyph());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_room_for_so_many_marks() {
        use crate::model::{
            base::zone::UTC,
            timeline::{chart::MarkKind, event::What},
        };
        let period = Period { from: Timestamp::from_ms(0), to: Timestamp::from_ms(1_000) };
        let scale = Scale { period, zone: &UTC, top: 1.0 };
        let drawn = |count: usize| {
            let mark = |n: usize| Mark {
                at: Timestamp::from_ms(n as i64),
                to: None,
                kind: MarkKind::Deadlock,
                instance: None,
                what: What::Deadlocks(n as u64),
            };
            let marks: Vec<Mark> = (0..count).map(mark).collect();
            let page = Html::page("t", "", |html| each_mark(html, &marks, &scale));
            page.matches("class=\"mark\"").count()
        };
        assert_eq!([0, 1, MOST_MARKS, MOST_MARKS + 1].map(drawn), [0, 1, MOST_MARKS, MOST_MARKS]);
    }

    #[test]
    fn a_level_line_has_two_ends_and_a_step_two_corners() {
        let drawn = |parts: &[(f64, f64, f64)]| {
            let mut out = String::new();
            steps(&mut out, parts.iter().copied());
            out.trim_end().to_owned()
        };
        assert_eq!(drawn(&[(0.0, 1.0, 5.0), (1.0, 2.0, 5.0), (2.0, 3.0, 5.0)]), "0.0,5.0 3.0,5.0");
        assert_eq!(
            drawn(&[(0.0, 1.0, 5.0), (1.0, 2.0, 5.0), (2.0, 3.0, 7.0)]),
            "0.0,5.0 2.0,5.0 2.0,7.0 3.0,7.0"
        );
        // A slow change is drawn, too.
        let creeping: Vec<_> =
            (0..10).map(|n| (f64::from(n), f64::from(n + 1), 0.02 * f64::from(n))).collect();
        assert!(
            drawn(&creeping).contains("9.0,0.1") || drawn(&creeping).contains("10.0,0.2"),
            "{}",
            drawn(&creeping)
        );
    }

    #[test]
    fn sizes_have_round_axes_in_their_own_powers() {
        let top = |bytes: f64| with_unit(ceiling(bytes / 1024.0, "KB"), "KB");
        assert_eq!(top(90.0 * 1024_f64.powi(3)), "100 GB");
        assert_eq!(top(1.5 * 1024_f64.powi(4)), "2.0 TB");
        assert_eq!(top(700.0), "800 B");
    }
}
