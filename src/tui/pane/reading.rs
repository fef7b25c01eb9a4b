//! A reading on the screen: the value, dimmed when it is stale, or the reason why there is none. Never a zero for unknown.

use super::Part;
use crate::model::{
    base::{figure, time::Timestamp},
    fold::{scope::Scope, snapshot::InstanceSnapshot},
    judge::health::{Health, Level, Reason},
    poll::{
        Facts,
        link::Link,
        reading::{Meta, Reading, Unavailable},
    },
};
use crate::tui::{
    id::{PaneId, RowKey},
    theme::Theme,
    view::View,
    widget::fold::fold,
    widget::{
        canvas::{Canvas, width},
        cell::CellText,
    },
    wish::Wish,
};
use ratatui::style::Style;
use std::fmt::Write as _;

/// Glyph of a level: the meaning never depends on the colour alone.
pub const fn glyph(level: Level) -> &'static str {
    match level {
        Level::Ok => "●",
        Level::Warning => "▲",
        Level::Critical | Level::Offline => "✖",
        Level::Unknown => "○",
    }
}

/// The same of an instance: what nobody has judged yet looks otherwise than what nobody can judge.
pub fn sign(health: &Health) -> &'static str {
    if health.is_before_the_first() { NOT_JUDGED } else { glyph(health.level) }
}

/// The same of a reason.
pub const fn sign_of(reason: &Reason) -> &'static str {
    if reason.is_before_the_first() { NOT_JUDGED } else { glyph(reason.level) }
}

const NOT_JUDGED: &str = "◌";

/// Style of a level.
pub const fn level_style(theme: &Theme, level: Level) -> Style {
    match level {
        Level::Ok => theme.ok,
        Level::Warning => theme.warning,
        Level::Critical | Level::Offline => theme.critical,
        Level::Unknown => theme.unknown,
    }
}

/// Style of a value: dimmed once it is stale.
pub fn value_style<T>(theme: &Theme, reading: &Reading<T>, now: Timestamp) -> Style {
    if reading.is_stale(now) { theme.dim } else { theme.base }
}

/// Why there is no value, in at most four columns. The whole sentence is in the details.
pub const fn short(problem: Option<&Unavailable>) -> &'static str {
    match problem {
        Some(Unavailable::NoRight(_) | Unavailable::Missing(_)) => "n/a",
        Some(Unavailable::SwitchedOff(_)) => "off",
        Some(Unavailable::NotYet | Unavailable::NeedsTwoSamples) => "…",
        Some(Unavailable::NotHere(_) | Unavailable::Failed(_)) | None => "–",
    }
}

/// Fills a cell with a part of a reading, or with the short reason why there is none.
pub fn cell<'r, T, V>(
    out: &mut CellText,
    view: &View<'_>,
    reading: &'r Reading<T>,
    part: impl FnOnce(&'r T) -> Option<V>,
    draw: impl FnOnce(&mut String, V),
) {
    value(out, view, reading, reading.get().and_then(part), draw);
}

/// Fills a cell with a value that was taken from a reading, or with the short reason why there is none.
pub fn value<T, V>(
    out: &mut CellText,
    view: &View<'_>,
    reading: &Reading<T>,
    value: Option<V>,
    draw: impl FnOnce(&mut String, V),
) {
    match value {
        Some(v) => out.with(value_style(view.theme, reading, view.now), |s| draw(s, v)),
        // Without a problem the poll worked and this field of it is NULL.
        None => out.put(view.theme.dim, short(reading.problem.as_ref())),
    }
}

/// Appends the text in place of a whole pane or row: `n/a (VIEW SERVER STATE)`, `connecting …`.
pub fn push_absence(
    out: &mut String,
    instance: &InstanceSnapshot,
    problem: Option<&Unavailable>,
    view: &View<'_>,
) {
    match (&instance.facts.link, problem) {
        (Link::Down { .. } | Link::Connecting | Link::Idle, None | Some(Unavailable::NotYet)) => {
            push_link(out, instance, view);
        }
        (_, Some(problem)) => {
            let _ = write!(out, "{problem}");
        }
        (_, None) => out.push_str("not polled yet"),
    }
}

