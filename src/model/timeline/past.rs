//! Times as a person types them, and the steps of time travel. Called by the screen and by commands; pure: what time it is and the
//! zone of the user's clock come in as arguments.

use crate::model::base::{
    figure,
    time::Timestamp,
    zone::{Found, UTC, Zone},
};
use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
};

/// Examples of what to type, for dialogs and messages.
pub const EXAMPLES: &str =
    "02:14   2026-11-20 02:14   -3h   -90m   yesterday 14:00   mon 09:00   14:00 UTC   now";

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
    /// clocks went forward over it
    #[error("there is no {time} on {date} in {zone}: clocks went forward by {by}")]
    Skipped {
        /// the time of day
        time: String,
        /// the day
        date: String,
        /// whose clocks
        zone: String,
        /// how far
        by: String,
    },
    /// a word behind the time that is no zone, or not the one of then
    #[error("'{word}' is not what clocks in {zone} say then: write UTC or an offset, such as +02:00")]
    OtherZone {
        /// the word
        word: String,
        /// the user's zone
        zone: String,
    },
    /// later than now
    #[error("that is in the future")]
    Future,
    /// a stretch that ends before it begins
    #[error("the stretch ends before it begins: write it as 10:00 - 10:30 or -2h - -1h")]
    Backwards,
}

/// The time that a text leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `now`, `live`
    Live,
    /// an instant that has been
    At(Timestamp),
}

/// A time as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// the time
    pub when: When,
    /// what the user must know of it: the hour came twice that day
    pub note: Option<String>,
}

/// Reads a time: `02:14`, `02:14:30`, `2026-11-20 02:14`, `2026-11-20`, `-3h`, `-1h30m`, `3h ago`, `yesterday 14:00`,
/// `mon 09:00`, `now`. A time of day alone is the last one that has been. A weekday is the last one, today among them if
/// that has been. It is a time of `zone`, or of the one behind it: `14:00 UTC`, `14:00Z`, `14:00+02:00`. Of an hour that came
/// twice the first is meant, unless the letters of the clock stand behind it: `02:30 CET`.
///
/// # Errors
/// [`PastError`], in words for the user.
pub fn parse(text: &str, now: Timestamp, zone: &Zone) -> Result<Typed, PastError> {
    let typed = read(text, now, zone)?;
    match typed.when {
        When::At(at) if at > now => Err(PastError::Future),
        _ => Ok(typed),
    }
}

/// [`parse`] for limits of a list, which may lie in the future.
///
/// # Errors
/// [`PastError`], in words for the user.
pub fn read(text: &str, now: Timestamp, zone: &Zone) -> Result<Typed, PastError> {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "" => return Err(PastError::Empty),
        "now" | "live" => return Ok(Typed { when: When::Live, note: None }),
        _ => {}
    }
    let span = text.strip_prefix('-').or_else(|| text.strip_suffix("ago")).map(str::trim);
    if let Some(span) = span {
        let ms = span_ms(span).ok_or_else(|| PastError::Unclear(text.clone()))?;
        return Ok(Typed { when: When::At(now.plus_ms(-ms)), note: None });
    }
    let (clock, said) = split_zone(&text);
    let reader = match said {
        Said::Nothing => Reader { zone, word: None, now },
        Said::Zone(ref other) => Reader { zone: other, word: None, now },
        Said::Word(word) => Reader { zone, word: Some(word), now },
    };
    let (at, note) = reader.calendar(clock)?;
    Ok(Typed { when: When::At(at), note })
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
            "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            "w" | "week" | "weeks" => 7 * 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(n.checked_mul(unit_ms)?)?;
        rest = rest.get(letters..)?.trim_start();
    }
    Some(sum)
}

/// The zone that stands behind a time.
enum Said<'a> {
    Nothing,
    Zone(Zone),
    /// letters, which may be those of the user's own clock
    Word(&'a str),
}

/// Takes the zone off the end of a time.
fn split_zone(text: &str) -> (&str, Said<'_>) {
    if let Some((clock, word)) = text.rsplit_once(char::is_whitespace)
        && (2..=5).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphabetic())
    {
        let said = if matches!(word, "utc" | "gmt") { Said::Zone(UTC.clone()) } else { Said::Word(word) };
        return (clock.trim_end(), said);
    }
    let Some(colon) = text.find(':') else { return (text, Said::Nothing) };
    let zulu = text.strip_suffix("utc").or_else(|| text.strip_suffix('z')).map(str::trim_end);
    if let Some(clock) = zulu {
        return (clock, Said::Zone(UTC.clone()));
    }
    let sign = text.rfind(['+', '-']).filter(|at| *at > colon);
    let split = sign.and_then(|at| Some((text.get(..at)?, text.get(at..)?)));
    match split.and_then(|(clock, offset)| Some((clock.trim_end(), Zone::ahead(offset_s(offset)?)?))) {
        Some((clock, zone)) => (clock, Said::Zone(zone)),
        None => (text, Said::Nothing),
    }
}

