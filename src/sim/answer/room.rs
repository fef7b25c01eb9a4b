//! Answers about room: what fills tempdb and who holds it, how files and logs grow, memory grants.

use super::{
    asked::{Answer, Asked},
    table::{Table, int, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{BigInt, Bit, DateTime, DateTimeOffset, Float, Int, NVarChar, SmallInt},
        Value,
    },
    scenario::Kind,
    world::{profile::Database, storage::File, trouble::SNAPSHOT, work::Work},
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("grant_queue", grant_queue),
    ("log_holders", log_holders),
    ("log_use", log_use),
    ("memory_counters", memory_counters),
    ("memory_health", memory_health),
    ("persistent_versions", persistent_versions),
    ("plan_cache", plan_cache),
    ("room_databases", room_databases),
    ("room_files", room_files),
    ("semaphores", semaphores),
    ("space", space),
    ("tempdb_files", tempdb_files),
    ("tempdb_sessions", tempdb_sessions),
    ("tempdb_waits", tempdb_waits),
    ("version_holders", version_holders),
    ("version_store", version_store),
];

/// Login, host and program of a session.
const WHO: [(&str, crate::sim::backend::ColumnType); 3] =
    [("login_name", NVarChar(128)), ("host_name", NVarChar(128)), ("program_name", NVarChar(128))];

fn who(w: &Work) -> [Value; 3] {
    [text(&*w.login), text(&*w.host), text(&*w.program)]
}

/// Pages that a session holds in tempdb: of user objects, of internal ones. Loads fill tables, queries spill.
fn held(w: &Work) -> (i64, i64) {
    let pages = w.tempdb_alloc - w.tempdb_dealloc;
    let user = if matches!(w.command, "INSERT" | "SELECT INTO" | "BULK INSERT") {
        pages * 9 / 10
    } else {
        pages / 10
    };
    (user, pages - user)
}

/// Sessions with 1 MB or more.
fn tempdb_sessions(q: &Asked<'_>) -> Table {
    let columns = [
        &[("total_rows", Int), ("session_id", SmallInt), ("user_pages", BigInt), ("internal_pages", BigInt)]
            [..],
        &WHO,
        &[("status", NVarChar(30))],
    ]
    .concat();
    let mut all: Vec<(&Work, i64, i64)> = q
        .visible()
        .iter()
        .map(|w| {
            let (user, internal) = held(w);
            (w, user, internal)
        })
        .filter(|(_, user, internal)| user + internal >= 128)
        .collect();
    all.sort_by_key(|(_, user, internal)| -(user + internal));
    let total = all.len() as i64;
    let rows = all.into_iter().take(50).map(|(w, user, internal)| {
        let mut row = vec![int(total), int(w.spid), int(user), int(internal)];
        row.extend(who(w));
        row.push(text(w.status));
        row
    });
    Table::new(&columns).with(rows)
}

/// Data files of tempdb: one a CPU, at most eight, of one size; of some servers the first has grown alone.
fn tempdb_files(q: &Asked<'_>) -> Table {
    let columns = [
        ("file_id", SmallInt),
        ("total_pages", BigInt),
        ("free_pages", BigInt),
        ("version_pages", BigInt),
        ("user_pages", BigInt),
        ("internal_pages", BigInt),
        ("mixed_pages", BigInt),
    ];
    let (p, tempdb) = (q.moment.profile, q.moment.tempdb());
    let count = i64::from(p.cpus.clamp(1, 8));
    let is_uneven = p.dice.of("tempdb files").chance(0.15) && count > 1;
    let (user, internal) = q.moment.work().iter().map(held).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let busy = (tempdb.used_kb + tempdb.eaten_kb) / 8;
    let (user, internal) = (user.min(busy), internal.min(busy - user.min(busy)));
    let row = |n: i64| {
        // The first file of an uneven tempdb has half of it.
        let part = |all: i64| match (is_uneven, n) {
            (true, 0) => all / 2,
            (true, _) => all / 2 / (count - 1),
            (false, _) => all / count,
        };
        let pages = [
            tempdb.size_kb / 8,
            tempdb.free_kb() / 8,
            tempdb.version_kb / 8,
            // What no session holds belongs to what is cached.
            user + (busy - user - internal) * 2 / 3,
            internal + (busy - user - internal) / 3,
            1_600,
        ];
        // The first one is 1, the log is 2.
        let id = if n == 0 { 1 } else { n + 2 };
        let mut row = vec![int(id)];
        row.extend(pages.map(|all| int(part(all))));
        row
    };
    Table::new(&columns).with((0..count).map(row))
}

