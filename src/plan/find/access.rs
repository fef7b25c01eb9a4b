//! P01 to P07: how rows are fetched.

use super::case::{Case, Seen, WARNING, Weight};
use crate::plan::{
    MissingIndex, Operator, Part, Warning,
    figures::{count, short},
};
use std::collections::HashMap;

/// Below this the optimizer's wish is not worth an index.
const MIN_IMPACT: f64 = 25.0;

/// P01. Its figure is an estimate of one optimizer for one statement, so the advice says what to look at first, and no time is
/// promised.
pub(super) fn missing_index(case: &Case<'_>) -> Vec<Seen> {
    let of_table = |index: &MissingIndex| [index.table.full(), index.table.storage.clone()];
    let mut per_table: HashMap<[String; 2], usize> = HashMap::new();
    for index in &case.query.missing {
        *per_table.entry(of_table(index)).or_default() += 1;
    }
    let wished = case.query.missing.iter().filter(|index| index.impact >= MIN_IMPACT);
    let each = wished.map(|index| {
        let keys = index.equality.len() + index.inequality.len();
        let same = per_table.get(&of_table(index)).copied().unwrap_or(1);
        let mut doubts = vec!["look first whether an index of the table can be widened"];
        if index.include.len() > 5 {
            doubts.push("it includes many columns: each is written at every change");
        }
        if keys > 4 {
            doubts.push("it has many keys: the first two or three may be enough");
        }
        if same > 1 {
            doubts.push("several are wished for on this table: one may serve all");
        }
        let columns = |names: &[String]| names.join(", ");
        let mut text = format!(
            "an index on {} ({}",
            index.table.full(),
            columns(&[index.equality.as_slice(), &index.inequality].concat())
        );
        text.push(')');
        if !index.include.is_empty() {
            text = format!("{text} INCLUDE ({})", columns(&index.include));
        }
        let text = format!("{text} is estimated to save {:.0} %", index.impact);
        Seen { is_guess: true, ..Seen::of(Some(index.impact / 100.0), text, doubts.join("; ")) }
    });
    each.collect()
}

/// The statement that makes a missing index, and what to think of before it is run.
pub fn create_index(index: &MissingIndex) -> String {
    let quoted = |name: &str| crate::sql::ident::quote_name(name);
    let list = |names: &mut dyn Iterator<Item = &String>| {
        names.map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
    };
    let keys = list(&mut index.equality.iter().chain(&index.inequality));
    let parts = [&index.table.database, &index.table.schema, &index.table.table];
    let table: Vec<String> =
        parts.into_iter().filter(|part| !part.is_empty()).map(|part| quoted(part)).collect();
    let first = index.equality.first().or_else(|| index.inequality.first()).map_or("", String::as_str);
    let name = quoted(&format!("IX_{}_{first}", index.table.table).chars().take(120).collect::<String>());
    let mut text = format!(
        "-- The optimizer estimates {:.0} % for this one statement. It knows neither the indexes that could be\n\
         -- widened, nor what each further index costs when rows change, nor the best order of the keys.\n\
         CREATE INDEX {name}\n    ON {} ({keys})",
        index.impact,
        table.join(".")
    );
    if !index.include.is_empty() {
        text.push_str("\n    INCLUDE (");
        text.push_str(&list(&mut index.include.iter()));
        text.push(')');
    }
    text.push_str(";\n");
    text
}

/// Expressions of one plan that are looked at: twenty are told.
const MAX_EXPRESSIONS: usize = 200;

/// P02. SQL Server says that it lost the seek; the operator is the one that tests the expression.
pub(super) fn seek_lost(case: &Case<'_>) -> Vec<Seen> {
    let own = case.query.operators.iter().flat_map(|operator| &operator.warnings);
    let mut expressions: Vec<&str> = Vec::new();
    for warning in case.query.warnings.iter().chain(own) {
        if let Warning::Convert { seek: true, expression } = warning
            && expressions.len() < MAX_EXPRESSIONS
            && !expressions.contains(&expression.as_str())
        {
            expressions.push(expression);
        }
    }
    let advice = "compare with the column's own type: declare the parameter as the column is, or convert the other side";
    let converting: Vec<(usize, &str)> = case
        .operators()
        .filter(|(_, operator)| !expressions.is_empty() && operator.is_access())
        .flat_map(|(at, operator)| operator.details.iter().map(move |detail| (at, detail.text.as_str())))
        .filter(|(_, text)| text.contains("CONVERT_IMPLICIT("))
        .collect();
    let each = expressions.into_iter().map(|expression| {
        let column = converted_column(expression);
        let tests = |text: &str| column.is_some_and(|name| text.contains(name));
        let text = format!("{} loses the seek", short(expression, 160));
        match converting.iter().find(|(_, condition)| tests(condition)) {
            Some(&(at, _)) => Seen::at(case, at, text, advice),
            None => Seen::of(None, text, advice.to_owned()).weighing(Weight::Warning),
        }
    });
    each.collect()
}

