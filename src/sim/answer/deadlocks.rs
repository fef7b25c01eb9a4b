//! Answers about deadlocks: the sessions that record them, their files or their memory, and the reports in them as each version writes
//! them. Where somebody else runs the server, its files are out of reach: RDS has a session of its DBA with files, a Managed Instance
//! the memory of `system_health`, Azure SQL Database the memory of a session of the database.

use super::{
    asked::{Answer, Asked},
    table::{Table, int, opt, text},
};
use crate::{
    model::poll::properties::Hosting,
    sim::{
        backend::{
            ColumnType::{BigInt, DateTimeOffset, NVarChar, NVarCharMax},
            Value,
        },
        world::deadlocks::{Deadlock, Pattern, Place, Side},
    },
};
use std::fmt::Write as _;

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] =
    &[("deadlock_source", sessions), ("deadlocks", reports), ("deadlock_ring", memory)];

/// What the script asks for at most: reports, bytes of those that come whole, and characters of one that does not.
const MOST: usize = 50;
const WHOLE_BYTES: i64 = 4_000_000;
const CHARS: usize = 40_000;
/// The tasks of a parallel query that is in a deadlock.
const WIDE_TASKS: i64 = 60;
/// The number in the name of the first file: it counts from 1601 on.
const FIRST_FILE: i64 = 133_900_000_000_000_000;
/// Bytes that a server writes of a session's memory, and characters of it that the script asks for.
const RING_BYTES: usize = 4 << 20;
const RING_CHARS: usize = 2_000_000;
const HEAD_CHARS: usize = 400;
/// The session that every server has, and the one that a DBA made where that is no help.
const SYSTEM_HEALTH: &str = "system_health";
const OWN: &str = "deadlocks";

