//! Instances to choose from the fleet: what is typed filters the list, Space marks, Enter takes over what changed.

use super::{Behind, Layer, Out, body, input::Line};
use crate::{
    model::{
        base::filter::Filter,
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::Level,
    },
    protocol::Reply,
    tui::{
        action::{Action, Context},
        ask::Picked,
        filter::instance_values,
        key::Chord,
        pane::reading,
        widget::{canvas::Canvas, cursor::moved},
        world::World,
    },
};
use std::collections::HashSet;

/// The dialog.
pub struct Pick {
    title: String,
    before: HashSet<InstanceId>,
    chosen: HashSet<InstanceId>,
    make: Picked,
    filter: Line,
    /// why the filter is none
    wrong: Option<String>,
    /// the instances that pass, as places in the snapshot
    rows: Vec<usize>,
    cursor: usize,
    page: usize,
    busy: bool,
}

struct Candidate<'a>(&'a InstanceInfo);

impl crate::model::base::filter::Row for Candidate<'_> {
    fn text(&self, out: &mut String) {
        out.push_str(self.0.id.as_str());
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(crate::model::base::filter::Value<'_>)) {
        instance_values(self.0, key, visit);
    }
}

impl Pick {
    /// With those chosen that are chosen now.
    pub fn new(title: String, chosen: Vec<InstanceId>, make: Picked, world: &World) -> Self {
        let before: HashSet<InstanceId> = chosen.into_iter().collect();
        let mut pick = Self {
            title,
            chosen: before.clone(),
            before,
            make,
            filter: Line::default(),
            wrong: None,
            rows: Vec::new(),
            cursor: 0,
            page: 1,
            busy: false,
        };
        pick.find(world);
        pick
    }

