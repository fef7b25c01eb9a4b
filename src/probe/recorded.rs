//! Where a server records what happens seldom: which running session of Extended Events is read, which target of it, and how far.
//! `progress` keeps that from one reading to the next. Pure.
//!
//! `system_health` writes deadlocks into a file on most servers. A Managed Instance hands out no such file, but the memory of the session;
//! on RDS the file may be out of reach, and Azure SQL Database has no `system_health`: there it is a session that a DBA made. Growths of
//! files no session of the server itself has: one that records nothing else goes first. What a server refuses to read is left aside as long
//! as there is something else, and for growths a day in any case: decoding the files of a busy session over and over would be all it does.

use super::{batch::Sets, script::Event};
use crate::{
    model::base::time::Timestamp,
    tds::{Param, Row},
};

/// What memory told once is told again: events this much older than the newest one are known, ms.
const RING_SLACK_MS: i64 = 60_000;
/// A session whose growths were refused, or took too long to read, is not asked again within this time, ms.
const REFUSED_MS: i64 = 86_400_000;
/// The session that every server has by itself.
const OWN_RECORD: &str = "system_health";
/// Its files, in the server's log folder.
const OWN_FILES: &str = "system_health*.xel";
/// The target in memory.
const RING: &str = "ring_buffer";
/// Longest path that the function takes, and longest name of a session, in characters.
pub(super) const PATH_CHARS: usize = 260;

/// What is read of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// files
    File {
        /// the one that is written now, where the server says so
        newest: Option<String>,
        /// all of the session, as the function takes them
        all: String,
    },
    /// the memory of the session: at most 4 MB of it are told
    Ring,
}

/// A session, and what is read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// its name
    pub session: String,
    /// its target
    pub target: Target,
}

impl Source {
    /// It is read from memory.
    pub const fn is_ring(&self) -> bool {
        matches!(self.target, Target::Ring)
    }

    /// It is another reading of the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.session == other.session && self.is_ring() == other.is_ring()
    }

    /// Of a row. None: the session has no target, or one that nobody can read.
    fn of(row: Row<'_>, only_urls: bool) -> Option<Self> {
        let session = row.raw_text("name").filter(|name| is_short(name))?.to_owned();
        if row.raw_text("target_name")? == RING {
            return Some(Self { session, target: Target::Ring });
        }
        let newest = row.raw_text("target_data").and_then(path_of);
        let all = match &newest {
            Some(path) => pattern(path),
            None if session == OWN_RECORD => OWN_FILES.to_owned(),
            None => return None,
        };
        (!only_urls || is_url(&all)).then_some(Self { session, target: Target::File { newest, all } })
    }

    /// The better the smaller: a file keeps more than memory, and what a session was made for alone more than `system_health`, which
    /// has other things in its memory.
    fn rank(&self) -> u8 {
        match (self.is_ring(), self.session == OWN_RECORD) {
            (false, true) => 0,
            (false, false) => 1,
            (true, false) => 2,
            (true, true) => 3,
        }
    }
}

/// Where events of a kind are read, and how far they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    event: Event,
    /// what is read
    source: Option<Source>,
    /// the file, and the place in it, up to which it was read
    place: Option<(String, i64)>,
    /// the newest event that memory told, by our clock
    ring_to: Option<Timestamp>,
    /// what the server would not let us read, and when
    refused: Vec<(Source, Timestamp)>,
}

impl Recording {
    /// Nothing was read yet.
    pub const fn of(event: Event) -> Self {
        Self { event, source: None, place: None, ring_to: None, refused: Vec::new() }
    }

    /// What is read; None: no session can be.
    pub const fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The newest event that memory told, by our clock.
    pub const fn ring_to(&self) -> Option<Timestamp> {
        self.ring_to
    }

    /// What memory told and is older than this is known.
    pub fn ring_from(&self) -> Option<Timestamp> {
        self.ring_to.map(|to| to.plus_ms(-RING_SLACK_MS))
    }

    /// Memory told events up to then. A time that is still to come hides nothing.
    pub fn ring_told(&mut self, newest: Option<Timestamp>, now: Timestamp) {
        self.ring_to = newest.into_iter().chain(self.ring_to).max().map(|to| to.min(now));
    }

