//! Answers about the instance: properties, rights, counters, waits, schedulers, memory.

use super::{
    asked::{Answer, Asked},
    table::{Table, int, int4, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{BigInt, Bit, DateTime, DateTimeOffset, Int, NVarChar, NVarCharMax, SmallInt, TinyInt},
        Value,
    },
    schema::{self, Home, Securable, known_permission},
    world::{storage::File, totals::Meter, work::Grant},
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("capabilities", capabilities),
    ("check", check),
    ("clerks", clerks),
    ("configuration", configuration),
    ("counters", counters),
    ("cpu_ring", cpu_ring),
    ("databases", databases),
    ("database_sizes", database_sizes),
    ("doctor", doctor),
    ("files", files),
    ("headline", sysinfo),
    ("host_2016", host),
    ("host_2017", host),
    ("log_space", log_space),
    ("memory", memory),
    ("properties", properties),
    ("rights", rights),
    ("schedulers", schedulers),
    ("sysinfo", sysinfo),
    ("waits", waits),
];

/// Properties.
pub fn properties(q: &Asked<'_>) -> Table {
    let p = q.moment.profile;
    let name = q.moment.server_name();
    Table::one(vec![
        ("server_time", DateTimeOffset(7), q.now()),
        ("server_name", NVarChar(256), text(&*name)),
        ("machine_name", NVarChar(256), text(name)),
        ("edition", NVarChar(256), text(p.edition())),
        ("engine_edition", Int, int(p.engine_edition())),
        ("product_version", NVarChar(128), text(p.product_version())),
        ("product_major_version", NVarChar(128), text(p.product_major().to_string())),
        ("product_level", NVarChar(128), text(p.build.level)),
        (
            "product_update_level",
            NVarChar(128),
            opt((!p.build.update.is_empty()).then_some(p.build.update), text),
        ),
        ("collation_name", NVarChar(128), text(p.collation)),
        ("is_hadr_enabled", Int, int(i64::from(p.membership.is_some()))),
        ("is_clustered", Int, int(0)),
        ("tempdb_created", DateTime, q.datetime(q.moment.started_ms() + 2_400)),
    ])
}

/// The questions of a connection test.
pub fn check(q: &Asked<'_>) -> Table {
    let p = q.moment.profile;
    Table::one(vec![
        ("server_time", DateTimeOffset(7), q.now()),
        ("product_version", NVarChar(128), text(p.product_version())),
        ("edition", NVarChar(256), text(p.edition())),
        ("engine_edition", Int, int(p.engine_edition())),
        ("login_name", NVarChar(128), text(&*q.session.user)),
    ])
}

/// dm_os_sys_info.
pub fn sysinfo(q: &Asked<'_>) -> Table {
    let p = q.moment.profile;
    let cpu_ms = q.moment.totals().get(Meter::Cpu);
    let kernel_ms = cpu_ms / 14;
    Table::one(vec![
        ("server_time", DateTimeOffset(7), q.now()),
        ("cpu_count", Int, int(p.cpus)),
        ("numa_node_count", Int, int(1 + p.cpus / 24)),
        ("physical_memory_kb", BigInt, int(p.memory_mb * 1024)),
        ("committed_target_kb", Int, int4(p.target_memory_kb())),
        ("max_workers_count", Int, int(p.max_workers())),
        ("sqlserver_start_time", DateTime, q.datetime(q.moment.started_ms())),
        ("process_kernel_time_ms", BigInt, int(kernel_ms)),
        ("process_user_time_ms", BigInt, int(cpu_ms - kernel_ms)),
    ])
}

/// Options of `sp_configure`: name, configured, in use.
fn options(q: &Asked<'_>) -> Vec<(i64, &'static str, i64)> {
    let p = q.moment.profile;
    vec![
        (1539, "max degree of parallelism", i64::from(p.cpus).min(8)),
        (1538, "cost threshold for parallelism", if p.enterprise { 50 } else { 5 }),
        (1543, "min server memory (MB)", 0),
        (1544, "max server memory (MB)", p.target_memory_kb() / 1024),
        (503, "max worker threads", 0),
        (1541, "query wait (s)", -1),
        (1540, "min memory per query (KB)", 1024),
        (109, "fill factor (%)", 0),
        (103, "user connections", 0),
        (1581, "optimize for ad hoc workloads", i64::from(p.enterprise)),
        (1579, "backup compression default", 1),
        (1576, "remote admin connections", 1),
        (1568, "default trace enabled", 1),
        (1569, "blocked process threshold (s)", 5),
        (16390, "xp_cmdshell", 0),
        (16384, "Agent XPs", 1),
        (1562, "clr enabled", 0),
        (1517, "priority boost", 0),
    ]
}

