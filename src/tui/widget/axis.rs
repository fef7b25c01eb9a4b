//! The frame of a chart: round values up the side, round times along the foot. Used by the charts only.
//!
//! A chart's columns are buckets on whole multiples of their length (see [`super::spark::bucket`]), so labels stand
//! still between two steps.

use super::canvas::{self, Canvas};
use crate::{
    model::{
        base::{time::Timestamp, zone::Zone},
        timeline::chart::{Mark, MarkKind},
    },
    tui::theme::Theme,
};
use ratatui::style::Style;
use std::fmt::Write as _;

/// Columns that the value axis takes: four for a number, one for the line.
pub const GUTTER: u16 = 5;

/// Below this many columns a chart has no value axis.
const LEAST_WITH_GUTTER: u16 = 20;

/// Where the parts of a chart lie within its canvas, in columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// rows above the plot, 0 or 1
    pub head: u16,
    /// columns left of the plot, 0 or [`GUTTER`]
    pub left: u16,
    /// columns of the plot
    pub width: u16,
    /// rows of the plot
    pub height: u16,
    /// rows below the plot, 0 to 2
    pub foot: u16,
}

impl Layout {
    /// Leaves the plot as much room as possible: the smaller the canvas, the fewer labels around it.
    pub const fn fit(width: u16, height: u16) -> Self {
        let head = if height >= 3 { 1 } else { 0 };
        let foot = match height {
            0..5 => 0,
            5..10 => 1,
            _ => 2,
        };
        let left = if width >= LEAST_WITH_GUTTER && height >= 3 { GUTTER } else { 0 };
        Self {
            head,
            left,
            width: width.saturating_sub(left),
            height: height.saturating_sub(head + foot),
            foot,
        }
    }

    /// The plot's part of the canvas.
    pub fn plot<'c>(&self, canvas: &'c mut Canvas<'_>) -> Canvas<'c> {
        canvas.part(self.left, self.head, self.width, self.height)
    }
}

/// Values that an axis can end at.
const LEAST: f32 = 0.05;
const MOST: f32 = 1e30;

/// A value axis from zero to `top`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// value at the upper edge of the plot
    pub top: f32,
    /// distance of two labels
    pub step: f32,
}

impl Scale {
    /// A round scale that holds `max` on `rows` rows, or ends at `top` exactly if that is given. Where there is nothing
    /// above zero it goes to one.
    pub fn fit(max: f32, rows: u16, top: Option<f32>) -> Self {
        match top {
            Some(top) => Self::ending_at(top.clamp(LEAST, MOST), rows),
            None => {
                Self::holding(if max.is_finite() && max > 0.0 { max.clamp(LEAST, MOST) } else { 1.0 }, rows)
            }
        }
    }

    /// Labels stand a whole number of rows apart, so that equal steps look equal. Of all such scales the one with the
    /// most labels that wastes little of the height.
    fn holding(max: f32, rows: u16) -> Self {
        let rows = rows.max(1);
        let closest = if rows < 4 { 1 } else { rows.div_ceil(6).max(2) };
        // At least two labels where there is room for them.
        let widest = (rows / 2).max(closest);
        let scale = |apart: u16| {
            let steps = f32::from(rows) / f32::from(apart);
            let step = round_up(max / steps);
            Self { top: step * steps, step }
        };
        let lowest = (closest..=widest).map(|apart| scale(apart).top).fold(f32::INFINITY, f32::min);
        let good = (closest..=widest).map(scale).find(|s| s.top <= lowest * 1.15);
        good.unwrap_or_else(|| scale(widest))
    }

    /// Fifths, quarters or halves of `top`, whichever falls on whole rows.
    fn ending_at(top: f32, rows: u16) -> Self {
        let parts = [5, 4, 2].into_iter().find(|n| rows >= n * 2 && rows.is_multiple_of(*n));
        let parts = parts.unwrap_or(if rows >= 4 { 2 } else { 1 });
        Self { top, step: top / f32::from(parts) }
    }

    /// The row, counted from the foot of the plot, in which a value ends; None for zero and below.
    pub fn row(self, value: f32, rows: u16) -> Option<u16> {
        let row = (value / self.top * f32::from(rows) - 1e-3).ceil();
        (value > 0.0 && rows > 0).then(|| (row.max(1.0) as u16 - 1).min(rows - 1))
    }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `value`.
fn round_up(value: f32) -> f32 {
    let power = 10_f32.powf(value.log10().floor());
    let times = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|t| t * power >= value * 0.9999);
    times.unwrap_or(10.0) * power
}

