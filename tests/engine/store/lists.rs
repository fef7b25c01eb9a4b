//! Groups, labels, saved filters and slots as lists, and their changes: the use cases of the panes, on a real file.

use super::support::{Stage, author, instance};
use dbtop::{
    app::inventory::{lists, slots},
    model::{
        base::secret::Secret,
        inventory::{
            instance::InstanceId,
            record::{FilterRecord, GroupRecord, InstanceRecord, LabelColor},
        },
    },
    protocol::{List, ListChange, ListId, NewKey, Refusal, SlotChange},
    store::{AuditFilter, Kind, Tenant},
};

/// Three instances: a and b in web, with labels.
fn tenant(stage: &Stage) -> Tenant {
    let mut tenant = stage.create("acme");
    for (name, groups, label) in [("a", &["web"][..], "prod"), ("b", &["web"], "live"), ("c", &[], "test")] {
        let mut record = instance(name);
        record.groups = groups.iter().map(|g| (*g).to_owned()).collect();
        record.labels.insert("env".into(), label.into());
        tenant.change(&author(), |change| change.add_instance(&record)).unwrap();
    }
    tenant
}

fn change(tenant: &mut Tenant, change: &ListChange) -> Result<String, Refusal> {
    let inventory = tenant.inventory().unwrap();
    lists::change(tenant, &inventory, change)
}

fn group(name: &str) -> GroupRecord {
    GroupRecord { name: name.into(), description: "for tests".into() }
}

/// Names of instances with their groups and labels: `a web env=prod`.
fn told(tenant: &Tenant) -> Vec<String> {
    let inventory = tenant.inventory().unwrap();
    let line = |record: &InstanceRecord| {
        let labels: Vec<String> = record.labels.iter().map(|(k, v)| format!(" {k}={v}")).collect();
        format!("{} {}{}", record.name, record.groups.join(","), labels.concat())
    };
    inventory.instances.iter().map(|entry| line(&entry.record)).collect()
}

fn label(of: &[(&str, &str)], to: (&str, &str), color: LabelColor) -> ListChange {
    let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
    ListChange::Label { of: of.iter().map(own).collect(), to: own(&to), color }
}

#[test]
fn a_group_is_made_copied_renamed_filled_and_deleted_and_its_members_stay() {
    let stage = Stage::new();
    let mut tenant = tenant(&stage);
    change(&mut tenant, &ListChange::Group { of: None, record: group("night") }).unwrap();
    let ids = |names: &[&str]| names.iter().map(|n| InstanceId::new(*n)).collect::<Vec<_>>();
    let members = ListChange::Members { group: "night".into(), join: ids(&["c"]), leave: ids(&["a"]) };
    assert_eq!(change(&mut tenant, &members).unwrap(), "group night: 1 instance changed", "a was not in it");
    assert!(change(&mut tenant, &members).unwrap_err().words.contains("so already"));
    let renamed = ListChange::Group { of: Some("web".into()), record: group("front") };
    change(&mut tenant, &renamed).unwrap();
    assert_eq!(told(&tenant), ["a front env=prod", "b front env=live", "c night env=test"]);
    let taken = change(&mut tenant, &ListChange::Group { of: None, record: group("Night") }).unwrap_err();
    assert_eq!(taken.field, Some("name"), "{}", taken.words);
    let copy = ListChange::CopyGroup { record: group("both"), members: ids(&["a", "b"]) };
    change(&mut tenant, &copy).unwrap();
    change(&mut tenant, &ListChange::RemoveGroup("front".into())).unwrap();
    assert_eq!(told(&tenant), ["a both env=prod", "b both env=live", "c night env=test"]);
    let gone = change(&mut tenant, &renamed).unwrap_err();
    assert!(gone.words.contains("not in the inventory any more"), "{}", gone.words);
    let log = tenant.audit(&AuditFilter { entity: Some("group".into()), ..AuditFilter::default() }).unwrap();
    assert!(log.iter().any(|e| e.action == "remove" && e.name == "front"), "{log:?}");
}

