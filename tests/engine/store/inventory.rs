//! Adding, changing, deleting and restoring records, through a real file.

use super::support::{Stage, add, author, instance, names};
use dbtop::{
    model::{
        base::time::Timestamp,
        inventory::record::{FilterRecord, GroupRecord, InstanceRecord, LabelColor, SecretRef},
    },
    store::{AuditFilter, Kind, StoreError},
};

#[test]
fn an_instance_comes_back_as_it_was_with_its_passwords() {
    let stage = Stage::new();
    let mut record = instance("sales-1");
    record.action = Some(dbtop::model::inventory::record::Auth::Sql {
        user: "doer".into(),
        secret: SecretRef::Command("pass show sales".into()),
    });
    record.groups = vec!["Sales".into(), "Europe".into()];
    record.labels.insert("env".into(), "prod".into());
    let mut tenant = stage.create("acme");
    tenant.change(&author(), |change| change.add_instance(&record)).unwrap();
    drop(tenant);
    let inventory = stage.open("acme").inventory().unwrap();
    let added_at = inventory.instances[0].record.added_at;
    assert!(added_at.is_some());
    let record = InstanceRecord { added_at, ..record };
    assert!(inventory.instances[0].record == record, "all fields, the password among them");
    assert_eq!(inventory.damage, []);
    assert_eq!(inventory.groups.len(), 2, "groups appear by themselves");
    assert_eq!(inventory.label("ENV", "prod").unwrap().record.color, LabelColor::Red);
}

#[test]
fn when_an_instance_was_added_is_kept_whatever_happens_to_it() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let before = Timestamp::from(std::time::SystemTime::now());
    add(&mut tenant, &["one"]);
    let entry = |tenant: &dbtop::store::Tenant| tenant.inventory().unwrap().instances.remove(0);
    let first = entry(&tenant);
    let added = first.record.added_at.unwrap();
    assert!(added >= before, "{added:?}");
    // Neither a form that knows nothing of it nor one that says something else changes it.
    for said in [None, Some(Timestamp::from_ms(1))] {
        let old = entry(&tenant);
        let record = InstanceRecord { name: "two".into(), added_at: said, ..old.record };
        tenant.change(&author(), |change| change.edit_instance(old.id, old.revision, &record)).unwrap();
        assert_eq!(entry(&tenant).record.added_at, Some(added));
    }
    tenant.change(&author(), |change| change.remove(Kind::Instance, first.id)).unwrap();
    tenant.change(&author(), |change| change.restore(Kind::Instance, first.id)).unwrap();
    assert_eq!(entry(&tenant).record.added_at, Some(added));
    // A file says since when it was watched elsewhere; a time to come is none.
    let long_ago = before.plus_ms(-86_400_000);
    for (name, said) in [("three", long_ago), ("zero", before.plus_ms(86_400_000))] {
        let record = InstanceRecord { added_at: Some(said), ..instance(name) };
        tenant.change(&author(), |change| change.add_instance(&record)).unwrap();
    }
    let inventory = tenant.inventory().unwrap();
    assert_eq!(inventory.instance("three").unwrap().record.added_at, Some(long_ago));
    let now = Timestamp::from(std::time::SystemTime::now());
    assert!(inventory.instance("zero").unwrap().record.added_at.is_some_and(|at| at >= before && at <= now));
}

#[test]
fn names_are_unique_whatever_their_case_until_deleted() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    add(&mut tenant, &["Sales"]);
    let taken = |tenant: &mut dbtop::store::Tenant| {
        tenant.change(&author(), |change| change.add_instance(&instance("sALES")))
    };
    let error = taken(&mut tenant).unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { .. }), "{error}");
    let id = tenant.inventory().unwrap().instances[0].id;
    tenant.change(&author(), |change| change.remove(Kind::Instance, id)).unwrap();
    assert!(names(&tenant).is_empty());
    taken(&mut tenant).unwrap();
    let back = tenant.change(&author(), |change| change.restore(Kind::Instance, id)).unwrap_err();
    assert!(matches!(back, StoreError::NameTaken { .. }), "{back}");
    let other = tenant.inventory().unwrap().instances[0].id;
    tenant.change(&author(), |change| change.remove(Kind::Instance, other)).unwrap();
    tenant.change(&author(), |change| change.restore(Kind::Instance, id)).unwrap();
    assert_eq!(names(&tenant), ["Sales"]);
    assert_eq!(tenant.deleted().unwrap().instances.len(), 1);
}

