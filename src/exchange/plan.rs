//! The changes that a file would make in an inventory: shown first, made after. A plan holds the finished records, so that
//! exactly the shown changes are made.

use super::{COLUMNS, Defaults, Draft, Field, Row, RowProblem, Rows, Value};
use crate::model::inventory::record::{Auth, GroupRecord, InstanceRecord, LabelRecord, SecretRef};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// One field that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// its column's name
    pub field: &'static str,
    /// as it is; None: not set
    pub before: Option<String>,
    /// as it will be
    pub after: Option<String>,
}

/// The change that a row would make.
#[derive(Clone, PartialEq)]
pub enum Change {
    /// a new instance
    Add(Box<InstanceRecord>),
    /// some fields of one that is there
    Edit(Box<InstanceRecord>, Vec<FieldChange>),
    /// no change
    Same,
    /// it is no instance
    Bad(RowProblem),
    /// a row before has this name, in this line
    DuplicateName(usize),
    /// another instance has this address
    DuplicateAddress(String),
    /// another instance watches this server with another login: what the row would do if both may. See [`Plan::settle`]
    SecondLogin(String, Box<Self>),
}

/// What becomes of a row with another login for a server that is watched already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// it is left out
    Skip,
    /// the instance that is there gets its login
    Replace,
    /// both stand in the inventory
    Both,
}

/// A row and its change.
#[derive(Clone)]
pub struct Entry {
    /// line of the file
    pub line: usize,
    /// name of the instance, as far as it is known
    pub name: String,
    /// its change
    pub change: Change,
    /// a remark for people
    pub remark: Option<String>,
    /// what the file calls the columns of name, host, user, groups and labels
    headings: [String; 5],
}

/// Rows by the change that they would make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// new
    pub add: usize,
    /// changed
    pub edit: usize,
    /// as they are
    pub same: usize,
    /// refused: bad rows and duplicates
    pub refused: usize,
}

/// All rows of a file.
#[derive(Clone, Default)]
pub struct Plan {
    /// in the order of the file
    pub entries: Vec<Entry>,
}

impl Plan {
    /// Counts the rows by the change that they would make.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for entry in &self.entries {
            *match entry.change {
                Change::Add(_) => &mut counts.add,
                Change::Edit(..) => &mut counts.edit,
                Change::Same => &mut counts.same,
                Change::Bad(_)
                | Change::DuplicateName(_)
                | Change::DuplicateAddress(_)
                | Change::SecondLogin(..) => &mut counts.refused,
            } += 1;
        }
        counts
    }

    /// Rows with another login for a server that is watched already.
    pub fn second_logins(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.change, Change::SecondLogin(..))).count()
    }

    /// Decides about them. A login that another row of the file brings is not replaced: that row stays refused.
    pub fn settle(&mut self, there: &[InstanceRecord], conflict: Conflict) {
        for entry in &mut self.entries {
            let Change::SecondLogin(other, meant) = &entry.change else { continue };
            entry.change = match conflict {
                Conflict::Skip => Change::Same,
                Conflict::Both => (**meant).clone(),
                Conflict::Replace => {
                    let old = there.iter().find(|record| record.name.eq_ignore_ascii_case(other));
                    let (Some(old), Change::Add(row)) = (old, &**meant) else { continue };
                    let record = InstanceRecord { auth: row.auth.clone(), ..old.clone() };
                    entry.remark = Some(format!("the login of {} is replaced", old.name));
                    let fields = changes(old, &record);
                    Change::Edit(Box::new(record), fields)
                }
            };
        }
    }

    /// Refuses rows that name a new group as none may be called, or write a label's key otherwise than it is there. `groups` and `keys` are
    /// those of the inventory. To be asked after [`Plan::settle`]: only rows that are carried out bring new ones.
    pub fn hold_to_names<'n>(
        &mut self,
        groups: impl Iterator<Item = &'n str>,
        keys: impl Iterator<Item = &'n str>,
    ) {
        let mut groups: HashSet<String> = groups.map(str::to_lowercase).collect();
        let mut keys: BTreeSet<String> = keys.map(str::to_owned).collect();
        for entry in &mut self.entries {
            let (Change::Add(record) | Change::Edit(record, _)) = &entry.change else { continue };
            let new_group = |name: &&String| !groups.contains(&name.to_lowercase());
            let named = |name: &String| GroupRecord { name: name.clone(), ..GroupRecord::default() };
            let mut new_groups = record.groups.iter().filter(new_group).map(named);
            let bad_group = new_groups.find_map(|group| group.check_new_name().err());
            let spelled = |key: &String| LabelRecord::check_spelling(key, keys.iter().map(String::as_str));
            let bad_key = record.labels.keys().find_map(|key| spelled(key).err());
            let [.., of_groups, of_labels] = &entry.headings;
            let wrong = bad_group.map(|mistake| (of_groups, mistake));
            match wrong.or_else(|| bad_key.map(|mistake| (of_labels, mistake))) {
                None => {
                    groups.extend(record.groups.iter().map(|group| group.to_lowercase()));
                    keys.extend(record.labels.keys().cloned());
                }
                Some((heading, mistake)) => {
                    let (line, field) = (entry.line, heading.clone());
                    entry.change = Change::Bad(RowProblem { line, field, reason: mistake.problem });
                }
            }
        }
    }
}