/// The columns that our probe asks for.
pub fn configuration(q: &Asked<'_>) -> Table {
    let columns = [("name", NVarChar(35)), ("configured", BigInt), ("in_use", BigInt)];
    let row = |(_, name, value): (i64, &str, i64)| vec![text(name), int(value), int(value)];
    Table::new(&columns).with(options(q).into_iter().map(row))
}

/// The view itself; its values are variants, of which it has none.
pub fn configurations(q: &Asked<'_>) -> Table {
    let columns = [("configuration_id", Int), ("name", NVarChar(35))];
    Table::new(&columns).with(options(q).into_iter().map(|(id, name, _)| vec![int4(id), text(name)]))
}

/// Operating system, on any version.
pub fn host(q: &Asked<'_>) -> Table {
    let p = q.moment.profile;
    let (distribution, release) = p.os();
    Table::one(vec![
        ("windows_release", NVarChar(256), text(release)),
        ("host_platform", NVarChar(256), text(if p.linux { "Linux" } else { "Windows" })),
        ("host_distribution", NVarChar(256), text(distribution)),
        ("host_release", NVarChar(256), text(release)),
    ])
}

/// Rights of the login.
pub fn rights(q: &Asked<'_>) -> Table {
    let version = q.moment.profile.version;
    let on_server = |name: &str| opt(q.rights.on_server(name, version), |held| int(i64::from(held)));
    let msdb = |table: &str| int(i64::from(q.rights.selects_in_msdb(table)));
    Table::one(vec![
        ("view_server_state", Int, on_server("VIEW SERVER STATE")),
        ("view_server_performance_state", Int, on_server("VIEW SERVER PERFORMANCE STATE")),
        ("view_server_security_state", Int, on_server("VIEW SERVER SECURITY STATE")),
        ("view_any_definition", Int, on_server("VIEW ANY DEFINITION")),
        ("alter_any_connection", Int, on_server("ALTER ANY CONNECTION")),
        ("connect_any_database", Int, on_server("CONNECT ANY DATABASE")),
        ("msdb_access", Int, int(1)),
        ("msdb_sysjobs", Int, msdb("sysjobs")),
        ("msdb_sysjobservers", Int, msdb("sysjobservers")),
        ("msdb_sysjobhistory", Int, msdb("sysjobhistory")),
    ])
}

/// The questions of the permission doctor: every right by every name. Rights in a database are those of the server here.
pub fn doctor(q: &Asked<'_>) -> Table {
    let version = q.moment.profile.version;
    let on_server = |name: &str| opt(q.rights.on_server(name, version), |held| int(i64::from(held)));
    let in_database = |name: &str, held: bool| {
        let known = known_permission(Securable::Database, name, version.year());
        opt(known.then_some(held), |held| int(i64::from(held)))
    };
    let msdb = |table: &str| int(i64::from(q.rights.selects_in_msdb(table)));
    let (performance, security) = (q.rights.performance, q.rights.security);
    Table::one(vec![
        ("login_name", NVarChar(128), text(&*q.session.user)),
        ("user_name", NVarChar(128), text("guest")),
        ("view_server_state", Int, on_server("VIEW SERVER STATE")),
        ("view_server_performance_state", Int, on_server("VIEW SERVER PERFORMANCE STATE")),
        ("view_server_security_state", Int, on_server("VIEW SERVER SECURITY STATE")),
        ("view_any_definition", Int, on_server("VIEW ANY DEFINITION")),
        ("connect_any_database", Int, on_server("CONNECT ANY DATABASE")),
        ("alter_trace", Int, on_server("ALTER TRACE")),
        ("view_database_state", Int, in_database("VIEW DATABASE STATE", q.rights.server_state)),
        ("view_database_performance_state", Int, in_database("VIEW DATABASE PERFORMANCE STATE", performance)),
        ("view_database_security_state", Int, in_database("VIEW DATABASE SECURITY STATE", security)),
        ("view_definition", Int, in_database("VIEW DEFINITION", q.rights.definition)),
        ("msdb_sysjobs", Int, msdb("sysjobs")),
        ("msdb_sysjobservers", Int, msdb("sysjobservers")),
        ("msdb_sysjobhistory", Int, msdb("sysjobhistory")),
    ])
}