/// The session whose deadlocks can be read, and its files.
const fn session(q: &Asked<'_>) -> &'static str {
    match q.moment.profile.hosting {
        Hosting::Own | Hosting::ManagedInstance => SYSTEM_HEALTH,
        Hosting::Rds | Hosting::AzureDatabase => OWN,
    }
}

/// The path of a file of a session.
fn path_of(q: &Asked<'_>, session: &str, file: i64) -> String {
    let name = format!("{session}_0_{}.xel", FIRST_FILE + file * 72_000_000_000);
    let profile = q.moment.profile;
    match profile.hosting {
        Hosting::Rds => format!("D:\\rdsdbdata\\log\\{name}"),
        _ if profile.linux => format!("/var/opt/mssql/log/{name}"),
        _ => {
            let major = profile.version.major();
            format!("C:\\Program Files\\Microsoft SQL Server\\MSSQL{major}.MSSQLSERVER\\MSSQL\\Log\\{name}")
        }
    }
}

/// The path of a file with deadlocks in it.
fn path(q: &Asked<'_>, file: i64) -> String {
    path_of(q, session(q), file)
}

/// The sessions that record deadlocks, with their targets.
fn sessions(q: &Asked<'_>) -> Table {
    let file = |session: &str| {
        let path = path_of(q, session, q.moment.event_file());
        let data = format!(
            "<EventFileTarget truncated=\"0\"><Buffers logged=\"1204\" dropped=\"0\"/><File name=\"{path}\"/></EventFileTarget>"
        );
        vec![q.now(), text(session), text("event_file"), text(data)]
    };
    let ring = |session: &str| vec![q.now(), text(session), text("ring_buffer"), Value::Null];
    let rows = match q.moment.profile.hosting {
        Hosting::Own | Hosting::ManagedInstance => vec![file(SYSTEM_HEALTH), ring(SYSTEM_HEALTH)],
        Hosting::Rds => vec![file(OWN), file(SYSTEM_HEALTH), ring(SYSTEM_HEALTH)],
        Hosting::AzureDatabase => vec![ring(OWN)],
    };
    let columns = [
        ("server_time", DateTimeOffset(7)),
        ("name", NVarChar(256)),
        ("target_name", NVarChar(60)),
        ("target_data", NVarCharMax),
    ];
    Table::new(&columns).with(rows.into_iter())
}

/// What the session has in memory, as the server writes it: the oldest first, as many as 4 MB hold.
fn memory(q: &Asked<'_>) -> Table {
    let columns = [("ring_head", NVarCharMax), ("ring", NVarCharMax)];
    let has_ring = q.moment.profile.hosting != Hosting::Rds;
    let is_another = match q.params.first().map(|param| &param.value) {
        Some(Value::Text(name)) => name != session(q),
        _ => false,
    };
    if !has_ring || is_another {
        return Table::new(&columns);
    }
    let mut bytes = 0;
    let all = q.moment.deadlocks();
    let mut events: Vec<String> = Vec::new();
    for deadlock in &all {
        let event = Report { q, deadlock: *deadlock }.xml();
        bytes += event.len();
        if bytes > RING_BYTES {
            break;
        }
        events.push(event);
    }
    events.reverse();
    let is_cut = u8::from(events.len() < all.len());
    let mut ring = format!(
        "<RingBufferTarget truncated=\"{is_cut}\" processingTime=\"12\" totalEventsProcessed=\"{}\" eventCount=\"{}\" \
         droppedCount=\"0\" memoryUsed=\"{bytes}\">",
        all.len() + 1,
        events.len() + 1,
    );
    // Other things happen, too.
    ring.push_str("<event name=\"scheduler_monitor_system_health_ring_buffer_recorded\" package=\"sqlos\"><data name=\"id\"/></event>");
    for event in &events {
        ring.push_str(event);
    }
    ring.push_str("</RingBufferTarget>");
    let chars = ring.chars().count();
    let head: String = ring.chars().take(HEAD_CHARS).collect();
    let tail: String = ring.chars().skip(chars.saturating_sub(RING_CHARS)).collect();
    Table::new(&columns).with(std::iter::once(vec![text(head), text(tail)]))
}

/// What a batch asks of the files: one alone or all, and the place behind which it reads.
struct Wanted {
    file: Option<i64>,
    behind: Option<Place>,
}

/// Reads the parameters. The error is what a server says of a file that is not there.
fn wanted(q: &Asked<'_>) -> Result<Wanted, String> {
    let word = |n: usize| match q.params.get(n).map(|param| &param.value) {
        Some(Value::Text(word)) => Some(word.as_str()),
        _ => None,
    };
    let file = |name: &str| {
        // Files of a Managed Instance are nobody's, and none is on Azure SQL Database.
        let is_served = matches!(q.moment.profile.hosting, Hosting::Own | Hosting::Rds);
        let known = q.moment.event_files().filter(|_| is_served).find(|file| path(q, *file) == name);
        known.ok_or_else(|| {
            format!(
                "The log file name \"{name}\" is invalid. Verify that the file exists and that the SQL Server service account has access to it."
            )
        })
    };
    let alone = word(0).filter(|path| !path.contains('*')).map(file).transpose()?;
    let place = match q.params.get(2).map(|param| &param.value) {
        Some(Value::Int(place)) => Some(*place),
        _ => None,
    };
    let behind = match (word(1), place) {
        (Some(name), Some(place)) => Some((file(name)?, place)),
        _ => None,
    };
    Ok(Wanted { file: alone, behind })
}

/// Why these files cannot be read.
pub fn refusal(q: &Asked<'_>) -> Option<String> {
    wanted(q).err()
}

/// The reports that are wanted, the newest first.
fn reports(q: &Asked<'_>) -> Table {
    let columns = [
        ("file_name", NVarChar(260)),
        ("file_offset", BigInt),
        ("report_bytes", BigInt),
        ("report", NVarCharMax),
    ];
    let Ok(wanted) = wanted(q) else { return Table::new(&columns) };
    let is_wanted = |deadlock: &Deadlock| {
        let place = deadlock.place();
        wanted.file.is_none_or(|file| file == place.0) && wanted.behind.is_none_or(|behind| place > behind)
    };
    let told: Vec<(Place, String, i64)> = q
        .moment
        .deadlocks()
        .into_iter()
        .filter(is_wanted)
        .take(MOST)
        .map(|deadlock| {
            let xml = Report { q, deadlock }.xml();
            let bytes = xml.encode_utf16().count() as i64 * 2;
            (deadlock.place(), xml, bytes)
        })
        .collect();
    let whole = whole(&told.iter().map(|(.., bytes)| *bytes).collect::<Vec<_>>());
    let rows = told.into_iter().zip(whole).map(|(((file, offset), xml, bytes), is_whole)| {
        let xml = if is_whole { xml } else { xml.chars().take(CHARS).collect() };
        vec![text(path(q, file)), int(offset), opt(Some(bytes), int), text(xml)]
    });
    Table::new(&columns).with(rows)
}

/// Which reports of these lengths come whole: the shortest first.
fn whole(bytes: &[i64]) -> Vec<bool> {
    let mut by_length: Vec<usize> = (0..bytes.len()).collect();
    by_length.sort_by_key(|at| bytes[*at]);
    let (mut sum, mut whole) = (0, vec![false; bytes.len()]);
    for at in by_length {
        sum += bytes[at];
        whole[at] = sum <= WHOLE_BYTES;
    }
    whole
}

/// A report to be written.
struct Report<'a> {
    q: &'a Asked<'a>,
    deadlock: Deadlock,
}

