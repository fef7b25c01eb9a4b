//! A plan on the whole screen: the tree with own times, findings, and what the operator under the cursor does. `=` puts
//! another plan beside it. The plan was read elsewhere; reading takes longer than a frame may.
//!
//! | file | owns |
//! |---|---|
//! | `mod` | keys: cursor, metric, folding, search |
//! | `sheet` | the lines of a query, made when something changes and not for a frame |
//! | `draw` | a frame of them |
//! | `about` | texts about operators, the statement and missing indexes |
//! | `compare` | two plans side by side |
//! | `source` | a plan and where it is from |

mod about;
mod compare;
mod draw;
mod sheet;
mod source;

use super::{Behind, Layer, Out, body, export, input::Line};
use crate::{
    model::{inventory::instance::InstanceId, judge::health::Level},
    plan::{Plan, Query, Statement, lines, time::Metric},
    tui::{
        action::{Action, Context},
        key::Chord,
        theme::Theme,
        widget::{canvas::Canvas, cursor::moved, document::Document},
        wish::Wish,
    },
};
use compare::Comparison;
use sheet::{At, Sheet};
pub use source::{PlanSource, Request};
use std::sync::Arc;

/// What is looked for in the tree.
#[derive(Debug, Default)]
struct Search {
    /// in lower case; empty: nothing
    wanted: String,
    /// it is typed
    line: Option<Line>,
    /// the line under the cursor when typing began
    from: usize,
}

/// The layer.
pub struct PlanView {
    source: PlanSource,
    /// plans to compare with
    others: Vec<PlanSource>,
    /// statement and query of each tree in the plan
    trees: Vec<(usize, usize)>,
    tree: usize,
    /// None: no statement of the plan has a tree
    sheet: Option<Sheet>,
    /// the one that was asked for; None: the best that the query has
    metric: Option<Metric>,
    is_folded: bool,
    cursor: usize,
    /// the finding that was gone to
    chosen: Option<usize>,
    search: Search,
    /// the other plan beside this one, and which of them it is
    beside: Option<(usize, Comparison)>,
    drawn: draw::Drawn,
}

/// The trees of a plan: statement and query.
fn trees(plan: &Plan) -> Vec<(usize, usize)> {
    let of =
        |(at, statement): (usize, &Statement)| (0..statement.queries.len()).map(move |query| (at, query));
    plan.statements.iter().enumerate().flat_map(of).collect()
}

fn tree(plan: &Plan, at: (usize, usize)) -> Option<(&Statement, &Query)> {
    let statement = plan.statements.get(at.0)?;
    Some((statement, statement.queries.get(at.1)?))
}

/// The place of the tree that takes the longest, or costs most: a batch is opened where it matters.
fn heaviest(plan: &Plan, trees: &[(usize, usize)]) -> usize {
    let weight = |at: &(usize, usize)| {
        let found = tree(plan, *at);
        let total = found.and_then(|(_, query)| query.total).map(|total| total.elapsed_ms as f64);
        (total, found.and_then(|(statement, _)| statement.cost).unwrap_or(0.0))
    };
    let heavier = |a: &(usize, usize), b: &(usize, usize)| {
        let ((time_a, cost_a), (time_b, cost_b)) = (weight(a), weight(b));
        let (time_a, time_b) = (time_a.unwrap_or(-1.0), time_b.unwrap_or(-1.0));
        time_a.total_cmp(&time_b).then(cost_a.total_cmp(&cost_b))
    };
    // Of equals the first.
    let found = trees.iter().enumerate().rev().max_by(|(_, a), (_, b)| heavier(a, b));
    found.map_or(0, |(at, _)| at)
}

/// The place of the tree that is opened: the query that was asked for, where the plan has it; else, and of several, the heaviest.
fn opened(source: &PlanSource, trees: &[(usize, usize)]) -> usize {
    let is_wanted = |(at, _): &(usize, usize)| {
        let statement = source.plan.statements.get(*at);
        source.query_hash.zip(statement).is_some_and(|(hash, statement)| statement.is_of(hash))
    };
    let wanted: Vec<(usize, usize)> = trees.iter().copied().filter(is_wanted).collect();
    let best = wanted.get(heaviest(&source.plan, &wanted));
    best.and_then(|best| trees.iter().position(|tree| tree == best))
        .unwrap_or_else(|| heaviest(&source.plan, trees))
}