/// Appends why a reading is missing, in few words: those of the connection if that is down.
pub fn push_why(out: &mut String, i: &InstanceSnapshot, problem: Option<&Unavailable>, view: &View<'_>) {
    match &i.facts.link {
        Link::Down { failure, .. } => out.push_str(failure.kind.words()),
        _ => push_absence(out, i, problem, view),
    }
}

/// When all first readings are there that are still to come; None: none is, or nobody told.
pub fn last_due<'v>(view: &'v View<'_>, meta: impl Fn(&'v Facts) -> Meta<'v>) -> Option<Timestamp> {
    let answering = view.instances().filter(|(_, i)| !matches!(i.facts.link, Link::Down { .. }));
    answering.filter_map(|(_, i)| meta(&i.facts).first_due()).max()
}

/// When first readings that are to come are there, in whole minutes: `due within 34m`.
pub fn due_words(due: Timestamp, view: &View<'_>) -> String {
    const MINUTE_MS: i64 = 60_000;
    let mut words = "due ".to_owned();
    match due - view.now {
        ..=0 => words.push_str("now"),
        ms => {
            words.push_str("within ");
            figure::push_span(&mut words, ms.saturating_add(MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS);
        }
    }
    words
}

/// The instances in scope that cannot tell at present, because they never had a reading or are down: how many say why in
/// the same words, most first.
pub fn silent<T>(view: &View<'_>, reading: impl Fn(&Facts) -> &Reading<T>) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    let cannot = |f: &Facts| matches!(f.link, Link::Down { .. }) || reading(f).get().is_none();
    for (_, i) in view.instances().filter(|(_, i)| cannot(&i.facts)) {
        let mut why = String::new();
        push_why(&mut why, i, reading(&i.facts).problem.as_ref(), view);
        match found.iter_mut().find(|(words, _)| *words == why) {
            Some((_, n)) => *n += 1,
            None => found.push((why, 1)),
        }
    }
    found.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    found
}

/// The words of an empty pane: `what` is not known and why (`What runs`), or that there is `nothing` (`Nothing runs`) on those
/// that tell, and how many do not. Never "nothing" where nobody could tell.
pub fn absence<T>(
    what: &str,
    nothing: &str,
    view: &View<'_>,
    reading: impl Fn(&Facts) -> &Reading<T>,
) -> Vec<String> {
    let all = view.instances().count();
    if all == 0 {
        return no_instance(view);
    }
    let silent = silent(view, &reading);
    let due = last_due(view, |facts| reading(facts).meta());
    let unknown: usize = silent.iter().map(|(_, n)| n).sum();
    if let (Some(i), true) = (view.single(), unknown > 0) {
        let mut why = String::new();
        match &i.facts.link {
            Link::Down { .. } => push_link(&mut why, i, view),
            _ => push_absence(&mut why, i, reading(&i.facts).problem.as_ref(), view),
        }
        if let Some(due) = due {
            why.push_str(", ");
            why.push_str(&due_words(due, view));
        }
        return vec![format!("{what} is not known."), why];
    }
    let when = due.map(|due| {
        format!("What was never read is {}, of an instance on the screen at once.", due_words(due, view))
    });
    let mut lines = match silent.as_slice() {
        [] => return vec![format!("{nothing}.")],
        [(why, n)] if unknown == all => {
            let first = format!("{what} is not known: {n} of {all} instances {why}.");
            return [first].into_iter().chain(when).collect();
        }
        _ if unknown == all => vec![format!("{what} is not known: none of {all} instances have data.")],
        _ => vec![format!("{nothing} on {} of {all} instances; {unknown} without data:", all - unknown)],
    };
    lines.extend(silent.iter().map(|(why, n)| format!("{n:>4} {why}")));
    lines.extend(when);
    lines
}

/// Why there is no instance, and what to do.
pub fn no_instance(view: &View<'_>) -> Vec<String> {
    let (first, second) = if view.snapshot.instances.is_empty() {
        ("No instances yet.", "1 says how to add some.")
    } else if view.faults_only && !view.scope.is_empty() {
        ("No faults.", "Ctrl-z shows all instances again.")
    } else {
        ("No instance is in this scope.", "Esc widens it.")
    };
    vec![first.to_owned(), second.to_owned()]
}

/// Adds `2 of 40 without data` to a title, and when the first readings are there that are to come.
pub fn push_unknown<T>(
    out: &mut Vec<(Part, String)>,
    view: &View<'_>,
    reading: impl Fn(&Facts) -> &Reading<T>,
) {
    let unknown: usize = silent(view, &reading).iter().map(|(_, n)| n).sum();
    if unknown > 0 && view.single().is_none() {
        let all = view.instances().count();
        let mut words = format!("{unknown} of {all} without data");
        if let Some(due) = last_due(view, |facts| reading(facts).meta()) {
            words.push_str(", ");
            words.push_str(&due_words(due, view));
        }
        out.push((Part::Level(Level::Warning), words));
    }
}

/// Adds to a title when columns have figures whose reading comes later than the rest: `FREE IN % due within 34m`.
pub fn push_seldom(
    out: &mut Vec<(Part, String)>,
    view: &View<'_>,
    seldom: for<'f> fn(&'f Facts) -> Option<(&'static str, Meta<'f>)>,
) {
    let due = last_due(view, |facts| seldom(facts).map(|(_, meta)| meta).unwrap_or_default());
    let title = view.instances().find_map(|(_, i)| seldom(&i.facts)).map(|(title, _)| title);
    if let Some((due, title)) = due.zip(title) {
        out.push((Part::Plain, format!("{title} {}", due_words(due, view))));
    }
}

