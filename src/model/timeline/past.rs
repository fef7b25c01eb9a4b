//! Times as a person types them, and the steps of time travel. Called by the screen and by commands; pure: what time it is and where the
//! user's clock stands come in as arguments.

use crate::model::base::time::Timestamp;
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// Examples of what to type, for dialogs and messages.
pub const EXAMPLES: &str = "02:14   2026-11-20 02:14   -3h   -90m   yesterday 14:00   mon 09:00   now";

/// Why a text is no time to go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PastError {
    /// nothing there
    #[error("type a time, such as 02:14 or -3h")]
    Empty,
    /// cannot be read
    #[error("'{0}' is no time: try 02:14, 2026-11-20 02:14, -3h, yesterday 14:00 or mon 09:00")]
    Unclear(String),
    /// a day or an hour that no calendar or clock has
    #[error("there is no {0}")]
    NoSuch(String),
    /// later than now
    #[error("that is in the future")]
    Future,
}

/// The time that a text leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `now`, `live`
    Live,
    /// an instant that has been
    At(Timestamp),
}

/// Reads a time: `02:14`, `02:14:30`, `2026-11-20 02:14`, `2026-11-20`, `-3h`, `-1h30m`, `3h ago`, `yesterday 14:00`,
/// `mon 09:00`, `now`. A time of day alone is the last one that has been. A weekday is the last one, today among them if
/// that has been. `offset_min` says how far the user's clock is ahead of UTC, in minutes.
///
/// # Errors
/// [`PastError`], in words for the user.
pub fn parse(text: &str, now: Timestamp, offset_min: i32) -> Result<When, PastError> {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "" => return Err(PastError::Empty),
        "now" | "live" => return Ok(When::Live),
        _ => {}
    }
    let offset_ms = i64::from(offset_min) * 60_000;
    let unclear = || PastError::Unclear(text.clone());
    let span = text.strip_prefix('-').or_else(|| text.strip_suffix("ago")).map(str::trim);
    let at = if let Some(span) = span {
        let ms = span_ms(span).ok_or_else(unclear)?;
        now.plus_ms(-ms)
    } else {
        let here = DateTime::from_timestamp_millis(now.ms().saturating_add(offset_ms));
        let here = here.ok_or_else(unclear)?.naive_utc();
        let at = calendar(&text, here)?;
        Timestamp::from_ms(at.and_utc().timestamp_millis().saturating_sub(offset_ms))
    };
    if at > now { Err(PastError::Future) } else { Ok(When::At(at)) }
}

/// The instant of a text by a clock that shows UTC: see [`parse`]. `now` and `live` are `now`.
///
/// # Errors
/// [`PastError`], in words for the user.
pub fn instant(text: &str, now: Timestamp) -> Result<Timestamp, PastError> {
    Ok(match parse(text, now, 0)? {
        When::Live => now,
        When::At(at) => at,
    })
}

/// `3h`, `90m`, `1h30m`, `2d 4h`, ms.
fn span_ms(text: &str) -> Option<i64> {
    let mut sum = 0_i64;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: i64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit_ms = match rest.get(..letters)? {
            "s" | "sec" => 1_000,
            "m" | "min" => 60_000,
            "h" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            "w" | "week" | "weeks" => 7 * 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(n.checked_mul(unit_ms)?)?;
        rest = rest.get(letters..)?.trim_start();
    }
    Some(sum)
}

