//! Requests added up by a common field.

use super::{Line, RequestRow};
use crate::model::{
    base::{figure, filter::Value},
    fold::snapshot::InstanceSnapshot,
    inventory::instance::InstanceId,
    poll::activity::Request,
};
use crate::tui::{
    id::{GroupBy, RowKey},
    view::View,
    widget::{
        canvas::width,
        cell::CellText,
        column::{self, Kind, ms, whole, words},
        document::Document,
        table::Rows,
    },
};
use std::{collections::HashMap, fmt::Write as _, sync::Arc};

impl GroupBy {
    /// The next one in turn; None ends grouping.
    pub const fn after(current: Option<Self>, narrowed: bool) -> Option<Self> {
        match current {
            None => Some(Self::Database),
            Some(Self::Database) => Some(Self::Login),
            Some(Self::Login) => Some(Self::Program),
            Some(Self::Program) => Some(Self::Host),
            Some(Self::Host) => Some(Self::Hash),
            Some(Self::Hash) if !narrowed => Some(Self::Instance),
            Some(Self::Hash | Self::Instance) => None,
        }
    }

    /// For the title.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Login => "login",
            Self::Program => "program",
            Self::Host => "host",
            Self::Hash => "query hash",
            Self::Instance => "instance",
        }
    }

    /// Head of the column of names.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Database => "DATABASE",
            Self::Login => "LOGIN",
            Self::Program => "PROGRAM",
            Self::Host => "HOST",
            Self::Hash => "QUERY HASH",
            Self::Instance => "INSTANCE",
        }
    }

    /// The group of a request.
    pub fn of(self, i: &InstanceSnapshot, r: &Request) -> Arc<str> {
        let text = |v: &Option<Arc<str>>| v.clone().unwrap_or_else(|| "–".into());
        match self {
            Self::Database => text(&r.database),
            Self::Login => text(&r.login),
            Self::Program => r.job.clone().unwrap_or_else(|| text(&r.program)),
            Self::Host => text(&r.host),
            Self::Hash => r.query_hash.map_or_else(|| "–".into(), |h| format!("0x{h:016X}").into()),
            Self::Instance => i.id().as_str().into(),
        }
    }
}

/// A group's sums.
#[derive(Debug)]
pub struct Group {
    /// the value that its requests share
    pub name: Arc<str>,
    requests: i64,
    blocked: i64,
    blocks: i64,
    cpu_ms: i64,
    cpu_delta_ms: i64,
    reads: i64,
    tasks: i64,
    grant_kb: i64,
    longest_ms: i64,
    /// the longest request
    longest: Line,
    /// the longest one whose statement is known
    told: Option<Line>,
    instances: Vec<InstanceId>,
    waits: HashMap<Arc<str>, i64>,
}

/// Writes a sum.
type Push = fn(&mut String, f64);

/// Most requests that the details list.
const MOST_REQUESTS: usize = 40;

/// The value that the requests of a group share.
pub const NAME: &str = "group";

/// Rows of requests added up: a group each.
#[derive(Debug)]
pub enum Groups {}

impl Kind for Groups {
    type Row<'a> = GroupRow<'a>;
}

/// A group as a row.
#[derive(Clone, Copy)]
pub struct GroupRow<'a> {
    /// the group
    pub group: &'a Group,
    /// for styles and statements
    pub view: &'a View<'a>,
}

type Column = column::Column<Groups>;