/// Tasks that wait for pages of tempdb: while one session fills it, others queue for its allocation maps.
fn tempdb_waits(q: &Asked<'_>) -> Table {
    let columns = [("resource_description", NVarChar(3072)), ("tasks", Int), ("longest_ms", BigInt)];
    let pages: &[(&str, i64, i64)] = match q.moment.active(Kind::TempdbFill) {
        Some(_) => &[("2:1:1", 6, 31), ("2:3:8088", 2, 12), ("2:1:3", 1, 4), ("2:1:118", 3, 9)],
        None => &[],
    };
    Table::new(&columns).with(pages.iter().map(|(page, tasks, ms)| vec![text(*page), int(*tasks), int(*ms)]))
}

/// Row versions in tempdb: those of the busiest databases.
fn version_store(q: &Asked<'_>) -> Table {
    let kb = q.moment.tempdb().version_kb;
    let busy = q.moment.profile.user_databases().iter().take(2).zip([kb * 4 / 5, kb / 5]);
    Table::new(&[("database_id", Int), ("reserved_space_kb", BigInt)])
        .with(busy.filter(|(_, kb)| *kb > 0).map(|(d, kb)| vec![int(d.id), int(kb)]))
}

/// Sessions in a snapshot.
fn version_holders(q: &Asked<'_>) -> Table {
    let columns =
        [&[("session_id", Int), ("is_snapshot", Int), ("elapsed_time_seconds", BigInt)][..], &WHO].concat();
    let holders = q.visible().iter().filter(|w| w.isolation == SNAPSHOT && w.transaction.is_some());
    Table::new(&columns).with(holders.map(|w| {
        let mut row = vec![int(w.spid), int(1), int((q.moment.at_ms - w.started_ms) / 1000)];
        row.extend(who(w));
        row
    }))
}

/// Databases with accelerated recovery: some of those of new servers, and one where a snapshot keeps its versions.
fn persistent_versions(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("persistent_version_store_size_kb", BigInt),
        ("current_aborted_transaction_count", BigInt),
        ("oldest_session_id", Int),
        ("snapshot_session_id", Int),
    ];
    let open = |database: i32| {
        q.visible().iter().filter(move |w| w.database_id == database && w.transaction.is_some())
    };
    let oldest = |database, is_snapshot: bool| {
        let of_kind = open(database).filter(|w| (w.isolation == SNAPSHOT) == is_snapshot);
        of_kind.min_by_key(|w| w.transaction.map(|t| t.began_ms)).map(|w| w.spid)
    };
    let p = q.moment.profile;
    let has = |d: &&Database| p.dice.of("adr").of(&d.name).chance(0.3) || oldest(d.id, true).is_some();
    let rows = p.user_databases().iter().filter(has).map(|d| {
        let kb = (d.size_mb as f64 * 1024.0 * p.dice.of("pvs").of(&d.name).between(0.001, 0.02)) as i64;
        let (writer, snapshot) = (oldest(d.id, false), oldest(d.id, true));
        let held_kb = snapshot.map_or(0, |_| q.moment.tempdb().version_kb / 2);
        vec![int(d.id), int(kb + held_kb), int(0), opt(writer, int), opt(snapshot, int)]
    });
    Table::new(&columns).with(rows)
}

/// Transactions that wrote to a log, the oldest first.
fn log_holders(q: &Asked<'_>) -> Table {
    let columns = [
        &[
            ("server_time", DateTimeOffset(7)),
            ("database_id", Int),
            ("transaction_id", BigInt),
            ("database_transaction_begin_time", DateTime),
            ("database_transaction_log_bytes_used", BigInt),
            ("session_id", Int),
        ][..],
        &WHO,
    ]
    .concat();
    let mut open: Vec<_> = q.visible().iter().filter_map(|w| Some((w, w.transaction?))).collect();
    open.retain(|(_, t)| t.log_bytes > 0);
    open.sort_by_key(|(_, t)| t.began_ms);
    let rows = open.into_iter().take(100).map(|(w, t)| {
        let mut row = vec![
            q.now(),
            int(w.database_id),
            int(t.id),
            q.datetime(t.began_ms),
            int(t.log_bytes),
            int(w.spid),
        ];
        row.extend(who(w));
        row
    });
    Table::new(&columns).with(rows)
}