/// A lock between the two: its table and index, and who has it in which mode.
struct Lock {
    table: String,
    index: &'static str,
    /// the side that has it: 0 or 1
    owner: usize,
    held: &'static str,
    wanted: &'static str,
    converts: bool,
}

impl Report<'_> {
    fn xml(&self) -> String {
        let at = self.q.moment.fleet.utc_origin_ms + self.deadlock.at_ms + self.q.moment.clock_error_ms();
        let mut xml = format!(
            "<event name=\"{}xml_deadlock_report\" package=\"sqlserver\" timestamp=\"{}\"><data name=\"xml_report\"><type name=\"xml\" package=\"package0\"/><value><deadlock>",
            if self.q.moment.profile.hosting == Hosting::AzureDatabase { "database_" } else { "" },
            instant(at)
        );
        let sides = [0, 1].map(|n| Side::of(self.q.moment, self.deadlock, n));
        let locks = self.locks();
        let _ =
            write!(xml, "<victim-list><victimProcess id=\"{}\"/></victim-list><process-list>", sides[0].id);
        for (n, side) in sides.iter().enumerate() {
            let wants = locks.iter().find(|lock| lock.owner != n);
            self.process(side, wants, n, &mut xml);
        }
        self.tasks(&sides[1], &mut xml);
        xml.push_str("</process-list><resource-list>");
        for (n, lock) in locks.iter().enumerate() {
            self.lock(lock, n, &sides, &mut xml);
        }
        xml.push_str("</resource-list></deadlock></value></data></event>");
        xml
    }

    /// The table of the area, without the brackets that code has.
    fn table(&self, name: &str) -> String {
        format!("{}.{}", self.database(), name.replace(['[', ']'], ""))
    }

    fn database(&self) -> &str {
        self.q.moment.profile.user_databases().first().map_or("master", |database| database.name.as_str())
    }

    fn locks(&self) -> [Lock; 2] {
        let theme = self.q.moment.profile.theme;
        let lock = |table: &str, index, owner, held, wanted| Lock {
            table: self.table(table),
            index,
            owner,
            held,
            wanted,
            converts: false,
        };
        match self.deadlock.pattern {
            Pattern::KeyLookup => {
                [lock(theme.table, "PK_Main", 1, "X", "S"), lock(theme.table, "IX_ChangedAt", 0, "S", "X")]
            }
            Pattern::OppositeOrder => {
                [lock(theme.table, "PK_Main", 1, "X", "U"), lock(theme.detail, "PK_Detail", 0, "X", "U")]
            }
            Pattern::Conversion => [
                Lock { converts: true, ..lock(theme.detail, "PK_Detail", 1, "S", "X") },
                Lock { converts: true, ..lock(theme.detail, "PK_Detail", 0, "S", "X") },
            ],
        }
    }

    /// With optimized locking a changed row is locked by the transaction that changed it, and who waits for the row asks to share that:
    /// 2025, and Azure SQL Database. Locks that are kept to read again are locks of keys there, too.
    fn is_of_transaction(&self, lock: &Lock) -> bool {
        let profile = self.q.moment.profile;
        let is_optimized = profile.version.year() >= 2025 || profile.hosting == Hosting::AzureDatabase;
        is_optimized && lock.held == "X"
    }

    fn wanted(&self, lock: &Lock) -> &'static str {
        if self.is_of_transaction(lock) { "S" } else { lock.wanted }
    }

    /// The number of a side's transaction among those that are open.
    const fn xdes(&self, side: usize) -> i64 {
        self.deadlock.number.rem_euclid(1 << 30) + side as i64
    }

    /// What a side waits for, in the server's words.
    fn wait_resource(&self, side: &Side, wants: Option<&Lock>, n: usize, database: i32) -> String {
        let key = format!("KEY: {database}:{} ({})", 72_057_594_043_957_248 + n as i64, side.hash);
        match wants.filter(|lock| self.is_of_transaction(lock)) {
            Some(lock) => format!("XACT: {database}:{}:0 {key}", self.xdes(lock.owner)),
            None => key,
        }
    }

    fn process(&self, side: &Side, wants: Option<&Lock>, n: usize, xml: &mut String) {
        let year = self.q.moment.profile.version.year();
        let database = self.q.moment.profile.user_databases().first().map_or(1, |database| database.id);
        let mode = wants.map_or("S", |lock| self.wanted(lock));
        let _ = write!(
            xml,
            "<process id=\"{}\" taskpriority=\"0\" logused=\"{}\" waitresource=\"{}\" waittime=\"{}\" \
             ownerId=\"{}\" transactionname=\"{}\" XDES=\"0x1b5{:x}\" lockMode=\"{mode}\" schedulerid=\"{}\" kpid=\"{}\" \
             status=\"suspended\" spid=\"{}\" sbid=\"0\" ecid=\"0\" priority=\"0\" trancount=\"{}\" clientapp=\"{}\" \
             hostname=\"{}\" hostpid=\"{}\" loginname=\"{}\" isolationlevel=\"{}\" xactid=\"{}\" currentdb=\"{database}\"",
            side.id,
            side.log_used,
            self.wait_resource(side, wants, n, database),
            side.waited_ms,
            side.transaction,
            if side.log_used > 0 { "user_transaction" } else { "SELECT" },
            side.transaction,
            n + 1,
            4_000 + side.spid * 4,
            side.spid,
            if side.log_used > 0 { 2 } else { 0 },
            escaped(&side.program),
            escaped(&side.host),
            2_000 + side.spid,
            escaped(&side.login),
            if self.deadlock.pattern == Pattern::Conversion {
                "repeatable read (3)"
            } else {
                "read committed (2)"
            },
            side.transaction,
        );
        if year >= 2017 {
            let _ = write!(xml, " currentdbname=\"{}\"", escaped(self.database()));
        }
        xml.push_str(" lockTimeout=\"4294967295\" clientoption1=\"671088672\" clientoption2=\"128056\">");
        if year >= 2022 {
            native_stack(side, xml);
        }
        let module = format!("{}.dbo.{}", self.database(), self.module(n));
        let line = 12 + n * 28;
        let _ = write!(
            xml,
            "<executionStack><frame procname=\"{}\" line=\"{line}\" stmtstart=\"{}\" stmtend=\"{}\" \
             sqlhandle=\"0x03000700{}\">\n{}    </frame><frame procname=\"adhoc\" line=\"1\" stmtstart=\"40\" \
             sqlhandle=\"0x02000000{}\">\nunknown    </frame></executionStack><inputbuf>\nProc [Database Id = {database} \
             Object Id = {}]   </inputbuf></process>",
            escaped(&module),
            line * 44,
            line * 44 + 190,
            side.hash,
            escaped(&self.statement(n)),
            side.hash,
            901_578_250 + n as i64 * 16,
        );
    }

    /// The other tasks of a parallel query: now and then a report is long.
    fn tasks(&self, side: &Side, xml: &mut String) {
        if !self.deadlock.is_wide {
            return;
        }
        for ecid in 1..=WIDE_TASKS {
            let _ = write!(
                xml,
                "<process id=\"{}t{ecid}\" taskpriority=\"0\" logused=\"0\" waittime=\"{}\" schedulerid=\"{}\" \
                 status=\"suspended\" spid=\"{}\" ecid=\"{ecid}\" priority=\"0\" clientapp=\"{}\" hostname=\"{}\" \
                 loginname=\"{}\" isolationlevel=\"read committed (2)\" xactid=\"{}\">",
                side.id,
                side.waited_ms,
                ecid % 8,
                side.spid,
                escaped(&side.program),
                escaped(&side.host),
                escaped(&side.login),
                side.transaction,
            );
            if self.q.moment.profile.version.year() >= 2022 {
                native_stack(side, xml);
            }
            xml.push_str("<executionStack/><inputbuf/></process>");
        }
    }

    fn module(&self, n: usize) -> &'static str {
        match (self.deadlock.pattern, n) {
            (Pattern::KeyLookup, 0) => "usp_ListRecent",
            (Pattern::KeyLookup, _) => "usp_SetStatus",
            (Pattern::OppositeOrder, 0) => "usp_Book",
            (Pattern::OppositeOrder, _) => "usp_Cancel",
            (Pattern::Conversion, 0) => "usp_Reserve",
            (Pattern::Conversion, _) => "usp_Release",
        }
    }

    fn statement(&self, n: usize) -> String {
        let theme = self.q.moment.profile.theme;
        let (table, detail, key, amount) = (theme.table, theme.detail, theme.key, theme.amount);
        match (self.deadlock.pattern, n) {
            (Pattern::KeyLookup, 0) => {
                format!("SELECT o.{key}, o.{amount} FROM {table} AS o WHERE o.ChangedAt >= @from")
            }
            (Pattern::KeyLookup, _) => {
                format!("UPDATE {table} SET Status = @status, ChangedAt = SYSUTCDATETIME() WHERE {key} = @id")
            }
            (Pattern::OppositeOrder, 0) => format!("UPDATE {table} SET {amount} += @more WHERE {key} = @id"),
            (Pattern::OppositeOrder, _) => format!("UPDATE {detail} SET Cancelled = 1 WHERE {key} = @id"),
            (Pattern::Conversion, 0) => format!("UPDATE {detail} SET Reserved = 1 WHERE {key} = @id"),
            (Pattern::Conversion, _) => format!("UPDATE {detail} SET Reserved = 0 WHERE {key} = @id"),
        }
    }

    fn lock(&self, lock: &Lock, n: usize, sides: &[Side; 2], xml: &mut String) {
        let (owner, waiter) = if lock.owner == 0 { (&sides[0], &sides[1]) } else { (&sides[1], &sides[0]) };
        let database = self.q.moment.profile.user_databases().first().map_or(1, |database| database.id);
        let hobt = 72_057_594_043_957_248 + n as i64;
        let request = if lock.converts { "convert" } else { "wait" };
        let row = format!(
            "keylock hobtid=\"{hobt}\" dbid=\"{database}\" objectname=\"{}\" indexname=\"{}\"",
            escaped(&lock.table),
            lock.index
        );
        let own = format!("id=\"lock{n}{}\" mode=\"{}\"", owner.hash, lock.held);
        let kind = if self.is_of_transaction(lock) {
            let xdes = self.xdes(lock.owner);
            let _ = write!(
                xml,
                "<xactlock xdesIdLow=\"{xdes}\" xdesIdHigh=\"0\" dbid=\"{database}\" {own}><UnderlyingResource><{row}/></UnderlyingResource>"
            );
            "xactlock"
        } else {
            let _ = write!(xml, "<{row} {own} associatedObjectId=\"{hobt}\">");
            "keylock"
        };
        let _ = write!(
            xml,
            "<owner-list><owner id=\"{}\" mode=\"{}\"/></owner-list><waiter-list><waiter id=\"{}\" mode=\"{}\" \
             requestType=\"{request}\"/></waiter-list></{kind}>",
            owner.id,
            lock.held,
            waiter.id,
            self.wanted(lock),
        );
    }
}