/// Appends the state of the connection: `login refused (18456): …, 3 attempts, next in 12s`.
pub fn push_link(out: &mut String, instance: &InstanceSnapshot, view: &View<'_>) {
    match &instance.facts.link {
        Link::Idle => out.push_str("waiting for its first poll"),
        Link::Connecting => out.push_str("connecting …"),
        Link::Up => out.push_str("connected"),
        Link::Down { failure, attempts, next_at } => {
            view.push_failure(out, failure);
            push_attempts(out, *attempts, *next_at, view);
        }
    }
}

/// Appends how often a connection was tried and when it is again: `, 3 attempts, next in 12s`.
pub fn push_attempts(out: &mut String, attempts: u32, next_at: Timestamp, view: &View<'_>) {
    out.push_str(", ");
    figure::push_counted(out, u64::from(attempts), "attempt");
    out.push_str(", next ");
    let wait_ms = next_at - view.now;
    if wait_ms < 1000 {
        out.push_str("now");
    } else {
        out.push_str("in ");
        figure::push_span(out, wait_ms);
    }
}

/// Age in steps of ten seconds below a minute, so that a row is not sent again every second only
/// because time passes.
pub fn push_calm_age(out: &mut String, age_ms: u64) {
    if age_ms < 10_000 {
        out.push_str("<10s");
    } else if age_ms < 60_000 {
        let _ = write!(out, "{}s", age_ms / 10_000 * 10);
    } else {
        figure::push_span(out, age_ms as i64);
    }
}

/// Adds `sampled 12s ago` to a title, or why there is nothing newer.
pub fn push_sampled<T>(out: &mut Vec<(Part, String)>, reading: &Reading<T>, now: Timestamp) {
    let Some(age) = reading.age_ms(now) else { return };
    let mut text = String::from("sampled ");
    push_calm_age(&mut text, age);
    text.push_str(" ago");
    match &reading.problem {
        Some(problem) => {
            let _ = write!(text, ", then {problem}");
            out.push((Part::Level(Level::Warning), text));
        }
        None if reading.is_stale(now) => out.push((Part::Level(Level::Warning), text)),
        None => out.push((Part::Plain, text)),
    }
}

