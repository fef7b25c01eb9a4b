//! Plans that others published. They are not ours to distribute: the test reads them where they stand beside the project, and says
//! so where they do not. `cargo test --test engine plans -- --nocapture` prints the table of `docs/performance.md`.

use dbtop::plan::{Plan, lines, time::own};
use std::{fs, path::PathBuf};

/// The plans, by the names of their files; none where they are not there.
fn published() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/plans");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no published plans beside the project");
        return Vec::new();
    };
    let mut plans: Vec<(String, Vec<u8>)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_str()?.to_owned();
            (path.extension()? == "sqlplan").then(|| Some((name, fs::read(&path).ok()?)))?
        })
        .collect();
    plans.sort();
    plans
}

#[test]
fn every_published_plan_is_read_and_told() {
    for (name, bytes) in published() {
        let plan = Plan::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!plan.version.is_empty() && !plan.statements.is_empty(), "{name}");
        let text = lines::text(&plan, None, false);
        let operators: usize = plan
            .statements
            .iter()
            .flat_map(|statement| &statement.queries)
            .map(|query| query.operators.len())
            .sum();
        // Every operator of the file is in the tree, by the number of its elements in the text of the file.
        let raw = if bytes.starts_with(&[0xff, 0xfe]) {
            let units = bytes[2..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            String::from_utf16_lossy(&units.collect::<Vec<_>>())
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        assert_eq!(operators, raw.matches("<RelOp ").count(), "{name}");
        assert!(text.lines().count() > operators, "{name}:\n{text}");
    }
}

#[test]
fn own_times_sum_to_the_time_of_the_query() {
    let (mut timed, mut near) = (0, 0);
    println!(
        "{:34} {:>10} {:>10} {:>10} {:>8} {:>6}",
        "plan", "elapsed", "own times", "exchanges", "outside", "ratio"
    );
    for (name, bytes) in published() {
        let plan = Plan::read(&bytes).expect("it is read above");
        for query in plan.statements.iter().flat_map(|statement| &statement.queries) {
            let Some(total) = query.total.filter(|_| query.is_timed()) else { continue };
            let own = own(query);
            let sum: u64 = own.elapsed_ms.iter().flatten().sum();
            let (exchanges, outside) = (own.exchanges_ms.unwrap_or(0), own.outside_ms.unwrap_or(0));
            // A millisecond is the grain of the counters.
            let accounted = sum + exchanges + outside;
            let ratio = accounted.max(1) as f64 / total.elapsed_ms.max(1) as f64;
            println!(
                "{name:34} {:>10} {sum:>10} {exchanges:>10} {outside:>8} {ratio:>6.2}",
                total.elapsed_ms
            );
            timed += 1;
            near += usize::from((0.95..=1.05).contains(&ratio));
            assert!(ratio <= 1.2, "{name}: {ratio}");
        }
    }
    println!("{near} of {timed} within 5 %");
    assert!(near * 5 >= timed * 4, "{near} of {timed}");
}
