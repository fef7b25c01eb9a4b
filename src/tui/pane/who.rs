//! What panes of sessions that are not requests share: the request that a session runs, if the activity poll knows it, and its
//! statement as a cell.

use super::{
    parts::{Line, Parts},
    request::push_one_line,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::snapshot::InstanceSnapshot,
        poll::{activity::Request, who::Who},
    },
    tui::widget::{cell::CellText, document::Document},
};

/// The request of a session, or the session as it sleeps in a transaction.
pub fn request(instance: &InstanceSnapshot, session_id: i32) -> Option<&Request> {
    instance.facts.activity.get()?.requests.iter().find(|request| request.session_id == session_id)
}

/// The text of what it runs, or ran last.
pub fn statement(instance: &InstanceSnapshot, session_id: i32) -> Option<&str> {
    Some(request(instance, session_id)?.statement.as_ref()?.as_str())
}

/// Adds the whole statement to the details, where it has room; a cell has its beginning.
pub fn tell_statement(instance: &InstanceSnapshot, session_id: i32, d: &mut Document) {
    d.statement = request(instance, session_id)
        .and_then(|request| request.statement.clone())
        .filter(|statement| !statement.text.encrypted);
}

/// A cell with a statement on one line.
pub fn one_line<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(sql)) => out.with(line.style(), |s| push_one_line(s, sql)),
        _ => out.put(line.view.theme.dim, "–"),
    }
}

/// A cell with a duration; its value is in ms.
pub fn duration<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    line.put(v, out, figure::push_wait);
}

/// Appends ` (login, program, host)`, of what is known.
pub fn push_who(out: &mut String, who: &Who) {
    let mut begin = " (";
    for text in [&who.login, &who.program, &who.host].into_iter().flatten() {
        out.push_str(begin);
        out.push_str(text);
        begin = ", ";
    }
    if begin == ", " {
        out.push(')');
    }
}