/// The columns of groups.
pub const COLUMNS: &[Column] = &[
    Column::text(NAME, "GROUP", 26, 0)
        .at_least(12)
        .frozen()
        .value(|r| words(Some(&r.group.name)))
        .cell(|r, _, out| name(r, out)),
    Column::number("requests", "REQUESTS", 8, 0)
        .value(|r| whole(Some(r.group.requests)))
        .cell(|r, _, out| out.fmt(r.view.theme.base, format_args!("{}", r.group.requests))),
    // Who is blocked is worth more than who computes.
    Column::number("blocked", "BLOCKED", 7, 1).or("BLK", 4).value(|r| whole(Some(r.group.blocked))).cell(
        |r, _, out| {
            let t = r.view.theme;
            out.fmt(if r.group.blocked > 0 { t.warning } else { t.dim }, format_args!("{}", r.group.blocked));
        },
    ),
    Column::number("blocks", "BLOCKS", 6, 4).value(|r| whole(Some(r.group.blocks))).cell(|r, _, out| {
        let t = r.view.theme;
        out.fmt(if r.group.blocks > 0 { t.critical } else { t.dim }, format_args!("{}", r.group.blocks));
    }),
    Column::number("longest", "LONGEST", 8, 1).value(|r| ms(Some(r.group.longest_ms))).cell(|r, _, out| {
        out.with(r.view.theme.base, |s| figure::push_wait(s, r.group.longest_ms as f64));
    }),
    Column::number("cpu", "CPU", 8, 2).value(|r| ms(Some(r.group.cpu_ms))).cell(wait),
    Column::number("cpu_delta", "+CPU", 8, 2).value(|r| ms(Some(r.group.cpu_delta_ms))).cell(wait),
    Column::number("tasks", "TASKS", 6, 7).value(|r| whole(Some(r.group.tasks))).cell(count),
    Column::number("grant", "GRANT", 8, 8)
        .value(|r| column::size(Some(r.group.grant_kb), 1024.0))
        .cell(|r, v, out| sum(r, v, out, figure::push_size)),
    Column::number("reads", "READS", 7, 6).value(|r| whole(Some(r.group.reads))).cell(count),
    Column::text("wait", "TOP WAIT", 20, 5)
        .value(|r| words(r.group.top_wait().map(|w| &**w)))
        .cell(|r, v, out| out.put(r.view.theme.base, v.and_then(Value::text).unwrap_or("–"))),
    // What the sums are of is worth more than most of them.
    Column::text("sql", "LONGEST STATEMENT", 44, 1).at_least(18).growing().cell(|r, _, out| {
        let dim = r.view.theme.dim;
        match r.group.shown(r.view) {
            Some(row) if row.statement.is_some() => {
                super::request::push_statement(out, row.statement, false, dim, dim);
            }
            _ => out.put(dim, "no text yet"),
        }
    }),
];

fn name(r: &GroupRow<'_>, out: &mut CellText) {
    let (g, t) = (r.group, r.view.theme);
    out.put(t.strong, &g.name);
    if g.instances.len() > 1 {
        out.fmt(t.dim, format_args!(" · {} instances", g.instances.len()));
    }
}

/// A sum that is dim when it is zero.
fn sum(r: &GroupRow<'_>, v: Option<Value<'_>>, out: &mut CellText, draw: Push) {
    let t = r.view.theme;
    if let Some(v) = v.and_then(Value::figure) {
        out.with(if v == 0.0 { t.dim } else { t.base }, |s| draw(s, v));
    }
}

fn wait(r: &GroupRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    sum(r, v, out, figure::push_wait);
}

fn count(r: &GroupRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    sum(r, v, out, figure::push_count);
}

/// Adds requests up.
pub fn collect(lines: &[Line], by: GroupBy, view: &View<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<Arc<str>, usize> = HashMap::new();
    for l in lines {
        let Some((i, r)) = l.request(view) else { continue };
        let name = by.of(i, r);
        let at = *index.entry(Arc::clone(&name)).or_insert_with(|| {
            groups.push(Group {
                name,
                requests: 0,
                blocked: 0,
                blocks: 0,
                cpu_ms: 0,
                cpu_delta_ms: 0,
                reads: 0,
                tasks: 0,
                grant_kb: 0,
                longest_ms: i64::MIN,
                longest: *l,
                told: None,
                instances: Vec::new(),
                waits: HashMap::new(),
            });
            groups.len() - 1
        });
        let Some(g) = groups.get_mut(at) else { continue };
        g.requests += 1;
        g.blocked += i64::from(r.blocked_by.unwrap_or(0) != 0);
        // Victims of victims are counted at the head of their chain already.
        if r.blocked_by.unwrap_or(0) == 0 {
            g.blocks += i64::from(r.blocks);
        }
        g.cpu_ms = g.cpu_ms.saturating_add(r.cpu_ms.unwrap_or(0).max(0));
        g.cpu_delta_ms = g.cpu_delta_ms.saturating_add(r.cpu_delta_ms.unwrap_or(0).max(0));
        g.reads = g.reads.saturating_add(r.logical_reads.unwrap_or(0).max(0));
        g.tasks = g.tasks.saturating_add(r.waiting_tasks.map_or(0, i64::from).max(0));
        let granted = r.grant.as_ref().and_then(|grant| grant.granted_kb);
        g.grant_kb = g.grant_kb.saturating_add(granted.unwrap_or(0).max(0));
        let longest_told = g.told.and_then(|told| told.request(view)).map(|(_, r)| r.elapsed_ms.unwrap_or(0));
        if r.statement.is_some() && longest_told.is_none_or(|ms| r.elapsed_ms.unwrap_or(0) > ms) {
            g.told = Some(*l);
        }
        if r.elapsed_ms.unwrap_or(0) > g.longest_ms {
            g.longest_ms = r.elapsed_ms.unwrap_or(0);
            g.longest = *l;
        }
        if !g.instances.contains(i.id()) {
            g.instances.push(i.id().clone());
        }
        if let Some(w) = &r.wait_type {
            *g.waits.entry(Arc::clone(w)).or_default() += r.wait_ms.unwrap_or(0).max(1);
        }
    }
    groups
}

