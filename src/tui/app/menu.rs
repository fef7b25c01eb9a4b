//! The menu behind `x`: what can be done to the row or to the marks, and what is refused and why. Made from the table of actions.

use super::App;
use crate::tui::{
    action::{Action, Binding, Context, Kind, ROWS, Row, When, bindings},
    id::{RowKey, Subject},
    key::Chord,
    layer::menu::{Item, Menu},
};

/// True for what is done to a row or to something outside of the screen, and not to the way it is shown.
const fn is_deed(kind: Kind, when: When) -> bool {
    matches!(when, When::Row | When::RowOfMany)
        || matches!(kind, Kind::Polls | Kind::Changes | Kind::Records | Kind::Notes)
}

impl App {
    /// Opens the menu.
    pub(super) fn open_menu(&mut self) {
        let items = self.deeds();
        let on = self.done_to();
        self.open_layer(Menu::new(on, items));
    }

    /// All that can be done here, and what is refused now.
    pub(super) fn deeds(&mut self) -> Vec<Item> {
        let mut contexts = Context::of_pane(self.place.pane);
        // Rows of the inventory are no instances: nothing there is polled or examined.
        let has_instances = self.place.pane.row().subject != Subject::Inventory;
        contexts.retain(|context| has_instances || *context != Context::Global);
        let own = |b: &Binding| contexts.iter().position(|c| *c == b.key.context);
        let is_one =
            |b: &Binding| b.action != Action::Menu && is_deed(b.kind, b.when) && b.is_meant(&contexts);
        let mut keys: Vec<Binding> = bindings().filter(is_one).collect();
        keys.sort_by_key(own);
        let mut items: Vec<Item> = Vec::new();
        for b in keys {
            if let Some(chord) = Chord::parse(b.key.name)
                && items.iter().all(|item| item.action != b.action)
            {
                let refused = self.refusal(b.action, b.when);
                items.push(Item { action: b.action, key: chord.to_string(), help: b.does(), refused });
            }
        }
        // What has a key in some pane alone is done to the rows of that pane alone.
        let has_no_key = |row: &&Row| row.keys.is_empty();
        for row in ROWS.iter().filter(has_no_key).filter(|row| has_instances && is_deed(row.kind, row.when)) {
            if let Some((word, _)) = row.word
                && items.iter().all(|item| item.action != row.action)
            {
                let refused = self.refusal(row.action, row.when);
                items.push(Item { action: row.action, key: format!(":{word}"), help: row.help, refused });
            }
        }
        items
    }

    /// The marks or the row, in words.
    fn done_to(&mut self) -> String {
        let pane = self.panes.get(self.place.pane);
        match pane.marks() {
            0 => {}
            1 => return "the marked row".to_owned(),
            n => return format!("{n} marked rows"),
        }
        match pane.selected().filter(|_| pane.counts().0 > 0) {
            Some(RowKey::Group(name)) => name.to_string(),
            Some(key) => key.instance().map_or_else(|| "this row".to_owned(), ToString::to_string),
            None => "nothing is under the cursor".to_owned(),
        }
    }
}
