//! Answers to the screen's questions about the past, from the store: the fleet at an instant, charts, events.

use super::{
    archive::Archive,
    figures::Growth,
    role::{Election, Role},
    samples::Reading,
    spent::{Readings, SpentReading},
};
use crate::{
    app::{clock, configuration, module::Links},
    model::{
        base::time::Timestamp,
        inventory::instance::{InstanceId, InstanceInfo},
        judge::{health::Level, limits::Gauge},
        poll::id::{Metric, SeriesId, SeriesKey},
        timeline::{
            chart::{Bucket, ChartData, ChartLine, ChartQuery, Mark, MarkKind},
            counted::{self, Counted, Known},
            event::{Cause, What},
            forecast::{self, Outlook},
            gathered::Walk,
            reach::{self, Outage, Span},
            spent,
        },
    },
    protocol::{Answer, HistoryRequest, Query, Reply},
    store::{
        StoreError,
        history::{AFTER_MS, Event, EventFilter, MAX_EVENTS, Reader, Recent, fleet_at, fleet_with_damage},
    },
};
use std::{collections::HashMap, sync::Arc};

/// Up to so many instances all series of the past 15 minutes come at once; with more, first those that the
/// list of the fleet needs, then the rest.
const AT_ONCE: usize = 60;

const HOUR_MS: i64 = 3_600_000;
const KB_PER_GB: f64 = 1_048_576.0;
const DAY_MS: i64 = 24 * HOUR_MS;

/// When a volume is full: by the most that was in use of it on each day, and the size that it had last, less a reserve.
///
/// # Errors
/// The history cannot be read.
pub fn outlook(
    reader: &mut Reader,
    (uid, mount): (&str, &Arc<str>),
    to: Timestamp,
    reserve_pct: f64,
) -> Result<Outlook, StoreError> {
    let charts = reader.charts();
    let days = |key: SeriesKey| charts.days(uid, &key, to, forecast::DAYS);
    let of_volume = |metric| days(SeriesKey::with(metric, Arc::clone(mount)));
    let (free, size) = (of_volume(Metric::VolumeFree)?, of_volume(Metric::VolumeSize)?);
    let used = |(free, size): (&Option<Bucket>, &Option<Bucket>)| {
        Some(forecast::in_use(size.as_ref()?, free.as_ref()?))
    };
    let used: Vec<Option<f64>> = free.iter().zip(&size).map(used).collect();
    let capacity = size.iter().flatten().next_back().map_or(f64::NAN, |day| f64::from(day.max));
    let files: Vec<Option<f64>> = days(SeriesKey::of(SeriesId::DatabaseFiles))?
        .iter()
        .map(|day| day.as_ref().map(|day| f64::from(day.max) * KB_PER_GB))
        .collect();
    let cut = forecast::last_cut(&files, &used);
    let capacity = capacity * (1.0 - reserve_pct / 100.0);
    Ok(forecast::outlook(&used, cut, capacity, forecast::seed(mount, to.ms() / DAY_MS)))
}

