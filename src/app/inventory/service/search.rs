//! The audit log for the screen: the entries that it asks for, out of all that are kept. Seven years of them are read a part at a time,
//! between the requests of the screen, the newest first; what is found is told while it goes on.

use super::Service;
use crate::{
    model::{
        base::{filter::Filter, time::Timestamp, zone::Zone},
        inventory::record::{About, AuditEntry, AuditRow},
    },
    protocol::{AuditList, AuditQuestion, List},
    store::{Inventory, StoreError, Tenant, clock},
};
use std::{sync::Arc, time::Duration};

/// Entries that are read at once: a few milliseconds.
const PART: usize = 1_000;
/// Most entries that a list has. A date in the filter reaches older ones.
const MOST: usize = 2_000;
/// How often it is told what was found while it goes on.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// A search through the log.
pub(super) struct Search {
    question: AuditQuestion,
    zone: Zone,
    filter: Filter,
    about: Option<About>,
    /// entries below this number are still to be read; None: all were
    next: Option<u64>,
    found: Vec<Arc<AuditEntry>>,
    total: u64,
    read: u64,
    reached: Option<Timestamp>,
    told: Duration,
}

impl Search {
    /// Nothing is read yet.
    ///
    /// # Errors
    /// The header of the log cannot be read.
    fn new(
        tenant: &Tenant,
        inventory: &Inventory,
        question: AuditQuestion,
        zone: Zone,
    ) -> Result<Self, StoreError> {
        let known = |key: &str| AuditRow::FILTER_KEYS.contains(&key.to_lowercase().as_str());
        // The screen has refused what cannot be read.
        let filter = Filter::parse(&question.filter, &known).unwrap_or_default();
        let about = question.about.as_ref().map(|name| {
            let id = inventory.instance(name.as_str()).map(|entry| entry.id);
            About::thing("instance", name.as_str(), id)
        });
        Ok(Self {
            question,
            zone,
            filter,
            about,
            next: Some(u64::MAX),
            found: Vec::new(),
            total: tenant.audit_entries()?,
            read: 0,
            reached: None,
            told: clock::up(),
        })
    }

    /// Reads the next part.
    ///
    /// # Errors
    /// The file cannot be read.
    fn go_on(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        let Some(before) = self.next else { return Ok(()) };
        let slice = tenant.audit_before(before, PART)?;
        let (mut at, mut scratch) = (String::new(), String::new());
        self.read += slice.read;
        self.next = slice.older;
        self.reached = slice.entries.last().map(|entry| entry.at).or(self.reached);
        for entry in slice.entries {
            if self.about.as_mut().is_some_and(|about| !about.takes(&entry)) {
                continue;
            }
            at.clear();
            self.zone.push_instant(&mut at, entry.at);
            if self.filter.keeps(&AuditRow { entry: &entry, at: &at }, &mut scratch) {
                self.found.push(Arc::new(entry));
            }
        }
        if self.found.len() >= MOST {
            self.next = None;
        }
        Ok(())
    }

    /// Reads the next part: what is to be told of it, from time to time and at the end, and why nothing more can be read.
    fn step(&mut self, tenant: &Tenant) -> (Option<AuditList>, Option<StoreError>) {
        let failed = self.go_on(tenant).err();
        if failed.is_some() {
            self.next = None;
        }
        let is_due = self.next.is_none() || clock::up().saturating_sub(self.told) >= TOLD_EVERY;
        if is_due {
            self.told = clock::up();
        }
        (is_due.then(|| self.list()), failed)
    }

    /// What was found until now.
    fn list(&self) -> AuditList {
        AuditList {
            question: self.question.clone(),
            entries: self.found.clone(),
            total: self.total.max(self.read),
            read: self.read,
            reached: self.reached,
            goes_on: self.next.is_some(),
        }
    }
}

impl Service {
    /// Begins to look for these entries.
    pub(super) fn search(&mut self, question: AuditQuestion, zone: Zone) {
        let Some(open) = &self.open else { return };
        match Search::new(&open.tenant, &open.inventory, question, zone) {
            Ok(search) => {
                self.search = Some(search);
                self.search_on();
            }
            Err(e) => self.message(crate::model::judge::health::Level::Warning, e.to_string()),
        }
    }

    /// Looks for the same again: the log has more.
    pub(super) fn search_again(&mut self) {
        if let Some(Search { question, zone, .. }) = self.search.take() {
            self.search(question, zone);
        }
    }

    /// True while there is more to read.
    pub(super) fn is_searching(&self) -> bool {
        self.open.is_some() && self.search.as_ref().is_some_and(|search| search.next.is_some())
    }