/// The native stack that a task has from 2022 on: most of the bytes of a report.
fn native_stack(side: &Side, xml: &mut String) {
    xml.push_str("<stackFrames>");
    for n in 0..40_i64 {
        let module = ["sqldk", "sqllang", "sqlmin", "ntdll", "KERNEL32"][(n % 5) as usize];
        let _ = write!(
            xml,
            "<frame id=\"{n:02}\" address=\"0x{:016X}\" pdb=\"{module}.pdb\" age=\"2\" guid=\"{}-0000-0000-0000-000000000000\" \
             module=\"{module}\" rva=\"0x{:X}\"/>",
            0x7ff8_1000_0000_i64 + n * 0x1_2f40 + side.spid,
            side.hash.get(..8).unwrap_or("00000000"),
            0x1_2f40 * (n + 1),
        );
    }
    xml.push_str("</stackFrames>");
}

/// `2026-11-29T14:02:11.250Z`
fn instant(utc_ms: i64) -> String {
    let day = crate::model::base::time::Timestamp::from_ms(utc_ms).day();
    let ms = utc_ms.rem_euclid(86_400_000);
    format!("{day}T{:02}:{:02}:{:02}.{:03}Z", ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_come_whole_as_long_as_they_fit_together() {
        assert_eq!(whole(&[]), [false; 0]);
        assert_eq!(whole(&[3_000_000, 20_000, 2_000_000, 900_000]), [false, true, true, true]);
        assert_eq!(whole(&[WHOLE_BYTES + 2]), [false]);
    }
}