/// How often something came that is counted by the events of the time line: deadlocks of a pattern, growths of files. What a first reading
/// told is older than the instance here. None: the series is of something that is measured.
fn counted_by_events(
    reader: &mut Reader,
    uid: &str,
    key: &SeriesKey,
    query: &ChartQuery,
    reach_back: Option<Timestamp>,
) -> Result<Option<ChartLine>, StoreError> {
    let pattern = u64::from_str_radix(&key.key, 16);
    let (kind, told) = match (key.metric, &pattern) {
        (Metric::DeadlocksOf, Ok(_)) => (MarkKind::Deadlock, None),
        // A trace tells of all time before it was read, and of none behind it.
        (Metric::GrowthsOf, _) => (MarkKind::Growth, Some(SeriesKey::of(Metric::GrowthsTold))),
        (Metric::DeadlocksOf, Err(_)) => return Ok(Some(ChartLine::default())),
        _ => return Ok(None),
    };
    let (Some(since), Some((_, mut newest))) = (reader.instances().known_since(uid)?, reader.stats().span()?)
    else {
        return Ok(Some(ChartLine::default()));
    };
    if let Some(told) = told {
        let to = newest.max(query.to);
        let polls = reader.charts().draw(uid, &told, query.from, to, query.points)?.line;
        let last = polls.buckets.iter().rev().find(|bucket| bucket.n > 0);
        newest = last.map_or(query.from, |last| newest.min(last.at.plus_ms(1)));
    }
    let filter =
        EventFilter { uids: vec![uid.into()], kinds: vec![kind, MarkKind::Connection, MarkKind::Gap] };
    let events = reader.events().list(&filter, query.from, query.to)?;
    let of_key = |event: &Event| match (key.metric, &pattern) {
        (Metric::DeadlocksOf, Ok(pattern)) => Counted::deadlocks(event.at, event.to, &event.what, *pattern),
        _ => Counted::growths(event.at, event.to, &event.what, &key.key),
    };
    let counted: Vec<Counted> = events.iter().filter_map(of_key).collect();
    // What a trace kept while nobody asked is told later.
    let is_away = |event: &&Event| event.kind != kind && kind == MarkKind::Deadlock;
    let away: Vec<_> = events.iter().filter(is_away).map(|e| (e.at, e.to.unwrap_or(query.to))).collect();
    let is_unread = |event: &&Event| matches!(event.what, What::Deadlocks(_));
    let unread: Vec<_> = events.iter().filter(is_unread).map(|event| event.to.unwrap_or(event.at)).collect();
    let mut from = counted.iter().map(|counted| counted.at).fold(since, Ord::min);
    from = reach_back.map_or(from, |back| from.max(back));
    if let (Some(first), true) = (events.first(), events.len() >= MAX_EVENTS) {
        // Of more events the newest come.
        from = from.max(first.at);
    }
    let known = Known { from, to: newest, away: &away, unread: &unread };
    let span = (query.from, query.to);
    Ok(Some(counted::line(counted.into_iter(), query.to - query.from, span, known)))
}

/// State that lasts from one question to the next.
#[derive(Default)]
pub(super) struct Past {
    /// instances of the past on the screen that are not in the inventory any more
    pub gone: Vec<Arc<InstanceInfo>>,
    /// samples that are read, or were
    pub samples: Option<Reading>,
    /// what queries cost in some stretches, of which each is read, or was
    pub spent: Readings,
    growth: Growth,
}

/// Answers one question.
pub(super) struct Question<'a> {
    links: &'a Links,
    election: &'a Election,
    past: &'a mut Past,
}

impl<'a> Question<'a> {
    /// Nothing is asked yet.
    pub const fn new(links: &'a Links, election: &'a Election, past: &'a mut Past) -> Self {
        Self { links, election, past }
    }

    /// Answers by a reply, or says why there is no answer.
    pub fn answer(&mut self, request: HistoryRequest, archive: Option<&mut Archive>) {
        let ticket = request.ticket();
        let refuse = |why: String| self.links.say(Reply::NoHistory { ticket, why });
        if matches!(self.election.role(), Role::Playing { .. })
            && matches!(request, HistoryRequest::Bookmark { .. } | HistoryRequest::Freeze(_))
        {
            return refuse("a recording cannot be written".to_owned());
        }
        let Some(archive) = archive else {
            return refuse("no history: the fleet is not open".to_owned());
        };
        if let Err(e) = self.carry_out(request, archive) {
            let why = archive.unread(e).to_string();
            self.links.say(Reply::NoHistory { ticket, why });
        }
    }

    fn carry_out(&mut self, request: HistoryRequest, archive: &mut Archive) -> Result<(), StoreError> {
        match request {
            HistoryRequest::At { ticket, at } => self.at(archive, ticket, at),
            HistoryRequest::Ask { ticket, query } => self.asked(archive, ticket, query),
            HistoryRequest::Compare { ticket, at, instances } => {
                self.compare(archive, ticket, at, &instances)
            }
            HistoryRequest::Bookmarks { ticket } => {
                let kinds = vec![MarkKind::Bookmark, MarkKind::Incident];
                let filter = EventFilter { uids: Vec::new(), kinds };
                // A flight recorder's incident is not over yet.
                let span = (Timestamp::from_ms(0), clock::now().plus_ms(AFTER_MS));
                let marks = self.marks(archive, &filter, span)?;
                self.links.say(Reply::Answer { ticket, answer: Answer::Marks(marks) });
                Ok(())
            }
            HistoryRequest::Bookmark { at, note, instances } => self.bookmark(archive, at, &note, &instances),
            HistoryRequest::Freeze(instances) => self.freeze(archive, &instances),
            HistoryRequest::Growth => {
                self.past.growth.tell(archive, self.links);
                Ok(())
            }
        }
    }

