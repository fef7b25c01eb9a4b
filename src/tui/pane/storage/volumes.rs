//! Files added up by volume: what is free there, when it is full, and how fast it is. The fullest first.

use super::{
    super::{
        figure::Figure,
        kept::{self, Kept, of_volume},
        parts::{self, By, Line, Parts, Words, bytes, text},
        who::duration,
    },
    files::{BYTES, LATENCY, megabytes, oldest_io},
    free::free_space,
    recorded::session_of_growths,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::together::Sums,
        inventory::instance::InstanceId,
        judge::limits::Gauge,
        poll::{Facts, id::Metric, reading::Reading, volumes::VolumeRow},
        timeline::forecast::{Outlook, end_of_day},
    },
    protocol::Query,
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
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
    const ORDER: &'static [By<VolumeRow>] = &[|v| v.free_pct().map(|pct| -pct)];
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
        let traffic =
            volume.mount.as_ref().map(|mount| kept::traffic(mount.trim_end_matches('\\'), OF_VOLUME, mount));
        free.into_iter().chain(traffic.into_iter().flatten()).collect()
    }

    /// Some at a time, until all are known: others ask history, too.
    fn asked(view: &View<'_>) -> Vec<Query> {
        let to = end_of_day(view.now);
        let rows = view.instances().flat_map(|(_, i)| {
            let rows = i.facts.volumes.get().map_or(&[][..], |rows| &rows[..]);
            rows.iter().filter_map(move |row| Some((i.id(), row.mount.as_ref()?)))
        });
        let unknown = rows.filter(|(id, mount)| view.charts.outlook(id, mount, to).is_none());
        let of: Vec<_> = unknown.take(AT_ONCE).map(|(id, mount)| (id.clone(), Arc::clone(mount))).collect();
        if of.is_empty() { Vec::new() } else { vec![Query::Outlooks { of, to }] }
    }

    /// When it is full by the last months, in words.
    fn more(line: &Line<'_, Self>, d: &mut Document) {
        if let Some(outlook) = outlook(line) {
            d.head("by the last months");
            let limits = line.view.snapshot.thresholds.limits(Gauge::Volume);
            for words in words_of(outlook, limits.map_or(0.0, |limits| limits.critical)) {
                d.text(words, line.style());
            }
        }
    }

    fn act(action: Action, row: Option<&RowKey>, instance: Option<&InstanceId>) -> Option<Wish> {
        free_space(action, row, instance)
    }

    fn look(action: Action, view: &View<'_>) -> Option<Wish> {
        session_of_growths(action, view)
    }

    fn texts<'p>(row: &'p VolumeRow, with: &mut dyn FnMut(&'p str)) {
        row.mount.as_deref().into_iter().for_each(with);
    }
}

/// What the files on it do: read, write, operations, traffic.
const OF_VOLUME: [Metric; 4] =
    [Metric::VolumeRead, Metric::VolumeWrite, Metric::VolumeOps, Metric::VolumeBytes];

/// Volumes that history is asked for at once: a tenth of a second of its time.
const AT_ONCE: usize = 24;

/// When it is full by its last months, as history said. None: its answer is not there.
fn outlook(v: &Line<'_, Volumes>) -> Option<Outlook> {
    v.view.charts.outlook(v.instance.id(), v.part.mount.as_deref()?, end_of_day(v.view.now))
}

/// `Full in 41 days, with 80 % probability in 38 to 44 days; it grows by 2.0 GB a day. …`
fn words_of(outlook: Outlook, reserve_pct: f64) -> Vec<String> {
    let (soonest, likely, latest, per_day, tried) = match outlook {
        Outlook::Full { soonest, likely, latest, per_day, tried } => {
            (soonest, likely, latest, per_day, tried)
        }
        Outlook::NoDate(why) => return vec![format!("No date: {}.", why.words())],
    };
    let mut text = format!("Full in {likely:.0} days, with 80 % probability in {soonest:.0} to ");
    match latest {
        Some(latest) => drop(write!(text, "{latest:.0}")),
        None => text.push_str("more than can be told"),
    }
    text.push_str(" days; it grows by ");
    figure::push_size(&mut text, per_day * 1024.0);
    text.push_str(" a day.");
    let mut lines = vec![text];
    if reserve_pct > 0.0 {
        let mut text = String::from("Full means ");
        figure::push_pct(&mut text, reserve_pct);
        text.push_str(" free: a volume is critical then.");
        lines.push(text);
    }
    if tried.of > 0 {
        let mut text = String::from("Told a week ahead in the past it was off by ");
        figure::push_pct(&mut text, tried.off_pct);
        let _ = write!(text, "; {} of {} lay within the 80 %.", tried.within, tried.of);
        lines.push(text);
    }
    lines
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
        None => out.put(v.view.theme.dim, "…"),
    }
}

/// A volume that is full in so many days stands out.
const SOON_DAYS: f64 = 30.0;

type Column = column::Column<Volumes>;

/// The files on it.
fn sums(v: &Line<'_, Volumes>) -> Sums {
    Sums::of_volume(v.instance, v.table, v.part)
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
    Column::number("free_pct", "FREE %", 6, 0).value(|v| number(v.part.free_pct())).cell(free).filter(),
    Column::number("full_in", "FULL IN", 7, 0).value(|v| ms(v.part.full_in_ms)).cell(full_in).filter(),
    Column::number("days", "DAYS LEFT", 9, 3).value(|v| number(days_left(v))).cell(put_days).filter(),
    Column::number("files", "FILES", 5, 4)
        .value(|v| whole(v.instance.facts.files.get().map(|_| sums(v).traffic.files)))
        .cell(|v, n, out| v.put(n, out, figure::push_count))
        .filter(),
    Column::number("read_ms", "READ MS", 7, 1)
        .value(|v| in_ms(sums(v).traffic.read_ms))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("write_ms", "WRITE MS", 8, 1)
        .value(|v| in_ms(sums(v).traffic.write_ms))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("reads", "READS/S", 7, 3)
        .value(|v| number(sums(v).traffic.reads))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("writes", "WRITES/S", 8, 3)
        .value(|v| number(sums(v).traffic.writes))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("read_bytes", "READ MB/S", 9, 3)
        .value(|v| sums(v).traffic.read_bytes.map(Value::Bytes))
        .cell(megabytes)
        .filter(),
    Column::number("write_bytes", "WRITE MB/S", 10, 3)
        .value(|v| sums(v).traffic.write_bytes.map(Value::Bytes))
        .cell(megabytes)
        .filter(),
    Column::number("read_stall", "READ STALL", 10, 6)
        .value(|v| in_ms(sums(v).traffic.read_stall))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("write_stall", "WRITE STALL", 11, 6)
        .value(|v| in_ms(sums(v).traffic.write_stall))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("pending", "PENDING", 7, 5)
        .value(|v| whole(sums(v).traffic.pending))
        .cell(|v, n, out| v.put(n, out, figure::push_count))
        .filter(),
    Column::number("oldest_io", "OLDEST I/O", 10, 5)
        .value(|v| ms(sums(v).traffic.oldest_io_ms))
        .cell(oldest_io)
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