/// Virtual log files, and log backups.
fn log_use(q: &Asked<'_>) -> Table {
    let columns = [
        ("total_rows", Int),
        ("server_time", DateTimeOffset(7)),
        ("database_id", Int),
        ("database_name", NVarChar(128)),
        ("total_vlf_count", BigInt),
        ("active_vlf_count", BigInt),
        ("log_backup_time", DateTime),
        ("log_since_last_log_backup_mb", Float),
    ];
    let mut logs = q.moment.logs();
    logs.sort_by_key(|log| -log.vlfs);
    let total = logs.len() as i64;
    let rows = logs.into_iter().take(300).filter_map(|log| {
        let database = q.moment.profile.database(log.database_id)?;
        let used = log.used_kb as f64 / log.size_kb.max(1) as f64;
        Some(vec![
            int(total),
            q.now(),
            int(log.database_id),
            text(q.moment.database_name(database)),
            int(log.vlfs),
            int(((log.vlfs as f64 * used) as i64).max(1)),
            opt(log.backup_ms, |at| q.datetime(at)),
            Value::Float(if log.backup_ms.is_some() { log.used_kb as f64 / 1024.0 } else { 0.0 }),
        ])
    });
    Table::new(&columns).with(rows)
}

/// sys.master_files: how files grow.
fn space(q: &Asked<'_>) -> Table {
    let columns = [
        ("total_files", Int),
        ("database_id", Int),
        ("file_id", Int),
        ("type_desc", NVarChar(60)),
        ("logical_name", NVarChar(128)),
        ("physical_name", NVarChar(260)),
        ("size_pages", Int),
        ("max_pages", Int),
        ("growth", Int),
        ("is_percent_growth", Bit),
        ("data_space_id", Int),
    ];
    let files = if q.rights.definition { q.moment.files() } else { Vec::new() };
    let logs = q.moment.logs();
    let total = files.len() as i64;
    let row = |f: File| {
        let limit =
            logs.iter().find(|log| f.log && log.database_id == f.database_id).and_then(|log| log.max_kb);
        let forever = if f.log { 268_435_456 } else { -1 };
        vec![
            int(total),
            int(f.database_id),
            int(f.file_id),
            text(if f.log { "LOG" } else { "ROWS" }),
            text(f.name),
            text(f.path),
            int(f.size_bytes / 8_192),
            int(limit.map_or(forever, |kb| kb / 8)),
            int(match (limit, f.growth_bytes) {
                (Some(_), _) => 0,
                (None, Some(bytes)) => bytes / 8_192,
                (None, None) => 10,
            }),
            Value::Bool(limit.is_none() && f.growth_bytes.is_none()),
            int(i64::from(!f.log)),
        ]
    };
    Table::new(&columns).with(files.into_iter().take(1_000).map(row))
}

/// The databases that are asked how much of their files is free.
fn room_databases(q: &Asked<'_>) -> Table {
    let columns = [
        ("total_rows", Int),
        ("database_id", Int),
        ("database_name", NVarChar(128)),
        ("state_desc", NVarChar(60)),
        ("user_access_desc", NVarChar(60)),
        ("is_auto_close_on", Bit),
        ("is_in_standby", Bit),
    ];
    let wanted = first_number(q);
    let databases = q.moment.profile.databases.iter();
    let found: Vec<_> = databases.filter(|d| wanted.is_none_or(|id| id == i64::from(d.id))).collect();
    let total = found.len() as i64;
    let row = |d: &Database| {
        let row = [int(total), int(d.id), text(q.moment.database_name(d)), text("ONLINE")];
        row.into_iter().chain(entered_by_all()).collect()
    };
    Table::new(&columns).with(found.into_iter().map(row))
}

