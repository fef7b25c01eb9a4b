//! The sections of an incident's page that are tables and texts. Each says so where there is no data.

use super::{
    gather::{IN_FULL, InstanceStory, Story, Waited},
    html::Html,
    parts::{more, none, sql},
    words::{pct, size, span, wait},
};
use crate::{
    model::{
        base::figure::counted,
        poll::properties::ServerOption,
        timeline::{
            ash::{Dimension, Share},
            chart::MarkKind,
        },
    },
    store::history::{Episode, Event},
};
use std::{cmp::Reverse, collections::HashSet, sync::Arc};

/// The most rows of a table of the busiest.
const TOP: usize = 10;
/// The most wait types.
const WAITS: usize = 20;
/// The most statements with their texts.
const TEXTS: usize = 40;
/// The most episodes of blocking; the costliest are shown.
const EPISODES: usize = 60;
/// The most events of one kind.
const EVENTS: usize = 200;
/// The most instances in tables.
const INSTANCES: usize = 500;

/// Every instance: verdict, time in trouble, polls.
pub(super) fn instances(html: &mut Html, story: &Story) {
    let row = |instance: &InstanceStory| {
        let worst = instance.worst.as_ref();
        let [_, _, warning, critical, offline] = instance.level_ms;
        let reasons: Vec<_> = worst
            .map(|(_, health)| health.reasons.iter().take(3).map(|reason| reason.told(&story.zone)).collect())
            .unwrap_or_default();
        vec![
            instance.info.id.to_string(),
            worst.map_or_else(|| "–".into(), |(_, health)| health.level.word().to_owned()),
            worst.and_then(|(_, health)| health.score).map_or_else(|| "–".into(), |score| score.to_string()),
            worst.map_or_else(|| "–".into(), |(at, _)| story.at(*at)),
            span(offline + critical),
            span(warning),
            instance.polls.0.to_string(),
            instance.polls.1.to_string(),
            reasons.join("; "),
        ]
    };
    let columns =
        ["instance", "worst", "#score", "at", "#critical for", "#warning for", "#polls", "#failed", "why"];
    html.table(&columns, story.instances.iter().take(INSTANCES).map(row));
    more(html, story.instances.len(), INSTANCES, "instance");
}

/// Episodes, the costliest first, with the text of the head.
pub(super) fn blocking(html: &mut Html, story: &Story) {
    let mut episodes: Vec<(&Event, &Episode)> = story
        .events_of(MarkKind::Blocking)
        .filter_map(|event| Some((event, event.episode.as_ref()?)))
        .collect();
    if episodes.is_empty() {
        return none(html, "No episode of blocking is kept of that time.");
    }
    episodes.sort_by_key(|(_, episode)| Reverse(episode.lost_ms));
    let row = |(event, episode): &(&Event, &Episode)| {
        let name = |name: &Option<Arc<str>>| name.as_deref().unwrap_or("–").to_owned();
        vec![
            story.name(event),
            story.at(event.at),
            event.to.map_or_else(|| "not over".into(), |to| span(to - event.at)),
            episode.peak_victims.to_string(),
            wait(episode.longest_ms as f64),
            span(episode.lost_ms),
            episode.head.to_string(),
            name(&episode.login),
            name(&episode.program),
            name(&episode.database),
            episode.awaited().unwrap_or_else(|| "–".into()),
        ]
    };
    let columns = [
        "instance", "began", "#lasted", "#victims", "#longest", "#lost", "#head", "login", "program",
        "database", "on",
    ];
    html.table(&columns, episodes.iter().take(EPISODES).map(row));
    more(html, episodes.len(), EPISODES, "episode");
    let mut seen = HashSet::new();
    for (event, episode) in episodes.iter().take(EPISODES) {
        let Some(id) = episode.text.filter(|id| seen.insert(*id)) else { continue };
        let who = format!("Head {} on {}, {}", episode.head, story.name(event), story.at(event.at));
        match story.texts.get(&id) {
            Some(text) => sql(html, &who, text, episode.statement),
            None => none(html, &format!("{who}: its text is not kept.")),
        }
    }
}

