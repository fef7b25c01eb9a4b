//! Short forms of numbers, sizes and times, appended to a text that the caller reuses.

use crate::model::time::Timestamp;
use std::fmt::Write as _;

/// A figure for a column: `0`, `4.1`, `41.2`, `640`, `1.2k`, `34k`, `1.2M`. Whole numbers below 1,000 have no
/// decimals. What is not finite is `–`.
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

/// Scales down until at most three digits are left before the unit; one decimal below ten.
fn push_scaled(out: &mut String, value: f64, base: f64, units: &[&str]) {
    let (mut v, mut i) = (value, 0);
    while v.abs() >= 999.5 && i + 1 < units.len() {
        v /= base;
        i += 1;
    }
    if i > 0 && v.abs() < 9.95 {
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

/// A percentage with its sign: `97 %`, `3.1 %`.
pub fn push_pct(out: &mut String, pct: f64) {
    if !pct.is_finite() {
        out.push('–');
        return;
    }
    if pct.abs() < 9.95 {
        push_tenths(out, pct);
    } else {
        let _ = write!(out, "{pct:.0}");
    }
    out.push_str(" %");
}

/// How long something waits or ran, exact enough to compare: `0.4 ms`, `830 ms`, `2.4 s`, `312 s`, `2h04m`, `3d04h`.
pub fn push_wait(out: &mut String, ms: f64) {
    if !ms.is_finite() {
        out.push('–');
        return;
    }
    let s = ms / 1000.0;
    if ms.abs() < 99.95 {
        push_tenths(out, ms);
        out.push_str(" ms");
    } else if ms.abs() < 999.5 {
        let _ = write!(out, "{ms:.0} ms");
    } else if s.abs() < 99.95 {
        push_tenths(out, s);
        out.push_str(" s");
    } else if s.abs() < 3600.0 {
        let _ = write!(out, "{s:.0} s");
    } else {
        push_span(out, ms as i64);
    }
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

/// The time of day, UTC: `13:58:40`.
pub fn push_clock(out: &mut String, at: Timestamp) {
    let s = at.ms().div_euclid(1000).rem_euclid(86_400);
    let _ = write!(out, "{:02}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60);
}

/// The date, UTC: `2026-11-20`. Days to date by the usual era arithmetic of the Gregorian calendar (400 years are
/// 146,097 days; years are counted from March so that the leap day is the last one).
pub fn push_date(out: &mut String, at: Timestamp) {
    let days = at.ms().div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

/// Since when: the time of day if it was within the last day, else the date and the time.
pub fn push_since(out: &mut String, at: Timestamp, now: Timestamp) {
    if now.ms_since(at) >= 86_400_000 {
        push_date(out, at);
        out.push(' ');
    }
    push_clock(out, at);
}

