//! Files added up by volume: what is free there, when it is full, and how fast it is. The fullest first.

use super::{
    super::{
        figure::Figure,
        kept::{Kept, of_volume},
        parts::{self, By, Line, Parts, Words, bytes, text},
        who::duration,
    },
    files::{BYTES, LATENCY},
    free::free_space,
    sums::Sums,
};
use crate::{
    model::{
        base::{figure, filter::Value, time::Timestamp},
        inventory::instance::InstanceId,
        judge::limits::Gauge,
        poll::{
            Facts,
            reading::Reading,
            volumes::{VolumeRow, volume_of},
        },
        timeline::forecast::Outlook,
    },
    protocol::{Answer, Query},
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        widget::{
            cell::CellText,
            column::{self, Kind, in_ms, ms, number, size, whole, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

/// Rows: a volume each.
#[derive(Debug)]
pub enum Volumes {}

impl Kind for Volumes {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Volumes {
    type Table = Vec<VolumeRow>;
    type Part = VolumeRow;
    const PANE: PaneId = PaneId::Storage;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "volume";
    const ORDER: &'static [By<VolumeRow>] = &[|v| free_pct(v).map(|pct| -pct)];
    const FIGURES: &'static [Figure] = &[LATENCY, BYTES];
    const WORDS: Words = Words {
        order: "fullest first",
        left_out: "more volumes",
        no_match: "No volume matches the filter.",
        unknown: "How full volumes are",
        nothing: "No volume was seen",
        nameless: "a volume without a mount point",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<Vec<VolumeRow>>> {
        &facts.volumes
    }

    fn parts(table: &Vec<VolumeRow>) -> (&[VolumeRow], u64) {
        (table, 0)
    }

    fn key(instance: &InstanceId, row: &VolumeRow) -> RowKey {
        RowKey::Volume(instance.clone(), row.key().into())
    }

    fn is_problem(row: &VolumeRow) -> bool {
        row.full_in_ms.is_some()
    }

    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let volume = line.part;
        let thresholds = &line.view.snapshot.thresholds;
        let free = volume.mount.as_ref().map(|mount| of_volume(mount, volume.total_bytes, thresholds));
        free.into_iter().collect()
    }

    fn asked(instance: &InstanceId, table: &Vec<VolumeRow>, now: Timestamp) -> Vec<Query> {
        let mounts: Vec<_> = table.iter().filter_map(|row| row.mount.clone()).take(MOST).collect();
        if mounts.is_empty() { Vec::new() } else { vec![outlooks(instance, mounts, now)] }
    }

    /// When it is full by the last months, in words.
    fn more(line: &Line<'_, Self>, d: &mut Document) {
        if let Some(outlook) = outlook(line) {
            d.head("by the last months");
            d.text(words_of(outlook), line.style());
        }
    }

    fn act(action: Action, row: Option<&RowKey>, instance: Option<&InstanceId>) -> Option<Wish> {
        free_space(action, row, instance)
    }

    fn texts<'p>(row: &'p VolumeRow, with: &mut dyn FnMut(&'p str)) {
        row.mount.as_deref().into_iter().for_each(with);
    }
}

/// Volumes of an instance whose filling is asked for.
const MOST: usize = 64;

const DAY_MS: i64 = 86_400_000;

fn outlooks(instance: &InstanceId, mounts: Vec<Arc<str>>, now: Timestamp) -> Query {
    let to = Timestamp::from_ms((now.ms().div_euclid(DAY_MS) + 1).saturating_mul(DAY_MS));
    Query::Outlooks { instance: instance.clone(), mounts, to }
}

/// When it is full by its last months, as history said. None: it was not asked, as where several instances are in scope.
fn outlook(v: &Line<'_, Volumes>) -> Option<Outlook> {
    let is_of =
        |query: &Query| matches!(query, Query::Outlooks { instance, .. } if instance == v.instance.id());
    let (query, answer) = v.view.charts.newest(is_of)?;
    let (Query::Outlooks { mounts, .. }, Answer::Outlooks(outlooks)) = (query, answer) else { return None };
    let at = mounts.iter().position(|mount| v.part.mount.as_ref() == Some(mount))?;
    outlooks.get(at).copied()
}

/// `Full in 41 days, likely within 38 to 44; 2.0 GB a day.`
fn words_of(outlook: Outlook) -> String {
    let (soonest, likely, latest, per_day) = match outlook {
        Outlook::Full { soonest, likely, latest, per_day } => (soonest, likely, latest, per_day),
        Outlook::NoDate(why) => return format!("No date: {}.", why.words()),
    };
    let mut text = format!("Full in {likely:.0} days, with 80 % probability in {soonest:.0} to ");
    match latest {
        Some(latest) => drop(write!(text, "{latest:.0}")),
        None => text.push_str("more than can be told"),
    }
    text.push_str(" days; it grows by ");
    figure::push_size(&mut text, per_day * 1024.0);
    text.push_str(" a day.");
    text
}

/// Days until it is full, by the last months.
fn days_left(v: &Line<'_, Volumes>) -> Option<f64> {
    match outlook(v)? {
        Outlook::Full { likely, .. } => Some(likely),
        Outlook::NoDate(_) => None,
    }
}

/// A volume without a date says why.
fn put_days(v: &Line<'_, Volumes>, _: Option<Value<'_>>, out: &mut CellText) {
    match outlook(v) {
        Some(Outlook::Full { likely, .. }) if likely <= SOON_DAYS => {
            out.fmt(v.view.theme.warning, format_args!("{likely:.0}"));
        }
        Some(Outlook::Full { likely, .. }) => out.fmt(v.style(), format_args!("{likely:.0}")),
        Some(Outlook::NoDate(why)) => out.put(v.view.theme.dim, why.word()),
        None => out.put(v.view.theme.dim, "–"),
    }
}

/// A volume that is full in so many days stands out.
const SOON_DAYS: f64 = 30.0;

/// Free, %.
fn free_pct(row: &VolumeRow) -> Option<f64> {
    let total = row.total_bytes.filter(|bytes| *bytes > 0)?;
    Some((row.free_bytes? as f64 / total as f64 * 100.0).clamp(0.0, 100.0))
}

type Column = column::Column<Volumes>;

/// The files on it. Mount points nest: a file is on one volume only.
fn sums(v: &Line<'_, Volumes>) -> Sums {
    Sums::of(v.instance, |file| {
        let volume = file.file.path.as_deref().and_then(|path| volume_of(v.table, path));
        volume.is_some_and(|volume| volume.key() == v.part.key())
    })
}

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("volume", "VOLUME", 22, 0)
        .at_least(8)
        .growing()
        .value(|v| words(v.part.mount.as_deref()))
        .cell(text)
        .filter(),
    Column::number("size", "SIZE", 8, 2).value(|v| size(v.part.total_bytes, 1.0)).cell(bytes).filter(),
    Column::number("free", "FREE", 8, 0).value(|v| size(v.part.free_bytes, 1.0)).cell(bytes).filter(),
    Column::number("free_pct", "FREE %", 6, 0).value(|v| number(free_pct(v.part))).cell(free).filter(),
    Column::number("full_in", "FULL IN", 7, 0).value(|v| ms(v.part.full_in_ms)).cell(full_in).filter(),
    Column::number("days", "DAYS LEFT", 9, 3).value(|v| number(days_left(v))).cell(put_days).filter(),
    Column::number("files", "FILES", 5, 4)
        .value(|v| whole(v.instance.facts.files.get().map(|_| sums(v).files)))
        .cell(|v, n, out| v.put(n, out, figure::push_count))
        .filter(),
    Column::number("read_ms", "READ MS", 7, 1)
        .value(|v| in_ms(sums(v).read_ms))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("write_ms", "WRITE MS", 8, 1)
        .value(|v| in_ms(sums(v).write_ms))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("reads", "READS/S", 7, 3)
        .value(|v| number(sums(v).reads))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("writes", "WRITES/S", 8, 3)
        .value(|v| number(sums(v).writes))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("bytes", "MB/S", 7, 3)
        .value(|v| sums(v).bytes.map(Value::Bytes))
        .cell(|v, n, out| v.put(n, out, |s, bytes| figure::push_rate(s, bytes / 1_048_576.0)))
        .filter(),
    Column::number("pending", "PENDING", 7, 5)
        .value(|v| whole(sums(v).pending))
        .cell(|v, n, out| v.put(n, out, figure::push_count))
        .filter(),
    Column::number("failing", "CANNOT GROW", 11, 2)
        .value(|v| whole(v.instance.facts.space.get().map(|_| sums(v).failing)))
        .cell(|v, n, out| match n.and_then(Value::figure) {
            Some(n) if n > 0.0 => out.with(v.view.theme.warning, |s| figure::push_count(s, n)),
            _ => v.put(n, out, figure::push_count),
        })
        .filter(),
];

/// A share that passes the limits of the score stands out.
fn free(v: &Line<'_, Volumes>, n: Option<Value<'_>>, out: &mut CellText) {
    let Some(pct) = n.and_then(Value::figure) else { return out.put(v.view.theme.dim, "–") };
    let t = v.view.theme;
    let style = match v.view.snapshot.thresholds.limits(Gauge::Volume) {
        _ if v.is_stale() => v.style(),
        Some(limits) if limits.is_critical(pct) => t.critical,
        Some(limits) if limits.is_warning(pct) => t.warning,
        _ => v.style(),
    };
    out.with(style, |s| figure::push_pct(s, pct));
}

/// A volume that does not fill has no date.
fn full_in(v: &Line<'_, Volumes>, n: Option<Value<'_>>, out: &mut CellText) {
    match n.and_then(Value::figure) {
        Some(ms) if !v.is_stale() => out.with(v.view.theme.warning, |s| figure::push_wait(s, ms)),
        _ => duration(v, n, out),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(crate::tui::widget::column::ambiguous(super::COLUMNS), [""; 0]);
    }
}
