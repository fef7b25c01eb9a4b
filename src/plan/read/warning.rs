//! The warnings of SQL Server in a plan: each kind that the schema knows, and any other by its name.

use super::text::{MAX_DETAIL, MAX_PARTS, line, name, unquoted};
use crate::{
    model::base::text::sanitize_line,
    plan::{Spill, Warning, figures::milliseconds},
    xml::Element,
};

/// All warnings of a `Warnings` element.
pub(super) fn all(element: Element<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    if element.flag("NoJoinPredicate") {
        found.push(Warning::NoJoinPredicate);
    }
    for mark in ["SpatialGuess", "FullUpdateForOnlineIndexBuild"] {
        if element.flag(mark) {
            found.push(Warning::Other(mark.to_owned()));
        }
    }
    let mut spill: Option<Spill> = None;
    for part in element.children().take(MAX_PARTS) {
        match part.name() {
            "SpillToTempDb" | "SpillOccurred" => {
                let spill = spill.get_or_insert_with(Spill::default);
                spill.level = spill.level.max(part.count("SpillLevel"));
                spill.threads = spill.threads.max(part.count("SpilledThreadCount"));
            }
            "SortSpillDetails" | "HashSpillDetails" | "ExchangeSpillDetails" => {
                let spill = spill.get_or_insert_with(Spill::default);
                spill.exchange |= part.is("ExchangeSpillDetails");
                spill.pages_written = sum(spill.pages_written, part.count("WritesToTempDb"));
                spill.pages_read = sum(spill.pages_read, part.count("ReadsFromTempDb"));
                spill.granted_kb = spill.granted_kb.max(part.count("GrantedMemoryKb"));
            }
            "ColumnsWithNoStatistics" => found.push(Warning::NoStatistics(columns(part))),
            "ColumnsWithStaleStatistics" => found.push(Warning::StaleStatistics(columns(part))),
            "PlanAffectingConvert" => found.push(Warning::Convert {
                seek: part.get("ConvertIssue").is_some_and(|issue| issue.contains("Seek")),
                expression: sanitize_line(part.get("Expression").unwrap_or_default(), MAX_DETAIL).to_string(),
            }),
            "MemoryGrantWarning" => found.push(Warning::Grant(name(part, "GrantWarningKind"))),
            "UnmatchedIndexes" => {
                let names = part.descendants().filter_map(|object| object.get("Index"));
                let names: Vec<String> = names.take(MAX_PARTS).map(unquoted).collect();
                found.push(Warning::UnmatchedIndex(names.join(", ")));
            }
            "Wait" => {
                let time =
                    part.count("WaitTime").map_or_else(|| "?".to_owned(), |ms| milliseconds(ms as f64));
                let what = part.get("WaitType").unwrap_or("?");
                found.push(Warning::Wait(line(&format!("{what} {time}"))));
            }
            other => found.push(Warning::Other(line(other))),
        }
    }
    found.extend(spill.map(Warning::Spill));
    found
}

fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}

/// `Order.Total, Order.Date`
fn columns(element: Element<'_>) -> String {
    let names = element.children().filter_map(|column| {
        let name = unquoted(column.get("Column")?);
        let table = unquoted(column.get("Table").unwrap_or_default());
        Some(if table.is_empty() { name } else { format!("{table}.{name}") })
    });
    names.take(MAX_PARTS).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::plan::{
        Warning,
        tests::{op, plan},
    };

    #[test]
    fn a_wait_is_told_as_durations_are_everywhere() {
        let told = |time: &str| {
            let warning = format!("<Warnings><Wait WaitType=\"Memory Grant\" {time}/></Warnings>");
            plan("", &warning, &op(0, "Sort", "Sort")).statements[0].queries[0].warnings.clone()
        };
        assert_eq!(told("WaitTime=\"341000\""), [Warning::Wait("Memory Grant 5m41s".to_owned())]);
        assert_eq!(told("WaitTime=\"-3\""), [Warning::Wait("Memory Grant ?".to_owned())]);
    }
}
