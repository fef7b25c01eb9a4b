//! How the wizard looks: its steps as crumbs, the form of the step, and on the last page the report with what to do next.

use super::{
    Question, Wizard, is_insecure,
    steps::{INSECURE, Step},
    trial::{self, Trial, Verdict},
};
use crate::{
    model::{base::figure, judge::health::Level},
    tui::{
        pane::reading,
        theme::Theme,
        widget::{canvas::Canvas, fold::fold, reader::SIDE_BY_SIDE},
    },
};
use ratatui::style::Style;
use std::time::Duration;

/// Fewer lines of a report tell nothing.
const LEAST_REPORT: u16 = 4;
/// Wider lines are hard to read.
const WIDEST: u16 = 110;

pub fn render(wizard: &mut Wizard, canvas: &mut Canvas<'_>, theme: &Theme) {
    canvas.clear(theme.screen);
    let (w, h) = (canvas.width(), canvas.height());
    title(wizard, &mut canvas.part(0, 0, w, 1), theme);
    crumbs(wizard, &mut canvas.part(0, 1, w, 1), theme);
    let below = u16::from(wizard.said.is_some());
    let mut body = canvas.part(0, 3, w, h.saturating_sub(3 + below));
    if wizard.step == Step::Test {
        test(wizard, &mut body, theme);
    } else {
        step(wizard, &mut body, theme);
    }
    let asks = match &wizard.question {
        Some(Question::SecondLogin(asks)) => Some(asks.as_str()),
        Some(Question::Discard) => Some("Throw away what you typed? y throws it away, Esc goes on"),
        Some(Question::TakeApart) => {
            Some("A connection string: y takes it apart, its password hidden; Esc empties the field")
        }
        _ => None,
    };
    if let Some(asks) = asks {
        let mut line = canvas.part(0, h.saturating_sub(1), w, 1);
        line.clear(theme.input);
        line.put(2, 0, w, asks, theme.warning);
    } else if let Some((level, text)) = &wizard.said {
        let style = reading::level_style(theme, *level);
        let y = h.saturating_sub(1);
        canvas.put(2, y, 1, reading::glyph(*level), style);
        canvas.put(4, y, w.saturating_sub(5), text, if *level == Level::Ok { theme.base } else { style });
    }
}

fn title(wizard: &Wizard, line: &mut Canvas<'_>, theme: &Theme) {
    let w = line.width();
    line.repeat(0, 0, w, "─", theme.rule);
    let text = match wizard.base() {
        Some(before) => format!(" Edit {} ", before.name),
        None => " Add an instance ".to_owned(),
    };
    line.put(1, 0, w.saturating_sub(2), &text, theme.strong);
    if wizard.forms.get(Step::Tls.at()).is_some_and(is_insecure) {
        line.put_right(0, 0, w.saturating_sub(2), " TLS insecure ", theme.critical);
    }
}

fn crumbs(wizard: &Wizard, line: &mut Canvas<'_>, theme: &Theme) {
    let w = line.width();
    let mut x = 1;
    for step in Step::ALL {
        if step != Step::Address {
            x += line.put(x, 0, w.saturating_sub(x), "›", theme.rule) + 1;
        }
        let wrong = wizard.forms.get(step.at()).is_some_and(super::Form::is_wrong);
        let style = match (step == wizard.step, wrong) {
            (true, _) => theme.tab,
            (false, true) => theme.critical,
            (false, false) => theme.dim,
        };
        let mark = if wrong { "✖ " } else { "" };
        let text = format!(" {mark}{} ", step.name());
        x += line.put(x, 0, w.saturating_sub(x), &text, style) + 1;
    }
}

fn step(wizard: &mut Wizard, body: &mut Canvas<'_>, theme: &Theme) {
    let (w, h) = (body.width().saturating_sub(2).min(WIDEST), body.height());
    let insecure = wizard.step == Step::Tls && wizard.forms.get(Step::Tls.at()).is_some_and(is_insecure);
    let warning = if insecure { fold(INSECURE, usize::from(w.saturating_sub(4))) } else { Vec::new() };
    let room = h.saturating_sub(if insecure { warning.len() as u16 + 1 } else { 0 });
    let Some(form) = wizard.form() else { return };
    let used = form.render(&mut body.part(2, 0, w, room), theme);
    for (n, line) in warning.iter().enumerate() {
        body.put(4, used + 1 + n as u16, w.saturating_sub(4), line, theme.critical);
    }
}

