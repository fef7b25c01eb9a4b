//! Requests added up by what they have in common.

use super::Line;
use crate::model::{figure, instance::InstanceId, session::Request, snapshot::InstanceSnapshot};
use crate::tui::{
    id::RowKey,
    view::View,
    widget::{
        columns::Column,
        table::{CellText, Rows, SortKey},
    },
};
use std::{collections::HashMap, sync::Arc};

/// What requests are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// database
    Database,
    /// login
    Login,
    /// program, or job
    Program,
    /// client host
    Host,
    /// query hash
    Hash,
    /// instance
    Instance,
}

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
    /// what its requests have in common
    pub name: Arc<str>,
    requests: i64,
    blocked: i64,
    blocks: i64,
    cpu_ms: i64,
    cpu_delta_ms: i64,
    reads: i64,
    longest_ms: i64,
    longest: (u32, u32),
    instances: Vec<InstanceId>,
    waits: HashMap<Arc<str>, i64>,
}

/// The columns of groups.
pub const COLUMNS: [Column; 10] = [
    Column::text("GROUP", 26, 0).at_least(12).frozen(),
    Column::number("REQUESTS", 9, 0),
    Column::number("BLOCKED", 8, 1),
    Column::number("BLK", 4, 2),
    Column::number("LONGEST", 8, 2),
    Column::number("CPU", 8, 3),
    Column::number("+CPU", 8, 4),
    Column::number("READS", 7, 3),
    Column::text("TOP WAIT", 20, 4),
    Column::text("LONGEST STATEMENT", 24, 5).at_least(16).growing(),
];

/// Adds requests up.
pub fn collect(lines: &[Line], by: GroupBy, view: &View<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<Arc<str>, usize> = HashMap::new();
    for l in lines {
        let Some((i, r)) = l.get(view) else { continue };
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
                longest_ms: i64::MIN,
                longest: (l.instance, l.request),
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
        if r.elapsed_ms.unwrap_or(0) > g.longest_ms {
            g.longest_ms = r.elapsed_ms.unwrap_or(0);
            g.longest = (l.instance, l.request);
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

    /// What a column sorts by.
    pub fn sort_key(&self, column: usize) -> SortKey {
        match column {
            0 => Some(&*self.name).into(),
            1 => Some(self.requests).into(),
            2 => Some(self.blocked).into(),
            3 => Some(self.blocks).into(),
            4 => Some(self.longest_ms).into(),
            5 => Some(self.cpu_ms).into(),
            6 => Some(self.cpu_delta_ms).into(),
            7 => Some(self.reads).into(),
            8 => self.top_wait().map(|w| &**w).into(),
            _ => SortKey::None,
        }
    }
}

/// Groups as rows.
pub struct GroupRows<'a> {
    /// in display order
    pub groups: &'a [Group],
    /// for styles and statements
    pub view: &'a View<'a>,
}

impl Rows for GroupRows<'_> {
    fn len(&self) -> usize {
        self.groups.len()
    }

    fn key(&self, i: usize) -> RowKey {
        RowKey::Group(self.groups.get(i).map_or_else(|| "".into(), |g| Arc::clone(&g.name)))
    }

    fn cell(&self, i: usize, column: usize, out: &mut CellText) {
        let Some(g) = self.groups.get(i) else { return };
        let t = self.view.theme;
        let quiet = |v: i64| if v == 0 { t.dim } else { t.base };
        match column {
            0 => {
                out.put(t.strong, &g.name);
                if g.instances.len() > 1 {
                    out.fmt(t.dim, format_args!(" · {} instances", g.instances.len()));
                }
            }
            1 => out.fmt(t.base, format_args!("{}", g.requests)),
            2 if g.blocked > 0 => out.fmt(t.warning, format_args!("{}", g.blocked)),
            3 if g.blocks > 0 => out.fmt(t.critical, format_args!("{}", g.blocks)),
            2 | 3 => out.put(t.dim, "0"),
            4 => out.with(t.base, |s| figure::push_wait(s, g.longest_ms as f64)),
            5 => out.with(quiet(g.cpu_ms), |s| figure::push_wait(s, g.cpu_ms as f64)),
            6 => out.with(quiet(g.cpu_delta_ms), |s| figure::push_wait(s, g.cpu_delta_ms as f64)),
            7 => out.with(quiet(g.reads), |s| figure::push_count(s, g.reads as f64)),
            8 => out.put(t.base, g.top_wait().map_or("–", |w| w)),
            9 => {
                let line = Line { instance: g.longest.0, request: g.longest.1 };
                if let Some((_, r)) = line.get(self.view) {
                    super::super::request::push_statement(out, r.statement.as_ref(), false, t.dim, t.dim);
                }
            }
            _ => {}
        }
    }
}
