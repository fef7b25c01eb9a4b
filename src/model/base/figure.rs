//! The short forms of numbers, sizes and times that the screen, `once` and the reasons of the score share. The writers
//! append to a `String` that the caller reuses, so that a frame allocates nothing.

use std::fmt::Write as _;

/// A figure for a column: `0`, `4.1`, `41.2`, `640`, `1.2k`, `34k`, `1.2M`. Whole numbers below 1,000 have no
/// decimals. A value that is not finite is `–`.
pub fn push_count(out: &mut String, value: f64) {
    if !value.is_finite() {
        out.push('–');
        return;
    }
    let magnitude = value.abs();
    if magnitude < 0.05 && magnitude > 0.0 {
        out.push_str(if value < 0.0 { "-<0.1" } else { "<0.1" });
    } else if magnitude < 99.95 {
        push_tenths(out, value);
    } else {
        push_scaled(out, value, 1000.0, &["", "k", "M", "G", "T", "P"]);
    }
}

/// A rate or an average for a column, one decimal below ten so that the points stand below each other: `0`, `0.4`,
/// `7.0`, `41`, `640`, `1.2k`.
pub fn push_rate(out: &mut String, value: f64) {
    let magnitude = value.abs();
    if value == 0.0 || !value.is_finite() || (magnitude < 0.05) {
        push_count(out, value);
    } else if magnitude < 9.95 {
        let _ = write!(out, "{value:.1}");
    } else {
        push_scaled(out, value, 1000.0, &["", "k", "M", "G", "T", "P"]);
    }
}

