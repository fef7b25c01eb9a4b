//! Reads and writes of each database file, cumulative.

use crate::{
    model::poll::{
        Sample,
        cost::Tier,
        files::{FileCounter, FilesSample},
        id::ProbeId,
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        catalog::file::file,
        context::ProbeContext,
        descriptor::{Pace, Probe, Start, needed},
        script::{Needs, Script, script},
    },
};
use std::sync::Arc;

const FILES: Script = script!("files", Performance, by "database_id" "file_id");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(FILES)],
    pace: Pace::Slower(3),
    rate: true,
    start: Start::AtOnce,
    unknown_without: &[
        (Needs::Performance, "file latency"),
        (Needs::Definition, "names and paths of database files"),
    ],
    panes: &["storage"],
    ..Probe::new(ProbeId::Files, Tier::Detail, decode)
};

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    Ok(Sample::Counters(Arc::new(counters(sets, ctx)?)))
}

/// A row without its two ids is left out: nothing could be compared with it.
fn counters(sets: &Sets, ctx: &ProbeContext) -> Result<FilesSample, Unavailable> {
    let (mut total, mut all) = (None, FileCounter::default());
    let rows = sets.many("files")?.filter_map(|row| {
        total = total.max(row.count("total_files"));
        all = FileCounter {
            reads: row.count("all_reads"),
            read_bytes: row.count("all_bytes_read"),
            read_stall_ms: row.count("all_stall_read_ms"),
            writes: row.count("all_writes"),
            write_bytes: row.count("all_bytes_written"),
            write_stall_ms: row.count("all_stall_write_ms"),
            ..FileCounter::default()
        };
        Some(FileCounter {
            file: file(row, ctx)?,
            reads: row.count("num_of_reads"),
            read_bytes: row.count("num_of_bytes_read"),
            read_stall_ms: row.count("io_stall_read_ms"),
            writes: row.count("num_of_writes"),
            write_bytes: row.count("num_of_bytes_written"),
            write_stall_ms: row.count("io_stall_write_ms"),
            size_bytes: row.count("size_on_disk_bytes"),
            pending_ios: row.count("pending_ios"),
            ios_at_os: row.count("ios_at_os"),
            oldest_io_ms: ctx.clock().duration(row.count("oldest_io_ms")),
        })
    });
    let mut files: Vec<FileCounter> = rows.collect();
    // They stay until the next poll.
    files.shrink_to_fit();
    Ok(FilesSample { files, total, all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn a_file_has_what_the_server_says_and_nothing_else() {
        let columns = [
            "total_files",
            "all_reads",
            "all_stall_write_ms",
            "database_id",
            "file_id",
            "logical_name",
            "physical_name",
            "num_of_reads",
            "io_stall_read_ms",
        ];
        let row = |database, file, name: &str, path: &str, reads, stall| {
            vec![
                Cell::Int(7_000),
                Cell::Int(90_000),
                Cell::Null,
                database,
                file,
                text(name),
                text(path),
                reads,
                stall,
            ]
        };
        let rows = vec![
            row(Cell::Int(2), Cell::Int(1), "temp\u{1b}[31mdev", "T:\\temp.mdf", Cell::Int(-4), Cell::Null),
            row(Cell::Int(5), Cell::Null, "no id", "", Cell::Int(1), Cell::Int(1)),
            row(Cell::Null, Cell::Int(1), "no database", "", Cell::Int(1), Cell::Int(1)),
            row(Cell::Int(6), Cell::Int(2), "", "", Cell::Int(i64::MAX), Cell::Int(9)),
        ];
        let answer = sets(vec![set("files", &columns, rows)]);
        let context = ProbeContext::new(crate::model::base::time::Timestamp::default);
        let sample = counters(&answer, &context).unwrap();
        assert_eq!(sample.total, Some(7_000));
        assert_eq!(
            (sample.all.reads, sample.all.write_stall_ms, sample.all.writes),
            (Some(90_000), None, None)
        );
        let [temp, other] = &sample.files[..] else { panic!("{sample:?}") };
        assert_eq!((temp.file.ids(), temp.reads, temp.read_stall_ms), ((2, 1), None, None));
        assert!(!temp.file.name.as_deref().unwrap().contains('\u{1b}'), "{temp:?}");
        assert_eq!((temp.file.path.as_deref(), temp.writes), (Some("T:\\temp.mdf"), None));
        assert_eq!((other.file.name.as_deref(), other.reads, other.read_stall_ms), (None, None, Some(9)));
    }

    #[test]
    fn every_figure_of_a_file_stands_in_its_own_field() {
        type Field = fn(&FileCounter) -> Option<i64>;
        let fields: [(&str, &str, Field); 6] = [
            ("num_of_reads", "all_reads", |f| f.reads),
            ("num_of_bytes_read", "all_bytes_read", |f| f.read_bytes),
            ("io_stall_read_ms", "all_stall_read_ms", |f| f.read_stall_ms),
            ("num_of_writes", "all_writes", |f| f.writes),
            ("num_of_bytes_written", "all_bytes_written", |f| f.write_bytes),
            ("io_stall_write_ms", "all_stall_write_ms", |f| f.write_stall_ms),
        ];
        let decoded = |column: &str, value: Cell| {
            let rows = vec![vec![Cell::Int(5), Cell::Int(1), value]];
            let answer = sets(vec![set("files", &["database_id", "file_id", column], rows)]);
            counters(&answer, &ProbeContext::new(crate::model::base::time::Timestamp::default)).unwrap()
        };
        for (of_file, of_all, _) in fields {
            let (file, all) = (decoded(of_file, Cell::Int(7)), decoded(of_all, Cell::Int(7)));
            for (other, _, field) in fields {
                let wanted = (other == of_file).then_some(7);
                assert_eq!(
                    (field(&file.files[0]), field(&file.all)),
                    (wanted, None),
                    "{other} from {of_file}"
                );
                assert_eq!((field(&all.files[0]), field(&all.all)), (None, wanted), "{other} from {of_all}");
            }
        }
        assert_eq!(decoded("ios_at_os", Cell::Int(7)).files[0].ios_at_os, Some(7));
        let oldest = |ms| decoded("oldest_io_ms", ms).files[0].oldest_io_ms;
        assert_eq!(oldest(Cell::Int(7)), Some(7));
        for absurd in [Cell::Null, Cell::Int(-7), Cell::Int(i64::MAX)] {
            assert_eq!(oldest(absurd), None);
        }
        assert_eq!(decoded("size_on_disk_bytes", Cell::Int(7)).files[0].size_bytes, Some(7));
        assert_eq!(decoded("type_desc", text("LOG")).files[0].file.kind.as_deref(), Some("LOG"));
        let database = decoded("num_of_reads", Cell::Null).files[0].file.database.clone();
        assert_eq!(database.as_deref(), Some("db 5"), "a name that is hidden from us");
    }
}