/// Writes a number in at most four columns: `0.05`, `2.5`, `40`, `1.2k`, `120M`.
pub fn push_number(out: &mut String, value: f32) {
    const UNITS: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    if !value.is_finite() {
        out.push('–');
        return;
    }
    let (mut v, mut unit) = (value, 0);
    while v.abs() >= 999.5 && unit + 1 < UNITS.len() {
        v /= 1000.0;
        unit += 1;
    }
    let start = out.len();
    let decimals = if v.abs() >= 9.95 || v == 0.0 {
        0
    } else if v.abs() >= 0.995 || unit > 0 {
        1
    } else {
        2
    };
    let _ = write!(out, "{v:.decimals$}");
    if decimals > 0 {
        let kept = out[start..].trim_end_matches('0').trim_end_matches('.').len();
        out.truncate(start + kept);
    }
    out.push_str(UNITS[unit]);
}

/// Draws the value axis and its labels left of the plot, and zero in the corner below it.
pub fn draw_values(canvas: &mut Canvas<'_>, at: &Layout, scale: Scale, theme: &Theme) {
    if at.left == 0 {
        return;
    }
    let mut label = String::new();
    let line = at.left - 1;
    for y in 0..at.height {
        canvas.glyph(line, at.head + y, "│", theme.rule);
    }
    let mut n = 1_u16;
    while f32::from(n) * scale.step <= scale.top * 1.001 && n < 16 {
        let value = f32::from(n) * scale.step;
        if let Some(row) = scale.row(value, at.height) {
            label.clear();
            push_number(&mut label, value);
            let y = at.head + at.height - 1 - row;
            canvas.put_right(0, y, line, &label, theme.dim);
            canvas.glyph(line, y, "┤", theme.rule);
        }
        n += 1;
    }
    if at.foot > 0 {
        canvas.put_right(0, at.head + at.height, line, "0", theme.dim);
        canvas.glyph(line, at.head + at.height, "└", theme.rule);
    }
}

/// Longest range: more than that is an error, ms.
const LONGEST_MS: i64 = 400 * DAY_MS;

const DAY_MS: i64 = 86_400_000;

/// The times of a chart's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// start of the first column, ms since the epoch
    pub first_ms: i64,
    /// length of a column, ms
    pub bucket_ms: i64,
    /// columns
    pub columns: u16,
}

impl Times {
    /// `range_ms` up to `now` on this many columns; the same buckets as [`super::spark::bucket`] makes.
    pub fn fit(now: Timestamp, range_ms: i64, columns: u16) -> Self {
        let n = i64::from(columns.max(1));
        let range_ms = range_ms.clamp(n, LONGEST_MS);
        let bucket_ms = (range_ms + n - 1) / n;
        let last = now.ms().div_euclid(bucket_ms);
        Self {
            first_ms: last.saturating_add(1).saturating_sub(n).saturating_mul(bucket_ms),
            bucket_ms,
            columns,
        }
    }

    /// The column that a time falls in.
    pub fn column(&self, at_ms: i64) -> Option<u16> {
        let column = at_ms.saturating_sub(self.first_ms).div_euclid(self.bucket_ms);
        u16::try_from(column).ok().filter(|c| *c < self.columns)
    }

    /// The smallest round distance at which labels of `width` columns do not touch; None if nothing fits.
    fn step_ms(&self, width: i64) -> Option<i64> {
        const STEPS_S: [i64; 12] = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
        const LONG_H: [i64; 9] = [3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24, 91 * 24];
        let steps = STEPS_S.into_iter().map(|s| s * 1000).chain(LONG_H.into_iter().map(|h| h * 3_600_000));
        steps.into_iter().find(|step| step / self.bucket_ms >= width + 4)
    }

    /// A time of day alone would not do.
    const fn over_days(&self) -> bool {
        self.bucket_ms.saturating_mul(self.columns as i64) > DAY_MS * 3 / 4
    }

    /// Start and end of a column.
    pub const fn span(&self, column: usize) -> (Timestamp, Timestamp) {
        let from = self.first_ms.saturating_add((column as i64).saturating_mul(self.bucket_ms));
        (Timestamp::from_ms(from), Timestamp::from_ms(from.saturating_add(self.bucket_ms)))
    }

    /// Writes a moment as exactly as a column is: `13:58:20`, `13:58`, `11-20 13:58`.
    pub fn push_moment(&self, out: &mut String, at: Timestamp, zone: &Zone) {
        if self.over_days() {
            push_day(out, at, zone);
            out.push(' ');
        }
        push_time(out, at, self.bucket_ms < 60_000, zone);
    }
}

/// Writes `11-20`.
fn push_day(out: &mut String, at: Timestamp, zone: &Zone) {
    let start = out.len();
    zone.push_date(out, at);
    if let Some(year) = out[start..].find('-').filter(|n| *n > 0) {
        out.replace_range(start..=start + year, "");
    }
}

