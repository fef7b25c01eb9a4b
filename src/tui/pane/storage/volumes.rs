//! Files added up by volume: what is free there, when it is full, and how fast it is. The fullest first.

use super::{
    super::{
        figure::Figure,
        parts::{self, By, Line, Parts, Words, bytes, text},
        who::duration,
    },
    files::{BYTES, LATENCY},
    sums::Sums,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        inventory::instance::InstanceId,
        judge::limits::Gauge,
        poll::{
            Facts,
            reading::Reading,
            volumes::{VolumeRow, volume_of},
        },
    },
    tui::{
        id::{PaneId, RowKey},
        widget::{
            cell::CellText,
            column::{self, Kind, ms, number, size, whole, words},
        },
    },
};
use std::sync::Arc;

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

    fn texts<'p>(row: &'p VolumeRow, with: &mut dyn FnMut(&'p str)) {
        row.mount.as_deref().into_iter().for_each(with);
    }
}

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
    Column::number("files", "FILES", 5, 4)
        .value(|v| whole(v.instance.facts.files.get().map(|_| sums(v).files)))
        .cell(|v, n, out| v.put(n, out, figure::push_count))
        .filter(),
    Column::number("read_ms", "READ MS", 7, 1)
        .value(|v| number(sums(v).read_ms))
        .cell(|v, n, out| v.put(n, out, figure::push_rate))
        .filter(),
    Column::number("write_ms", "WRITE MS", 8, 1)
        .value(|v| number(sums(v).write_ms))
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
        .value(|v| number(sums(v).bytes))
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
