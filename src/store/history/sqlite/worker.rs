//! One worker of the read pool: a connection with its caches. It reads one instance at a time: `moment`, `passage` and `follow`
//! choose the rows.

use super::{failure::Trouble, file::HistoryFile, infos::Infos, texts::Texts};
use crate::{
    model::{base::time::Timestamp, inventory::instance::InstanceInfo, timeline::record::Record},
    store::{
        StoreError,
        history::{
            api::Past,
            codec::{
                block::{Entry, Press},
                numbers::Garbled,
                pack,
            },
        },
    },
};
use std::sync::Arc;

/// A connection with its caches.
pub(super) struct Worker {
    pub file: HistoryFile,
    pub press: Press,
    pub texts: Texts,
    pub infos: Infos,
}

impl Worker {
    /// A worker that has read nothing yet.
    pub fn new(file: HistoryFile) -> Self {
        Self { file, press: Press::default(), texts: Texts::default(), infos: Infos::default() }
    }

    /// Reads within one snapshot of the file: no sealing falls between two of its questions.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn in_one_snapshot(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), Trouble>,
    ) -> Result<(), StoreError> {
        let done = self.file.connection.execute_batch("BEGIN").map_err(Trouble::from).and_then(|()| {
            let done = read(self);
            // Nothing was written. COMMIT would report an earlier error again, and after an error no transaction may be open.
            let _ = self.file.connection.execute_batch("ROLLBACK");
            done
        });
        self.file.reading(done)
    }

    /// The name of an instance as it was then. None: it cannot be read, which `past` says.
    pub fn info_then(
        &mut self,
        (no, uid): (u32, &Arc<str>),
        at: i64,
        past: &mut Past,
    ) -> Result<Option<Arc<InstanceInfo>>, Trouble> {
        let info = self.infos.then(&self.file, no, uid, at)?;
        if info.is_none() {
            past.damaged.push(format!("the name of instance {uid}"));
        }
        Ok(info)
    }

    /// Decodes entries and puts their texts into their places. An entry that cannot be decoded is named in [`Past::damaged`].
    pub fn unpack(
        &mut self,
        info: &Arc<InstanceInfo>,
        entries: Vec<Entry>,
        past: &mut Past,
    ) -> Result<(), Trouble> {
        for entry in entries {
            match pack::happened(&entry.bytes) {
                Ok(mut what) => {
                    self.texts.lend(&self.file, &mut what)?;
                    past.kept.push(Record { info: info.clone(), at: Timestamp::from_ms(entry.at), what });
                }
                Err(Garbled) => past.damaged.push(format!("a reading of {}", info.id)),
            }
        }
        Ok(())
    }
}