/// `[DisplayName]` of `CONVERT_IMPLICIT(nvarchar(40),[ub].[DisplayName],0)=[@d]`: the warning and the operator name the table
/// each in its own way.
fn converted_column(expression: &str) -> Option<&str> {
    let inside = expression.split("CONVERT_IMPLICIT(").nth(1)?;
    let columns = inside.split(['(', ')', ',']).find(|part| part.contains("].["))?;
    let start = columns.rfind("].[")? + 2;
    let name = columns.get(start..)?;
    name.find(']').and_then(|end| name.get(..=end))
}

/// P03. A condition on a scanned column behind a function, CASE or a leading wildcard.
pub(super) fn not_searchable(case: &Case<'_>) -> Vec<Seen> {
    let scans = case.operators().filter(|(_, operator)| operator.physical.ends_with("Scan"));
    let each = scans.filter_map(|(at, operator)| {
        let predicate = operator.detail(Part::Predicate)?;
        let why = hidden(predicate)?;
        let text = format!("{why} in {}", short(predicate, 160));
        Some(Seen::at(case, at, text, "leave the column bare, or index what is computed"))
    });
    each.collect()
}

/// Functions that hide a column from an index. Others that stand in predicates, such as the PROBE of a bitmap, hide nothing.
const FUNCTIONS: [&str; 35] = [
    "abs",
    "ceiling",
    "charindex",
    "coalesce",
    "concat",
    "convert",
    "dateadd",
    "datediff",
    "datename",
    "datepart",
    "datetrunc",
    "day",
    "floor",
    "format",
    "isnull",
    "left",
    "len",
    "lower",
    "ltrim",
    "month",
    "nullif",
    "patindex",
    "replace",
    "reverse",
    "right",
    "round",
    "rtrim",
    "str",
    "stuff",
    "substring",
    "translate",
    "trim",
    "try_convert",
    "upper",
    "year",
];

/// What hides a column in a predicate, in words.
fn hidden(predicate: &str) -> Option<String> {
    let text = without_literals(predicate);
    let lower = predicate.to_lowercase();
    if lower.contains("like n'%") || lower.contains("like '%") {
        return Some("a leading wildcard".to_owned());
    }
    let call = hiding_call(&text).map(|name| format!("{}()", short(&name, 60)));
    call.or_else(|| has_case(&text).then(|| "CASE".to_owned()))
}

/// True for a CASE over a column, which no index knows.
fn has_case(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let cases = upper.split("CASE WHEN ").skip(1);
    cases.into_iter().any(|rest| rest.split(" END").next().unwrap_or_default().contains("].["))
}

