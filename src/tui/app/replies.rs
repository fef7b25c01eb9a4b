//! Answers, and effects that could not be handed over. Layers hear an answer first; an answer to a question that is not open any
//! more changes nothing.

use super::App;
use crate::{
    model::judge::health::Level,
    protocol::{DemandRequest, Effect, InventoryRequest, List, Reply},
    tui::{
        layer::{details::Reading, unlock::Unlock},
        moment::Past,
        widget::document::Document,
    },
};

impl App {
    /// An answer.
    pub fn reply(&mut self, reply: Reply) {
        if self.is_heard(&reply) {
            return;
        }
        match reply {
            Reply::Message { level, text } => self.say(level, text),
            Reply::Notes(notes) => self.show_notes(notes),
            Reply::Vault { tenant, state } => self.vault(tenant, state),
            Reply::Password { who, wanted_by } => {
                let dialog = Unlock::password(&who, &wanted_by);
                self.open_layer(dialog);
            }
            Reply::List(list) => {
                self.world.lists.take(list);
                self.refresh();
            }
            Reply::Settings(settings) => {
                self.world.lists.take(List::Settings(settings));
                self.refresh();
            }
            Reply::Form(data) => self.open_form(*data),
            // Answers to dialogs that were closed meanwhile.
            Reply::Tested { .. } | Reply::Examined { .. } => {}
            Reply::Demanded { ticket, word } => self.demanded(ticket, word),
            Reply::Compared { ticket, snapshot } => self.compared(ticket, &snapshot),
            Reply::Bookmarked(mark) => {
                self.world.charts.forget_marks();
                self.say(Level::Ok, format!("bookmark set: {}", mark.what.told(&self.world.moment.zone)));
                self.refresh();
            }
            Reply::Past { ticket, snapshot, at, oldest, damaged, .. } => {
                self.arrive(snapshot, Past { at, oldest, ticket }, damaged);
            }
            Reply::Answer { ticket, answer } => {
                self.world.charts.answered(ticket, answer);
                // Rows may be made of it, and in the past no newer snapshot comes.
                self.panes.get(self.place.pane).rebuild(&self.world.view());
                // And they may want more: some panes ask for a part at a time.
                self.ask_for_charts();
            }
            Reply::NoHistory { ticket, why } => {
                // A chart shows the error in its own place.
                let is_told = ticket.is_none_or(|ticket| {
                    !self.world.charts.refused(ticket, &why, self.world.moment.clock)
                        && (self.travel.arrive(ticket).is_some() || self.travel.compared(ticket).is_some())
                });
                if is_told {
                    self.say(Level::Warning, why);
                }
            }
            Reply::Collector(words) => self.status.collector = words,
            Reply::Store(sign) => self.status.store = sign,
            Reply::Stored(stored) => self.status.stored.store = stored,
            Reply::Growth(bytes) => self.status.stored.growth_bytes = bytes,
            Reply::Saved(Ok(text)) => self.say(Level::Ok, text),
            Reply::Saved(Err(refusal)) => self.say(Level::Warning, refusal.words),
        }
    }

    fn show_notes(&mut self, notes: Vec<String>) {
        let mut document = Document::new("The inventory needs a look");
        for note in notes {
            document.text(note, self.world.theme.base);
        }
        // Below a dialog that asks a question, above everything else.
        let asked = self.layers.pop_if(|top| top.context().is_dialog());
        self.open_layer(Reading::new(document));
        self.layers.extend(asked);
    }

    /// An effect could not be handed over.
    pub fn effect_dropped(&mut self, effect: &Effect) {
        let text = match effect {
            // Sent again with the next change or frame.
            Effect::Focus(_) => return self.outbox.forget_focus(),
            lock if lock.is_lock() => return self.outbox.lock_first(),
            Effect::Inventory(request)
                if matches!(
                    **request,
                    InventoryRequest::List(_) | InventoryRequest::Audit { .. } | InventoryRequest::Settings
                ) =>
            {
                return self.world.lists.ask_again();
            }
            Effect::Refresh(_) => "busy: the refresh was not taken, try again",
            Effect::Demand(request) => {
                if let DemandRequest::Ask { ticket, .. } = request {
                    self.demands.take(*ticket);
                }
                "busy: the question was not taken, try again"
            }
            Effect::Inventory(_) | Effect::History(_) => "busy: that was not taken, try again",
        };
        match effect {
            Effect::Inventory(_) => self.inventory.forget_form(),
            Effect::History(request) => {
                if let Some(ticket) = request.ticket() {
                    // It is a move to an instant, or a chart, which is asked for again with the next change.
                    self.travel.arrive(ticket);
                    self.world.charts.forget_open(ticket);
                }
            }
            Effect::Focus(_) | Effect::Refresh(_) | Effect::Demand(_) => {}
        }
        self.say(Level::Warning, text.to_owned());
    }
}