/// Who may enter a database, that it stays open, and that it is no standby: what is asked before one is entered.
pub(super) fn entered_by_all() -> [Value; 3] {
    [text("MULTI_USER"), Value::Bool(false), Value::Bool(false)]
}

/// The files of a database, and how much of them is in use: a file that has just grown is used least.
fn room_files(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("file_id", Int),
        ("logical_name", NVarChar(128)),
        ("type_desc", NVarChar(60)),
        ("size_pages", Int),
        ("used_pages", BigInt),
        ("log_bytes", BigInt),
    ];
    let id = first_number(q).unwrap_or(0);
    let log = q.moment.logs().into_iter().find(|log| i64::from(log.database_id) == id);
    let files = q.moment.files().into_iter().filter(|file| i64::from(file.database_id) == id);
    let row = |f: File| {
        let pages = f.size_bytes / 8_192;
        let used = q.moment.profile.dice.of("used").of(&f.name).between(0.55, 0.99);
        vec![
            int(f.database_id),
            int(f.file_id),
            text(f.name),
            text(if f.log { "LOG" } else { "ROWS" }),
            int(pages),
            opt((!f.log).then_some((pages as f64 * used) as i64), int),
            opt(log.as_ref().map(|log| log.used_kb * 1024), int),
        ]
    };
    Table::new(&columns).with(files.map(row))
}

/// The first parameter, where it is a number.
pub(super) fn first_number(q: &Asked<'_>) -> Option<i64> {
    match q.params.first().map(|param| &param.value) {
        Some(Value::Int(n)) => Some(*n),
        _ => None,
    }
}

/// Grants: who waits in order, then who holds.
fn grant_queue(q: &Asked<'_>) -> Table {
    let columns = [
        &[
            ("total_rows", Int),
            ("session_id", SmallInt),
            ("request_id", Int),
            ("dop", SmallInt),
            ("requested_memory_kb", BigInt),
            ("granted_memory_kb", BigInt),
            ("used_memory_kb", BigInt),
            ("max_used_memory_kb", BigInt),
            ("ideal_memory_kb", BigInt),
            ("wait_time_ms", BigInt),
            ("timeout_sec", Int),
            ("queue_id", SmallInt),
            ("wait_order", Int),
            ("pool_id", Int),
        ][..],
        &WHO,
    ]
    .concat();
    let mut grants: Vec<_> = q.running().filter_map(|w| Some((w, w.grant?))).collect();
    grants.sort_by_key(|(_, g)| (g.granted_kb.is_some(), -g.granted_kb.unwrap_or(0), g.asked_ms));
    let total = grants.len() as i64;
    let rows = grants.into_iter().take(100).enumerate().map(|(n, (w, g))| {
        let waits = g.granted_kb.is_none();
        let waiting = |value: i64| opt(waits.then_some(value), int);
        let mut row = vec![
            int(total),
            int(w.spid),
            int(0),
            int(w.dop),
            int(g.requested_kb),
            opt(g.granted_kb, int),
            int(g.used_kb),
            int(g.used_kb),
            int(g.requested_kb * 3 / 2),
            waiting(q.moment.at_ms - g.asked_ms),
            int(1_500),
            waiting(6),
            waiting(n as i64),
            int(2),
        ];
        row.extend(who(w));
        row
    });
    Table::new(&columns).with(rows)
}

/// The two semaphores of the default pool.
fn semaphores(q: &Asked<'_>) -> Table {
    let columns = [
        ("pool_id", Int),
        ("resource_semaphore_id", SmallInt),
        ("target_memory_kb", BigInt),
        ("available_memory_kb", BigInt),
        ("granted_memory_kb", BigInt),
        ("used_memory_kb", BigInt),
        ("grantee_count", Int),
        ("waiter_count", Int),
        ("timeout_error_count", BigInt),
        ("forced_grant_count", BigInt),
    ];
    let memory = q.moment.memory();
    let (pending, held) = q.moment.grants();
    let used_kb: i64 = q.moment.work().iter().filter_map(|w| Some(w.grant?.used_kb)).sum();
    let target_kb = memory.granted_kb + memory.grantable_kb;
    let large = [target_kb, memory.grantable_kb, memory.granted_kb, used_kb, held, pending, 0, 0];
    let small = [target_kb / 20, target_kb / 20, 0, 0, 0, 0, 0, 0];
    let row = |(n, figures): (i64, [i64; 8])| {
        let mut row = vec![int(2), int(n)];
        row.extend(figures.map(int));
        row
    };
    Table::new(&columns).with([(0, large), (1, small)].into_iter().map(row))
}

