//! Warnings about a valid configuration: values that are insecure, costly, or probably not intended. Each says what to
//! write instead. Called by `dbtop config check`.

use super::{Finding, Fleet};
use crate::{
    app::configuration,
    collect,
    config::{self, Origin, Read, nearest},
    model::{
        inventory::{
            instance::{Target, TlsMode},
            record::SecretRef,
        },
        poll::id::ProbeId,
    },
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// Polls a second from which on there is a warning.
const MANY_POLLS_PER_S: f64 = 50.0;
/// CPU of one core for a poll a second, %: 500 instances every 30 s took 2.6 % (`docs/performance.md`).
const CPU_PCT_PER_POLL: f64 = 2.6 / (500.0 / 30.0);
/// Memory of an instance, MB: 500 of them took 72 MB (`docs/performance.md`).
const MB_PER_INSTANCE: f64 = 72.4 / 500.0;
/// Bytes in the log for a poll at `debug`: six lines of 117 on average, as measured with the simulator.
const DEBUG_BYTES_PER_POLL: f64 = 700.0;
/// Names that a finding lists.
const NAMES: usize = 5;
const DAY_S: f64 = 86_400.0;

/// Warnings about values.
pub fn values(read: &Read, fleet: Option<&Fleet>) -> Vec<Finding> {
    let (poll, log, vault) = (&read.config.poll, &read.config.log, &read.config.vault);
    let at = |option: &str| read.origins.get(option).cloned().unwrap_or(Origin::Default);
    let warning =
        |option: &str, problem: String, advice: &str| Finding::warning(at(option), option, problem, advice);
    let mut found = Vec::new();
    found.extend(many_polls(read, fleet));
    if ["debug", "trace"].contains(&log.level.as_str()) {
        let polls_per_s = fleet.map_or(0.0, |fleet| polls_per_s(read, fleet));
        let much = match polls_per_s * DEBUG_BYTES_PER_POLL * DAY_S / 1e6 {
            mb if mb >= 1.0 => format!("about {mb:.0} MB a day for this fleet"),
            _ => "several lines a poll".to_owned(),
        };
        let problem = format!("[log] level = {:?} writes {much}, seven days are kept", log.level);
        found.push(warning("log.level", problem, "write level = \"info\" once the cause is found"));
    }
    if vault.lock_after_min == 0 {
        let problem =
            "[vault] lock_after_min = 0 leaves the inventory open on the screen for as long as it runs";
        let advice = "write lock_after_min = 15; monitoring goes on while it is locked";
        found.push(warning("vault.lock_after_min", problem.to_owned(), advice));
    }
    let fleet_s = u64::from(poll.fleet_s);
    if read.config.health.offline_after_s < 2 * fleet_s {
        let problem = format!(
            "[health] offline_after_s = {} is less than two polls of fleet_s = {fleet_s}: one that is late is an outage",
            read.config.health.offline_after_s
        );
        found.push(warning("health.offline_after_s", problem, &format!("write {} or more", 3 * fleet_s)));
    }
    for (fast, fast_s, slow, slow_s) in [
        ("focused_s", poll.focused_s, "fleet_s", poll.fleet_s),
        ("focused_detail_s", poll.focused_detail_s, "fleet_detail_s", poll.fleet_detail_s),
    ] {
        if fast_s > slow_s {
            let problem = format!("[poll] {fast} = {fast_s} is slower than {slow} = {slow_s}");
            found.push(warning(
                &format!("poll.{fast}"),
                problem,
                "what is on the screen is polled at the faster pace as a rule",
            ));
        }
    }
    for (option, value, usual, what) in [
        ("slow_s", poll.slow_s, 900, "databases, volumes and jobs of every instance"),
        ("identity_s", poll.identity_s, 3600, "properties and rights of every instance"),
    ] {
        if value < usual / 3 {
            let problem = format!("[poll] {option} = {value} asks often for {what}, which seldom change");
            found.push(warning(&format!("poll.{option}"), problem, &format!("write {usual}")));
        }
    }
    found
}

/// Polls a second of the fleet off the screen, by the intervals of its instances.
fn polls_per_s(read: &Read, fleet: &Fleet) -> f64 {
    let settings: collect::Settings = configuration::collector(&read.config);
    let is_polled = |target: &&Target| target.info.poll.running != Some(false);
    let targets = fleet.targets.iter().map(|(_, target)| target).filter(is_polled);
    targets.map(|t| 1000.0 / f64::from(settings.every_ms(&t.info.poll, ProbeId::Headline, false))).sum()
}

fn many_polls(read: &Read, fleet: Option<&Fleet>) -> Option<Finding> {
    let fleet = fleet?;
    let polls_per_s = polls_per_s(read, fleet);
    if polls_per_s < MANY_POLLS_PER_S {
        return None;
    }
    let every_s = read.config.poll.fleet_s;
    let count = fleet.targets.len();
    let problem = format!(
        "[poll] fleet_s = {every_s} for {count} instances is {polls_per_s:.0} polls a second: about {:.0} % of a core and \
         {:.0} MB here, and {:.0} polls a day on each server",
        polls_per_s * CPU_PCT_PER_POLL,
        count as f64 * MB_PER_INSTANCE,
        DAY_S * polls_per_s / count as f64,
    );
    // To two thirds of the limit of the warning, in steps of half a minute.
    let slower_s = (f64::from(every_s) * polls_per_s / (MANY_POLLS_PER_S * 2.0 / 3.0) / 30.0).ceil() * 30.0;
    let advice = format!(
        "write fleet_s = {slower_s:.0}, or slow down those that matter less: `dbtop label poll KEY=VALUE --every {slower_s:.0}`"
    );
    let at = read.origins.get("poll.fleet_s").cloned().unwrap_or(Origin::Default);
    Some(Finding::warning(at, "poll.fleet_s", problem, advice))
}

/// Warnings about connections that an attacker could read or change.
pub fn transport(fleet: &Fleet) -> Vec<Finding> {
    let mut modes: BTreeMap<&str, Vec<(Option<usize>, &Target)>> = BTreeMap::new();
    for (line, target) in &fleet.targets {
        let mode = match target.info.tls {
            TlsMode::Verify | TlsMode::Pin(_) | TlsMode::Strict => continue,
            TlsMode::Insecure => "insecure",
            TlsMode::LoginOnly => "login-only",
            TlsMode::Off => "off",
        };
        // Nobody is in between.
        if !is_loopback(&target.endpoint.host) {
            modes.entry(mode).or_default().push((*line, target));
        }
    }
    let risk = |mode: &str| match mode {
        "insecure" => "whoever is in between can pose as the server and take the password",
        "login-only" => {
            "queries and results go in plain text, and whoever is in between can take the password"
        }
        _ => "the password goes in plain text",
    };
    let advice = "write tls = \"verify\" with the CA in ca_file, or tls = \"pin\" with the certificate's fingerprint, \
                  which `dbtop instance test` shows";
    let finding = |(mode, members): (&str, Vec<(Option<usize>, &Target)>)| {
        let problem = format!(
            "tls = \"{mode}\" on {} of {} instances ({}): {}",
            members.len(),
            fleet.targets.len(),
            names(members.iter().map(|(_, target)| target.info.id.as_str())),
            risk(mode),
        );
        let at = fleet.place(members.first().and_then(|(line, _)| *line));
        Finding::warning(at, "tls", fleet.whose(problem), advice)
    };
    modes.into_iter().map(finding).collect()
}

impl Fleet {
    /// A line of the plain inventory; a sealed one has none.
    fn place(&self, line: Option<usize>) -> Origin {
        self.file.clone().map_or(Origin::Default, |path| Origin::File { path, line })
    }

    fn whose(&self, problem: String) -> String {
        if self.file.is_some() { problem } else { format!("{}: {problem}", self.name) }
    }
}

/// The first few names.
fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMES);
    let mut text = names.take(NAMES).collect::<Vec<_>>().join(", ");
    if more > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, ", {more} more");
    }
    text
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Variables of dbtop that are no options.
const OURS: [&str; 5] = ["DBTOP_HOME", "DBTOP_CONFIG", "DBTOP_INVENTORY", "DBTOP_TENANT", "DBTOP_KEY_FILE"];

