//! The answer to a question to one server as a document: waits of a session, the buffer pool by database, why no plan could be
//! read.

use crate::{
    model::{
        base::{figure, zone::Zone},
        inventory::instance::InstanceId,
        poll::{
            demand::{Buffered, Demand, SessionWait},
            wait_class,
        },
    },
    protocol::{Shown, ShownPlan},
    tui::{theme::Theme, widget::document::Document},
};

/// Bytes of a page.
const PAGE: f64 = 8_192.0;

/// The document.
pub fn document(
    instance: &InstanceId,
    demand: Demand,
    shown: &Shown,
    theme: &Theme,
    zone: &Zone,
) -> Document {
    let mut document = Document::new(format!("{instance}: {demand}"));
    match shown {
        Shown::Waits(waits) => waited(waits, &mut document, theme),
        Shown::Buffers(buffers) => buffered(buffers, &mut document, theme),
        Shown::Plans(plans) => plans.iter().for_each(|plan| planned(plan, &mut document, theme, zone)),
    }
    document
}

fn waited(waits: &[SessionWait], document: &mut Document, theme: &Theme) {
    if waits.is_empty() {
        document.text("it has waited for nothing since it connected", theme.dim);
    }
    for wait in waits {
        document.field(wait.name.to_string(), theme.base, |out| {
            figure::push_wait(out, wait.ms.unwrap_or(0) as f64);
            if let Some(count) = wait.count {
                out.push_str(" in ");
                figure::push_counted(out, count.unsigned_abs(), "wait");
            }
            if let Some(max) = wait.max_ms {
                out.push_str(", max ");
                figure::push_wait(out, max as f64);
            }
            if let Some(signal) = wait.signal_ms.filter(|ms| *ms > 0) {
                out.push_str(", on the way to a CPU ");
                figure::push_wait(out, signal as f64);
            }
            out.push_str(" · ");
            out.push_str(wait_class::category(&wait.name).name());
        });
    }
}

fn buffered(buffers: &[Buffered], document: &mut Document, theme: &Theme) {
    let all: f64 = buffers.iter().filter_map(|row| row.pages).map(|pages| pages as f64).sum();
    for row in buffers {
        document.field(row.database.to_string(), theme.base, |out| {
            let Some(pages) = row.pages else { return out.push('–') };
            figure::push_size(out, pages as f64 * PAGE);
            if all > 0.0 {
                out.push_str(" · ");
                figure::push_pct(out, pages as f64 / all * 100.0);
            }
            if let Some(modified) = row.modified.filter(|pages| *pages > 0) {
                out.push_str(" · not on disk yet ");
                figure::push_size(out, modified as f64 * PAGE);
            }
        });
    }
}

fn planned(shown: &ShownPlan, document: &mut Document, theme: &Theme, zone: &Zone) {
    let found = &shown.found;
    let mut head = found.source.words().to_owned();
    if let Some(hash) = found.plan_hash {
        use std::fmt::Write as _;
        let _ = write!(head, " · plan 0x{hash:016X}");
    }
    if let Some(at) = found.started_at {
        head.push_str(" · last run ");
        zone.push_clock(&mut head, at);
    }
    document.head(head);
    if let Err(why) = &shown.plan {
        document.text(why.as_str(), theme.warning);
    }
}