/// Optional objects and columns that this version has.
pub fn capabilities(q: &Asked<'_>) -> Table {
    const OBJECTS: [&str; 14] = [
        "dm_os_host_info",
        "dm_os_windows_info",
        "dm_exec_input_buffer",
        "dm_exec_requests",
        "dm_os_sys_info",
        "dm_db_page_info",
        "dm_tran_version_store_space_usage",
        "dm_os_memory_health_history",
        "dm_exec_query_stats",
        "dm_tran_persistent_version_store_stats",
        "query_store_wait_stats",
        "query_store_query_variant",
        "query_store_query_hints",
        "query_store_plan_feedback",
    ];
    const COLUMNS: [&str; 6] = [
        "page_resource",
        "dop",
        "numa_node_count",
        "sql_memory_model_desc",
        "host_architecture",
        "total_spills",
    ];
    let year = q.moment.profile.version.year();
    let mut table = Table::new(&[("object_name", NVarChar(128)), ("column_name", NVarChar(128))]);
    for object in OBJECTS.iter().filter_map(|name| schema::get(Home::Sys, name)).filter(|o| o.exists_in(year))
    {
        let columns: Vec<_> = COLUMNS.iter().filter_map(|c| object.column_in(c, year)).collect();
        if columns.is_empty() {
            table.push(vec![text(object.name), Value::Null]);
        }
        for column in columns {
            table.push(vec![text(object.name), text(column.name)]);
        }
    }
    table
}

/// Databases that the login may see.
pub fn databases(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("name", NVarChar(128)),
        ("state_desc", NVarChar(60)),
        ("create_date", DateTime),
        ("recovery_model_desc", NVarChar(60)),
        ("compatibility_level", TinyInt),
        ("is_read_only", Bit),
        ("log_reuse_wait_desc", NVarChar(60)),
        ("owner_name", NVarChar(128)),
    ];
    let p = q.moment.profile;
    let newest = i64::from(p.version.major()) * 10;
    let logs = q.moment.logs();
    let rows = p.databases.iter().map(|d| {
        let is_simple = ["master", "tempdb", "msdb"].contains(&&*d.name);
        let recovery = if is_simple { "SIMPLE" } else { "FULL" };
        // Old compatibility levels stay behind after upgrades.
        let is_old = d.id > 4 && p.dice.of("compatibility").of(&d.name).chance(0.3);
        let owner = if d.id > 4 && p.dice.of("owner").of(&d.name).chance(0.2) { "deploy" } else { "sa" };
        // Other logins are seen by who may see definitions.
        let owner = opt((owner == "sa" || q.rights.definition).then_some(owner), text);
        let log = logs.iter().find(|log| log.database_id == d.id);
        let wait = log.map_or("NOTHING", |log| log.waits_for);
        let archive = Value::Bool(d.name.ends_with("_archive"));
        vec![
            int(d.id),
            text(q.moment.database_name(d)),
            text("ONLINE"),
            q.datetime(-p.uptime_ms - 90_000_000),
            text(recovery),
            int(if is_old { 110 } else { newest }),
            archive,
            text(wait),
            owner,
        ]
    });
    Table::new(&columns).with(rows)
}

/// The sizes of their files.
fn database_sizes(q: &Asked<'_>) -> Table {
    let columns = [("database_id", SmallInt), ("size_bytes", BigInt), ("log_bytes", BigInt)];
    let files = q.moment.files();
    let row = |id: i32| {
        let own = || files.iter().filter(|f| f.database_id == id);
        let size = |of: &mut dyn Iterator<Item = &File>| of.map(|f| f.size_bytes).sum::<i64>();
        let log = opt(q.rights.definition.then(|| size(&mut own().filter(|f| f.log))), int);
        vec![int(id), int(size(&mut own())), log]
    };
    Table::new(&columns).with(q.moment.profile.databases.iter().map(|d| row(d.id)))
}