    /// A question of a pane.
    fn asked(&mut self, archive: &mut Archive, ticket: u64, query: Query) -> Result<(), StoreError> {
        let answer = match query {
            Query::Chart(query) => Answer::Chart(self.chart(archive, &query)?),
            Query::Marks { instance, from, to } => {
                let filter = EventFilter { uids: vec![self.uid(&instance)], ..EventFilter::default() };
                Answer::Marks(self.marks(archive, &filter, (from, to))?)
            }
            Query::Reach { instance, from, to } => Answer::Reach(self.reach(archive, &instance, from, to)?),
            Query::Outlooks { of, to } => {
                let reserve_pct = self.reserve_pct();
                let reader = archive.reader()?;
                let of = of
                    .iter()
                    .map(|(instance, mount)| outlook(reader, (&self.uid(instance), mount), to, reserve_pct));
                Answer::Outlooks(of.collect::<Result<Vec<_>, _>>()?)
            }
            // It takes long: the service reads it a little at a time, between other questions.
            Query::Samples { instances, from, to, slot_ms } => {
                let known = self.past.samples.take().map(|reading| reading.walk);
                let walk = Walk::after(known, &instances, (from, to), slot_ms);
                let uids = instances.iter().map(|id| self.uid(id)).collect();
                self.past.samples = Some(Reading::new(ticket, walk, uids));
                return Ok(());
            }
            Query::Spent { instances, from, to } => {
                let walk = spent::Walk::new(&instances, from, to);
                let uids = instances.iter().map(|id| self.uid(id)).collect();
                self.past.spent.ask(SpentReading::new(ticket, walk, uids));
                return Ok(());
            }
        };
        self.links.say(Reply::Answer { ticket, answer });
        Ok(())
    }

    fn at(&mut self, archive: &mut Archive, ticket: u64, at: Timestamp) -> Result<(), StoreError> {
        let now = Arc::clone(&self.links.fleet.borrow());
        let reader = archive.reader()?;
        let Some((oldest, newest)) = reader.stats().span()? else {
            let why = "nothing is kept yet".to_owned();
            self.links.say(Reply::NoHistory { ticket: Some(ticket), why });
            return Ok(());
        };
        let mut infos = self.election.instances();
        // A recording has no inventory beside it.
        self.past.gone = match self.election.role() {
            Role::Playing { .. } => Vec::new(),
            _ => archive.reader()?.instances().gone(&infos, at)?,
        };
        infos.extend(self.past.gone.iter().cloned());
        let first_charts = if infos.len() > AT_ONCE { Recent::OfTheList } else { Recent::All };
        for charts in [first_charts, Recent::All] {
            let (mut snapshot, damaged) =
                fleet_with_damage(archive.reader()?, &infos, &now.thresholds, at, charts)?;
            if !damaged.is_empty() {
                // An unreadable disk does not let the file be opened, so it is not taken for damage.
                archive.let_go();
                archive.reader()?;
            }
            if let (Some(first), true) = (damaged.first(), charts == first_charts) {
                let more = match damaged.len() {
                    1 => String::new(),
                    n => format!(", and {} more", n - 1),
                };
                let text = format!(
                    "history is damaged here: {first} is missing{more}; `dbtop store check` says all"
                );
                self.links.say(Reply::Message { level: Level::Warning, text });
            }
            if !self.past.gone.is_empty() {
                Arc::make_mut(&mut snapshot).mark_gone(&self.past.gone);
            }
            self.links.say(Reply::Past { ticket, snapshot, at, oldest, newest, damaged });
            if first_charts == Recent::All {
                break;
            }
        }
        Ok(())
    }

