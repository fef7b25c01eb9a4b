//! Answers about plans and single sessions, which are asked on demand: plans by query hash and by session, waits and input of a session,
//! the buffer pool.

use super::{
    asked::{Answer, Asked},
    handle::Handle,
    server::buffer_pool_kb,
    showplan::{self, Picture, Run, Shape},
    table::{Table, int, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{BigInt, Binary, DateTime, Int, NVarChar, NVarCharMax, SmallInt},
        Value,
    },
    world::{
        queries::{self, VICTIMS},
        texts::{Filled, TEXTS},
        work::{TextRef, Work},
    },
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("buffer_pool", buffer_pool),
    ("plan_live", plan_live),
    ("plan_session", plan_session),
    ("plans_cached", plans_cached),
    ("plans_last", plans_last),
    ("session_input", session_input),
    ("session_waits", session_waits),
];

/// Pages of a MB.
const PAGES: i64 = 128;

impl Asked<'_> {
    /// The query hash of a text.
    pub(super) fn query_hash(&self, template: u16) -> [u8; 8] {
        queries::hash(self.moment.profile, template)
    }

    /// The plan hash of a text: each of its plans has its own.
    pub(super) fn plan_hash(&self, template: u16, plan: u8) -> [u8; 8] {
        self.moment.profile.dice.of("plan").at(i64::from(template)).at(i64::from(plan)).bytes::<8>()
    }

    /// The database keeps the last actual plans: somebody has switched that on, in every other one.
    fn keeps_last_plans(&self) -> bool {
        let is_looked_at = VICTIMS.iter().any(|victim| self.moment.is(victim.kind));
        self.moment.profile.version.year() >= 2019
            && (is_looked_at || self.moment.profile.dice.of("last plans").chance(0.5))
    }

    /// The number of the plan that a request runs by.
    fn plan_of(&self, template: u16) -> u8 {
        let hit = VICTIMS.iter().find(|victim| victim.template == template && self.moment.is(victim.kind));
        hit.map_or(0, |victim| victim.plan)
    }

    /// It profiles requests: since 2019 all do, before it those where somebody set trace flag 7412.
    fn profiles(&self) -> bool {
        let profile = self.moment.profile;
        profile.version.year() >= 2019 || profile.dice.of("flag 7412").chance(0.5)
    }

    fn first_param(&self) -> Option<&Value> {
        self.params.first().map(|param| &param.value)
    }

    /// The text whose query hash is asked for.
    fn template(&self) -> Option<u16> {
        let Some(Value::Bytes(hash)) = self.first_param() else { return None };
        (0..TEXTS.len() as u16).find(|template| self.query_hash(*template)[..] == hash[..])
    }

    /// The work of the session that is asked for.
    fn of_session(&self) -> impl Iterator<Item = &Work> {
        let wanted = match self.first_param() {
            Some(Value::Int(id)) => Some(*id),
            _ => None,
        };
        self.running().filter(move |work| Some(i64::from(work.spid)) == wanted)
    }

    /// The plan of a statement alone.
    pub(super) fn plan(&self, handle: Handle, plan: u8, run: Option<Run>) -> String {
        self.document(handle, plan, run, false)
    }

    /// The plan of the whole batch: a procedure has another statement beside the one that counts.
    fn batch(&self, handle: Handle, plan: u8, run: Option<Run>) -> String {
        self.document(handle, plan, run, true)
    }

    fn document(&self, handle: Handle, plan: u8, run: Option<Run>, is_whole: bool) -> String {
        let template = handle.text.template;
        let filled = handle.fill(self.moment);
        let statement = filled.as_ref().map_or_else(String::new, statement);
        let profile = self.moment.profile;
        let own = Shape {
            version: profile.version,
            statement: &statement,
            theme: profile.theme,
            database: profile.database(handle.database_id).map_or("master", |d| d.name.as_str()),
            query_hash: u64::from_be_bytes(self.query_hash(template)),
            plan_hash: u64::from_be_bytes(self.plan_hash(template, plan)),
            plan: Picture::of(plan),
            run,
        };
        let build = profile.product_version();
        let beside = filled.as_ref().filter(|_| is_whole).and_then(|filled| beside(template, &filled.text));
        let Some(Beside { text, is_before, times }) = beside else {
            return showplan::document(profile.version, &build, &[own]);
        };
        let dice = profile.dice.of("beside").at(i64::from(template));
        // Of a request that runs only the statement at work has figures.
        let ended = run.filter(|run| run.done >= 1.0);
        let ran =
            |run: Run| Run { ms: (run.ms.0.saturating_mul(times), run.ms.1.saturating_mul(times)), ..run };
        let other = Shape {
            statement: text,
            query_hash: u64::from_be_bytes(dice.of("query").bytes()),
            plan_hash: u64::from_be_bytes(dice.of("plan").bytes()),
            plan: Picture::Seek,
            run: ended.map(ran),
            ..own
        };
        let both = if is_before { [other, own] } else { [own, other] };
        showplan::document(profile.version, &build, &both)
    }

    /// A text where it is usually run.
    fn handle_of(&self, template: u16) -> Handle {
        let database_id = self.moment.profile.user_databases().first().map_or(1, |database| database.id);
        Handle { text: TextRef { template, variant: 0 }, database_id }
    }
}