impl PlanView {
    /// Of a plan.
    pub fn new(source: PlanSource) -> Self {
        let trees = trees(&source.plan);
        let mut view = Self {
            tree: opened(&source, &trees),
            source,
            others: Vec::new(),
            trees,
            sheet: None,
            metric: None,
            is_folded: false,
            cursor: 0,
            chosen: None,
            search: Search::default(),
            beside: None,
            drawn: draw::Drawn::default(),
        };
        view.open();
        view
    }

    /// With others that it can be compared with.
    #[must_use]
    pub fn with_others(mut self, others: Vec<PlanSource>) -> Self {
        self.others = others;
        self
    }

    /// Shows a newer state of the plan. Cursor, metric and folding stay.
    pub fn replace(&mut self, source: PlanSource) {
        let at = self.at();
        let id = |view: &Self, at: usize| Some(view.query()?.1.operators.get(at)?.id);
        let operator = match at {
            Some(At::Operator(at)) => id(self, at),
            _ => None,
        };
        let before = self.trees.get(self.tree).copied();
        self.source = source;
        self.trees = trees(&self.source.plan);
        let same = before.and_then(|before| self.trees.iter().position(|tree| *tree == before));
        self.tree = same.unwrap_or_else(|| opened(&self.source, &self.trees));
        self.prepare();
        let by_id = |id: u64| Some(At::Operator(self.query()?.1.operators.iter().position(|o| o.id == id)?));
        let at = operator.map_or(at, by_id);
        self.stand_at(at);
        let found = self.sheet.as_ref().map_or(0, |sheet| sheet.found.len());
        self.chosen = self.chosen.filter(|chosen| *chosen < found);
    }

    fn query(&self) -> Option<(&Statement, &Query)> {
        tree(&self.source.plan, *self.trees.get(self.tree)?)
    }

    /// What is shown, where no statement of the plan is the query that was asked for.
    fn without_query(&self) -> Option<(String, String)> {
        let (hash, plan) = (self.source.query_hash?, &self.source.plan);
        let has = plan.statements.iter().any(|statement| statement.is_of(hash));
        let words = "the whole batch: no statement in it has the hash of the query";
        (!has).then(|| ("shows".to_owned(), words.to_owned()))
    }

    /// The tree is of another statement than the one that was asked for.
    fn is_beside(&self) -> bool {
        self.source.query_hash.zip(self.query()).is_some_and(|(hash, (statement, _))| !statement.is_of(hash))
    }

    /// Makes the lines of the tree anew.
    fn prepare(&mut self) {
        let at = self.trees.get(self.tree).copied().unwrap_or_default();
        let sheet = self.query().map(|of| {
            let is_live = self.source.live.is_some();
            let judged = self.source.judged_at(at, of);
            let mut sheet = Sheet::of(of, judged, self.metric, self.is_folded, is_live);
            sheet.facts.splice(0..0, self.source.facts.iter().cloned().chain(self.without_query()));
            sheet
        });
        self.sheet = sheet;
    }

    /// Opens a tree with the cursor on its heaviest finding, or on its root.
    fn open(&mut self) {
        self.prepare();
        let Some(sheet) = &self.sheet else { return };
        let first = sheet.found.iter().position(|finding| finding.operator.is_some());
        let operator = first.and_then(|at| sheet.found.get(at)?.operator);
        self.chosen = first;
        self.stand_at(Some(At::Operator(operator.unwrap_or(0))));
    }

    fn at(&self) -> Option<At> {
        self.sheet.as_ref()?.lines.get(self.cursor).map(|line| line.at)
    }

    fn stand_at(&mut self, at: Option<At>) {
        let Some(sheet) = &self.sheet else { return };
        let place = at.and_then(|at| sheet.place(at)).unwrap_or(self.cursor);
        self.cursor = place.min(sheet.lines.len().saturating_sub(1));
    }

    fn count(&self) -> usize {
        self.sheet.as_ref().map_or(0, |sheet| sheet.lines.len())
    }

    /// By another metric, or folded otherwise; the cursor stays on its operator.
    fn change(&mut self, metric: Metric, is_folded: bool) {
        let at = self.at();
        let tree = self.trees.get(self.tree).copied();
        let found = tree.and_then(|at| self::tree(&self.source.plan, at));
        if let (Some(sheet), Some((statement, query))) = (&mut self.sheet, found) {
            sheet.change(statement, query, metric, is_folded);
        }
        self.is_folded = is_folded;
        self.stand_at(at);
    }

