//! Durations are told by one place, `model::base::figure`: no other text puts a unit of time behind a figure.

use super::project;

/// The file that has all the forms.
const OWNER: &str = "src/model/base/figure.rs";

/// Texts that look like it: the file, what stands there, and what it is.
const OTHERS: [(&str, &str, &str); 8] = [
    ("src/tui/pane/grants.rs", "{other} s", "the unit of a chart behind its title"),
    ("src/tui/pane/kept.rs", "{name} ms", "the unit of a chart behind its title"),
    ("src/tui/pane/modules.rs", "{}s:", "the plural of a word"),
    ("src/command/once/stored.rs", "{}s:", "the plural of a word"),
    (
        "src/tui/pane/reading.rs",
        "{}s",
        "an age in steps of ten seconds, so that a calm row is not sent again",
    ),
    ("src/tui/pane/fleet/columns.rs", "{h}h", "an age in four characters"),
    ("src/tui/pane/fleet/columns.rs", "{}d", "an age in four characters"),
    ("src/tui/pane/instance/words.rs", "{days}d", "an uptime whose hours do not matter"),
];

const UNITS: [&str; 8] = ["ms", "s", "sec", "min", "m", "h", "hours", "minutes"];

/// A figure and a unit of time behind it, as they stand in a text with holes. A rate has a slash behind the unit.
fn told_times(text: &str) -> Vec<&str> {
    let ends = text.match_indices('}').map(|(at, _)| at + 1);
    let found = ends.filter_map(|end| {
        let start = text[..end].rfind('{')?;
        let rest = text[end..].strip_prefix(' ').unwrap_or(&text[end..]);
        let unit: &str = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
        let is_touching = text[end..].starts_with(unit);
        let is_unit = UNITS.contains(&unit) || (is_touching && unit == "d");
        let behind = text.len() - rest.len() + unit.len();
        let is_rate = text[behind..].starts_with('/');
        (!unit.is_empty() && is_unit && !is_rate).then(|| &text[start..behind])
    });
    found.collect()
}

#[test]
fn every_duration_is_told_by_one_place() {
    let (mut offences, mut known) = (Vec::new(), [false; OTHERS.len()]);
    for (file, code) in project::production() {
        // The simulator says what servers say, and tests what they failed at.
        let is_of_others = file.path.starts_with("src/sim/") || file.path.contains("/tests/");
        if file.path == OWNER || is_of_others {
            continue;
        }
        for (at, text) in project::strings_of(&file.text[..code.len()]) {
            for told in told_times(&text) {
                let other =
                    OTHERS.iter().position(|(path, words, _)| *path == file.path && words.starts_with(told));
                if let Some(n) = other {
                    known[n] = true;
                } else {
                    let line = project::line_of(&file.text, at);
                    offences.push(format!("{}:{line}: {told}: take model::base::figure", file.path));
                }
            }
        }
    }
    project::assert_none("durations with a form of their own", &offences);
    let gone = OTHERS.iter().zip(known).filter(|(_, known)| !known);
    let gone: Vec<String> = gone.map(|((path, words, _), _)| format!("{path}: {words}")).collect();
    project::assert_none("exceptions that are no more", &gone);
}

#[test]
fn a_form_of_its_own_is_seen() {
    assert_eq!(told_times("took {} s, {ms:.1} ms; {d}d of {} min"), ["{} s", "{ms:.1} ms", "{d}d", "{} min"]);
    assert_eq!(told_times("{} ms/s, {} sessions, {}, {n} days, {x}"), [] as [&str; 0]);
}
