//! Columns of the fleet: what they show, sort by and are called in filters.

use super::super::reading;
use crate::model::{
    figure, health::Level, history::SeriesId, instance::TlsMode, properties::Properties,
    snapshot::InstanceSnapshot, wait::WaitCategory,
};
use crate::tui::{
    view::View,
    widget::{
        columns::Column,
        spark,
        table::{CellText, SortKey},
    },
};
use std::fmt::Write as _;

/// Glyph of the health.
pub const HEALTH: usize = 0;
/// Name.
pub const NAME: usize = 1;
/// Reason.
pub const WHY: usize = 3;
/// Sparkline of the CPU.
pub const CPU_SPARK: usize = 5;
/// Sparkline of the batches.
pub const BATCH_SPARK: usize = 7;

/// Points of a sparkline: half a minute each.
const SPARK: usize = 6;
/// Width of the top wait: its category to the left, its rate to the right.
const TOP_WAIT: usize = 15;
const BLANKS: &str = "               ";

/// The columns.
pub const COLUMNS: [Column; 25] = [
    Column::text("", 1, 0).frozen(),
    Column::text("INSTANCE", 14, 0).at_least(10).frozen(),
    Column::number("SCORE", 5, 2),
    Column::text("WHY", 43, 0).at_least(20).growing(),
    Column::number("CPU %", 5, 1),
    Column::text("", SPARK as u16, 5),
    Column::number("BATCH/S", 7, 6),
    Column::text("", SPARK as u16, 8),
    Column::text("TOP WAIT    S/S", TOP_WAIT as u16, 7),
    Column::number("BLK", 4, 1),
    Column::number("AGE", 4, 3),
    Column::number("MEM %", 6, 9),
    Column::number("WAIT S/S", 9, 10),
    Column::number("CONN", 5, 11),
    Column::number("PAGE LIFE", 10, 12),
    Column::number("RUNNABLE", 9, 13),
    Column::number("FLUSH", 7, 14),
    Column::number("LOGIN/S", 8, 15),
    Column::number("TEMPDB %", 9, 16),
    Column::number("DEADLK", 7, 17),
    Column::text("VERSION", 12, 18),
    Column::number("UP", 6, 19),
    Column::text("GROUPS", 18, 20),
    Column::text("TLS", 12, 21),
    Column::text("ADDRESS", 22, 22),
];

/// Fills a cell.
pub fn cell(i: &InstanceSnapshot, column: usize, view: &View<'_>, out: &mut CellText) {
    let (t, f) = (view.theme, &i.facts);
    let head = &f.headline;
    match column {
        HEALTH => out.put(reading::level_style(t, i.health.level), reading::glyph(i.health.level)),
        NAME => {
            let calm = i.health.level == Level::Ok;
            out.put(if calm { t.base } else { t.strong }, i.id().as_str());
            if i.info.tls.is_insecure() {
                out.put(t.critical, " !");
            }
        }
        2 => match i.health.score {
            // Colour is for what is not well.
            Some(score) if i.health.level == Level::Ok => out.fmt(t.dim, format_args!("{score}")),
            Some(score) => out.fmt(reading::level_style(t, i.health.level), format_args!("{score}")),
            None => out.put(t.dim, "–"),
        },
        WHY => why(i, view, out),
        4 => reading::cell(out, view, head, |h| h.cpu_pct, push_whole),
        CPU_SPARK => picture(i, SeriesId::Cpu, Some(100.0), view, out),
        6 => reading::cell(out, view, head, |h| h.batches_per_s, figure::push_rate),
        BATCH_SPARK => picture(i, SeriesId::Batches, None, view, out),
        8 => top_wait(i, view, out),
        9 => blocked(i, view, out),
        10 => match f.last_good_at {
            Some(at) => out.with(age_style(i, view), |s| push_age(s, view.now.ms_since(at))),
            None => out.put(t.dim, "–"),
        },
        11 => reading::cell(out, view, &f.memory, |m| m.used_pct, push_whole),
        12 => reading::cell(out, view, &f.waits, |w| Some(w.total_ms_per_s / 1000.0), figure::push_rate),
        13 => reading::cell(out, view, head, |h| h.connections, |s, v| figure::push_count(s, v as f64)),
        14 => reading::cell(
            out,
            view,
            head,
            |h| h.page_life_s,
            |s, v| figure::push_span(s, v.saturating_mul(1000)),
        ),
        15 => reading::cell(out, view, &f.cpu, |c| c.runnable, |s, v| figure::push_count(s, v as f64)),
        16 => reading::cell(out, view, head, |h| h.log_flush_ms, figure::push_mean),
        17 => reading::cell(out, view, head, |h| h.logins_per_s, figure::push_rate),
        18 => reading::cell(out, view, head, |h| h.tempdb_used_pct, push_whole),
        19 => {
            reading::cell(
                out,
                view,
                head,
                |h| h.deadlocks_recent,
                |s, v| figure::push_count(s, f64::from(v)),
            );
        }
        20 => reading::cell(out, view, &f.properties, |p| Some(p.clone()), |s, p| push_version(s, &p)),
        21 => reading::cell(out, view, head, |h| h.started_at, |s, at| figure::push_span(s, view.now - at)),
        22 => out.with(t.dim, |s| push_list(s, &i.info.groups)),
        23 => out.put(if i.info.tls.is_insecure() { t.critical } else { t.dim }, tls_words(i.info.tls)),
        24 => out.put(t.dim, view.address(&i.info)),
        _ => {}
    }
}