/// The use of their logs, by the counters.
fn log_space(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_name", NVarChar(128)),
        ("log_reuse_wait_desc", NVarChar(60)),
        ("size_kb", BigInt),
        ("used_kb", BigInt),
        ("max_kb", BigInt),
        ("log_path", NVarChar(260)),
        ("next_growth_kb", BigInt),
        ("growth_pct", Int),
    ];
    let seen = |value: Value| if q.rights.definition { value } else { Value::Null };
    let rows = q.moment.logs().into_iter().filter_map(|log| {
        let database = q.moment.profile.database(log.database_id)?;
        Some(vec![
            text(q.moment.database_name(database)),
            text(log.waits_for),
            int(log.size_kb),
            int(log.used_kb),
            seen(opt(log.max_kb, int)),
            seen(text(log.path)),
            seen(int(if log.max_kb.is_some() { 0 } else { 65_536 })),
            Value::Null,
        ])
    });
    Table::new(&columns).with(rows)
}

/// The performance counters that dbtop asks for.
pub fn counters(q: &Asked<'_>) -> Table {
    let m = q.moment;
    let (totals, memory, tempdb) = (m.totals(), m.memory(), m.tempdb());
    let (pending, held) = m.grants();
    let whole = |name, value: i64| (name, "", value);
    let total = |name, meter| (name, "_Total", totals.get(meter));
    let rows = [
        whole("Batch Requests/sec", totals.get(Meter::Batches)),
        whole("SQL Compilations/sec", totals.get(Meter::Compilations)),
        whole("SQL Re-Compilations/sec", totals.get(Meter::Recompilations)),
        whole("Logins/sec", totals.get(Meter::Logins)),
        whole("User Connections", m.connections() + q.connected),
        whole("Processes blocked", m.blocked()),
        whole("Page life expectancy", m.page_life_s()),
        whole("Lazy writes/sec", totals.get(Meter::LazyWrites)),
        whole("Page reads/sec", totals.get(Meter::PageReads)),
        whole("Page writes/sec", totals.get(Meter::PageWrites)),
        whole("Page lookups/sec", totals.get(Meter::PageLookups)),
        whole("Page Splits/sec", totals.get(Meter::PageSplits)),
        whole("Memory Grants Pending", pending),
        whole("Memory Grants Outstanding", held),
        whole("Total Server Memory (KB)", memory.total_kb),
        whole("Target Server Memory (KB)", memory.target_kb),
        whole("Free Space in tempdb (KB)", tempdb.free_kb()),
        total("Transactions/sec", Meter::Transactions),
        total("Log Flushes/sec", Meter::LogFlushes),
        total("Log Flush Wait Time", Meter::LogFlushWait),
        total("Log Bytes Flushed/sec", Meter::LogBytes),
        total("Number of Deadlocks/sec", Meter::Deadlocks),
        total("Lock Waits/sec", Meter::LockWaits),
        total("Errors/sec", Meter::Errors),
        ("Data File(s) Size (KB)", "tempdb", tempdb.size_kb),
    ];
    Table::new(&[("counter_name", NVarChar(64)), ("instance_name", NVarChar(64)), ("cntr_value", BigInt)])
        .with(rows.into_iter().map(|(name, instance, value)| vec![text(name), text(instance), int(value)]))
}

/// Wait statistics.
pub fn waits(q: &Asked<'_>) -> Table {
    let columns = [
        ("wait_type", NVarChar(60)),
        ("waiting_tasks_count", BigInt),
        ("wait_time_ms", BigInt),
        ("max_wait_time_ms", BigInt),
        ("signal_wait_time_ms", BigInt),
    ];
    let rows = q
        .moment
        .waits()
        .into_iter()
        .map(|w| vec![text(w.name), int(w.tasks), int(w.wait_ms), int(w.max_ms), int(w.signal_ms)]);
    Table::new(&columns).with(rows)
}

