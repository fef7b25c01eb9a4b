//! Sums over a stretch, what they cover, and what became of a query.

use super::*;

const T0: Timestamp = Timestamp::from_ms(1_795_180_000_000);
const MIN_MS: i64 = 60_000;

fn at(minute: i64) -> Timestamp {
    T0.plus_ms(minute * MIN_MS)
}

fn query(hash: u64, n: i64) -> QueryRow {
    QueryRow {
        hash,
        runs: Some(n),
        cpu_us: Some(n * 1_000),
        elapsed_us: Some(n * 4_000),
        min_us: Some(n),
        max_us: Some(n * 10),
        reads: Some(n * 100),
        plan_hash: Some(70),
        ..QueryRow::default()
    }
}

/// Five minutes in which these ran, beside others that were left out with as much again, and half of the CPU of all sessions.
fn table(queries: Vec<QueryRow>) -> QueryTable {
    let told = |measure| queries.iter().filter_map(|q| q.of(measure)).reduce(|a, b| a + b);
    QueryTable {
        left_out: 3,
        cpu_us: told(Measure::Cpu).map(|n| n * 2),
        runs: told(Measure::Runs).map(|n| n * 2),
        workload_us: told(Measure::Cpu).map(|n| n * 4),
        over_ms: 300_000,
        sums: Measure::ALL.map(|measure| told(measure).map(|n| n * 2)).into(),
        queries,
    }
}

fn spent(polls: &[(i64, QueryTable)]) -> Spent {
    let mut sums = Sums::new(at(0), at(30));
    for (minute, table) in polls {
        sums.take(at(*minute), table);
    }
    sums.spent(at(0))
}

#[test]
fn polls_add_up_with_their_wholes_and_shares() {
    let polls: Vec<_> = (1..=6).map(|n| (n * 5, table(vec![query(1, 30), query(2, 10)]))).collect();
    let all = spent(&polls);
    assert_eq!((all.polls, all.covered_ms, all.gaps.len()), (6, 30 * MIN_MS, 0));
    let first = all.find(1).unwrap();
    assert_eq!((first.runs, first.cpu_us, first.reads), (Some(180), Some(180_000), Some(18_000)));
    assert_eq!((first.min_us, first.max_us, first.at_least), (Some(30), Some(300), false));
    assert_eq!(all.table.share_pct(first, Measure::Reads), Some(37.5), "three of four of a half");
    assert_eq!(all.table.share_pct(first, Measure::Cpu), Some(18.75));
    assert_eq!(all.table.coverage_pct(), Some(50.0));
    assert_eq!(all.begins(at(0)), Some(at(0)));
    assert_eq!(spent(&polls[2..]).begins(at(0)), Some(at(10)), "nobody collected before");
    assert_eq!(spent(&[]).begins(at(0)), None);
    assert_eq!(all.cpu_ms_per_s(Some(first)), Some(0.1));
    assert_eq!(all.table.whole(Measure::Dop), None);
}

#[test]
fn a_query_told_over_a_time_of_its_own_is_a_part_of_its_poll_as_the_whole_is() {
    let long = QueryRow { own_ms: 600_000, ..query(1, 60) };
    let all = spent(&[(5, QueryTable { runs: Some(30), cpu_us: Some(30_000), ..table(vec![long]) })]);
    let first = all.find(1).unwrap();
    assert_eq!((first.runs, first.cpu_us, first.elapsed_us), (Some(30), Some(30_000), Some(120_000)));
    assert_eq!((all.table.runs, all.table.cpu_us), (first.runs, first.cpu_us));
    assert_eq!(all.cpu_ms_per_s(Some(first)), Some(0.1));
}

#[test]
fn a_poll_counts_where_most_of_its_time_lies_and_holes_are_told() {
    let poll = |minute| (minute, table(vec![query(1, 10)]));
    // The first one tells of the time before; the last one mostly of the time within.
    let all = spent(&[poll(2), poll(7), poll(12), poll(32)]);
    assert_eq!((all.polls, all.find(1).unwrap().runs), (3, Some(30)));
    assert_eq!(all.covered_ms, 13 * MIN_MS);
    let holes: Vec<_> =
        all.gaps.iter().map(|gap| ((gap.from - T0) / MIN_MS, (gap.to - T0) / MIN_MS)).collect();
    assert_eq!(holes, [(0, 2), (12, 27)]);
    let nothing = spent(&[]);
    assert_eq!((nothing.polls, nothing.covered_ms, nothing.gaps.len()), (0, 0, 1));
    assert_eq!(nothing.table.whole(Measure::Cpu), None);
}

