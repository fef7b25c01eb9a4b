//! The page of an incident: header, summary in words, and the sections in the order in which one asks. A section without data
//! says so. What a chart needs comes from outside; everything else is in the story.

use super::{
    Period,
    gather::{Story, Tale},
    html::Html,
    incident::{CHARTED, marks},
    moment, sections,
    svg::Chart,
};
use crate::model::{chart::MarkKind, figure, health::Level};

const STYLE: &str = include_str!("incident.css");

/// What the story does not know.
pub(super) struct Facts {
    /// who made it; empty: is not said
    pub author: String,
    /// names were replaced
    pub scrubbed: bool,
    /// the recording's file, without its folder
    pub recording: String,
    /// readings in the recording
    pub readings: u64,
}

/// A page, and whether there is a chart in it.
pub(super) struct Page {
    pub text: String,
    pub has_charts: bool,
}

/// The charts of the tale of this number.
pub(super) type Draw<'a> = &'a dyn Fn(usize) -> anyhow::Result<Vec<Chart>>;

/// Makes it.
///
/// # Errors
/// The charts cannot be read.
pub(super) fn page(story: &Story, facts: &Facts, draw: Draw<'_>) -> anyhow::Result<Page> {
    let drawn: Vec<Vec<Chart>> =
        (0..story.tales.len().min(CHARTED)).map(draw).collect::<anyhow::Result<_>>()?;
    let has_charts = drawn.iter().any(|charts| !charts.is_empty());
    let title = title(story);
    let text = Html::page(&title, STYLE, |html| {
        header(html, story, facts, &title);
        section(html, "summary", "Summary", |html| summary(html, story));
        section(html, "changed", "What changed most", |html| changed(html, story));
        section(html, "instances", "Instances", |html| sections::instances(html, story));
        section(html, "charts", "Charts", |html| charts(html, story, &drawn));
        section(html, "blocking", "Blocking", |html| sections::blocking(html, story));
        section(html, "waits", "Top waits", |html| sections::waits(html, story));
        section(html, "activity", "Activity samples", |html| sections::activity(html, story));
        section(html, "texts", "Statements", |html| sections::texts(html, story));
        section(html, "events", "Events", |html| sections::events(html, story));
        section(html, "configuration", "Configuration", |html| sections::configuration(html, story));
        section(html, "cost", "Own cost", |html| sections::cost(html, story));
    });
    Ok(Page { text, has_charts })
}

const SECTIONS: [(&str, &str); 12] = [
    ("#summary", "Summary"),
    ("#changed", "What changed"),
    ("#instances", "Instances"),
    ("#charts", "Charts"),
    ("#blocking", "Blocking"),
    ("#waits", "Waits"),
    ("#activity", "Activity"),
    ("#texts", "Statements"),
    ("#events", "Events"),
    ("#configuration", "Configuration"),
    ("#cost", "Own cost"),
    ("#top", "Top"),
];

fn section(html: &mut Html, id: &'static str, title: &str, inside: impl FnOnce(&mut Html)) {
    html.within("section", &[("id", id)], |html| {
        html.leaf("h2", &[], title);
        inside(html);
    });
}

/// The incident that the stretch holds, if there is one.
fn title(story: &Story) -> String {
    let incident = story.events_of(MarkKind::Incident).next();
    match incident {
        Some(event) => format!("Incident on {}: {}", story.name(event), event.words),
        None => format!("Incident, {} to {} UTC", moment(story.period.from), moment(story.period.to)),
    }
}

