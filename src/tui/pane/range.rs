//! The range of time that the charts of a pane show, the cursor in them, and the time they are compared with. The last fifteen
//! minutes are in memory; everything longer or earlier is asked of history.

use super::Part;
use crate::{
    model::{
        base::{time::Timestamp, zone::Zone},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::id::SeriesKey,
        timeline::chart::{self, ChartLine, ChartQuery, Earlier, Mark, MarkKind},
    },
    protocol::Query,
    tui::{action::Action, charts::Found, view::View, widget::canvas::Canvas, wish::Wish},
};
use std::fmt::Write as _;

/// The longest range that is in memory, ms.
const MEMORY_MS: i64 = 900_000;

/// Steps of the cursor in a range.
const STEPS: i64 = 60;

/// The time line of a pane's charts. Until the user chooses a range it is the shortest that holds everything in memory,
/// so that the first minutes after a start fill the charts too.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeLine {
    range: chart::Range,
    chosen: bool,
    /// age of the oldest point in sight, ms; the greatest number there is without any point
    known_ms: i64,
    /// the time that the cursor stands on
    cursor: Option<Timestamp>,
    /// which earlier time is drawn too
    earlier: Earlier,
    /// history answers about many instances, too
    is_of_many: bool,
}

/// The outcome of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// the action was not about the time line
    Other,
    /// done
    Done,
    /// nothing changed, and why
    No(&'static str),
}

impl TimeLine {
    /// One whose longer and earlier ranges are asked of history for many instances, too.
    pub fn of_many() -> Self {
        Self { is_of_many: true, ..Self::default() }
    }

    /// Only memory is drawn: of several instances.
    fn is_kept_short(self, view: &View<'_>) -> bool {
        !self.is_of_many && view.single().is_none()
    }

    /// Learns the time, and how much history the instances in scope have. Several instances are drawn from memory
    /// alone, unless history answers about many.
    pub fn see(&mut self, view: &View<'_>) {
        let oldest = view.instances().filter_map(|(_, i)| oldest(i)).min();
        self.known_ms = oldest.map_or(i64::MAX, |at| view.now - at);
        if !self.chosen {
            self.range = chart::Range::holding(self.known_ms);
        }
        if self.is_kept_short(view) && !self.range.is_in_memory() {
            self.range = chart::Range::default();
        }
        // The moment may have changed: time travel goes back.
        self.range.pan(0, 1, view.now);
        let (from, end) = self.span(view.now);
        self.cursor = self.cursor.filter(|at| *at >= from && *at < end);
    }

    /// Length, ms.
    pub fn ms(self) -> i64 {
        self.range.length_ms()
    }

    /// The part of it in memory, ms, which sparklines show.
    pub fn memory_ms(self) -> i64 {
        self.ms().min(MEMORY_MS)
    }

    /// From when to when.
    pub fn span(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let end = self.range.end(now);
        (end.plus_ms(-self.ms()), end)
    }

    /// The right edge.
    pub fn end(self, view: &View<'_>) -> Timestamp {
        if self.range.follows() { view.chart_end(self.ms()) } else { self.range.end(view.now) }
    }

    /// Where the cursor is.
    pub const fn cursor(self) -> Option<Timestamp> {
        self.cursor
    }

    /// True if it is drawn from what is in memory.
    pub const fn is_in_memory(self) -> bool {
        self.range.is_in_memory()
    }

    /// The earlier time that is compared with.
    pub const fn earlier(self) -> Earlier {
        self.earlier
    }

    /// `last 15 min`, `1 day to 2026-11-20 02:14:00, beside a week earlier`.
    pub fn push_name(self, out: &mut String, now: Timestamp, zone: &Zone) {
        if self.range.follows() {
            out.push_str("last ");
            out.push_str(self.range.name());
        } else {
            out.push_str(self.range.name());
            out.push_str(" to ");
            zone.push_instant(out, self.range.end(now));
        }
        if self.earlier != Earlier::None && !self.is_in_memory() {
            out.push_str(", beside ");
            out.push_str(self.earlier.name());
        }
    }

    /// Forgets the cursor and ends now again; false if it has no cursor and ends now. The length stays.
    pub fn leave(&mut self) -> bool {
        let was_moved = self.cursor.take().is_some() || !self.range.follows();
        self.range.follow();
        was_moved
    }

    /// Nothing is drawn beside it any more; false if nothing was.
    pub fn alone(&mut self) -> bool {
        std::mem::replace(&mut self.earlier, Earlier::None) != Earlier::None
    }

