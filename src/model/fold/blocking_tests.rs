//! Tests of the blocking forest.

use super::*;
use crate::model::poll::statement::{SqlText, Statement};
use proptest::prelude::*;
use std::sync::Arc;

fn task(who: i32, blocker: i32, wait_s: i64) -> BlockedTask {
    BlockedTask {
        session_id: who,
        blocked_by: blocker,
        wait_type: Some("LCK_M_S".into()),
        wait_ms: Some(wait_s * 1000),
        resource: Some("keylock hobtid=5 dbid=7 id=lock1 mode=X associatedObjectId=5".into()),
        ..BlockedTask::default()
    }
}

fn session(id: i32, status: &str) -> ChainSession {
    let request = Request {
        session_id: id,
        status: Some(status.into()),
        command: (status != "sleeping").then(|| "SELECT".into()),
        ..Request::default()
    };
    ChainSession { request, last_statement: None }
}

fn plain(tasks: &[BlockedTask]) -> Blocking {
    build(tasks, &[], DatabaseNames(&[]))
}

/// `88 > 91 > 97` as indented ids.
fn drawn(chain: &Chain) -> String {
    let line = |n: &BlockNode| format!("{}{}", ">".repeat(usize::from(n.depth)), n.request.session_id);
    chain.nodes.iter().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_tree_with_the_longest_wait_first() {
    let mut head = session(88, "sleeping");
    let text = SqlText::new("UPDATE t".into(), None, None, false);
    head.last_statement = Some(Statement { text: Arc::new(text), start: 0, end: 8 });
    let tasks = [task(104, 91, 120), task(91, 88, 312), task(97, 91, 298), task(93, 88, 301)];
    let b = build(&tasks, &[head, session(91, "suspended")], DatabaseNames(&[]));
    let [chain] = &b.chains[..] else { panic!("one chain: {b:?}") };
    assert_eq!(drawn(chain), "88 >91 >>97 >>104 >93");
    assert_eq!((chain.victims, chain.max_wait_ms, chain.lost_ms, chain.depth), (4, 312_000, 1_031_000, 2));
    assert_eq!(
        chain.nodes.iter().map(|n| n.parent).collect::<Vec<_>>(),
        [None, Some(0), Some(1), Some(1), Some(0)]
    );
    assert_eq!(
        chain.nodes.iter().map(|n| n.last_child).collect::<Vec<_>>(),
        [true, false, false, true, true]
    );
    assert_eq!(chain.nodes.iter().map(|n| n.victims).collect::<Vec<_>>(), [4, 2, 0, 0, 0]);
    let head = &chain.nodes[0];
    assert!(head.statement_is_last && head.statement.is_some() && head.resource.is_none());
    assert_eq!(chain.nodes[1].resource.as_ref().and_then(|r| r.held_mode.as_deref()), Some("X"));
}

#[test]
fn parallel_tasks_and_self_blocks_are_one_session() {
    let b = plain(&[task(60, 60, 900), task(60, 50, 5), task(60, 50, 7), task(60, 51, 3), task(60, 0, 99)]);
    assert_eq!(b.chains.len(), 1);
    assert_eq!(drawn(&b.chains[0]), "50 >60");
    assert_eq!(b.chains[0].lost_ms, 7000, "a session waits once, however many tasks it has");
}

#[test]
fn a_circle_is_cut_and_says_so() {
    let b = plain(&[task(70, 71, 9), task(71, 72, 8), task(72, 70, 7), task(80, 71, 6)]);
    assert_eq!(b.cycles_cut, 1);
    assert_eq!(drawn(&b.chains[0]), "70 >72 >>71 >>>80");
    assert!(b.chains[0].nodes[0].cycle_cut);
    assert_eq!(b.chains[0].victims, 3);
}

#[test]
fn negative_and_missing_blockers_have_a_stand_in() {
    let b = plain(&[task(60, -2, 5), task(61, 999, 4), task(62, -3, 3)]);
    let status: Vec<_> = b.chains.iter().map(|c| c.nodes[0].request.status.as_deref()).collect();
    let orphan = Some("orphaned distributed transaction");
    assert_eq!(status, [orphan, Some("gone"), Some("deferred recovery transaction")]);
}

#[test]
fn who_waits_for_nobody_is_not_blocked() {
    let nobody =
        [task(60, -5, 900), task(61, -4, 900), task(62, 62, 900), task(63, 0, 900), task(64, -77, 900)];
    assert_eq!(plain(&nobody), Blocking::default());
    let mut asks_itself = session(60, "suspended");
    asks_itself.request.blocked_by = Some(-5);
    assert_eq!(build(&[], &[asks_itself], DatabaseNames(&[])), Blocking::default());
    let mixed = plain(&[task(60, -5, 900), task(60, 50, 1)]);
    assert_eq!(drawn(&mixed.chains[0]), "50 >60");
    assert_eq!(mixed.chains[0].max_wait_ms, 1_000, "the wait for the session, not the longer one for nobody");
}

#[test]
fn worst_chain_first() {
    let b = plain(&[task(60, 50, 400), task(61, 51, 100), task(62, 51, 100), task(63, 51, 150)]);
    assert_eq!(b.chains.iter().map(|c| c.nodes[0].request.session_id).collect::<Vec<_>>(), [51, 50]);
}

#[test]
fn a_request_that_says_it_is_blocked_needs_no_task_row() {
    let mut s = session(60, "suspended");
    s.request.blocked_by = Some(50);
    s.request.wait_ms = Some(3000);
    let b = build(&[], &[s, session(50, "sleeping")], DatabaseNames(&[]));
    assert_eq!(drawn(&b.chains[0]), "50 >60");
}

#[test]
fn ten_thousand_deep_and_ten_thousand_wide() {
    let deep: Vec<_> = (1..10_000).map(|i| task(i + 1, i, 10)).collect();
    let b = plain(&deep);
    assert_eq!((b.chains.len(), b.chains[0].depth, b.chains[0].victims), (1, 9_999, 9_999));
    assert_eq!(b.chains[0].nodes[9_999].parent, Some(9_998));
    let wide: Vec<_> = (1..10_000).map(|i| task(i + 1, 1, i64::from(i))).collect();
    let b = plain(&wide);
    assert_eq!(b.chains[0].nodes[1].request.session_id, 10_000, "the longest wait is the first");
}

proptest! {
    #[test]
    fn any_rows_make_a_forest(rows in proptest::collection::vec((-6i32..40, -6i32..40, any::<i64>()), 0..200)) {
        let tasks: Vec<_> = rows
            .iter()
            .map(|(who, blocker, ms)| BlockedTask {
                session_id: *who,
                blocked_by: *blocker,
                wait_ms: Some(*ms),
                ..BlockedTask::default()
            })
            .collect();
        let b = plain(&tasks);
        let mut seen = HashSet::new();
        for chain in &b.chains {
            prop_assert_eq!(chain.victims as usize + 1, chain.nodes.len());
            for (i, n) in chain.nodes.iter().enumerate() {
                prop_assert!(seen.insert(n.request.session_id), "a session stands in one place only");
                prop_assert_eq!(n.parent.is_none(), i == 0);
                prop_assert!(n.parent.is_none_or(|p| p < i && chain.nodes[p].depth + 1 == n.depth));
                let below = chain.nodes.iter().skip(i + 1).take_while(|m| m.depth > n.depth).count();
                prop_assert_eq!(n.victims as usize, below);
            }
        }
        let waiters = tasks.iter().filter(|t| is_blocker(t.session_id, t.blocked_by));
        for t in waiters {
            prop_assert!(seen.contains(&t.session_id), "no victim is lost");
        }
    }
}

#[test]
fn a_learned_name_replaces_the_number_of_the_locked_object() {
    let mut named = task(57, 88, 5);
    named.object = Some("dbo.orders.pk_orders".into());
    let tasks = [named, task(58, 88, 5)];
    let b = build(&tasks, &[], DatabaseNames(&[]));
    let object = |id| {
        let node = b.chains[0].nodes.iter().find(|n| n.request.session_id == id).unwrap();
        node.resource.as_ref().unwrap().object.clone().unwrap()
    };
    assert_eq!((&*object(57), &*object(58)), ("dbo.orders.pk_orders", "hobt 5"));
}

#[test]
fn of_several_rows_of_a_session_the_one_that_runs_and_waits_longest_counts() {
    let row = |command: Option<&str>, wait_ms, login: &str| {
        let mut row = session(88, "sleeping");
        row.request.command = command.map(Into::into);
        row.request.wait_ms = wait_ms;
        row.request.login = Some(login.into());
        row
    };
    let rows = [
        row(None, Some(900), "idle"),
        row(Some("SELECT"), None, "runs"),
        row(Some("SELECT"), Some(5), "waits"),
        row(Some("SELECT"), Some(70), "waits longest"),
    ];
    let head = |rows: &[ChainSession]| {
        build(&[task(91, 88, 9)], rows, DatabaseNames(&[])).chains[0].nodes[0].request.login.clone()
    };
    for turn in 0..rows.len() {
        let mut turned = rows.to_vec();
        turned.rotate_left(turn);
        assert_eq!(head(&turned).as_deref(), Some("waits longest"), "in whatever order they come");
    }
    assert_eq!(head(&rows[..2]).as_deref(), Some("runs"), "who runs comes before who once waited");
}
