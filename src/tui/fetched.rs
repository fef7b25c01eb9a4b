//! What servers said of single sessions when somebody asked: what their clients sent, and the parameters in their plans. The details of a
//! session show it beside what the polls tell. The newest few; never kept in history.

use crate::{
    model::{
        base::{figure, time::Timestamp},
        inventory::instance::InstanceId,
        poll::{
            activity::Request,
            demand::{Demand, Sent},
        },
    },
    plan::{Parameter, Plan},
    protocol::Shown,
    sql::normalize::squeeze,
    tui::{theme::Theme, widget::document::Document},
};
use std::{collections::VecDeque, sync::Arc};

/// Answers that are kept.
const MOST: usize = 8;
/// Characters of a statement that stands in a line.
const LINE_CHARS: usize = 400;

/// Says all of what a client sent but its text.
pub fn describe(sent: &Sent, document: &mut Document, theme: &Theme) {
    document.field("event", theme.base, |out| {
        out.push_str(sent.event.as_deref().unwrap_or(""));
        if let Some(n) = sent.parameters.filter(|n| *n > 0) {
            out.push_str(if out.is_empty() { "" } else { ", " });
            figure::push_counted(out, n.unsigned_abs(), "parameter");
        }
    });
    document.field("runs now", theme.base, |out| {
        if let Some(running) = &sent.running {
            out.push_str(&squeeze(running, LINE_CHARS));
        }
    });
    if let Some(chars) = sent.text.as_ref().and_then(|text| text.text.full_chars) {
        let mut note = String::from("the text was cut: it has ");
        figure::push_grouped(&mut note, i64::try_from(chars).unwrap_or(i64::MAX));
        note.push_str(" characters on the server");
        document.text(note, theme.warning);
    }
    if sent.is_covered {
        document.text("literals are left out: a password or another secret may be among them", theme.warning);
    }
}

#[derive(Debug)]
enum What {
    Sent(Vec<Sent>),
    /// of the query with this hash
    Plan(u64, Arc<Plan>),
}

#[derive(Debug)]
struct Answer {
    instance: InstanceId,
    session_id: i32,
    at: Timestamp,
    what: What,
}

/// The newest answers, the last in front.
#[derive(Debug, Default)]
pub struct Fetched(VecDeque<Answer>);

impl Fetched {
    /// Keeps an answer about a session. Others are no business of it.
    pub fn keep(&mut self, instance: &InstanceId, demand: Demand, shown: &Shown, at: Timestamp) {
        let (session_id, what) = match (demand, shown) {
            (Demand::SessionInput { session_id }, Shown::Sent(sent)) => {
                (session_id, What::Sent(sent.clone()))
            }
            (Demand::SessionPlan { session_id }, Shown::Plans(plans)) => {
                let read = plans.iter().find_map(|shown| {
                    Some(What::Plan(shown.found.query_hash?, Arc::clone(shown.plan.as_ref().ok()?)))
                });
                let Some(plan) = read else { return };
                (session_id, plan)
            }
            _ => return,
        };
        let kind = std::mem::discriminant(&what);
        self.0.retain(|known| {
            let is_older = known.instance == *instance && known.session_id == session_id;
            !(is_older && std::mem::discriminant(&known.what) == kind)
        });
        self.0.push_front(Answer { instance: instance.clone(), session_id, at, what });
        self.0.truncate(MOST);
    }

    /// What is known of a request by now: an answer about an earlier request of the session is not about it.
    fn of<'a>(
        &'a self,
        instance: &InstanceId,
        r: &Request,
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Answer> {
        let since = r.started_at.max(r.login_at);
        self.0.iter().filter(move |known| {
            known.instance == *instance
                && known.session_id == r.session_id
                && known.at <= now
                && since.is_none_or(|since| since <= known.at)
        })
    }

    /// What the client sent, and when that was asked.
    pub fn sent(&self, instance: &InstanceId, r: &Request, now: Timestamp) -> Option<(&[Sent], Timestamp)> {
        self.of(instance, r, now).find_map(|known| match &known.what {
            What::Sent(sent) => Some((sent.as_slice(), known.at)),
            What::Plan(..) => None,
        })
    }

    /// The parameters of the statement that runs, by its plan, and when that was asked.
    pub fn parameters(
        &self,
        instance: &InstanceId,
        r: &Request,
        now: Timestamp,
    ) -> Option<(&[Parameter], Timestamp)> {
        let wanted = r.query_hash?;
        self.of(instance, r, now).find_map(|known| match &known.what {
            What::Plan(hash, plan) if *hash == wanted => {
                let query = plan.statements.iter().find(|s| s.is_of(wanted))?.queries.first()?;
                Some((query.parameters.as_slice(), known.at))
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_183_331_000);
    const INPUT: Demand = Demand::SessionInput { session_id: 57 };

    fn sent() -> Shown {
        let sent = Sent { event: None, parameters: None, text: None, running: None, is_covered: false };
        Shown::Sent(vec![sent])
    }

    fn request(started_at: Timestamp) -> Request {
        Request { session_id: 57, started_at: Some(started_at), ..Request::default() }
    }

    #[test]
    fn an_answer_is_about_the_request_of_then_alone() {
        let (a, b) = (InstanceId::new("a"), InstanceId::new("b"));
        let mut fetched = Fetched::default();
        fetched.keep(&a, INPUT, &sent(), NOW);
        let is_told = |instance, started_at, now| fetched.sent(instance, &request(started_at), now).is_some();
        let before = NOW.plus_ms(-60_000);
        assert!(is_told(&a, before, NOW));
        assert!(!is_told(&b, before, NOW), "of another instance");
        assert!(!is_told(&a, NOW.plus_ms(1), NOW.plus_ms(5_000)), "a request that began later");
        assert!(!is_told(&a, before, NOW.plus_ms(-1)), "in the past nobody had asked");
        let other = Request { session_id: 58, ..request(before) };
        assert!(fetched.sent(&a, &other, NOW).is_none());
        let again = Request { login_at: Some(NOW.plus_ms(1)), ..request(before) };
        assert!(
            fetched.sent(&a, &again, NOW.plus_ms(2)).is_none(),
            "the number belongs to another session now"
        );
    }

    #[test]
    fn the_newest_few_are_kept() {
        let mut fetched = Fetched::default();
        for n in 0..40 {
            let demand = Demand::SessionInput { session_id: n % 20 };
            fetched.keep(&InstanceId::new("a"), demand, &sent(), NOW.plus_ms(n.into()));
        }
        let kept: Vec<i32> = fetched.0.iter().map(|answer| answer.session_id).collect();
        assert_eq!(kept, (12..20).rev().collect::<Vec<_>>());
    }
}
