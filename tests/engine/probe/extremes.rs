//! Servers whose numbers cannot be: for every column of every script, one at a time in its own row and all at once. What cannot be is not
//! known; it is never shown as it came. New probes are in it by themselves.

use super::{
    columns::columns,
    fake::{Fake, Fate, plausible},
    poll::known,
};
use dbtop::{
    probe::{
        catalog::probes,
        descriptor::Probe,
        poll,
        script::{Key, Script},
    },
    tds::Cell,
};

/// Numbers that no server has of anything: one above what any count can be, and the ends of the types.
const ABSURD: [i64; 3] = [i64::MAX, i64::MIN, (1 << 62) + 1];

/// Columns that are codes, identities or settings of the server: they are told as they come, in words or as a number.
const AS_THEY_COME: &[(&str, &str)] = &[
    ("configuration", "configured"),
    ("configuration", "in_use"),
    ("query_store_forced", "last_force_failure_reason"),
    ("query_store", "actual_state"),
    ("query_store", "desired_state"),
    ("query_store", "readonly_reason"),
    ("query_store", "interval_id"),
    ("query_store", "now_id"),
    ("query_store", "before_id"),
];

/// What comes through of a row in which these columns have this number.
async fn told(probe: &Probe, of: &dyn Fn(Script) -> Vec<(&'static str, Cell)>) -> String {
    let mut ctx = known().await;
    ctx.set_focused(true);
    let mut server = Fake::new();
    for script in probe.parts.iter().map(|part| part.script).filter(|script| script.name != "blocked") {
        server = server.with(script.name, Fate::Rows(vec![of(script)]));
    }
    let seen = [("requests_seen", 60), ("blocked_requests", 1)].map(|(name, n)| (name, Cell::Int(n)));
    let mut server = server.with("blocked", Fate::Rows(vec![seen.to_vec()]));
    format!("{:?}", poll(&mut server, &[probe.id], &mut ctx).await.remove(0).outcome)
}

/// A plausible row with a number in the columns that are chosen; keys stay what they are.
fn row(script: Script, number: i64, chosen: impl Fn(&str) -> bool) -> Vec<(&'static str, Cell)> {
    let key: &[&str] = match script.key {
        Key::By(names) => names,
        Key::OneRow => &[],
    };
    let exempt = |name: &str| AS_THEY_COME.contains(&(script.name, name)) || key.contains(&name);
    let cells = columns(script.name).iter().map(|(name, _)| *name).zip(plausible(script.name));
    let value = |(name, cell)| match cell {
        Cell::Int(_) if chosen(name) && !exempt(name) => (name, Cell::Int(number)),
        other => (name, other),
    };
    cells.map(value).collect()
}

#[tokio::test]
async fn what_cannot_be_is_never_told() {
    let mut through = Vec::new();
    for probe in probes() {
        for number in ABSURD {
            let words = number.to_string();
            let all = told(probe, &|script| row(script, number, |_| true)).await;
            if !all.contains(&words) {
                continue;
            }
            for script in probe.parts.iter().map(|part| part.script) {
                for (column, _) in columns(script.name) {
                    let of_one =
                        |of: Script| row(of, number, |name| of.name == script.name && name == *column);
                    if told(probe, &of_one).await.contains(&words) {
                        through.push(format!("{}: {}.{column} = {words}", probe.id.name(), script.name));
                    }
                }
            }
            through.push(format!("{}: {words} in {all}", probe.id.name()));
        }
    }
    assert!(through.is_empty(), "{}", through.join("\n"));
    // What can be is told, so that the above shows something.
    let mut tell = 0;
    for probe in probes() {
        tell += usize::from(told(probe, &|script| row(script, 4_321, |_| true)).await.contains("4321"));
    }
    assert!(tell >= 15, "{tell} probes");
}

/// Durations that are told are no longer than ten years, and none is negative.
#[tokio::test]
async fn no_duration_is_longer_than_servers_live() {
    /// Sums over many runs or tasks, and an instant of the server's clock: they are no durations.
    const SUMS: &[&str] = &[
        "cpu_ms",
        "process_cpu_ms",
        "wait_ms",
        "signal_ms",
        "workload_ms",
        "log_flush_wait_ms",
        "read_stall_ms",
        "write_stall_ms",
        "cpu_us",
        "elapsed_us",
        "server_ms",
    ];
    const YEARS_MS: i64 = 10 * 366 * 86_400_000;
    let mut offences = Vec::new();
    for probe in probes() {
        for number in [i64::MIN, -1, 1 << 40, 1 << 46, 1 << 55, i64::MAX] {
            let told = told(probe, &|script| row(script, number, |_| true)).await;
            for (name, value) in figures(&told) {
                let unit = [("_ms", 1_i64), ("_s", 1_000), ("_us", 0)]
                    .into_iter()
                    .find(|(end, _)| name.ends_with(end));
                let Some((_, factor)) = unit.filter(|_| !SUMS.contains(&name)) else { continue };
                let ms = if factor == 0 { value / 1_000 } else { value.saturating_mul(factor) };
                if !(0..=YEARS_MS).contains(&ms) {
                    offences.push(format!("{}: {name} {value}, of {number}", probe.id.name()));
                }
            }
        }
    }
    offences.sort();
    offences.dedup();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// The numbers in what Debug writes, with the names of their fields.
fn figures(told: &str) -> impl Iterator<Item = (&str, i64)> {
    told.match_indices(": ").filter_map(|(at, _)| {
        let name = told[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        let rest = told[at + 2..].trim_start_matches("Some(");
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
        Some((name, rest[..end].parse().ok()?))
    })
}

#[test]
fn figures_are_found_with_their_names() {
    let told: Vec<_> = figures("A { took_ms: Some(5), n: -3, word: None, skew_s: 7 }").collect();
    assert_eq!(told, [("took_ms", 5), ("n", -3), ("skew_s", 7)]);
}
