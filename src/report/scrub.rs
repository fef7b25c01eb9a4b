//! `--scrub`: an incident without the names in it. It reads everything twice: first it learns the names, then it replaces
//! them, so that a text before the first mention of its name is clean, too. The page is made from the recording, so a name
//! that is not in the recording is not in the page.

use super::period::Period;
use crate::{
    model::{
        inventory::instance::InstanceInfo,
        poll::{
            State,
            id::ProbeId,
            names::{Field, Kind, Where},
            statement::{SqlText, Statement, TextId},
            volumes::VolumeRow,
        },
        timeline::{
            record::{Record, Recorded},
            scrub::{Names, each_field, each_field_of_event, renamed_info},
        },
    },
    sql::blank::{Blanked, blank},
    store::{
        StoreError,
        history::{Event, EventFilter, Reader},
    },
};
use std::{collections::HashMap, sync::Arc};

/// Texts that are kept clean; then all go, and those that come again are cleaned again.
const MOST_TEXTS: usize = 20_000;

/// Stands for a text of which nobody can tell what in it is a name.
const LEFT_OUT: &str = "(left out)";

/// Replaces names and literals.
#[derive(Default)]
pub(super) struct Scrubber {
    names: Names,
    texts: HashMap<TextId, (Arc<SqlText>, Blanked)>,
    /// the instance that was cleaned last
    info: Option<(Arc<InstanceInfo>, Arc<InstanceInfo>)>,
}