/// The part of the memory that plans of procedures have.
const PROCEDURES: f64 = 0.022;

/// The part of it that plans of statements have: the longer a server runs, the more ran once only.
fn ad_hoc_share(q: &Asked<'_>) -> f64 {
    let days = (q.moment.uptime_ms() as f64 / 86.4e6).min(30.0);
    if q.moment.profile.enterprise { 0.015 } else { 0.04 + days * 0.003 }
}

/// Page life per NUMA node, and the plan cache by kind.
fn memory_counters(q: &Asked<'_>) -> Table {
    let (p, memory) = (q.moment.profile, q.moment.memory());
    let life = q.moment.page_life_s();
    let nodes = (0..=p.cpus / 24).map(|n| {
        let vary = p.dice.of("node").at(n.into()).between(0.8, 1.2);
        ("Page life expectancy", format!("{n:03}"), (life as f64 * vary) as i64)
    });
    let kinds =
        [("SQL Plans", ad_hoc_share(q), 62), ("Object Plans", PROCEDURES, 410), ("Bound Trees", 0.003, 90)];
    let plans = kinds.into_iter().flat_map(|(kind, share, kb_each)| {
        let kb = (memory.total_kb as f64 * share) as i64;
        [
            ("Cache Pages", kind.to_owned(), kb / 8),
            ("Cache Object Counts", kind.to_owned(), kb / kb_each),
            ("Cache Objects in use", kind.to_owned(), (kb / kb_each / 400).min(90)),
        ]
    });
    let row =
        |(counter, instance, value): (&str, String, i64)| vec![text(counter), text(instance), int(value)];
    Table::new(&[("counter_name", NVarChar(64)), ("instance_name", NVarChar(64)), ("cntr_value", BigInt)])
        .with(nodes.chain(plans).map(row))
}

/// The kinds of plans in the cache, and how many of each ran once only: ad hoc ones mostly.
fn plan_cache(q: &Asked<'_>) -> Table {
    let columns = [
        ("objtype", NVarChar(16)),
        ("cacheobjtype", NVarChar(34)),
        ("plans", Int),
        ("size_bytes", BigInt),
        ("single_plans", Int),
        ("single_bytes", BigInt),
    ];
    let sql = ad_hoc_share(q);
    let kinds =
        [("Adhoc", sql * 0.8, 62, 0.8), ("Prepared", sql * 0.2, 62, 0.2), ("Proc", PROCEDURES, 410, 0.05)];
    let total_kb = q.moment.memory().total_kb as f64;
    let rows = kinds.into_iter().map(|(kind, share, kb_each, single)| {
        let bytes = total_kb * share * 1024.0;
        let plans = bytes / 1024.0 / f64::from(kb_each);
        vec![
            text(kind),
            text("Compiled Plan"),
            int(plans as i64),
            int(bytes as i64),
            int((plans * single) as i64),
            int((bytes * single) as i64),
        ]
    });
    Table::new(&columns).with(rows)
}

/// The engine's verdicts on its memory, one in 15 s.
fn memory_health(q: &Asked<'_>) -> Table {
    let columns = [
        ("snapshot_time", DateTime),
        ("severity_level_desc", NVarChar(60)),
        ("allocation_potential_memory_mb", Int),
        ("reclaimable_cache_memory_mb", Int),
        ("out_of_memory_event_count", Int),
        ("memgrant_timeout_count", Int),
    ];
    let memory = q.moment.memory();
    let severity = if memory.low { "HIGH" } else { "LOW" };
    let newest_ms = q.moment.at_ms - q.moment.at_ms.rem_euclid(15_000);
    let rows = (0..20).map(|n| {
        vec![
            q.datetime(newest_ms - n * 15_000),
            text(severity),
            int((memory.target_kb - memory.total_kb).max(0) / 1024 + 512),
            int(memory.total_kb / 1024 / 2),
            int(0),
            int(0),
        ]
    });
    Table::new(&columns).with(rows)
}