    fn compare(
        &self,
        archive: &mut Archive,
        ticket: u64,
        at: Timestamp,
        instances: &[InstanceId],
    ) -> Result<(), StoreError> {
        let now = Arc::clone(&self.links.fleet.borrow());
        let mut infos = self.election.instances();
        infos.extend(self.past.gone.iter().cloned());
        infos.retain(|info| instances.contains(&info.id));
        let snapshot = fleet_at(archive.reader()?, &infos, &now.thresholds, at, Recent::All)?;
        self.links.say(Reply::Compared { ticket, snapshot });
        Ok(())
    }

    fn chart(&self, archive: &mut Archive, query: &ChartQuery) -> Result<ChartData, StoreError> {
        let uid = self.uid(&query.instance);
        let reader = archive.reader()?;
        let mut data = ChartData { lines: Vec::with_capacity(query.series.len()), tier: "as measured" };
        for key in &query.series {
            if let Some(line) = counted_by_events(reader, &uid, key, query, self.events_reach_back())? {
                data.lines.push(line);
                continue;
            }
            let drawn = reader.charts().draw(&uid, key, query.from, query.to, query.points)?;
            if drawn.tier.is_some() {
                data.tier = drawn.tier_words();
            }
            data.lines.push(drawn.line);
        }
        Ok(data)
    }

    /// Outages and gaps between two instants, and from when to when anything is known.
    fn reach(
        &self,
        archive: &mut Archive,
        instance: &InstanceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<reach::Facts, StoreError> {
        let uid = self.uid(instance);
        let reader = archive.reader()?;
        let kinds = vec![MarkKind::Connection, MarkKind::Gap];
        let events = reader.events().list(&EventFilter { uids: vec![uid.clone()], kinds }, from, to)?;
        let (gaps, outages): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.kind == MarkKind::Gap);
        let since = reader.instances().known_since(&uid)?;
        let polled = reader.instances().polled(&uid, from, to)?;
        let kept = reader.stats().span()?.zip(since);
        let known = kept.map(|(kept, since)| reach::known(kept, since, self.events_reach_back()));
        Ok(reach::Facts {
            known,
            polled,
            gaps: gaps.iter().map(|gap| Span { from: gap.at, to: gap.to.unwrap_or(gap.at) }).collect(),
            outages: outages.iter().map(|outage| Outage { at: outage.at, to: outage.to }).collect(),
        })
    }

    /// Retention has deleted the outages before this. None: a recording has all of them.
    fn events_reach_back(&self) -> Option<Timestamp> {
        let days = configuration::history(&self.links.config.borrow()).events_days;
        let is_recording = matches!(self.election.role(), Role::Playing { .. });
        (!is_recording).then(|| clock::now().plus_ms(-i64::from(days) * DAY_MS))
    }

