//! What is typed, what is kept, and what is explained.

use super::*;
use proptest::prelude::*;

struct Server;

impl Row for Server {
    fn text(&self, out: &mut String) {
        out.push_str("SQLPRD-014 prod web 14 sessions blocked 312 s by 88 Größe");
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        match key {
            "env" => visit(Value::Text("prod")),
            "group" => ["prod", "web"].iter().for_each(|g| visit(Value::Text(g))),
            "cpu" => visit(Value::Number(97.2)),
            "spid" => visit(Value::Number(2016.0)),
            "elapsed" => visit(Value::Ms(312_000.0)),
            "grant" => visit(Value::Bytes(3e9)),
            "at" => visit(Value::Text("2026-11-29 14:02:11 CET")),
            _ => {}
        }
    }
}

fn keeps(text: &str) -> bool {
    let known = |k: &str| ["env", "group", "cpu", "spid", "elapsed", "grant", "mem", "at"].contains(&k);
    Filter::parse(text, &known).unwrap().keeps(&Server, &mut String::new())
}

/// What does not keep the row.
const DROPS: &[&str] = &[
    "tst",
    "!prd",
    "prd tst",
    "env=test",
    "env!=prod",
    "cpu>98",
    "cpu<80",
    "cpu < 80",
    "cpu=98",
    "cpu=97.1",
    "spid=2014",
    "spid=2017",
    "spid=2025",
    "spid!=2016",
    "at=2026-11-28",
    "at!=2026-11-29",
    "at>2026-11-29",
    "at<2026-11-29",
    "at>\"2026-11-29 14:02\"",
    "at>\"2026-11-29 14:02:11\"",
    "env>2026-11-29",
    "cpu<2026-11-29",
    "-l env=test",
    "elapsed>6m",
    "grant>3GB",
    "mem>0",
    "mem<1",
    "mem=0",
    "group=batch",
    "env~^od",
    "\"PRD  014\"",
    "prd$",
];

#[test]
fn what_is_typed_is_what_is_kept() {
    for yes in [
        "",
        "at=2026-11-29",
        "at>=2026-11-29",
        "at<=2026-11-29",
        "at>2026-11-28",
        "at<2026-11-30",
        "at=\"2026-11-29 14:02\"",
        "at>2026-11-29T14:01",
        "at=2026-11-28,2026-11-29",
        "prd",
        "PRD-014",
        "größe",
        "!test",
        "prd blocked",
        "\"sessions blocked\"",
        "!\"blocked twice\"",
        "prd.*14",
        "^sqlprd|^sqltst",
        "env=prod",
        "env=PROD",
        "env=p*",
        "env=test,prod",
        "env!=test",
        "!env=test",
        "group=web",
        "team!=orders",
        "env~^pr",
        "cpu>80",
        "cpu>=97.2",
        "cpu<98",
        "cpu>80 env=prod",
        "cpu=97",
        "cpu=97.2",
        "cpu = 97",
        "cpu > 80",
        "cpu >80",
        "cpu> 80 env = prod",
        "env = \"prod\"",
        "spid=2016",
        "-l env=prod",
        "-f prd",
        "!env = test",
        "elapsed>300",
        "elapsed>5m",
        "elapsed<6m",
        "elapsed=312s",
        "grant>2GB",
        "grant<4000",
        "!mem>0",
    ] {
        let known_team = yes.replace("team", "mem");
        assert!(keeps(&known_team), "{yes} should keep the row");
    }
    for no in DROPS {
        assert!(!keeps(no), "{no} should not keep the row");
    }
}

#[test]
fn mistakes_are_explained() {
    let e = |t: &str| Filter::parse(t, &|k| k == "cpu").unwrap_err().to_string();
    assert_eq!(e("cpuu>80"), "no field or label is called cpuu");
    assert_eq!(e("cpu>"), "a value is missing after cpu>");
    assert_eq!(
        e("cpu>fast"),
        "fast is no figure: write cpu>80, cpu>1.5k, cpu>5m, cpu>2GB, or for a day cpu>2026-11-29"
    );
    assert_eq!(e("[Order"), "[Order is no regular expression: put it in quotes to take it literally");
    assert_eq!(e("cpu=,"), "a value is missing after cpu=");
    assert_eq!(e("cpu >"), "a value is missing after cpu>");
    assert_eq!(e("cpu > cpu>80"), "a value is missing after cpu>");
    assert_eq!(e("cpuu > 80"), "no field or label is called cpuu");
    assert_eq!(e("\"open"), "the closing quote is missing");
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_a_mistake(text in "\\PC{0,60}|[a-z!=<>~\"* .0-9]{0,40}") {
        if let Ok(f) = Filter::parse(&text, &|_| true) {
            f.keeps(&Server, &mut String::new());
        }
    }
}

#[test]
fn a_unit_that_a_field_does_not_have_is_said_and_what_would_fit() {
    let kinds = |key: &str| {
        let mut kinds = Kinds::default();
        Server.values(key, &mut |value| kinds.learn(value));
        kinds
    };
    let misfit = |text: &str| {
        Filter::parse(text, &|_| true).unwrap().misfit(&kinds).map(|e| e.to_string()).unwrap_or_default()
    };
    assert_eq!(misfit("cpu>5GB"), "cpu is a plain figure, and 5GB is a size: write cpu>80 or >1.5k");
    assert_eq!(
        misfit("env=prod cpu=97,5m"),
        "cpu is a plain figure, and 5m is a time: write cpu>80 or >1.5k"
    );
    assert_eq!(misfit("elapsed>5GB"), "elapsed is a time, and 5GB is a size: write elapsed>5s or >5m");
    assert_eq!(misfit("!grant<5m"), "grant is a size, and 5m is a time: write grant>5MB or >2GB");
    assert_eq!(misfit("env>5GB"), "env is a text, and 5GB is a size: write env=NAME");
    assert_eq!(
        misfit("cpu>2026-11-29"),
        "cpu is a plain figure, and 2026-11-29 is a moment: write cpu>80 or >1.5k"
    );
    for fits in [
        "cpu>80",
        "cpu>95%",
        "elapsed>5",
        "elapsed>5m",
        "grant>2",
        "grant>2GB",
        "env=5GB",
        "at>2026-11-29",
        "mem>5GB",
    ] {
        assert_eq!(misfit(fits), "", "{fits}");
    }
}

#[test]
fn a_name_that_says_its_unit_takes_plain_figures_in_it() {
    struct Disk;
    impl Row for Disk {
        fn text(&self, _: &mut String) {}
        fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
            match key {
                "read_ms" => visit(Value::In(20.0, Unit::Ms)),
                _ => visit(Value::In(3.0e6, Unit::Bytes)),
            }
        }
    }
    let keeps = |text: &str| Filter::parse(text, &|_| true).unwrap().keeps(&Disk, &mut String::new());
    for yes in ["read_ms>19", "read_ms>19ms", "read_ms<1s", "bytes>2999999", "bytes>2MB"] {
        assert!(keeps(yes), "{yes}");
    }
    for no in ["read_ms>21", "read_ms>1s", "read_ms>1MB", "bytes>3MB", "bytes>1s"] {
        assert!(!keeps(no), "{no}");
    }
}
