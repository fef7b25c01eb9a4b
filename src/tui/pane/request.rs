//! A request or session as the activity and blocking panes show it: identity, parts of cells, details.

use super::reading;
use crate::model::{
    base::figure,
    fold::snapshot::InstanceSnapshot,
    judge::health::Level,
    poll::{
        activity::{Request, special_blocker},
        demand::Demand,
        reading::Unavailable,
        resource::{DatabaseNames, Resource, decode},
        statement::Statement,
    },
};
use crate::tui::{
    action::Action,
    fetched::describe,
    id::RowKey,
    view::View,
    widget::{cell::CellText, document::Document},
    wish::Wish,
};
use crate::{plan::lines::values, sql::module};
use ratatui::style::Style;
use std::fmt::Write as _;

/// Bytes of a page of SQL Server.
pub const PAGE_BYTES: f64 = 8192.0;

/// Why a statement has no text.
pub const NO_TEXT: &str = "no text: not fetched yet, or the server has none";

/// Lines of what a client sent beside the statement that runs; the answer itself has all.
const SENT_LINES: usize = 60;

/// Most characters of a statement that a cell can show.
const ONE_LINE: usize = 240;

/// A request with the instance it runs on.
#[derive(Clone, Copy)]
pub struct RequestRow<'a> {
    /// where
    pub instance: &'a InstanceSnapshot,
    /// the request
    pub request: &'a Request,
    /// its statement, as its pane knows it
    pub statement: Option<&'a Statement>,
    /// for styles and ages
    pub view: &'a View<'a>,
}

/// Identity of a request.
pub fn key(instance: &InstanceSnapshot, r: &Request) -> RowKey {
    RowKey::Session(instance.id().clone(), r.session_id, r.request_id.unwrap_or(0))
}

/// Asks the server about the session of a row: its plan, its waits, or what its client sent. Says so if there is none.
pub fn demand(action: Action, key: Option<&RowKey>, wishes: &mut Vec<Wish>) {
    let refused = || refuses(action, key).map(|why| Wish::Say(Level::Ok, why));
    wishes.extend(asked(action, key).or_else(refused));
}

/// The same, for panes that ask in another way. None: there is no session, or the action is another one.
pub fn asked(action: Action, key: Option<&RowKey>) -> Option<Wish> {
    let Some(RowKey::Session(instance, session_id, _)) = key else { return None };
    let session_id = *session_id;
    let demand = match action {
        Action::SessionWaits => Demand::SessionWaits { session_id },
        Action::SessionInput => Demand::SessionInput { session_id },
        Action::Plan => Demand::SessionPlan { session_id },
        _ => return None,
    };
    Some(Wish::Demand(instance.clone(), demand))
}

/// Why a server cannot be asked about the row; None: it can, or the action is another one.
pub fn refuses(action: Action, key: Option<&RowKey>) -> Option<String> {
    let is_about_session = matches!(action, Action::Plan | Action::SessionWaits | Action::SessionInput);
    (is_about_session && asked(action, key).is_none()).then(|| "no session is under the cursor".to_owned())
}

/// Appends a text on one line: every run of blanks is one blank.
pub fn push_one_line(out: &mut String, text: &str) {
    let mut blank = true;
    for c in text.chars().take(ONE_LINE * 4) {
        if c.is_whitespace() {
            if !blank {
                out.push(' ');
            }
            blank = true;
        } else {
            out.push(c);
            blank = false;
        }
        if out.len() >= ONE_LINE {
            return;
        }
    }
}

/// Appends the statement's text, or why there is none.
pub fn push_statement(
    cell: &mut CellText,
    statement: Option<&Statement>,
    last: bool,
    style: Style,
    dim: Style,
) {
    match statement {
        Some(s) if s.text.encrypted => cell.put(dim, "encrypted module"),
        Some(s) => {
            if last {
                cell.put(dim, "(last) ");
            }
            let text = if s.as_str().trim().is_empty() { &s.text.batch } else { s.as_str() };
            cell.with(style, |out| {
                let mut line = String::new();
                push_one_line(&mut line, text);
                out.push_str(&line);
            });
        }
        None => cell.put(dim, "–"),
    }
}

