//! What an instance holds, a line each at the foot of the page: databases, volumes, files; and what was changed about it last. The
//! details list all of them.

use super::{super::reading, words::Line};
use crate::{
    model::{
        base::{figure, zone::Zone},
        fold::snapshot::InstanceSnapshot,
        judge::{
            health::{Level, Reason},
            why::Why,
        },
        poll::{databases::DatabaseRow, files::FileRow, volumes::VolumeRow},
    },
    tui::{view::View, widget::document::Document},
};
use ratatui::style::Style;
use std::{borrow::Cow, fmt::Write as _};

/// Things that a line names.
const NAMED: usize = 4;

/// Most lines that a list of the details has.
const MOST: usize = 100;

/// Entries of the audit log that the details have.
const ENTRIES: usize = 20;

/// The names of the lines that [`foot`] makes.
pub const NAMES: [&str; 4] = ["databases", "volumes", "files", "changed"];

/// The lines, most important first; one whose reading never came is left out.
pub fn foot(i: &InstanceSnapshot, view: &View<'_>) -> Vec<Line> {
    let lines = [databases(i, view), volumes(i, view), files(i, view), changed(i, view)];
    NAMES.into_iter().zip(lines).filter_map(|(name, pieces)| Some((name, pieces?))).collect()
}

/// `8, 7 online · ✖ pricing RECOVERY_PENDING · 412 GB, 80 GB of it logs · 4 FULL, 4 SIMPLE`.
fn databases(i: &InstanceSnapshot, view: &View<'_>) -> Option<Vec<(Style, String)>> {
    let (t, all) = (view.theme, i.facts.databases.get()?);
    let style = reading::value_style(t, &i.facts.databases, view.now);
    let online = all.iter().filter(|d| d.trouble() == Some(0)).count();
    let mut text = format!("{}, ", all.len());
    let _ = if online == all.len() { write!(text, "all online") } else { write!(text, "{online} online") };
    let mut pieces = vec![(style, text)];
    let mut bad: Vec<&DatabaseRow> = all.iter().filter(|d| d.trouble() != Some(0)).collect();
    bad.sort_by_key(|d| std::cmp::Reverse(d.trouble()));
    for d in bad.iter().take(NAMED) {
        let is_lost = d.trouble() == Some(2);
        let mut text = String::from(if is_lost { " · ✖ " } else { " · " });
        let (name, state) =
            (d.name.as_deref().unwrap_or("–"), d.state.as_deref().unwrap_or("state not known"));
        let _ = write!(text, "{name} {state}");
        pieces.push((if is_lost { t.critical } else { style }, text));
    }
    if bad.len() > NAMED {
        pieces.push((t.dim, format!(" +{}", bad.len() - NAMED)));
    }
    let mut more = String::new();
    let sum =
        |of: fn(&DatabaseRow) -> Option<i64>| all.iter().filter_map(of).fold(0_i64, i64::saturating_add);
    let (size, log) = (sum(|d| d.size_bytes), sum(|d| d.log_bytes));
    if size > 0 {
        more.push_str(" · ");
        figure::push_size(&mut more, size as f64);
        if log > 0 {
            more.push_str(", ");
            figure::push_size(&mut more, log as f64);
            more.push_str(" of it logs");
        }
    }
    let mut models: Vec<(&str, usize)> = Vec::new();
    for model in all.iter().filter_map(|d| d.recovery.as_deref()) {
        match models.iter_mut().find(|(known, _)| *known == model) {
            Some((_, n)) => *n += 1,
            None => models.push((model, 1)),
        }
    }
    models.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    for (n, (model, count)) in models.into_iter().enumerate() {
        let _ = write!(more, "{}{count} {model}", if n == 0 { " · " } else { ", " });
    }
    pieces.push((t.dim, more));
    Some(pieces)
}

/// The reason that is about a volume, the worst one.
pub fn guilt<'a>(i: &'a InstanceSnapshot, v: &VolumeRow) -> Option<&'a Reason> {
    let is_about = |r: &&Reason| match r.why() {
        Why::Volume { mount, .. } | Why::VolumeFilling { mount, .. } => *mount == v.mount,
        Why::CannotGrow { mount: Some(mount), .. } => Some(mount) == v.mount.as_ref(),
        _ => false,
    };
    i.health.reasons.iter().filter(is_about).max_by_key(|r| r.level)
}

/// `D:\ 12 % free of 500 GB · …`, the fullest first.
fn volumes(i: &InstanceSnapshot, view: &View<'_>) -> Option<Vec<(Style, String)>> {
    let all = i.facts.volumes.get()?;
    let style = reading::value_style(view.theme, &i.facts.volumes, view.now);
    let free = |v: &VolumeRow| Some(v.free_bytes? as f64 / v.total_bytes.filter(|t| *t > 0)? as f64 * 100.0);
    let mut known: Vec<(&VolumeRow, Option<f64>)> = all.iter().map(|v| (v, free(v))).collect();
    known.sort_by(|a, b| a.1.unwrap_or(f64::MAX).total_cmp(&b.1.unwrap_or(f64::MAX)));
    let mut pieces = Vec::new();
    for (n, (v, pct)) in known.iter().take(NAMED).enumerate() {
        let mut text = String::from(if n == 0 { "" } else { " · " });
        text.push_str(v.mount.as_deref().unwrap_or("–"));
        match (pct, v.total_bytes) {
            (Some(pct), Some(total)) => {
                text.push(' ');
                figure::push_pct(&mut text, *pct);
                text.push_str(" free of ");
                figure::push_size(&mut text, total as f64);
            }
            _ => text.push_str(" size not known"),
        }
        pieces.push((guilt(i, v).map_or(style, |r| reading::level_style(view.theme, r.level)), text));
    }
    if known.len() > NAMED {
        pieces.push((style, format!(" +{}", known.len() - NAMED)));
    }
    Some(pieces)
}

