//! The frame around the pane: header with crumbs and counts, tabs, title line, footer; and the layers over it.

use super::{App, status::Message};
use crate::{
    model::{
        base::{figure, time::Timestamp, zone::Zone},
        judge::health::Level,
    },
    protocol::VaultState,
    tui::{
        action::{Action, Context},
        id::PaneId,
        key::Chord,
        layer::{Behind, overlay},
        moment::{Recording, push_ago},
        pane::{Part, reading},
        theme::Theme,
        widget::{
            canvas::{Canvas, CursorPlace, width},
            fold::fold,
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::fmt::Write as _;

/// Below this the panes cannot say anything useful.
const LEAST: (u16, u16) = (40, 10);

/// Draws the whole screen. Returns where the hardware cursor shall stand: on the selected row, or in the text that is typed.
pub fn render(app: &mut App, area: Rect, buf: &mut Buffer) -> Option<(u16, u16)> {
    let cursor = CursorPlace::default();
    draw(app, &mut Canvas::with_cursor(buf, area, &cursor));
    cursor.get()
}

fn draw(app: &mut App, screen: &mut Canvas<'_>) {
    screen.clear(app.world.theme.screen);
    let (w, h) = (screen.width(), screen.height());
    if w < LEAST.0 || h < LEAST.1 {
        let text = format!("terminal too small: {w}×{h}, needs {}×{}", LEAST.0, LEAST.1);
        for (y, line) in fold(&text, usize::from(w)).iter().enumerate() {
            screen.put(0, y as u16, w, line, app.world.theme.warning);
        }
        return;
    }
    header(app, &mut screen.part(0, 0, w, 1));
    if app.alone.is_none() {
        tabs(app, &mut screen.part(0, 1, w, 1));
    }
    {
        let view = app.world.view();
        app.panes.get(app.place.pane).render(&view, &mut screen.part(0, 3, w, h - 4));
    }
    // After the pane, which knows by then which rows are in sight.
    title(app, &mut screen.part(0, 2, w, 1));
    footer(app, &mut screen.part(0, h - 1, w, 1));
    layers(app, screen);
    message(app, screen);
    if app.status.overlay {
        overlay::render(
            &app.status.figures,
            app.travel.live.as_ref().unwrap_or(&app.world.snapshot),
            (app.world.moment.recording.is_none().then_some(&app.status.stored), app.world.moment.clock),
            &mut screen.part(0, 2, w, h - 3),
            &app.world.theme,
        );
    }
}

fn layers(app: &mut App, screen: &mut Canvas<'_>) {
    let mut behind = Behind { world: &app.world, pane: app.panes.get(app.place.pane) };
    if let Some(top) = app.layers.last_mut() {
        top.render(screen, &mut behind);
    }
}

/// The parts of the instant on the screen that are missing because history is damaged.
fn damaged_here(app: &App) -> &[String] {
    if app.world.moment.past.is_some() { &app.travel.damaged } else { &[] }
}

/// The scope is production if every instance in it is.
fn is_production(app: &App) -> bool {
    let view = app.world.view();
    !view.scope.is_empty()
        && view.scope.iter().all(|i| view.instance(*i).is_some_and(|i| i.info.is_production()))
}

fn header(app: &App, line: &mut Canvas<'_>) {
    let t = &app.world.theme;
    let w = line.width();
    let in_past = app.world.moment.past.is_some();
    // In the past the whole line is amber, so that nobody takes it for the present.
    let bar = |style: Style| if in_past { t.banner } else { style };
    if in_past {
        line.clear(t.banner);
    }
    let right = header_right(app, line);
    let room = w.saturating_sub(right + 1);
    let mut crumbs = vec![app.tenant.clone()];
    for scope in &app.place.scopes {
        let mut name = String::new();
        scope.push_name(&mut name);
        crumbs.push(name);
    }
    // What is looked at comes last and is cut last: program, tenant and wider scopes make room for it.
    let needed = |crumbs: &[String]| crumbs.iter().map(|crumb| width(crumb) + 3).sum::<usize>();
    let mut x = 1;
    if crumbs.len() == 1 || 5 + needed(&crumbs) <= usize::from(room) {
        x = line.put(1, 0, room, "dbtop", bar(t.accent)) + 3;
    }
    while crumbs.len() > 1 && usize::from(x) + needed(&crumbs) > usize::from(room) + 3 {
        crumbs.remove(0);
    }
    let production = is_production(app);
    let last = crumbs.len() - 1;
    for (n, crumb) in crumbs.iter().enumerate() {
        if n > 0 {
            x += line.put(x, 0, room.saturating_sub(x), " › ", bar(t.rule));
        }
        let style = if n == last { if production { t.prod } else { t.strong } } else { t.dim };
        x += line.put(x, 0, room.saturating_sub(x), crumb, bar(style));
    }
    if let Some(i) = app.world.view().single().filter(|i| i.info.tls.is_insecure()) {
        let text = format!("  TLS {}", crate::tui::pane::fleet::columns::tls_words(i.info.tls));
        line.put(x, 0, room.saturating_sub(x), &text, bar(t.critical));
    }
}

/// The process that polls, if it is another one; on a narrow screen its first word only.
fn collector_words(app: &App, w: u16) -> Option<&str> {
    let words = app.status.collector.as_deref()?;
    let room = if app.world.moment.past.is_some() { w.saturating_sub(40) } else { w };
    match room {
        0..80 => None,
        80..120 => words.split(" · ").next(),
        _ => Some(words),
    }
}

/// ` ◀ PAST 2026-11-20 02:14:00 UTC, 9h12m ago `, as much of it as there is room for.
fn past_piece(app: &App, at: Timestamp, w: u16) -> String {
    let mut text = String::from(if w < 70 { "◀ PAST " } else { " ◀ PAST " });
    let from = text.len();
    let zone = &app.world.moment.zone;
    zone.push_moment(&mut text, at);
    if w < 70 {
        // Neither year nor seconds.
        text.truncate(from + 16);
        text.replace_range(from..from + 5, "");
        return text;
    }
    // The zone and the age are worth more than the year.
    if w < 90 {
        text.replace_range(from..from + "2026-".len(), "");
    }
    text.push(' ');
    zone.push_label(&mut text, at);
    // How long ago it was says nothing of a recording, and would count on.
    if app.world.moment.recording.is_none() {
        text.push_str(", ");
        push_ago(&mut text, at, app.world.moment.clock);
    }
    text.push(' ');
    text
}

/// ` → 02:14:00 … `: on the way there.
fn going_piece(goal: Timestamp, zone: &Zone, w: u16) -> String {
    let mut text = String::from("→ ");
    zone.push_clock(&mut text, goal);
    if w < 70 {
        text.truncate("→ 00:00".len());
    }
    text.push('…');
    text
}

/// Counts, clock, live or paused, from the right; returns the columns used.
fn header_right(app: &App, line: &mut Canvas<'_>) -> u16 {
    let t = &app.world.theme;
    let w = line.width();
    let mut pieces: Vec<(Style, String)> = Vec::new();
    if let Some(words) = collector_words(app, w) {
        pieces.push((t.dim, words.to_owned()));
    }
    let c = app.world.snapshot.counts;
    // Without an instance there is nothing to count, and nothing that lives.
    let known = app.world.snapshot.version > 0 && !app.world.snapshot.instances.is_empty();
    // On a narrow screen the name of the instance that is looked at is worth more than what the others are.
    let known = known && (w >= 60 || app.place.instance().is_none());
    for (level, n) in [
        (Level::Ok, c.ok),
        (Level::Warning, c.warning),
        (Level::Critical, c.critical),
        (Level::Unknown, c.unknown),
    ] {
        if known && (n > 0 || level == Level::Ok) {
            pieces.push((reading::level_style(t, level), format!("{} {n}", reading::glyph(level))));
        }
    }
    if app.world.moment.past.is_none() {
        let mut clock = String::new();
        let (zone, now) = (&app.world.moment.zone, app.world.moment.clock);
        if app.world.low_bandwidth {
            zone.push_minute(&mut clock, now);
        } else {
            zone.push_clock(&mut clock, now);
        }
        if w >= 70 {
            clock.push(' ');
            zone.push_label(&mut clock, now);
        }
        pieces.push((t.dim, clock));
    }
    if let Some(goal) = app.travel.goal() {
        pieces.push((t.banner, going_piece(goal, &app.world.moment.zone, w)));
    }
    match app.travel.paused {
        _ if let Some(past) = app.world.moment.past => pieces.push((t.banner, past_piece(app, past.at, w))),
        Some(at) => {
            let mut text = String::from(" ❚❚ PAUSED ");
            app.world.moment.zone.push_clock(&mut text, at);
            if app.travel.behind(app.world.snapshot.version) > 0 {
                text.push_str(" +");
                figure::push_counted(&mut text, app.travel.behind(app.world.snapshot.version), "update");
            }
            text.push(' ');
            pieces.push((t.banner, text));
        }
        None if w >= 60 && !app.world.snapshot.instances.is_empty() => {
            pieces.push((t.ok, "▶ LIVE".to_owned()));
        }
        None => {}
    }
    if matches!(app.inventory.state, VaultState::Locked { .. }) {
        pieces.push((t.banner, " LOCKED ".to_owned()));
    }
    if let Some(sign) = app.status.store {
        let short = w < 120 || app.world.moment.past.is_some() && w < 160;
        let text = if short { " NO HISTORY ".to_owned() } else { format!(" HISTORY NOT KEPT: {sign} ") };
        pieces.push((t.banner, text));
    }
    let gap = if w < 100 { 2 } else { 3 };
    let total: usize = pieces.iter().map(|(_, p)| width(p) + gap).sum();
    let mut x = w.saturating_sub(total as u16 + 1 - gap as u16);
    let start = x;
    for (style, text) in &pieces {
        let style = if app.world.moment.past.is_some() { t.banner } else { *style };
        x += line.put(x, 0, w, text, style) + gap as u16;
    }
    w.saturating_sub(start)
}

/// The columns that tabs may take: notices on their right come first, in words that say what they are about.
pub fn tab_columns(app: &App, columns: u16) -> u16 {
    let room = |words: &[String], least: usize| words.get(least).map_or(0, |words| width(words) as u16 + 2);
    let recording = app.world.moment.recording.as_ref();
    let notices = room(&damaged_words(damaged_here(app)), 1)
        + recording.map_or(0, |recording| room(&recording_words(recording, &app.world.moment.zone), 2));
    columns.saturating_sub(notices)
}

/// All tabs: text, pane. On a narrow screen they stand closer, then only the active one has its name, or none: the title has it, too.
fn tab_texts(home: PaneId, active: PaneId, columns: u16) -> Vec<(String, PaneId)> {
    let make = |has_name: fn(bool) -> bool, is_tight: bool| -> Vec<(String, PaneId)> {
        let text = |(pane, key): (PaneId, &str)| {
            let is_named = has_name(pane == active);
            let text = match (is_named, is_tight && pane != active) {
                // The first one keeps the margin.
                (true, true) if pane == home => format!(" {key} {}", pane.name()),
                (true, true) => format!("{key} {}", pane.name()),
                (true, false) => format!(" {key} {} ", pane.name()),
                (false, _) => format!(" {key} "),
            };
            (text, pane)
        };
        // The pane that is at home has the fleet's key.
        let tabs = PaneId::tabs()
            .filter_map(|pane| Some((if pane == PaneId::Fleet { home } else { pane }, pane.row().key?)));
        // A pane that is opened by its word has a tab while it is there.
        let here =
            (active != home && active.row().key.is_none()).then(|| (format!(" {} ", active.name()), active));
        tabs.map(text).chain(here).collect()
    };
    let fits = |tabs: &Vec<(String, PaneId)>| {
        tabs.iter().map(|(text, _)| width(text) + 1).sum::<usize>() <= usize::from(columns) + 1
    };
    let named = [make(|_| true, false), make(|_| true, true), make(|is_active| is_active, false)];
    named.into_iter().find(fits).unwrap_or_else(|| make(|_| false, false))
}

fn tabs(app: &App, line: &mut Canvas<'_>) {
    let t = &app.world.theme;
    let mut x = 0;
    for (text, pane) in tab_texts(app.home(), app.place.pane, tab_columns(app, line.width())) {
        let style = if pane == app.place.pane { t.tab } else { t.dim };
        x += line.put(x, 0, line.width(), &text, style) + 1;
    }
    let mut end = line.width().saturating_sub(1);
    let mut put = |words: &[String], style: Style| {
        let room = usize::from(end.saturating_sub(x + 1));
        if let Some(words) = words.iter().find(|words| width(words) <= room) {
            line.put_right(0, 0, end, words, style);
            end = end.saturating_sub(width(words) as u16 + 2);
        }
    };
    put(&damaged_words(damaged_here(app)), t.banner);
    if let Some(recording) = &app.world.moment.recording {
        put(&recording_words(recording, &app.world.moment.zone), t.accent);
    }
}

/// Words for missing parts, the longest first; they stay as long as the instant does.
fn damaged_words(damaged: &[String]) -> Vec<String> {
    let Some(first) = damaged.first() else { return Vec::new() };
    let more = match damaged.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    vec![
        format!(" damaged: {first}{more}, `dbtop store check` says all "),
        format!(" damaged: {first}{more} "),
        format!(" damaged: {} ", figure::counted(damaged.len(), "part")),
        " damaged ".to_owned(),
    ]
}

/// Words for the recording that is played, the longest first: `replay · FILE · 2026-11-20 02:00 – 03:00 UTC` down to `02:00 – 03:00`.
fn recording_words(recording: &Recording, zone: &Zone) -> [String; 5] {
    let minute = |at: Timestamp| {
        let mut text = String::new();
        zone.push_date(&mut text, at);
        text.push(' ');
        zone.push_minute(&mut text, at);
        text
    };
    let mut label = String::new();
    zone.push_label(&mut label, recording.to);
    let (mut from, mut to) = (minute(recording.from), minute(recording.to));
    if from == to {
        // A short one is told with its seconds: a stretch has two ends.
        for (text, at) in [(&mut from, recording.from), (&mut to, recording.to)] {
            text.clear();
            zone.push_moment(text, at);
        }
    }
    let file = &recording.file;
    let clock = "2026-11-20 ".len();
    let is_one_day = from.get(..clock) == to.get(..clock);
    // Without the year, which the header shows.
    let cut = |text: &str, at: usize| text.get(at..).unwrap_or_default().to_owned();
    let short = if is_one_day { clock } else { "2026-".len() };
    let span = format!("{from} – {}", cut(&to, if is_one_day { clock } else { 0 }));
    let short = format!("{} – {}", cut(&from, short), cut(&to, short));
    [
        format!("replay · {file} · {span} {label}"),
        format!("{file} · {span}"),
        format!("{file} · {short}"),
        span,
        short,
    ]
}

/// The pane whose tab is at a column.
pub fn tab_at(x: u16, home: PaneId, active: PaneId, columns: u16) -> Option<PaneId> {
    let mut from = 0;
    for (text, pane) in tab_texts(home, active, columns) {
        let end = from + width(&text) as u16;
        if (from..end).contains(&x) {
            return Some(pane);
        }
        from = end + 1;
    }
    None
}

/// `─ Fleet ─ 40 instances ─ worst first ─ /env=prod ───`, in the colour of production if that is the scope.
fn title(app: &mut App, line: &mut Canvas<'_>) {
    let production = is_production(app);
    let view = app.world.view();
    let t = view.theme;
    let pane = app.panes.get(app.place.pane);
    let mut parts = Vec::new();
    pane.title(&view, &mut parts);
    if view.faults_only && !view.narrowed {
        parts.push((Part::Accent, "faults only".to_owned()));
    }
    if !pane.filter().is_empty() {
        parts.push((Part::Accent, format!("/{}", pane.filter())));
    }
    let rule = if production { t.prod } else { t.rule };
    let w = line.width();
    line.repeat(0, 0, w, if production { "━" } else { "─" }, rule);
    let mut position = String::new();
    if let Some((first, last, all)) = pane.position() {
        let _ = write!(position, " {first}–{last} of ");
        figure::push_grouped(&mut position, all as i64);
        position.push(' ');
    }
    // Plain words make room for the place of the rows and for a filter, the last ones first; what restricts or warns does not.
    let needed = |parts: &[(Part, String)], position: &str| {
        let parts: usize = parts.iter().map(|(_, text)| width(text) + 3).sum();
        width(app.place.pane.name()) + 6 + parts + width(position)
    };
    while (!position.is_empty() || !pane.filter().is_empty()) && needed(&parts, &position) > usize::from(w) {
        match parts.iter().rposition(|(part, _)| *part == Part::Plain).filter(|at| *at > 0) {
            Some(at) => drop(parts.remove(at)),
            None if position.is_empty() => break,
            None => position.clear(),
        }
    }
    line.put_right(0, 0, w.saturating_sub(2), &position, t.dim);
    let end = w.saturating_sub(if position.is_empty() { 0 } else { width(&position) as u16 + 3 });
    let mut x = 1;
    let put = |x: &mut u16, text: &str, style: Style, line: &mut Canvas<'_>| {
        let room = end.saturating_sub(*x + 2);
        // A part is shown whole or at least long enough to be understood.
        if usize::from(room) < width(text).min(20) {
            return;
        }
        line.put(*x, 0, 1, " ", style);
        let used = line.put(*x + 1, 0, room, text, style);
        line.put(*x + 1 + used, 0, 1, " ", style);
        *x += used + 3;
    };
    put(&mut x, app.place.pane.name(), t.strong, line);
    for (part, text) in parts {
        let style = match part {
            Part::Plain => t.dim,
            Part::Accent => t.accent,
            Part::Past => t.banner,
            Part::Level(level) => reading::level_style(t, level),
        };
        put(&mut x, &text, style, line);
    }
}

fn put_message(m: &Message, text: &str, line: &mut Canvas<'_>, t: &Theme) {
    let (w, style) = (line.width(), reading::level_style(t, m.level));
    line.put(1, 0, 2, reading::glyph(m.level), style);
    line.put(3, 0, w.saturating_sub(4), text, t.base);
}

/// A message that is too long for the footer, whole: over the last lines of the screen. A command line keeps its own line.
fn message(app: &App, screen: &mut Canvas<'_>) {
    let Some(m) = &app.status.message else { return };
    let (t, w, h) = (&app.world.theme, screen.width(), screen.height());
    if width(&m.text) + 3 <= usize::from(footer_room(app, w)) {
        return;
    }
    let lines = fold(&m.text, usize::from(w.saturating_sub(4)));
    let rows = (lines.len() as u16).min(h / 2);
    let is_typed = app.layers.last().is_some_and(|top| top.context() == Context::Input);
    let top = h - rows - u16::from(is_typed);
    for (y, text) in (top..).zip(lines.iter().take(usize::from(rows))) {
        let mut line = screen.part(0, y, w, 1);
        line.clear(t.screen);
        if y == top {
            put_message(m, text, &mut line, t);
        } else {
            line.put(3, 0, w.saturating_sub(4), text, t.base);
        }
    }
}

/// The columns of the footer that its facts leave.
fn footer_room(app: &App, w: u16) -> u16 {
    let mut facts = String::new();
    footer_facts(app, &mut facts);
    if w >= 80 { w.saturating_sub(width(&facts) as u16 + 3) } else { w.saturating_sub(1) }
}

fn footer(app: &mut App, line: &mut Canvas<'_>) {
    let t = &app.world.theme;
    let w = line.width();
    let mut facts = String::new();
    footer_facts(app, &mut facts);
    if w >= 80 {
        line.put_right(0, 0, w - 1, &facts, t.dim);
    }
    let room = footer_room(app, w);
    if let Some(m) = app.status.message.as_ref().filter(|m| width(&m.text) + 3 <= usize::from(room)) {
        put_message(m, &m.text, line, t);
    }
    if app.status.message.is_some() || asked(app, room, line) {
        return;
    }
    footer_keys(app, room, line);
}

/// A question to a server that is open takes the place of the keys. False: none is.
fn asked(app: &App, room: u16, line: &mut Canvas<'_>) -> bool {
    let mut asked = String::new();
    app.demands.push_line(app.world.moment.clock, &mut asked);
    line.put(1, 0, room.saturating_sub(1), &asked, app.world.theme.accent);
    !asked.is_empty()
}

/// The keys that are useful here, as many as there is room for.
fn footer_keys(app: &mut App, room: u16, line: &mut Canvas<'_>) {
    let told = app.told();
    let t = &app.world.theme;
    let mut help_to_come = app.layers.is_empty();
    let mut x = 1;
    for (word, b) in told {
        let Some(chord) = Chord::parse(b.key.name) else { continue };
        let key = match b.key.name {
            "enter" => "⏎".to_owned(),
            _ => chord.to_string(),
        };
        let needed = (width(&key) + 1 + width(word) + 3) as u16;
        help_to_come &= b.action != Action::Help;
        // The last word must not be cut; help is always shown, after three blanks.
        let reserve = if help_to_come { 9 } else { 0 };
        if x + needed - 3 + reserve > room {
            continue;
        }
        x += line.put(x, 0, room, &key, t.accent) + 1;
        x += line.put(x, 0, room, word, t.dim) + 3;
    }
}

fn footer_facts(app: &App, out: &mut String) {
    let s = &app.world.snapshot;
    if s.version == 0 {
        return;
    }
    if let Some(cost) = app.status.cost {
        // The first polls ask for everything: what they cost is a figure, and none to go by.
        out.push_str(if cost.settled { "cost " } else { "measuring cost: " });
        figure::push_count(out, cost.cpu_ms_per_s);
        out.push_str(" ms/s · ");
    }
    let _ = write!(out, "{}/{} polled", s.polled, s.instances.len());
    if s.collector.slowed > 0 {
        let _ = write!(out, " · {} slowed", s.collector.slowed);
    }
    if s.collector.samples_waited > 0 {
        let _ = write!(out, " · {} waited", s.collector.samples_waited);
    }
}