    /// How the title says it: charts of another time than now look like the past that they are.
    pub const fn part(self) -> Part {
        match (self.range.follows(), self.range.is_in_memory()) {
            (false, _) => Part::Past,
            (true, false) => Part::Accent,
            (true, true) => Part::Plain,
        }
    }

    /// Carries out an action about ranges and cursor, and says why where nothing changes; false hands it on.
    pub fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        match self.turn(action, view) {
            Turn::Done => {}
            Turn::No(why) => wishes.push(Wish::Say(Level::Ok, why.to_owned())),
            Turn::Other => return false,
        }
        true
    }

    /// Why an action about ranges and cursor changes nothing; None: it does, or it is another one.
    pub fn refuses(mut self, action: Action, view: &View<'_>) -> Option<String> {
        match self.turn(action, view) {
            Turn::No(why) => Some(why.to_owned()),
            Turn::Done | Turn::Other => None,
        }
    }

    fn turn(&mut self, action: Action, view: &View<'_>) -> Turn {
        match action {
            Action::Longer | Action::Shorter => return self.zoom(action == Action::Longer, view),
            Action::Earlier => return self.look(view, -1),
            Action::Later => return self.look(view, 1),
            Action::PanBack | Action::PanOn | Action::Beside if self.is_kept_short(view) => return MANY,
            Action::PanBack | Action::PanOn => {
                let side = if action == Action::PanBack { -1 } else { 1 };
                if side > 0 && self.range.follows() {
                    return Turn::No("the charts end now");
                }
                self.chosen = true;
                self.range.pan(side, 2, view.now);
                self.cursor = None;
            }
            Action::Beside => {
                self.earlier = self.earlier.next();
                // Yesterday is not in memory.
                if self.is_in_memory() && self.earlier != Earlier::None {
                    self.chosen = true;
                    self.range = chart::Range::default();
                    self.range.zoom(true, None, view.now);
                }
            }
            _ => return Turn::Other,
        }
        Turn::Done
    }

    fn zoom(&mut self, longer: bool, view: &View<'_>) -> Turn {
        let mut range = self.range;
        if !range.zoom(longer, self.cursor, view.now) {
            return Turn::No(if longer {
                "a year is the longest range"
            } else {
                "a minute is the shortest range"
            });
        }
        if !range.is_in_memory() && self.is_kept_short(view) {
            return MANY;
        }
        (self.range, self.chosen) = (range, true);
        self.see(view);
        Turn::Done
    }

    /// Moves the cursor by steps of a sixtieth of the range. Past the end it vanishes; before the beginning the charts go
    /// with it, into history.
    fn look(&mut self, view: &View<'_>, steps: i64) -> Turn {
        let step_ms = self.ms() / STEPS;
        let (from, end) = self.span(view.now);
        // The first step leads to the last round time.
        let next =
            || Timestamp::from_ms((end.ms().div_euclid(step_ms)).saturating_add(1).saturating_mul(step_ms));
        let to = self.cursor.unwrap_or_else(next).plus_ms(steps * step_ms);
        if to <= from {
            if self.is_kept_short(view) {
                return MANY;
            }
            self.chosen = true;
            self.range.pan(-1, 4, view.now);
        } else if to >= end && !self.range.follows() {
            self.range.pan(1, 4, view.now);
        }
        let (_, end) = self.span(view.now);
        self.cursor = Some(to).filter(|to| *to < end);
        Turn::Done
    }

    /// The questions to history: these series, the same of the earlier time, and the events. Empty while memory is enough.
    pub fn wanted(
        self,
        view: &View<'_>,
        id: &InstanceId,
        series: &[Vec<SeriesKey>],
        main: &[SeriesKey],
    ) -> Vec<Query> {
        if self.is_in_memory() {
            return Vec::new();
        }
        let query = |series: &[SeriesKey]| self.range.query(id.clone(), series.to_vec(), view.now);
        let mut wanted: Vec<Query> = series.iter().map(|s| Query::Chart(query(s))).collect();
        if self.earlier != Earlier::None {
            wanted.push(Query::Chart(query(main).earlier(self.earlier.ms())));
        }
        let q = query(main);
        wanted.push(Query::Marks { instance: id.clone(), from: q.from, to: q.to });
        wanted
    }

    /// The same, but not shorter than this and out of history, unless it was moved into the past: for what is polled seldom, and for
    /// what is not in memory.
    #[must_use]
    pub fn reaching(mut self, ms: i64, now: Timestamp) -> Self {
        while self.range.follows() && (self.range.is_in_memory() || self.ms() < ms) {
            if !self.range.zoom(true, None, now) {
                break;
            }
        }
        self
    }

    /// The question to history about these series alone.
    pub fn chart(self, id: &InstanceId, series: &[SeriesKey], now: Timestamp) -> ChartQuery {
        self.range.query(id.clone(), series.to_vec(), now)
    }

    /// The answer of history about these series.
    pub fn found<'a>(self, view: &View<'a>, id: &InstanceId, series: &[SeriesKey]) -> Found<'a> {
        view.charts.get(&self.range.query(id.clone(), series.to_vec(), view.now))
    }

    /// The answer of history about these series in the earlier time; None if it is not compared.
    pub fn found_earlier<'a>(
        self,
        view: &View<'a>,
        id: &InstanceId,
        series: &[SeriesKey],
    ) -> Option<Found<'a>> {
        let query = self.range.query(id.clone(), series.to_vec(), view.now);
        (self.earlier != Earlier::None && !self.is_in_memory())
            .then(|| view.charts.get(&query.earlier(self.earlier.ms())))
    }

    /// The events in sight.
    pub fn marks<'a>(self, view: &View<'a>, id: &InstanceId) -> &'a [Mark] {
        if self.is_in_memory() {
            return &[];
        }
        let q = self.range.query(id.clone(), Vec::new(), view.now);
        view.charts.marks(id, q.from, q.to)
    }

    /// The events under the cursor, in words, the nearest first; empty without any.
    pub fn push_events(self, out: &mut String, marks: &[Mark], zone: &Zone) {
        let Some(at) = self.cursor else { return };
        // A step to either side counts as pointing at it.
        let near_ms = self.ms() / STEPS;
        let lies = |m: &&Mark| {
            let to = m.to.unwrap_or(m.at);
            at - m.at >= -near_ms && at - to <= near_ms
        };
        let mut here: Vec<&Mark> = marks.iter().filter(lies).collect();
        here.sort_by_key(|m| (at - m.about()).abs());
        for (n, m) in here.iter().take(4).enumerate() {
            out.push_str(if n > 0 { "  ·  " } else { "" });
            out.push_str(m.kind.glyph());
            out.push(' ');
            zone.push_clock(out, m.about());
            out.push(' ');
            out.push_str(m.kind.name());
            let words = m.what.told(zone).to_string();
            if !words.is_empty() {
                out.push_str(": ");
                out.push_str(&words);
            }
        }
        if here.len() > 4 {
            out.push_str("  ·  …");
        }
    }
}