    /// Reads a part, and tells the screen from time to time, and at the end.
    pub(super) fn search_on(&mut self) {
        let (Some(open), Some(search)) = (&self.open, &mut self.search) else { return };
        let (list, failed) = search.step(&open.tenant);
        if let Some(list) = list {
            self.say(crate::protocol::Reply::List(List::Audit(list)));
        }
        if let Some(e) = failed {
            self.message(crate::model::judge::health::Level::Warning, e.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            base::zone::UTC,
            inventory::{
                instance::InstanceId,
                record::{Auth, InstanceRecord, Slug},
            },
        },
        store::{Home, Tenants, current_author},
        vault::Opener,
    };

    /// A tenant with 2,500 entries about group night; the oldest are about instance `old`, which is called `new` since.
    fn tenant() -> (tempfile::TempDir, Tenant) {
        let folder = tempfile::tempdir().unwrap();
        let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
        let key = Opener::KeyFile(folder.path().join("key"));
        let mut tenant =
            tenants.create(&Slug::parse("acme").unwrap(), &key, "first", None, &current_author()).unwrap();
        let record = InstanceRecord::new("old", "h", Auth::Kerberos);
        tenant.change(&current_author(), |c| c.add_instance(&record)).unwrap();
        let entry = tenant.inventory().unwrap().instances.remove(0);
        let renamed = InstanceRecord { name: "new".into(), ..entry.record };
        tenant.change(&current_author(), |c| c.edit_instance(entry.id, entry.revision, &renamed)).unwrap();
        let done = tenant.change(&current_author(), |c| {
            (0..2_500).try_for_each(|n| {
                let outcome = crate::model::inventory::record::Outcome::Done;
                c.log("edit", "group", "night", outcome, &format!("round {n}"))
            })
        });
        done.unwrap();
        (folder, tenant)
    }

    fn search(tenant: &Tenant, filter: &str, about: Option<&str>) -> Search {
        let question = AuditQuestion { about: about.map(InstanceId::new), filter: filter.to_owned() };
        Search::new(tenant, &tenant.inventory().unwrap(), question, UTC.clone()).unwrap()
    }

    fn whole(tenant: &Tenant, mut search: Search) -> AuditList {
        while search.next.is_some() {
            search.go_on(tenant).unwrap();
        }
        search.list()
    }

    #[test]
    fn the_oldest_entry_is_found_a_part_at_a_time_and_what_was_read_is_told() {
        let (_folder, tenant) = tenant();
        let mut part = search(&tenant, "action=create", None);
        part.go_on(&tenant).unwrap();
        let list = part.list();
        assert_eq!((list.read, list.goes_on, list.entries.len()), (PART as u64, true, 0));
        assert!(list.total > 2_500 && list.reached.is_some());
        let list = whole(&tenant, part);
        assert_eq!((list.entries.len(), list.goes_on, list.read), (1, false, list.total));
        let newest = whole(&tenant, search(&tenant, "", None));
        assert!(newest.entries.len() >= MOST && newest.read < newest.total, "{}", newest.read);
        let found = |filter: &str| whole(&tenant, search(&tenant, filter, None)).entries.len();
        assert_eq!(found("detail=\"round 7\""), 1);
        let dated = [
            "action=create date<2020-01-01",
            "action=create date<2100-01-01",
            "action=create date>2100-01-01",
        ];
        assert_eq!(dated.map(found), [0, 1, 0]);
    }

    #[test]
    fn a_log_that_cannot_be_read_ends_the_search_and_what_was_found_is_told() {
        let (_folder, tenant) = tenant();
        let mut search = search(&tenant, "group=night", None);
        search.told = clock::up() + TOLD_EVERY;
        assert!(matches!(search.step(&tenant), (None, None)), "it goes on");
        let other = rusqlite::Connection::open(tenant.path()).unwrap();
        other.execute_batch("DROP TABLE audit").unwrap();
        let (Some(list), Some(_)) = search.step(&tenant) else { panic!("nothing is told") };
        assert_eq!((list.goes_on, list.read), (false, PART as u64));
    }

    #[test]
    fn entries_of_an_instance_are_found_under_all_its_names() {
        let (_folder, tenant) = tenant();
        let list = whole(&tenant, search(&tenant, "", Some("new")));
        let told: Vec<(&str, &str)> =
            list.entries.iter().map(|e| (e.action.as_str(), e.name.as_str())).collect();
        assert_eq!(told, [("edit", "new"), ("add", "old")]);
        assert_eq!(list.about("new").count(), 2, "the answer is about it, whatever it was called");
    }
}