    fn next_metric(&mut self, back: bool) {
        let Some((sheet, (_, query))) = self.sheet.as_ref().zip(self.query()) else { return };
        let metric = sheet.metric_beside(query, back);
        self.metric = Some(metric);
        self.change(metric, self.is_folded);
    }

    fn fold(&mut self) {
        let Some(metric) = self.sheet.as_ref().map(|sheet| sheet.metric) else { return };
        self.change(metric, !self.is_folded);
    }

    fn next_tree(&mut self, back: bool, out: &mut Out) {
        if self.trees.len() < 2 {
            return out.say(Level::Ok, "this plan has one tree");
        }
        let step = if back { self.trees.len() - 1 } else { 1 };
        self.tree = (self.tree + step) % self.trees.len();
        self.open();
    }

    /// To the next finding; of a text that is looked for, to its next place.
    fn next(&mut self, back: bool, out: &mut Out) {
        if !self.search.wanted.is_empty() {
            return self.next_place(back, out);
        }
        let Some(sheet) = &self.sheet else { return };
        let count = sheet.found.len();
        if count == 0 {
            return out.say(Level::Ok, "nothing was found in this plan");
        }
        let here = self
            .chosen
            .filter(|chosen| self.at().is_some_and(|at| sheet.found_at(at).any(|found| found == *chosen)));
        let next = match (here.or_else(|| sheet.found_at(self.at()?).next()), back) {
            (Some(at), false) => (at + 1) % count,
            (Some(at), true) => (at + count - 1) % count,
            (None, false) => 0,
            (None, true) => count - 1,
        };
        let operator = sheet.found.get(next).and_then(|finding| finding.operator);
        self.chosen = Some(next);
        self.stand_at(Some(operator.map_or(At::Statement, At::Operator)));
    }

    fn places(&self) -> Vec<usize> {
        let Some(sheet) = &self.sheet else { return Vec::new() };
        let has = |(_, line): &(usize, &sheet::Shown)| line.has(&self.search.wanted);
        sheet.lines.iter().enumerate().filter(has).map(|(at, _)| at).collect()
    }

    fn next_place(&mut self, back: bool, out: &mut Out) {
        let places = self.places();
        let next = if back {
            places.iter().rev().find(|at| **at < self.cursor).or(places.last())
        } else {
            places.iter().find(|at| **at > self.cursor).or(places.first())
        };
        match next {
            Some(at) => self.cursor = *at,
            None => out.say(Level::Ok, format!("nothing has {:?}: Esc forgets it", self.search.wanted)),
        }
    }

    /// Looks for a text from where typing began; what is folded away is looked through, too.
    fn look_for(&mut self, text: &str) {
        self.search.wanted = text.trim().to_lowercase();
        if self.search.wanted.is_empty() {
            return;
        }
        if self.is_folded && self.places().is_empty() {
            self.fold();
        }
        let places = self.places();
        let from = self.search.from;
        if let Some(at) = places.iter().find(|at| **at >= from).or(places.first()) {
            self.cursor = *at;
        }
    }

    fn act_while_typed(&mut self, action: Action, out: &mut Out) {
        match action {
            Action::Enter => self.search.line = None,
            Action::Out => {
                self.search.line = None;
                self.search.wanted.clear();
                self.cursor = self.search.from;
            }
            Action::Up => self.next_place(true, out),
            Action::Down => self.next_place(false, out),
            _ => {}
        }
    }

    /// The tree of another plan that is compared with the one on the screen: of the same statement, or the one it would open at.
    fn other_tree(&self, other: usize) -> Option<(&Statement, &Query)> {
        tree(&self.others.get(other)?.plan, self.other_place(other)?)
    }

    fn other_place(&self, other: usize) -> Option<(usize, usize)> {
        let (statement, _) = self.query()?;
        let source = self.others.get(other)?;
        let plan = &source.plan;
        let trees = trees(plan);
        let same = |at: &&(usize, usize)| {
            let other = tree(plan, **at).and_then(|(statement, _)| statement.query_hash.as_ref());
            other.is_some() && other == statement.query_hash.as_ref()
        };
        trees.iter().find(same).or_else(|| trees.get(opened(source, &trees))).copied()
    }

