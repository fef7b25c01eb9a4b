//! The answer to a question to one server as a document: waits of a session, what it sent, the buffer pool by database, what is free inside of
//! files, why no plan could be read.

use crate::{
    model::{
        base::{figure, zone::Zone},
        inventory::instance::InstanceId,
        poll::{
            demand::{Buffered, CachedKind, DatabaseRoom, Demand, FileRoom, Sent, SessionWait},
            wait_class,
        },
    },
    protocol::{Shown, ShownPlan},
    tui::{fetched::describe, theme::Theme, widget::document::Document},
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
        Shown::Sent(sent) => sent_by(sent, &mut document, theme),
        Shown::Buffers(buffers) => buffered(buffers, &mut document, theme),
        Shown::PlanCache(kinds) => cached(kinds, &mut document, theme),
        Shown::Room(databases) => databases.iter().for_each(|room| roomy(room, &mut document, theme)),
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
            match wait.ms {
                Some(ms) => figure::push_wait(out, ms as f64),
                None => out.push('–'),
            }
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

fn sent_by(sent: &[Sent], document: &mut Document, theme: &Theme) {
    for (n, one) in sent.iter().enumerate() {
        if sent.len() > 1 {
            document.head(format!("request {}", n + 1));
        }
        describe(one, document, theme);
        match &one.text {
            None => document.text("the server has no text of it", theme.dim),
            Some(text) if document.statement.is_none() => document.statement = Some(text.clone()),
            Some(text) => text.text.batch.lines().for_each(|line| document.text(line, theme.base)),
        }
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

/// Plans that ran once are told in a warning's colour from this part of the cache on, %.
const MUCH_PCT: f64 = 30.0;

fn cached(kinds: &[CachedKind], document: &mut Document, theme: &Theme) {
    let sum =
        |part: fn(&CachedKind) -> Option<i64>| kinds.iter().filter_map(part).map(|n| n as f64).sum::<f64>();
    let (all, single) = (sum(|kind| kind.bytes), sum(|kind| kind.single_bytes));
    if all > 0.0 {
        let pct = single / all * 100.0;
        let style = if pct >= MUCH_PCT { theme.warning } else { theme.base };
        document.field("ran once only", style, |out| {
            figure::push_size(out, single);
            out.push_str(" of ");
            figure::push_size(out, all);
            out.push_str(" · ");
            figure::push_pct(out, pct);
        });
    }
    for kind in kinds {
        document.field(kind.name.to_string(), theme.base, |out| {
            match kind.bytes {
                Some(bytes) => figure::push_size(out, bytes as f64),
                None => out.push('–'),
            }
            if let Some(plans) = kind.plans {
                out.push_str(" in ");
                figure::push_counted(out, plans.unsigned_abs(), "plan");
            }
            if let (Some(single), Some(bytes)) = (kind.single, kind.single_bytes) {
                out.push_str(" · once only: ");
                figure::push_counted(out, single.unsigned_abs(), "plan");
                out.push_str(", ");
                figure::push_size(out, bytes as f64);
            }
        });
    }
}

/// A file of which less than this is free will grow soon, %.
const LITTLE_PCT: f64 = 5.0;

fn roomy(room: &DatabaseRoom, document: &mut Document, theme: &Theme) {
    document.head(room.database.to_string());
    let files = match &room.files {
        Ok(files) => files,
        Err(why) => return document.text(why.to_string(), theme.dim),
    };
    for file in files {
        let free = free_of(file);
        let is_little = free.is_some_and(|(_, pct)| pct < LITTLE_PCT);
        let style = if is_little { theme.warning } else { theme.base };
        document.field(file.name.as_deref().unwrap_or("?").to_owned(), style, |out| {
            match file.size_kb {
                Some(kb) => figure::push_size(out, kb as f64 * 1024.0),
                None => out.push('–'),
            }
            if let Some((kb, pct)) = free {
                out.push_str(", free ");
                figure::push_size(out, kb as f64 * 1024.0);
                out.push_str(" · ");
                figure::push_pct(out, pct);
            } else {
                out.push_str(", free –");
            }
            if file.kind.as_deref() == Some("LOG") {
                out.push_str(" · log");
            }
        });
    }
}

/// What is free inside of a file, KB and %.
fn free_of(file: &FileRoom) -> Option<(i64, f64)> {
    let size = file.size_kb.filter(|kb| *kb > 0)?;
    let free = size.saturating_sub(file.used_kb?).max(0);
    Some((free, free as f64 / size as f64 * 100.0))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Depth;

    #[test]
    fn a_time_that_is_not_known_is_no_time_of_zero() {
        let wait =
            |ms| SessionWait { name: "LCK_M_X".into(), count: Some(3), ms, max_ms: None, signal_ms: None };
        let told = |ms| {
            let theme = Theme::load("dark", Depth::True).unwrap();
            let mut document = Document::new("x");
            waited(&[wait(ms)], &mut document, &theme);
            format!("{document:?}")
        };
        assert!(told(None).contains("– in 3 waits"), "{}", told(None));
        assert!(told(Some(0)).contains("0 ms in 3 waits"), "{}", told(Some(0)));
    }
}
