//! Durations and times of a server are not believed blindly: a decoder asks `probe::clock` about each one. What is added up over
//! many runs is no duration, and stands in a list with its reason.

use super::project;

/// Columns that are read as they come: the file, the column, and why.
const AS_THEY_COME: &[(&str, &str, &str)] = &[
    ("catalog/activity.rs", "cpu_time", "a sum"),
    ("catalog/activity.rs", "wait_time_ms", "judged where it is joined with its request"),
    ("catalog/cost.rs", "cpu_time", "a sum"),
    ("catalog/files.rs", "all_stall_read_ms", "a sum"),
    ("catalog/files.rs", "all_stall_write_ms", "a sum"),
    ("catalog/files.rs", "io_stall_read_ms", "a sum"),
    ("catalog/files.rs", "io_stall_write_ms", "a sum"),
    ("catalog/headline.rs", "server_time", "the clock itself"),
    ("catalog/headline.rs", "sqlserver_start_time", "the fold judges a start, by the one before"),
    ("catalog/jobs.rs", "last_run_date", "judged as a time, below"),
    ("catalog/jobs.rs", "last_run_time", "judged as a time, below"),
    ("catalog/queries.rs", "workload_cpu_ms", "a sum"),
    ("catalog/query_store.rs", "squares_us", "a sum"),
    ("catalog/query_store.rs", "wait_ms", "a sum"),
    ("catalog/waits.rs", "wait_time_ms", "a sum"),
    ("demand.rs", "cpu_time", "a sum"),
    ("demand.rs", "wait_time_ms", "a sum"),
    ("query.rs", "cpu_us", "a sum"),
];

/// The columns of durations and times that a text reads, with their lines, but for those that the clock is asked about.
fn unasked(text: &str) -> Vec<(usize, String)> {
    let readers = [".i64(\"", ".i32(\"", ".count(\"", ".f64(\"", ".local(\"", ".instant(\""];
    let ends = [
        "_time", "_date", "_ms", "_us", "_s", "_sec", "seconds", "duration", "elapsed", "_age", "_at",
        "since",
    ];
    let mut before = "";
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let is_asked = [before, line].iter().any(|line| line.to_lowercase().contains("clock"));
        for (at, reader) in readers.iter().flat_map(|reader| line.match_indices(reader)).filter(|_| !is_asked)
        {
            let column = line[at + reader.len()..].split('"').next().unwrap_or_default();
            if ends.iter().any(|end| column.ends_with(end)) {
                found.push((n + 1, column.to_owned()));
            }
        }
        before = line;
    }
    found
}

#[test]
fn every_duration_of_a_server_is_judged_by_its_clock() {
    let (mut offences, mut used) = (Vec::new(), Vec::new());
    for (file, code) in project::production() {
        let Some(path) = file.path.strip_prefix("src/probe/").filter(|path| *path != "clock.rs") else {
            continue;
        };
        for (line, column) in unasked(&file.text[..code.len()]) {
            match AS_THEY_COME.iter().find(|(of, name, _)| *of == path && *name == column) {
                Some(row) => used.push(row),
                None => offences.push(format!("{}:{line}: {column}", file.path)),
            }
        }
    }
    project::assert_none(
        "durations and times that a decoder believes: ask ctx.clock(), or say why not in tidy/clocks.rs",
        &offences,
    );
    let left: Vec<String> =
        AS_THEY_COME.iter().filter(|row| !used.contains(row)).map(|row| format!("{row:?}")).collect();
    project::assert_none("rows of tidy/clocks.rs that no decoder needs", &left);
}

#[test]
fn a_duration_is_seen_whatever_reads_it() {
    let text = "a: row.i64(\"wait_duration_ms\"),\nb: clock.duration(row.i64(\"longest_ms\")),\nc\n    .f64(\"lag_seconds\")\n\
                d: row.count(\"pages\"),\ne: ctx.clock().within(\n    row.count(\"run_us\"),";
    assert_eq!(unasked(text), [(1, "wait_duration_ms".to_owned()), (4, "lag_seconds".to_owned())]);
}
