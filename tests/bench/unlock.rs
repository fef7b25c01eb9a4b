//! What a person waits for after the passphrase: the real program in a pseudo-terminal, a sealed inventory of 5,000
//! instances, the clock from Enter to the fleet on the screen.
//!
//! `cargo bench --bench unlock [-- INSTANCES]` prints a table. The target, 300 ms, is for what comes after the key: Argon2id
//! is slow on purpose (about half a second, calibrated when the slot was made), and stands in a row of its own.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails like a test"
)]

#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which look at more")]
mod harness;

use dbtop::{
    model::{
        base::secret::Secret,
        inventory::record::{Auth, Author, InstanceRecord, SecretRef, Slug},
    },
    store::{self, StoreError, Tenants},
    vault::Opener,
};
use harness::{Home, screen::Screen};
use std::time::{Duration, Instant};

const PASSPHRASE: &str = "correct horse zebra";
const ROUNDS: usize = 5;
const LIMIT: Duration = Duration::from_mins(1);

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let full = std::env::args().any(|arg| arg == "--bench");
    let named = std::env::args().skip(1).find_map(|a| a.parse().ok());
    let instances: usize = named.unwrap_or(if full { 5_000 } else { 50 });
    let rounds = if full { ROUNDS } else { 1 };
    let home = Home::new();
    private(&home);
    let tenants = Tenants::open(&store::Home::at(&home.path())).expect("a home");
    let slug = Slug::parse("bench").expect("a name");
    let key = home.tmp().join("key");
    let passphrase = || Opener::Passphrase(Secret::new(PASSPHRASE.to_owned()));
    fill(&tenants, &slug, &key, instances);

    println!(
        "\n{:<60} {:>10} {:>10}",
        format!("{instances} instances, ms (median of {rounds})"),
        "measured",
        "target"
    );
    let key_file = key.to_string_lossy().into_owned();
    let locked = tenants.get(&slug).expect("a tenant");
    let by_file =
        median(rounds, || timed(|| drop(locked.unlock(&Opener::KeyFile(key.clone())).expect("a key"))));
    let by_word = median(rounds, || timed(|| drop(locked.unlock(&passphrase()).expect("a passphrase"))));
    let derive = by_word - by_file;
    row("Argon2id of the passphrase alone", derive, None);
    let title = format!("{instances} instances");
    let whole = median(rounds, || {
        let mut s = Screen::start(&[], 160, 50, &home);
        s.until("the dialog", |t| t.contains("Unlock bench"));
        let typed = Instant::now();
        s.keys(format!("{PASSPHRASE}\r").as_bytes());
        let shown = s.wait(typed, LIMIT, |t| t.contains(&title) && t.contains("sql-0"));
        ms(shown.expect("the fleet on the screen"))
    });
    row("Enter to the fleet on the screen, with Argon2id", whole, None);
    row("the same without it: unlock, load, first paint", whole - derive, Some(300.0));
    let started = median(rounds, || {
        let mut s = Screen::start(&["--key-file", &key_file], 160, 50, &home);
        let shown = s.wait(s.started, LIMIT, |t| t.contains(&title) && t.contains("sql-0"));
        ms(shown.expect("the fleet on the screen"))
    });
    row("start of the program to the fleet on the screen, key file", started, Some(300.0));
}

/// Nobody listens at port 9: what is measured is not the network.
fn fill(tenants: &Tenants, slug: &Slug, key: &std::path::Path, instances: usize) {
    let author = Author { user: "bench (1000)".into(), ..Author::default() };
    let opener = Opener::KeyFile(key.to_owned());
    let mut tenant = tenants.create(slug, &opener, "bench", None, &author).expect("a tenant");
    let word = Opener::Passphrase(Secret::new(PASSPHRASE.to_owned()));
    tenant.add_slot(&author, &word, "person", None).expect("a slot");
    let added = tenant
        .change(&author, |change| (0..instances).try_for_each(|n| change.add_instance(&record(n)).map(drop)));
    added.map_err(|e: StoreError| e.to_string()).expect("instances");
}

fn record(n: usize) -> InstanceRecord {
    let secret = SecretRef::Stored(Secret::new(format!("Passw0rd-{n}")));
    let auth = Auth::Sql { user: "watch".into(), secret };
    let mut record = InstanceRecord::new(format!("sql-{n:04}"), "127.0.0.1", auth);
    record.port = Some(9);
    record.instance = Some(format!("I{n}"));
    record.groups = vec![format!("Group {}", n % 20)];
    record.labels.insert("env".into(), ["prod", "test", "dev"][n % 3].into());
    record.notes = "Windows are Sundays, 02:00 to 04:00. Ask the owner before a restart.".into();
    record
}

#[cfg(unix)]
fn private(home: &Home) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).expect("a mode");
}

#[cfg(not(unix))]
fn private(_: &Home) {}

fn timed(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    ms(started.elapsed())
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

fn median(rounds: usize, mut work: impl FnMut() -> f64) -> f64 {
    let mut took: Vec<f64> = (0..rounds).map(|_| work()).collect();
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

fn row(what: &str, measured: f64, target: Option<f64>) {
    let (bound, verdict) = target.map_or((String::new(), ""), |bound| {
        (format!("<= {bound}"), if measured <= bound { "" } else { "MISSED" })
    });
    println!("{what:<60} {measured:>10.0} {bound:>10}  {verdict}");
}