/// Narrows to the instance of a row, unless it is in scope alone already.
pub fn narrow(pane: PaneId, row: Option<&RowKey>, view: &View<'_>) -> Option<Wish> {
    let row = row.filter(|_| view.single().is_none())?;
    let scope = Scope::Instance(row.instance()?.clone());
    Some(Wish::Go { pane, scope: Some(scope), focus: Some(row.clone()), look: None })
}

/// Draws words in the middle of an empty pane; the first line is the answer.
pub fn empty(lines: &[String], view: &View<'_>, canvas: &mut Canvas<'_>) {
    let room = usize::from(canvas.width().saturating_sub(2));
    let lines: Vec<(bool, String)> = lines
        .iter()
        .enumerate()
        .flat_map(|(n, l)| fold(l, room).into_iter().map(move |l| (n == 0, l)))
        .collect();
    let longest = lines.iter().map(|(_, l)| width(l)).max().unwrap_or(0) as u16;
    let x = (canvas.width().saturating_sub(longest) / 2).max(1);
    let y = canvas.height().saturating_sub(lines.len() as u16) / 3;
    for (n, (first, line)) in lines.iter().enumerate() {
        let style = if *first { view.theme.strong } else { view.theme.dim };
        canvas.put(x, y + n as u16, canvas.width().saturating_sub(x), line, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{fixture, pane::stage::Stage};
    use std::sync::Arc;

    fn activity(stage: &Stage) -> Vec<String> {
        absence("What runs", "Nothing runs", &stage.view(), |f| &f.activity)
    }

    #[test]
    fn nothing_is_said_only_of_those_that_tell() {
        let lines = activity(&Stage::fleet(fixture::small()));
        let both = ["   1 timed out", "   1 n/a (VIEW SERVER STATE)"];
        assert_eq!(lines[0], "Nothing runs on 6 of 8 instances; 2 without data:");
        assert_eq!(lines[1..], both);
        let lines = activity(&Stage::fleet(fixture::errors(24)));
        assert_eq!(lines[0], "What runs is not known: none of 24 instances have data.");
        assert!(lines.contains(&"   6 unreachable".to_owned()), "{lines:?}");
        let lines = activity(&Stage::fleet(fixture::errors(1)));
        assert_eq!(lines, ["What runs is not known: 1 of 1 instances unreachable."]);
        assert_eq!(activity(&Stage::fleet(fixture::empty()))[0], "No instances yet.");
    }

    #[test]
    fn what_was_never_read_says_when_it_is_due() {
        let mut fleet = fixture::small();
        for (n, i) in fleet.instances.iter_mut().enumerate() {
            let store = &mut Arc::make_mut(i).facts.query_store;
            *store = Reading { due: Some(fixture::NOW.plus_ms(n as i64 * 420_000)), ..Reading::default() };
        }
        let stage = Stage::fleet(fleet.clone());
        let mut title = Vec::new();
        push_unknown(&mut title, &stage.view(), |f| &f.query_store);
        assert_eq!(title[0].1, "8 of 8 without data, due within 49m", "the last of those that answer");
        let lines = absence("What stores have", "Nothing", &stage.view(), |f| &f.query_store);
        assert!(lines.last().unwrap().starts_with("What was never read is due within 49m"), "{lines:?}");
        let one = Stage::one(fleet.clone(), "sqlprd-001");
        let lines = absence("What stores have", "Nothing", &one.view(), |f| &f.query_store);
        assert!(lines[1].starts_with("not polled yet, due "), "{lines:?}");
        let mut title = Vec::new();
        push_seldom(&mut title, &stage.view(), |f| Some(("STORE", f.query_store.meta())));
        assert_eq!(title[0].1, "STORE due within 49m");
        // What is there is due no more.
        for i in &mut fleet.instances {
            Arc::make_mut(i).facts.query_store.problem = Some(Unavailable::NoRight("X".into()));
        }
        assert_eq!(last_due(&Stage::fleet(fleet).view(), |f| f.query_store.meta()), None);
    }
}