/// `+02:00`, `-0330`, `+2`, in seconds.
fn offset_s(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some(parts), _) => parts,
        (None, 4) => digits.split_at_checked(2)?,
        (None, _) => (digits, "0"),
    };
    let number = |part: &str| {
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i32>().ok().filter(|_| is_number)
    };
    let minutes = number(minutes).filter(|m| *m < 60)?;
    Some(sign * (number(hours)? * 3600 + minutes * 60))
}

/// Reads days and times of day by one clock.
struct Reader<'a> {
    /// of whose clock
    zone: &'a Zone,
    /// the letters that it shows, if they were typed
    word: Option<&'a str>,
    now: Timestamp,
}

type Placed = Result<(Timestamp, Option<String>), PastError>;

impl Reader<'_> {
    /// A day and a time of day.
    fn calendar(&self, text: &str) -> Placed {
        // `2026-11-20t02:14` is one word with a time in it.
        let spaced = if text.starts_with(|c: char| c.is_ascii_digit()) {
            text.replacen('t', " ", 1)
        } else {
            text.to_owned()
        };
        let unclear = || PastError::Unclear(text.to_owned());
        let mut words = spaced.split_whitespace();
        let (first, second, more) = (words.next().unwrap_or(""), words.next(), words.next());
        if more.is_some() {
            return Err(unclear());
        }
        let here = self.zone.local(self.now);
        let today = here.date();
        if first.contains(':') {
            if second.is_some() {
                return Err(unclear());
            }
            return self.last(today, Some(time(first)?), 1);
        }
        let clock = second.map(time).transpose()?;
        if let Some(day) = weekday(first) {
            return self.last(back(today, i64::from(day.until(today.weekday())))?, clock, 7);
        }
        match first {
            "today" => self.on(today, clock),
            // Without a time: this time of yesterday.
            "yesterday" if clock.is_none() => {
                Ok((self.after_gap(back(today, 1)?.to_datetime(here.time()))?, None))
            }
            "yesterday" => self.on(back(today, 1)?, clock),
            _ => self.on(date(first, text)?, clock),
        }
    }

    /// At this time of a day, or so many days before if that has not been.
    fn last(&self, day: Date, clock: Option<Time>, step_days: i64) -> Placed {
        let there = self.on(day, clock)?;
        if there.0 <= self.now { Ok(there) } else { self.on(back(day, step_days)?, clock) }
    }

    /// At this time of a day; without one at its beginning.
    fn on(&self, day: Date, clock: Option<Time>) -> Placed {
        match clock {
            Some(clock) => self.exactly(day.to_datetime(clock)),
            None => Ok((self.after_gap(day.to_datetime(Time::midnight()))?, None)),
        }
    }

    /// Nobody typed the time of day: where it was skipped, the time after it is meant.
    fn after_gap(&self, shown: DateTime) -> Result<Timestamp, PastError> {
        match self.zone.find(shown) {
            Some(Found::Once(at) | Found::Twice { first: at, .. } | Found::Never { after: at, .. }) => Ok(at),
            None => Err(PastError::NoSuch(shown.to_string())),
        }
    }

    /// The instant at which the clock shows what was typed.
    fn exactly(&self, shown: DateTime) -> Placed {
        let label = |at| {
            let mut label = String::new();
            self.zone.push_label(&mut label, at);
            label
        };
        let is_said = |at: &Timestamp| self.word.is_none_or(|word| label(*at).eq_ignore_ascii_case(word));
        let zone = || self.zone.name(self.now);
        let other = || PastError::OtherZone { word: self.word.unwrap_or("").to_uppercase(), zone: zone() };
        let time = format!("{:02}:{:02}", shown.hour(), shown.minute());
        match self.zone.find(shown) {
            None => Err(PastError::NoSuch(shown.to_string())),
            Some(Found::Once(at)) => Some((at, None)).filter(|(at, _)| is_said(at)).ok_or_else(other),
            Some(Found::Twice { first, second }) if self.word.is_some() => {
                [first, second].into_iter().find(is_said).map(|at| (at, None)).ok_or_else(other)
            }
            Some(Found::Twice { first, second }) => {
                // The instant is told beside it, with its zone.
                let note = format!("{time} came twice: {time} {} is the second", label(second));
                Ok((first, Some(note)))
            }
            Some(Found::Never { skipped_ms, .. }) => {
                let mut by = String::new();
                figure::push_span(&mut by, skipped_ms);
                Err(PastError::Skipped { time, date: shown.date().to_string(), zone: zone(), by })
            }
        }
    }
}

