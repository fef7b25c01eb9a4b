//! The summary of an incident in sentences: how many instances were how bad, the worst one, blocking, waits, other events.

use super::{
    gather::{InstanceStory, Story},
    html::Html,
    words::span,
};
use crate::model::{base::figure::counted, judge::health::Level, timeline::chart::MarkKind};

/// The summary: who was how bad, who was blocked, what else happened.
pub(super) fn summary(html: &mut Html, story: &Story) {
    let [well, unknown, warning, critical, offline] = story.by_level();
    let mut parts = Vec::new();
    for (count, words) in [
        (offline, "offline at some time"),
        (critical, "critical at worst"),
        (warning, "with a warning at worst"),
        (well, "ok throughout"),
        (unknown, "without a verdict"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    html.leaf("p", &[], &format!("Of {}: {}.", counted(story.instances.len(), "instance"), parts.join(", ")));
    if let Some(instance) = story.instances.first() {
        html.leaf("p", &[], &worst(instance, story));
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
        let until = event.to.map_or_else(|| "now".to_owned(), |at| story.at(at));
        let words = format!(
            "Kept by the flight recorder from {} to {until}: {}: {}.",
            story.at(event.at),
            story.name(event),
            event.what.told(&story.zone)
        );
        html.leaf("p", &[], &words);
    }
    if !story.damaged.is_empty() {
        let words = format!(
            "{} of the history could not be read and are missing here.",
            counted(story.damaged.len(), "part")
        );
        html.leaf("p", &[("class", "bad")], &words);
    }
}

/// Blocking in a sentence.
fn blocked(html: &mut Html, story: &Story) {
    let episodes: Vec<_> =
        story.events_of(MarkKind::Blocking).filter_map(|event| event.episode.as_ref()).collect();
    if episodes.is_empty() {
        // Without polls it is not known whether all was well.
        let polls: u64 = story.instances.iter().map(|instance| instance.polls.0).sum();
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
            counted(episodes.len(), "episode"),
            counted(peak as usize, "session"),
            span(lost)
        );
        html.leaf("p", &[], &words);
    }
}

/// The numbers of other events, and the first of each kind.
fn happened(html: &mut Html, story: &Story) {
    for (kind, one) in [
        (MarkKind::Deadlock, "report of deadlocks"),
        (MarkKind::Connection, "failure of a connection"),
        (MarkKind::Configuration, "change of configuration"),
        (MarkKind::Plan, "change of plans"),
        (MarkKind::Growth, "growth of a database file"),
        (MarkKind::Gap, "gap without a collector: nothing is known of that time"),
        (MarkKind::Bookmark, "bookmark"),
    ] {
        let events: Vec<_> = story.events_of(kind).collect();
        if let Some(first) = events.first() {
            let words = format!(
                "{}; the first at {}: {}: {}.",
                counted(events.len(), one),
                story.at(first.at),
                story.name(first),
                first.what.told(&story.zone)
            );
            html.leaf("p", &[], &words);
        }
    }
}

fn worst(instance: &InstanceStory, story: &Story) -> String {
    let Some((at, health)) = &instance.worst else {
        return format!("No verdict on {} is kept of that time.", instance.info.id);
    };
    if health.level == Level::Ok {
        return "No instance was worse than ok, of those with a verdict.".into();
    }
    let score = health.score.map_or_else(|| "no score".into(), |score| format!("score {score}"));
    let reasons: Vec<_> = health.reasons.iter().map(|reason| reason.told(&story.zone)).collect();
    let [_, _, warning, critical, offline] = instance.level_ms;
    let mut words = format!(
        "Worst was {}: {} ({score}) at {}, {}",
        instance.info.id,
        health.level.word(),
        story.at(*at),
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