#[test]
fn what_one_poll_did_not_say_makes_a_lower_bound_and_no_whole() {
    let mut mute = query(1, 10);
    mute.reads = None;
    let all = spent(&[(5, table(vec![query(1, 10)])), (10, table(vec![mute]))]);
    let first = all.find(1).unwrap();
    assert_eq!((first.reads, first.at_least, first.runs), (Some(1_000), true, Some(20)));
    assert_eq!(all.table.share_pct(first, Measure::Reads), None);
    assert!(all.table.share_pct(first, Measure::Runs).is_some());
    let evicted = QueryRow { at_least: true, ..query(1, 5) };
    assert!(spent(&[(5, table(vec![evicted])), (10, table(vec![query(1, 5)]))]).find(1).unwrap().at_least);
    // A restart: the server's own sum is not known for one poll, and its share stays.
    let restart = QueryTable { workload_us: None, ..table(vec![query(1, 10)]) };
    let all = spent(&[(5, table(vec![query(1, 10)])), (10, restart)]);
    assert_eq!(all.table.workload_us, Some(60_000));
}

#[test]
fn a_plan_that_changed_on_the_way_is_told_from_the_first_to_the_last() {
    let with =
        |old: Option<u64>, new: u64| QueryRow { old_plan_hash: old, plan_hash: Some(new), ..query(1, 10) };
    let all = spent(&[
        (5, table(vec![with(None, 7)])),
        (10, table(vec![with(Some(7), 8)])),
        (15, table(vec![with(Some(8), 9)])),
    ]);
    let first = all.find(1).unwrap();
    assert_eq!((first.old_plan_hash, first.plan_hash), (Some(7), Some(9)));
}

#[test]
fn a_query_is_new_gone_or_takes_so_many_times_as_much() {
    let before = spent(&[(5, table(vec![query(1, 10), query(2, 10)]))]);
    let after = spent(&[(5, table(vec![query(1, 30), query(3, 10)])), (10, table(vec![query(1, 30)]))]);
    let of = |hash| became((&before, before.find(hash)), (&after, after.find(hash)));
    let Became::Times(times) = of(1) else { panic!("{:?}", of(1)) };
    assert!((times - 3.0).abs() < 1e-9, "by time that is covered: {times}");
    assert_eq!((of(2), of(3)), (Became::Gone, Became::New));
    let paired: Vec<_> = pairs(&before, &after)
        .into_iter()
        .map(|(b, a)| {
            [(&before, b), (&after, a)].map(|(spent, n)| n.map(|n| spent.table.queries[n as usize].hash))
        })
        .collect();
    assert_eq!(paired, [[Some(1), Some(1)], [None, Some(3)], [Some(2), None]]);
    let change = change_ms_per_s((&before, before.find(2)), (&after, None)).unwrap();
    assert!((change - 10.0 / 300.0).abs() < 1e-9, "what is gone changed by all that it took: {change}");
    let unknown = spent(&[]);
    assert_eq!(became((&unknown, None), (&after, after.find(3))), Became::NotKnown, "nobody polled then");
    assert_eq!((unknown.cpu_ms_per_s(None), after.cpu_ms_per_s(None)), (None, Some(0.0)));
}

fn ids(n: usize) -> Vec<InstanceId> {
    (0..n).map(|n| InstanceId::new(format!("sql-{n}"))).collect()
}

#[test]
fn all_instances_are_read_back_equally_far_and_a_cut_is_said() {
    let mut walk = Walk::new(&ids(2), at(0), at(120));
    let poll = table(vec![query(1, 10)]);
    let read = |walk: &mut Walk, steps: usize| {
        for _ in 0..steps {
            let Some((_, after, until)) = walk.wanted() else { break };
            let polls: Vec<Timestamp> =
                (0..30).map(|n| at(n * 5)).filter(|poll| *poll > after && *poll <= until).collect();
            walk.take(polls.into_iter().map(|at| (at, &poll)));
        }
    };
    read(&mut walk, 3);
    let told = walk.told(None);
    assert_eq!((told.begins, told.read_pct), (at(105), 12), "half of a stretch is not told");
    assert_eq!(told.of[0].1.polls, told.of[1].1.polls);
    read(&mut walk, 100);
    let told = walk.told(None);
    assert!(walk.is_over() && walk.wanted().is_none());
    assert_eq!((told.begins, told.read_pct, told.cut), (at(0), 100, None));
    assert_eq!((told.of[1].1.polls, told.of[1].1.covered_ms), (24, 120 * MIN_MS));
    assert_eq!(told.of[1].1.find(1).unwrap().runs, Some(240));
    let mut slow = Walk::new(&ids(2), at(0), at(120));
    slow.out_of_time();
    assert!(!slow.is_over(), "the newest stretch is read all the same");
    read(&mut slow, 5);
    slow.out_of_time();
    let told = slow.told(None);
    assert_eq!((told.cut, told.read_pct, told.begins), (Some(Cut::Time), 100, at(75)));
    assert_eq!(told.of[0].1.covered_ms, 45 * MIN_MS);
    assert!(told.of[0].1.gaps.is_empty(), "what was not read is no hole: {:?}", told.of[0].1.gaps);
}

#[test]
fn nobody_is_nothing_to_read() {
    assert!(Walk::new(&[], at(0), at(1)).is_over());
    assert!(Walk::new(&ids(1), at(1), at(1)).is_over());
}