/// dm_io_virtual_file_stats with the names of master_files.
pub fn files(q: &Asked<'_>) -> Table {
    let columns = [
        ("total_files", Int),
        ("all_reads", BigInt),
        ("all_bytes_read", BigInt),
        ("all_stall_read_ms", BigInt),
        ("all_writes", BigInt),
        ("all_bytes_written", BigInt),
        ("all_stall_write_ms", BigInt),
        ("database_id", SmallInt),
        ("file_id", SmallInt),
        ("logical_name", NVarChar(128)),
        ("type_desc", NVarChar(60)),
        ("physical_name", NVarChar(260)),
        ("num_of_reads", BigInt),
        ("num_of_bytes_read", BigInt),
        ("io_stall_read_ms", BigInt),
        ("num_of_writes", BigInt),
        ("num_of_bytes_written", BigInt),
        ("io_stall_write_ms", BigInt),
        ("size_on_disk_bytes", BigInt),
        ("pending_ios", Int),
        ("ios_at_os", Int),
        ("oldest_io_ms", BigInt),
    ];
    let files = q.moment.files();
    let total = files.len() as i64;
    let sum = |part: fn(&File) -> i64| files.iter().map(part).sum::<i64>();
    let sums = [
        sum(|f| f.reads),
        sum(|f| f.read_bytes),
        sum(|f| f.read_stall_ms),
        sum(|f| f.writes),
        sum(|f| f.write_bytes),
        sum(|f| f.write_stall_ms),
    ];
    let named = |name: String| opt(q.rights.definition.then_some(name), text);
    let rows = files.into_iter().map(|f| {
        vec![
            int(total),
            int(sums[0]),
            int(sums[1]),
            int(sums[2]),
            int(sums[3]),
            int(sums[4]),
            int(sums[5]),
            int(f.database_id),
            int(f.file_id),
            named(f.name),
            named(if f.log { "LOG" } else { "ROWS" }.to_owned()),
            named(f.path),
            int(f.reads),
            int(f.read_bytes),
            int(f.read_stall_ms),
            int(f.writes),
            int(f.write_bytes),
            int(f.write_stall_ms),
            int(f.size_bytes),
            int(f.pending_ios),
            // The others are done and wait for a scheduler to notice.
            int(f.pending_ios - f.pending_ios / 8),
            opt(f.oldest_io_ms, int),
        ]
    });
    Table::new(&columns).with(rows)
}

/// Schedulers, summed.
pub fn schedulers(q: &Asked<'_>) -> Table {
    let s = q.moment.schedulers();
    Table::one(vec![
        ("schedulers", Int, int(s.count)),
        ("runnable_tasks", Int, int(s.runnable)),
        ("queued_tasks", BigInt, int(s.queued)),
        ("workers", Int, int(s.workers)),
        ("active_workers", Int, int(s.active_workers)),
        ("pending_io", Int, int(s.pending_io)),
        ("max_workers", Int, int(q.moment.profile.max_workers())),
    ])
}

/// The ring buffer of the scheduler monitor.
pub fn cpu_ring(q: &Asked<'_>) -> Table {
    let columns = [("record_ticks", BigInt), ("ms_ticks", BigInt), ("record", NVarCharMax)];
    // the machine has been up a little longer than the service
    let ticks = q.moment.uptime_ms() + 240_000;
    let rows = (0..5).filter_map(|n| q.moment.cpu_ring(n)).map(|(sql, idle, age_ms)| {
        let at = ticks - age_ms;
        let record = format!(
            "<Record id = \"{id}\" type =\"RING_BUFFER_SCHEDULER_MONITOR\" time =\"{at}\"><SchedulerMonitorEvent>\
             <SystemHealth><ProcessUtilization>{sql}</ProcessUtilization><SystemIdle>{idle}</SystemIdle>\
             <UserModeTime>{user}</UserModeTime><KernelModeTime>{kernel}</KernelModeTime><PageFaults>4711</PageFaults>\
             <WorkingSetDelta>0</WorkingSetDelta><MemoryUtilization>100</MemoryUtilization></SystemHealth>\
             </SchedulerMonitorEvent></Record>",
            id = at / 60_000,
            user = sql * 6_000_000 * i64::from(q.moment.profile.cpus),
            kernel = sql * 420_000,
        );
        vec![int(at), int(ticks), text(record)]
    });
    Table::new(&columns).with(rows)
}

