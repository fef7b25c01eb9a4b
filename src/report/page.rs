//! The page of an incident: header, and the sections in the order in which one asks. A section without data says so. The
//! charts come from outside; everything else is in the story.

use super::{
    deadlocks,
    gather::{IN_FULL, Story},
    html::Html,
    memory, modules, queries, query_store, sections, storage, summary,
    svg::Chart,
    words::span,
};
use crate::{
    model::{
        inventory::instance::InstanceInfo,
        timeline::chart::{Mark, MarkKind},
    },
    store::{StoreError, history::Event},
};

const STYLE: &str = include_str!("incident.css");

/// The facts that are not in the story.
pub(super) struct Facts<'a> {
    /// who made the page; empty: the page does not say
    pub author: &'a str,
    /// names were replaced
    pub scrubbed: bool,
    /// the file name of the recording
    pub recording: &'a str,
    /// readings in the recording
    pub readings: u64,
}

/// A page, and whether there is a chart in it.
pub(super) struct Page {
    pub text: String,
    pub has_charts: bool,
}

/// Reads the charts of the instance with this number in the story.
pub(super) type Draw<'a> = &'a dyn Fn(usize) -> Result<Vec<Chart>, StoreError>;

/// Makes it.
///
/// # Errors
/// The charts cannot be read.
pub(super) fn page(story: &Story, facts: &Facts<'_>, draw: Draw<'_>) -> Result<Page, StoreError> {
    let drawn: Vec<Vec<Chart>> =
        (0..story.instances.len().min(IN_FULL)).map(draw).collect::<Result<_, StoreError>>()?;
    let has_charts = drawn.iter().any(|charts| !charts.is_empty());
    let title = title(story);
    let plans = story.events_of(MarkKind::Plan).count();
    let text = Html::page(&title, STYLE, |html| {
        header(html, story, facts, &title);
        section(html, "summary", "Summary", |html| summary::summary(html, story));
        section(html, "changed", "What changed most", |html| changed(html, story));
        section(html, "instances", "Instances", |html| sections::instances(html, story));
        section(html, "charts", "Charts", |html| charts(html, story, &drawn));
        section(html, "blocking", "Blocking", |html| sections::blocking(html, story));
        section(html, "deadlocks", "Deadlocks", |html| {
            let around = deadlocks::Around {
                instances: story.instances.len(),
                events: &story.events,
                period: story.period,
                zone: &story.zone,
            };
            deadlocks::section(html, &story.deadlocks, &around);
        });
        section(html, "queries", "Top queries", |html| {
            queries::section(html, &story.queries, &story.zone, plans);
        });
        section(html, "modules", "Modules", |html| modules::section(html, &story.modules));
        section(html, "query-store", "Query Store", |html| {
            query_store::section(html, &story.query_store, &story.zone);
        });
        section(html, "memory", "Memory", |html| memory::section(html, &story.memory, &story.zone));
        section(html, "grants", "Memory grants", |html| memory::grants(html, &story.memory, &story.zone));
        section(html, "storage", "Storage", |html| storage::section(html, &story.storage, &story.zone));
        section(html, "waits", "Top waits", |html| sections::waits(html, story));
        section(html, "activity", "Activity samples", |html| sections::activity(html, story));
        section(html, "texts", "Statements", |html| sections::texts(html, story));
        section(html, "events", "Events", |html| sections::events(html, story));
        section(html, "configuration", "Configuration", |html| sections::configuration(html, story));
        section(html, "cost", "Own cost", |html| sections::cost(html, story));
    });
    Ok(Page { text, has_charts })
}

const SECTIONS: [(&str, &str); 19] = [
    ("#summary", "Summary"),
    ("#changed", "What changed"),
    ("#instances", "Instances"),
    ("#charts", "Charts"),
    ("#blocking", "Blocking"),
    ("#deadlocks", "Deadlocks"),
    ("#queries", "Queries"),
    ("#modules", "Modules"),
    ("#query-store", "Query Store"),
    ("#memory", "Memory"),
    ("#grants", "Grants"),
    ("#storage", "Storage"),
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
        Some(event) => format!("Incident on {}: {}", story.name(event), event.what.told(&story.zone)),
        None => format!("Incident, {} to {}", story.at(story.period.from), story.at(story.period.to)),
    }
}

fn header(html: &mut Html, story: &Story, facts: &Facts<'_>, title: &str) {
    html.leaf("h1", &[("id", "top")], title);
    let made = if facts.author.is_empty() { String::new() } else { format!(" by {}", facts.author) };
    let length = span(story.period.to - story.period.from);
    let mut names: Vec<&str> =
        story.instances.iter().take(20).map(|instance| instance.info.id.as_str()).collect();
    let more = story.instances.len().saturating_sub(names.len());
    let more = format!("and {more} more");
    if story.instances.len() > names.len() {
        names.push(&more);
    }
    let recording = format!(
        "{} beside this page, {} readings: opens in all panes with dbtop --replay",
        facts.recording, facts.readings
    );
    let names_are = if facts.scrubbed {
        "names of hosts, instances, logins, programs, databases and addresses, and literals are replaced; the same name is the same everywhere; notes, messages of jobs and sentences that an older version kept are left out"
    } else {
        "as they are: not for everybody"
    };
    html.within("dl", &[], |html| {
        for (name, words) in [
            ("From", story.at(story.period.from)),
            ("To", format!("{} ({length})", story.at(story.period.to))),
            (
                "Times",
                format!("{}, by the clock of the machine that collected", story.zone.name(story.period.to)),
            ),
            ("Instances", format!("{}: {}", story.instances.len(), names.join(", "))),
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

fn changed(html: &mut Html, story: &Story) {
    if story.changes.is_empty() {
        html.leaf("p", &[], "No instance with a verdict was worse than ok, so there is nothing to compare.");
    }
    for (info, before, worst, differences) in &story.changes {
        html.leaf("h3", &[], &format!("{}: {} to {}", info.id, story.at(*before), story.at(*worst)));
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
    let left = story.instances.len().saturating_sub(drawn.len());
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
        "A line is the average, its band the minimum and the maximum; shaded: nothing is kept of that time. B blocking, D deadlock, H health, L link, C configuration, I incident, ★ bookmark.",
    );
    for (instance, charts) in story.instances.iter().zip(drawn) {
        html.leaf("h3", &[], instance.info.id.as_str());
        if charts.is_empty() {
            html.leaf("p", &[], "No figures are kept of that time.");
            continue;
        }
        let marks = marks(story, &instance.info);
        html.within("div", &[("class", "charts")], |html| {
            for chart in charts {
                chart.draw(html, story.period, &marks, &story.zone);
            }
        });
    }
}

/// The marks on the charts of an instance.
fn marks(story: &Story, info: &InstanceInfo) -> Vec<Mark> {
    let mine = story.events.iter().filter(|event| event.uid.as_ref().is_none_or(|uid| *uid == info.uid));
    let shown = mine.filter(|event| event.at >= story.period.from && event.kind != MarkKind::Gap);
    let mark = |event: &Event| Mark {
        at: event.at,
        to: event.to,
        kind: event.kind,
        instance: None,
        what: event.what.clone(),
    };
    shown.map(mark).collect()
}