fn push_whole(s: &mut String, v: f64) {
    let _ = write!(s, "{v:.0}");
}

fn push_list(s: &mut String, names: &[std::sync::Arc<str>]) {
    for (n, g) in names.iter().enumerate() {
        s.push_str(if n == 0 { "" } else { ", " });
        s.push_str(g);
    }
}

/// `2019 CU27`, or the version number of products whose year is not known.
pub fn push_version(s: &mut String, p: &Properties) {
    match (p.year(), &p.version) {
        (Some(y), _) => {
            let _ = write!(s, "{y}");
        }
        (None, Some(v)) => s.push_str(v),
        (None, None) => s.push('–'),
    }
    if let Some(u) = p.update_level.as_ref().or(p.level.as_ref()) {
        let _ = write!(s, " {u}");
    }
}

/// Transport protection in words.
pub const fn tls_words(tls: TlsMode) -> &'static str {
    match tls {
        TlsMode::Verify => "verified",
        TlsMode::Pin(_) => "pinned",
        TlsMode::Strict => "strict",
        TlsMode::Insecure => "unverified",
        TlsMode::LoginOnly => "login only",
        TlsMode::Off => "none",
    }
}

fn age_style(i: &InstanceSnapshot, view: &View<'_>) -> ratatui::style::Style {
    match i.health.level {
        Level::Offline => view.theme.critical,
        _ if i.facts.headline.is_stale(view.now) => view.theme.warning,
        _ => view.theme.dim,
    }
}

/// The heaviest reason and how many more there are; without any, what the connection is doing.
fn why(i: &InstanceSnapshot, view: &View<'_>, out: &mut CellText) {
    let t = view.theme;
    if let Some(first) = i.health.reasons.first() {
        let style = if first.level >= Level::Warning { t.base } else { t.dim };
        out.put(style, &first.text);
        if i.health.reasons.len() > 1 {
            out.keep(t.dim, format_args!(" +{}", i.health.reasons.len() - 1));
        }
    } else if i.health.level != Level::Ok {
        out.with(t.dim, |s| reading::push_absence(s, i, &i.facts.headline, view));
    }
}

fn picture(i: &InstanceSnapshot, id: SeriesId, top: Option<f32>, view: &View<'_>, out: &mut CellText) {
    if view.low_bandwidth {
        return;
    }
    let mut buckets = [f32::NAN; SPARK];
    spark::bucket(i.history.get(id), view.now, 30_000, &mut buckets);
    out.with(view.theme.spark, |s| spark::push(s, &buckets, top));
}