/// A day and a time of day by the user's clock, which shows `here`.
fn calendar(text: &str, here: NaiveDateTime) -> Result<NaiveDateTime, PastError> {
    // `2026-11-20t02:14` is one word with a time in it.
    let spaced = if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.replacen('t', " ", 1)
    } else {
        text.to_owned()
    };
    let mut words = spaced.split_whitespace();
    let (first, second, more) = (words.next().unwrap_or(""), words.next(), words.next());
    if more.is_some() {
        return Err(PastError::Unclear(text.to_owned()));
    }
    let unclear = || PastError::Unclear(text.to_owned());
    if first.contains(':') {
        if second.is_some() {
            return Err(unclear());
        }
        let at = here.date().and_time(time(first)?);
        return if at <= here { Ok(at) } else { back(at, 1).ok_or_else(unclear) };
    }
    let clock = second.map(time).transpose()?;
    if let Some(day) = weekday(first) {
        let clock = clock.unwrap_or(NaiveTime::MIN);
        let ago = (7 + here.weekday().num_days_from_monday() - day.num_days_from_monday()) % 7;
        let at = back(here.date().and_time(clock), u64::from(ago)).ok_or_else(unclear)?;
        return if at <= here { Ok(at) } else { back(at, 7).ok_or_else(unclear) };
    }
    match first {
        "today" => Ok(here.date().and_time(clock.unwrap_or(NaiveTime::MIN))),
        // Without a time: this time of yesterday.
        "yesterday" => back(here.date().and_time(clock.unwrap_or(here.time())), 1).ok_or_else(unclear),
        _ => Ok(date(first, text)?.and_time(clock.unwrap_or(NaiveTime::MIN))),
    }
}

fn back(at: NaiveDateTime, days: u64) -> Option<NaiveDateTime> {
    at.checked_sub_days(Days::new(days))
}

fn weekday(word: &str) -> Option<Weekday> {
    if word.len() < 3 { None } else { word.parse().ok() }
}

/// `2026-11-20`.
fn date(word: &str, text: &str) -> Result<NaiveDate, PastError> {
    let parts: Vec<&str> = word.split('-').collect();
    let [year, month, day] = parts[..] else { return Err(PastError::Unclear(text.to_owned())) };
    let number = |part: &str| part.parse::<u32>().map_err(|_| PastError::Unclear(text.to_owned()));
    let (y, m, d) = (number(year)?, number(month)?, number(day)?);
    if year.len() != 4 {
        return Err(PastError::Unclear(text.to_owned()));
    }
    NaiveDate::from_ymd_opt(y.cast_signed(), m, d).ok_or_else(|| PastError::NoSuch(word.to_owned()))
}

/// `2:14`, `02:14:30`.
fn time(word: &str) -> Result<NaiveTime, PastError> {
    let unclear = || PastError::Unclear(word.to_owned());
    let mut numbers = [0_u32; 3];
    let mut n = 0;
    for part in word.split(':') {
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *numbers.get_mut(n).filter(|_| is_number).ok_or_else(unclear)? =
            part.parse().map_err(|_| unclear())?;
        n += 1;
    }
    if n < 2 {
        return Err(unclear());
    }
    let [h, m, s] = numbers;
    NaiveTime::from_hms_opt(h, m, s).ok_or_else(|| PastError::NoSuch(word.to_owned()))
}

/// One step of `[` and `]`, ms, after so many in a row in the same direction: a minute, and more the longer the key is
/// held.
pub const fn step_ms(in_a_row: u32) -> i64 {
    match in_a_row {
        0..10 => 60_000,
        10..20 => 5 * 60_000,
        20..30 => 15 * 60_000,
        _ => 3_600_000,
    }
}

/// One step of `{` and `}`, ms.
pub const LONG_STEP_MS: i64 = 3_600_000;