#[test]
fn labels_get_a_name_a_colour_and_become_one_and_no_value_is_lost() {
    let stage = Stage::new();
    let mut tenant = tenant(&stage);
    let colors = |tenant: &Tenant| match lists::list(tenant, &tenant.inventory().unwrap(), ListId::Labels) {
        Ok(Some(List::Labels(lines))) => {
            lines.iter().map(|l| format!("{}={} {}", l.key, l.value, l.color.as_str())).collect::<Vec<_>>()
        }
        _ => panic!(),
    };
    change(&mut tenant, &label(&[("env", "test")], ("env", "test"), LabelColor::Cyan)).unwrap();
    change(&mut tenant, &label(&[("env", "test")], ("stage", "lab"), LabelColor::Cyan)).unwrap();
    assert_eq!(told(&tenant)[2], "c  stage=lab");
    assert!(colors(&tenant).contains(&"stage=lab cyan".to_owned()), "{:?}", colors(&tenant));
    let said = change(&mut tenant, &label(&[("env", "live")], ("env", "prod"), LabelColor::Blue)).unwrap();
    assert_eq!(said, "env=live became env=prod, on 1 instance");
    assert_eq!(told(&tenant), ["a web env=prod", "b web env=prod", "c  stage=lab"]);
    assert_eq!(
        colors(&tenant),
        ["env=prod red", "stage=lab cyan"],
        "the colour of the one that was there stays"
    );
    // a has env=prod: as stage it would lose nothing; c has stage=lab and would lose it by env.
    let mut record = tenant.inventory().unwrap().instance("a").unwrap().clone();
    record.record.labels.insert("stage".into(), "one".into());
    tenant.change(&author(), |c| c.edit_instance(record.id, record.revision, &record.record)).unwrap();
    let lost =
        change(&mut tenant, &label(&[("env", "prod")], ("stage", "lab"), LabelColor::Red)).unwrap_err();
    assert!(lost.words.contains("a has stage=one") && lost.field == Some("label"), "{}", lost.words);
    assert_eq!(told(&tenant)[1], "b web env=prod", "all or none");
    change(&mut tenant, &ListChange::RemoveLabel { key: "env".into(), value: "prod".into() }).unwrap();
    assert_eq!(told(&tenant)[1], "b web");
}

#[test]
fn a_saved_filter_counts_who_passes_and_one_that_cannot_be_read_is_refused() {
    let stage = Stage::new();
    let mut tenant = tenant(&stage);
    let filter = |name: &str, expression: &str| FilterRecord {
        name: name.into(),
        expression: expression.into(),
        description: String::new(),
    };
    let save = |record| ListChange::Filter { of: None, record };
    change(&mut tenant, &save(filter("web", "group=web"))).unwrap();
    let wrong = change(&mut tenant, &save(filter("odd", "gruop=web"))).unwrap_err();
    assert_eq!(wrong.field, Some("expression"), "{}", wrong.words);
    let Ok(Some(List::Filters(lines))) = lists::list(&tenant, &tenant.inventory().unwrap(), ListId::Filters)
    else {
        panic!()
    };
    assert_eq!((lines.len(), lines[0].count), (1, Some(2)));
    change(&mut tenant, &ListChange::RemoveFilter("web".into())).unwrap();
    assert!(tenant.deleted().unwrap().filter("web").is_some(), "{:?}", Kind::Filter);
}

#[test]
fn a_slot_more_opens_the_vault_and_the_last_one_stays() {
    let stage = Stage::new();
    let mut tenant = tenant(&stage);
    let first = slots::list(&tenant).unwrap();
    assert_eq!((first.slots.len(), first.slots[0].kind), (1, "key-file"));
    let last = SlotChange::Remove { id: first.slots[0].id.clone(), rotate: false };
    assert!(slots::change(&mut tenant, last, &[]).is_err());
    let short = SlotChange::Add { key: NewKey::Passphrase(Secret::new("abc".to_owned())), label: "x".into() };
    assert_eq!(slots::change(&mut tenant, short, &[]).unwrap_err().field, Some("passphrase"));
    let file = stage.folder.path().join("second");
    let add = SlotChange::Add { key: NewKey::KeyFile(file), label: "second".into() };
    slots::change(&mut tenant, add, &[]).unwrap();
    let two = slots::list(&tenant).unwrap();
    assert_eq!(two.slots[1].label.as_deref(), Some("second"));
    let remove = SlotChange::Remove { id: two.slots[1].id.clone(), rotate: true };
    slots::change(&mut tenant, remove, &[]).unwrap();
    let now = slots::list(&tenant).unwrap();
    assert_eq!((now.slots.len(), now.generation), (1, two.generation + 1));
    drop(tenant);
    assert_eq!(told(&stage.open("acme")).len(), 3, "the first slot opens the new key");
}