    /// Finds the instances that pass; those that were chosen at the start come first.
    fn find(&mut self, world: &World) {
        let instances = &world.snapshot.instances;
        let label = |key: &str| instances.iter().any(|i| i.info.label(key).is_some());
        let known = |key: &str| ["instance", "group", "address"].contains(&key) || label(key);
        let filter = match Filter::parse(self.filter.text(), &known) {
            Ok(filter) => filter,
            Err(e) => return self.wrong = Some(e.to_string()),
        };
        self.wrong = None;
        let mut scratch = String::new();
        let passes = |n: &usize| {
            instances
                .get(*n)
                .is_some_and(|i| filter.is_empty() || filter.keeps(&Candidate(&i.info), &mut scratch))
        };
        self.rows = (0..instances.len()).filter(passes).collect();
        let is_new = |n: &usize| instances.get(*n).is_some_and(|i| !self.before.contains(i.id()));
        self.rows.sort_by_key(is_new);
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    /// Chooses the row under the cursor, or all that are listed; takes them out if all are chosen already.
    fn mark(&mut self, world: &World, range: bool) {
        let rows =
            if range { &self.rows[..] } else { self.rows.get(self.cursor..=self.cursor).unwrap_or(&[]) };
        let instances = rows.iter().filter_map(|n| world.snapshot.instances.get(*n));
        let all: Vec<InstanceId> = instances.map(|i| i.id().clone()).collect();
        let is_all = all.iter().all(|id| self.chosen.contains(id));
        for id in all {
            if is_all {
                self.chosen.remove(&id);
            } else {
                self.chosen.insert(id);
            }
        }
    }

    fn changes(&self) -> (Vec<InstanceId>, Vec<InstanceId>) {
        let only = |a: &HashSet<InstanceId>, b: &HashSet<InstanceId>| {
            let mut ids: Vec<InstanceId> = a.difference(b).cloned().collect();
            ids.sort_unstable();
            ids
        };
        (only(&self.chosen, &self.before), only(&self.before, &self.chosen))
    }

    fn send(&mut self, out: &mut Out) {
        let (join, leave) = self.changes();
        if join.is_empty() && leave.is_empty() {
            out.say(Level::Ok, "nothing was changed");
            return out.close();
        }
        self.busy = true;
        out.ask((self.make)(join, leave));
    }
}

impl Layer for Pick {
    fn context(&self) -> Context {
        Context::Pick
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        if let Some(to) = moved(action, self.cursor, self.rows.len(), self.page) {
            self.cursor = to;
            return;
        }
        match action {
            Action::Mark => {
                self.mark(behind.world, false);
                self.cursor = (self.cursor + 1).min(self.rows.len().saturating_sub(1));
            }
            Action::MarkRange => self.mark(behind.world, true),
            Action::Enter if !self.busy => self.send(out),
            Action::Out => out.close(),
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, behind: &mut Behind<'_>, _: &mut Out) {
        if self.filter.key(chord) {
            self.find(behind.world);
        }
    }

    fn paste(&mut self, text: &str, behind: &mut Behind<'_>, _: &mut Out) {
        self.filter.paste(text);
        self.find(behind.world);
    }

    fn hear(&mut self, reply: &Reply, out: &mut Out) -> bool {
        let (Reply::Saved(done), true) = (reply, self.busy) else { return false };
        self.busy = false;
        match done {
            Ok(text) => {
                out.say(Level::Ok, text);
                out.close();
            }
            Err(refusal) => out.say(Level::Critical, &refusal.words),
        }
        true
    }

    fn follow(&mut self, behind: &mut Behind<'_>) {
        self.find(behind.world);
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, world) = (&mut body(screen), behind.world);
        let theme = &world.theme;
        canvas.clear(theme.screen);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        let used = canvas.put(1, 0, w, &format!(" {} ", self.title), theme.strong) + 2;
        let (join, leave) = self.changes();
        let words =
            format!(" {} chosen, {} added, {} taken out ", self.chosen.len(), join.len(), leave.len());
        canvas.put(used + 1, 0, w.saturating_sub(used + 2), &words, theme.accent);
        let mut line = canvas.part(0, 1, w, 1);
        line.clear(theme.input);
        let used = self.filter.render(&mut line, 0, " filter: ", theme);
        match &self.wrong {
            Some(wrong) => line.put(used + 2, 0, w.saturating_sub(used + 3), wrong, theme.critical),
            None => line.put(
                used + 2,
                0,
                w.saturating_sub(used + 3),
                "Space marks, Ctrl-Space all that are listed",
                theme.dim,
            ),
        };
        let rows = usize::from(h.saturating_sub(2));
        self.page = rows.max(1);
        let top = (self.cursor + 1).saturating_sub(rows);
        for (y, (place, at)) in self.rows.iter().enumerate().skip(top).take(rows).enumerate() {
            let Some(instance) = world.snapshot.instances.get(*at) else { continue };
            let y = y as u16 + 2;
            let is_chosen = self.chosen.contains(instance.id());
            canvas.put(
                1,
                y,
                3,
                if is_chosen { "[x]" } else { "[ ]" },
                if is_chosen { theme.accent } else { theme.dim },
            );
            canvas.put(
                5,
                y,
                1,
                reading::sign(&instance.health),
                reading::level_style(theme, instance.health.level),
            );
            let used = canvas.put(7, y, (w / 3).max(20), instance.id().as_str(), theme.base) + 9;
            let mut groups = instance.info.groups.join(", ");
            for (key, value) in &instance.info.labels {
                groups.push_str(if groups.is_empty() { "" } else { "  " });
                groups.push_str(key);
                groups.push('=');
                groups.push_str(value);
            }
            let beside = used.max((w / 3).max(20) + 9);
            canvas.put(beside, y, w.saturating_sub(beside + 1), &groups, theme.dim);
            if place == self.cursor {
                canvas.select(0, y, w, theme.selection);
            }
        }
        if self.rows.is_empty() {
            canvas.put(2, 3, w.saturating_sub(3), "no instance matches the filter", theme.dim);
        }
    }
}