impl Found<'_> {
    /// The words in a chart without any point.
    pub const fn words(&self) -> &str {
        match self {
            Found::Data(_) => "nothing is kept of this time",
            Found::Open => "asking history…",
            Found::None(why) => why,
        }
    }

    /// One of its series.
    pub fn line(&self, n: usize) -> Option<&ChartLine> {
        match self {
            Found::Data(data) => data.lines.get(n),
            _ => None,
        }
    }
}

/// Draws one line: the events under the cursor in words, or without a cursor the meaning of the letters on the axis.
pub fn render_events(line: TimeLine, marks: &[Mark], view: &View<'_>, canvas: &mut Canvas<'_>) {
    let mut words = String::new();
    line.push_events(&mut words, marks, view.zone);
    if words.is_empty() {
        for (n, kind) in MarkKind::ALL.into_iter().enumerate() {
            let many = marks.iter().filter(|m| m.kind == kind).count();
            if many > 0 {
                words.push_str(if n > 0 && !words.is_empty() { "  " } else { "" });
                // Writing to a String cannot fail.
                let _ = write!(words, "{} {} {many}", kind.glyph(), kind.name());
            }
        }
        if line.cursor().is_none() && !words.is_empty() {
            words.push_str("   , and . read them");
        }
    }
    let style = if line.cursor().is_some() { view.theme.base } else { view.theme.dim };
    canvas.put(1, 0, canvas.width().saturating_sub(2), &words, style);
}

const MANY: Turn = Turn::No("earlier times are drawn of one instance: s or Enter leads to one");

