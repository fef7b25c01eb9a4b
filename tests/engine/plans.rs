//! Plans that others published. They are not ours to distribute: the test reads them where they stand beside the project, and says
//! so where they do not. `cargo test --test engine plans -- --nocapture` prints the table of `docs/performance.md`.

use dbtop::plan::{Operator, Plan, Query, lines, time::own};
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

/// A query of the published plans that was timed: its name, its elapsed time, and its operators.
fn timed() -> Vec<(String, u64, Query)> {
    let read = |(name, bytes): (String, Vec<u8>)| {
        let plan = Plan::read(&bytes).expect("it is read above");
        let queries = plan.statements.into_iter().flat_map(|statement| statement.queries);
        queries
            .filter(Query::is_timed)
            .filter_map(|query| Some((name.clone(), query.total?.elapsed_ms, query)))
            .collect::<Vec<_>>()
    };
    published().into_iter().flat_map(read).collect()
}

/// Within 5 %, or a millisecond, which is the grain of the counters.
fn is_near(sum: u64, elapsed: u64) -> bool {
    sum.abs_diff(elapsed) as f64 <= (elapsed as f64 * 0.05).max(1.0)
}

fn ratio(sum: u64, elapsed: u64) -> f64 {
    sum.max(1) as f64 / elapsed.max(1) as f64
}

/// What lies between the operators and the whole query is no part of the sum: it is defined as the rest, and would make any sum right.
#[test]
fn own_times_and_the_waits_of_exchanges_sum_to_the_time_of_the_query() {
    let (mut near, mut alone) = (0, 0);
    println!(
        "{:34} {:>10} {:>10} {:>10} {:>8} {:>6}",
        "plan", "elapsed", "own times", "exchanges", "outside", "ratio"
    );
    let timed = timed();
    for (name, elapsed, query) in &timed {
        let own = own(query);
        let sum: u64 = own.elapsed_ms.iter().flatten().sum();
        let (exchanges, outside) = (own.exchanges_ms.unwrap_or(0), own.outside_ms.unwrap_or(0));
        let ratio = ratio(sum + exchanges, *elapsed);
        println!("{name:34} {elapsed:>10} {sum:>10} {exchanges:>10} {outside:>8} {ratio:>6.2}");
        near += usize::from(is_near(sum + exchanges, *elapsed));
        alone += usize::from(is_near(sum, *elapsed));
        assert!(ratio <= 1.2 || is_near(sum + exchanges, *elapsed), "{name}: {ratio}");
    }
    println!("{near} of {0} within 5 %, {alone} without exchanges", timed.len());
    assert!(near * 5 >= timed.len() * 4, "{near} of {}", timed.len());
    // Exchanges fill up to the time of the one at the root: what own times miss of a plan that has one would not be seen above.
    assert!(alone * 10 >= timed.len() * 7, "{alone} of {}", timed.len());
}

/// The measure tells a right rule from a wrong one: by each of these rules fewer plans, or too few, come out.
#[test]
fn wrong_rules_of_own_times_do_not_sum_to_the_time_of_the_query() {
    let timed = timed();
    let near = |sum: fn(&Query) -> u64| {
        timed.iter().filter(|(_, elapsed, query)| is_near(sum(query), *elapsed)).count()
    };
    // Each operator with all below it.
    let whole: fn(&Query) -> u64 = |query| query.operators.iter().filter_map(Operator::elapsed_ms).sum();
    // Without its children, whatever they are: exchanges and batch mode are not looked at.
    let naive: fn(&Query) -> u64 = |query| {
        let each = query.operators.iter().enumerate().map(|(at, operator)| {
            let below: u64 = query.children(at).filter_map(|child| query.operators[child].elapsed_ms()).sum();
            operator.elapsed_ms().unwrap_or(0).saturating_sub(below)
        });
        each.sum()
    };
    // Half of what is right.
    let half: fn(&Query) -> u64 = |query| own(query).elapsed_ms.iter().flatten().sum::<u64>() / 2;
    for (name, sum) in [("whole", whole), ("naive", naive), ("half", half)] {
        let near = near(sum);
        println!("{name}: {near} of {}", timed.len());
        assert!(timed.is_empty() || near * 10 < timed.len() * 7, "{name}: {near} of {}", timed.len());
    }
}
