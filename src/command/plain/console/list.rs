//! What the place of a conversation lists: rows of `once` with numbers, and the page of an instance.

use super::{Behind, Console, ROWS, holds};
use crate::{
    cli::What,
    command::{
        once::{
            self, deadlocks, growths, rows,
            space::{self, Beside},
            stored,
        },
        output::{Cell, Grid},
        plain::{about::About, spoken},
    },
    model::{
        base::{figure, filter::Filter},
        fold::{scope::Scope, snapshot::InstanceSnapshot},
        judge::health::Level,
    },
    tui::evidence_of,
};
use std::{fmt::Write as _, sync::Arc};

impl Console {
    /// The instances that are meant, worst first.
    pub(super) fn in_scope(&self) -> Vec<&InstanceSnapshot> {
        let is_shown = |i: &&InstanceSnapshot| {
            self.place.scope.as_ref().is_none_or(|scope| scope.holds(i))
                && (!self.faults_only || i.health.level != Level::Ok || self.place.about == About::Instance)
        };
        rows::worst_first(self.fleet()).into_iter().filter(is_shown).collect()
    }

    pub(super) fn list_here(&mut self) {
        self.list(ROWS);
    }

    pub(super) fn list(&mut self, most: usize) {
        let told = match self.place.about {
            About::Rows(what) => self.rows(what),
            About::Instance => Ok(self.page()),
        };
        let (lines, numbers) = match told {
            Ok(told) => told,
            Err(why) => return self.say(why),
        };
        let mut head = format!("{}, {}", self.place.about.name(), self.scope_name());
        if !self.place.filter.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(head, ", filter {}", self.place.filter);
        }
        if self.place.about != About::Instance {
            let _ = write!(head, ": {}", figure::counted(lines.len(), "row"));
        }
        self.say(head);
        self.numbers = numbers;
        self.rest = (1, lines);
        self.more(if self.place.about == About::Instance { usize::MAX } else { most });
    }

    fn scope_name(&self) -> String {
        self.place.scope.as_ref().map_or_else(
            || "the whole fleet".to_owned(),
            |scope| {
                let mut name = String::new();
                scope.push_name(&mut name);
                name
            },
        )
    }

    /// The next rows of the list.
    pub(super) fn more(&mut self, most: usize) {
        let (from, mut lines) = std::mem::take(&mut self.rest);
        let rest = lines.split_off(lines.len().min(most));
        if lines.is_empty() {
            return self.say(if from > 1 { "that was all" } else { "nothing" });
        }
        let is_page = self.place.about == About::Instance;
        let next = from + lines.len();
        for (line, n) in lines.into_iter().zip(from..) {
            // Facts of a page have no number: nothing is behind them.
            let has_number = !is_page || n <= self.numbers.len();
            self.say(if has_number { format!("{n} {line}") } else { line });
        }
        if !rest.is_empty() {
            self.say(format!("and {} more", rest.len()));
        }
        self.rest = (next, rest);
    }

    /// Rows of `once`, and what their numbers open.
    fn rows(&self, what: What) -> Result<(Vec<String>, Vec<Behind>), String> {
        let (instances, fleet) = (self.in_scope(), self.fleet());
        let mut grid: Grid = match what {
            What::Fleet => rows::fleet(&instances, fleet, &self.zone),
            What::Activity => rows::activity(&instances),
            What::Waits => rows::waits(&instances),
            What::Blocking => rows::blocking(&instances),
            What::Queries => rows::queries(&instances),
            What::Cost => rows::cost(&instances, fleet, None),
            What::Deadlocks => deadlocks::rows(&instances, &self.zone),
            What::Growths => growths::rows(&instances, &self.zone),
            other => {
                let beside = Beside { zone: &self.zone, now: fleet.at, outlooks: None };
                let rows = space::rows(other, &instances, &beside);
                rows.or_else(|| stored::rows(other, &instances)).unwrap_or_default()
            }
        };
        if !self.place.filter.is_empty() {
            let infos: Vec<_> = fleet.instances.iter().map(|i| Arc::clone(&i.info)).collect();
            let filter: Filter =
                once::parse_filter(&self.place.filter, what, &infos).map_err(|why| why.to_string())?;
            once::keep(&mut grid, &filter, fleet).map_err(|why| why.to_string())?;
        }
        let behind = |cells: &Vec<Cell>| match (what, cells.first().and_then(Cell::as_text)) {
            (What::Fleet, Some(name)) => fleet
                .instances
                .iter()
                .find(|i| i.id().as_str() == name)
                .map_or_else(|| Behind::Facts(Vec::new()), |i| Behind::Instance(i.id().clone())),
            _ => Behind::Facts(spoken::facts(&grid, cells, &self.zone).collect()),
        };
        let numbers = grid.rows.iter().map(behind).collect();
        let is_of_one = matches!(self.place.scope, Some(Scope::Instance(_)));
        let said = |cells: &Vec<Cell>| spoken::row(what, &grid, cells, is_of_one, &self.zone);
        Ok((grid.rows.iter().map(said).collect(), numbers))
    }

    /// The page of the instance in scope: its reasons, with numbers that lead to their evidence, then its figures.
    fn page(&self) -> (Vec<String>, Vec<Behind>) {
        let instances = self.in_scope();
        let Some(i) = instances.first() else { return (vec!["it is not there".to_owned()], Vec::new()) };
        let mut lines = Vec::new();
        let mut numbers = Vec::new();
        for reason in &i.health.reasons {
            let evidence = evidence_of(reason).and_then(About::of);
            let leads = evidence.map_or_else(String::new, |about| format!(", see {}", about.name()));
            lines.push(format!("{}: {}{leads}", reason.level.word(), reason.told_alone(&self.zone)));
            numbers.push(Behind::Evidence(evidence));
        }
        let grid = rows::fleet(&instances[..1], self.fleet(), &self.zone);
        let cells = grid.rows.first().map_or(&[][..], Vec::as_slice);
        lines.extend(spoken::facts(&grid, cells, &self.zone).filter(|fact| !fact.starts_with("why: ")));
        lines.extend(holds::lines(i));
        (lines, numbers)
    }
}
