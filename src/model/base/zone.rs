//! The time zone of the person who reads: the one place where an instant becomes a clock time, and a clock time an instant.
//! A value without a clock and without an environment: the configuration names it (`config::zone`), views and reports
//! carry it.
//!
//! A date and time is written with its zone; a time of day alone is one of today, by the zone that stands beside the clock
//! of the screen.

use super::time::Timestamp;
use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use std::fmt::Write as _;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The instants at which a clock shows a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// as nearly always
    Once(Timestamp),
    /// clocks went back over it
    Twice {
        /// before they did
        first: Timestamp,
        /// after they did
        second: Timestamp,
    },
    /// clocks went forward over it
    Never {
        /// by so much, ms
        skipped_ms: i64,
        /// the instant as far after the gap as the time lies in it
        after: Timestamp,
    },
}

impl Default for Zone {
    fn default() -> Self {
        UTC.clone()
    }
}

impl From<TimeZone> for Zone {
    fn from(zone: TimeZone) -> Self {
        Self(zone)
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    let end = if at.ms() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(at.ms()).unwrap_or(end)
}

/// `+05:45`.
fn push_offset(out: &mut String, offset_s: i32) {
    let (sign, s) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs());
    // Writing to a String cannot fail.
    let _ = write!(out, "{sign}{:02}:{:02}", s / 3600, s / 60 % 60);
}

/// Coordinated universal time.
pub static UTC: Zone = Zone(TimeZone::UTC);

impl Zone {
    /// As far ahead of UTC as this all year; None: no clock is so far ahead.
    pub fn ahead(seconds: i32) -> Option<Self> {
        let offset = Offset::from_seconds(seconds).ok().filter(|_| seconds.abs() <= 18 * 3600)?;
        Some(Self(TimeZone::fixed(offset)))
    }

    /// `Europe/Berlin`; what its clocks say where it has no name: `UTC`, `+05:45`.
    pub fn name(&self, at: Timestamp) -> String {
        self.0.iana_name().map_or_else(
            || {
                let mut label = String::new();
                self.push_label(&mut label, at);
                label
            },
            str::to_owned,
        )
    }

    /// How far its clocks are ahead of UTC then, ms.
    pub fn offset_ms(&self, at: Timestamp) -> i64 {
        i64::from(self.0.to_offset(instant(at)).seconds()) * 1000
    }

