//! What the client of a session sent last, asked of the server by a person and never by a poll: the text may hold whatever somebody typed.
//! A secret in it is covered before anybody sees it, and the statement that runs now is looked for in it. Part of the questions on demand.

use super::{
    context::ProbeContext,
    script::{Script, script},
    single::ask,
    text,
};
use crate::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::{
            demand::Sent,
            statement::{SqlText, Statement},
        },
    },
    sql::secret,
    tds::{Ask, Param, Row},
};
use std::{sync::Arc, time::Duration};

pub(super) const INPUT: Script = script!("session_input", Performance, by "request_id");

/// Two texts of one session.
const WITHIN: Duration = Duration::from_secs(10);
/// Characters of the kind of what was sent.
const EVENT_CHARS: usize = 60;

/// What a session sent for each request that it runs, or last.
///
/// # Errors
/// No right, no answer in time, or no such session: in words.
pub(super) async fn by_session<C: Ask>(
    conn: &mut C,
    session_id: i32,
    ctx: &ProbeContext,
) -> Result<Vec<Sent>, Failure> {
    let sets = ask(conn, INPUT, &[Param::Int(session_id.into())], WITHIN, ctx).await?;
    let sent: Vec<Sent> = sets.all(INPUT.name).map(sent).collect();
    if sent.is_empty() {
        let text = format!("session {session_id} is gone");
        return Err(Failure::new(FailureKind::MissingObject, text));
    }
    Ok(sent)
}

fn sent(row: Row<'_>) -> Sent {
    let running = row.raw_text("statement_text").map(|raw| text::clean(raw.trim(), text::MAX_CHARS).0);
    let running = running.filter(|running| !running.trim().is_empty());
    let whole = row.raw_text("event_info").map(|raw| text::statement_of(raw, row.count("full_chars")));
    let batch = whole.as_ref().map(|whole| Arc::clone(&whole.text.batch));
    // One of the two tells what the literals of the other are.
    let is_covered = [batch.as_deref(), running.as_deref()].into_iter().flatten().any(secret::may_stand_in);
    let place = batch.as_deref().zip(running.as_deref()).and_then(|(batch, running)| only(batch, running));
    let marked = |whole: Statement| match place {
        Some((start, end)) => Statement { start, end, ..whole },
        None => whole,
    };
    let text = whole.map(marked).map(|text| if is_covered { without_literals(&text) } else { text });
    let elsewhere = running.filter(|_| place.is_none());
    Sent {
        event: row.line("event_type", EVENT_CHARS),
        parameters: row.count("parameters"),
        text,
        running: elsewhere.map(|sql| if is_covered { secret::covered(&sql).text } else { sql }.into()),
        is_covered,
    }
}

/// Where the only occurrence of a statement begins and ends; None: it stands elsewhere, or nobody knows which of several it is.
fn only(text: &str, statement: &str) -> Option<(usize, usize)> {
    let mut found = text.match_indices(statement).map(|(at, _)| at);
    let at = found.next()?;
    found.next().is_none().then_some((at, at + statement.len()))
}

/// The same statement in the same text, both without literals.
fn without_literals(of: &Statement) -> Statement {
    let covered = secret::covered(&of.text.batch);
    let (start, end) = (covered.place(of.start), covered.place(of.end));
    let text = SqlText::new(covered.text.into(), of.text.full_chars, None, false);
    Statement { text: Arc::new(text), start, end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{probe::fixture::set, tds::Cell};

    fn told(event_info: Option<&str>, statement: Option<&str>) -> Sent {
        let text = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.into()));
        let columns = ["event_type", "parameters", "full_chars", "event_info", "statement_text"];
        let row = vec![
            Cell::Text("Language Event".into()),
            Cell::Int(0),
            Cell::Int(event_info.map_or(0, |text| text.encode_utf16().count() as i64)),
            text(event_info),
            text(statement),
        ];
        sent(set("session_input", &columns, vec![row]).first().unwrap())
    }

    #[test]
    fn the_statement_is_marked_where_it_stands_once_and_told_where_it_does_not() {
        let batch = "SET NOCOUNT ON;\r\nSELECT 1;\r\nUPDATE t SET a = 1;";
        let sent = told(Some(batch), Some("UPDATE t SET a = 1;"));
        assert_eq!((sent.text.unwrap().as_str(), sent.running), ("UPDATE t SET a = 1;", None));
        for (batch, statement) in
            [("EXEC dbo.usp_Pay", "UPDATE t SET a = 1"), ("SELECT 1; SELECT 1", "SELECT 1")]
        {
            let sent = told(Some(batch), Some(statement));
            assert_eq!((sent.text.unwrap().as_str(), sent.running.as_deref()), (batch, Some(statement)));
        }
        let nothing = told(None, None);
        assert!(nothing.text.is_none() && nothing.running.is_none() && !nothing.is_covered);
    }

    #[test]
    fn a_secret_is_covered_and_the_statement_is_marked_all_the_same() {
        let batch = "SELECT 'a'; CREATE LOGIN web WITH PASSWORD = 'hunter2'; SELECT 2";
        let sent = told(Some(batch), Some("CREATE LOGIN web WITH PASSWORD = 'hunter2'"));
        let text = sent.text.clone().unwrap();
        assert!(sent.is_covered && !text.text.batch.contains("hunter2"), "{sent:?}");
        assert_eq!(text.as_str(), "CREATE LOGIN web WITH PASSWORD = '?'");
        let sent = told(Some("EXEC dbo.usp_NewLogin"), Some("ALTER LOGIN web WITH PASSWORD = 'hunter2'"));
        assert_eq!(sent.running.as_deref(), Some("ALTER LOGIN web WITH PASSWORD = '?'"));
        assert!(sent.is_covered);
        // The rest of the batch tells what this literal is.
        let batch = "SET @p = 'hunter2'; EXEC dbo.usp_SetPassword @p; SET @p = 'hunter2'";
        let sent = told(Some(batch), Some("SET @p = 'hunter2'"));
        assert_eq!(sent.running.as_deref(), Some("SET @p = '?'"), "it stands there twice");
        assert!(!format!("{sent:?}").contains("hunter2"), "{sent:?}");
    }
}
