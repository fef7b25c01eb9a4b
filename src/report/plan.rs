//! The page of a plan: what `dbtop plan -o html` prints. Each query has its facts, its tree and its findings.

use super::html::Html;
use crate::plan::{
    Operator, Plan, Query, Statement,
    figures::milliseconds,
    find::{Finding, Weight, create_index, findings},
    lines::{amount_told, facts, headline, off_told, rows, rows_told, share_told, what},
    settings,
    time::{Metric, own},
};

const STYLE: &str = include_str!("incident.css");

/// A page that stands alone. `name`: the file's.
pub fn page(plan: &Plan, name: &str) -> String {
    Html::page(&format!("Plan {name}"), STYLE, |html| {
        html.leaf("h1", &[], &format!("Plan {name}"));
        let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
        let version = format!("SQL Server {}, schema {}", known(&plan.build), known(&plan.version));
        html.leaf("p", &[("class", "dim")], &version);
        for (at, statement) in plan.statements.iter().enumerate() {
            html.within("section", &[], |html| section(html, at + 1, statement));
        }
    })
}

fn section(html: &mut Html, number: usize, statement: &Statement) {
    html.leaf("h2", &[], &format!("{number}. {}", statement.kind));
    html.leaf("pre", &[], &statement.text);
    if statement.queries.is_empty() {
        html.leaf("p", &[("class", "dim")], "This statement has no plan of its own.");
    }
    for query in &statement.queries {
        tree(html, statement, query);
    }
}

fn tree(html: &mut Html, statement: &Statement, query: &Query) {
    let own = own(query);
    let found = findings(statement, query, &own);
    let metric = Metric::best(query);
    html.leaf("h3", &[], &headline(statement, query));
    let facts = [facts(statement, query), settings(statement, query)].concat();
    if !facts.is_empty() {
        html.leaf("pre", &[], &facts.join("\n"));
    }
    if !found.is_empty() {
        html.table(&["", "finding", "#stake", "seen", "what usually helps"], found.iter().map(line));
    }
    let title = if metric == Metric::Cost { "#cost" } else { "#own time" };
    let told = rows(query, &own, metric, false, &found).into_iter().filter_map(|row| {
        let operator = query.operators.get(row.operator)?;
        Some(vec![
            amount_told(metric, row.amount),
            share_told(row.share),
            // Blanks at the begin of a cell are dropped by browsers; these are not.
            format!(
                "{}{}{}",
                if row.hot { "┃ " } else { "\u{a0} " },
                row.lead.replace(' ', "\u{a0}"),
                operator.name()
            ),
            rows_told(operator),
            off_told(operator),
            marks(&found, row.operator) + &what(operator),
        ])
    });
    html.table(&[title, "#%", "operator", "#rows act/est", "#off", "what"], told.collect::<Vec<_>>());
    for (ms, words) in [
        (own.exchanges_ms, "threads waited for each other"),
        (own.outside_ms, "passed outside of the operators"),
    ] {
        if let Some(ms) = ms.filter(|ms| *ms > 0) {
            html.leaf("p", &[], &format!("{}: {words}.", milliseconds(ms as f64)));
        }
    }
    for index in &query.missing {
        html.leaf("pre", &[], &create_index(index));
    }
    details(html, &query.operators);
}

fn line(finding: &Finding) -> Vec<String> {
    let stake = match (finding.stake_ms, finding.share) {
        (Some(ms), _) => milliseconds(ms),
        (None, Some(share)) => format!("{:.0} % of cost", share * 100.0),
        (None, None) => String::new(),
    };
    let mark = finding.weight.mark().to_owned();
    vec![mark, finding.code.to_owned(), stake, finding.text.clone(), finding.advice.clone()]
}

fn marks(found: &[Finding], at: usize) -> String {
    let own = found.iter().filter(|finding| finding.operator == Some(at) && finding.weight > Weight::Note);
    own.fold(String::new(), |marks, finding| marks + finding.weight.mark() + " " + finding.code + " ")
}

/// All that operators do, folded away.
fn details(html: &mut Html, operators: &[Operator]) {
    html.within("details", &[], |html| {
        html.leaf("summary", &[], "All parts of each operator");
        let rows = operators.iter().flat_map(|operator| {
            let each = operator.details.iter();
            each.map(|detail| {
                vec![
                    operator.id.to_string(),
                    operator.name(),
                    detail.part.word().to_owned(),
                    detail.text.clone(),
                ]
            })
        });
        html.table(&["#node", "operator", "part", "text"], rows.collect::<Vec<_>>());
    });
}