    /// What its clocks show then.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(instant(at))
    }

    /// When its clocks show this; None beyond the years that calendars have.
    pub fn find(&self, shown: DateTime) -> Option<Found> {
        let found = self.0.to_ambiguous_timestamp(shown);
        let at = |found: Result<jiff::Timestamp, jiff::Error>| {
            found.ok().map(|at| Timestamp::from_ms(at.as_millisecond()))
        };
        Some(match found.offset() {
            AmbiguousOffset::Unambiguous { .. } => Found::Once(at(found.compatible())?),
            AmbiguousOffset::Fold { .. } => {
                Found::Twice { first: at(found.earlier())?, second: at(found.later())? }
            }
            AmbiguousOffset::Gap { before, after } => Found::Never {
                skipped_ms: i64::from(after.seconds() - before.seconds()) * 1000,
                after: at(found.compatible())?,
            },
        })
    }

    /// The time of day: `13:58:40`.
    pub fn push_clock(&self, out: &mut String, at: Timestamp) {
        let local = self.local(at);
        let _ = write!(out, "{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second());
    }

    /// The time of day without seconds: `13:58`.
    pub fn push_minute(&self, out: &mut String, at: Timestamp) {
        let local = self.local(at);
        let _ = write!(out, "{:02}:{:02}", local.hour(), local.minute());
    }

    /// The date: `2026-11-20`.
    pub fn push_date(&self, out: &mut String, at: Timestamp) {
        let local = self.local(at);
        let _ = write!(out, "{:04}-{:02}-{:02}", local.year(), local.month(), local.day());
    }

    /// What its clocks are called then: `UTC`, `CET`, and where they have no letters `+05:45`.
    pub fn push_label(&self, out: &mut String, at: Timestamp) {
        let info = self.0.to_offset_info(instant(at));
        let word = info.abbreviation();
        if !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic()) {
            out.push_str(word);
        } else {
            push_offset(out, info.offset().seconds());
        }
    }

    /// Date and time: `2026-11-20 13:58:40`, where the zone stands beside it already, as in the head of a column.
    pub fn push_moment(&self, out: &mut String, at: Timestamp) {
        self.push_date(out, at);
        out.push(' ');
        self.push_clock(out, at);
    }

    /// Date, time and zone: `2026-11-20 13:58:40 CET`.
    pub fn push_instant(&self, out: &mut String, at: Timestamp) {
        self.push_moment(out, at);
        out.push(' ');
        self.push_label(out, at);
    }

    /// Since when: the time of day if it was within the last day, else date, time and zone.
    pub fn push_since(&self, out: &mut String, at: Timestamp, now: Timestamp) {
        if now.ms_since(at) >= 86_400_000 {
            self.push_instant(out, at);
        } else {
            self.push_clock(out, at);
        }
    }

    /// Date, time and zone as a text of its own: `2026-11-20 13:58:40 CET`.
    pub fn instant(&self, at: Timestamp) -> String {
        let mut out = String::new();
        self.push_instant(&mut out, at);
        out
    }

    /// For machines: `2026-11-20T13:58:40.123+01:00`; `Z` in UTC, and no fraction of a whole second.
    pub fn rfc3339(&self, at: Timestamp) -> String {
        let mut out = String::new();
        self.push_date(&mut out, at);
        out.push('T');
        self.push_clock(&mut out, at);
        match at.ms().rem_euclid(1000) {
            0 => {}
            ms => drop(write!(out, ".{ms:03}")),
        }
        match self.0.to_offset(instant(at)).seconds() {
            0 => out.push('Z'),
            seconds => push_offset(&mut out, seconds),
        }
        out
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-20 09:46:40 UTC.
    const AT: Timestamp = Timestamp::from_ms(1_795_168_000_000);

    /// A zone of the data that is compiled in.
    pub(crate) fn named(name: &str) -> Zone {
        Zone::from(TimeZone::get(name).unwrap())
    }

    #[test]
    fn a_time_is_told_with_its_zone() {
        let of = |name| named(name).instant(AT);
        assert_eq!(UTC.instant(AT), "2026-11-20 09:46:40 UTC");
        assert_eq!(of("Europe/Berlin"), "2026-11-20 10:46:40 CET");
        assert_eq!(of("Asia/Kathmandu"), "2026-11-20 15:31:40 +05:45", "no letters of its own");
        assert_eq!(of("Pacific/Chatham"), "2026-11-20 23:31:40 +13:45");
        assert_eq!(of("America/New_York"), "2026-11-20 04:46:40 EST");
        assert_eq!(Zone::ahead(-5 * 3600 - 1800).unwrap().instant(AT), "2026-11-20 04:16:40 -05:30");
        assert_eq!(Zone::ahead(19 * 3600), None);
        let summer = Timestamp::from_ms(1_784_000_000_000);
        assert_eq!(named("Europe/Berlin").instant(summer), "2026-07-14 05:33:20 CEST", "its letters of then");
        assert_eq!(named("Europe/Berlin").name(AT), "Europe/Berlin");
        assert_eq!(Zone::ahead(20_700).unwrap().name(AT), "+05:45");
    }

    #[test]
    fn since_has_a_date_where_it_was_not_today() {
        let told = |ago: i64| {
            let mut out = String::new();
            named("Europe/Berlin").push_since(&mut out, AT.plus_ms(-ago), AT);
            out
        };
        assert_eq!(told(3_600_000), "09:46:40");
        assert_eq!(told(86_400_000), "2026-11-19 10:46:40 CET");
    }

    #[test]
    fn clocks_go_forward_and_back() {
        let berlin = named("Europe/Berlin");
        let on = |month, day, hour, minute| {
            berlin.find(jiff::civil::date(2026, month, day).at(hour, minute, 0, 0)).unwrap()
        };
        // 2026-03-29 01:00 UTC: 02:00 CET is 03:00 CEST.
        let spring = Timestamp::from_ms(1_774_746_000_000);
        assert_eq!(on(3, 29, 1, 59), Found::Once(spring.plus_ms(-60_000)));
        assert_eq!(
            on(3, 29, 2, 30),
            Found::Never { skipped_ms: 3_600_000, after: spring.plus_ms(1_800_000) }
        );
        assert_eq!(on(3, 29, 3, 0), Found::Once(spring));
        // 2026-10-25 01:00 UTC: 03:00 CEST is 02:00 CET.
        let autumn = Timestamp::from_ms(1_792_890_000_000);
        assert_eq!(
            on(10, 25, 2, 30),
            Found::Twice { first: autumn.plus_ms(-1_800_000), second: autumn.plus_ms(1_800_000) }
        );
        assert_eq!(berlin.instant(autumn.plus_ms(-1)), "2026-10-25 02:59:59 CEST");
        assert_eq!(berlin.instant(autumn), "2026-10-25 02:00:00 CET");
    }

    #[test]
    fn machines_read_the_offset() {
        let at = AT.plus_ms(7);
        assert_eq!(UTC.rfc3339(at), "2026-11-20T09:46:40.007Z");
        assert_eq!(UTC.rfc3339(AT), "2026-11-20T09:46:40Z");
        assert_eq!(named("Asia/Kathmandu").rfc3339(at), "2026-11-20T15:31:40.007+05:45");
        assert_eq!(named("America/St_Johns").rfc3339(at), "2026-11-20T06:16:40.007-03:30");
    }

    proptest! {
        #[test]
        fn any_instant_can_be_told_and_found_again(ms in any::<i64>(), zone in 0..4_usize) {
            let zone = named(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"][zone]);
            let at = Timestamp::from_ms(ms);
            prop_assert!(!zone.instant(at).is_empty() && !zone.rfc3339(at).is_empty());
            // Between 1970 and 2100, where offsets are whole minutes.
            let at = Timestamp::from_ms(ms.rem_euclid(4_102_444_800_000));
            let is_found = match zone.find(zone.local(at)).unwrap() {
                Found::Once(found) => found == at,
                Found::Twice { first, second } => first == at || second == at,
                Found::Never { .. } => false,
            };
            prop_assert!(is_found, "{}", zone.instant(at));
        }
    }
}