impl Entry {
    /// The reason why the row is refused, if it is.
    pub fn problem(&self) -> Option<RowProblem> {
        let [name, host, user, ..] = &self.headings;
        let wrong = |field: &String, reason| RowProblem { line: self.line, field: field.clone(), reason };
        match &self.change {
            Change::Bad(problem) => Some(problem.clone()),
            Change::DuplicateName(line) => {
                Some(wrong(name, format!("{} stands in line {line} already", self.name)))
            }
            Change::DuplicateAddress(other) => Some(wrong(host, format!("{other} has the same address"))),
            Change::SecondLogin(other, _) => Some(wrong(
                user,
                format!(
                    "{other} watches this server with another login: --on-conflict skip, replace or both decides"
                ),
            )),
            Change::Add(_) | Change::Edit(..) | Change::Same => None,
        }
    }
}

/// Compares a file with the inventory. The case of names does not matter; two instances of one place, whatever way it is written, are one
/// server twice, unless both are there and stay where they are. The database counts, as on Azure SQL Database.
pub fn plan(there: &[InstanceRecord], rows: &Rows, defaults: &Defaults) -> Plan {
    let by_name: HashMap<String, &InstanceRecord> =
        there.iter().map(|r| (r.name.to_lowercase(), r)).collect();
    let mut addresses: HashMap<(String, String), Vec<(String, Auth)>> = HashMap::new();
    for record in there {
        addresses.entry(record.place()).or_default().push((record.name.clone(), record.auth.clone()));
    }
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let entries = rows.rows.iter().map(|row| {
        let name = row.draft.as_ref().ok().and_then(Draft::name).unwrap_or_default().to_owned();
        let key = name.to_lowercase();
        let old = by_name.get(&key).copied();
        let mut change = match lines.get(&key) {
            Some(line) if row.draft.is_ok() => Change::DuplicateName(*line),
            _ => change_of(row, old, defaults),
        };
        if let Change::Add(record) | Change::Edit(record, _) = &change
            && !old.is_some_and(|old| old.is_where(record))
        {
            let at = addresses.entry(record.place()).or_default();
            let is_own = |(name, _): &&(String, Auth)| name.eq_ignore_ascii_case(&record.name);
            let (own, auth) = (at.iter().any(|other| is_own(&other)), record.auth.clone());
            let others = || at.iter().filter(|other| !is_own(other));
            if let Some((other, _)) = others().find(|(_, login)| login.is_login_of(&auth)) {
                change = Change::DuplicateAddress(other.clone());
            } else if let Some((other, _)) = others().next().filter(|_| !own) {
                change = Change::SecondLogin(other.clone(), Box::new(change));
            } else if !own {
                at.push((record.name.clone(), auth));
            }
        }
        if !key.is_empty() && row.draft.is_ok() {
            lines.entry(key).or_insert(row.line);
        }
        Entry { line: row.line, name, change, remark: row.remark.clone(), headings: headings(row) }
    });
    Plan { entries: entries.collect() }
}

