//! What an instance holds, in sentences for its page: memory, databases, volumes, files. What cannot be known says why. Pure; the
//! page calls it.

use crate::model::{
    base::figure,
    fold::snapshot::InstanceSnapshot,
    poll::{databases::DatabaseRow, files::FileRow, reading::Reading, volumes::VolumeRow},
};
use std::fmt::Write as _;

/// Things of a kind that are named one by one.
const NAMED: usize = 5;

/// The lines, most important first; nothing of what was never asked for.
pub fn lines(i: &InstanceSnapshot) -> Vec<String> {
    let mut lines = Vec::new();
    one(&mut lines, "memory of the machine", &i.facts.memory, |memory| {
        memory.used_pct.map_or_else(|| "not known".to_owned(), |pct| format!("{} used", pct_of(pct)))
    });
    one(&mut lines, "databases", &i.facts.databases, |all| databases(all));
    one(&mut lines, "volumes", &i.facts.volumes, |all| volumes(all));
    one(&mut lines, "slowest files", &i.facts.files, |table| files(&table.files));
    lines
}

fn one<T>(lines: &mut Vec<String>, name: &str, reading: &Reading<T>, say: impl FnOnce(&T) -> String) {
    match (reading.get(), &reading.problem) {
        (Some(value), _) => lines.push(format!("{name}: {}", say(value))),
        (None, Some(problem)) => lines.push(format!("{name}: {problem}")),
        (None, None) => {}
    }
}

fn pct_of(pct: f64) -> String {
    let mut text = String::new();
    figure::push_pct(&mut text, pct);
    text
}

/// `9, all online`, `9, 8 online, pricing RECOVERY_PENDING`.
fn databases(all: &[DatabaseRow]) -> String {
    let bad: Vec<&DatabaseRow> = all.iter().filter(|d| d.trouble() != Some(0)).collect();
    if bad.is_empty() {
        return format!("{}, all online", all.len());
    }
    let mut text = format!("{}, {} online", all.len(), all.len() - bad.len());
    for d in bad.iter().take(NAMED) {
        let state = d.state.as_deref().unwrap_or("state not known");
        // Writing to a String cannot fail.
        let _ = write!(text, ", {} {state}", d.name.as_deref().unwrap_or("–"));
    }
    push_rest(&mut text, bad.len());
    text
}

/// `L: 3.1 % free, D: 52 % free`, the fullest first.
fn volumes(all: &[VolumeRow]) -> String {
    let free = |v: &VolumeRow| Some(v.free_bytes? as f64 / v.total_bytes.filter(|t| *t > 0)? as f64 * 100.0);
    let mut known: Vec<(&VolumeRow, Option<f64>)> = all.iter().map(|v| (v, free(v))).collect();
    known.sort_by(|a, b| a.1.unwrap_or(f64::MAX).total_cmp(&b.1.unwrap_or(f64::MAX)));
    let mut text = String::new();
    for (n, (v, pct)) in known.iter().take(NAMED).enumerate() {
        let said = pct.map_or_else(|| "size not known".to_owned(), |pct| format!("{} free", pct_of(pct)));
        let _ = write!(text, "{}{} {said}", comma(n), v.mount.as_deref().unwrap_or("–"));
    }
    push_rest(&mut text, known.len());
    if text.is_empty() { "none".to_owned() } else { text }
}

/// `orders_log 52 ms, orders 4 ms`.
fn files(all: &[FileRow]) -> String {
    let mut slow: Vec<(&FileRow, f64)> =
        all.iter().filter_map(|f| Some((f, f.slowest_ms().filter(|ms| ms.is_finite())?))).collect();
    slow.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut text = String::new();
    for (n, (f, ms)) in slow.iter().take(NAMED).enumerate() {
        let _ = write!(text, "{}{} ", comma(n), f.file.name.as_deref().unwrap_or("–"));
        figure::push_mean(&mut text, *ms);
    }
    if text.is_empty() { "nothing was read or written".to_owned() } else { text }
}

const fn comma(n: usize) -> &'static str {
    if n == 0 { "" } else { ", " }
}

fn push_rest(text: &mut String, all: usize) {
    if all > NAMED {
        let _ = write!(text, ", and {} more", all - NAMED);
    }
}