/// At most four characters: how long exactly an instance has been silent is told by its reason.
fn push_age(s: &mut String, age_ms: u64) {
    let _ = match age_ms / 3_600_000 {
        0 => return reading::push_calm_age(s, age_ms),
        h @ 1..=99 => write!(s, "{h}h"),
        h => write!(s, "{}d", h / 24),
    };
}

/// The categories whose names leave no room for a figure.
const fn short_name(category: WaitCategory) -> &'static str {
    match category {
        WaitCategory::WorkerThread => "Workers",
        WaitCategory::ServiceBroker => "Broker",
        WaitCategory::FullTextSearch => "Full Text",
        WaitCategory::LogRateGovernor => "Log Rate",
        WaitCategory::OtherDiskIo => "Other IO",
        WaitCategory::BufferLatch => "Buf Latch",
        WaitCategory::TranLogIo => "Log IO",
        other => other.name(),
    }
}

fn top_wait(i: &InstanceSnapshot, view: &View<'_>, out: &mut CellText) {
    let waits = &i.facts.waits;
    let top = |w: &std::sync::Arc<crate::model::wait::WaitTable>| w.categories.first().cloned();
    match waits.get().map(top) {
        Some(Some(c)) if c.ms_per_s >= 50.0 => {
            let style = reading::value_style(view.theme, waits, view.now);
            let name = short_name(c.category);
            out.put(style, name);
            out.with(view.theme.dim, |s| {
                let start = s.len();
                figure::push_rate(s, c.ms_per_s / 1000.0);
                let room = TOP_WAIT.saturating_sub(name.len() + s.len() - start).max(1);
                s.insert_str(start, BLANKS.get(..room).unwrap_or(BLANKS));
            });
        }
        Some(_) => out.put(view.theme.dim, "–"),
        None => out.put(view.theme.dim, reading::short(waits.problem.as_ref())),
    }
}

fn blocked(i: &InstanceSnapshot, view: &View<'_>, out: &mut CellText) {
    let h = &i.facts.headline;
    match h.get().and_then(|h| h.blocked) {
        Some(0) => out.put(view.theme.dim, "0"),
        Some(n) => {
            let stale = h.is_stale(view.now);
            out.fmt(if stale { view.theme.dim } else { view.theme.strong }, format_args!("{n}"));
        }
        None => reading::cell(out, view, h, |h| h.blocked, |s, v| figure::push_count(s, v as f64)),
    }
}

/// What a column sorts by.
pub fn sort_key(i: &InstanceSnapshot, column: usize, view: &View<'_>) -> SortKey {
    let f = &i.facts;
    let h = f.headline.get();
    match column {
        NAME => Some(i.id().as_str()).into(),
        2 => i.health.score.map(i64::from).into(),
        WHY => i.health.reasons.first().map(|r| &*r.text).into(),
        4 => h.and_then(|h| h.cpu_pct).into(),
        6 => h.and_then(|h| h.batches_per_s).into(),
        8 => f.waits.get().and_then(|w| w.categories.first()).map(|c| c.ms_per_s).into(),
        9 => h.and_then(|h| h.blocked).into(),
        10 => f.last_good_at.map(|at| view.now - at).into(),
        11 => f.memory.get().and_then(|m| m.used_pct).into(),
        12 => f.waits.get().map(|w| w.total_ms_per_s).into(),
        13 => h.and_then(|h| h.connections).into(),
        14 => h.and_then(|h| h.page_life_s).into(),
        15 => f.cpu.get().and_then(|c| c.runnable).into(),
        16 => h.and_then(|h| h.log_flush_ms).into(),
        17 => h.and_then(|h| h.logins_per_s).into(),
        18 => h.and_then(|h| h.tempdb_used_pct).into(),
        19 => h.and_then(|h| h.deadlocks_recent).map(i64::from).into(),
        20 => f.properties.get().and_then(|p| p.version.as_deref()).into(),
        21 => h.and_then(|h| h.started_at).map(|at| view.now - at).into(),
        22 => i.info.groups.first().map(|g| &**g).into(),
        23 => Some(tls_words(i.info.tls)).into(),
        24 => Some(view.address(&i.info)).into(),
        _ => SortKey::None,
    }
}