/// What the file calls name, host, user, groups and labels. A row without a name has its address in its place.
fn headings(row: &Row) -> [String; 5] {
    let fields = [Field::Name, Field::Host, Field::User, Field::Groups, Field::Labels];
    let Ok(draft) = &row.draft else { return fields.map(|field| field.name().to_owned()) };
    let named = if draft.get(Field::Name).is_some() { Field::Name } else { Field::Host };
    [named, Field::Host, Field::User, Field::Groups, Field::Labels]
        .map(|field| draft.heading(field).to_owned())
}

fn change_of(row: &Row, old: Option<&InstanceRecord>, defaults: &Defaults) -> Change {
    let draft = match &row.draft {
        Ok(draft) => draft,
        Err(problem) => return Change::Bad(problem.clone()),
    };
    let record = match old {
        Some(old) => draft.over(&Draft::of(old)).record(None),
        None => draft.record(defaults.auth.as_ref()),
    };
    match (record, old) {
        (Err(mistake), _) => Change::Bad(draft.problem(row.line, mistake)),
        (Ok(record), None) => Change::Add(Box::new(record)),
        (Ok(mut record), Some(old)) => {
            // A name in another case is no change; `instance edit --rename` changes it.
            record.name.clone_from(&old.name);
            // It is here since it came here, whatever a file says.
            record.added_at = old.added_at;
            let fields = changes(old, &record);
            if fields.is_empty() { Change::Same } else { Change::Edit(Box::new(record), fields) }
        }
    }
}

/// The fields in which two records differ. A stored password is mentioned, never shown.
pub fn changes(before: &InstanceRecord, after: &InstanceRecord) -> Vec<FieldChange> {
    let (before, after) = (Draft::of(before), Draft::of(after));
    let mut seen: Vec<Field> = Vec::new();
    let mut found = Vec::new();
    for column in COLUMNS {
        if seen.contains(&column.field) {
            continue;
        }
        seen.push(column.field);
        let (old, new) = (before.get(column.field), after.get(column.field));
        if old != new {
            let after = match (old, new) {
                (Some(Value::Secret(SecretRef::Stored(_))), Some(Value::Secret(SecretRef::Stored(_)))) => {
                    Some("another one in the vault".to_owned())
                }
                _ => new.map(shown),
            };
            found.push(FieldChange { field: column.name, before: old.map(shown), after });
        }
    }
    found
}