/// One decimal, none if the number is whole: `4.1`, `7`.
fn push_tenths(out: &mut String, value: f64) {
    let tenths = (value * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    let _ = if tenths.is_multiple_of(10) {
        write!(out, "{sign}{}", tenths / 10)
    } else {
        write!(out, "{sign}{}.{}", tenths / 10, tenths % 10)
    };
}

/// Scales down until at most three digits are left before the unit; one decimal below ten. What the largest unit cannot hold is
/// told as more than it: `>999P`.
fn push_scaled(out: &mut String, value: f64, base: f64, units: &[&str]) {
    let (mut v, mut i) = (value, 0);
    while v.abs() >= 999.5 && i + 1 < units.len() {
        v /= base;
        i += 1;
    }
    if v.abs() >= 999.5 {
        out.push_str(if v < 0.0 { "<-999" } else { ">999" });
    } else if i > 0 && v.abs() < 9.95 {
        let _ = write!(out, "{v:.1}");
    } else {
        let _ = write!(out, "{v:.0}");
    }
    out.push_str(units.get(i).copied().unwrap_or_default());
}

/// A size with its unit, in powers of 1024: `512 B`, `3.4 GB`, `128 GB`.
pub fn push_size(out: &mut String, bytes: f64) {
    if bytes.is_finite() {
        push_scaled(out, bytes, 1024.0, &[" B", " KB", " MB", " GB", " TB", " PB"]);
    } else {
        out.push('–');
    }
}

/// A whole number with thousands marked: `4,200`.
pub fn push_grouped(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    let start = out.len();
    let _ = write!(out, "{}", value.unsigned_abs());
    let mut at = out.len();
    while at > start + 3 {
        at -= 3;
        out.insert(at, ',');
    }
}

/// A percentage with its sign: `97 %`, `3.1 %`; a little is not nothing: `<0.1 %`.
pub fn push_pct(out: &mut String, pct: f64) {
    if !pct.is_finite() {
        out.push('–');
        return;
    }
    if pct.abs() < 0.05 || pct.abs() >= 1e6 {
        push_count(out, pct);
    } else if pct.abs() < 9.95 {
        push_tenths(out, pct);
    } else {
        let _ = write!(out, "{pct:.0}");
    }
    out.push_str(" %");
}

/// How long something waits or ran, as people say it, in at most seven characters: `0.4 ms`, `9 ms`, `830 ms`, `2.4 s`, `41 s`,
/// `5m12s`, `2h04m`, `3d04h`. Every duration on the screen, in reasons and reports is said by this. Whole milliseconds have no decimals; for averages see [`push_mean`].
pub fn push_wait(out: &mut String, ms: f64) {
    let whole = ms.abs() < 9.95 && (ms - ms.round()).abs() < 1e-9;
    if whole {
        let _ = write!(out, "{ms:.0} ms");
    } else {
        push_mean(out, ms);
    }
}

/// As [`push_wait`], but `4.0 ms` keeps its decimal, so that a column of averages stays aligned.
pub fn push_mean(out: &mut String, ms: f64) {
    let s = ms / 1000.0;
    let _ = if !ms.is_finite() {
        write!(out, "–")
    } else if ms == 0.0 {
        write!(out, "0 ms")
    } else if ms.abs() < 0.05 {
        write!(out, "<0.1 ms")
    } else if ms.abs() < 9.95 {
        write!(out, "{ms:.1} ms")
    } else if ms.abs() < 999.5 {
        write!(out, "{ms:.0} ms")
    } else if s.abs() < 9.95 {
        write!(out, "{s:.1} s")
    } else if s.abs() < 59.5 {
        write!(out, "{s:.0} s")
    } else if s.abs() < 3599.5 {
        let whole = s.round() as i64;
        write!(out, "{}m{:02}s", whole / 60, whole.abs() % 60)
    } else {
        // A moment before the hour is the hour.
        push_span(out, (s.round() * 1000.0) as i64);
        Ok(())
    };
}

/// [`push_size`] as a text of its own.
pub fn size(bytes: f64) -> String {
    let mut text = String::new();
    push_size(&mut text, bytes);
    text
}

/// [`push_wait`] as a text of its own.
pub fn wait(ms: f64) -> String {
    let mut text = String::new();
    push_wait(&mut text, ms);
    text
}

/// An age or span in at most six characters: `3s`, `4m`, `2h04m`, `3d04h`, `412d`.
pub fn push_span(out: &mut String, ms: i64) {
    if ms < 0 {
        out.push('-');
    }
    let s = ms.unsigned_abs() / 1000;
    let _ = match s {
        0..60 => write!(out, "{s}s"),
        60..3600 => write!(out, "{}m", s / 60),
        3600..86_400 => write!(out, "{}h{:02}m", s / 3600, s % 3600 / 60),
        86_400..8_640_000 => write!(out, "{}d{:02}h", s / 86_400, s % 86_400 / 3600),
        _ => write!(out, "{}d", s / 86_400),
    };
}

/// As much of a span as [`push_span`] tells: what grows with time is another value only where it reads otherwise.
pub const fn told_span(ms: i64) -> i64 {
    let unit_ms = match ms.unsigned_abs() / 1000 {
        0..60 => 1000,
        60..86_400 => 60_000,
        86_400..8_640_000 => 3_600_000,
        _ => 86_400_000,
    };
    ms / unit_ms * unit_ms
}

/// `1 episode`, `3 episodes`, `8,904 runs`. Of several words the noun changes: `2 failures of a connection`, `3 other sessions`.
pub fn counted(n: usize, one: &str) -> String {
    let mut text = String::new();
    push_counted(&mut text, n as u64, one);
    text
}

/// The same at the end of a text.
pub fn push_counted(out: &mut String, n: u64, one: &str) {
    push_grouped(out, i64::try_from(n).unwrap_or(i64::MAX));
    out.push(' ');
    if n == 1 {
        out.push_str(one);
    } else {
        push_plural(out, one);
    }
}

/// What says more of a noun stands behind these.
const BEHIND_A_NOUN: [&str; 5] = [" of ", " in ", " that ", " with ", " without "];

/// `others`, `failures of a connection`, `aborted transactions`: the noun is the last word, or the last one before what says more of it.
fn push_plural(out: &mut String, one: &str) {
    let end = BEHIND_A_NOUN.iter().filter_map(|link| one.find(link)).min().unwrap_or(one.len());
    let (noun, rest) = one.split_at(end);
    let is_consonant = |letter: Option<char>| letter.is_some_and(|letter| !"aeiou".contains(letter));
    match noun.strip_suffix('y') {
        Some(stem) if is_consonant(stem.chars().next_back()) => {
            out.push_str(stem);
            out.push_str("ies");
        }
        _ => {
            out.push_str(noun);
            let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| noun.ends_with(end));
            out.push_str(if hisses { "es" } else { "s" });
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with<T>(f: impl Fn(&mut String, T), value: T) -> String {
        let mut s = String::new();
        f(&mut s, value);
        s
    }

    proptest! {
        #[test]
        fn short_forms_are_short(v in -1e14f64..1e14) {
            prop_assert!(with(push_count, v).chars().count() <= 6, "{}", with(push_count, v));
            prop_assert!(with(push_span, (v / 1e3) as i64).chars().count() <= 8);
        }

        #[test]
        fn a_span_that_is_as_coarse_as_it_is_told_reads_the_same(ms in 0..1i64 << 40) {
            prop_assert_eq!(with(push_span, told_span(ms)), with(push_span, ms));
            prop_assert_eq!(told_span(told_span(ms)), told_span(ms));
        }
    }

    #[test]
    fn counts() {
        for (v, s) in [
            (0.0, "0"),
            (0.02, "<0.1"),
            (4.1, "4.1"),
            (7.0, "7"),
            (41.23, "41.2"),
            (99.96, "100"),
            (640.4, "640"),
            (999.6, "1.0k"),
            (1234.0, "1.2k"),
            (9960.0, "10k"),
            (34_000.0, "34k"),
            (1_250_000.0, "1.2M"),
            (-3.5, "-3.5"),
            (9.994e17, "999P"),
            (9.996e17, ">999P"),
            (-1e300, "<-999P"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(with(push_count, v), s, "{v}");
        }
    }

    #[test]
    fn sizes_and_numbers() {
        assert_eq!(with(push_size, 512.0), "512 B");
        assert_eq!(with(push_size, 3.4 * 1024.0 * 1024.0 * 1024.0), "3.4 GB");
        assert_eq!(with(push_size, 128.0 * 1024.0 * 1024.0 * 1024.0), "128 GB");
        assert_eq!(with(push_grouped, 4200), "4,200");
        assert_eq!(with(push_grouped, -1_234_567), "-1,234,567");
        assert_eq!(with(push_grouped, 999), "999");
        assert_eq!(with(push_pct, 97.2), "97 %");
        assert_eq!(with(push_pct, 3.12), "3.1 %");
        assert_eq!(with(push_pct, 0.04), "<0.1 %", "4 MB of 32 GB are not nothing");
        assert_eq!(with(push_pct, 0.0), "0 %");
        // What no server has is not told in three hundred digits.
        assert_eq!(with(push_size, f64::MAX), ">999 PB");
        assert_eq!(with(push_pct, f64::MAX), ">999P %");
    }

    #[test]
    fn rates_keep_their_decimal() {
        for (v, s) in [(0.0, "0"), (0.01, "<0.1"), (7.0, "7.0"), (9.96, "10"), (41.2, "41"), (1234.0, "1.2k")]
        {
            assert_eq!(with(push_rate, v), s, "{v}");
        }
    }

    #[test]
    fn the_noun_of_several_words_is_told_in_the_right_number() {
        for (n, one, told) in [
            (1, "query", "1 query"),
            (0, "query", "0 queries"),
            (2, "key", "2 keys"),
            (2, "aborted transaction", "2 aborted transactions"),
            (1_200, "latch of a page", "1,200 latches of a page"),
            (2, "process without a session", "2 processes without a session"),
            (2, "index", "2 indexes"),
        ] {
            assert_eq!(counted(n, one), told);
        }
    }

    #[test]
    fn times() {
        assert_eq!(with(push_wait, 9.0), "9 ms");
        assert_eq!(with(push_wait, 0.0), "0 ms");
        assert_eq!(with(push_mean, 4.0), "4.0 ms");
        assert_eq!(with(push_mean, 0.02), "<0.1 ms");
        assert_eq!(with(push_wait, 5_000.0), "5.0 s");
        for (ms, s) in [
            (9_949.0, "9.9 s"),
            (9_950.0, "10 s"),
            (59_400.0, "59 s"),
            (59_500.0, "1m00s"),
            (60_000.0, "1m00s"),
            (84_300.0, "1m24s"),
            (119_600.0, "2m00s"),
            (341_000.0, "5m41s"),
            (3_599_400.0, "59m59s"),
            (3_599_500.0, "1h00m"),
            (3_600_000.0, "1h00m"),
            (-84_300.0, "-1m24s"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(with(push_wait, ms), s, "{ms}");
        }
        assert_eq!(with(push_wait, 0.36), "0.4 ms");
        assert_eq!(with(push_wait, 830.0), "830 ms");
        assert_eq!(with(push_wait, 2_400.0), "2.4 s");
        assert_eq!(with(push_wait, 312_400.0), "5m12s");
        assert_eq!(with(push_wait, 7_440_000.0), "2h04m");
        assert_eq!(with(push_span, 3_000), "3s");
        assert_eq!(with(push_span, 240_000), "4m");
        assert_eq!(with(push_span, 273_600_000), "3d04h");
    }
}
