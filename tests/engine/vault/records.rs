//! A sealed record opens at its own place, whole and unchanged, or not at all.

use super::{TENANT, id, open_vault, sentence};
use dbtop::{
    model::inventory::record::{RecordId, TenantUid},
    vault::{OVERHEAD_BYTES, Place, Sealer, VaultError},
};
use proptest::prelude::*;
use std::sync::LazyLock;

static SEALER: LazyLock<Sealer> = LazyLock::new(|| open_vault().0);
static ID: RecordId = RecordId::from_bytes([7; 16]);

fn place(table: &'static str, id: &'static RecordId, revision: u64, schema: u32) -> Place<'static> {
    Place { tenant: &TENANT, table, id, revision, schema }
}

fn home() -> Place<'static> {
    place("instance", &ID, 3, 1)
}

#[test]
fn every_bit_counts() {
    let sealed = SEALER.seal(&home(), b"sql-prod-01 sa hunter2").unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut forged = sealed.clone();
            forged[at] ^= 1 << bit;
            let refused = sentence(SEALER.open(&home(), &forged));
            if at == 0 && forged[0] > 1 {
                assert!(refused.contains("upgrade dbtop"), "{refused}");
            } else {
                assert!(refused.starts_with("record 07070707 of table instance is refused"), "{refused}");
                assert!(refused.contains("dbtop tenant restore"), "{refused}");
            }
        }
    }
    assert_eq!(SEALER.open(&home(), &sealed).unwrap().as_slice(), b"sql-prod-01 sa hunter2");
}

#[test]
fn every_byte_must_be_there_and_no_more() {
    let sealed = SEALER.seal(&home(), b"sql-prod-01").unwrap();
    for length in 0..sealed.len() {
        assert!(
            matches!(SEALER.open(&home(), &sealed[..length]), Err(VaultError::Refused { .. })),
            "{length}"
        );
        assert!(SEALER.open(&home(), &sealed[length + 1..]).is_err(), "{length}");
    }
    assert!(SEALER.open(&home(), &[sealed.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn a_record_opens_nowhere_else() {
    static OTHER: RecordId = RecordId::from_bytes([8; 16]);
    let sealed = SEALER.seal(&home(), b"x").unwrap();
    for elsewhere in [
        place("instance", &OTHER, 3, 1),
        place("group", &ID, 3, 1),
        place("instanc", &ID, 3, 1),
        place("", &ID, 3, 1),
        place("instance", &ID, 2, 1),
        place("instance", &ID, 4, 1),
        place("instance", &ID, 3, 0),
        place("instance", &ID, 1, 3),
    ] {
        assert!(matches!(SEALER.open(&elsewhere, &sealed), Err(VaultError::Refused { .. })), "{elsewhere:?}");
    }
}

#[test]
fn a_record_of_another_tenant_is_refused_with_the_right_key_and_with_the_wrong_one() {
    let stranger = TenantUid::from_bytes([2; 16]);
    let theirs = Place { tenant: &stranger, ..home() };
    assert!(SEALER.seal(&theirs, b"x").is_err(), "nothing is sealed for a tenant whose key it is not");
    let sealed = SEALER.seal(&home(), b"x").unwrap();
    assert!(SEALER.open(&theirs, &sealed).is_err());
    // Another vault of the same tenant's identity: another data key.
    assert!(open_vault().0.open(&home(), &sealed).is_err());
}

#[test]
fn equal_texts_look_different() {
    let (one, two) = (SEALER.seal(&home(), b"same").unwrap(), SEALER.seal(&home(), b"same").unwrap());
    assert_ne!(one[1..13], two[1..13], "the nonce");
    assert_ne!(one[13..], two[13..], "the text");
}

#[test]
fn tags_find_equal_names_and_tell_nothing_else() {
    let (name, same) = (SEALER.tag("name", "PROD-01"), SEALER.tag("name", "PROD-01"));
    assert_eq!(name, same);
    assert_ne!(name, SEALER.tag("name", "PROD-02"));
    assert_ne!(name, SEALER.tag("group", "PROD-01"));
    assert_ne!(SEALER.tag("a", "bc"), SEALER.tag("ab", "c"));
    assert_ne!(name, open_vault().0.tag("name", "PROD-01"), "another vault, another tag");
}

proptest! {
    #[test]
    fn what_was_sealed_comes_back(
        plain in prop::collection::vec(any::<u8>(), 0..600), table in "[a-z]{0,20}", number: u8, revision: u64, schema: u32,
    ) {
        let id = id(number);
        let place = Place { tenant: &TENANT, table: &table, id: &id, revision, schema };
        let sealed = SEALER.seal(&place, &plain).unwrap();
        prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
        let opened = SEALER.open(&place, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain);
    }

    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(SEALER.open(&home(), &bytes).is_err());
    }

    #[test]
    fn halves_of_two_records_make_none(
        one in prop::collection::vec(any::<u8>(), 1..80), two in prop::collection::vec(any::<u8>(), 1..80), cut in 1_usize..100,
    ) {
        let (a, b) = (SEALER.seal(&home(), &one).unwrap(), SEALER.seal(&home(), &two).unwrap());
        let cut = cut.min(a.len() - 1).min(b.len() - 1);
        let spliced = [&a[..cut], &b[cut..]].concat();
        prop_assume!(spliced != a && spliced != b);
        prop_assert!(SEALER.open(&home(), &spliced).is_err());
    }
}
