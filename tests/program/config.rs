//! `dbtop config check` and `dbtop config show`: the real program over files and variables of a user of their own.
#![cfg(unix)]

use crate::harness::{
    Home,
    process::{Ended, dbtop, run},
};
use serde_json::Value;
use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt, path::Path};

/// Runs `dbtop config` with the user's configuration.
#[track_caller]
fn config(home: &Home, text: &str, args: &[&str]) -> Ended {
    fs::write(home.path().join("config.toml"), text).unwrap();
    run(dbtop(&["config"], home).args(args))
}

/// The rows of a JSON answer.
#[track_caller]
fn rows(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:?}"))
}

/// The only row of `check` about this option.
#[track_caller]
fn about<'a>(rows: &'a [Value], option: &str) -> &'a Value {
    let found: Vec<_> = rows.iter().filter(|row| row["option"] == option).collect();
    assert_eq!(found.len(), 1, "{option} in {rows:#?}");
    found[0]
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// An inventory of `count` instances of which nothing is asked for.
fn inventory(count: usize, lines: &str) -> String {
    let mut text = String::new();
    for i in 0..count {
        writeln!(
            text,
            "[[instance]]\nname = \"sql-{i:04}\"\nhost = \"sql{i}.example\"\nauth = \"kerberos\"\n{lines}"
        )
        .unwrap();
    }
    text
}