fn oldest(i: &InstanceSnapshot) -> Option<Timestamp> {
    i.history.iter().filter_map(|(_, series)| series.points().next()).map(|(at, _)| at).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::zone::UTC;
    use crate::{
        model::{poll::id::SeriesId, timeline::event::What},
        tui::{fixture, pane::stage::Stage},
    };
    use std::sync::Arc;

    /// An instance whose history begins this long ago.
    fn since(ms: i64) -> Stage {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let mut young = (**i).clone();
            let mut history = crate::model::timeline::history::History::default();
            history.entry(SeriesId::Cpu).push(fixture::NOW.plus_ms(-ms), 1.0);
            young.history = Arc::new(history);
            *i = Arc::new(young);
        }
        Stage::one(fleet, "sqlprd-014")
    }

    fn name(line: TimeLine) -> String {
        let mut name = String::new();
        line.push_name(&mut name, fixture::NOW, &UTC);
        name
    }

    #[test]
    fn without_any_history_it_is_the_longest_in_memory() {
        let mut line = TimeLine::default();
        line.see(&Stage::fleet(fixture::empty()).view());
        assert_eq!(line.ms(), 900_000);
    }

    #[test]
    fn the_range_grows_with_what_is_known_until_one_is_chosen() {
        let mut line = TimeLine::default();
        let mut after = |ms: i64, action: Option<Action>| {
            let stage = since(ms);
            line.see(&stage.view());
            if let Some(action) = action {
                line.turn(action, &stage.view());
            }
            line.ms()
        };
        assert_eq!([after(10_000, None), after(60_000, None)], [60_000, 60_000]);
        assert_eq!([after(61_000, None), after(301_000, None)], [300_000, 900_000]);
        assert_eq!([after(901_000, None), after(901_000, Some(Action::Shorter))], [900_000, 300_000]);
        assert_eq!(after(901_000, None), 300_000);
    }

    #[test]
    fn longer_ranges_are_for_one_instance_and_asked_of_history() {
        let (stage, mut line) = (since(900_000), TimeLine::default());
        line.see(&stage.view());
        let id = InstanceId::new("sqlprd-014");
        let cpu = [SeriesKey::of(SeriesId::Cpu)];
        assert_eq!(line.wanted(&stage.view(), &id, &[cpu.to_vec()], &cpu), []);
        assert_eq!(line.turn(Action::Longer, &stage.view()), Turn::Done);
        assert_eq!(
            line.wanted(&stage.view(), &id, &[cpu.to_vec()], &cpu).len(),
            2,
            "the series and the events"
        );
        line.turn(Action::Beside, &stage.view());
        assert_eq!(line.wanted(&stage.view(), &id, &[cpu.to_vec()], &cpu).len(), 3);
        assert_eq!(name(line), "last 1 hour, beside a day earlier");
        line.turn(Action::PanBack, &stage.view());
        assert_eq!(name(line), "1 hour to 2026-11-20 13:32:11 UTC, beside a day earlier");
        let many = Stage::fleet(fixture::small());
        line.see(&many.view());
        assert!(line.is_in_memory());
        assert_eq!(line.turn(Action::Longer, &many.view()), MANY);
    }

    #[test]
    fn the_cursor_leads_the_charts_into_history_and_back() {
        let (stage, mut line) = (since(900_000), TimeLine::default());
        line.see(&stage.view());
        for _ in 0..59 {
            line.turn(Action::Earlier, &stage.view());
        }
        assert!(line.is_in_memory());
        for _ in 0..9 {
            line.turn(Action::Earlier, &stage.view());
            line.see(&stage.view());
        }
        assert!(!line.is_in_memory());
        let at = line.cursor().unwrap();
        assert!(fixture::NOW - at > 960_000, "{at:?}");
        for _ in 0..80 {
            line.turn(Action::Later, &stage.view());
            line.see(&stage.view());
        }
        assert!(line.is_in_memory() && line.cursor().is_none());
    }

    #[test]
    fn events_under_the_cursor_are_said_the_nearest_first() {
        let (stage, mut line) = (since(900_000), TimeLine::default());
        line.see(&stage.view());
        line.turn(Action::Longer, &stage.view());
        line.turn(Action::Earlier, &stage.view());
        let at = line.cursor().unwrap();
        let mark = |ms: i64, to: Option<i64>, words: &str| Mark {
            at: at.plus_ms(ms),
            to: to.map(|to| at.plus_ms(to)),
            kind: MarkKind::Blocking,
            instance: None,
            what: What::Note(words.into()),
        };
        let marks =
            [mark(-50_000, None, "near"), mark(-900_000, Some(0), "long"), mark(-90_000, None, "far")];
        let mut words = String::new();
        line.push_events(&mut words, &marks, &UTC);
        assert!(
            words.contains("blocking: near  ·  B") && words.contains("long") && !words.contains("far"),
            "{words}"
        );
    }
}
