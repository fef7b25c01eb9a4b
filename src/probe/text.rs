//! Texts of statements: fetched once per handle, made harmless, cached, cut to the statement that runs. `run` fetches,
//! decoders look up.

use super::{
    batch::{self, Sets},
    script::{Script, script},
};
use crate::{
    model::{
        base::{failure::Failure, text::is_harmful},
        poll::statement::{SqlText, Statement},
    },
    tds::{Answer, Ask, Param, Question, ResultSet, Row},
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Texts of eight handles.
pub(super) const TEXTS: Script = script!("texts", Performance, by "sql_handle");

/// Handles per question: as many as `texts.sql` has parameters.
const HANDLES: usize = 8;
/// Questions per poll for an instance on screen, and for one in the fleet.
const FOCUSED_QUESTIONS: usize = 4;
const FLEET_QUESTIONS: usize = 1;
/// Texts are not worth more than this.
const WITHIN: Duration = Duration::from_secs(5);
/// Longest text that is kept, in characters; `texts.sql` cuts there too.
pub const MAX_CHARS: usize = 262_144;
/// The memory that one instance's texts may take, in bytes. With 500 instances full of distinct texts: 128 MB at worst,
/// a few MB in practice.
const MAX_CACHE_BYTES: usize = 256 << 10;
/// A handle without a text is asked for again after so many polls, if it is still in use.
const RETRY_AFTER_POLLS: u64 = 60;
/// In the fleet a text that so many polls had no use for goes: a request that comes again costs one question. The text of a query alone
/// goes at once: its statement is cut out of it.
const KEPT_FOR_POLLS: u64 = 10;
/// The bytes of an entry besides its text.
const ENTRY_BYTES: usize = 200;

/// Makes a text harmless and cuts it at `max_chars`: newline and tab are the only control characters left. The second
/// value holds the positions of removed UTF-16 units in the original, ascending: positions given by the server count
/// them.
pub fn clean(raw: &str, max_chars: usize) -> (String, Vec<u32>) {
    let mut text = String::with_capacity(raw.len().min(max_chars * 4));
    let mut removed = Vec::new();
    let mut unit = 0u32;
    let mut rest = raw.chars().take(max_chars).peekable();
    while let Some(c) = rest.next() {
        let units = c.len_utf16() as u32;
        match c {
            '\n' | '\t' => text.push(c),
            '\r' if rest.peek() == Some(&'\n') => removed.push(unit),
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => text.push('\n'),
            c if is_harmful(c) => removed.extend(unit..unit + units),
            c => text.push(c),
        }
        unit += units;
    }
    text.shrink_to_fit();
    (text, removed)
}

/// The byte position in a clean text of a UTF-16 unit of the original; the end if it lies behind it.
fn byte_at(text: &str, removed: &[u32], unit: usize) -> usize {
    let unit = unit - removed.partition_point(|r| (*r as usize) < unit);
    if text.is_ascii() {
        return unit.min(text.len());
    }
    let mut units = 0;
    for (byte, c) in text.char_indices() {
        if units >= unit {
            return byte;
        }
        units += c.len_utf16();
    }
    text.len()
}

#[derive(Debug)]
struct Entry {
    /// None: the server has no text for it any more, or it could not be fetched
    text: Option<Arc<SqlText>>,
    removed: Vec<u32>,
    asked_at: u64,
    used_at: u64,
    /// no request runs it
    of_query: bool,
}

impl Entry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.removed.len() * 4 + self.text.as_ref().map_or(0, |t| t.batch.len())
    }
}

/// Texts by handle, the least recently used ones dropped beyond `MAX_CACHE_BYTES`. A text that the current poll uses is never
/// dropped.
#[derive(Debug, Default)]
pub struct TextCache {
    entries: HashMap<Box<[u8]>, Entry>,
    bytes: usize,
    poll: u64,
}