/// Appends `dbo.usp_Settle, line 12`: the module of a statement, and where in it the statement begins. Nothing of a batch, or of
/// a statement that is here without the text around it.
pub fn push_module(out: &mut String, statement: &Statement) {
    let text = &statement.text;
    if text.object_id.is_none() || text.encrypted {
        return;
    }
    if let Some(name) = module::name(&text.batch) {
        let _ = write!(out, "{name}, line ");
        figure::push_grouped(out, module::line(&text.batch, statement.start) as i64);
    }
}

/// Appends `88`, or the meaning of a negative blocker.
pub fn push_blocker(out: &mut String, id: i32) {
    match special_blocker(id) {
        Some(what) => out.push_str(what),
        None => {
            let _ = write!(out, "{id}");
        }
    }
}

/// Appends `KEY orders.dbo.Order.PK_Order`.
pub fn push_resource(out: &mut String, r: &Resource) {
    out.push_str(&r.kind);
    if r.database.is_some() || r.object.is_some() {
        out.push(' ');
        push_object(out, r);
    }
    if r.object.is_none()
        && let Some(d) = &r.detail
    {
        out.push(' ');
        out.push_str(d);
    }
}

/// Appends `orders.dbo.Order.PK_Order`, or `orders, name not known`: an id of 17 digits is no help. The details
/// have it.
pub fn push_object(out: &mut String, r: &Resource) {
    out.push_str(r.database.as_deref().unwrap_or(""));
    match &r.object {
        _ if r.is_nameless() => match &r.unnamed {
            Some(Unavailable::NoRight(right)) => {
                let _ = write!(out, ", name n/a ({right})");
            }
            _ => out.push_str(", name not known"),
        },
        Some(object) => {
            out.push_str(if r.database.is_some() { "." } else { "" });
            out.push_str(object);
        }
        None => {}
    }
}

/// The resource of a request, decoded with the names of its instance's databases.
pub fn resource(instance: &InstanceSnapshot, r: &Request) -> Option<Resource> {
    let names = instance.facts.databases.get().map_or(&[][..], |d| d.as_slice());
    decode(r.wait_resource.as_deref()?, DatabaseNames(names))
}

/// Appends a size in pages.
pub fn push_pages(out: &mut String, pages: i64) {
    figure::push_size(out, pages as f64 * PAGE_BYTES);
}