    /// All about the operators under the cursor of a comparison.
    fn about_both(&self, theme: &Theme) -> Option<Document> {
        let (other, comparison) = self.beside.as_ref()?;
        let pair = comparison.pair()?;
        let (_, query) = self.query()?;
        let of_b = self.other_tree(*other)?;
        let judged_b = self.others.get(*other)?.judged_at(self.other_place(*other)?, of_b);
        let sheet_b = Sheet::of(of_b, judged_b, None, false, false);
        let (_, query_b) = of_b;
        let a = self.sheet.as_ref().zip(pair.left).map(|(sheet, at)| (sheet, at, query));
        about::pair(a, pair.right.map(|at| (&sheet_b, at, query_b)), theme)
    }

    /// All about what the cursor is on.
    fn about(&self, theme: &Theme) -> Option<Document> {
        if self.beside.is_some() {
            return self.about_both(theme);
        }
        let (statement, query) = self.query()?;
        about::line(self.sheet.as_ref()?, self.at()?, statement, query, theme)
    }

    /// The next of the other plans beside this one.
    fn compare(&mut self, out: &mut Out) {
        if self.others.is_empty() {
            return out.say(Level::Ok, "there is no other plan here to compare with");
        }
        let next = self.beside.as_ref().map_or(0, |(at, _)| (at + 1) % self.others.len());
        let Some(((statement, query), other)) = self.query().zip(self.others.get(next)) else { return };
        let Some((statement_b, query_b)) = self.other_tree(next) else {
            return out.say(Level::Ok, "no statement of the other plan has a tree");
        };
        let a = (self.source.title.as_str(), statement, query);
        match Comparison::of(a, (&other.title, statement_b, query_b)) {
            Ok(comparison) => self.beside = Some((next, comparison)),
            Err(why) => out.say(Level::Warning, why),
        }
    }

    fn copy(&self, is_whole: bool, out: &mut Out) {
        let text = match &self.beside {
            Some((_, comparison)) => comparison.to_copy(),
            None if is_whole => {
                let metric = self.sheet.as_ref().map(|sheet| sheet.metric);
                lines::text(&self.source.plan, metric, self.is_folded)
            }
            None => {
                let line = self.sheet.as_ref().and_then(|sheet| sheet.lines.get(self.cursor));
                line.map(|line| line.to_copy() + "\n").unwrap_or_default()
            }
        };
        out.wish(Wish::Copy(text));
    }

    fn missing(&self, theme: &Theme, out: &mut Out) {
        let document =
            self.query().and_then(|(statement, query)| about::missing_indexes(statement, query, theme));
        match document {
            Some(document) => out.wish(Wish::Read(document)),
            None => out.say(Level::Ok, "the optimizer missed no index here"),
        }
    }

    /// The file that `e` writes.
    fn file(&self) -> export::File {
        let hash = self.query().and_then(|(statement, _)| statement.plan_hash.clone());
        let name = hash.unwrap_or_else(|| self.source.title.clone());
        export::File {
            what: "plan",
            ending: "sqlplan",
            name,
            scope: self.source.title.clone(),
            text: Arc::clone(&self.source.raw),
        }
    }

    fn leave(&mut self, out: &mut Out) {
        if self.beside.take().is_none() && std::mem::take(&mut self.search.wanted).is_empty() {
            out.close();
        }
    }
}