/// `6, the slowest: orders_log 52 ms, orders 4 ms`.
fn files(i: &InstanceSnapshot, view: &View<'_>) -> Option<Vec<(Style, String)>> {
    let table = i.facts.files.get()?;
    let style = reading::value_style(view.theme, &i.facts.files, view.now);
    let mut slow: Vec<(&FileRow, f64)> =
        table.files.iter().filter_map(|f| Some((f, f.slowest_ms().filter(|ms| ms.is_finite())?))).collect();
    slow.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut text = (table.files.len() as u64 + table.left_out).to_string();
    for (n, (f, ms)) in slow.iter().take(NAMED).enumerate() {
        text.push_str(if n == 0 { ", the slowest: " } else { ", " });
        let _ = write!(text, "{} ", file_name(f));
        figure::push_rate(&mut text, *ms);
        text.push_str(" ms");
    }
    Some(vec![(style, text)])
}

fn file_name(f: &FileRow) -> Cow<'_, str> {
    match (&f.file.name, &f.file.database) {
        (Some(name), _) => Cow::Borrowed(name),
        (None, Some(database)) => Cow::Owned(format!("{database} file {}", f.file.file_id)),
        (None, None) => Cow::Owned(format!("db {} file {}", f.file.database_id, f.file.file_id)),
    }
}

/// `2026-11-19 14:02:11 edit by mira (1000): poll · :audit has more`. None: nothing, or the inventory does not tell.
fn changed(i: &InstanceSnapshot, view: &View<'_>) -> Option<Vec<(Style, String)>> {
    let list = view.lists.audit()?;
    let mut entries = list.about(i.id().as_str());
    let newest = entries.next()?;
    let mut text = String::new();
    push_entry(&mut text, newest, view.zone);
    let more = entries.count();
    let more = if more > 0 { format!(" · {more} more: :audit") } else { String::new() };
    Some(vec![(view.theme.base, text), (view.theme.dim, more)])
}

fn push_entry(out: &mut String, e: &crate::model::inventory::record::AuditEntry, zone: &Zone) {
    use crate::model::inventory::record::Outcome;
    zone.push_instant(out, e.at);
    let _ = write!(out, " {} by {}", e.action, e.author.user);
    let _ = match &e.outcome {
        Outcome::Refused(why) => write!(out, ", refused: {why}"),
        Outcome::Done if !e.detail.is_empty() => write!(out, ": {}", e.detail),
        Outcome::Done => Ok(()),
    };
}

/// The databases of an instance, those in trouble first, a line each.
pub fn list_databases(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    d.head("databases");
    let t = view.theme;
    let Some(all) = i.facts.databases.get() else {
        let mut why = String::new();
        reading::push_absence(&mut why, i, i.facts.databases.problem.as_ref(), view);
        return d.text(why, t.dim);
    };
    let mut rows: Vec<&DatabaseRow> = all.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.trouble(), row.size_bytes)));
    for row in rows.iter().take(MOST) {
        let text = |v: &Option<std::sync::Arc<str>>| v.clone().unwrap_or_else(|| "–".into());
        let mut size = String::new();
        match row.size_bytes {
            Some(bytes) => figure::push_size(&mut size, bytes as f64),
            None => size.push('–'),
        }
        let level = row.compatibility.map_or_else(|| "–".to_owned(), |level| level.to_string());
        let name = row.name.as_deref().map_or_else(|| format!("db {}", row.id), str::to_owned);
        let line = format!(
            "{name:<24} {:<16} {size:>8}  {:<11} {level:>5}  {}{}",
            text(&row.state),
            text(&row.recovery),
            text(&row.owner),
            if row.is_read_only == Some(true) { "  read-only" } else { "" },
        );
        let style = if row.trouble() == Some(2) { reading::level_style(t, Level::Critical) } else { t.base };
        d.text(line, style);
    }
    if rows.len() > MOST {
        d.text(format!("and {} more: :databases", rows.len() - MOST), t.dim);
    }
}

/// What was changed about an instance, the newest first. Nothing where the inventory does not tell.
pub fn list_changes(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    let Some(list) = view.lists.audit() else { return };
    d.head("changes by the audit log");
    let mut n = 0;
    for e in list.about(i.id().as_str()).take(ENTRIES) {
        let mut text = String::new();
        push_entry(&mut text, e, view.zone);
        d.text(text, view.theme.base);
        n += 1;
    }
    if n == 0 {
        d.text(format!("none among the newest {} entries", list.read), view.theme.dim);
    }
}