fn header(html: &mut Html, story: &Story, facts: &Facts, title: &str) {
    html.leaf("h1", &[("id", "top")], title);
    let made = if facts.author.is_empty() { String::new() } else { format!(" by {}", facts.author) };
    let length = span(story.period.to - story.period.from);
    let mut names: Vec<&str> = story.tales.iter().take(20).map(|tale| tale.info.id.as_str()).collect();
    let more = story.tales.len().saturating_sub(names.len());
    let more = format!("and {more} more");
    if story.tales.len() > names.len() {
        names.push(&more);
    }
    let recording = format!(
        "{} beside this page, {} readings: opens in all panes with dbtop --replay",
        facts.recording, facts.readings
    );
    let names_are = if facts.scrubbed {
        "names of hosts, instances, logins, programs, databases and addresses, and literals are replaced; the same name is the same everywhere"
    } else {
        "as they are: not for everybody"
    };
    html.within("dl", &[], |html| {
        for (name, words) in [
            ("From", format!("{} UTC", moment(story.period.from))),
            ("To", format!("{} UTC ({length})", moment(story.period.to))),
            ("Times", "UTC, by the clock of the machine that collected".to_owned()),
            ("Instances", format!("{}: {}", story.tales.len(), names.join(", "))),
            ("Names", names_are.to_owned()),
            ("Recording", recording),
            ("Made", format!("with dbtop {}{made}", env!("CARGO_PKG_VERSION"))),
        ] {
            html.leaf("dt", &[], name);
            html.leaf("dd", &[], &words);
        }
    });
    html.within("nav", &[], |html| {
        for (link, name) in SECTIONS.iter().take(SECTIONS.len() - 1) {
            html.leaf("a", &[("href", link)], name);
        }
    });
}

