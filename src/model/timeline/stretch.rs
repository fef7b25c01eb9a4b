//! Stretches of time as a person types them: two times as `past` reads them. Called by the screen; pure.

use super::past::{self, PastError, When};
use crate::model::base::{time::Timestamp, zone::Zone};

const DAY_MS: i64 = 86_400_000;

/// Reads a stretch of time: `10:00 - 10:30`, `2026-11-20 22:00 to 02:00`, `-2h..-1h`; one time alone begins it, and now ends it. A time
/// of day as its end is the first one behind its beginning. An end that is still to come is now. With what the user must know of it.
///
/// # Errors
/// [`PastError`], in words for the user.
pub fn parse(
    text: &str,
    now: Timestamp,
    zone: &Zone,
) -> Result<((Timestamp, Timestamp), Option<String>), PastError> {
    let parted = [" - ", " – ", " to ", ".."].iter().find_map(|sign| text.split_once(sign));
    let (first, last) = parted.map_or((text, "now"), |(first, last)| (first.trim(), last.trim()));
    let begins = past::parse(first, now, zone)?;
    let from = match begins.when {
        When::Live => return Err(PastError::Backwards),
        When::At(at) => at,
    };
    // A time of day knows no day.
    let is_clock = last.contains(':')
        && last.starts_with(|c: char| c.is_ascii_digit())
        && !last.contains(['-', ' ', 't']);
    let ends =
        if is_clock { past::read(last, from.plus_ms(DAY_MS), zone)? } else { past::parse(last, now, zone)? };
    let to = match ends.when {
        When::Live => now,
        When::At(at) => at.min(now),
    };
    if to <= from {
        return Err(PastError::Backwards);
    }
    Ok(((from, to), begins.note.or(ends.note)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::zone::UTC;

    /// Friday 2026-11-20 13:30:00 UTC.
    const NOW: Timestamp = Timestamp::from_ms(1_795_181_400_000);

    fn of(text: &str) -> String {
        match parse(text, NOW, &UTC) {
            Ok(((from, to), _)) => {
                let mut told = String::new();
                UTC.push_moment(&mut told, from);
                told.push_str(" to ");
                UTC.push_moment(&mut told, to);
                told
            }
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn a_stretch_is_two_times_or_one_up_to_now() {
        let morning = "2026-11-20 10:00:00 to 2026-11-20 10:30:00";
        for text in ["10:00 - 10:30", "10:00 to 10:30", "10:00..10:30", "10:00 – 10:30", "-3h30m - -3h"] {
            assert_eq!(of(text), morning, "{text}");
        }
        assert_eq!(of("-30m"), "2026-11-20 13:00:00 to 2026-11-20 13:30:00");
        assert_eq!(of("yesterday 10:00 - yesterday 11:00"), "2026-11-19 10:00:00 to 2026-11-19 11:00:00");
    }

    #[test]
    fn a_time_of_day_ends_a_stretch_of_the_day_on_which_it_begins() {
        assert_eq!(of("2026-11-18 10:00 - 10:30"), "2026-11-18 10:00:00 to 2026-11-18 10:30:00");
        assert_eq!(of("2026-11-18 22:00 - 02:00"), "2026-11-18 22:00:00 to 2026-11-19 02:00:00");
        assert_eq!(of("13:00 - 14:00"), "2026-11-20 13:00:00 to 2026-11-20 13:30:00", "it goes on");
    }

    #[test]
    fn what_is_no_stretch_is_said() {
        assert!(of("-1h - -2h").contains("before it begins"));
        assert!(of("now").contains("before it begins"));
        assert!(of("soon - 10:00").contains("is no time"));
        assert!(of("").contains("type a time"));
    }
}