/// A predicate without what stands in its literals: a text that a person searches for is no condition.
fn without_literals(predicate: &str) -> String {
    predicate.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// The first call in a predicate of a function that hides a column, with a column among its arguments: `UPPER` of `upper([t].[Name])`; of a
/// function of the database its last name. In one pass: predicates come from plans of others, and nest as deep as they are long.
fn hiding_call(text: &str) -> Option<String> {
    // Where the last column was seen, the depth, and the calls that are open: depth and place.
    let (mut column, mut depth) = (None, 0_u32);
    let mut open: Vec<(u32, usize)> = Vec::new();
    let mut first: Option<usize> = None;
    let mut close = |call: usize, column: Option<usize>| {
        if column > Some(call) && first.is_none_or(|first| call < first) {
            first = Some(call);
        }
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b']' if text.get(at..).is_some_and(|rest| rest.starts_with("].[")) => column = Some(at),
            b'(' => {
                depth = depth.saturating_add(1);
                if hides(text, at, column) {
                    open.push((depth, at));
                }
            }
            b')' => {
                if let Some((_, call)) = open.pop_if(|(own, _)| *own == depth) {
                    close(call, column);
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    for (_, call) in open {
        close(call, column);
    }
    called(text, first?)
}

/// Letters that a name without brackets is made of.
const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The name before a parenthesis that stands without brackets.
fn bare_name(text: &str, open: usize) -> &str {
    text.get(..open).and_then(|before| before.rsplit(|c| !is_of_name(c)).next()).unwrap_or_default()
}

/// The parenthesis opens the arguments of a function that hides a column; `column`: where the last `].[` before it is.
fn hides(text: &str, open: usize, column: Option<usize>) -> bool {
    let name = bare_name(text, open);
    if name.is_empty() {
        // `[db].[dbo].[f](…)`
        return text.get(..open).is_some_and(|before| before.ends_with(']'))
            && column.is_some_and(|column| column + 3 < open);
    }
    FUNCTIONS.iter().any(|function| function.eq_ignore_ascii_case(name))
}

/// The function whose arguments begin there.
fn called(text: &str, open: usize) -> Option<String> {
    let Some(rest) = text.get(..open)?.strip_suffix(']') else {
        return Some(bare_name(text, open).to_ascii_uppercase());
    };
    Some(rest.rsplit_once("].[")?.1.to_owned())
}

/// Reading less than this is not worth a finding.
const MIN_READ: u64 = 10_000;

/// P04. Rows that were read to be dropped: ten for each that stayed.
pub(super) fn residual(case: &Case<'_>) -> Vec<Seen> {
    let each = case.operators().filter_map(|(at, operator)| {
        let actual = operator.actual.as_ref()?;
        let read = actual.rows_read.filter(|read| *read >= MIN_READ)?;
        (read / 10 >= actual.rows.max(1)).then(|| {
            let object =
                operator.object.as_ref().map_or_else(String::new, |object| format!(" of {}", object.short()));
            let text =
                format!("{} rows read{object}, {} left", count(read as f64), count(actual.rows as f64));
            Seen::at(case, at, text, "add the columns of the condition to the keys of the index")
        })
    });
    each.collect()
}

/// P05. A lookup that runs often or takes long.
pub(super) fn lookup(case: &Case<'_>) -> Vec<Seen> {
    let each = case.operators().filter_map(|(at, operator)| {
        let heap = operator.physical == "RID Lookup";
        (heap || operator.marks.lookup).then_some(())?;
        let runs = operator.actual.as_ref().map_or(operator.estimated_executions, |actual| actual.executions as f64);
        (runs >= 1_000.0 || case.share(at).unwrap_or(0.0) >= WARNING).then(|| {
            let object = operator.object.as_ref().map_or_else(String::new, |object| format!(" into {}", object.short()));
            let word = if runs <= 1.0 { "lookup" } else { "lookups" };
            let text = format!("{} {word}{object}", count(runs));
            let advice = if heap {
                "the table is a heap: give it a clustered index, or include the columns in the index that is sought"
            } else {
                "include the columns in the index that is sought"
            };
            Seen::at(case, at, text, advice)
        })
    });
    each.collect()
}

/// P06. An index that is built in tempdb at each run.
pub(super) fn eager_spool(case: &Case<'_>) -> Vec<Seen> {
    let spools = case.operators().filter(|(_, operator)| operator.marks.builds_index);
    let each = spools.map(|(at, operator)| {
        let rows = operator.actual.as_ref().map_or(operator.estimated_rows, |actual| actual.rows as f64);
        let keys =
            operator.detail(Part::Seek).map_or_else(String::new, |seek| format!(" for {}", short(seek, 120)));
        let text =
            format!("an index is built in tempdb at each run{keys}, {} rows came from it", count(rows));
        // What fills the spool is part of the price.
        let below: f64 = case.query.children(at).filter_map(|child| case.share(child)).sum();
        let mut seen = Seen::at(case, at, text, "create the index that it builds on the table");
        seen.share = seen.share.map(|share| share + below);
        seen
    });
    each.collect()
}

/// P07. A spool that keeps what is never asked for again.
pub(super) fn lazy_spool(case: &Case<'_>) -> Vec<Seen> {
    let is_lazy =
        |operator: &Operator| operator.physical.ends_with("Spool") && operator.logical == "Lazy Spool";
    let each = case.operators().filter(|(_, operator)| is_lazy(operator)).filter_map(|(at, operator)| {
        let actual = operator.actual.as_ref()?;
        let (filled, reused) = (actual.rebinds, actual.rewinds);
        (filled > 100 && reused < filled.saturating_mul(5)).then(|| {
            let text =
                format!("filled {} times, reused {} times", count(filled as f64), count(reused as f64));
            let below: f64 = case.query.children(at).filter_map(|child| case.share(child)).sum();
            let mut seen = Seen::at(
                case,
                at,
                text,
                "index the inner side of the join; or OPTION (NO_PERFORMANCE_SPOOL)",
            );
            seen.share = seen.share.map(|share| share + below);
            seen
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::pace::assert_linear;

    #[test]
    fn the_first_function_around_a_column_is_named() {
        for (predicate, name) in [
            ("upper([t].[Name])=N'A'", Some("UPPER")),
            ("[t].[A]=(1) AND (len(rtrim([t].[Name])))>(3)", Some("LEN")),
            ("abs((1)) AND isnull([t].[A],(0))=(1)", Some("ISNULL")),
            ("[db].[dbo].[f]([t].[A])=(1)", Some("f")),
            ("[t].[A]=abs((1))", None),
            ("PROBE([Bitmap1],[t].[A])", None),
            ("abs((1)))) AND year([t].[A]", Some("YEAR")),
            ("([t].[A]) AND lower(", None),
            ("", None),
        ] {
            assert_eq!(hiding_call(predicate).as_deref(), name, "{predicate}");
        }
    }

    #[test]
    fn a_longer_predicate_takes_longer_in_proportion() {
        for of in ["abs(", "](", "]) AND [a].[b](", "a", "))((", "CASE WHEN ", "['"] {
            assert_linear(of, |predicate| drop(std::hint::black_box(hidden(predicate))));
        }
    }
}