fn summary(html: &mut Html, story: &Story) {
    let [well, unknown, warning, critical, offline] = story.by_level();
    let mut parts = Vec::new();
    for (count, words) in [
        (offline, "offline at some time"),
        (critical, "critical at worst"),
        (warning, "with a warning at worst"),
        (well, "well throughout"),
        (unknown, "without a verdict"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    html.leaf("p", &[], &format!("Of {}: {}.", count(story.tales.len(), "instance"), parts.join(", ")));
    if let Some(tale) = story.tales.first() {
        html.leaf("p", &[], &worst(tale));
    }
    blocked(html, story);
    happened(html, story);
    let heaviest = story.waits.iter().max_by(|a, b| a.1.ms.total_cmp(&b.1.ms));
    if let Some((name, waited)) = heaviest {
        let words = format!(
            "Most waiting was {name} ({}): {} together.",
            waited.category.name(),
            span(waited.ms as i64)
        );
        html.leaf("p", &[], &words);
    }
    for event in story.events_of(MarkKind::Incident) {
        let until = event.to.map_or_else(|| "now".to_owned(), moment);
        let words = format!(
            "Kept by the flight recorder from {} to {until}: {}: {}.",
            moment(event.at),
            story.name(event),
            event.words
        );
        html.leaf("p", &[], &words);
    }
    if !story.damaged.is_empty() {
        let words = format!(
            "{} of the history could not be read and are missing here.",
            count(story.damaged.len(), "part")
        );
        html.leaf("p", &[("class", "bad")], &words);
    }
}

/// Blocking in a sentence.
fn blocked(html: &mut Html, story: &Story) {
    let episodes: Vec<_> =
        story.events_of(MarkKind::Blocking).filter_map(|event| event.episode.as_ref()).collect();
    if episodes.is_empty() {
        // What nobody looked at is not known to have been well.
        let polls: u64 = story.tales.iter().map(|tale| tale.polls.0).sum();
        let words = if polls == 0 {
            "Whether somebody was blocked is not known: no poll of that time is kept.".to_owned()
        } else {
            format!("In the {polls} polls that are kept nobody was blocked for long enough to be seen.")
        };
        html.leaf("p", &[], &words);
    } else {
        let lost = episodes.iter().map(|episode| episode.lost_ms).sum();
        let peak = episodes.iter().map(|episode| episode.peak_victims).max().unwrap_or_default();
        let words = format!(
            "{} of blocking: {} waited at once at most, {} of waiting together.",
            count(episodes.len(), "episode"),
            count(peak as usize, "session"),
            span(lost)
        );
        html.leaf("p", &[], &words);
    }
}

/// How much of what else, and the first of each.
fn happened(html: &mut Html, story: &Story) {
    for (kind, one) in [
        (MarkKind::Deadlock, "report of deadlocks"),
        (MarkKind::Connection, "failure of a connection"),
        (MarkKind::Configuration, "change of configuration"),
        (MarkKind::Gap, "gap without a collector: nothing is known of that time"),
        (MarkKind::Bookmark, "bookmark"),
    ] {
        let events: Vec<_> = story.events_of(kind).collect();
        if let Some(first) = events.first() {
            let words = format!(
                "{}; the first at {}: {}: {}.",
                count(events.len(), one),
                moment(first.at),
                story.name(first),
                first.words
            );
            html.leaf("p", &[], &words);
        }
    }
}

fn worst(tale: &Tale) -> String {
    let Some((at, health)) = &tale.worst else {
        return format!("No verdict on {} is kept of that time.", tale.info.id);
    };
    if health.level == Level::Ok {
        return "No instance was worse than well, of those with a verdict.".into();
    }
    let score = health.score.map_or_else(|| "no score".into(), |score| format!("score {score}"));
    let reasons: Vec<&str> = health.reasons.iter().map(|reason| &*reason.text).collect();
    let [_, _, warning, critical, offline] = tale.level_ms;
    let mut words = format!(
        "Worst was {}: {} ({score}) at {} UTC, {}",
        tale.info.id,
        level_name(health.level),
        moment(*at),
        if reasons.is_empty() { "no reason kept".into() } else { reasons.join("; ") }
    );
    for (ms, name) in [(offline, "offline"), (critical, "critical"), (warning, "in warning")] {
        if ms > 0 {
            words.extend(["; ", &span(ms), " ", name]);
        }
    }
    words.push('.');
    words
}

fn changed(html: &mut Html, story: &Story) {
    if story.changes.is_empty() {
        html.leaf(
            "p",
            &[],
            "No instance with a verdict was worse than well, so there is nothing to compare.",
        );
    }
    for (info, before, worst, differences) in &story.changes {
        html.leaf("h3", &[], &format!("{}: {} to {} UTC", info.id, moment(*before), moment(*worst)));
        if differences.is_empty() {
            html.leaf("p", &[], "Nothing that counts: it was as bad at the start.");
        }
        html.within("ul", &[], |html| {
            // A list of nothing is no list.
            if differences.is_empty() {
                html.leaf("li", &[], "no difference");
            }
            for difference in differences {
                let class = match difference.worse {
                    Some(true) => "bad",
                    Some(false) => "good",
                    None => "plain",
                };
                html.leaf("li", &[("class", class)], &difference.words);
            }
        });
    }
}

fn charts(html: &mut Html, story: &Story, drawn: &[Vec<Chart>]) {
    let left = story.tales.len().saturating_sub(drawn.len());
    if left > 0 {
        html.leaf(
            "p",
            &[("class", "dim")],
            &format!("The {} worst are charted; the recording has all.", drawn.len()),
        );
    }
    html.leaf(
        "p",
        &[("class", "dim")],
        "A line is the mean, its band the least and the greatest value; shaded: nothing is kept of that time. B blocking, D deadlock, H health, L link, C configuration, I incident, ★ bookmark.",
    );
    for (tale, charts) in story.tales.iter().zip(drawn) {
        html.leaf("h3", &[], tale.info.id.as_str());
        if charts.is_empty() {
            html.leaf("p", &[], "No figures are kept of that time.");
            continue;
        }
        let marks = marks(story, &tale.info);
        html.within("div", &[("class", "charts")], |html| {
            for chart in charts {
                chart.draw(html, story.period, &marks);
            }
        });
    }
}

/// `1 episode`, `3 episodes`; what is in several words gets its s at its first one.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 {
        return format!("1 {one}");
    }
    let (first, rest) =
        one.split_once(' ').map_or((one, String::new()), |(first, rest)| (first, format!(" {rest}")));
    format!("{n} {first}s{rest}")
}

/// `3s`, `4m`, `2h04m`.
pub(super) fn span(ms: i64) -> String {
    let mut out = String::new();
    figure::push_span(&mut out, ms);
    out
}

/// In a word.
pub(super) const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Ok => "well",
        Level::Unknown => "unknown",
        Level::Warning => "warning",
        Level::Critical => "critical",
        Level::Offline => "offline",
    }
}

/// How much of a stretch some time is, %.
pub(super) fn share(ms: f64, period: Period) -> f64 {
    ms * 100.0 / (period.to - period.from).max(1) as f64
}
