//! Counts of a server are not believed blindly: a decoder reads one by `Row::count` and its kin, which refuse what cannot be
//! (`tds::answer`). What is no count stands in a list with its reason.

use super::project;

/// Columns that are read as they come: the file, the column, and why. Numbers that only tell things apart end in `id`, and what has to do
/// with a clock is judged by it (`tidy/clocks.rs`).
const AS_THEY_COME: &[(&str, &str, &str)] = &[
    ("catalog/activity.rs", "percent_complete", "judged in its line"),
    ("catalog/activity.rs", "statement_end_offset", "judged against its text"),
    ("catalog/activity.rs", "statement_start_offset", "judged against its text"),
    ("catalog/activity.rs", "transaction_isolation_level", "one of a few"),
    ("catalog/activity.rs", "wait_time_ms", "a duration, judged where it is joined with its request"),
    ("catalog/cpu_ring.rs", "ms_ticks", "only the difference counts, and is judged"),
    ("catalog/cpu_ring.rs", "record_ticks", "only the difference counts, and is judged"),
    ("catalog/databases.rs", "compatibility_level", "a setting"),
    ("catalog/growths.rs", "event_class", "one of a few"),
    ("catalog/jobs.rs", "last_run_date", "judged as a time"),
    ("catalog/jobs.rs", "last_run_time", "judged as a time"),
    ("catalog/properties.rs", "configured", "a setting"),
    ("catalog/properties.rs", "engine_edition", "one of a few"),
    ("catalog/properties.rs", "in_use", "a setting"),
    ("catalog/properties.rs", "product_major_version", "one of a few"),
    ("catalog/queries.rs", "statement_end_offset", "judged against its text"),
    ("catalog/queries.rs", "statement_start_offset", "judged against its text"),
    ("catalog/query_store.rs", "actual_state", "one of a few"),
    ("catalog/query_store.rs", "desired_state", "one of a few"),
    ("catalog/query_store.rs", "last_force_failure_reason", "one of a few"),
    ("catalog/query_store.rs", "readonly_reason", "bits"),
    ("catalog/query_store.rs", "squares_us", "judged by the runs"),
    ("catalog/tempdb.rs", "is_snapshot", "a flag"),
    ("query.rs", "cpu_us", "orders rows"),
    ("stored_plan.rs", "last_force_failure_reason", "one of a few"),
];

/// The columns that a text reads without a judgement, with their lines.
fn unjudged(text: &str) -> Vec<(usize, String)> {
    let readers = [".i64(\"", ".i32(\"", ".f64(\""];
    let mut before = "";
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let is_asked = [before, line].iter().any(|line| line.to_lowercase().contains("clock"));
        for (at, reader) in readers.iter().flat_map(|reader| line.match_indices(reader)).filter(|_| !is_asked)
        {
            let column = line[at + reader.len()..].split('"').next().unwrap_or_default();
            if !column.ends_with("id") {
                found.push((n + 1, column.to_owned()));
            }
        }
        before = line;
    }
    found
}

#[test]
fn every_count_of_a_server_is_judged() {
    let (mut offences, mut used) = (Vec::new(), Vec::new());
    for (file, code) in project::production() {
        let Some(path) = file.path.strip_prefix("src/probe/") else { continue };
        for (line, column) in unjudged(&file.text[..code.len()]) {
            match AS_THEY_COME.iter().find(|(of, name, _)| *of == path && *name == column) {
                Some(row) => used.push(row),
                None => offences.push(format!("{}:{line}: {column}", file.path)),
            }
        }
    }
    project::assert_none(
        "counts that a decoder believes: read them by Row::count, small, balance or amount, or say why not in tidy/counts.rs",
        &offences,
    );
    let left: Vec<String> =
        AS_THEY_COME.iter().filter(|row| !used.contains(row)).map(|row| format!("{row:?}")).collect();
    project::assert_none("rows of tidy/counts.rs that no decoder needs", &left);
}

#[test]
fn a_count_is_seen_whatever_reads_it() {
    let text = "a: row.i64(\"pages\"),\nb: row.count(\"reads\"),\nc: clock.duration(row.i64(\"ms\")),\n\nd: row.i32(\"file_id\"),\ne\n    .f64(\"mb\")";
    assert_eq!(unjudged(text), [(1, "pages".to_owned()), (7, "mb".to_owned())]);
}