/// Writes `13:50`, or `13:50:30` with seconds.
fn push_time(out: &mut String, at: Timestamp, seconds: bool, zone: &Zone) {
    if seconds {
        zone.push_clock(out, at);
    } else {
        zone.push_minute(out, at);
    }
}

/// The next instant after this one at which clocks show a whole number of steps since midnight of some day.
fn next_round(after: Timestamp, step_ms: i64, zone: &Zone) -> Timestamp {
    let offset_ms = zone.offset_ms(after);
    let shown = (after.ms().saturating_add(offset_ms)).div_euclid(step_ms);
    let shown = shown.saturating_add(1).saturating_mul(step_ms);
    let at = Timestamp::from_ms(shown.saturating_sub(offset_ms));
    // Clocks went forward or back in between.
    let there_ms = zone.offset_ms(at);
    let moved = Timestamp::from_ms(shown.saturating_sub(there_ms));
    if moved > after && zone.offset_ms(moved) == there_ms { moved } else { at }
}

/// Draws the time axis below the plot: a line with marks and the labels below it if there are two rows for it, else the
/// labels alone, each starting at its time.
pub fn draw_times(canvas: &mut Canvas<'_>, at: &Layout, times: &Times, theme: &Theme, zone: &Zone) {
    if at.foot == 0 {
        return;
    }
    let y = at.head + at.height;
    let lined = at.foot >= 2;
    if lined {
        canvas.repeat(at.left, y, at.width, "─", theme.rule);
    }
    // Times without seconds need steps of whole minutes.
    let short = times.step_ms(5).filter(|s| s % 60_000 == 0);
    let seconds = short.is_none() && times.bucket_ms < 5_000;
    let Some(step) = short.or_else(|| times.step_ms(8)) else { return };
    let days = times.over_days();
    let mut label = String::new();
    let mut t = next_round(Timestamp::from_ms(times.first_ms), step, zone);
    let mut free_from = 0;
    while let Some(column) = times.column(t.ms()) {
        label.clear();
        // Midnight of a chart over days is a date.
        if days && (t.ms() + zone.offset_ms(t)).rem_euclid(DAY_MS) == 0 {
            push_day(&mut label, t, zone);
        } else {
            push_time(&mut label, t, seconds, zone);
        }
        let w = canvas::width(&label) as u16;
        let start = if lined { column.saturating_sub(w / 2) } else { column };
        if start >= free_from && start + w <= at.width {
            if lined {
                canvas.glyph(at.left + column, y, "┴", theme.rule);
            }
            canvas.put(at.left + start, y + at.foot - 1, w, &label, theme.dim);
            free_from = start + w + 2;
        }
        t = next_round(t, step, zone);
    }
}

/// Draws the letters of events on the time axis: on its line, or where there is none at the foot of the plot. Several in
/// one column: the last one is drawn.
pub fn draw_marks(canvas: &mut Canvas<'_>, at: &Layout, times: &Times, marks: &[Mark], theme: &Theme) {
    let y = if at.foot >= 2 { at.head + at.height } else { (at.head + at.height).saturating_sub(1) };
    for mark in marks {
        if let Some(column) = times.column(mark.about().ms()) {
            canvas.glyph(at.left + column, y, mark.kind.glyph(), mark_style(mark.kind, theme));
        }
    }
}

/// The style of an event's letter.
pub const fn mark_style(kind: MarkKind, theme: &Theme) -> Style {
    match kind {
        MarkKind::Blocking | MarkKind::Deadlock | MarkKind::Connection => theme.critical,
        MarkKind::Health | MarkKind::Incident | MarkKind::Gap => theme.warning,
        MarkKind::Configuration | MarkKind::Plan | MarkKind::Growth | MarkKind::Bookmark => theme.accent,
    }
}

/// Draws a vertical line at a column; values are drawn over it later.
pub fn draw_cursor(plot: &mut Canvas<'_>, column: u16, theme: &Theme) {
    for y in 0..plot.height() {
        plot.glyph(column, y, "│", theme.accent);
    }
}