impl TextCache {
    /// A new poll begins: marks the handles that it uses, and returns those that are not known, each once, in order.
    fn begin<'a>(&mut self, handles: impl Iterator<Item = &'a [u8]>) -> Vec<&'a [u8]> {
        self.poll += 1;
        let mut unknown: Vec<&[u8]> = Vec::new();
        for handle in handles {
            let known = self.entries.get_mut(handle).is_some_and(|entry| {
                (entry.used_at, entry.of_query) = (self.poll, false);
                entry.text.is_some() || self.poll - entry.asked_at < RETRY_AFTER_POLLS
            });
            if !known && !unknown.contains(&handle) {
                unknown.push(handle);
            }
        }
        unknown
    }

    fn insert(&mut self, handle: &[u8], text: Option<(SqlText, Vec<u32>)>) {
        let (text, removed) = text.map_or((None, Vec::new()), |(t, r)| (Some(Arc::new(t)), r));
        let entry = Entry { text, removed, asked_at: self.poll, used_at: self.poll, of_query: false };
        self.bytes += entry.bytes();
        if let Some(old) = self.entries.insert(handle.into(), entry) {
            self.bytes -= old.bytes();
        }
    }

    /// These are the texts of queries alone.
    fn are_of_queries<'a>(&mut self, handles: impl Iterator<Item = &'a [u8]>) {
        for handle in handles {
            if let Some(entry) = self.entries.get_mut(handle).filter(|entry| entry.text.is_some()) {
                entry.of_query = true;
            }
        }
    }

    /// Drops what was not used for a while, if the instance is not on the screen, and the least recently used entries until the
    /// rest fits.
    fn trim(&mut self, focused: bool) {
        if !focused {
            let (poll, bytes) = (self.poll, &mut self.bytes);
            self.entries.retain(|_, entry| {
                let is_kept = poll - entry.used_at <= if entry.of_query { 0 } else { KEPT_FOR_POLLS };
                *bytes -= if is_kept { 0 } else { entry.bytes() };
                is_kept
            });
        }
        if self.bytes <= MAX_CACHE_BYTES {
            return;
        }
        let old = self.entries.iter().filter(|(_, e)| e.used_at < self.poll);
        let mut old: Vec<(u64, Box<[u8]>)> = old.map(|(h, e)| (e.used_at, h.clone())).collect();
        old.sort_unstable();
        for (_, handle) in old {
            if self.bytes <= MAX_CACHE_BYTES {
                return;
            }
            if let Some(gone) = self.entries.remove(&handle) {
                self.bytes -= gone.bytes();
            }
        }
    }

    /// The statement of a request: the part of its batch between two byte offsets as `dm_exec_requests` has them (in
    /// UTF-16; an end of -1 means the end of the batch, and the unit at the end belongs to it). The whole batch if the
    /// offsets are off, or lie behind the cut.
    pub fn statement(&self, handle: &[u8], start: Option<i64>, end: Option<i64>) -> Option<Statement> {
        let entry = self.entries.get(handle)?;
        let text = entry.text.clone()?;
        let at = |unit: usize| byte_at(&text.batch, &entry.removed, unit);
        let start = usize::try_from(start.unwrap_or(0) / 2).map_or(0, at);
        let end = match end {
            Some(end) if end >= 0 => {
                usize::try_from(end / 2).map_or(text.batch.len(), |unit| at(unit.saturating_add(1)))
            }
            _ => text.batch.len(),
        };
        let (start, end) = if start < end { (start, end) } else { (0, text.batch.len()) };
        Some(Statement { text, start, end })
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.entries.len()
    }
}

/// A statement of its own, not by handle: an input buffer.
pub fn statement_of(raw: &str, full_chars: Option<i64>) -> Statement {
    let (text, _) = sql_text(raw, full_chars, None, false);
    let end = text.batch.len();
    Statement { text: Arc::new(text), start: 0, end }
}

fn sql_text(
    raw: &str,
    full_chars: Option<i64>,
    object_id: Option<i32>,
    encrypted: bool,
) -> (SqlText, Vec<u32>) {
    let (text, removed) = clean(raw, MAX_CHARS);
    let came = raw.chars().take(MAX_CHARS + 1).count() as u64;
    let full = full_chars.and_then(|n| u64::try_from(n).ok()).unwrap_or(0).max(came);
    let full_chars = (full > came || came > MAX_CHARS as u64).then_some(full);
    (SqlText::new(text.into(), full_chars, object_id, encrypted), removed)
}