impl Scrubber {
    /// Learns every name of these instances and of what happened to them.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn learn(
        reader: &mut Reader,
        infos: &[Arc<InstanceInfo>],
        period: Period,
    ) -> Result<Self, StoreError> {
        let mut scrubber = Self::default();
        for info in infos {
            let _ = scrubber.info(info);
        }
        for info in infos {
            let mut past = reader.states().at(std::slice::from_ref(&info.uid), period.from)?;
            past.kept.iter_mut().for_each(|kept| scrubber.learn_from(kept));
            for (from, to) in period.parts() {
                let mut past = reader.states().between(&info.uid, from, to)?;
                past.kept.iter_mut().for_each(|kept| scrubber.learn_from(kept));
            }
        }
        let uids = infos.iter().map(|info| Arc::clone(&info.uid)).collect();
        for mut event in
            reader.events().list(&EventFilter { uids, kinds: Vec::new() }, period.from, period.to)?
        {
            scrubber.learn_event(&mut event);
        }
        Ok(scrubber)
    }

    fn learn_from(&mut self, kept: &mut Record) {
        let _ = self.info(&kept.info);
        each_field(&mut kept.what, &mut |field, text| {
            if let Field::Name(kind) = field {
                self.names.learn(kind, text);
            }
        });
    }

    /// Names that were changed are in the event alone.
    fn learn_event(&mut self, event: &mut Event) {
        each_field_of_event(&mut event.what, &mut |field, text| {
            if let Field::Name(kind) = field {
                self.names.learn(kind, text);
            }
        });
        if let Some(episode) = &event.episode {
            let fields = [
                (Kind::Login, &episode.login),
                (Kind::Program, &episode.program),
                (Kind::Database, &episode.database),
            ];
            for (kind, name) in fields {
                if let Some(name) = name {
                    self.names.learn(kind, name);
                }
            }
            if let Some(name) = episode.on.as_ref().and_then(|on| on.database.as_ref()) {
                self.names.learn(Kind::Database, name);
            }
        }
    }

    /// An instance without its names.
    pub fn info(&mut self, info: &Arc<InstanceInfo>) -> Arc<InstanceInfo> {
        if let Some((_, clean)) = self.info.as_ref().filter(|(known, _)| Arc::ptr_eq(known, info)) {
            return Arc::clone(clean);
        }
        let clean = Arc::new(renamed_info(info, &mut |field, text| self.field(field, text)));
        self.info = Some((Arc::clone(info), Arc::clone(&clean)));
        clean
    }

    fn field(&mut self, field: Field, text: &Arc<str>) -> Arc<str> {
        match field {
            Field::Name(kind) => self.names.name(kind, text),
            Field::Words(from) => self.names.words(from, text),
            Field::Message => LEFT_OUT.into(),
        }
    }

    /// The mount point of a volume, as the recording calls it.
    pub fn volume(&mut self, mount: &str) -> Arc<str> {
        let mut found = Arc::from(mount);
        let row = VolumeRow { mount: Some(Arc::clone(&found)), ..VolumeRow::default() };
        let mut what = Recorded::Reading {
            probe: ProbeId::Volumes,
            every_ms: 0,
            state: Ok(State::Volumes(Arc::new(vec![row]))),
        };
        each_field(&mut what, &mut |field, text| found = self.field(field, text));
        found
    }

    /// Cleans what happened.
    pub fn kept(&mut self, kept: &mut Record) {
        kept.info = self.info(&kept.info);
        each_field(&mut kept.what, &mut |field, text| *text = self.field(field, text));
        kept.what.each_statement_mut(&mut |statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &mut Statement) {
        // A report of a deadlock is no statement: of its attributes nobody can tell which are names. What is known of it is
        // in fields of their own.
        let is_report = statement.text.batch.trim_start().starts_with('<');
        if statement.text.is_lost() || is_report {
            return *statement = nothing();
        }
        let (text, blanked) = self.text(&statement.text);
        *statement = Statement {
            text: Arc::clone(text),
            start: blanked.place(statement.start),
            end: blanked.place(statement.end),
        };
    }

    fn text(&mut self, text: &Arc<SqlText>) -> &(Arc<SqlText>, Blanked) {
        if self.texts.len() >= MOST_TEXTS && !self.texts.contains_key(&text.id()) {
            self.texts.clear();
        }
        let names = &self.names;
        self.texts.entry(text.id()).or_insert_with(|| {
            let found = names.find(Where::Code, &text.batch);
            let found: Vec<(usize, usize, &str)> =
                found.iter().map(|(at, len, name)| (*at, *len, &**name)).collect();
            let blanked = blank(&text.batch, &found);
            let clean =
                SqlText::new(blanked.text.as_str().into(), text.full_chars, text.object_id, text.encrypted);
            (Arc::new(clean), blanked)
        })
    }

    /// Cleans an event.
    pub fn event(&mut self, event: &mut Event) {
        event.uid = event.uid.as_ref().map(|uid| self.names.name(Kind::Uid, uid));
        each_field_of_event(&mut event.what, &mut |field, text| *text = self.field(field, text));
        let Some(episode) = &mut event.episode else { return };
        let mut name = |kind, name: &mut Option<Arc<str>>| {
            if let Some(name) = name {
                *name = self.names.name(kind, name);
            }
        };
        name(Kind::Login, &mut episode.login);
        name(Kind::Program, &mut episode.program);
        name(Kind::Database, &mut episode.database);
        if let Some(resource) = &mut episode.resource {
            *resource = LEFT_OUT.into();
        }
        if let Some(on) = &mut episode.on {
            on.each_name_mut(&mut |field, text| *text = self.field(field, text));
        }
        // The identity of a text is made of it: that of one that was not seen goes.
        let clean = episode.text.and_then(|id| self.texts.get(&id));
        episode.statement = episode
            .statement
            .zip(clean)
            .map(|((start, end), (_, blanked))| (blanked.place(start), blanked.place(end)));
        episode.text = clean.map(|(text, _)| text.id());
    }
}