/// All about a request.
pub fn document(row: RequestRow<'_>, known: Option<&Resource>) -> Document {
    let (i, r, view, t) = (row.instance, row.request, row.view, row.view.theme);
    let mut d = Document::new(format!("{} · session {}", i.id(), r.session_id));
    let text = |d: &mut Document, name, v: &Option<std::sync::Arc<str>>| {
        d.field(name, t.base, |s| s.push_str(v.as_deref().unwrap_or("")));
    };
    let span = |d: &mut Document, name, v: Option<i64>| {
        d.field(name, t.base, |s| {
            if let Some(ms) = v {
                figure::push_wait(s, ms as f64);
            }
        });
    };
    let count = |d: &mut Document, name, v: Option<i64>| {
        d.field(name, t.base, |s| {
            if let Some(n) = v {
                figure::push_grouped(s, n);
            }
        });
    };
    if row.statement.is_some() {
        d.head("session");
    }
    text(&mut d, "status", &r.status);
    text(&mut d, "command", &r.command);
    text(&mut d, "database", &r.database);
    text(&mut d, "login", &r.login);
    text(&mut d, "host", &r.host);
    text(&mut d, "program", &r.program);
    text(&mut d, "job", &r.job);
    text(&mut d, "address", &r.address);
    d.field("logged in", t.base, |s| {
        if let Some(at) = r.login_at {
            view.zone.push_since(s, at, view.now);
        }
    });
    d.field("started", t.base, |s| {
        if let Some(at) = r.started_at {
            view.zone.push_since(s, at, view.now);
        }
    });
    waiting(&mut d, row, known);
    d.head("work");
    let is_idle = r.status.as_deref() == Some("sleeping");
    span(&mut d, if is_idle { "idle" } else { "elapsed" }, r.elapsed_ms);
    span(&mut d, "CPU", r.cpu_ms);
    span(&mut d, "CPU since poll", r.cpu_delta_ms);
    count(&mut d, "logical reads", r.logical_reads);
    count(&mut d, "reads since poll", r.reads_delta);
    count(&mut d, "physical reads", r.reads);
    count(&mut d, "writes", r.writes);
    count(&mut d, "rows", r.rows);
    count(&mut d, "DOP", r.dop.map(i64::from));
    resources(&mut d, r, view);
    d.field("progress", t.base, |s| {
        if let Some(p) = r.percent.filter(|p| *p > 0.0) {
            figure::push_pct(s, p);
            if let Some(eta) = r.eta_ms {
                s.push_str(", done in ");
                figure::push_wait(s, eta as f64);
            }
        }
    });
    d.field("query hash", t.base, |s| {
        if let Some(h) = r.query_hash {
            let _ = write!(s, "0x{h:016X}");
        }
    });
    closing(&mut d, row);
    asked_for(&mut d, row);
    d
}

/// What the server said of the session when somebody asked: the parameters of its plan, and what its client sent.
fn asked_for(d: &mut Document, row: RequestRow<'_>) {
    let (i, r, view, t) = (row.instance, row.request, row.view, row.view.theme);
    let as_of = |what: &str, at| {
        let mut head = format!("{what}, as of ");
        view.zone.push_clock(&mut head, at);
        head
    };
    if let Some((parameters, at)) = view.fetched.parameters(i.id(), r, view.now) {
        d.head(as_of("parameters by its plan", at));
        for parameter in parameters {
            let told = values(parameter).unwrap_or_else(|| "not told".to_owned());
            d.field(parameter.name.clone(), t.base, |s| s.push_str(&told));
        }
        if parameters.is_empty() {
            d.text("it has none", t.dim);
        }
    }
    if let Some((sent, at)) = view.fetched.sent(i.id(), r, view.now) {
        d.head(as_of("sent by the client", at));
        for one in sent {
            describe(one, d, t);
            let Some(text) = &one.text else { continue };
            match &d.statement {
                None => d.statement = Some(text.clone()),
                Some(known) if known.text.batch == text.text.batch => {}
                Some(_) => text.text.batch.lines().take(SENT_LINES).for_each(|line| d.text(line, t.dim)),
            }
        }
    }
}

fn waiting(d: &mut Document, row: RequestRow<'_>, known: Option<&Resource>) {
    let (r, t) = (row.request, row.view.theme);
    if r.wait_type.is_none() && r.blocked_by.unwrap_or(0) == 0 && r.blocks == 0 {
        return;
    }
    d.head("waiting");
    d.field("wait", t.base, |s| {
        if let Some(w) = &r.wait_type {
            s.push_str(w);
            if let Some(ms) = r.wait_ms {
                s.push_str(" for ");
                figure::push_wait(s, ms as f64);
            }
            if let Some(n) = r.waiting_tasks.filter(|n| *n > 1) {
                let _ = write!(s, ", {n} tasks");
            }
        }
    });
    d.field("resource", t.base, |s| {
        let own = if known.is_none() { resource(row.instance, r) } else { None };
        if let Some(found) = known.or(own.as_ref()) {
            push_resource(s, found);
            if let (true, Some(id)) = (found.is_nameless(), &found.object) {
                let _ = write!(s, ": {id}; {}", why_nameless(row.instance, found));
            }
            if let Some(m) = &found.held_mode {
                let _ = write!(s, ", held in mode {m}");
            }
        }
    });
    d.field("as sent", t.dim, |s| s.push_str(r.wait_resource.as_deref().unwrap_or("")));
    d.field("blocked by", t.warning, |s| {
        if let Some(b) = r.blocked_by.filter(|b| *b != 0) {
            push_blocker(s, b);
        }
    });
    d.field("blocks", t.critical, |s| {
        if r.blocks > 0 {
            figure::push_counted(s, u64::from(r.blocks), "session");
        }
    });
    d.field("last wait", t.dim, |s| s.push_str(r.last_wait_type.as_deref().unwrap_or("")));
}