impl Group {
    fn top_wait(&self) -> Option<&Arc<str>> {
        self.waits.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0))).map(|(w, _)| w)
    }

    /// The request whose statement stands for all: the longest one whose text is known, else the longest.
    fn shown<'a>(&self, view: &'a View<'_>) -> Option<RequestRow<'a>> {
        self.told.unwrap_or(self.longest).get(view)
    }

    /// The columns that its name needs.
    pub fn name_width(&self) -> usize {
        let instances = if self.instances.len() > 1 { " · 12 instances".len() } else { 0 };
        width(&self.name) + instances
    }

    /// Its sums, its requests, and its statement or why there is none.
    pub fn document(&self, by: GroupBy, lines: &[Line], view: &View<'_>) -> Document {
        let t = view.theme;
        let mut d = Document::new(format!("{} {}", by.name(), self.name));
        let sums: [(&'static str, i64, Push); 8] = [
            ("requests", self.requests, figure::push_count),
            ("blocked", self.blocked, figure::push_count),
            ("blocks", self.blocks, figure::push_count),
            ("longest", self.longest_ms, figure::push_wait),
            ("CPU", self.cpu_ms, figure::push_wait),
            ("CPU since poll", self.cpu_delta_ms, figure::push_wait),
            ("memory grants", self.grant_kb.saturating_mul(1024), figure::push_size),
            ("logical reads", self.reads, figure::push_count),
        ];
        d.head("all together");
        for (name, sum, push) in sums {
            d.field(name, t.base, |s| push(s, sum as f64));
        }
        d.field("top wait", t.base, |s| s.push_str(self.top_wait().map_or("", |w| w)));
        d.head("requests, as they are listed");
        let own = lines.iter().filter_map(|l| l.request(view)).filter(|(i, r)| by.of(i, r) == self.name);
        let mut left_out = 0_usize;
        for (n, (i, r)) in own.enumerate() {
            if n >= MOST_REQUESTS {
                left_out += 1;
                continue;
            }
            let mut line = format!("{} {:<5} ", i.id(), r.session_id);
            figure::push_wait(&mut line, r.elapsed_ms.unwrap_or(0) as f64);
            for part in [&r.login, &r.host, &r.program, &r.database, &r.wait_type].into_iter().flatten() {
                let _ = write!(line, "  {part}");
            }
            d.text(line, t.base);
        }
        if left_out > 0 {
            d.text(format!("and {left_out} more: Enter lists them"), t.dim);
        }
        match self.shown(view).and_then(|row| row.statement) {
            Some(s) => {
                let of_many = self.requests > 1 && by != GroupBy::Hash;
                d.text(if of_many { "the statement is that of the longest of them" } else { "" }, t.dim);
                d.statement = Some(s.clone());
            }
            None => d.text(super::request::NO_TEXT, t.dim),
        }
        d
    }

    /// Somebody in it is blocked, or blocks others.
    pub const fn has_problem(&self) -> bool {
        self.blocked > 0 || self.blocks > 0
    }

    /// How many requests it has.
    pub const fn requests(&self) -> i64 {
        self.requests
    }
}

/// Groups in display order.
pub struct GroupRows<'a> {
    /// the groups
    pub groups: &'a [Group],
    /// for styles and statements
    pub view: &'a View<'a>,
}

impl Rows<Groups> for GroupRows<'_> {
    fn len(&self) -> usize {
        self.groups.len()
    }

    fn key(&self, i: usize) -> RowKey {
        RowKey::Group(self.groups.get(i).map_or_else(|| "".into(), |g| Arc::clone(&g.name)))
    }

    fn get(&self, i: usize) -> Option<GroupRow<'_>> {
        Some(GroupRow { group: self.groups.get(i)?, view: self.view })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::column::ambiguous;

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }
}