fn shown(value: &Value) -> String {
    match value {
        Value::Secret(SecretRef::Stored(_)) => "in the vault".into(),
        Value::Secret(secret @ SecretRef::Ask) => secret.kind().into(),
        Value::Secret(secret) => format!("{} {}", secret.kind(), value.text()),
        other => other.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::{Format, read},
        model::base::time::Timestamp,
    };

    fn csv(text: &str) -> Rows {
        read(Format::Csv, text.as_bytes()).unwrap()
    }

    fn there(text: &str) -> Vec<InstanceRecord> {
        csv(text).records(&Defaults::default()).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn every_kind_of_row() {
        let there = there("name,host,user,password,notes\na,h1,u,p,old\nb,h2,u,p,\nc,h3,u,p,\n");
        let rows = csv(
            "name,host,user,password,notes\nA,h1,u,,new\nb,h2,u,p,\nd,h4,u,p,\nd,h5,u,p,\ne,H3,u,p,\nf,,u,p,\nc,h3,u,q,\n",
        );
        let plan = plan(&there, &rows, &Defaults::default());
        let kinds: Vec<&str> = plan
            .entries
            .iter()
            .map(|entry| match &entry.change {
                Change::Add(_) => "add",
                Change::Edit(..) => "edit",
                Change::Same => "same",
                Change::Bad(_) => "bad",
                Change::DuplicateName(4) => "name",
                Change::DuplicateAddress(other) if other == "c" => "address",
                _ => "?",
            })
            .collect();
        assert_eq!(kinds, ["edit", "same", "add", "name", "address", "bad", "edit"]);
        assert_eq!(plan.counts(), Counts { add: 1, edit: 2, same: 1, refused: 3 });
        let Change::Edit(record, fields) = &plan.entries[0].change else { panic!("an edit") };
        assert!(record.name == "a" && record.secrets().next().unwrap().reveal() == "p", "the password stays");
        let change = FieldChange { field: "notes", before: Some("old".into()), after: Some("new".into()) };
        assert_eq!(*fields, [change]);
        let Change::Edit(_, fields) = &plan.entries[6].change else { panic!("an edit") };
        assert_eq!(fields[0].after.as_deref(), Some("another one in the vault"));
        assert!(plan.entries.iter().filter_map(Entry::problem).count() == 3);
    }

    #[test]
    fn two_logins_on_one_server_are_a_question() {
        let there = there("name,host,user,password\na,h1,u,p\n");
        let rows = csv("name,host,user,password\nb,h1,v,p\nc,h1,U,p\na,h1,u,q\n");
        let planned = |conflict: Option<Conflict>| {
            let mut plan = plan(&there, &rows, &Defaults::default());
            assert_eq!(plan.second_logins(), 1);
            if let Some(conflict) = conflict {
                plan.settle(&there, conflict);
            }
            plan
        };
        let asked = planned(None);
        assert_eq!((asked.counts().refused, asked.counts().edit), (2, 1), "the same login is refused: c");
        let told = asked.entries[0].problem().unwrap().to_string();
        assert!(
            told.contains("a watches this server with another login") && told.contains("--on-conflict"),
            "{told}"
        );
        assert!(matches!(planned(Some(Conflict::Skip)).entries[0].change, Change::Same));
        let both = planned(Some(Conflict::Both));
        assert!(matches!(&both.entries[0].change, Change::Add(record) if record.name == "b"));
        let replaced = planned(Some(Conflict::Replace));
        let Change::Edit(record, fields) = &replaced.entries[0].change else { panic!("no edit") };
        assert_eq!((record.name.as_str(), record.auth.user()), ("a", Some("v")));
        assert!(!fields.is_empty());
    }

    #[test]
    fn twins_of_an_older_version_are_changed_and_no_new_one_is_made() {
        let there = there("name,host,user,password\na,h,u,p\nb,\"h.,1433\",u,p\nc,i,u,p\n");
        let rows = csv("name,host,user,notes\na,H,u,new\nb,\"h.,1433\",u,new\nc,h,u,new\nd,h,u,new\n");
        let plan = plan(&there, &rows, &Defaults::default());
        let kinds: Vec<bool> =
            plan.entries.iter().map(|entry| matches!(entry.change, Change::Edit(..))).collect();
        assert_eq!(kinds, [true, true, false, false]);
        assert_eq!(plan.counts().refused, 2);
    }

    #[test]
    fn the_trial_refuses_the_names_that_the_inventory_would_refuse() {
        let there = there("name,host,user,groups,label.env\na,h1,u,\"x,y\",prod\n");
        let rows = csv(
            "name,host,user,Groups,label.env,label.Tier\na,h1,u,\"x,y;night\",prod,\nb,h2,u,@web,,\nc,h3,u,NIGHT,,1\n",
        );
        let held = |rows: &Rows, keys: [&str; 2]| {
            let mut plan = plan(&there, rows, &Defaults::default());
            plan.hold_to_names(["X,Y"].into_iter(), keys.into_iter());
            plan.entries.iter().map(|entry| entry.problem().map(|p| p.to_string())).collect::<Vec<_>>()
        };
        let told = held(&rows, ["env", "Tier"]);
        assert_eq!([&told[0], &told[2]], [&None, &None], "what is there stays");
        assert!(
            told[1].as_ref().is_some_and(|t| t.starts_with("line 3: Groups: ") && t.contains('@')),
            "{told:?}"
        );
        let told = held(&rows, ["env", "TIER"]);
        assert!(
            told[2].as_ref().is_some_and(|t| t.starts_with("line 4: ") && t.contains("written TIER")),
            "{told:?}"
        );
        // A row before counts, too.
        let rows = csv("name,host,user,labels\nd,h4,u,team=a\ne,h5,u,Team=b\n");
        let told = held(&rows, ["env", "Tier"]);
        assert!(
            told[0].is_none() && told[1].as_ref().is_some_and(|t| t.contains("written team")),
            "{told:?}"
        );
    }

    #[test]
    fn a_file_may_name_only_what_changes() {
        let there = there("name,host,user,password\na,h1,u,p\n");
        let plan = plan(&there, &csv("name,label.env\na,prod\nz,prod\n"), &Defaults::default());
        assert!(matches!(&plan.entries[0].change, Change::Edit(record, _) if record.labels["env"] == "prod"));
        assert!(matches!(&plan.entries[1].change, Change::Bad(problem) if problem.field == "host"));
    }

    #[test]
    fn what_appears_twice_is_told_in_the_column_of_the_file() {
        let told = |text: &str| {
            let plan = plan(&[], &csv(text), &Defaults::default());
            plan.entries
                .iter()
                .filter_map(Entry::problem)
                .map(|problem| problem.to_string())
                .collect::<Vec<_>>()
        };
        let both = told("Display Name,Server,Login\na,h1,u\nA,h2,u\nb,H1,u\nc,h1,v\n");
        assert!(both[0].starts_with("line 3: Display Name: A stands in line 2"), "{both:?}");
        assert!(both[1].starts_with("line 4: Server: a has the same address"), "{both:?}");
        assert!(both[2].starts_with("line 5: Login: a watches this server"), "{both:?}");
        let unnamed = told("Server,user\nh1,u\nh1,u\n");
        assert!(unnamed[0].starts_with("line 3: Server: h1 stands in line 2"), "{unnamed:?}");
    }

    #[test]
    fn a_file_says_when_a_new_instance_was_added_and_changes_nothing_of_one_that_is_there() {
        let there = there("name,host,user,password,added\na,h1,u,p,2024-01-02T00:00:00Z\n");
        let rows = csv(
            "name,host,user,password,added\na,h1,u,p,2025-01-01T00:00:00Z\nb,h2,u,p,2023-05-06T00:00:00Z\n",
        );
        let plan = plan(&there, &rows, &Defaults::default());
        assert!(matches!(plan.entries[0].change, Change::Same));
        let Change::Add(record) = &plan.entries[1].change else { panic!("an add") };
        assert_eq!(record.added_at.map(Timestamp::day).as_deref(), Some("2023-05-06"));
    }

    #[test]
    fn what_is_wrong_is_told_in_the_words_of_the_file_and_without_passwords() {
        let pasted = "Server=db1;User Id=u;Password=hunter2";
        let files = [
            (Format::Csv, format!("Server Name;Login;TCP Port\n\"{pasted}\";u;\ndb2;u;many\n;u;1\n")),
            (
                Format::Json,
                format!(
                    r#"[{{"Server Name":"{pasted}","user":"u"}},{{"Server Name":"db2","user":"u","TCP Port":"many"}}]"#
                ),
            ),
        ];
        for (format, text) in files {
            let plan = plan(&[], &read(format, text.as_bytes()).unwrap(), &Defaults::default());
            let told: Vec<String> =
                plan.entries.iter().filter_map(Entry::problem).map(|problem| problem.to_string()).collect();
            assert!(told[0].contains("Server Name: is a connection string"), "{told:?}");
            assert!(told[1].contains("TCP Port: \"many\" is no number"), "{told:?}");
            let all =
                format!("{told:?} {:?}", plan.entries.iter().map(|entry| &entry.name).collect::<Vec<_>>());
            assert!(!all.contains("hunter2"), "{all}");
        }
        let named = csv(&format!("name,host,user\n\"{pasted}\",db1,u\n"));
        let entry = plan(&[], &named, &Defaults::default()).entries.remove(0);
        let told = entry.problem().unwrap().to_string();
        assert!(told.contains("has a password in it") && !told.contains("hunter2"), "{told}");
        assert!(!entry.name.contains("hunter2"), "{}", entry.name);
    }
}