/// Memory clerks by type with what they hold, KB, the largest first: grants are what queries hold now, plans grow with the uptime, and
/// the buffer pool has the rest of Total Server Memory.
fn held_by_clerks(q: &Asked<'_>) -> Vec<(&'static str, i64)> {
    /// Types with their share of Total Server Memory, in thousandths.
    const SHARES: [(&str, i64); 9] = [
        ("CACHESTORE_OBJCP", 22),
        ("MEMORYCLERK_SQLSTORENG", 14),
        ("USERSTORE_SCHEMAMGR", 9),
        ("OBJECTSTORE_LOCK_MANAGER", 8),
        ("MEMORYCLERK_SOSNODE", 6),
        ("MEMORYCLERK_SQLGENERAL", 5),
        ("USERSTORE_TOKENPERM", 4),
        ("CACHESTORE_PHDR", 3),
        ("MEMORYCLERK_XE", 2),
    ];
    let (p, memory) = (q.moment.profile, q.moment.memory());
    let days = (q.moment.uptime_ms() as f64 / 86.4e6).min(30.0);
    // Many single-use plans, unless the option against them is on.
    let ad_hoc = if p.enterprise { 0.015 } else { 0.04 + days * 0.003 };
    let mut held: Vec<(&str, i64)> = SHARES
        .iter()
        .map(|(kind, share)| {
            let vary = p.dice.of("clerk").of(kind).between(0.6, 1.6);
            (*kind, (memory.total_kb as f64 * *share as f64 / 1_000.0 * vary) as i64)
        })
        .chain([
            ("CACHESTORE_SQLCP", (memory.total_kb as f64 * ad_hoc) as i64),
            ("MEMORYCLERK_SQLQERESERVATIONS", memory.granted_kb.min(memory.total_kb / 2)),
        ])
        .filter(|(_, kb)| *kb > 0)
        .collect();
    let stolen: i64 = held.iter().map(|(_, kb)| kb).sum();
    held.push((BUFFER_POOL, (memory.total_kb - stolen).max(0)));
    held.sort_by_key(|(_, kb)| std::cmp::Reverse(*kb));
    held
}

/// What the buffer pool has, KB: as its clerk says.
pub fn buffer_pool_kb(q: &Asked<'_>) -> i64 {
    held_by_clerks(q).into_iter().find(|(kind, _)| *kind == BUFFER_POOL).map_or(0, |(_, kb)| kb)
}

const BUFFER_POOL: &str = "MEMORYCLERK_SQLBUFFERPOOL";

/// Memory clerks by type.
fn clerks(q: &Asked<'_>) -> Table {
    let columns = [
        ("total_types", Int),
        ("all_pages_kb", BigInt),
        ("clerk_type", NVarChar(60)),
        ("clerks", Int),
        ("pages_kb", BigInt),
        ("virtual_kb", BigInt),
    ];
    let (p, held) = (q.moment.profile, held_by_clerks(q));
    let (types, all) = (held.len() as i64, held.iter().map(|(_, kb)| kb).sum::<i64>());
    let virtual_kb = |kind: &str| if kind == "MEMORYCLERK_XE" { 12_288 } else { 0 };
    let row = |(kind, kb): (&str, i64)| {
        vec![int(types), int(all), text(kind), int(1 + p.cpus / 24), int(kb), int(virtual_kb(kind))]
    };
    Table::new(&columns).with(held.into_iter().map(row))
}

/// Memory of machine, process and grants.
pub fn memory(q: &Asked<'_>) -> Table {
    let m = q.moment.memory();
    let waiting = |g: &Grant| g.granted_kb.is_none();
    let waiters = q.moment.work().iter().filter(|w| w.grant.as_ref().is_some_and(waiting)).count();
    Table::one(vec![
        ("total_physical_memory_kb", BigInt, int(m.physical_kb)),
        ("available_physical_memory_kb", BigInt, int(m.available_kb)),
        ("system_low_memory_signal_state", Bit, Value::Bool(m.machine_low)),
        ("physical_memory_in_use_kb", BigInt, int(m.process_kb)),
        ("process_physical_memory_low", Bit, Value::Bool(m.low)),
        ("waiter_count", Int, int(waiters as i64)),
        ("granted_memory_kb", BigInt, int(m.granted_kb)),
        ("available_memory_kb", BigInt, int(m.grantable_kb)),
    ])
}
