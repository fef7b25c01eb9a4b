//! From the name of a time zone to the zone: from the system's data, else from the data that is compiled in. Called when the
//! configuration is read and put in force; nothing else looks at `TZ` or `/etc/localtime`.

use crate::model::base::zone::{UTC, Zone};
use jiff::tz::{self, TimeZone};

/// The zone of `local`, `utc` or a name such as `Europe/Berlin`; None: there is none of this name. `local` is UTC where
/// the system does not say what it is.
pub fn zone(name: &str) -> Option<Zone> {
    match name.to_ascii_lowercase().as_str() {
        "local" => Some(TimeZone::try_system().map_or_else(|_| UTC.clone(), Zone::from)),
        "utc" => Some(UTC.clone()),
        _ => TimeZone::get(name).ok().map(Zone::from),
    }
}

/// The words and names that [`zone`] knows.
pub(super) fn names() -> Vec<String> {
    let known = tz::db().available().map(|name| name.to_string());
    ["local", "utc"].map(str::to_owned).into_iter().chain(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_by_its_name_in_any_case() {
        assert_eq!(zone("UTC"), Some(UTC.clone()));
        assert_eq!(zone("europe/berlin"), zone("Europe/Berlin"));
        assert!(zone("Europe/Berlin").is_some() && zone("local").is_some());
        assert_eq!(zone("Europe/Berln"), None);
        assert_eq!(zone(""), None);
        assert_eq!(zone("../../etc/passwd"), None);
    }
}