fn back(day: Date, days: i64) -> Result<Date, PastError> {
    day.checked_sub(days.days()).map_err(|_| PastError::NoSuch(format!("day {days} days before {day}")))
}

fn weekday(word: &str) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let names = NAMES.iter().find(|(name, _)| word.len() >= 3 && name.starts_with(word));
    names.map(|(_, day)| *day)
}

/// `2026-11-20`.
fn date(word: &str, text: &str) -> Result<Date, PastError> {
    let unclear = || PastError::Unclear(text.to_owned());
    let parts: Vec<&str> = word.split('-').collect();
    let [year, month, day] = parts[..] else { return Err(unclear()) };
    let small = |part: &str| part.parse::<i8>().map_err(|_| unclear());
    let y: i16 = year.parse().map_err(|_| unclear())?;
    let (m, d) = (small(month)?, small(day)?);
    if year.len() != 4 {
        return Err(unclear());
    }
    Date::new(y, m, d).map_err(|_| PastError::NoSuch(word.to_owned()))
}

/// `2:14`, `02:14:30`, `02:14:30.123`.
fn time(word: &str) -> Result<Time, PastError> {
    let unclear = || PastError::Unclear(word.to_owned());
    let (clock, fraction) = word.split_once('.').map_or((word, None), |(clock, f)| (clock, Some(f)));
    let mut numbers = [0_i8; 3];
    let mut n = 0;
    for part in clock.split(':') {
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *numbers.get_mut(n).filter(|_| is_number).ok_or_else(unclear)? =
            part.parse().map_err(|_| unclear())?;
        n += 1;
    }
    if n < 2 {
        return Err(unclear());
    }
    let nanoseconds = match fraction {
        None => 0,
        Some(f) if n == 3 && (1..=9).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{f:0<9}").parse().map_err(|_| unclear())?
        }
        Some(_) => return Err(unclear()),
    };
    let [h, m, s] = numbers;
    // A leap second is none of a clock that counts by 60.
    let is_clock = h < 24 && m < 60 && s < 60;
    Time::new(h, m, s, nanoseconds)
        .ok()
        .filter(|_| is_clock)
        .ok_or_else(|| PastError::NoSuch(word.to_owned()))
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

/// From the beginning of history to its first polls, ms.
const FIRST_POLLS_MS: i64 = 10_000;

/// The first instant of a history that has something to show: at its very beginning nothing was polled yet. `last` is its end.
pub fn first(oldest: Timestamp, last: Timestamp) -> Timestamp {
    oldest.plus_ms(FIRST_POLLS_MS).min(last).max(oldest)
}

