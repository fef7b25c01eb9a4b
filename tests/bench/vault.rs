//! The cost of the vault: records sealed and opened, and each way to open it. Prints a table; run with
//! `cargo bench --bench vault`.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints its table, or fails")]

use dbtop::{
    model::{
        base::secret::Secret,
        inventory::record::{RecordId, TenantUid},
    },
    vault::{Cost, Opener, Place, Sealer, Slot, add_slot, create, rotate, unlock},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const RECORDS: usize = 5_000;
/// About an instance with notes, labels and settings.
const RECORD_BYTES: usize = 600;
const TENANT: TenantUid = TenantUid::from_bytes([1; 16]);

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = Opener::KeyFile(folder.path().join("key"));
    let (vault, key_slot) = create(&TENANT, &file, "bench", None).expect("a vault");

    println!("{RECORDS} records of {RECORD_BYTES} bytes");
    let ids: Vec<RecordId> =
        (0..RECORDS as u128).map(|number| RecordId::from_bytes(number.to_be_bytes())).collect();
    let (records, took) = timed(|| seal_all(&vault, &ids));
    println!("  seal                  {}", each(took));
    let ((), took) = timed(|| open_all(&vault, &ids, &records));
    println!("  open                  {}", each(took));
    let (_, took) =
        timed(|| ids.iter().map(|id| vault.tag("name", &id.to_string())[0]).fold(0, u8::wrapping_add));
    println!("  tag a name            {}", each(took));

    println!("the vault");
    let (cost, took) = timed(Cost::calibrated);
    let Cost { memory_kib, passes, lanes } = cost;
    println!(
        "  calibrate             {:>9.1} ms   ({} MiB, {passes} passes, {lanes} lanes)",
        ms(took),
        memory_kib / 1024
    );
    let passphrase = Opener::Passphrase(Secret::new("correct horse battery".to_owned()));
    let word_slot = add_slot(&vault, &passphrase, "bench", Some(cost)).expect("a slot");
    unlock_three_times("passphrase", &word_slot, &passphrase);
    unlock_three_times("key file", &key_slot, &file);
    match add_slot(&vault, &Opener::Keyring, "bench", None) {
        Ok(slot) => {
            unlock_three_times(slot.kind().name(), &slot, &Opener::Keyring);
            dbtop::vault::forget(&TENANT, &slot);
        }
        Err(e) => println!("  unlock, keyring       not measured: {e}"),
    }
    let slots = [word_slot, key_slot];
    let (_, took) = timed(|| rotate(&vault, &slots).expect("new slots"));
    println!("  rotate two slots      {:>9.3} ms   (and all records: seal + open)", ms(took));
    println!("  key pages locked      {:>9}", vault.is_memory_locked());
}

fn place(id: &RecordId) -> Place<'_> {
    Place { tenant: &TENANT, table: "instance", id, revision: 1, schema: 1 }
}

fn seal_all(vault: &Sealer, ids: &[RecordId]) -> Vec<Vec<u8>> {
    let plain = [7; RECORD_BYTES];
    ids.iter().map(|id| vault.seal(&place(id), &plain).expect("sealed")).collect()
}

fn open_all(vault: &Sealer, ids: &[RecordId], records: &[Vec<u8>]) {
    for (id, record) in ids.iter().zip(records) {
        black_box(vault.open(&place(id), record).expect("opened"));
    }
}

fn unlock_three_times(kind: &str, slot: &Slot, opener: &Opener) {
    let once = || timed(|| unlock(&TENANT, std::slice::from_ref(slot), opener).map(drop).expect("open")).1;
    let mut took = [once(), once(), once()];
    took.sort_unstable();
    println!("  unlock, {kind:<13} {:>9.3} ms   (median of 3)", ms(took[1]));
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

fn each(took: Duration) -> String {
    format!("{:>9.1} ms   {:.2} µs each", ms(took), took.as_secs_f64() * 1e6 / RECORDS as f64)
}
