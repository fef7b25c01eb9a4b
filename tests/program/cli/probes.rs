//! `dbtop probes`: the list that a security officer asks for, without any server.

use super::{objects, records};
use crate::harness::{
    Home,
    process::{dbtop, run},
};

#[test]
fn every_probe_is_listed_with_its_rights_and_the_intervals_in_force() {
    let home = Home::new();
    let config = home.file("slow.toml", "[poll]\nfleet_detail_s = 120\n");
    let json = run(dbtop(&["probes", "-o", "json"], &home).arg("--config").arg(&config));
    assert_eq!((json.code, json.stderr.as_str()), (Some(0), ""), "{}", json.stdout);
    let rows = objects(&json.stdout);
    let of = |probe: &str| -> Vec<_> { rows.iter().filter(|row| row["probe"] == probe).collect() };

    let waits = of("waits");
    assert_eq!(waits.len(), 1);
    assert_eq!((&waits[0]["tier"], &waits[0]["fleet_s"]), (&"detail".into(), &120.into()));
    assert_eq!((&waits[0]["on_screen_s"], &waits[0]["timeout_s"]), (&5.into(), &5.into()));
    assert_eq!(waits[0]["right_2016"], "VIEW SERVER STATE");
    assert_eq!(waits[0]["right_2022"], "VIEW SERVER PERFORMANCE STATE");
    assert_eq!(waits[0]["unknown_without"], "waits");

    let volumes: Vec<_> = of("volumes").iter().map(|row| row["right_2022"].clone()).collect();
    assert_eq!(volumes, ["VIEW SERVER PERFORMANCE STATE", "VIEW ANY DEFINITION"]);
    assert_eq!(of("volumes")[0]["timeout_s"], 20);
    let databases: Vec<_> = of("databases").iter().map(|row| row["right_2016"].clone()).collect();
    assert_eq!(databases, ["VIEW SERVER STATE", "VIEW ANY DEFINITION"]);

    let (header, csv) = records(&run(&mut dbtop(&["probes", "-o", "csv"], &home)).stdout);
    assert_eq!((header[0].as_str(), csv.len()), ("probe", rows.len()));
    let table = run(&mut dbtop(&["probes"], &home)).stdout;
    assert!(table.contains("UNKNOWN_WITHOUT") && table.contains("failed Agent jobs"), "{table}");
}