/// Fetches the texts of all handles in these sets, and of queries, that are not cached yet, a limited number per poll: the longest
/// running requests come first, the rest follows with the next polls. Returns the failure that broke the connection, if one did.
pub(super) async fn fetch<C: Ask>(
    conn: &mut C,
    sets: &Sets,
    cache: &mut TextCache,
    of_queries: &[&[u8]],
    focused: bool,
) -> Option<Failure> {
    let column = |set: &str, column: &'static str| {
        let rows = sets.get(set).map(|s| s.rows().collect::<Vec<Row<'_>>>()).unwrap_or_default();
        rows.into_iter().filter_map(move |r| r.bytes(column))
    };
    let of_requests: Vec<&[u8]> = column("chain", "sql_handle")
        .chain(column("activity", "sql_handle"))
        .chain(column("connections", "most_recent_sql_handle"))
        .collect();
    let questions = if focused { FOCUSED_QUESTIONS } else { FLEET_QUESTIONS };
    let unknown = cache.begin(of_requests.iter().chain(of_queries).copied());
    let mut lost = None;
    for chunk in unknown.chunks(HANDLES).take(questions) {
        let mut answer = conn.ask(question(&params(chunk))).await;
        let error = answer.error.take();
        keep(chunk, answer, cache);
        if !conn.is_open() {
            lost = error;
            break;
        }
    }
    cache.are_of_queries(of_queries.iter().copied().filter(|handle| !of_requests.contains(handle)));
    cache.trim(focused);
    lost
}

fn params<'a>(handles: &[&'a [u8]]) -> [Param<'a>; HANDLES] {
    let mut params = [Param::Null; HANDLES];
    for (param, handle) in params.iter_mut().zip(handles) {
        *param = Param::Bytes(handle);
    }
    params
}

