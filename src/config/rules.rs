//! Rules over the values of a configuration, each with the options that it is about, so that an error can be shown
//! where it was made. One function a section; called by [`super::read()`].

use super::sections::{Budget, Config, History, Log, Metrics, Poll, Ui};
use crate::model::judge::limits::{Gauge, Thresholds};
use std::net::SocketAddr;

/// A rule that does not hold.
pub(super) struct Broken {
    /// the section of the options
    pub section: &'static str,
    /// the options that the rule is about; the error is shown at the first of them that was set
    pub options: Vec<&'static str>,
    /// option, value and rule
    pub message: String,
    /// the reason, or what to write instead
    pub advice: String,
}

/// All rules that do not hold.
pub(super) fn broken(c: &Config) -> Vec<Broken> {
    let lock = range("vault", ("lock_after_min", c.vault.lock_after_min.into(), 0, 1440));
    ui(&c.ui)
        .chain(poll(&c.poll))
        .chain(health(&c.health))
        .chain(lock)
        .chain(unwrap(&c.vault.unwrap))
        .chain(range("audit", ("keep_days", c.audit.keep_days.into(), 30, 36_500)))
        .chain(budget(&c.budget))
        .chain(range("collect", ("recorder_instances", c.collect.recorder_instances.into(), 0, 200)))
        .chain(history(&c.history))
        .chain(log(&c.log))
        .chain(metrics(&c.metrics))
        .collect()
}