/// A step in words: `1m`, `1h00m`.
pub fn step_words(ms: i64) -> String {
    let mut words = String::new();
    figure::push_span(&mut words, ms);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::zone::tests::named;
    use proptest::prelude::*;

    /// Friday 2026-11-20 13:30:00 UTC.
    const NOW: Timestamp = Timestamp::from_ms(1_795_181_400_000);

    fn at(text: &str) -> String {
        at_in(text, NOW, &UTC)
    }

    /// The time in UTC, with the note if there is one.
    fn at_in(text: &str, now: Timestamp, zone: &Zone) -> String {
        match parse(text, now, zone) {
            Ok(Typed { when: When::Live, .. }) => "live".to_owned(),
            Ok(Typed { when: When::At(at), note }) => {
                let mut told = UTC.local(at).strftime("%a ").to_string();
                UTC.push_moment(&mut told, at);
                told + &note.map_or_else(String::new, |note| format!(" ({note})"))
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
        assert_eq!(at("30 minutes ago"), at("-30m"));
        assert_eq!(at("1 hour 1 second ago"), at("-3601s"));
        assert_eq!(at("-1w"), "Fri 2026-11-13 13:30:00");
        assert_eq!(at("now"), "live");
    }

    #[test]
    fn the_users_clock_decides_what_an_hour_and_a_day_are() {
        // Five and a half hours ahead it is 19:00 now.
        let kolkata = |text| at_in(text, NOW, &named("Asia/Kolkata"));
        assert_eq!(kolkata("18:00"), "Fri 2026-11-20 12:30:00");
        assert_eq!(kolkata("yesterday 00:10"), "Wed 2026-11-18 18:40:00");
        assert_eq!(kolkata("-1h"), "Fri 2026-11-20 12:30:00");
        assert_eq!(kolkata("2026-11-20"), "Thu 2026-11-19 18:30:00");
        let kathmandu = |text| at_in(text, NOW, &named("Asia/Kathmandu"));
        assert_eq!(kathmandu("18:00"), "Fri 2026-11-20 12:15:00");
    }

    #[test]
    fn a_zone_behind_the_time_is_the_one_that_is_meant() {
        let berlin = |text| at_in(text, NOW, &named("Europe/Berlin"));
        assert_eq!(berlin("14:00"), "Fri 2026-11-20 13:00:00");
        for text in
            ["13:00 UTC", "13:00Z", "13:00utc", "13:00 gmt", "14:00 CET", "15:00+02:00", "15:00 +0200"]
        {
            assert_eq!(berlin(text), "Fri 2026-11-20 13:00:00", "{text}");
        }
        assert_eq!(berlin("yesterday 14:00 UTC"), "Thu 2026-11-19 14:00:00");
        assert_eq!(berlin("mon 09:00 -03:30"), "Mon 2026-11-16 12:30:00");
        assert_eq!(berlin("2026-11-20T02:14:07.250+05:45"), "Thu 2026-11-19 20:29:07");
        assert_eq!(berlin("2026-11-20 utc"), "Fri 2026-11-20 00:00:00");
        // 13:30 UTC is now: 14:00 UTC was last yesterday, although it is 14:30 here.
        assert_eq!(berlin("14:00 UTC"), "Thu 2026-11-19 14:00:00");
        assert_eq!(
            berlin("14:00 CEST"),
            "'CEST' is not what clocks in Europe/Berlin say then: write UTC or an offset, such as +02:00"
        );
        assert!(berlin("14:00+25:00").contains("is no time"), "{}", berlin("14:00+25:00"));
    }

    #[test]
    fn an_hour_that_was_skipped_or_came_twice_is_told() {
        let berlin = named("Europe/Berlin");
        // 2026-03-29 12:00 UTC, after the night in which 02:00 was 03:00.
        let spring = Timestamp::from_ms(1_774_785_600_000);
        let at = |text| at_in(text, spring, &berlin);
        let skipped = "there is no 02:30 on 2026-03-29 in Europe/Berlin: clocks went forward by 1h00m";
        assert_eq!(at("02:30"), skipped);
        assert_eq!(at("2026-03-29 02:30"), skipped);
        assert_eq!(at("02:30 UTC"), "Sun 2026-03-29 02:30:00");
        assert_eq!(at("03:00"), "Sun 2026-03-29 01:00:00");
        // A time that nobody typed is no error: this time of the day before.
        let next_day = Timestamp::from_ms(1_774_830_600_000);
        assert_eq!(at_in("yesterday", next_day, &berlin), "Sun 2026-03-29 01:30:00");
        // 2026-10-25 12:00 UTC, after the night in which 03:00 was 02:00.
        let autumn = Timestamp::from_ms(1_792_929_600_000);
        let at = |text| at_in(text, autumn, &berlin);
        let twice = "Sun 2026-10-25 00:30:00 (02:30 came twice: 02:30 CET is the second)";
        assert_eq!(at("02:30"), twice);
        assert_eq!(at("2026-10-25 02:30"), twice);
        assert_eq!(at("02:30 CEST"), "Sun 2026-10-25 00:30:00");
        assert_eq!(at("02:30 CET"), "Sun 2026-10-25 01:30:00");
        assert_eq!(at("02:30+01:00"), "Sun 2026-10-25 01:30:00");
        // In the second 02:10 the first 02:30 has been.
        let within = Timestamp::from_ms(1_792_890_600_000);
        assert!(at_in("02:30", within, &berlin).starts_with("Sun 2026-10-25 00:30:00 ("));
    }

    #[test]
    fn a_day_begins_where_it_has_no_midnight() {
        // Beirut goes forward at midnight: 2026-03-29 begins at 01:00, which is 2026-03-28 22:00 UTC.
        let now = Timestamp::from_ms(1_774_785_600_000);
        assert_eq!(at_in("2026-03-29", now, &named("Asia/Beirut")), "Sat 2026-03-28 22:00:00");
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
            ["1m", "1m", "5m", "15m", "1h00m", "1h00m"]
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,24}", offset in -900_i32..900) {
            let zone = Zone::ahead(offset * 60).unwrap();
            if let Ok(Typed { when: When::At(at), .. }) = parse(&text, NOW, &zone) {
                prop_assert!(at <= NOW);
            }
        }

        #[test]
        fn no_span_breaks_it(n in any::<u64>(), unit in "[smhdw]") {
            let _ = parse(&format!("-{n}{unit}"), NOW, &UTC);
        }
    }
}