fn test(wizard: &mut Wizard, body: &mut Canvas<'_>, theme: &Theme) {
    let (w, h) = (body.width(), body.height());
    let y = told(wizard, body, theme);
    let question = match &wizard.question {
        Some(Question::Pin(confirm) | Question::Untested(confirm)) => {
            confirm.height(w).min(h.saturating_sub(y))
        }
        _ => 0,
    };
    let beside = w >= SIDE_BY_SIDE;
    let asked = matches!(wizard.question, Some(Question::Pin(_)));
    if wizard.report.as_ref().is_none_or(|(made_for, _)| *made_for != (beside, asked)) {
        wizard.report = Some(((beside, asked), wizard.trial.reader(beside, asked, theme)));
    }
    let room = h.saturating_sub(y + question);
    if let Some((_, reader)) = wizard.report.as_mut().filter(|_| room >= LEAST_REPORT) {
        reader.render(&mut body.part(0, y, w, room), theme);
    }
    if let Some(Question::Pin(confirm) | Question::Untested(confirm)) = &wizard.question {
        confirm.render(&mut body.part(0, h.saturating_sub(question), w, question), theme);
    }
}

/// The test, how it stands, and the keys for it. Returns the lines used.
fn told(wizard: &Wizard, body: &mut Canvas<'_>, theme: &Theme) -> u16 {
    let w = body.width().saturating_sub(4);
    let record = wizard.record();
    if let Ok(record) = &record {
        body.put(2, 0, w, &trial::summary(record), theme.strong);
    }
    let (mark, style, text) = words(wizard, theme);
    body.put(2, 1, 2, mark, style);
    let lines = fold(&text, usize::from(w.saturating_sub(2)));
    for (n, line) in lines.iter().enumerate() {
        body.put(4, 1 + n as u16, w.saturating_sub(2), line, style);
    }
    lines.len() as u16 + 2
}

fn words(wizard: &Wizard, theme: &Theme) -> (&'static str, Style, String) {
    if wizard.saving {
        return ("○", theme.dim, "saving …".to_owned());
    }
    if matches!(wizard.question, Some(Question::Pin(_))) {
        return ("▲", theme.warning, "The server is there, but nobody vouches for it.".to_owned());
    }
    match wizard.verdict() {
        Verdict::Running => ("○", theme.dim, running(wizard)),
        Verdict::Passed if wizard.trial.holes() > 0 => {
            let n = wizard.trial.holes();
            let rights = if n == 1 { "1 right is" } else { &format!("{n} rights are") };
            (
                "▲",
                theme.warning,
                format!(
                    "It works, but {rights} missing. Enter saves it; y copies the script that grants it."
                ),
            )
        }
        Verdict::Passed => ("●", theme.ok, "It works. Enter saves it.".to_owned()),
        Verdict::Failed => {
            let text = "It does not work yet. Enter tests again, Esc goes back to fix it, Ctrl-s saves it all the same.";
            ("✖", theme.critical, text.to_owned())
        }
        Verdict::Stale => {
            let text = "Stale: the connection was changed after this test. Enter tests again.";
            ("▲", theme.warning, text.to_owned())
        }
        Verdict::Untried if wizard.is_reached_as_before() => {
            ("○", theme.dim, "It is reached as before: Enter saves it, Ctrl-t tests it.".to_owned())
        }
        Verdict::Untried => {
            ("○", theme.dim, "Not tested. Enter tests it, Ctrl-s saves it without.".to_owned())
        }
    }
}

fn running(wizard: &Wizard) -> String {
    let since = match &wizard.trial {
        Trial::Running { since, .. } => *since,
        _ => None,
    };
    let s = wizard.now.zip(since).map_or(0, |(now, since)| now.ms_since(since) / 1000);
    let told = figure::limit(Duration::from_secs(s));
    format!("testing … {told} of at most 10 s; Esc stops it")
}