/// Name, value, smallest and largest.
type Range = (&'static str, u64, u64, u64);

fn range(section: &'static str, (name, value, low, high): Range) -> Option<Broken> {
    (!(low..=high).contains(&value)).then(|| Broken {
        section,
        options: vec![name],
        message: format!("[{section}] {name} = {value} is not within {low} to {high}"),
        advice: String::new(),
    })
}

fn poll(p: &Poll) -> impl Iterator<Item = Broken> {
    let floor = |mut broken: Broken| {
        if broken.options.iter().any(|name| name.starts_with("fleet_")) {
            "what is on the screen is polled faster: focused_s and focused_detail_s"
                .clone_into(&mut broken.advice);
        }
        broken
    };
    let ranges: [Range; 9] = [
        ("fleet_s", p.fleet_s.into(), 30, 3600),
        ("fleet_detail_s", p.fleet_detail_s.into(), 30, 3600),
        ("focused_s", p.focused_s.into(), 2, 3600),
        ("focused_detail_s", p.focused_detail_s.into(), 2, 3600),
        ("slow_s", p.slow_s.into(), 60, 86_400),
        ("identity_s", p.identity_s.into(), 60, 86_400),
        ("connect_timeout_s", p.connect_timeout_s.into(), 1, 120),
        ("max_queries", p.max_queries.into(), 1, 1000),
        ("max_handshakes", p.max_handshakes.into(), 1, 256),
    ];
    ranges.into_iter().filter_map(|r| range("poll", r)).map(floor)
}

fn health(t: &Thresholds) -> impl Iterator<Item = Broken> {
    let broken = |options, message| Broken { section: "health", options, message, advice: String::new() };
    let limits = Gauge::ALL.into_iter().filter_map(move |gauge| {
        let row = t.row(gauge);
        let [warning, _, clear] = row.names;
        let (low, high) = if row.low_is_bad { (1, 0) } else { (0, 1) };
        let order = (!row.is_ordered()).then(|| {
            let says = |at: usize| format!("{} = {}", row.names[at], row.values[at]);
            let message = format!("[health] {} must not be above {}, nor below 0", says(low), says(high));
            broken(vec![row.names[low], row.names[high]], message)
        });
        let side = if row.low_is_bad { "below" } else { "above" };
        let clears = (!row.is_clear_right()).then(|| {
            let [at, _, ends] = row.values;
            let message = format!(
                "[health] {clear} = {ends} must not be {side} {warning} = {at}: a warning ends there"
            );
            broken(vec![clear, warning], message)
        });
        order.or(clears)
    });
    limits.chain(range("health", ("offline_after_s", t.offline_after_s, 1, 86_400)))
}

fn budget(b: &Budget) -> impl Iterator<Item = Broken> {
    let options = [
        ("fleet_ms_per_s", b.fleet_ms_per_s, 1000.0),
        ("focused_ms_per_s", b.focused_ms_per_s, 1000.0),
        ("lane_s_per_hour", b.lane_s_per_hour, 3600.0),
    ];
    let is_broken = |(_, value, most): &(&str, f64, f64)| !(0.0..=*most).contains(value);
    options.into_iter().filter(is_broken).map(|(name, value, most)| Broken {
        section: "budget",
        options: vec![name],
        message: format!("[budget] {name} = {value} is not within 0 to {most}"),
        advice: "0 means no limit".to_owned(),
    })
}

fn history(h: &History) -> impl Iterator<Item = Broken> {
    let ranges: [Range; 7] = [
        ("state_days", h.state_days.into(), 1, 3650),
        ("raw_days", h.raw_days.into(), 1, 3650),
        ("five_min_days", h.five_min_days.into(), 1, 3650),
        ("hour_days", h.hour_days.into(), 1, 3650),
        ("day_days", h.day_days.into(), 1, 3650),
        ("events_days", h.events_days.into(), 1, 3650),
        ("max_store_gb", h.max_store_gb.into(), 1, 10_000),
    ];
    ranges.into_iter().filter_map(|r| range("history", r))
}

fn ui(ui: &Ui) -> impl Iterator<Item = Broken> {
    one_of("ui", "glyphs", &ui.glyphs, &["auto", "unicode", "ascii"]).into_iter().chain(time_zone(ui))
}

fn time_zone(ui: &Ui) -> Option<Broken> {
    let name = &ui.time_zone;
    super::zone::zone(name).is_none().then(|| Broken {
        section: "ui",
        options: vec!["time_zone"],
        message: format!("[ui] time_zone = {name:?} is no time zone"),
        advice: super::error::nearest(name, super::zone::names().iter().map(String::as_str)).map_or_else(
            || "write local, utc, or a name such as \"Europe/Berlin\"".to_owned(),
            |word| format!("did you mean \"{word}\"?"),
        ),
    })
}

fn log(log: &Log) -> impl Iterator<Item = Broken> {
    let levels = ["error", "warn", "info", "debug", "trace"];
    let days = range("log", ("keep_days", log.keep_days.into(), 1, 3650));
    let words = [
        one_of("log", "level", &log.level, &levels),
        one_of("log", "format", &log.format, &["text", "json"]),
    ];
    words.into_iter().flatten().chain(days)
}

/// A program by its full path: which one runs must not hang on PATH.
fn unwrap(argv: &[String]) -> Option<Broken> {
    let program = argv.first()?;
    (!std::path::Path::new(program).is_absolute()).then(|| Broken {
        section: "vault",
        options: vec!["unwrap"],
        message: format!("[vault] unwrap = [{program:?}, …] does not begin with the full path of a program"),
        advice: "write it such as [\"/usr/local/bin/unwrap\", \"argument\"]: no shell reads it".to_owned(),
    })
}

fn one_of(section: &'static str, option: &'static str, value: &str, words: &[&str]) -> Option<Broken> {
    (!words.contains(&value)).then(|| Broken {
        section,
        options: vec![option],
        message: format!("[{section}] {option} = {value:?} is none of {}", words.join(", ")),
        advice: super::error::nearest(value, words.iter().copied())
            .map(|word| format!("did you mean \"{word}\"?"))
            .unwrap_or_default(),
    })
}

/// The figures are for this machine alone, unless the option allows others: they show a fleet's size and troubles, with a
/// plain inventory the names as well, and readers need no password.
fn metrics(m: &Metrics) -> Option<Broken> {
    if m.listen.is_empty() {
        return None;
    }
    let broken = |message: String, advice: &str| Broken {
        section: "metrics",
        options: vec!["listen", "allow_remote"],
        message,
        advice: advice.to_owned(),
    };
    match m.listen.parse::<SocketAddr>() {
        Err(_) => Some(broken(
            format!("[metrics] listen = {:?} is no address with a port", m.listen),
            "write one such as 127.0.0.1:9399",
        )),
        Ok(at) if !at.ip().is_loopback() && !m.allow_remote => Some(broken(
            format!("[metrics] listen = {:?} can be reached from other machines", m.listen),
            "take 127.0.0.1 or [::1], or set allow_remote = true",
        )),
        Ok(_) => None,
    }
}
