//! What the screen asks of the past, answered from the store: the fleet at an instant, charts, events. Part of the historian.

use super::{Role, Work, now};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::Level,
        timeline::chart::{ChartData, ChartQuery, Mark, MarkKind},
    },
    store::{
        StoreError,
        history::{AFTER_MS, Charts, Event, EventFilter, Marks},
    },
    tui::effect::{Reply, Request},
};
use std::{collections::HashMap, sync::Arc};

/// With so many instances or fewer all series of the past quarter of an hour are there at once; with more first those that the
/// list of the fleet needs, then the rest.
const AT_ONCE: usize = 60;

impl Work {
    pub(super) fn answer(&mut self, request: Request) {
        let ticket = request.ticket();
        if matches!(self.role, Role::Playing { .. })
            && matches!(request, Request::Bookmark { .. } | Request::Freeze(_))
        {
            let why = "a recording cannot be written".to_owned();
            return self.say(Reply::NoHistory { ticket, why });
        }
        if self.fleet.is_none() {
            let why = "no history: the fleet is not open".to_owned();
            return self.say(Reply::NoHistory { ticket, why });
        }
        let answered = match request {
            Request::At { ticket, at } => self.at(ticket, at),
            Request::Chart { ticket, query } => self.chart(ticket, &query),
            Request::Marks { ticket, from, to, instances } => self.marks(ticket, from, to, &instances),
            Request::Compare { ticket, at, instances } => self.compare(ticket, at, &instances),
            Request::Bookmarks { ticket } => self.bookmarks(ticket),
            Request::Bookmark { at, note, instances } => self.bookmark(at, &note, &instances),
            Request::Freeze(instances) => self.freeze(&instances),
            Request::Growth => {
                self.tell_growth();
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(e) = answered {
            let why = self.unread(e).to_string();
            self.say(Reply::NoHistory { ticket, why });
        }
    }

    fn at(&mut self, ticket: u64, at: Timestamp) -> Result<(), StoreError> {
        let now = Arc::clone(&self.ties.snapshots.borrow());
        let reader = self.reader()?;
        let Some((oldest, newest)) = reader.span()? else {
            let why = "nothing is kept yet".to_owned();
            self.say(Reply::NoHistory { ticket: Some(ticket), why });
            return Ok(());
        };
        let mut infos = self.instances();
        // A recording has no inventory beside it.
        self.gone = match self.role {
            Role::Playing { .. } => Vec::new(),
            _ => self.reader()?.gone(&infos, at)?,
        };
        infos.extend(self.gone.iter().cloned());
        let first_charts = if infos.len() > AT_ONCE { Charts::OfTheList } else { Charts::All };
        for charts in [first_charts, Charts::All] {
            let (mut snapshot, damaged) =
                self.reader()?.fleet_with_damage(&infos, &now.thresholds, at, charts)?;
            if !damaged.is_empty() {
                // A disk that cannot be read is not taken for damage: it does not let the file be opened.
                self.reader = None;
                self.reader()?;
            }
            if let (Some(first), true) = (damaged.first(), charts == first_charts) {
                let more = match damaged.len() {
                    1 => String::new(),
                    n => format!(", and {} more", n - 1),
                };
                let text = format!(
                    "history is damaged here: {first} is missing{more}; `dbtop store check` says all"
                );
                self.say(Reply::Message { level: Level::Warning, text });
            }
            if !self.gone.is_empty() {
                Arc::make_mut(&mut snapshot).mark_gone(&self.gone);
            }
            self.say(Reply::Past { ticket, snapshot, at, oldest, newest, damaged });
            if first_charts == Charts::All {
                break;
            }
        }
        Ok(())
    }

    fn compare(&mut self, ticket: u64, at: Timestamp, instances: &[InstanceId]) -> Result<(), StoreError> {
        let now = Arc::clone(&self.ties.snapshots.borrow());
        let mut infos = self.instances();
        infos.extend(self.gone.iter().cloned());
        infos.retain(|info| instances.contains(&info.id));
        let snapshot = self.reader()?.fleet_at(&infos, &now.thresholds, at, Charts::All)?;
        self.say(Reply::Compared { ticket, snapshot });
        Ok(())
    }

    fn chart(&mut self, ticket: u64, query: &ChartQuery) -> Result<(), StoreError> {
        let uid = self.uid(&query.instance);
        let reader = self.reader()?;
        let mut data = ChartData { lines: Vec::with_capacity(query.series.len()), tier: "as measured" };
        for key in &query.series {
            let drawn = reader.chart(&uid, key, query.from, query.to, query.points)?;
            if drawn.tier.is_some() {
                data.tier = drawn.tier_words();
            }
            data.lines.push(drawn.line);
        }
        self.say(Reply::Chart { ticket, data });
        Ok(())
    }

    fn marks(
        &mut self,
        ticket: u64,
        from: Timestamp,
        to: Timestamp,
        instances: &[InstanceId],
    ) -> Result<(), StoreError> {
        let uids = instances.iter().map(|id| self.uid(id)).collect();
        let filter = EventFilter { uids, ..EventFilter::default() };
        self.tell_marks(ticket, &filter, from, to)
    }

    fn bookmarks(&mut self, ticket: u64) -> Result<(), StoreError> {
        let filter = EventFilter { uids: Vec::new(), kinds: vec![MarkKind::Bookmark, MarkKind::Incident] };
        // A flight recorder's incident is not over yet.
        let (from, to) = (Timestamp::from_ms(0), now().plus_ms(AFTER_MS));
        self.tell_marks(ticket, &filter, from, to)
    }

    fn tell_marks(
        &mut self,
        ticket: u64,
        filter: &EventFilter,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(), StoreError> {
        let infos = self.instances();
        let names: HashMap<Arc<str>, InstanceId> =
            infos.iter().chain(&self.gone).map(|info| (info.uid.clone(), info.id.clone())).collect();
        let events = self.reader()?.events(filter, from, to)?;
        let mark = |event: Event| Mark {
            at: event.at,
            to: event.to,
            kind: event.kind,
            instance: event.uid.map(|uid| names.get(&uid).cloned().unwrap_or_else(|| InstanceId::new(uid))),
            words: event.words,
        };
        self.say(Reply::Marks { ticket, marks: events.into_iter().map(mark).collect() });
        Ok(())
    }

    fn bookmark(&mut self, at: Timestamp, note: &str, instances: &[InstanceId]) -> Result<(), StoreError> {
        let ids: Vec<Option<&InstanceId>> =
            if instances.is_empty() { vec![None] } else { instances.iter().map(Some).collect() };
        for id in ids {
            self.put(&Event::bookmark(id.map(|id| self.uid(id)), at, note))?;
            self.say(Reply::Bookmarked(Mark {
                at,
                to: None,
                kind: MarkKind::Bookmark,
                instance: id.cloned(),
                words: note.into(),
            }));
        }
        Ok(())
    }

    fn freeze(&mut self, instances: &[InstanceId]) -> Result<(), StoreError> {
        let at = now();
        for id in instances {
            self.put(&Event::incident(self.uid(id), at, "kept by hand"))?;
        }
        let who =
            if let [one] = instances { one.to_string() } else { format!("{} instances", instances.len()) };
        let text = format!("kept as an incident: {who}, from 10 minutes ago on");
        self.say(Reply::Message { level: Level::Ok, text });
        Ok(())
    }

    /// By the writer if it is ours, else beside it.
    fn put(&self, event: &Event) -> Result<(), StoreError> {
        if let Role::Collecting { writer, .. } = &self.role
            && writer.note(event.clone())
        {
            return Ok(());
        }
        let Some(fleet) = &self.fleet else { return Ok(()) };
        Marks::open(&fleet.file, fleet.sealer.clone())?.put(event).map(drop)
    }

    /// What history knows it by: that of the inventory or the recording, or one of the past on the screen.
    fn uid(&self, id: &InstanceId) -> Arc<str> {
        let of =
            |infos: &[Arc<InstanceInfo>]| infos.iter().find(|info| info.id == *id).map(|i| i.uid.clone());
        let found = match &self.role {
            Role::Playing { infos } => of(infos),
            _ => self.ties.snapshots.borrow().find(id).map(|i| i.info.uid.clone()),
        };
        found.or_else(|| of(&self.gone)).unwrap_or_else(|| id.as_str().into())
    }
}