/// A statement whose text nobody has: what identifies it is made of its text, and goes.
fn nothing() -> Statement {
    let text = SqlText::new("".into(), None, None, false);
    Statement { text: Arc::new(text), start: 0, end: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            base::time::Timestamp,
            timeline::{chart::MarkKind, event::What},
        },
        store::history::Episode,
    };

    #[test]
    fn a_volume_has_the_stand_in_that_the_recording_has_for_it() {
        let mut scrubber = Scrubber::default();
        let first = scrubber.volume("E:\\sql\\data\\");
        assert!(first.starts_with("volume-1"), "{first}");
        assert_eq!(scrubber.volume("e:\\SQL\\data\\"), first, "the same in any case");
        assert_ne!(scrubber.volume("F:\\other\\"), first);
    }

    #[test]
    fn an_episode_keeps_its_figures_and_loses_its_names() {
        let mut scrubber = Scrubber::default();
        let text = SqlText::new("update dbo.t set a = 'secret'".into(), None, None, false);
        let (_, blanked) = scrubber.text(&Arc::new(text.clone()));
        let clean_end = blanked.place(29);
        let name = |name: &str| Some(Arc::from(name));
        let episode = Episode {
            head: 71,
            peak_victims: 9,
            text: Some(text.id()),
            statement: Some((0, 29)),
            resource: name("KEY: sales.dbo.orders"),
            login: name("svc_web"),
            program: name("Shop"),
            database: name("sales"),
            ..Episode::default()
        };
        let mut event = Event {
            no: 1,
            uid: name("sql-prod-1"),
            kind: MarkKind::Blocking,
            at: Timestamp::from_ms(0),
            to: None,
            what: What::Note("call Olga".into()),
            episode: Some(episode.clone()),
        };
        scrubber.learn_event(&mut event.clone());
        scrubber.event(&mut event);
        let told = format!("{event:?}").to_lowercase();
        for gone in ["svc_web", "shop", "sales", "orders", "sql-prod-1", "olga"] {
            assert!(!told.contains(gone), "{gone}: {told}");
        }
        let clean = event.episode.as_ref().unwrap();
        assert_eq!((clean.head, clean.peak_victims), (71, 9));
        assert_eq!((clean.statement, clean.text == Some(text.id())), (Some((0, clean_end)), false));
        // Of a text that nobody has seen not even its identity stays.
        let mut unseen = Event { episode: Some(episode), ..event.clone() };
        Scrubber::default().event(&mut unseen);
        assert_eq!(unseen.episode.map(|e| (e.text, e.statement)), Some((None, None)));
    }

    #[test]
    fn the_report_of_a_deadlock_is_left_out_whole() {
        let text = SqlText::new(" <event><process hostname=\"web-7\"/></event>".into(), None, None, false);
        let end = text.batch.len();
        let mut statement = Statement { text: Arc::new(text), start: 0, end };
        Scrubber::default().statement(&mut statement);
        assert_eq!((&*statement.text.batch, statement.end), ("", 0));
    }

    #[test]
    fn an_instance_is_renamed_once_and_stays_what_it_was_renamed_to() {
        let mut scrubber = Scrubber::default();
        let info = |name: &str| Arc::new(InstanceInfo::named(name));
        let (a, b) = (info("sql-prod-1"), info("sql-prod-2"));
        let first = scrubber.info(&a);
        let other = scrubber.info(&b);
        assert!(!format!("{first:?}{other:?}").contains("prod"), "{first:?} {other:?}");
        assert_eq!(scrubber.info(&info("sql-prod-1")).id, first.id);
        assert_ne!(first.id, other.id);
        assert!(Arc::ptr_eq(&scrubber.info(&a), &scrubber.info(&a)), "made once for all its readings");
    }

    #[test]
    fn more_texts_than_are_kept_are_cleaned_all_the_same() {
        let mut scrubber = Scrubber::default();
        scrubber.names.learn(Kind::Login, "svc_web");
        let text =
            |n: usize| Arc::new(SqlText::new(format!("exec p{n} 'svc_web'").into(), None, None, false));
        let first = Arc::clone(&scrubber.text(&text(0)).0);
        for n in 1..=MOST_TEXTS {
            scrubber.text(&text(n));
        }
        assert!(scrubber.texts.len() <= MOST_TEXTS, "{}", scrubber.texts.len());
        assert_eq!(scrubber.text(&text(0)).0.batch, first.batch);
        assert!(!first.batch.contains("svc_web"));
    }
}
