//! Notes for the audit log by those who have no key: a tenant is deleted and brought back without one. They lie beside its file and
//! become entries as soon as it is opened.

use super::{StoreError, author::current_author, clock::now, home::private_file, tenant::Tenant};
use crate::model::{
    base::{time::Timestamp, zone::UTC},
    inventory::record::{Author, Outcome},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
};

const FILE: &str = "audit.notes";
/// More is not ours.
const MOST_BYTES: u64 = 1 << 16;

/// A note.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Serialize, Deserialize)]
struct Note {
    at_ms: Timestamp,
    author: Author,
    action: String,
    detail: String,
}

/// Leaves a note in the folder of a tenant.
///
/// # Errors
/// It cannot be written.
pub(super) fn leave(folder: &Path, action: &str, detail: &str) -> Result<(), StoreError> {
    let path = folder.join(FILE);
    let failed = || StoreError::io("writing", &path);
    let note =
        Note { at_ms: now(), author: current_author(), action: action.to_owned(), detail: detail.to_owned() };
    let mut line = serde_json::to_vec(&note).map_err(|e| failed()(e.into()))?;
    line.push(b'\n');
    let file = if path.exists() {
        File::options().append(true).open(&path).map_err(failed())
    } else {
        private_file(&path)
    };
    let mut file = file?;
    file.write_all(&line).and_then(|()| file.sync_all()).map_err(failed())
}

impl Tenant {
    /// Makes entries of the notes. What cannot be written now stays for the next time.
    pub(super) fn take_notes(&mut self) {
        let path = self.folder.join(FILE);
        let Ok(file) = File::open(&path) else { return };
        let mut text = String::new();
        if file.take(MOST_BYTES).read_to_string(&mut text).is_err() {
            return;
        }
        let slug = self.slug.to_string();
        let written =
            text.lines().filter_map(|line| serde_json::from_str::<Note>(line).ok()).try_for_each(|note| {
                let mut detail = String::new();
                UTC.push_moment(&mut detail, note.at_ms);
                detail.push_str(" UTC, without a key");
                if !note.detail.is_empty() {
                    detail.extend(["; ", note.detail.as_str()]);
                }
                self.note(&note.author, (&note.action, "tenant", &slug), Outcome::Done, &detail)
            });
        if written.is_ok() {
            let _ = fs::remove_file(&path);
        }
    }
}