/// The running statement of a batch.
fn statement(filled: &Filled) -> String {
    let units: Vec<u16> = filled.text.encode_utf16().collect();
    let start = usize::try_from(filled.start / 2).unwrap_or(0);
    // -1 stands for the end of the batch.
    let end = usize::try_from(filled.end).map_or(units.len(), |end| end / 2 + 1);
    String::from_utf16_lossy(units.get(start..end).unwrap_or(&units))
}

/// Another statement of a procedure.
struct Beside<'a> {
    text: &'a str,
    is_before: bool,
    /// it takes so many times as long
    times: i64,
}

/// Procedures with another statement: where that begins, whether it comes first, and how many times as long it takes. Where it takes
/// longer, the heaviest of the batch is not what was asked for.
const BESIDE: [(&str, &str, bool, i64); 6] = [
    ("dbo.usp_GetPage", "DECLARE @skip", true, 0),
    ("dbo.usp_Settle", "INSERT INTO dbo.Outbox", false, 2),
    ("rpt.usp_MonthlyTurnover", "INSERT #keys", true, 3),
    ("etl.LoadIncrement", "UPDATE etl.Watermark", false, 0),
    ("dbo.usp_PurgeHistory", "SET @n =", false, 0),
    ("dbo.fn_Rounded", "RETURN ROUND", false, 0),
];

fn beside(template: u16, text: &str) -> Option<Beside<'_>> {
    let name = TEXTS.get(usize::from(template))?.proc?;
    let (_, begin, is_before, times) = BESIDE.into_iter().find(|(of, ..)| *of == name)?;
    let rest = text.get(text.find(begin)?..)?;
    Some(Beside { text: rest.split(';').next()?, is_before, times })
}

/// The plans of a query: one; after a regression the bad one, and the good one of before beside it.
fn plans_cached(q: &Asked<'_>) -> Table {
    let columns = [
        ("query_plan_hash", Binary(8)),
        ("creation_time", DateTime),
        ("last_execution_time", DateTime),
        ("execution_count", BigInt),
        ("total_worker_time", BigInt),
        ("total_elapsed_time", BigInt),
        ("query_plan", NVarCharMax),
    ];
    let mut table = Table::new(&columns);
    let Some(template) = q.template().filter(|_| q.rights.performance) else { return table };
    let cached = q.moment.queries().into_iter().find(|query| query.template == template);
    // A request that runs for the first time is not counted yet, and its plan is there all the same.
    let handle = cached.as_ref().map_or_else(
        || q.handle_of(template),
        |query| Handle { text: TextRef { template, variant: 0 }, database_id: query.database_id },
    );
    let figures = cached.as_ref().map_or([1, 9_000, 11_000], |query| {
        [query.total.runs.max(1), query.total.cpu_us, query.total.elapsed_us]
    });
    let plan = cached.as_ref().map_or(0, |query| query.plan);
    let created_ms = cached.as_ref().map_or(q.moment.at_ms - 60_000, |query| query.created_ms);
    let last_ms = cached.as_ref().map_or(q.moment.at_ms - 2_000, |query| query.last_ms);
    let mut push = |plan: u8, created_ms: i64, last_ms: i64, [runs, cpu, elapsed]: [i64; 3]| {
        table.push(vec![
            Value::Bytes(q.plan_hash(template, plan).to_vec()),
            q.datetime(created_ms),
            q.datetime(last_ms),
            int(runs),
            int(cpu),
            int(elapsed),
            text(q.plan(handle, plan, None)),
        ]);
    };
    push(plan, created_ms, last_ms, figures);
    if plan != 0 {
        push(0, created_ms - 7_200_000, created_ms - 1_000, [400, 3_600_000, 4_500_000]);
    }
    table
}

/// The last actual plan of a query, where they are kept: rows and times of one run.
fn plans_last(q: &Asked<'_>) -> Table {
    let mut table = Table::new(&[
        ("query_plan_hash", Binary(8)),
        ("last_execution_time", DateTime),
        ("last_worker_time", BigInt),
        ("last_elapsed_time", BigInt),
        ("query_plan", NVarCharMax),
    ]);
    let Some(template) = q.template().filter(|_| q.rights.performance && q.keeps_last_plans()) else {
        return table;
    };
    if let Some(query) = q.moment.queries().into_iter().find(|query| query.template == template) {
        let handle = Handle { text: TextRef { template, variant: 0 }, database_id: query.database_id };
        let [cpu, elapsed] = [query.run.cpu_us, query.run.elapsed_us];
        let ms = ((elapsed / 1_000).max(1), (cpu / 1_000).max(1));
        let run = Run { ms, done: 1.0, counts_cpu: true };
        table.push(vec![
            Value::Bytes(q.plan_hash(template, query.plan).to_vec()),
            q.datetime(query.last_ms),
            int(cpu),
            int(elapsed),
            text(q.batch(handle, query.plan, Some(run))),
        ]);
    }
    table
}

