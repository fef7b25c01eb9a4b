//! Two plans side by side, aligned by object and operator: `=` in the plan layer shows it.

use super::draw::put_part;
use crate::{
    model::base::figure::counted,
    plan::{
        Query, Statement,
        compare::{Pair, align},
        lines::{amount_told, change, headline, rows_told},
        time::{Metric, own},
    },
    tui::{
        action::Action,
        theme::Theme,
        widget::{
            canvas::{Canvas, width},
            cursor::moved,
        },
    },
};
use std::fmt::Write as _;

/// Pairs of operators that are tried at most: what is beyond it is no plan that a person compares.
const MOST_PAIRS: usize = 16_000_000;

/// How the two operators of a line differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Same,
    Other,
    OnlyA,
    OnlyB,
}

/// A line: an operator of the one, of the other, or both.
#[derive(Debug)]
struct Line {
    change: Change,
    a: Side,
    b: Side,
    what: String,
    /// the second plan takes twice as long here or more, and a tenth of it; or the first does
    worse: Option<bool>,
    /// the operators
    pair: Pair,
}

/// The figures of one side.
#[derive(Debug, Default)]
struct Side {
    amount: String,
    rows: String,
}

/// The comparison, ready to be drawn.
#[derive(Debug)]
pub struct Comparison {
    titles: [String; 2],
    headlines: [String; 2],
    metric: Metric,
    lines: Vec<Line>,
    /// how many operators are the same, were exchanged, and stand on one side only
    summary: String,
    /// columns of the rows of one side
    rows_width: u16,
    cursor: usize,
    top: usize,
    page: usize,
}

impl Comparison {
    /// Of two queries, with the names of their plans.
    ///
    /// # Errors
    /// They have too many operators to be aligned.
    pub fn of(
        (title_a, statement_a, a): (&str, &Statement, &Query),
        (title_b, statement_b, b): (&str, &Statement, &Query),
    ) -> Result<Self, String> {
        if a.operators.len().saturating_mul(b.operators.len()) > MOST_PAIRS {
            let both = a.operators.len() + b.operators.len();
            return Err(format!("{} are too many to be compared", counted(both, "operator")));
        }
        let metric = if a.is_timed() && b.is_timed() { Metric::Time } else { Metric::Cost };
        let (of_a, of_b) = (metric.amounts(a, &own(a)), metric.amounts(b, &own(b)));
        let (all_a, all_b) = (of_a.iter().flatten().sum::<f64>(), of_b.iter().flatten().sum::<f64>());
        let mut lines = Vec::new();
        for pair in align(a, b) {
            let first = pair.left.and_then(|at| a.operators.get(at));
            let second = pair.right.and_then(|at| b.operators.get(at));
            let amount =
                |of: &[Option<f64>], at: Option<usize>| at.and_then(|at| of.get(at).copied().flatten());
            let (one, other) = (amount(&of_a, pair.left), amount(&of_b, pair.right));
            let what = change(first, second);
            let side = |operator: Option<&_>, amount| match operator {
                Some(operator) => Side { amount: amount_told(metric, amount), rows: rows_told(operator) },
                None => Side::default(),
            };
            let change = match (first, second) {
                (Some(_), None) => Change::OnlyA,
                (None, _) => Change::OnlyB,
                (Some(a), Some(b)) if a.name() == b.name() && a.object == b.object => Change::Same,
                (Some(_), Some(_)) => Change::Other,
            };
            let (x, y) = (one.unwrap_or(0.0), other.unwrap_or(0.0));
            let is_heavy =
                |here: f64, there: f64, all: f64| here > 0.0 && here >= there * 2.0 && here >= all * 0.1;
            let worse =
                if is_heavy(y, x, all_b) { Some(true) } else { is_heavy(x, y, all_a).then_some(false) };
            lines.push(Line { change, a: side(first, one), b: side(second, other), what, worse, pair });
        }
        let count = |change| lines.iter().filter(|line| line.change == change).count();
        let summary = format!(
            "{} the same, {} otherwise, {} only in A, {} only in B",
            count(Change::Same),
            count(Change::Other),
            count(Change::OnlyA),
            count(Change::OnlyB)
        );
        let widths = lines.iter().flat_map(|line| [width(&line.a.rows), width(&line.b.rows)]);
        let rows_width = widths.max().unwrap_or(0).clamp(6, 17) as u16 + 2;
        Ok(Self {
            rows_width,
            titles: [title_a.to_owned(), title_b.to_owned()],
            headlines: [headline(statement_a, a), headline(statement_b, b)],
            metric,
            lines,
            summary,
            cursor: 0,
            top: 0,
            page: 1,
        })
    }