fn question<'a>(params: &'a [Param<'a>]) -> Question<'a> {
    Question { what: "texts", sql: batch::statement(TEXTS.text), params, within: WITHIN }
}

/// Puts what came into the cache. A handle that got no text, for whatever reason, is noted as such: it is not asked
/// for again soon, so that a text which breaks connections does not break every one of them.
fn keep(asked: &[&[u8]], answer: Answer, cache: &mut TextCache) {
    for handle in asked {
        cache.insert(handle, None);
    }
    let sets = Sets::of(answer.sets, &[TEXTS]);
    for row in sets.get("texts").into_iter().flat_map(ResultSet::rows) {
        let Some(handle) = row.bytes("sql_handle").filter(|h| asked.contains(h)) else { continue };
        let encrypted = row.bool("encrypted") == Some(true);
        let object_id = row.i32("objectid");
        let text = match row.raw_text("batch_text") {
            Some(raw) => Some(sql_text(raw, row.count("full_chars"), object_id, encrypted)),
            None if encrypted => Some(sql_text("", None, object_id, true)),
            None => None,
        };
        cache.insert(handle, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_with(handle: &[u8], raw: &str) -> TextCache {
        let mut cache = TextCache::default();
        cache.begin([handle].into_iter());
        cache.insert(handle, Some(sql_text(raw, None, None, false)));
        cache
    }

    #[test]
    fn a_statement_is_found_by_its_utf16_offsets() {
        let raw = "select N'é🐘';\r\nupdate t set x = 1;\r\nselect 2;";
        let before: Vec<u16> = raw.split("update").next().unwrap().encode_utf16().collect();
        let statement: Vec<u16> = "update t set x = 1;".encode_utf16().collect();
        let start = before.len() * 2;
        let end = start + statement.len() * 2 - 2;
        let cache = cache_with(b"h", raw);
        let found = cache.statement(b"h", Some(start as i64), Some(end as i64)).unwrap();
        assert_eq!(found.as_str(), "update t set x = 1;");
        let rest = cache.statement(b"h", Some(start as i64), Some(-1)).unwrap();
        assert_eq!(
            rest.as_str(),
            "update t set x = 1;\nselect 2;",
            "carriage returns are gone, offsets still fit"
        );
    }

    #[test]
    fn absurd_offsets_give_the_whole_batch() {
        let cache = cache_with(b"h", "select 1");
        for (start, end) in [(-5, -1), (6, 2), (i64::MAX, -1), (i64::MIN, i64::MAX), (900, 950)] {
            assert_eq!(
                cache.statement(b"h", Some(start), Some(end)).unwrap().as_str(),
                "select 1",
                "{start} {end}"
            );
        }
        assert_eq!(cache.statement(b"other", None, None), None);
    }

    #[test]
    fn texts_are_made_harmless_and_cut() {
        assert_eq!(clean("a\u{1b}[2Jb\tc\r\nd\re\u{202e}f", 100).0, "a[2Jb\tc\nd\nef");
        let (text, _) = sql_text(&"x".repeat(MAX_CHARS + 7), None, None, false);
        assert_eq!(text.batch.len(), MAX_CHARS);
        assert_eq!(text.full_chars, Some(MAX_CHARS as u64 + 1), "longer than kept: how long is not known");
        let (text, _) = sql_text("abc", Some(2_000_000), None, false);
        assert_eq!(text.full_chars, Some(2_000_000));
    }

    #[test]
    fn off_the_screen_a_text_that_ten_polls_had_no_use_for_goes() {
        let mut cache = cache_with(b"h", "select 1");
        cache.insert(b"used", Some(sql_text("select 2", None, None, false)));
        let whole = cache.bytes;
        for _ in 0..KEPT_FOR_POLLS {
            cache.begin([&b"used"[..]].into_iter());
            cache.trim(false);
        }
        assert_eq!((cache.len(), cache.bytes), (2, whole));
        cache.begin([&b"used"[..]].into_iter());
        cache.trim(true);
        assert_eq!(cache.len(), 2, "on the screen it stays");
        cache.trim(false);
        assert_eq!((cache.len(), cache.bytes), (1, whole / 2));
        assert!(cache.statement(b"used", None, None).is_some());
    }

    #[test]
    fn off_the_screen_the_text_of_a_query_goes_with_the_next_poll_unless_a_request_runs_it() {
        let mut cache = cache_with(b"query", "select 1");
        cache.insert(b"both", Some(sql_text("select 2", None, None, false)));
        cache.insert(b"gone", None);
        cache.are_of_queries([&b"query"[..], b"both", b"gone"].into_iter());
        cache.trim(false);
        assert!(cache.statement(b"query", None, None).is_some(), "it is still to be cut");
        cache.begin([&b"both"[..]].into_iter());
        cache.trim(true);
        assert_eq!(cache.len(), 3, "on the screen it stays");
        cache.trim(false);
        assert!(
            cache.statement(b"query", None, None).is_none() && cache.statement(b"both", None, None).is_some()
        );
        assert!(
            cache.begin([&b"gone"[..]].into_iter()).is_empty(),
            "what has no text is not asked again at once"
        );
    }

    #[test]
    fn the_cache_forgets_what_no_poll_uses_any_more() {
        let mut cache = TextCache::default();
        for i in 0..20u8 {
            let handle = [i];
            assert_eq!(cache.begin([&handle[..]].into_iter()).len(), 1);
            cache.insert(&handle, Some(sql_text(&"y".repeat(60 << 10), None, None, false)));
            cache.trim(true);
        }
        assert!(cache.bytes <= MAX_CACHE_BYTES && cache.len() < 20, "{} bytes", cache.bytes);
        assert!(cache.statement(&[19], None, None).is_some(), "the newest one is kept");
        assert_eq!(cache.statement(&[0], None, None), None);
    }

    #[test]
    fn a_handle_without_text_is_asked_for_once() {
        let mut cache = TextCache::default();
        let unknown = cache.begin([&b"gone"[..]].into_iter());
        keep(&unknown, Answer::default(), &mut cache);
        assert!(cache.begin([&b"gone"[..]].into_iter()).is_empty());
        assert_eq!(cache.statement(b"gone", None, None), None);
    }
}