#[test]
fn all_errors_are_named_with_line_option_and_what_was_meant() {
    let home = Home::new();
    let text = "[ui]\ntheem = \"light\"\n\n[poll]\nfleet_s = 5\nmax_quries = 10\n[log]\nlevel = \"wran\"\n";
    let ended = config(&home, text, &["check"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let file = home.path().join("config.toml").display().to_string();
    for (line, said) in [
        (2, "[ui] has no option `theem`; did you mean `theme`?"),
        (5, "[poll] fleet_s = 5 is not within 30 to 3600"),
        (6, "[poll] has no option `max_quries`; did you mean `max_queries`?"),
        (8, "did you mean \"warn\"?"),
    ] {
        let place = format!("error    {file}: line {line}: ");
        let row = ended.stdout.lines().find(|row| row.starts_with(&place));
        assert!(row.is_some_and(|row| row.contains(said)), "line {line}: {}", ended.stdout);
    }
    assert!(ended.stdout.ends_with("errors 4, warnings 0\n"), "{}", ended.stdout);

    let found = rows(&config(&home, text, &["check", "-o", "json"]));
    let row = about(&found, "ui.theem");
    assert_eq!((&row["level"], &row["line"]), (&Value::from("error"), &Value::from(2)));
    assert_eq!((&row["place"], &row["advice"]), (&Value::from(file), &Value::from("did you mean `theme`?")));
    let csv = config(&home, text, &["check", "-o", "csv"]);
    assert_eq!((csv.code, csv.stdout.lines().count()), (Some(2), 5), "{}", csv.stdout);
    // The commands that need it refuse it, with all of them.
    let once = run(&mut dbtop(&["once", "fleet", "--demo=1"], &home));
    assert_eq!(once.code, Some(3));
    assert!(once.stderr.contains("4 errors") && once.stderr.contains("`max_quries`"), "{}", once.stderr);
    // The others do not: an inventory can be mended meanwhile.
    set_mode(&home.path(), 0o700);
    assert_eq!(run(&mut dbtop(&["tenant", "list"], &home)).code, Some(0));
}

#[test]
fn a_good_configuration_has_nothing_to_say() {
    let home = Home::new();
    let ended = run(&mut dbtop(&["config", "check"], &home));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "no file: the defaults: no errors, nothing to warn about\n");
    let example = include_str!("../../config.example.toml");
    let ended = config(&home, example, &["check"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(rows(&config(&home, example, &["check", "-o", "json"])).len(), 0);
}

#[test]
fn what_is_no_file_and_no_theme_is_an_error() {
    let home = Home::new();
    let ended = run(&mut dbtop(&["config", "check", "--config", "/no/such.toml"], &home));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stdout.contains("/no/such.toml: cannot be read"), "{}", ended.stdout);
    let found = config(&home, "[ui]\ntheme = \"drak\"\n", &["check", "-o", "json"]);
    assert_eq!((found.code, &about(&rows(&found), "ui.theme")["line"]), (Some(2), &Value::from(2)));
}

#[test]
fn the_environment_is_checked_too() {
    let home = Home::new();
    let ended = run(dbtop(&["config", "check", "-o", "json"], &home).envs([
        ("DBTOP_POLL_FLEET_S", "soon"),
        ("DBTOP_POLL_SLOW", "900"),
        ("DBTOP_POL_FLEET_S", "60"),
        ("DBTOP_INVENTRY", "x"),
        ("DBTOP_PW", "hunter2"),
    ]));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let found = rows(&ended);
    let of = |name: &str| found.iter().find(|row| row["place"] == name);
    assert_eq!(of("DBTOP_POLL_FLEET_S").unwrap()["level"], "error");
    let advice = |name| of(name).unwrap_or_else(|| panic!("{name}: {found:#?}"))["advice"].as_str().unwrap();
    assert!(advice("DBTOP_POLL_SLOW").contains("DBTOP_POLL_SLOW_S"));
    assert!(advice("DBTOP_POL_FLEET_S").contains("DBTOP_POLL_FLEET_S"));
    assert!(advice("DBTOP_INVENTRY").contains("DBTOP_INVENTORY"));
    assert!(of("DBTOP_PW").is_none() && !ended.stdout.contains("hunter2"), "a password is no option");
    assert_eq!(found.len(), 4);
}

#[test]
fn costly_settings_are_warned_about_with_an_estimate() {
    let home = Home::new();
    let big = home.file("big.toml", &inventory(2_000, ""));
    let big = big.to_str().unwrap();
    let ended = config(&home, "[poll]\n\nfleet_s = 30\n", &["check", "-o", "json", "--inventory", big]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let found = rows(&ended);
    let row = about(&found, "poll.fleet_s");
    let problem = row["problem"].as_str().unwrap();
    for said in
        ["2000 instances", "67 polls a second", "% of a core", "MB", "2880 polls a day on each server"]
    {
        assert!(problem.contains(said), "{said}: {problem}");
    }
    assert_eq!((&row["level"], &row["line"]), (&Value::from("warning"), &Value::from(3)));
    assert!(row["advice"].as_str().unwrap().contains("fleet_s = 60"), "{row}");
    // What is advised is taken.
    let ended = config(&home, "[poll]\nfleet_s = 60\n", &["check", "--inventory", big]);
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let text = "[poll]\nfocused_s = 60\nslow_s = 60\n[health]\noffline_after_s = 30\n[log]\nlevel = \"trace\"\n\
                [vault]\nlock_after_min = 0\n";
    let found = rows(&config(&home, text, &["check", "-o", "json"]));
    let options =
        ["poll.focused_s", "poll.slow_s", "health.offline_after_s", "log.level", "vault.lock_after_min"];
    for option in options {
        let row = about(&found, option);
        assert_eq!(row["level"], "warning");
        assert!(row["line"].is_u64() && !row["advice"].as_str().unwrap().is_empty(), "{row}");
    }
    assert_eq!(found.len(), options.len());
}

#[test]
fn connections_without_trust_are_warned_about() {
    let home = Home::new();
    let text = inventory(7, "tls = \"insecure\"")
        + "[[instance]]\nname = \"own\"\nhost = \"127.0.0.1\"\n\
               auth = \"kerberos\"\ntls = \"off\"\n[[instance]]\nname = \"last\"\nhost = \"h\"\nauth = \"kerberos\"\ntls = \"off\"\n";
    let file = home.file("fleet.toml", &text);
    let ended = run(&mut dbtop(&["config", "check", "--inventory", file.to_str().unwrap()], &home));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = ended.stdout.lines().find(|line| line.contains("tls = \"insecure\" on")).unwrap();
    assert!(
        said.contains("fleet.toml: line 1: ") && said.contains("7 of 9") && said.contains("2 more"),
        "{said}"
    );
    let said = ended.stdout.lines().find(|line| line.contains("tls = \"off\" on")).unwrap();
    assert!(said.contains("on 1 of 9 instances (last)") && said.contains("plain text"), "{said}");
}

#[test]
fn files_that_others_can_read_or_change_are_warned_about() {
    let home = Home::new();
    let key = home.file("key", "dbtop-key-v1:x\n");
    let password = home.file("pw", "hunter2\n");
    let text = format!(
        "[[instance]]\nname = \"a\"\nhost = \"localhost\"\nuser = \"u\"\npassword = \"hunter2\"\n\
         [[instance]]\nname = \"b\"\nhost = \"h\"\nuser = \"u\"\npassword = {{ file = \"{}\" }}\n",
        password.display()
    );
    let fleet = home.file("fleet.toml", &text);
    let modes = |mode: u32| {
        for file in [&key, &password, &fleet, &home.path().join("config.toml")] {
            set_mode(file, mode);
        }
    };
    let check = || {
        let mut command = dbtop(&["config", "check", "-o", "json"], &home);
        run(command.arg("--inventory").arg(&fleet).arg("--key-file").arg(&key))
    };
    fs::write(home.path().join("config.toml"), "").unwrap();
    modes(0o600);
    let ended = check();
    assert_eq!((ended.code, rows(&ended).len()), (Some(0), 0), "{ended:?}");
    modes(0o644);
    let ended = check();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let found = rows(&ended);
    assert_eq!(found.len(), 3, "the configuration has no secrets: {found:#?}");
    for file in [&key, &password, &fleet] {
        let row = found.iter().find(|row| row["place"] == file.to_str().unwrap()).unwrap();
        assert!(row["problem"].as_str().unwrap().contains("0644"), "{row}");
        assert!(row["advice"].as_str().unwrap().contains("chmod 600"), "{row}");
    }
    assert!(!ended.stdout.contains("hunter2"), "{}", ended.stdout);
    modes(0o666);
    let found = rows(&check());
    let changeable = found.iter().filter(|row| row["advice"].as_str().unwrap().contains("chmod go-w"));
    assert_eq!(changeable.count(), 2, "the inventory and the configuration: {found:#?}");
}

#[test]
fn the_inventory_is_checked_with_it() {
    let home = Home::new();
    let file = home.file("fleet.toml", "[[instance]]\nname = \"a\"\nhst = \"h\"\n");
    let ended = run(&mut dbtop(&["config", "check", "--inventory", file.to_str().unwrap()], &home));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stdout.contains("fleet.toml: line 3: instance a: unknown option `hst`; did you mean `host`?"),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_sealed_inventory_is_checked_if_it_opens_without_a_question() {
    let home = Home::new();
    set_mode(&home.path(), 0o700);
    let key = home.path().join("key");
    let key = key.to_str().unwrap();
    let done = |args: &[&str]| {
        let ended = run(dbtop(args, &home).args(["--key-file", key]));
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    done(&["vault", "init"]);
    done(&[
        "instance",
        "add",
        "sales",
        "--host",
        "h",
        "--auth",
        "kerberos",
        "--tls",
        "insecure",
        "--no-test",
    ]);
    let ended = run(&mut dbtop(&["config", "check", "--key-file", key], &home));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("tenant default: tls = \"insecure\" on 1 of 1"), "{}", ended.stdout);
    // Without the key it is said that nobody looked, and nothing is asked.
    let ended = run(&mut dbtop(&["config", "check"], &home));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("note     the sealed inventory was not looked at"), "{}", ended.stdout);
}

#[test]
fn show_tells_where_each_value_comes_from() {
    let home = Home::new();
    fs::write(
        home.path().join("config.toml"),
        "[poll]\nfleet_s = 60\nslow_s = 1200\n[ui]\ntheme = \"light\"\n",
    )
    .unwrap();
    let mut command = dbtop(&["--theme", "mono", "config", "show", "-o", "json"], &home);
    let ended = run(command.env("DBTOP_POLL_SLOW_S", "1800").env("DBTOP_TENANT", "acme"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let found = rows(&ended);
    let said = |option: &str| {
        let row = about(&found, option);
        (row["value"].clone(), row["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(said("poll.focused_s"), (2.into(), "default".into()));
    let (value, from) = said("poll.fleet_s");
    assert!(value == 60 && from.ends_with("config.toml: line 2"), "{value} {from}");
    assert_eq!(said("poll.slow_s"), (1800.into(), "DBTOP_POLL_SLOW_S".into()));
    assert_eq!(said("ui.theme"), ("mono".into(), "--theme".into()));
    assert_eq!(said("tenant"), ("acme".into(), "DBTOP_TENANT".into()));
    assert_eq!(said("ui.mouse").0, false);
    // All of them: the example names them all.
    let example: toml::Table = include_str!("../../config.example.toml").parse().unwrap();
    let options: usize = example.values().filter_map(toml::Value::as_table).map(toml::Table::len).sum();
    assert_eq!(found.len(), options + 4);
    // With an error there are no effective values.
    let ended = config(&home, "[poll]\nfleet_s = 1\n", &["show"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
}

#[test]
fn an_option_is_edited_in_its_file_and_the_audit_log_has_both_values() {
    let home = Home::new();
    let text = "# night shift\n[history]\nraw_days = 45 # the auditor asked\n";
    let set = |args: &[&str]| run(dbtop(&["config", "set"], &home).args(args));
    let none = config(&home, text, &["set", "ui.mouse", "true"]);
    assert!(none.code == Some(0) && none.stderr.contains("no audit log has an entry"), "{none:?}");
    let key = home.path().join("key");
    let keyed = |args: &[&str]| {
        let file = key.display().to_string();
        run(dbtop(args, &home).args(["--key-file", &file]))
    };
    assert!(keyed(&["tenant", "create", "acme"]).code == Some(0));
    fs::write(home.path().join("config.toml"), text).unwrap();
    let locked = set(&["history.raw_days", "90"]);
    assert_eq!(locked.code, Some(3), "an edit without an entry: {locked:?}");
    let done = keyed(&["config", "set", "history.raw_days", "90", "-o", "json"]);
    let [row] = &rows(&done)[..] else { panic!("{done:?}") };
    assert_eq!((&row["before"], &row["after"]), (&"45".into(), &"90".into()));
    let file = || fs::read_to_string(home.path().join("config.toml")).unwrap();
    assert_eq!(file(), text.replace("45", "90"));
    assert!(keyed(&["config", "set", "history.raw_days", "--unset"]).code == Some(0));
    assert_eq!(file(), "# night shift\n[history]\n# the auditor asked\n");
    let wrong = keyed(&["config", "set", "history.raw_days", "-3"]);
    assert!(wrong.stderr.contains("raw_days") && wrong.stderr.contains("nothing was changed"), "{wrong:?}");

    let log = rows(&keyed(&["audit", "list", "--entity", "setting", "-o", "json"]));
    let told: Vec<_> = log.iter().map(|row| (&row["action"], &row["name"], &row["detail"])).collect();
    let (key, out) = (Value::from("history.raw_days"), Value::from("90 → 30"));
    assert_eq!(told, [(&"set".into(), &key, &"45 → 90".into()), (&"unset".into(), &key, &out)]);
    let listed = rows(&run(&mut dbtop(&["config", "list", "-o", "json"], &home)));
    let row = about(&listed, "history.raw_days");
    assert_eq!((&row["value"], &row["default"], &row["from"]), (&30.into(), &"30".into(), &"default".into()));
    assert!(row["help"].as_str().is_some_and(|help| help.contains("as they were measured")), "{row}");
}