impl Layer for PlanView {
    fn context(&self) -> Context {
        if self.search.line.is_some() { Context::Input } else { Context::Plan }
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        let theme = &behind.world.theme;
        if self.search.line.is_some() {
            return self.act_while_typed(action, out);
        }
        if self.beside.as_mut().is_some_and(|(_, comparison)| comparison.act(action)) {
            return;
        }
        if let Some(to) = moved(action, self.cursor, self.count(), self.drawn.page) {
            self.cursor = to;
            return;
        }
        match action {
            Action::Enter | Action::Details => out.wishes.extend(self.about(theme).map(Wish::Read)),
            Action::NextSection | Action::PrevSection if self.beside.is_none() => {
                self.next_tree(action == Action::PrevSection, out);
            }
            Action::NextFinding | Action::PrevFinding => self.next(action == Action::PrevFinding, out),
            Action::MetricNext | Action::MetricBefore if self.beside.is_none() => {
                self.next_metric(action == Action::MetricBefore);
            }
            Action::FoldLight if self.beside.is_none() => self.fold(),
            Action::Filter if self.beside.is_none() => {
                self.search.from = self.cursor;
                self.search.line = Some(Line::selected(&self.search.wanted));
            }
            Action::Copy | Action::CopyWhole => self.copy(action == Action::CopyWhole, out),
            Action::Another => self.compare(out),
            Action::MissingIndexes => self.missing(theme, out),
            Action::WriteFile => out.wish(Wish::Ask(Box::new(self.file().ask()))),
            Action::OpenEditor => out.wish(self.file().edit()),
            Action::Out | Action::Back => self.leave(out),
            Action::Help => out.pass_on(),
            Action::Open(_) | Action::Palette | Action::Jump | Action::Quit => {
                out.close();
                out.pass_on();
            }
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        let Some(line) = &mut self.search.line else { return };
        if line.key(chord) {
            let text = line.text().to_owned();
            self.look_for(&text);
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        let Some(line) = &mut self.search.line else { return };
        line.paste(text);
        let text = line.text().to_owned();
        self.look_for(&text);
    }

    fn renew(&mut self, plan: &PlanSource) -> bool {
        let is_same = self.source.live.is_some() && self.source.live == plan.live;
        if is_same {
            self.replace(plan.clone());
        }
        is_same
    }

    fn end_live(&mut self) -> bool {
        let was_live = self.source.live.take().is_some();
        if was_live {
            self.source.title.push_str(" · ended");
            let at = self.at();
            self.prepare();
            self.stand_at(at);
        }
        was_live
    }

    fn offers(&self, action: Action) -> bool {
        let is_alone = self.beside.is_none();
        match action {
            Action::NextSection => is_alone && self.trees.len() > 1,
            Action::MetricNext | Action::FoldLight | Action::Filter => is_alone,
            Action::NextFinding => {
                !is_alone || self.sheet.as_ref().is_some_and(|sheet| !sheet.found.is_empty())
            }
            Action::Another => self.others.len() > usize::from(!is_alone),
            Action::MissingIndexes => {
                is_alone && self.query().is_some_and(|(_, query)| !query.missing.is_empty())
            }
            _ => true,
        }
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        match action {
            Action::NextFinding if self.beside.is_some() => Some("difference"),
            Action::Another if self.others.len() > 1 && self.beside.is_some() => Some("the next"),
            Action::Out if self.beside.is_some() => Some("the first alone"),
            _ => None,
        }
    }

    fn instance(&self) -> Option<&InstanceId> {
        self.source.instance.as_ref()
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let theme = &behind.world.theme;
        let mut page = body(screen);
        if let Some((_, comparison)) = &mut self.beside {
            return comparison.render(&mut page, theme);
        }
        let Some(sheet) = &self.sheet else {
            page.clear(theme.screen);
            page.put(
                2,
                1,
                page.width().saturating_sub(3),
                "No statement of this plan has a tree.",
                theme.dim,
            );
            return;
        };
        let tree = (self.tree, self.trees.len(), self.is_beside());
        let place = place(tree, self.is_folded, &self.search.wanted);
        let frame = draw::Frame {
            title: &self.source.title,
            place: &place,
            sheet,
            cursor: self.cursor,
            chosen: self.chosen,
            wanted: &self.search.wanted,
        };
        self.drawn = draw::page(&mut page, theme, &frame, self.drawn.top);
        if let Some(line) = &self.search.line {
            let (w, h) = (screen.width(), screen.height());
            let mut foot = screen.part(0, h.saturating_sub(1), w, 1);
            foot.clear(theme.input);
            let used = line.render(&mut foot, 0, " /", theme) + 2;
            let words = "↑ ↓ other places   Enter keeps, Esc takes back";
            foot.put(used, 0, w.saturating_sub(used), words, theme.dim);
        }
    }
}

/// ` tree 2 of 3, another statement · folded · /seek `: which tree, and what restricts it.
fn place((tree, of, is_beside): (usize, usize, bool), is_folded: bool, wanted: &str) -> String {
    let mut parts = Vec::new();
    if of > 1 {
        let beside = if is_beside { ", another statement" } else { "" };
        parts.push(format!("tree {} of {of}{beside}", tree + 1));
    }
    if is_folded {
        parts.push("folded".to_owned());
    }
    if !wanted.is_empty() {
        parts.push(format!("/{wanted}"));
    }
    if parts.is_empty() { String::new() } else { format!(" {} ", parts.join(" · ")) }
}

#[cfg(test)]
mod tests;
