//! The screen in any pane, with rows in it, for tests that walk all of them.

use super::{
    App, Settings, Subject, fixture,
    id::PaneId,
    theme::{Depth, Theme},
};
use crate::{
    model::inventory::record::{AuditEntry, Author, FilterRecord, Outcome, Slug},
    protocol::{
        AuditList, FilterLine, List, Reply, SettingLine, Settings as Options, SlotLine, TenantLine,
        VaultList, VaultState,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};
use std::sync::Arc;

/// A fleet with a story for each pane, on a screen that has no room for every column.
pub fn at(pane: PaneId, place: &str) -> App {
    let theme = Theme::load("dark", Depth::True).unwrap();
    let settings = Settings {
        zone: crate::model::base::zone::UTC.clone(),
        theme,
        depth: Depth::True,
        low_bandwidth: false,
        ascii: false,
        mouse: false,
        lock_after_ms: None,
    };
    let subject = Subject { tenant: "acme".into(), vault: VaultState::Open, recording: None };
    let mut app = App::new(settings, subject, fixture::NOW);
    app.ingest(Arc::new(fixture::small()));
    // The blocked instance has rows in every pane.
    app.keys(if pane == PaneId::Instance { "2 1 enter" } else { "2 3" });
    match (pane.row().key, pane.row().word) {
        (Some(key), _) => app.keys(key),
        (None, Some((word, _))) => app.keys(&format!(": {word} enter")),
        (None, None) => {}
    }
    let filter = |name: &str| {
        let record = FilterRecord { name: name.into(), ..FilterRecord::default() };
        FilterLine { record, count: Some(3) }
    };
    app.reply(Reply::List(List::Filters(["a", "b", "c", "d"].map(filter).into())));
    let entry = |seq| {
        let (author, outcome) = (Author::default(), Outcome::Done);
        let [action, entity, name, detail] = ["edit", "instance", "sqlprd-014", ""].map(str::to_owned);
        Arc::new(AuditEntry {
            seq,
            at: fixture::NOW,
            author,
            action,
            entity,
            name,
            outcome,
            detail,
            id: None,
        })
    };
    let entries = [4, 3, 2, 1].map(entry).into();
    app.reply(Reply::List(List::Audit(AuditList { entries, ..AuditList::default() })));
    let option = |key: &str| SettingLine {
        key: key.into(),
        is_in_file: key != "b",
        help: "what it means, in a sentence that is cut".into(),
        ..SettingLine::default()
    };
    let lines = ["a", "b", "c", "d"].map(option).into();
    app.reply(Reply::Settings(Box::new(Options { file: "a.toml".into(), problems: Vec::new(), lines })));
    let slot = |id: &str| SlotLine { id: id.into(), kind: "passphrase", ..SlotLine::default() };
    let slots = ["a", "b", "c", "d"].map(slot).into();
    // Each in another state: open, suspended, not watched, deleted.
    let tenant = |name: &str| TenantLine {
        slug: Slug::parse(name).unwrap(),
        state: "not watched".into(),
        usable: true,
        is_watched: name == "aaa",
        is_suspended: name == "bbb",
        instances: Some(3),
        size_bytes: None,
        history_bytes: None,
        used: None,
        limits: None,
        deleted: (name == "ddd").then_some((fixture::NOW, fixture::NOW.plus_ms(86_400_000))),
    };
    app.reply(Reply::List(List::Tenants(["aaa", "bbb", "ccc", "ddd"].map(tenant).into())));
    app.reply(Reply::List(List::Vault(VaultList { slots, generation: 1, key_age_ms: None })));
    shown(&mut app);
    app.keys(place);
    app
}

/// The frame.
pub fn shown(app: &mut App) -> Buffer {
    let area = Rect::new(0, 0, 72, 24);
    let mut buf = Buffer::empty(area);
    app.render(area, &mut buf);
    buf
}