    /// Moves the cursor, or goes to the next difference; false if the action means nothing here.
    pub fn act(&mut self, action: Action) -> bool {
        if let Some(to) = moved(action, self.cursor, self.lines.len(), self.page) {
            self.cursor = to;
            return true;
        }
        let differs = |at: &usize| self.lines.get(*at).is_some_and(|line| line.change != Change::Same);
        let to = match action {
            Action::NextFinding => (self.cursor + 1..self.lines.len()).find(differs),
            Action::PrevFinding => (0..self.cursor).rev().find(differs),
            _ => return false,
        };
        self.cursor = to.unwrap_or(self.cursor);
        true
    }

    /// The operators of the line under the cursor.
    pub fn pair(&self) -> Option<Pair> {
        self.lines.get(self.cursor).map(|line| line.pair)
    }

    /// The whole as text.
    pub fn to_copy(&self) -> String {
        let mut text = String::new();
        for (name, (title, headline)) in ["A", "B"].iter().zip(self.titles.iter().zip(&self.headlines)) {
            let _ = writeln!(text, "{name}\t{title}\t{headline}");
        }
        for line in &self.lines {
            let Line { a, b, what, .. } = line;
            let _ = writeln!(text, "{}\t{}\t{}\t{}\t{what}", a.amount, b.amount, a.rows, b.rows);
        }
        text
    }

    /// Draws the whole page.
    pub fn render(&mut self, canvas: &mut Canvas<'_>, theme: &Theme) {
        canvas.clear(theme.screen);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        let x = put_part(canvas, 1, 0, w, "Two plans", theme.strong, theme);
        put_part(canvas, x, 0, w, &self.summary, theme.dim, theme);
        let both = ["A", "B"].into_iter().zip(self.titles.iter().zip(&self.headlines));
        for (y, (name, (title, headline))) in (1..).zip(both) {
            canvas.put(2, y, 1, name, theme.accent);
            let used = canvas.put(4, y, w.saturating_sub(5), title, theme.base);
            canvas.put(4 + used + 2, y, w.saturating_sub(used + 7), headline, theme.dim);
        }
        // Rows of both sides are for screens that leave room for the operators.
        let rows = if w < 26 + 2 * self.rows_width + 24 { 0 } else { self.rows_width };
        let own = if self.metric == Metric::Time { ["OWN A", "OWN B"] } else { ["COST A", "COST B"] };
        let what_at = 22 + 2 * rows + 2;
        canvas.put_right(1, 3, 9, own[0], theme.dim);
        canvas.put_right(11, 3, 9, own[1], theme.dim);
        if rows > 0 {
            canvas.put_right(20, 3, rows, "ROWS A", theme.dim);
            canvas.put_right(20 + rows, 3, rows, "ROWS B", theme.dim);
        }
        canvas.put(what_at, 3, w, "OPERATOR", theme.dim);
        self.page = usize::from(h.saturating_sub(4)).max(1);
        let last = self.lines.len().saturating_sub(self.page);
        self.top = self.top.min(last).clamp((self.cursor + 1).saturating_sub(self.page), self.cursor);
        for (y, (n, line)) in (4..h).zip(self.lines.iter().enumerate().skip(self.top)) {
            let mut row = canvas.part(0, y, w, 1);
            let (left, right) = match line.worse {
                Some(true) => (theme.base, theme.warning),
                Some(false) => (theme.warning, theme.base),
                None => (theme.dim, theme.dim),
            };
            row.put_right(1, 0, 9, &line.a.amount, left);
            row.put_right(11, 0, 9, &line.b.amount, right);
            row.put_right(20, 0, rows, if rows > 0 { &line.a.rows } else { "" }, theme.dim);
            row.put_right(20 + rows, 0, rows, if rows > 0 { &line.b.rows } else { "" }, theme.dim);
            let style = match line.change {
                Change::Same => theme.base,
                Change::Other => theme.accent,
                Change::OnlyA | Change::OnlyB => theme.warning,
            };
            row.put(what_at, 0, w.saturating_sub(what_at + 1), &line.what, style);
            if n == self.cursor {
                row.select(0, 0, w, theme.selection);
            }
        }
    }
}
