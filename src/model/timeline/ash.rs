//! Activity samples added up: who kept the servers busy over a stretch of time. Each poll of the activity probe is a sample; a
//! request that is seen in it counts for the probe's interval. Called by the export of incidents. Pure.
//!
//! The idea is that of the active session history: what is seen often lasts long or happens often. A request that begins and
//! ends between two polls is not seen.

use crate::model::{
    inventory::instance::InstanceId,
    poll::{
        activity::{Activity, Request},
        statement::SqlText,
    },
};
use std::{collections::HashMap, sync::Arc};

/// Different names of a dimension that are told apart; what comes later is counted together.
const MOST: usize = 20_000;
/// The dimension by which requests are counted together.
const OTHERS: &str = "(others)";

/// By what requests are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// on which instance
    Instance,
    /// by login
    Login,
    /// by program
    Program,
    /// by client
    Host,
    /// in which database
    Database,
    /// waiting for what
    Wait,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Instance, Self::Login, Self::Program, Self::Host, Self::Database, Self::Wait];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Login => "login",
            Self::Program => "program",
            Self::Host => "client",
            Self::Database => "database",
            Self::Wait => "wait",
        }
    }
}

/// How much of the time somebody was there.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Share {
    /// requests seen
    pub seen: u64,
    /// these times the interval of the probe: about how long they were active together, s
    pub active_s: f64,
}

impl Share {
    fn add(&mut self, seconds: f64) {
        self.seen += 1;
        self.active_s += seconds;
    }
}

/// A statement, and how much it was there.
#[derive(Debug, Clone)]
pub struct Busy {
    /// its batch
    pub text: Arc<SqlText>,
    /// bytes of the batch that are the statement
    pub statement: (usize, usize),
    /// how much
    pub share: Share,
    /// one instance that it ran on
    pub instance: InstanceId,
    /// one login that ran it
    pub login: Option<Arc<str>>,
    /// one database that it ran in
    pub database: Option<Arc<str>>,
    /// its longest time so far when seen, ms
    pub longest_ms: i64,
}

/// Samples added up.
#[derive(Debug, Default)]
pub struct Ash {
    /// polls of the activity probe
    pub polls: u64,
    /// all requests
    pub all: Share,
    by: HashMap<(Dimension, Arc<str>), Share>,
    statements: HashMap<(crate::model::poll::statement::TextId, usize, usize), Busy>,
}

impl Ash {
    /// Takes a poll of an instance; it counts for `interval_ms`.
    pub fn take(&mut self, instance: &InstanceId, activity: &Activity, interval_ms: u32) {
        self.polls += 1;
        let seconds = f64::from(interval_ms) / 1000.0;
        for request in &activity.requests {
            self.all.add(seconds);
            for dimension in Dimension::ALL {
                let name = name_of(dimension, instance, request);
                self.add(dimension, name, seconds);
            }
            self.statement(instance, request, seconds);
        }
    }

    fn add(&mut self, dimension: Dimension, name: Arc<str>, seconds: f64) {
        let full = self.by.len() >= MOST;
        let key = (dimension, name);
        if let Some(known) = self.by.get_mut(&key) {
            known.add(seconds);
        } else {
            let key = if full { (dimension, OTHERS.into()) } else { key };
            self.by.entry(key).or_default().add(seconds);
        }
    }

    fn statement(&mut self, instance: &InstanceId, request: &Request, seconds: f64) {
        let Some(statement) = &request.statement else { return };
        let key = (statement.text.id(), statement.start, statement.end);
        if self.statements.len() >= MOST && !self.statements.contains_key(&key) {
            return;
        }
        let busy = self.statements.entry(key).or_insert_with(|| Busy {
            text: Arc::clone(&statement.text),
            statement: (statement.start, statement.end),
            share: Share::default(),
            instance: instance.clone(),
            login: request.login.clone(),
            database: request.database.clone(),
            longest_ms: 0,
        });
        busy.share.add(seconds);
        busy.longest_ms = busy.longest_ms.max(request.elapsed_ms.unwrap_or_default());
    }

    /// The busiest of a dimension, the busiest first.
    pub fn top(&self, dimension: Dimension, most: usize) -> Vec<(&str, Share)> {
        let mut all: Vec<(&str, Share)> = self
            .by
            .iter()
            .filter(|((d, _), _)| *d == dimension)
            .map(|((_, name), share)| (&**name, *share))
            .collect();
        all.sort_by(|a, b| b.1.active_s.total_cmp(&a.1.active_s).then_with(|| a.0.cmp(b.0)));
        all.truncate(most);
        all
    }

    /// The busiest statements, the busiest first.
    pub fn statements(&self, most: usize) -> Vec<&Busy> {
        let mut all: Vec<&Busy> = self.statements.values().collect();
        all.sort_by(|a, b| {
            b.share.active_s.total_cmp(&a.share.active_s).then_with(|| a.text.id().cmp(&b.text.id()))
        });
        all.truncate(most);
        all
    }
}

fn name_of(dimension: Dimension, instance: &InstanceId, request: &Request) -> Arc<str> {
    let given = match dimension {
        Dimension::Instance => return instance.as_str().into(),
        Dimension::Login => &request.login,
        Dimension::Program => &request.program,
        Dimension::Host => &request.host,
        Dimension::Database => &request.database,
        // A request that waits for nothing computes.
        Dimension::Wait => return request.wait_type.clone().unwrap_or_else(|| "(on CPU)".into()),
    };
    given.clone().unwrap_or_else(|| "(none)".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::statement::Statement;

    fn request(login: &str, wait: Option<&str>, batch: &str) -> Request {
        let text = Arc::new(SqlText::new(batch.into(), None, None, false));
        Request {
            login: Some(login.into()),
            wait_type: wait.map(Into::into),
            statement: Some(Statement { end: batch.len(), start: 0, text }),
            elapsed_ms: Some(500),
            ..Request::default()
        }
    }

    #[test]
    fn what_is_seen_often_comes_first() {
        let mut ash = Ash::default();
        let id = InstanceId::new("a");
        let first = Activity {
            requests: vec![request("web", None, "select 1"), request("job", Some("LCK_M_X"), "update t")],
            ..Activity::default()
        };
        let second = Activity { requests: vec![request("web", None, "select 1")], ..Activity::default() };
        ash.take(&id, &first, 30_000);
        ash.take(&id, &second, 30_000);
        ash.take(&id, &Activity::default(), 30_000);
        assert_eq!((ash.polls, ash.all.seen), (3, 3));
        let top = ash.top(Dimension::Login, 1);
        assert_eq!(top, [("web", Share { seen: 2, active_s: 60.0 })]);
        assert_eq!(ash.top(Dimension::Wait, 9).last().map(|(name, _)| *name), Some("LCK_M_X"));
        assert_eq!(ash.top(Dimension::Program, 9)[0].0, "(none)");
        assert_eq!(&*ash.statements(9)[0].text.batch, "select 1");
        assert_eq!(ash.statements(9).len(), 2);
    }

    #[test]
    fn so_many_names_that_they_are_counted_together() {
        let mut ash = Ash::default();
        for n in 0..MOST + 10 {
            ash.add(Dimension::Login, format!("l{n}").into(), 1.0);
        }
        assert_eq!(ash.top(Dimension::Login, 1)[0].0, OTHERS);
        assert!(ash.by.len() <= MOST + Dimension::ALL.len());
    }
}
