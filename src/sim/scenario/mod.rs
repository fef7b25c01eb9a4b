//! Troubles, where and when: a list of events that the world reads at every moment. It comes from TOML or from [`demo`], and
//! can be changed while the simulator runs. The past never changes: see [`Scenario::splice`].
//!
//! ```toml
//! [[event]]
//! on = "sqlprd-014"        # a name, "sqlprd-*", "group:prod", "#14" (the 14th), "#14/40" (every 40th), or a list
//! kind = "blocking_storm"  # see `Kind`
//! from_s = -300            # seconds since the simulator started; negative: it was like that already; left out: now
//! to_s = 600               # left out: for good
//! every_s = 900            # left out: once
//! amount = 14              # what it counts depends on the kind; left out: a usual value
//! ```

pub mod demo;
mod kind;
mod span;

pub use self::{
    kind::Kind,
    span::{Occurrence, Span},
};
use serde::Deserialize;

/// The reason why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// not TOML, or not of the expected shape; the text names the line
    #[error("reading the scenario: {0}")]
    Syntax(#[from] toml::de::Error),
    /// an event that makes no sense
    #[error("event {number} of the scenario ({kind}): {problem}")]
    Event {
        /// counted from 1
        number: usize,
        /// its kind
        kind: Kind,
        /// what is wrong
        problem: &'static str,
    },
}

/// One trouble on some instances for some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// where: any of these
    pub on: Vec<Selector>,
    /// what
    pub kind: Kind,
    /// when
    pub span: Span,
    /// how much; see [`Kind::usual_amount`]
    pub amount: f64,
}

/// The instances that an event hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// by name; `*` stands for any run of characters
    Name(String),
    /// all of a group
    Group(String),
    /// by position, from 1: the `nth` of every `of` (`of` = `usize::MAX`: only that one)
    Position {
        /// from 1
        nth: usize,
        /// period
        of: usize,
    },
}

impl Selector {
    /// From its notation; anything that is not a group or a position is a name.
    pub fn parse(text: &str) -> Self {
        if let Some(group) = text.strip_prefix("group:") {
            return Self::Group(group.to_owned());
        }
        let position = text.strip_prefix('#').and_then(|rest| match rest.split_once('/') {
            Some((nth, of)) => Some((nth.parse().ok()?, of.parse().ok()?)),
            None => Some((rest.parse().ok()?, usize::MAX)),
        });
        match position {
            Some((nth, of)) if nth > 0 && of > 0 => Self::Position { nth, of },
            _ => Self::Name(text.to_owned()),
        }
    }

    /// True if it means the instance at `index` (from 0) with this name and these groups.
    pub fn hits(&self, index: usize, name: &str, groups: &[String]) -> bool {
        match self {
            Self::Name(pattern) => glob(pattern, name),
            Self::Group(group) => groups.contains(group),
            Self::Position { nth, of } => index % of == nth - 1,
        }
    }
}

/// `*` matches any run of characters, everything else itself.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            let Some(at) = rest.find(before) else { return false };
            rest = &rest[at + before.len()..];
        }
    }
    last.map_or(rest.is_empty(), |end| rest.ends_with(end))
}

/// All events, in the order of the file, and those that a person ended early.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scenario {
    /// events
    pub events: Vec<Event>,
    /// ends before their time
    pub cuts: Vec<Cut>,
}

/// A person ended the running occurrence of an event on one instance, by KILL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// instance, from 0
    pub index: usize,
    /// what ended
    pub kind: Kind,
    /// when, ms since the simulator's start
    pub at_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    #[serde(default)]
    event: Vec<RawEvent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    on: OneOrMore,
    kind: Kind,
    from_s: Option<f64>,
    to_s: Option<f64>,
    every_s: Option<f64>,
    amount: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Scenario {
    /// From the text of a scenario file that is read `now_ms` after the simulator's start.
    ///
    /// # Errors
    /// Text that is not such TOML, an unknown kind or field, an event that ends before it begins.
    pub fn from_toml(text: &str, now_ms: i64) -> Result<Self, ScenarioError> {
        let raw: RawScenario = toml::from_str(text)?;
        let events = raw
            .event
            .into_iter()
            .enumerate()
            .map(|(i, e)| e.into_event(i + 1, now_ms))
            .collect::<Result<_, _>>()?;
        Ok(Self { events, cuts: Vec::new() })
    }

    /// Adds an event; for scripts written in Rust.
    #[must_use]
    pub fn with(mut self, on: &str, kind: Kind, span: Span, amount: Option<f64>) -> Self {
        let amount = amount.unwrap_or(kind.usual_amount());
        self.events.push(Event { on: vec![Selector::parse(on)], kind, span, amount });
        self
    }

    /// Replaces the events from `now_ms` on by those of `next`. The past stays, because counters depend on it.
    #[must_use]
    pub fn splice(&self, next: Self, now_ms: i64) -> Self {
        let past = self.events.iter().cloned().map(|mut event| {
            event.span.until_ms = event.span.until_ms.min(now_ms);
            event
        });
        let future = next.events.into_iter().map(|mut event| {
            event.span.since_ms = event.span.since_ms.max(now_ms);
            event
        });
        let events = past.chain(future).filter(|e| e.span.since_ms < e.span.until_ms).collect();
        Self { events, cuts: self.cuts.clone() }
    }

    /// Ends now the events of a kind whose `on` is exactly this.
    #[must_use]
    pub fn without(&self, on: &str, kind: Kind, now_ms: i64) -> Self {
        let on = [Selector::parse(on)];
        let mut scenario = self.clone();
        for event in scenario.events.iter_mut().filter(|e| e.kind == kind && e.on == on) {
            event.span.until_ms = event.span.until_ms.min(now_ms);
        }
        scenario
    }
}