/// Warnings about variables that look like options of dbtop and do nothing.
pub fn variables(names: impl Iterator<Item = String>, fleet: Option<&Fleet>) -> Vec<Finding> {
    let mut known: Vec<String> = OURS.map(str::to_owned).into();
    for (section, options) in &config::options() {
        let options = options.as_table().into_iter().flat_map(toml::Table::keys);
        known.extend(options.map(|option| config::variable(section, option)));
    }
    // Where passwords are.
    let secrets = fleet.iter().flat_map(|fleet| &fleet.targets).filter_map(|(_, t)| match t.auth.secret() {
        Some(SecretRef::Env(name)) => Some(name.clone()),
        _ => None,
    });
    let used: Vec<String> = secrets.collect();
    let of_a_section = |name: &str| {
        let rest = name.trim_start_matches("DBTOP_").to_lowercase();
        config::options().keys().any(|section| rest.starts_with(&format!("{section}_")))
    };
    let strange = |name: &String| {
        name.starts_with("DBTOP_") && !known.contains(name) && !used.contains(name) && !of_a_section(name)
    };
    let mut strange: Vec<String> = names.filter(strange).collect();
    strange.sort();
    let near = |name: String| {
        let meant = nearest(&name, known.iter().map(String::as_str))?.to_owned();
        let problem = format!("{name} sets no option");
        Some(Finding::warning(Origin::Variable(name), "", problem, format!("did you mean {meant}?")))
    };
    strange.into_iter().filter_map(near).collect()
}