/// A step in words: `1 min`, `1 h`.
pub fn step_words(ms: i64) -> String {
    if ms >= 3_600_000 { format!("{} h", ms / 3_600_000) } else { format!("{} min", ms / 60_000) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Friday 2026-11-20 13:30:00 UTC.
    const NOW: Timestamp = Timestamp::from_ms(1_795_181_400_000);

    fn at(text: &str) -> String {
        at_offset(text, 0)
    }

    fn at_offset(text: &str, offset_min: i32) -> String {
        match parse(text, NOW, offset_min) {
            Ok(When::Live) => "live".to_owned(),
            Ok(When::At(at)) => {
                let at = DateTime::from_timestamp_millis(at.ms()).unwrap();
                at.format("%a %Y-%m-%d %H:%M:%S").to_string()
            }
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn a_time_of_day_is_the_last_one_that_has_been() {
        assert_eq!(at("02:14"), "Fri 2026-11-20 02:14:00");
        assert_eq!(at("13:30"), "Fri 2026-11-20 13:30:00");
        assert_eq!(at("23:10:05"), "Thu 2026-11-19 23:10:05");
        assert_eq!(at(" 2:14 "), "Fri 2026-11-20 02:14:00");
    }

    #[test]
    fn dates_and_weekdays() {
        assert_eq!(at("2026-11-18 02:14"), "Wed 2026-11-18 02:14:00");
        assert_eq!(at("2026-11-18T02:14:07"), "Wed 2026-11-18 02:14:07");
        assert_eq!(at("2026-11-18"), "Wed 2026-11-18 00:00:00");
        assert_eq!(at("yesterday 14:00"), "Thu 2026-11-19 14:00:00");
        assert_eq!(at("Yesterday"), "Thu 2026-11-19 13:30:00");
        assert_eq!(at("today 09:00"), "Fri 2026-11-20 09:00:00");
        assert_eq!(at("mon 09:00"), "Mon 2026-11-16 09:00:00");
        assert_eq!(at("tuesday 09:00"), "Tue 2026-11-17 09:00:00");
        assert_eq!(at("fri 09:00"), "Fri 2026-11-20 09:00:00");
        assert_eq!(at("fri 15:00"), "Fri 2026-11-13 15:00:00");
    }

    #[test]
    fn spans_back_from_now() {
        assert_eq!(at("-3h"), "Fri 2026-11-20 10:30:00");
        assert_eq!(at("-90m"), "Fri 2026-11-20 12:00:00");
        assert_eq!(at("-1h30m"), "Fri 2026-11-20 12:00:00");
        assert_eq!(at("2 days ago"), "Wed 2026-11-18 13:30:00");
        assert_eq!(at("-1w"), "Fri 2026-11-13 13:30:00");
        assert_eq!(at("now"), "live");
    }

    #[test]
    fn the_users_clock_decides_what_an_hour_and_a_day_are() {
        // Five and a half hours ahead it is 19:00 now.
        assert_eq!(at_offset("18:00", 330), "Fri 2026-11-20 12:30:00");
        assert_eq!(at_offset("yesterday 00:10", 330), "Wed 2026-11-18 18:40:00");
        assert_eq!(at_offset("-1h", 330), "Fri 2026-11-20 12:30:00");
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        assert_eq!(at(""), "type a time, such as 02:14 or -3h");
        assert_eq!(at("25:00"), "there is no 25:00");
        assert_eq!(at("2026-02-30 01:00"), "there is no 2026-02-30");
        assert_eq!(at("today 14:00"), "that is in the future");
        assert_eq!(at("2027-01-01"), "that is in the future");
        for text in [
            "-3",
            "-3x",
            "-",
            "ago",
            "soon",
            "1:2:3:4",
            "02:14 x",
            "2026-11-20 02:14 x",
            "20",
            "12-11-20",
            "1::2",
        ] {
            assert!(at(text).contains("is no time"), "{text}: {}", at(text));
        }
    }

    #[test]
    fn steps_grow_while_the_key_is_held() {
        assert_eq!(
            [0, 9, 10, 20, 30, 99].map(|n| step_words(step_ms(n))),
            ["1 min", "1 min", "5 min", "15 min", "1 h", "1 h"]
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,24}", offset in -900_i32..900) {
            if let Ok(When::At(at)) = parse(&text, NOW, offset) {
                prop_assert!(at <= NOW);
            }
        }

        #[test]
        fn no_span_breaks_it(n in any::<u64>(), unit in "[smhdw]") {
            let _ = parse(&format!("-{n}{unit}"), NOW, 0);
        }
    }
}