    /// Events between two instants.
    fn marks(
        &self,
        archive: &mut Archive,
        filter: &EventFilter,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<Mark>, StoreError> {
        let infos = self.election.instances();
        let names: HashMap<Arc<str>, InstanceId> =
            infos.iter().chain(&self.past.gone).map(|info| (info.uid.clone(), info.id.clone())).collect();
        let events = archive.reader()?.events().list(filter, from, to)?;
        let mark = |event: Event| Mark {
            at: event.at,
            to: event.to,
            kind: event.kind,
            instance: event.uid.map(|uid| names.get(&uid).cloned().unwrap_or_else(|| InstanceId::new(uid))),
            what: event.what,
        };
        Ok(events.into_iter().map(mark).collect())
    }

    fn bookmark(
        &self,
        archive: &Archive,
        at: Timestamp,
        note: &str,
        instances: &[InstanceId],
    ) -> Result<(), StoreError> {
        let ids: Vec<Option<&InstanceId>> =
            if instances.is_empty() { vec![None] } else { instances.iter().map(Some).collect() };
        for id in ids {
            self.election.note(archive, &Event::bookmark(id.map(|id| self.uid(id)), at, note))?;
            self.links.say(Reply::Bookmarked(Mark {
                at,
                to: None,
                kind: MarkKind::Bookmark,
                instance: id.cloned(),
                what: What::Note(note.into()),
            }));
        }
        Ok(())
    }

    fn freeze(&self, archive: &Archive, instances: &[InstanceId]) -> Result<(), StoreError> {
        let at = clock::now();
        for id in instances {
            self.election.note(archive, &Event::incident(self.uid(id), at, Cause::ByHand))?;
        }
        let who =
            if let [one] = instances { one.to_string() } else { format!("{} instances", instances.len()) };
        let text = format!("kept as an incident: {who}, from 10 minutes ago on");
        self.links.say(Reply::Message { level: Level::Ok, text });
        Ok(())
    }

    /// A volume is full when so much of it is free, %: it is critical then.
    fn reserve_pct(&self) -> f64 {
        self.links.fleet.borrow().thresholds.limits(Gauge::Volume).map_or(0.0, |limits| limits.critical)
    }

    /// The id of an instance in history: from the inventory or the recording, or from the past on the screen.
    fn uid(&self, id: &InstanceId) -> Arc<str> {
        let of =
            |infos: &[Arc<InstanceInfo>]| infos.iter().find(|info| info.id == *id).map(|i| i.uid.clone());
        let found = match self.election.role() {
            Role::Playing { infos } => of(infos),
            _ => self.links.fleet.borrow().find(id).map(|i| i.info.uid.clone()),
        };
        found.or_else(|| of(&self.past.gone)).unwrap_or_else(|| id.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            poll::{
                State,
                growths::{FileGrowth, GrowthTable},
                id::ProbeId,
                reading::Unavailable,
            },
            timeline::record::{Record, Recorded},
        },
        store::history::{Engine, Options},
    };

    const START: Timestamp = Timestamp::from_ms(1_795_190_400_000);

    fn at(min: i64) -> Timestamp {
        START.plus_ms(min * 60_000)
    }

    fn poll(engine: &mut Engine, min: i64, grown: Result<&[i64], Unavailable>) {
        let growth = |min: &i64| FileGrowth {
            at: at(*min),
            database: Some("orders".into()),
            file: Some("orders_log".into()),
            ..FileGrowth::default()
        };
        let state = grown.map(|minutes| {
            let growths: Vec<FileGrowth> = minutes.iter().map(growth).collect();
            let new = growths.len() as u64;
            State::Growths(Arc::new(GrowthTable { growths, new, ..GrowthTable::default() }))
        });
        let what = Recorded::Reading { probe: ProbeId::Growths, every_ms: 3_600_000, state };
        engine.take(vec![Record { info: Arc::new(InstanceInfo::named("a")), at: at(min), what }]);
        engine.commit().unwrap();
    }

    #[test]
    fn growths_are_counted_up_to_the_last_poll_that_told_of_them_and_behind_it_none_is_not_zero() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let mut engine = Engine::open(&path, None, Options::default()).unwrap();
        for (min, grown) in [(0, &[][..]), (60, &[40, 20]), (120, &[])] {
            poll(&mut engine, min, Ok(grown));
        }
        poll(&mut engine, 200, Err(Unavailable::NoRight("ALTER TRACE".into())));
        engine.close().unwrap();
        let mut reader = Reader::open(&path, None).unwrap();
        let mut told = |of: &str, from: i64, to: i64| {
            let key = SeriesKey::with(Metric::GrowthsOf, of);
            let (instance, series) = (InstanceId::new("a"), Vec::new());
            let query = ChartQuery { instance, series, from: at(from), to: at(to), points: 240 };
            let line = counted_by_events(&mut reader, "a", &key, &query, None).unwrap().unwrap();
            let count = line.buckets.iter().map(|bucket| bucket.avg).sum::<f32>() as u32;
            (count, line.buckets.last().map(|bucket| (bucket.at - START) / 60_000))
        };
        assert_eq!(told("orders", 0, 60), (2, Some(59)), "a later poll told all of that hour");
        assert_eq!([told("", 0, 60).0, told("crm", 0, 60).0], [2, 0]);
        let (count, last) = told("orders", 0, 180);
        assert!(count == 2 && last.is_some_and(|min| (115..=120).contains(&min)), "{count} {last:?}");
        assert_eq!(told("orders", 130, 190), (0, None), "since then nobody could read them");
        let measured = SeriesKey::of(SeriesId::Cpu);
        let query = ChartQuery {
            instance: InstanceId::new("a"),
            series: Vec::new(),
            from: at(0),
            to: at(60),
            points: 240,
        };
        assert!(counted_by_events(&mut reader, "a", &measured, &query, None).unwrap().is_none());
    }
}