    /// The parameters of `Takes::Recorded`: the files, and from where on; the session, where its memory is read. The first time it is
    /// the newest file alone, for some servers keep a GB of them.
    pub fn params(&self) -> [Param<'_>; 3] {
        match (&self.source, &self.place) {
            (None, _) => [Param::Null, Param::Null, Param::Null],
            (Some(Source { session, target: Target::Ring }), _) => {
                [Param::Text(session), Param::Null, Param::Null]
            }
            (Some(Source { target: Target::File { all, .. }, .. }), Some((file, place))) => {
                [Param::Text(all), Param::Text(file), Param::Int(*place)]
            }
            (Some(Source { target: Target::File { newest, all }, .. }), None) => {
                [Param::Text(newest.as_ref().unwrap_or(all)), Param::Null, Param::Null]
            }
        }
    }

    /// Learns from an answer: which session is read, and what was read last.
    pub fn note(&mut self, sets: &Sets, only_urls: bool) {
        if sets.has(self.event.sessions()) {
            let source = choose(self.event, sets, only_urls, &self.refused);
            if !source.iter().zip(&self.source).any(|(now, before)| now.is_like(before)) {
                (self.place, self.ring_to) = (None, None);
            }
            self.source = source;
        }
        let newest = sets.all(self.event.files()).next();
        if let Some((file, place)) =
            newest.and_then(|row| row.raw_text("file_name").zip(row.count("file_offset")))
            && !file.is_empty()
            && is_short(file)
        {
            self.place = Some((file.to_owned(), place));
        }
    }

    /// The server did not read it: the next reading begins anew, and if it did so, it takes another target.
    pub fn refuse(&mut self, now: Timestamp) {
        if self.place.take().is_none()
            && let Some(source) = self.source.take()
            && !self.refused.iter().any(|(refused, _)| refused.is_like(&source))
        {
            self.refused.push((source, now));
        }
    }

    /// Growths are tried again where they were refused a day ago, or later than now: our clock was set back.
    pub fn forgive(&mut self, now: Timestamp) {
        if self.event == Event::Growth {
            self.refused.retain(|(_, at)| (0..REFUSED_MS).contains(&(now - *at)));
        }
    }
}

/// What is read of the sessions that record events of a kind. `only_urls`: files of the server itself are out of reach, as on a Managed
/// Instance. What is among `refused` is left aside while there is another, and of growths always.
fn choose(event: Event, sets: &Sets, only_urls: bool, refused: &[(Source, Timestamp)]) -> Option<Source> {
    let of = |row: Row<'_>| Some((row.bool("is_shared") == Some(true), Source::of(row, only_urls)?));
    let mut found: Vec<(bool, Source)> = sets.all(event.sessions()).filter_map(of).collect();
    found.sort_by_key(|(is_shared, source)| (*is_shared, source.rank()));
    let is_refused = |source: &Source| refused.iter().any(|(refused, _)| refused.is_like(source));
    let better = found.iter().find(|(_, source)| !is_refused(source));
    let nothing_else = found.first().filter(|_| event == Event::Deadlock);
    better.or(nothing_else).map(|(_, source)| source.clone())
}

/// The path in `<EventFileTarget …><File name="…"/></EventFileTarget>`.
fn path_of(target: &str) -> Option<String> {
    let rest = target.split_once("<File ")?.1.split_once("name=\"")?.1;
    let path = rest.split_once('"')?.0.replace("&apos;", "'").replace("&amp;", "&");
    (!path.is_empty() && is_short(&path)).then_some(path)
}

/// All files of the session that writes this one: `…_0_133900000000000000.xel` is `….xel` with the moment at which it was begun. Blobs
/// are found by what their names begin with, files by a `*`.
fn pattern(path: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let begun = path.strip_suffix(".xel").and_then(|stem| {
        let (stem, moment) = stem.rsplit_once('_')?;
        let (stem, process) = stem.rsplit_once('_')?;
        (is_number(moment) && is_number(process) && !stem.is_empty()).then_some(stem)
    });
    match begun {
        Some(stem) if is_url(path) => stem.to_owned(),
        Some(stem) => format!("{stem}*.xel"),
        None => path.to_owned(),
    }
}

fn is_url(path: &str) -> bool {
    path.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
}

/// It may be sent to the server.
pub(super) fn is_short(text: &str) -> bool {
    text.chars().count() <= PATH_CHARS
}