/// Why an object is shown by its id only.
fn why_nameless(i: &InstanceSnapshot, found: &Resource) -> String {
    const RIGHT: &str = "CONNECT ANY DATABASE";
    let lacks = |right: &str| i.facts.rights.get().and_then(|rights| rights.held(right)) == Some(false);
    match &found.unnamed {
        Some(Unavailable::NoRight(right)) => format!("the login lacks {right}, or a right on that object"),
        Some(Unavailable::Missing(_)) => "it is gone".to_owned(),
        Some(Unavailable::Failed(failure)) => format!("asked for it: {}", failure.kind.words()),
        // A request knows its resource only.
        _ if lacks(RIGHT) => format!("the login lacks {RIGHT}"),
        _ => "4 Blocking asks for the names of what is locked there".to_owned(),
    }
}

fn resources(d: &mut Document, r: &Request, view: &View<'_>) {
    let t = view.theme;
    d.field("transactions", t.base, |s| {
        if let Some(n) = r.open_transactions {
            let _ = write!(s, "{n}");
        }
        if let Some(at) = r.transaction_at {
            s.push_str(", oldest ");
            figure::push_wait(s, (view.now - at) as f64);
        }
    });
    d.field("log", t.base, |s| {
        if let Some(b) = r.log_bytes {
            figure::push_size(s, b as f64);
        }
    });
    d.field("isolation", t.base, |s| s.push_str(r.isolation.as_deref().unwrap_or("")));
    d.field("memory grant", t.base, |s| {
        let Some(g) = r.grant else { return };
        match (g.granted_kb, g.requested_kb) {
            (Some(kb), _) => figure::push_size(s, kb as f64 * 1024.0),
            (None, Some(kb)) => {
                s.push_str("waits for ");
                figure::push_size(s, kb as f64 * 1024.0);
            }
            (None, None) => {}
        }
        if let Some(kb) = g.used_kb {
            s.push_str(", used ");
            figure::push_size(s, kb as f64 * 1024.0);
        }
        if let Some(ms) = g.waited_ms {
            s.push_str(", waited ");
            figure::push_wait(s, ms as f64);
        }
    });
    d.field("tempdb", t.base, |s| {
        if let Some(p) = r.tempdb_now_pages {
            push_pages(s, p);
        }
        if let Some(p) = r.tempdb_alloc_pages {
            s.push_str(" now, ");
            push_pages(s, p);
            s.push_str(" in all");
        }
    });
}

fn closing(d: &mut Document, row: RequestRow<'_>) {
    let t = row.view.theme;
    d.field("sampled", t.dim, |s| {
        if let Some(age) = row.instance.facts.activity.age_ms(row.view.now) {
            reading::push_calm_age(s, age);
            s.push_str(" ago");
        }
    });
    match row.statement {
        Some(s) if s.text.encrypted => {
            d.text("the module is encrypted: the server does not tell its text", t.dim);
        }
        Some(s) => {
            if let Some(full) = s.text.full_chars {
                let mut note = String::from("the text was cut: it has ");
                figure::push_grouped(&mut note, full as i64);
                note.push_str(" characters on the server");
                d.text(note, t.warning);
            }
            d.field("module", t.base, |out| push_module(out, s));
            d.statement = Some(s.clone());
        }
        None => d.text(NO_TEXT, t.dim),
    }
}