#[test]
fn two_people_editing_one_record_do_not_overwrite_each_other() {
    let stage = Stage::new();
    let mut mine = stage.create("acme");
    add(&mut mine, &["one"]);
    let mut theirs = stage.open("acme");
    let seen = mine.inventory().unwrap().instances.remove(0);
    let edit = |tenant: &mut dbtop::store::Tenant, host: &str| {
        let mut record = seen.record.clone();
        record.host = host.into();
        tenant.change(&author(), |change| change.edit_instance(seen.id, seen.revision, &record))
    };
    assert_eq!(edit(&mut theirs, "first").unwrap(), 2);
    let error = edit(&mut mine, "second").unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error}");
    assert_eq!(mine.inventory().unwrap().instances[0].record.host, "first");
}

#[test]
fn a_group_is_renamed_deleted_and_restored_with_its_members() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let mut record = instance("one");
    record.groups = vec!["Sales".into()];
    tenant.change(&author(), |change| change.add_instance(&record)).unwrap();
    let group = tenant.inventory().unwrap().groups.remove(0);
    let renamed = GroupRecord { name: "Shops".into(), ..group.record };
    tenant.change(&author(), |change| change.edit(group.id, group.revision, &renamed)).unwrap();
    assert_eq!(tenant.inventory().unwrap().instances[0].record.groups, ["Shops"]);
    tenant.change(&author(), |change| change.remove(Kind::Group, group.id)).unwrap();
    let entry = tenant.inventory().unwrap().instances.remove(0);
    assert!(entry.record.groups.is_empty());
    // An edit meanwhile does not lose the membership.
    let mut edited = entry.record.clone();
    edited.notes = "moved".into();
    tenant.change(&author(), |change| change.edit_instance(entry.id, entry.revision, &edited)).unwrap();
    tenant.change(&author(), |change| change.restore(Kind::Group, group.id)).unwrap();
    assert_eq!(tenant.inventory().unwrap().instances[0].record.groups, ["Shops"]);
}

#[test]
fn a_removed_label_leaves_its_instances() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let mut record = instance("one");
    record.labels = [("env".into(), "dev".into()), ("team".into(), "bi".into())].into();
    tenant.change(&author(), |change| change.add_instance(&record)).unwrap();
    let label = tenant.inventory().unwrap().label("env", "dev").unwrap().clone();
    let mut green = label.record.clone();
    green.color = LabelColor::Green;
    tenant.change(&author(), |change| change.edit(label.id, label.revision, &green)).unwrap();
    assert_eq!(tenant.inventory().unwrap().label("env", "dev").unwrap().record.color, LabelColor::Green);
    tenant.change(&author(), |change| change.remove(Kind::Label, label.id)).unwrap();
    let inventory = tenant.inventory().unwrap();
    assert!(inventory.label("env", "dev").is_none());
    assert_eq!(inventory.instances[0].record.labels.len(), 1, "the other label stays");
}

#[test]
fn a_change_happens_whole_or_not_at_all_and_a_refusal_is_logged() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    add(&mut tenant, &["one"]);
    let filter = FilterRecord { name: "mine".into(), expression: "one".into(), ..FilterRecord::default() };
    let error = tenant
        .change(&author(), |change| {
            change.add_instance(&instance("two"))?;
            change.add(&filter)?;
            change.add_instance(&instance("one"))
        })
        .unwrap_err();
    assert!(error.to_string().contains("one is there already"), "{error}");
    assert_eq!(names(&tenant), ["one"]);
    assert!(tenant.inventory().unwrap().filters.is_empty());
    let log = tenant.audit(&AuditFilter::default()).unwrap();
    let lines: Vec<_> = log.iter().map(|e| format!("{} {} {}", e.action, e.entity, e.name)).collect();
    assert_eq!(lines, ["create tenant acme", "add instance one", "add instance one"]);
    assert!(
        matches!(&log[2].outcome, dbtop::model::inventory::record::Outcome::Refused(why) if why.contains("already"))
    );
}

#[test]
fn mistakes_in_a_record_are_refused_with_the_field() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let mut record = instance("one");
    record.poll.every_s = Some(1);
    let error = tenant.change(&author(), |change| change.add_instance(&record)).unwrap_err();
    assert!(error.to_string().contains("every_s") && error.to_string().contains("30"), "{error}");
}
