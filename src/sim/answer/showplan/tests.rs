//! The plans fit their statements and versions.

use super::{Picture, Run, Shape, document};
use crate::{
    plan::{Part, Plan, find::findings, time::own},
    sim::world::{texts::TEXTS, theme::THEMES, version::Version},
};

fn statement(at: usize) -> String {
    let filled = TEXTS[at].fill(&THEMES[0], "orders", 3);
    let units: Vec<u16> = filled.text.encode_utf16().collect();
    let end = if filled.end < 0 { units.len() } else { filled.end as usize / 2 + 1 };
    String::from_utf16(&units[filled.start as usize / 2..end]).unwrap()
}

const RAN: Run = Run { ms: (9_000, 5_000), done: 1.0, counts_cpu: true };

fn xml(version: Version, at: usize, plan: Picture, run: Option<Run>) -> String {
    let text = statement(at);
    let shape = Shape {
        version,
        statement: &text,
        theme: &THEMES[0],
        database: "orders",
        query_hash: 1,
        plan_hash: 2,
        plan,
        run,
    };
    document(version, "16.0.1.2", &[shape])
}

fn read(version: Version, at: usize, plan: Picture, run: Option<Run>) -> Plan {
    let xml = xml(version, at, plan, run);
    Plan::read(xml.as_bytes()).unwrap_or_else(|error| panic!("{error}: {xml}"))
}

/// The operators of the first query, with what they work on.
fn operators(plan: &Plan) -> Vec<String> {
    let query = plan.statements[0].queries.first();
    let told = |operator: &crate::plan::Operator| {
        let object = operator.object.as_ref().map(|object| format!(" {}", object.short()));
        format!("{}{}", operator.name(), object.unwrap_or_default())
    };
    query.map_or_else(Vec::new, |query| query.operators.iter().map(told).collect())
}

#[test]
fn a_plan_has_the_operators_of_its_statement() {
    let of = |at| operators(&read(Version::V2022, at, Picture::Seek, None));
    assert_eq!(of(1), ["Clustered Index Update Order.PK_Order", "Clustered Index Seek Order.PK_Order"]);
    assert_eq!(of(2), ["Clustered Index Insert OrderLine.PK_OrderLine", "Constant Scan"]);
    assert_eq!(of(5)[0], "Clustered Index Delete OrderLine.PK_OrderLine");
    assert!(of(5).contains(&"Top".to_owned()), "{:?}", of(5));
    assert_eq!(of(6)[0], "Clustered Index Merge Order.PK_Order");
    assert_eq!(of(16), [""; 0], "a backup has none");
    assert!(of(0).contains(&"Index Seek Order.IX_CustomerId".to_owned()), "{:?}", of(0));
    assert!(of(0).contains(&"Key Lookup Order.PK_Order".to_owned()), "{:?}", of(0));
    // The update of the first text seeks what it compares.
    let update = read(Version::V2022, 1, Picture::Seek, None);
    let seek = update.statements[0].queries[0].operators[1].detail(Part::Seek).unwrap().to_owned();
    assert_eq!(seek, "o.OrderId = [@p0]");
    assert_eq!(update.statements[0].kind, "UPDATE");
    // A picture of a lost seek is one of a query that seeks.
    assert_eq!(operators(&read(Version::V2022, 1, Picture::LostSeek, None)), of(1));
}

#[test]
fn every_text_in_every_picture_and_version_is_a_plan_whose_own_times_sum_up() {
    for version in Version::ALL {
        for at in 0..TEXTS.len() {
            for picture in [Picture::Seek, Picture::LostSeek, Picture::NoIndex, Picture::Sniffed] {
                let live = Run { done: 0.4, ..RAN };
                for run in [None, Some(RAN), Some(live)] {
                    let plan = read(version, at, picture, run);
                    let Some(query) = plan.statements[0].queries.first() else { continue };
                    assert_eq!(query.is_actual(), run.is_some());
                    let own = own(query);
                    let sum: u64 =
                        own.elapsed_ms.iter().flatten().sum::<u64>() + own.exchanges_ms.unwrap_or(0);
                    // Each operator is rounded.
                    let near = sum.abs_diff(9_000) <= 200;
                    assert!(run.is_none() || near, "{sum} of {at} {picture:?}");
                }
            }
        }
    }
}

#[test]
fn each_version_writes_what_it_has() {
    let has = |version: Version, at: usize, picture, word: &str| {
        xml(version, at, picture, Some(RAN)).contains(word)
    };
    for version in Version::ALL {
        let year = version.year();
        let lost = |word| has(version, 3, Picture::LostSeek, word);
        assert_eq!(lost("ActualExecutionMode=\"Batch\""), year >= 2019, "{year}");
        assert_eq!(lost("BatchModeOnRowStoreUsed"), year >= 2019, "{year}");
        assert_eq!(lost("IsMemoryGrantFeedbackAdjusted"), year >= 2019, "{year}");
        assert_eq!(lost("CXSYNC_PORT"), year >= 2022, "{year}");
        assert!(lost("<WaitStats>") && lost("<OptimizerStatsUsage>"), "{year}");
        assert_eq!(has(version, 0, Picture::Seek, "ParameterSensitivePredicate"), year >= 2022, "{year}");
        assert_eq!(has(version, 7, Picture::Sniffed, "OptionalParameterPredicate"), year >= 2025, "{year}");
        assert_eq!(lost("TraceFlag "), year == 2016, "{year}");
        let chosen = read(version, 0, Picture::Seek, None).statements[0].dispatcher.clone();
        assert_eq!(chosen.len(), usize::from(year >= 2022), "{chosen:?}");
    }
    let blind = Some(Run { counts_cpu: false, ..RAN });
    assert!(!xml(Version::V2017, 0, Picture::Seek, blind).contains("ActualCPUms"));
}

#[test]
fn the_pictures_show_what_they_are_named_after() {
    let codes = |at, picture| {
        let plan = read(Version::V2022, at, picture, Some(RAN));
        let statement = &plan.statements[0];
        let query = &statement.queries[0];
        findings(statement, query, &own(query)).into_iter().map(|found| found.code).collect::<Vec<_>>()
    };
    for (at, picture, wanted) in [
        (3, Picture::LostSeek, ["P02", "P01", "P08", "P09"].as_slice()),
        (0, Picture::NoIndex, &["P01", "P04"]),
        (7, Picture::Sniffed, &["P15", "P08"]),
    ] {
        let codes = codes(at, picture);
        assert!(wanted.iter().all(|code| codes.contains(code)), "{picture:?}: {codes:?}");
    }
    for at in [0, 1, 3, 7] {
        let codes = codes(at, Picture::Seek);
        assert!(!["P01", "P02", "P08", "P15"].iter().any(|code| codes.contains(code)), "{at}: {codes:?}");
    }
}