/// Wait types over all instances.
pub(super) fn waits(html: &mut Html, story: &Story) {
    if story.waits.is_empty() {
        return none(html, "No waits are kept of that time.");
    }
    let mut waits: Vec<_> = story.waits.iter().collect();
    waits.sort_by(|a, b| b.1.ms.total_cmp(&a.1.ms));
    let all: f64 = waits.iter().map(|(_, waited)| waited.ms).sum::<f64>().max(1e-9);
    let row = |(name, waited): &(&Arc<str>, &Waited)| {
        vec![
            name.to_string(),
            waited.category.name().to_owned(),
            span(waited.ms as i64),
            pct(waited.ms * 100.0 / all),
            pct(story.period.share_pct(waited.ms)),
            wait(waited.ms / waited.tasks.max(1.0)),
            pct(waited.signal_ms * 100.0 / waited.ms.max(1e-9)),
        ]
    };
    let columns = ["type", "category", "#waited", "#of all waits", "#of the time", "#average", "#for a CPU"];
    html.table(&columns, waits.iter().take(WAITS).map(row));
    more(html, waits.len(), WAITS, "type");
}

/// Activity by login, program, database and more.
pub(super) fn activity(html: &mut Html, story: &Story) {
    let ash = &story.ash;
    if ash.polls == 0 {
        return none(html, "No activity samples are kept of that time.");
    }
    let words = format!(
        "{} in {}; a request counts for the time between two polls. What begins and ends between two polls is not seen.",
        counted(ash.all.seen as usize, "request"),
        counted(ash.polls as usize, "poll")
    );
    none(html, &words);
    for dimension in Dimension::ALL {
        let top = ash.top(dimension, TOP);
        html.leaf("h3", &[], &format!("By {}", dimension.name()));
        let row = |(name, seen): &(&str, Share)| {
            vec![
                (*name).to_owned(),
                seen.seen.to_string(),
                span((seen.active_s * 1000.0) as i64),
                pct(seen.active_s * 100.0 / ash.all.active_s.max(1e-9)),
            ]
        };
        html.table(&[dimension.name(), "#seen", "#about", "#share"], top.iter().map(row));
    }
}

/// The busiest statements; each text once.
pub(super) fn texts(html: &mut Html, story: &Story) {
    let busy = story.ash.statements(TEXTS);
    if busy.is_empty() {
        return none(html, "No statements are kept of that time.");
    }
    for busy in busy {
        let title = format!(
            "Seen {}, about {}, longest {}",
            counted(busy.share.seen as usize, "time"),
            span((busy.share.active_s * 1000.0) as i64),
            wait(busy.longest_ms as f64)
        );
        sql(html, &title, &busy.text, Some(busy.statement));
        let who = |name: &Option<Arc<str>>| name.as_deref().unwrap_or("–").to_owned();
        none(
            html,
            &format!("{}, database {}, login {}", busy.instance, who(&busy.database), who(&busy.login)),
        );
    }
}

/// Deadlocks, connections, health, the rest.
pub(super) fn events(html: &mut Html, story: &Story) {
    for (kind, title) in [
        (MarkKind::Deadlock, "Deadlocks"),
        (MarkKind::Connection, "Connections"),
        (MarkKind::Health, "Health"),
        (MarkKind::Configuration, "Changes of configuration"),
        (MarkKind::Plan, "Other plans"),
        (MarkKind::Growth, "Growths of files"),
        (MarkKind::Gap, "No collector"),
        (MarkKind::Incident, "Flight recorder"),
        (MarkKind::Bookmark, "Bookmarks"),
    ] {
        let events: Vec<&Event> = story.events_of(kind).collect();
        html.leaf("h3", &[], title);
        if events.is_empty() {
            none(html, "None.");
            continue;
        }
        let row = |event: &&Event| {
            let lasted = event.to.map_or_else(|| "not over".into(), |to| span(to - event.at));
            vec![story.at(event.at), lasted, story.name(event), event.what.told(&story.zone).to_string()]
        };
        html.table(&["at", "#lasted", "instance", "what"], events.iter().take(EVENTS).map(row));
        more(html, events.len(), EVENTS, "event");
    }
}

