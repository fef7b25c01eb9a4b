//! The question before instances leave the inventory: the name of a production instance is typed, the number of several.

use super::{Behind, Layer, Out, body, confirm::Confirm};
use crate::{
    model::{
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::Level,
    },
    protocol::{InventoryRequest, Reply},
    tui::{
        action::{Action, Context},
        key::Chord,
        theme::Theme,
        widget::canvas::Canvas,
    },
};

/// Names that are written out.
const NAMED: usize = 20;

/// The dialog.
pub struct Removal {
    ids: Vec<InstanceId>,
    confirm: Confirm,
    /// sent
    busy: bool,
}

impl Removal {
    /// For these instances, at least one.
    pub fn new(of: &[&InstanceInfo], theme: &Theme) -> Self {
        let ids: Vec<InstanceId> = of.iter().map(|info| info.id.clone()).collect();
        let production = of.iter().filter(|info| info.is_production()).count();
        let names: Vec<&str> = ids.iter().take(NAMED).map(InstanceId::as_str).collect();
        let more = if ids.len() > NAMED { format!(" and {} more", ids.len() - NAMED) } else { String::new() };
        let mut lines =
            vec![(theme.strong, format!("Remove from the inventory: {}{more}", names.join(", ")))];
        match (production, ids.len()) {
            (0, _) => {}
            (_, 1) => lines.push((theme.prod, "It is production.".to_owned())),
            (n, _) => lines.push((theme.prod, format!("{n} of them are production."))),
        }
        lines.push((
            theme.dim,
            "Polling ends. `dbtop instance restore NAME` brings one back as it was.".to_owned(),
        ));
        let word = match ids.as_slice() {
            [one] if production > 0 => one.to_string(),
            [_] => "yes".to_owned(),
            several => several.len().to_string(),
        };
        Self { confirm: Confirm::new(lines, word), ids, busy: false }
    }
}

impl Layer for Removal {
    fn context(&self) -> Context {
        Context::Question
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        match action {
            Action::Enter if !self.busy && self.confirm.is_answered() => {
                self.busy = true;
                out.ask(InventoryRequest::Remove(self.ids.clone()));
            }
            Action::Out => out.close(),
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        self.confirm.key(chord);
    }

    fn hear(&mut self, reply: &Reply, out: &mut Out) -> bool {
        let Reply::Saved(done) = reply else { return false };
        match done {
            Ok(text) => out.say(Level::Ok, text),
            Err(refusal) => out.say(Level::Critical, &refusal.words),
        }
        out.close();
        true
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        let (w, h) = (canvas.width(), canvas.height());
        let height = self.confirm.height(w).min(h);
        self.confirm.render(&mut canvas.part(0, h.saturating_sub(height), w, height), theme);
    }
}