/// Warnings about files that other users can read or change.
pub fn files(config: Option<&Path>, key_file: Option<&Path>, fleet: Option<&Fleet>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(file) = config {
        found.extend(changeable(file, "others can change the configuration"));
    }
    if let Some(file) = fleet.and_then(|fleet| fleet.file.as_deref()) {
        found.extend(changeable(
            file,
            "others can change the inventory, and with it the commands that fetch passwords, which run as you",
        ));
        let stored = |(_, target): &(_, Target)| matches!(target.auth.secret(), Some(SecretRef::Stored(_)));
        if fleet.is_some_and(|fleet| fleet.targets.iter().any(stored)) {
            found.extend(readable(file, "others can read the passwords in it"));
        }
    }
    let of_environment = std::env::var_os("DBTOP_KEY_FILE").filter(|f| !f.is_empty()).map(PathBuf::from);
    if let Some(file) = key_file.map(Path::to_owned).or(of_environment) {
        if file.exists() {
            found.extend(readable(&file, "others can read the key; the vault refuses it"));
        } else {
            let at = Origin::File { path: file, line: None };
            let advice = "`dbtop vault slot add key-file FILE` makes one";
            found.push(Finding::warning(at, "key_file", "there is no such key file".to_owned(), advice));
        }
    }
    let mut secrets: Vec<&PathBuf> = fleet
        .iter()
        .flat_map(|fleet| &fleet.targets)
        .filter_map(|(_, target)| match target.auth.secret() {
            Some(SecretRef::File(file)) => Some(file),
            _ => None,
        })
        .collect();
    secrets.sort();
    secrets.dedup();
    found.extend(secrets.into_iter().filter_map(|file| readable(file, "others can read the password in it")));
    found
}

fn changeable(file: &Path, problem: &str) -> Option<Finding> {
    exposed(file, 0o022, problem, "chmod go-w")
}

fn readable(file: &Path, problem: &str) -> Option<Finding> {
    exposed(file, 0o077, problem, "chmod 600")
}

#[cfg(unix)]
fn exposed(file: &Path, bits: u32, problem: &str, chmod: &str) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    // An unreadable file is reported by the code that reads it.
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o7777;
    (mode & bits != 0).then(|| {
        let at = Origin::File { path: file.to_owned(), line: None };
        let advice = format!("run {chmod} '{}'", file.display());
        Finding::warning(at, "", format!("its mode is {mode:04o}: {problem}"), advice)
    })
}

/// Elsewhere the folder's access list decides; a mode does not exist.
#[cfg(not(unix))]
fn exposed(_: &Path, _: u32, _: &str, _: &str) -> Option<Finding> {
    None
}