/// Properties and rights, the newest within the stretch.
pub(super) fn configuration(html: &mut Html, story: &Story) {
    let known = story.instances.iter().filter(|instance| instance.properties.is_some()).count();
    if known == 0 {
        return none(html, "No configuration is kept of that time.");
    }
    let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or("–").to_owned();
    let row = |instance: &InstanceStory| {
        let p = instance.properties.as_deref()?;
        let memory = p.physical_memory_kb.map_or_else(|| "–".into(), |kb| size(kb as f64 * 1024.0));
        let number = |n: Option<i32>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
        let missing: Vec<&str> = instance
            .rights
            .iter()
            .flat_map(|r| &r.rights)
            .filter(|r| r.held == Some(false))
            .map(|r| &*r.name)
            .collect();
        Some(vec![
            instance.info.id.to_string(),
            text(&p.server_name),
            format!("{} {}", text(&p.version), p.update_level.as_deref().unwrap_or("")),
            text(&p.edition),
            text(&p.os_name),
            number(p.cpu_count),
            memory,
            number(p.max_workers),
            p.started_at.map_or_else(|| "–".into(), |at| story.at(at)),
            instance.databases.as_ref().map_or_else(|| "–".into(), |rows| rows.len().to_string()),
            if missing.is_empty() { "–".into() } else { missing.join(", ") },
        ])
    };
    let columns = [
        "instance",
        "server",
        "version",
        "edition",
        "system",
        "#CPUs",
        "#memory",
        "#workers",
        "started",
        "#databases",
        "rights missing",
    ];
    html.table(&columns, story.instances.iter().take(INSTANCES).filter_map(row));
    options(html, story);
    if known < story.instances.len() {
        none(html, &format!("Nothing is kept of {}.", counted(story.instances.len() - known, "other")));
    }
    let missing = story
        .instances
        .iter()
        .flat_map(|instance| instance.missing.iter().map(move |(probe, why)| (instance, probe, why)));
    let rows: Vec<Vec<String>> = missing
        .take(INSTANCES)
        .map(|(instance, probe, why)| vec![instance.info.id.to_string(), (*probe).to_owned(), why.clone()])
        .collect();
    if !rows.is_empty() {
        html.leaf("h3", &[], "Probes without a result at the end");
        html.table(&["instance", "probe", "why"], rows);
    }
}

/// Options of `sp_configure`, for the instances that are told in full.
fn options(html: &mut Html, story: &Story) {
    let told = story.instances.iter().take(IN_FULL);
    let of = |instance: &InstanceStory| instance.properties.as_ref().and_then(|p| p.options.clone());
    for (instance, options) in told.filter_map(|instance| Some((instance, of(instance)?))) {
        let row = |o: &ServerOption| vec![o.name.to_string(), o.words().unwrap_or_else(|| "–".to_owned())];
        html.leaf("h3", &[], &format!("{}: options of sp_configure", instance.info.id));
        html.table(&["option", "#in use"], options.iter().map(row));
    }
}

/// The cost of the watching.
pub(super) fn cost(html: &mut Html, story: &Story) {
    let measured: Vec<&InstanceStory> =
        story.instances.iter().filter(|instance| instance.cost.1 > 0).collect();
    if measured.is_empty() {
        return none(html, "No own cost is kept of that time.");
    }
    let mean = |instance: &InstanceStory| instance.cost.0 / f64::from(instance.cost.1.max(1));
    let all: f64 = measured.iter().map(|instance| mean(instance)).sum();
    let words = format!(
        "dbtop took {} of CPU per second of each of {} on average, from the counters of its own sessions there.",
        wait(all / measured.len() as f64),
        counted(measured.len(), "instance")
    );
    html.leaf("p", &[], &words);
    let mut rows = measured;
    rows.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    let row = |instance: &&InstanceStory| {
        let budget =
            if instance.cost.2 == 0 { "none".into() } else { wait(f64::from(instance.cost.2) / 1000.0) };
        vec![instance.info.id.to_string(), wait(mean(instance)), budget, instance.cost.1.to_string()]
    };
    html.table(&["instance", "#CPU per second", "#budget", "#samples"], rows.iter().take(TOP).map(row));
    more(html, rows.len(), TOP, "instance");
}