#[test]
fn saved_filters_follow_a_rename_and_those_that_cannot_are_told() {
    let stage = Stage::new();
    let mut tenant = tenant(&stage);
    for (name, expression) in [("web", "group=web env=prod"), ("both", "env=prod,live"), ("some", "group=w*")]
    {
        let record =
            FilterRecord { name: name.into(), expression: expression.into(), description: String::new() };
        change(&mut tenant, &ListChange::Filter { of: None, record }).unwrap();
    }
    let inventory = tenant.inventory().unwrap();
    let hangs = lists::hangs_on_group(&inventory, "web");
    assert_eq!(
        hangs,
        ["2 instances in it", "saved filters that name it: some, web"],
        "a pattern names it, too"
    );
    assert_eq!(
        lists::lost_with_group(&inventory, "web")[0],
        "2 instances in it, which stay in the inventory"
    );
    let renamed = ListChange::Group { of: Some("web".into()), record: group("front end") };
    let said = change(&mut tenant, &renamed).unwrap();
    assert!(
        said.contains("name the new one: web") && said.contains("by a pattern or with others: some"),
        "{said}"
    );
    let said = change(&mut tenant, &label(&[("env", "live")], ("env", "prod"), LabelColor::Red)).unwrap();
    assert!(said.ends_with("saved filters name the new one: both"), "{said}");
    let inventory = tenant.inventory().unwrap();
    let told: Vec<&str> = inventory.filters.iter().map(|entry| entry.record.expression.as_str()).collect();
    assert_eq!(told, ["env=prod", "group=w*", "group=\"front end\" env=prod"]);
    assert_eq!(lists::passing(&inventory, told[2]), Some(2), "it finds who it found");
}

#[test]
fn a_key_has_one_spelling_and_two_of_an_older_version_become_one() {
    let stage = Stage::new();
    let mut tenant = tenant(&stage);
    let other = change(&mut tenant, &label(&[], ("Env", "new"), LabelColor::Red)).unwrap_err();
    assert!(other.words.contains("written env: write it so"), "{}", other.words);
    let mut record = instance("d");
    record.labels.insert("ENV".into(), "prod".into());
    let refused = tenant.change(&author(), |c| c.add_instance(&record)).unwrap_err().to_string();
    assert!(refused.contains("written env"), "{refused}");
    // In its own case a label is written as it is wanted, on all that carry it.
    change(&mut tenant, &label(&[("env", "prod")], ("ENV", "prod"), LabelColor::Red)).unwrap();
    assert_eq!(told(&tenant)[0], "a web ENV=prod");
    let lines = |tenant: &Tenant| match lists::list(tenant, &tenant.inventory().unwrap(), ListId::Labels) {
        Ok(Some(List::Labels(lines))) => lines,
        _ => panic!(),
    };
    let odd: Vec<(String, Option<String>)> =
        lines(&tenant).into_iter().map(|line| (line.key, line.written)).collect();
    let usual = Some("env".to_owned());
    assert_eq!(odd[0..2], [("env".to_owned(), None), ("ENV".to_owned(), usual)], "{odd:?}");
    change(&mut tenant, &label(&[("ENV", "prod")], ("env", "prod"), LabelColor::Red)).unwrap();
    assert!(lines(&tenant).iter().all(|line| line.written.is_none()));
    assert_eq!(told(&tenant)[0], "a web env=prod");
    // The last label of a key takes its spelling with it; another one keeps it.
    edit(&mut tenant, "c", |r| r.labels = [("Tier".to_owned(), "1".to_owned())].into());
    change(&mut tenant, &label(&[("Tier", "1")], ("tier", "gold"), LabelColor::Red)).unwrap();
    assert_eq!(told(&tenant)[2], "c  tier=gold");
    let other =
        change(&mut tenant, &label(&[("env", "prod")], ("Env", "main"), LabelColor::Red)).unwrap_err();
    assert!(other.words.contains("written env"), "{}", other.words);
}

fn edit(tenant: &mut Tenant, name: &str, how: impl Fn(&mut InstanceRecord)) {
    let entry = tenant.inventory().unwrap().instance(name).unwrap().clone();
    let mut record = entry.record;
    how(&mut record);
    tenant.change(&author(), |c| c.edit_instance(entry.id, entry.revision, &record)).unwrap();
}

#[test]
fn an_entry_says_what_changed_from_what_to_what_and_is_found_after_a_rename() {
    let stage = Stage::new();
    let mut tenant = tenant(&stage);
    edit(&mut tenant, "a", |r| drop(r.labels.insert("env".into(), "test".into())));
    edit(&mut tenant, "a", |r| r.groups = vec!["night".into()]);
    edit(&mut tenant, "a", |r| {
        r.name = "alpha".into();
        *r.secrets_mut().next().unwrap() = Secret::new("Other-Passw0rd".into());
    });
    let of = |name: &str| {
        let filter = AuditFilter { name: Some(name.into()), ..AuditFilter::default() };
        let found = tenant.audit(&filter).unwrap();
        found.into_iter().map(|entry| format!("{} {}", entry.action, entry.detail)).collect::<Vec<_>>()
    };
    let wanted = [
        "add ",
        "edit label env: prod → test",
        "edit groups: web → night",
        "edit was a; name: a → alpha, password: changed",
    ];
    assert_eq!(of("alpha"), wanted, "its older name included");
    assert_eq!(of("A"), wanted, "and by the older name, too");
    assert_eq!(of("b").len(), 1);
}