/// Lights up a column after everything has been drawn.
pub fn light_cursor(plot: &mut Canvas<'_>, column: u16, theme: &Theme) {
    let height = plot.height();
    plot.tint(column, 0, 1, height, theme.accent);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::zone::{UTC, tests::named};
    use proptest::prelude::*;

    fn number(v: f32) -> String {
        let mut s = String::new();
        push_number(&mut s, v);
        s
    }

    #[test]
    fn numbers_fit_the_gutter() {
        let shown = [0.0, 0.05, 0.5, 2.5, 9.99, 40.0, 999.0, 999.6, 1_234.0, 120_000.0, 1.2e6].map(number);
        assert_eq!(shown, ["0", "0.05", "0.5", "2.5", "10", "40", "999", "1k", "1.2k", "120k", "1.2M"]);
        assert_eq!(number(f32::NAN), "–");
    }

    #[test]
    fn scales_are_round_and_hold_the_highest_value() {
        // Two labels three rows apart, and two rows above them.
        let scale = Scale::fit(41.2, 8, None);
        assert_eq!((scale.row(20.0, 8), scale.row(40.0, 8), scale.row(41.2, 8)), (Some(2), Some(5), Some(6)));
        assert_eq!(Scale::fit(14.0, 9, None), Scale { top: 15.0, step: 5.0 });
        assert_eq!(Scale::fit(54.0, 3, None), Scale { top: 60.0, step: 20.0 });
        assert_eq!(Scale::fit(300.0, 8, Some(100.0)), Scale { top: 100.0, step: 25.0 });
        assert_eq!(Scale::fit(300.0, 10, Some(100.0)), Scale { top: 100.0, step: 20.0 });
        assert!(Scale::fit(f32::NAN, 4, None).top > 0.0, "nothing known is a scale too");
    }

    #[test]
    fn a_value_on_an_edge_ends_in_the_row_below_it() {
        let scale = Scale { top: 100.0, step: 50.0 };
        assert_eq!(scale.row(50.0, 8), Some(3));
        assert_eq!(scale.row(50.1, 8), Some(4));
        assert_eq!(scale.row(0.1, 8), Some(0));
        assert_eq!(scale.row(0.0, 8), None);
        assert_eq!(scale.row(500.0, 8), Some(7));
    }

    #[test]
    fn columns_are_those_of_the_buckets() {
        let now = Timestamp::from_ms(1_000_000);
        let times = Times::fit(now, 60_000, 60);
        assert_eq!(times.column(1_000_000), Some(59));
        assert_eq!(times.column(999_999), Some(58));
        assert_eq!(times.column(times.first_ms), Some(0));
        assert_eq!(times.column(times.first_ms - 1), None);
        assert_eq!(times.column(1_001_000), None);
    }

    #[test]
    fn labels_stand_at_round_times_of_the_readers_clock() {
        let labels = |zone: &Zone, end: i64, hours: i64| {
            let theme = Theme::load("dark", crate::tui::theme::Depth::True).unwrap();
            let times = Times::fit(Timestamp::from_ms(end), hours * 3_600_000, 100);
            let at = Layout { head: 0, left: 0, width: 100, height: 1, foot: 2 };
            let lines =
                crate::tui::widget::screen::drawn(100, 3, |c| draw_times(c, &at, &times, &theme, zone));
            lines[2].split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let (kathmandu, berlin) = (named("Asia/Kathmandu"), named("Europe/Berlin"));
        // 2026-11-20 14:02 UTC.
        assert_eq!(labels(&UTC, 1_795_183_331_000, 6), "09:00 10:00 11:00 12:00 13:00");
        assert_eq!(labels(&kathmandu, 1_795_183_331_000, 6), "14:00 15:00 16:00 17:00 18:00 19:00");
        assert_eq!(
            labels(&kathmandu, 1_795_183_331_000, 48),
            "11-19 06:00 12:00 18:00 11-20 06:00 12:00 18:00"
        );
        // The nights in which 02:00 is 03:00 and 03:00 is 02:00: no label twice, none of an hour that was not.
        assert_eq!(labels(&berlin, 1_774_756_800_000, 8), "22:00 23:00 00:00 01:00 03:00 04:00 05:00");
        assert_eq!(labels(&berlin, 1_792_900_800_000, 8), "23:00 00:00 01:00 02:00 03:00 04:00");
    }

    proptest! {
        #[test]
        fn any_number_takes_four_columns_or_a_sign_more(v in -1e14_f32..1e14) {
            let s = number(v);
            prop_assert!(s.chars().count() <= 4 + usize::from(v < 0.0), "{v} is {s}");
        }

        #[test]
        fn any_scale_holds_its_values(max in 0.0_f32..1e12, rows in 0_u16..80) {
            let scale = Scale::fit(max, rows, None);
            prop_assert!(scale.top >= max * 0.999 && scale.step > 0.0);
            prop_assert!(scale.top / scale.step <= 6.01, "{scale:?}");
            let apart = f32::from(rows.max(1)) * scale.step / scale.top;
            prop_assert!((apart - apart.round()).abs() < 0.01, "labels are {apart} rows apart: {scale:?}");
        }
    }
}
