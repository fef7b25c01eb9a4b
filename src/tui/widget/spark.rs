//! Sparklines and the bucketing of series that they share with the charts.

use super::canvas::Canvas;
use crate::model::{base::time::Timestamp, timeline::history::Series};
use ratatui::style::{Modifier, Style};

/// Eighths of a block, from empty to full.
pub const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// How long a polled value stands for the time after it when the next one is late, ms: two and a half intervals of
/// the slowest headline poll (30 s), the same rule as `Reading::is_stale`.
const HOLD_MS: i64 = 75_000;

/// The series cut into `buckets.len()` buckets of `bucket_ms` that end with the one that `now` falls in; each gets its
/// highest value, or NaN where nothing is known. Buckets lie on whole multiples of `bucket_ms`, so a picture moves one step
/// at a time and not with every frame.
pub fn bucket(series: Option<&Series>, now: Timestamp, bucket_ms: i64, buckets: &mut [f32]) {
    buckets.fill(f32::NAN);
    let (Some(series), n) = (series, buckets.len() as i64) else { return };
    let bucket_ms = bucket_ms.max(1);
    let first = (now.ms().div_euclid(bucket_ms) + 1 - n) * bucket_ms;
    let mut before: Option<(i64, f32)> = None;
    let mut filled_to = 0_i64;
    for (at, value) in series.points() {
        let slot = (at.ms() - first).div_euclid(bucket_ms);
        if slot >= n {
            break;
        }
        hold(buckets, before, filled_to.max(0), slot, first, bucket_ms);
        filled_to = slot;
        if slot >= 0 {
            let b = &mut buckets[slot as usize];
            *b = if b.is_nan() { value } else { b.max(value) };
            filled_to = slot + 1;
        }
        before = Some((at.ms(), value));
    }
    hold(buckets, before, filled_to.max(0), n, first, bucket_ms);
}

/// Extends the value before a hole for as long as it may stand.
fn hold(buckets: &mut [f32], before: Option<(i64, f32)>, from: i64, to: i64, first: i64, bucket_ms: i64) {
    let Some((at, value)) = before else { return };
    for slot in from..to {
        if first + slot * bucket_ms - at > HOLD_MS {
            return;
        }
        if let Some(b) = buckets.get_mut(slot as usize)
            && b.is_nan()
        {
            *b = value;
        }
    }
}

/// The eighth for a value between 0 and `top`. A value above zero shows at least one eighth.
pub fn eighth(value: f32, top: f32) -> usize {
    if !value.is_finite() || top <= 0.0 {
        return 0;
    }
    ((value / top * 8.0).round() as i64).clamp(1, 8) as usize
}

/// Draws one cell per bucket. `top` None: the highest value in sight. Unknown buckets stay blank, and are not underlined
/// either.
pub fn draw(canvas: &mut Canvas<'_>, x: u16, y: u16, buckets: &[f32], top: Option<f32>, style: Style) {
    let mut text = String::new();
    push(&mut text, buckets, top);
    canvas.put(x, y, buckets.len() as u16, &text, style.remove_modifier(Modifier::UNDERLINED));
}

/// A picture without a scale of its own needs so many values: the height of fewer says nothing.
const LEAST: usize = 3;

/// Appends one character per bucket. `top` None: a third above the highest value in sight, so that a steady load is a
/// band and not a block that runs into the row above; it stays blank until there are values to compare. Unknown buckets
/// stay blank.
pub fn push(out: &mut String, buckets: &[f32], top: Option<f32>) {
    if top.is_none() && buckets.iter().filter(|v| v.is_finite()).count() < LEAST {
        out.extend(std::iter::repeat_n(' ', buckets.len()));
        return;
    }
    let top = top
        .unwrap_or_else(|| buckets.iter().copied().filter(|v| v.is_finite()).fold(0.0, f32::max) * 4.0 / 3.0);
    for v in buckets {
        out.push_str(if v.is_finite() { EIGHTHS[eighth(*v, top).max(1)] } else { " " });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(i64, f32)]) -> Series {
        let mut s = Series::default();
        for (t, v) in points {
            s.push(Timestamp::from_ms(*t), *v);
        }
        s
    }

    #[test]
    fn a_missed_poll_holds_and_an_outage_is_a_gap() {
        let s = series(&[(0, 1.0), (30_000, 2.0), (90_000, 3.0), (300_000, 4.0)]);
        let mut b = [0.0; 11];
        bucket(Some(&s), Timestamp::from_ms(300_000), 30_000, &mut b);
        assert_eq!(b[..4], [1.0, 2.0, 2.0, 3.0]);
        assert_eq!(b[4..6], [3.0, 3.0]);
        assert!(b[6..10].iter().all(|v| v.is_nan()), "{b:?}");
        assert!((b[10] - 4.0).abs() < f32::EPSILON);
    }

    #[test]
    fn a_noted_gap_stays_a_gap() {
        let s = series(&[(0, 1.0), (10_000, f32::NAN), (60_000, 2.0)]);
        let mut b = [0.0; 7];
        bucket(Some(&s), Timestamp::from_ms(60_000), 10_000, &mut b);
        assert!(b[1..6].iter().all(|v| v.is_nan()), "{b:?}");
    }

    #[test]
    fn two_values_alone_are_no_trend() {
        const NONE: f32 = f32::NAN;
        let drawn = |buckets: &[f32], top| {
            let mut out = String::new();
            push(&mut out, buckets, top);
            out
        };
        assert_eq!(drawn(&[NONE, NONE, 6.0, 6.0], None), "    ", "as high as any other two");
        assert_eq!(drawn(&[NONE, 6.0, 6.0, 6.0], None), " ▆▆▆");
        assert_eq!(drawn(&[NONE, NONE, NONE, 96.0], Some(100.0)), "   █", "a scale says how high one is");
    }

    #[test]
    fn little_is_not_nothing() {
        assert_eq!(eighth(0.0, 100.0), 1);
        assert_eq!(eighth(0.01, 100.0), 1);
        assert_eq!(eighth(100.0, 100.0), 8);
        assert_eq!(eighth(f32::NAN, 100.0), 0);
        assert_eq!(eighth(5.0, 0.0), 0);
    }
}