/// What a session runs, with rows so far.
fn plan_live(q: &Asked<'_>) -> Table {
    let columns = [("request_id", Int), ("query_plan", NVarCharMax)];
    Table::new(&columns).with(q.of_session().map(|work| {
        let elapsed = q.moment.at_ms - work.started_ms;
        let handle = Handle { text: work.text, database_id: work.database_id };
        let done = (elapsed as f64 / 600_000.0).clamp(0.02, 0.97);
        let plan = q.plan_of(work.text.template);
        let counts_cpu = q.moment.profile.version.year() >= 2019;
        let run = Run { ms: (elapsed, work.cpu_ms), done, counts_cpu };
        vec![int(0), opt(q.profiles().then(|| q.batch(handle, plan, Some(run))), text)]
    }))
}

/// What a session runs, as estimated.
fn plan_session(q: &Asked<'_>) -> Table {
    let columns = [
        ("request_id", Int),
        ("start_time", DateTime),
        ("total_elapsed_time", Int),
        ("cpu_time", Int),
        ("query_hash", Binary(8)),
        ("query_plan_hash", Binary(8)),
        ("query_plan", NVarCharMax),
    ];
    Table::new(&columns).with(q.of_session().map(|work| {
        let elapsed = q.moment.at_ms - work.started_ms;
        let handle = Handle { text: work.text, database_id: work.database_id };
        let template = work.text.template;
        let plan = q.plan_of(template);
        vec![
            int(0),
            q.datetime(work.started_ms),
            int(elapsed),
            int(work.cpu_ms),
            Value::Bytes(q.query_hash(template).to_vec()),
            Value::Bytes(q.plan_hash(template, plan).to_vec()),
            text(q.plan(handle, plan, None)),
        ]
    }))
}

/// What the client of a session sent: a call of its procedure, or the batch; and the statement that runs.
fn session_input(q: &Asked<'_>) -> Table {
    let columns = [
        ("request_id", Int),
        ("event_type", NVarChar(256)),
        ("parameters", SmallInt),
        ("full_chars", Int),
        ("event_info", NVarCharMax),
        ("statement_text", NVarCharMax),
    ];
    let wanted = match q.first_param() {
        Some(Value::Int(id)) => Some(*id),
        _ => None,
    };
    let of_it = q.visible().iter().filter(|work| Some(i64::from(work.spid)) == wanted);
    Table::new(&columns).with(of_it.map(|work| {
        let handle = Handle { text: work.text, database_id: work.database_id };
        let module = TEXTS.get(usize::from(work.text.template)).and_then(|text| text.proc);
        let database = q.moment.profile.database(work.database_id).map_or("master", |d| d.name.as_str());
        let (event, sent) = match module {
            Some(module) => ("RPC Event", format!("{database}.{module};1").encode_utf16().collect()),
            None => ("Language Event", handle.server_text(q.moment).units),
        };
        let runs = work.slept_since_ms.is_none();
        vec![
            opt(runs.then_some(0), int),
            text(event),
            int(0),
            int(sent.len() as i64),
            Value::Utf16(sent),
            opt(handle.fill(q.moment).filter(|_| runs).map(|filled| statement(&filled)), text),
        ]
    }))
}

/// What a session has waited for: its wait of now, and what it had before.
fn session_waits(q: &Asked<'_>) -> Table {
    let columns = [
        ("wait_type", NVarChar(60)),
        ("waiting_tasks_count", BigInt),
        ("wait_time_ms", BigInt),
        ("max_wait_time_ms", BigInt),
        ("signal_wait_time_ms", BigInt),
    ];
    let mut table = Table::new(&columns);
    for work in q.of_session() {
        if let Some(wait) = work.wait.as_ref().filter(|wait| wait.ms > 0) {
            table.push(vec![text(&*wait.kind), int(3), int(wait.ms), int(wait.ms), int(wait.ms / 50)]);
        }
        let before = (work.cpu_ms / 8).max(1);
        table.push(vec![text(work.last_wait), int(40), int(before), int(before / 4 + 1), int(before / 10)]);
    }
    table
}

/// The buffer pool: each database has its share of the clerk's pages by its size, but no more than it has pages itself; the rest is free.
fn buffer_pool(q: &Asked<'_>) -> Table {
    let columns = [("database_id", Int), ("pages", BigInt), ("modified_pages", BigInt)];
    let profile = q.moment.profile;
    let all_mb: i64 = profile.databases.iter().map(|database| database.size_mb).sum::<i64>().max(1);
    let pool_mb = buffer_pool_kb(q) / 1024;
    Table::new(&columns).with(profile.databases.iter().map(|database| {
        let mb = (pool_mb * database.size_mb / all_mb).min(database.size_mb);
        vec![int(i64::from(database.id)), int(mb * PAGES), int(mb * PAGES / 40)]
    }))
}
