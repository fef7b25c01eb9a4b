//! Under which settings a statement was compiled: SET options and trace flags. `read` fills them, `lines`, `report` and panes tell
//! them.

use super::{Query, Statement};
use serde::Serialize;

/// A SET option that decides which plan is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetOption {
    /// `ARITHABORT`
    pub name: String,
    /// What it was.
    pub on: bool,
}

/// A trace flag that was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceFlag {
    /// Its number.
    pub number: u64,
    /// `Global` or `Session`, as the plan has it.
    pub scope: String,
    /// In force when the plan was compiled.
    pub compiled: bool,
    /// In force when it ran.
    pub ran: bool,
}

impl TraceFlag {
    /// `4199 global`, and when, if not at both times.
    fn words(&self, is_actual: bool) -> String {
        let scope = self.scope.to_lowercase();
        let when = match (self.compiled, self.ran) {
            (true, false) if is_actual => " when compiled",
            (false, true) => " when it ran",
            _ => "",
        };
        let blank = if scope.is_empty() { "" } else { " " };
        format!("{}{blank}{scope}{when}", self.number)
    }
}

/// The settings of a query, a line each, those that the plan tells: `settings` and `trace flags`.
pub fn settings(statement: &Statement, query: &Query) -> Vec<String> {
    let named = |on: bool| {
        let each = statement.options.iter().filter(move |option| option.on == on);
        each.map(|option| option.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let told = [(named(true), "on"), (named(false), "off")];
    let told: Vec<String> = told
        .into_iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, word)| format!("{names} {word}"))
        .collect();
    let is_actual = query.is_actual();
    let flags: Vec<String> = query.trace_flags.iter().map(|flag| flag.words(is_actual)).collect();
    let lines = [("settings", told.join("; ")), ("trace flags", flags.join(", "))];
    lines
        .into_iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(name, words)| format!("{name}  {words}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::settings;
    use crate::plan::{
        lines,
        tests::{op, plan},
    };

    const SET: &str = "<StatementSetOptions QUOTED_IDENTIFIER=\"true\" ARITHABORT=\"false\" CONCAT_NULL_YIELDS_NULL=\"1\" \
                       ANSI_NULLS=\"true\" ANSI_PADDING=\"true\" ANSI_WARNINGS=\"true\" NUMERIC_ROUNDABORT=\"false\"/>";
    const FLAGS: &str = "<TraceFlags IsCompileTime=\"true\"><TraceFlag Value=\"4199\" Scope=\"Global\"/><TraceFlag Value=\"9481\" \
                         Scope=\"Session\"/></TraceFlags><TraceFlags IsCompileTime=\"0\"><TraceFlag Value=\"4199\" \
                         Scope=\"Global\"/><TraceFlag Value=\"7412\" Scope=\"\"/><TraceFlag/></TraceFlags>";

    #[test]
    fn all_options_and_trace_flags_are_told_in_text_and_json() {
        let scan = op(0, "Table Scan", "Table Scan").thread(0, 1, 1);
        let xml =
            crate::plan::tests::xml("", FLAGS, &scan).replacen("<QueryPlan", &format!("{SET}<QueryPlan"), 1);
        let ran = crate::plan::Plan::read(xml.as_bytes()).expect("a plan");
        let statement = &ran.statements[0];
        let told = settings(statement, &statement.queries[0]);
        let all = [
            "settings  ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, CONCAT_NULL_YIELDS_NULL, QUOTED_IDENTIFIER on; \
             ARITHABORT, NUMERIC_ROUNDABORT off",
            "trace flags  4199 global, 9481 session when compiled, 7412 when it ran",
        ];
        assert_eq!(told, all);
        assert_eq!(statement.off, ["ARITHABORT"], "ROUNDABORT is off everywhere");
        let text = lines::text(&ran, None, false);
        assert!(all.iter().all(|line| text.contains(line)), "{text}");
        let json = serde_json::to_value(&ran).expect("JSON");
        let of = &json["statements"][0];
        assert_eq!(of["options"].as_array().map(Vec::len), Some(7), "{of}");
        assert_eq!(of["queries"][0]["trace_flags"][1]["number"], 9_481);
    }

    #[test]
    fn a_plan_without_settings_tells_none_and_one_with_too_many_flags_is_held_short() {
        let bare = plan("", "", &op(0, "Sort", "Sort"));
        assert!(settings(&bare.statements[0], &bare.statements[0].queries[0]).is_empty());
        let flag = |n| format!("<TraceFlag Value=\"{n}\" Scope=\"Global\"/>");
        let many: String = (0..5_000).map(flag).collect();
        let many = plan("", &format!("<TraceFlags>{many}</TraceFlags>"), &op(0, "Sort", "Sort"));
        assert_eq!(many.statements[0].queries[0].trace_flags.len(), 200);
    }
}