/// The events of a kind in the text of a session's memory, the newest first, and whether the text was cut. One that has no end is
/// left out: the next reading would find another end, and take it for another event.
pub fn events(event: Event, ring: &str) -> (impl Iterator<Item = &str>, bool) {
    const BEGIN: &str = "<event ";
    const END: &str = "</event>";
    let text = ring.trim_start();
    let is_cut = !(text.is_empty() || text.starts_with('<'))
        || ring.rfind(BEGIN).is_some_and(|at| ring.get(at..).is_some_and(|last| !last.contains(END)));
    let mut until = ring.len();
    let pieces = ring.rmatch_indices(BEGIN).filter_map(move |(at, _)| {
        let piece = ring.get(at..until)?;
        until = at;
        let head = piece.split('>').next()?;
        let end = piece.rfind(END)?.saturating_add(END.len());
        piece.get(..end).filter(|_| head.contains(event.name()))
    });
    (pieces, is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    const BOX: &str = r#"<EventFileTarget truncated="0"><Buffers logged="3" dropped="0"/><File name="C:\A &amp; B\system_health_0_133900000000000000.xel"/></EventFileTarget>"#;

    const FILES: &str = "system_health*.xel";
    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn source(target: Cell) -> Sets {
        session("system_health", "event_file", target)
    }

    fn session(name: &str, kind: &str, target: Cell) -> Sets {
        let columns = ["name", "target_name", "target_data"];
        sets(vec![set("deadlock_source", &columns, vec![vec![text(name), text(kind), target]])])
    }

    fn read(file: Cell, place: Cell) -> Sets {
        sets(vec![set(
            "deadlocks",
            &["file_name", "file_offset", "report"],
            vec![vec![file, place, text("<e/>")]],
        )])
    }

    fn rows(rows: &[(&str, &str, Cell)]) -> Sets {
        let target = |name: &str| if name.is_empty() { Cell::Null } else { text(name) };
        let rows =
            rows.iter().map(|(name, kind, data)| vec![text(name), target(kind), data.clone()]).collect();
        sets(vec![set("deadlock_source", &["name", "target_name", "target_data"], rows)])
    }

    fn file(path: &str) -> Cell {
        text(&format!("<EventFileTarget><File name=\"{path}\"/></EventFileTarget>"))
    }

    fn chosen(sessions: &[(&str, &str, Cell)], only_urls: bool, refused: &[Source]) -> String {
        let refused: Vec<_> = refused.iter().map(|source| (source.clone(), NOW)).collect();
        match choose(Event::Deadlock, &rows(sessions), only_urls, &refused) {
            Some(Source { session, target: Target::File { all, .. } }) => format!("{session}: {all}"),
            Some(Source { session, target: Target::Ring }) => format!("{session}: memory"),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn the_file_of_system_health_goes_first_and_its_memory_last() {
        let health = ("system_health", "event_file", text(BOX));
        let memory = ("system_health", "ring_buffer", Cell::Null);
        let own = ("dl", "event_file", file("D:\\rdsdbdata\\log\\dl_0_133900000000000001.xel"));
        let own_memory = ("dl", "ring_buffer", Cell::Null);
        let of = |sessions: &[(&str, &str, Cell)]| chosen(sessions, false, &[]);
        let all = [memory.clone(), own_memory.clone(), own.clone(), health.clone()];
        assert_eq!(of(&all), r"system_health: C:\A & B\system_health*.xel");
        assert_eq!(of(&all[..3]), r"dl: D:\rdsdbdata\log\dl*.xel");
        assert_eq!(of(&all[..2]), "dl: memory");
        assert_eq!(of(&all[..1]), "system_health: memory");
        assert_eq!(of(&[("system_health", "", Cell::Null)]), "none");
        assert_eq!(of(&[]), "none");
        let managed = |sessions: &[(&str, &str, Cell)]| chosen(sessions, true, &[]);
        assert_eq!(managed(&[memory.clone(), health.clone()]), "system_health: memory");
        let blob =
            ("dl", "event_file", file("https://a.blob.core.windows.net/xe/dl_0_133900000000000001.xel"));
        assert_eq!(managed(&[memory, health, blob]), "dl: https://a.blob.core.windows.net/xe/dl");
    }

    #[test]
    fn what_was_refused_is_left_aside_while_there_is_another() {
        let sessions =
            [("system_health", "event_file", text(BOX)), ("system_health", "ring_buffer", Cell::Null)];
        let refused = [choose(Event::Deadlock, &rows(&sessions), false, &[]).unwrap()];
        assert_eq!(chosen(&sessions, false, &refused), "system_health: memory");
        assert!(
            chosen(&sessions[..1], false, &refused).starts_with("system_health: C:"),
            "nothing else is there"
        );
    }

    #[test]
    fn a_target_that_names_no_file_is_read_by_pattern_if_it_is_known() {
        let long = file(&"x".repeat(300));
        for target in [Cell::Null, text(""), text("<File name=\""), text("<File name=\"\"/>"), long] {
            let sessions = [("system_health", "event_file", target.clone())];
            assert_eq!(chosen(&sessions, false, &[]), "system_health: system_health*.xel");
            assert_eq!(chosen(&[("dl", "event_file", target)], false, &[]), "none");
        }
        for (path, all) in [
            ("/var/opt/mssql/log/system_health_0_1.xel", "/var/opt/mssql/log/system_health*.xel"),
            ("/x/a_b_0_1.xel", "/x/a_b*.xel"),
            ("/x/a.xel", "/x/a.xel"),
            ("/x/_0_1.xel", "/x/*.xel"),
            ("_0_1.xel", "_0_1.xel"),
            ("é_0_1.xel", "é*.xel"),
        ] {
            assert_eq!(pattern(path), all);
        }
    }

    #[test]
    fn deadlocks_are_found_in_memory_the_newest_first_and_cut_ones_are_left_out() {
        let event = |name: &str, n: u8| format!("<event name=\"{name}\" timestamp=\"{n}\"><data/></event>");
        let (one, two) = (event("xml_deadlock_report", 1), event("database_xml_deadlock_report", 2));
        let other = event("wait_info", 3);
        let found = |ring: &str| {
            let (events, is_cut) = events(Event::Deadlock, ring);
            (events.map(str::to_owned).collect::<Vec<_>>(), is_cut)
        };
        let ring = format!("<RingBufferTarget truncated=\"0\">{one}{other}{two}</RingBufferTarget>");
        assert_eq!(found(&ring), (vec![two.clone(), one.clone()], false));
        let tail = format!("time=\"x\"/></event>{one}{two}</RingBufferTarget>");
        assert_eq!(found(&tail), (vec![two.clone(), one.clone()], true));
        let cut = format!("<RingBufferTarget>{one}{}", &two[..40]);
        assert_eq!(found(&cut), (vec![one], true));
        assert_eq!(found("").0.len() + found("<event ").0.len() + found("</event>").0.len(), 0);
        let many = other.repeat(60_000);
        assert_eq!(found(&many).0.len(), 0, "megabytes of other things");
    }

    #[test]
    fn the_first_reading_is_of_the_newest_file_and_the_next_goes_on_behind_it() {
        let mut read_to = Recording::of(Event::Deadlock);
        assert_eq!(read_to.params(), [Param::Null, Param::Null, Param::Null], "nothing is known");
        read_to.note(&source(Cell::Null), false);
        assert_eq!(read_to.params(), [Param::Text(FILES), Param::Null, Param::Null]);
        let xml = r#"<EventFileTarget><File name="C:\A &amp; B\system_health_0_9.xel"/></EventFileTarget>"#;
        read_to.note(&source(text(xml)), false);
        assert_eq!(read_to.params()[..2], [Param::Text(r"C:\A & B\system_health_0_9.xel"), Param::Null]);
        read_to.note(&read(text("x_9.xel"), Cell::Int(4_096)), false);
        let all = Param::Text(r"C:\A & B\system_health*.xel");
        assert_eq!(read_to.params(), [all, Param::Text("x_9.xel"), Param::Int(4_096)]);
        // The next file was begun: the place stays, the pattern finds both.
        read_to.note(&source(text(&xml.replace("_9.xel", "_10.xel"))), false);
        assert_eq!(read_to.params(), [all, Param::Text("x_9.xel"), Param::Int(4_096)]);
        read_to.note(&read(Cell::Null, Cell::Int(9)), false);
        read_to.note(&read(text(&"x".repeat(300)), Cell::Int(9)), false);
        read_to.note(&sets(Vec::new()), false);
        assert_eq!(read_to.params()[2], Param::Int(4_096), "what means nothing changes nothing");
        read_to.refuse(NOW);
        assert_eq!(read_to.params()[2], Param::Null, "the file is gone: all is read anew");
    }

    #[test]
    fn a_target_that_is_refused_from_its_begin_gives_way_to_another() {
        let (file, ring) = (source(Cell::Null), session("system_health", "ring_buffer", Cell::Null));
        let mut both = file.clone();
        both.append(ring);
        let mut read_to = Recording::of(Event::Deadlock);
        read_to.note(&both, false);
        read_to.note(&read(text("x_9.xel"), Cell::Int(7)), false);
        read_to.refuse(NOW);
        read_to.note(&both, false);
        assert_eq!(read_to.params()[0], Param::Text(FILES), "it may have been the place alone");
        read_to.refuse(NOW);
        read_to.note(&both, false);
        assert_eq!(read_to.params()[0], Param::Text("system_health"), "its memory");
        read_to.note(&file, false);
        assert_eq!(read_to.params()[0], Param::Text(FILES), "better than nothing");
    }

    #[test]
    fn what_memory_told_is_known_but_for_a_minute_and_a_clock_that_ran_ahead_hides_nothing() {
        let mut read_to = Recording::of(Event::Deadlock);
        assert_eq!(read_to.ring_from(), None);
        read_to.ring_told(Some(NOW.plus_ms(-500_000)), NOW);
        read_to.ring_told(None, NOW);
        read_to.ring_told(Some(NOW.plus_ms(-900_000)), NOW);
        assert_eq!(read_to.ring_from(), Some(NOW.plus_ms(-560_000)));
        read_to.ring_told(Some(NOW.plus_ms(9_000_000)), NOW);
        assert_eq!(read_to.ring_from(), Some(NOW.plus_ms(-60_000)));
    }

    #[test]
    fn a_session_that_records_growths_alone_goes_before_a_busy_one() {
        let columns = ["name", "target_name", "target_data", "is_shared"];
        let row = |name: &str, kind: &str, is_shared| {
            vec![text(name), text(kind), file("/x/a_0_1.xel"), Cell::Bool(is_shared)]
        };
        let found = |rows| {
            let sets = sets(vec![set("growth_source", &columns, rows)]);
            choose(Event::Growth, &sets, false, &[]).unwrap().session
        };
        let busy = || row("busy", "event_file", true);
        assert_eq!(found(vec![busy(), row("grow", "event_file", false)]), "grow");
        assert_eq!(found(vec![busy(), row("grow", "ring_buffer", false)]), "grow");
        assert_eq!(found(vec![busy(), row("more", "ring_buffer", true)]), "busy");
    }

    #[test]
    fn growths_have_a_session_and_a_place_of_their_own() {
        let of = |script: &str, name: &str| {
            let xml = text("<F><File name=\"/x/g_0_1.xel\"/></F>");
            set(
                script,
                &["name", "target_name", "target_data"],
                vec![vec![text(name), text("event_file"), xml]],
            )
        };
        let place =
            |file| set("growth_events", &["file_name", "file_offset"], vec![vec![text(file), Cell::Int(9)]]);
        let answer = sets(vec![of("growth_source", "g"), of("deadlock_source", "dl"), place("/x/g_0_1.xel")]);
        let [mut grown, mut deadlocks] = [Event::Growth, Event::Deadlock].map(Recording::of);
        grown.note(&answer, false);
        deadlocks.note(&answer, false);
        assert_eq!(grown.params(), [Param::Text("/x/g*.xel"), Param::Text("/x/g_0_1.xel"), Param::Int(9)]);
        assert_eq!(deadlocks.source().map(|source| &*source.session), Some("dl"));
        assert_eq!(deadlocks.params()[1], Param::Null);
        // Two readings that took too long: it is left alone for a day, also where nothing else is there.
        let alone = sets(vec![of("growth_source", "g")]);
        grown.refuse(NOW);
        grown.note(&alone, false);
        assert_eq!(grown.params()[0], Param::Text("/x/g_0_1.xel"), "it may have been the place alone");
        grown.refuse(NOW);
        for (ms, is_read) in [(0, false), (REFUSED_MS - 1, false), (REFUSED_MS, true)] {
            grown.forgive(NOW.plus_ms(ms));
            grown.note(&alone, false);
            assert_eq!(grown.source().is_some(), is_read, "after {ms} ms");
        }
        let ring = "<event name=\"database_file_size_change\"><data/></event><event name=\"xml_deadlock_report\"></event>";
        assert_eq!(events(Event::Growth, ring).0.count(), 1);
    }
}