impl RawEvent {
    fn into_event(self, number: usize, now_ms: i64) -> Result<Event, ScenarioError> {
        let ms = |s: f64| (s * 1000.0) as i64;
        let from_s = self.from_s.unwrap_or(now_ms as f64 / 1000.0);
        let wrong = |problem| Err(ScenarioError::Event { number, kind: self.kind, problem });
        if self.to_s.is_some_and(|to| to <= from_s) {
            return wrong("to_s must be after from_s");
        }
        if self.every_s.is_some_and(|every| every < 1.0) {
            return wrong("every_s must be 1 or more");
        }
        if let (Some(every), Some(to)) = (self.every_s, self.to_s)
            && to - from_s > every
        {
            return wrong("it lasts longer than every_s, so it would overlap itself");
        }
        if self.every_s.is_some() && self.to_s.is_none() {
            return wrong("every_s needs to_s");
        }
        let on = match &self.on {
            OneOrMore::One(one) => vec![Selector::parse(one)],
            OneOrMore::More(more) => more.iter().map(|one| Selector::parse(one)).collect(),
        };
        let mut span = Span::from(ms(from_s));
        span.to_ms = self.to_s.map_or(i64::MAX, ms);
        span.every_ms = self.every_s.map(ms);
        Ok(Event { on, kind: self.kind, span, amount: self.amount.unwrap_or(self.kind.usual_amount()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_name_place_and_group() {
        let hits = |s: &str, index, name| {
            Selector::parse(s).hits(index, name, &["prod".to_owned(), "web".to_owned()])
        };
        assert!(hits("sqlprd-014", 13, "sqlprd-014"));
        assert!(!hits("sqlprd-014", 13, "sqlprd-0145"));
        assert!(hits("sql*-01*", 13, "sqlprd-014"));
        assert!(!hits("sql*-02*", 13, "sqlprd-014"));
        assert!(hits("*", 0, "anything"));
        assert!(hits("group:web", 0, "x"));
        assert!(!hits("group:test", 0, "x"));
        assert!(hits("#14", 13, "x"));
        assert!(!hits("#14", 53, "x"));
        assert!(hits("#14/40", 53, "x"));
    }

    #[test]
    fn a_file_is_read_with_usual_amounts() {
        let text = "[[event]]\non = ['a', '#2/5']\nkind = 'slow_network'\nfrom_s = -1.5\n";
        let scenario = Scenario::from_toml(text, 0).unwrap();
        let event = &scenario.events[0];
        assert_eq!(event.on.len(), 2);
        assert_eq!(event.span.from_ms, -1500);
        assert!((event.amount - Kind::SlowNetwork.usual_amount()).abs() < 1e-9);
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = Scenario::from_toml("[[event]]\non = '*'\nkind = 'meteor'", 0).unwrap_err().to_string();
        assert!(unknown.contains("meteor") && unknown.contains("blocking_storm"), "{unknown}");
        let field =
            Scenario::from_toml("[[event]]\non = '*'\nkind = 'down'\nform_s = 3", 0).unwrap_err().to_string();
        assert!(field.contains("form_s"), "{field}");
        let text = "[[event]]\non = '*'\nkind = 'down'\nfrom_s = 5\nto_s = 5";
        let backwards = Scenario::from_toml(text, 0).unwrap_err().to_string();
        assert!(backwards.contains("event 1") && backwards.contains("to_s"), "{backwards}");
    }

    #[test]
    fn splicing_keeps_the_past_and_starts_the_new_now() {
        let old = Scenario::default().with("*", Kind::CpuStorm, Span::from(0), None);
        let new = Scenario::default().with("*", Kind::IoStall, Span::from(-60_000), None);
        let both = old.splice(new, 10_000);
        let cpu = &both.events[0].span;
        let io = &both.events[1].span;
        assert_eq!(cpu.active_at(9_999), Some(9_999));
        assert_eq!(cpu.active_at(10_000), None);
        assert_eq!(io.active_at(9_999), None);
        // it acts from now, with the age it claims
        assert_eq!(io.active_at(10_000), Some(70_000));
    }
}
