//! The help: keys of the pane first, then those of tables and those that work everywhere, from the key table.

use crate::tui::{
    action::{Context, listed},
    command_line,
    id::PaneId,
    theme::Theme,
    widget::document::Document,
};

/// Keys for a pane.
pub fn document(pane: PaneId, theme: &Theme) -> Document {
    let mut d = Document::new(format!("Keys · {}", pane.name()));
    for context in Context::of_pane(pane).into_iter().chain([Context::Reader, Context::Input]) {
        keys(&mut d, context, theme);
    }
    d.head("Commands, after :");
    for (name, about) in command_line::commands() {
        d.text(format!("{name:<50}{about}"), theme.base);
    }
    d.head("Filter");
    for line in FILTER {
        d.text(line, theme.base);
    }
    d.head("Signs");
    d.text("● ok   ▲ warning   ✖ critical or offline   ○ unknown", theme.base);
    d.text(
        "n/a no right, or not on this server   off switched off   … not polled yet   – no value",
        theme.base,
    );
    d.text("dimmed: the value is stale; AGE says by how much", theme.base);
    d
}

/// Keys of a layer.
pub fn of_layer(context: Context, theme: &Theme) -> Document {
    let mut d = Document::new(format!("Keys · {}", context.title()));
    for context in [context, Context::Reader] {
        keys(&mut d, context, theme);
    }
    if context == Context::Plan {
        d.head("Signs");
        for line in PLAN {
            d.text(line, theme.base);
        }
    }
    d
}

fn keys(d: &mut Document, context: Context, theme: &Theme) {
    let lines = listed(context);
    if !lines.is_empty() {
        d.head(context.title());
    }
    for (chords, help) in lines {
        let keys: Vec<String> = chords.iter().map(ToString::to_string).collect();
        d.text(format!("{:<16}{help}", keys.join(" ")), theme.base);
    }
}

const PLAN: [&str; 6] = [
    "✖ ▲ ·           findings: worth half of the time or more, a tenth, worth knowing",
    "┃               the slowest path",
    "OWN             what an operator takes without what is below it",
    "ROWS            came / expected, over all executions",
    "OFF             the factor between them, from 2 on; 1/8: eight times fewer came",
    "×4 +12          threads; operators below it that are folded away",
];

const FILTER: [&str; 6] = [
    "prod            rows that contain the text; a regular expression works too",
    "!prod           rows that do not",
    "env=prod        a label or field; != for not",
    "cpu>80          a figure; < <= >= work too",
    "at>2026-11-29   a day, or a moment: at=\"2026-11-29 14:02\"; = within it, > after it, < before it",
    "a b             both",
];
