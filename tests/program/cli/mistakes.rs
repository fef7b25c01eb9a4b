//! Errors say where, what is wrong and what to do. Passwords come from the right place and stay there.

use super::objects;
use crate::harness::{
    Home,
    process::{Ended, SimProcess, dbtop, run},
};

const PASSWORD: &str = "hunter2-hunter2";

/// Fails unless the run ended with 3, printed nothing, and said all of `said` in one message without a password.
#[track_caller]
fn assert_says(ended: &Ended, said: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{}", ended.stderr);
    for words in said {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
    assert!(ended.stderr.starts_with("dbtop: ") && ended.stderr.ends_with('\n'), "{}", ended.stderr);
    assert!(!ended.stderr.contains(PASSWORD), "a password: {}", ended.stderr);
    let words: Vec<_> = ended.stderr.split(": ").collect();
    assert!(words.windows(2).all(|w| w[0] != w[1].trim()), "says a thing twice: {}", ended.stderr);
}

/// An instance that is right but for `lines`.
fn inventory(lines: &str) -> String {
    format!("# mine\n\n[[instance]]\nname = \"a\"\nuser = \"u\"\n{lines}\n")
}

#[test]
fn a_mistake_in_an_inventory_names_file_line_and_option() {
    let env = "password = { env = \"PW\" }";
    for (text, said) in [
        (inventory(&format!("host = \"h\"\n{env}\ntsl = \"off\"")), &["line 8", "`tsl`", "`tls`"][..]),
        (inventory(&format!("host = \"h\"\n{env}\ntls = \"of\"")), &["line 8", "`of`", "`off`", "`verify`"]),
        (inventory(&format!("host = \"h\"\n{env}\nport = 70000")), &["line 8", "70000"]),
        (inventory("host = \"h\""), &["line 3", "password is missing"]),
        (inventory(&format!("host = \"h,0\"\n{env}")), &["line 3", "instance a", "port", "1 to 65535"]),
        (inventory(&format!("host = \"h h\"\n{env}")), &["line 3", "instance a", "host\\instance"]),
        (
            inventory(&format!(
                "host = \"h\"\n{env}\n[[instance]]\nname = \"A\"\nhost = \"h\"\nuser = \"u\"\n{env}"
            )),
            &["line 8", "instance A", "twice"],
        ),
        (
            inventory(&format!("host = \"db1\"\npassword = \"{PASSWORD}\"")),
            &["line 3", "instance a", "loopback", "{ env = "],
        ),
        (
            inventory(&format!("host = \"h\"\npassword = {{ evn = \"{PASSWORD}\" }}")),
            &["line 7", "{ env = ", "{ command = "],
        ),
        (inventory(&format!("host = \"h\"\npassword = \"{PASSWORD}")), &["line 7"]),
        (inventory(&format!("host = \"h\"\npassword = \"{PASSWORD}\"\nuser = 3")), &["line 8"]),
        (inventory(&format!("host = \"h\"\n{env}\nport = \"{PASSWORD}\"")), &["line 8", "wrong type"]),
        ("# nobody\n".to_owned(), &["nothing to poll", "[[instance]]"]),
    ] {
        let home = Home::new();
        let file = home.file("mine.toml", &text).to_string_lossy().into_owned();
        let ended = run(&mut dbtop(&["once", "fleet", "--inventory", &file], &home));
        assert_says(&ended, &["mine.toml"]);
        assert_says(&ended, said);
    }
}

#[test]
fn a_mistake_in_the_configuration_names_file_line_and_option() {
    for (text, said) in [
        ("[ui]\n\ntheem = \"light\"\n", &["line 3", "`theem`", "`theme`"][..]),
        ("[uy]\n", &["line 1", "`uy`", "`ui`"]),
        ("[ui]\nmouse = \"yes\"\n", &["line 2", "\"yes\" is not true or false"]),
        ("[poll]\nfleet_s = 45\nfocused_s = 1\n", &["line 3", "[poll] focused_s = 1", "2 to 3600"]),
        ("[health]\ncpu_warning_pct = 99\n", &["line 2", "cpu_warning_pct = 99", "cpu_critical_pct = 95"]),
        ("[log]\nlevel = \"loud\"\n", &["line 2", "\"loud\"", "debug"]),
        ("[poll\n", &["line 1"]),
    ] {
        let home = Home::new();
        let file = home.file("my.toml", text).to_string_lossy().into_owned();
        let ended = run(&mut dbtop(&["once", "fleet", "--demo=1", "--config", &file], &home));
        assert_says(&ended, &["my.toml"]);
        assert_says(&ended, said);
        // The file of that name in the user's folder is read without being asked for.
        std::fs::write(home.path().join("config.toml"), text).unwrap();
        assert_says(&run(&mut dbtop(&["once", "fleet", "--demo=1"], &home)), said);
        home.assert_nothing_left();
    }
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    for (name, value, said) in [
        ("DBTOP_POLL_FLEET_S", "soon", &["[poll] fleet_s", "\"soon\"", "a whole number"][..]),
        ("DBTOP_POLL_FLEET_S", "5", &["[poll] fleet_s = 5", "30 to 3600"]),
        ("DBTOP_POLL_FLET_S", "45", &["`flet_s`", "`fleet_s`"]),
        ("DBTOP_LOG_LEVEL", "loud", &["\"loud\"", "debug"]),
    ] {
        let home = Home::new();
        let ended = run(dbtop(&["once", "fleet", "--demo=1"], &home).env(name, value));
        assert_says(&ended, &[name]);
        assert_says(&ended, said);
    }
}

#[test]
fn files_that_are_not_there_and_options_that_do_not_exist() {
    let home = Home::new();
    let once = |args: &[&str]| run(dbtop(&["once", "fleet"], &home).args(args));
    assert_says(&once(&["--inventory", "/no/such.toml"]), &["reading /no/such.toml", "No such file"]);
    assert_says(
        &once(&["--demo=1", "--config", "/no/such.toml"]),
        &["/no/such.toml: cannot be read", "No such file"],
    );
    assert_says(&once(&[]), &["nothing to poll", "--inventory FILE", "--demo"]);
    for (args, said) in [
        (&["once", "flet"][..], "fleet"),
        (&["once", "fleet", "-o", "xml"], "json"),
        (&["once", "fleet", "--sample", "0"], "1..=60"),
        (&["--demo=0"], "1..=2000"),
        (&["--demo", "--inventory", "x"], "cannot be used with"),
        (&["sim"], "--inventory-out"),
    ] {
        let ended = run(&mut dbtop(args, &home));
        assert!(ended.code != Some(0) && ended.stderr.contains(said), "{args:?}: {ended:?}");
        assert_eq!(ended.stdout, "");
    }
}

/// The inventory of a running fleet, with every password written as `password` says.
fn with_password(sim: &SimProcess, password: &str) -> (String, String) {
    let text = std::fs::read_to_string(&sim.inventory).unwrap();
    let literal = text.lines().find_map(|l| l.strip_prefix("password = ")).unwrap().to_owned();
    let changed = text.replace(&format!("password = {literal}"), &format!("password = {password}"));
    (changed, literal.trim_matches('"').to_owned())
}

#[test]
fn passwords_come_from_the_environment_or_from_a_command() {
    let sim = SimProcess::start(2, 0, None);
    let home = Home::new();
    let ask = |text: &str, variable: &str, value: &str| {
        let file = home.file("fleet.toml", text).to_string_lossy().into_owned();
        let mut command = dbtop(&["once", "waits", "-o", "json", "--inventory", &file], &home);
        run(command.env(variable, value))
    };
    let (text, password) = with_password(&sim, "{ env = \"DBTOP_TEST_PW\" }");
    let ended = ask(&text, "DBTOP_TEST_PW", &password);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert!(objects(&ended.stdout).iter().all(|r| r["wait_type"].is_string()));

    let wrong = ask(&text, "DBTOP_TEST_PW", PASSWORD);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stdout.contains("login refused (18456)"), "{}", wrong.stdout);
    let missing = ask(&text, "DBTOP_TEST_OTHER", "");
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.stdout.contains("the environment variable DBTOP_TEST_PW is not set"),
        "{}",
        missing.stdout
    );

    let secret = home.file("secret", &format!("{password}\nanother line\n"));
    let (text, _) = with_password(&sim, &format!("{{ command = \"cat '{}'\" }}", secret.display()));
    let ended = ask(&text, "X", "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let (text, _) = with_password(&sim, &format!("{{ command = \"echo {PASSWORD}; exit 4\" }}"));
    let failed = ask(&text, "X", "");
    assert_eq!(failed.code, Some(2));
    assert!(failed.stdout.contains("the command echo failed (exit status: 4)"), "{}", failed.stdout);

    let logs = home.path().join("log");
    let logged: String = crate::harness::names(&logs)
        .iter()
        .map(|name| std::fs::read_to_string(logs.join(name)).unwrap())
        .collect();
    assert!(!logged.is_empty(), "there is a log");
    for said in [&wrong.stdout, &missing.stdout, &failed.stdout, &logged] {
        assert!(!said.contains(PASSWORD) && !said.contains(&password), "a password: {said}");
    }
}

#[test]
fn wrong_arguments_are_never_a_result() {
    let home = Home::new();
    for args in [
        &["--nosuch"][..],
        &["nosuch"],
        &["once"],
        &["once", "nosuch"],
        &["once", "fleet", "--sample", "0"],
        &["healthcheck", "--poll-warning", "soon"],
        &["collect", "--metrics", "nowhere"],
        &["status", "-o", "xml"],
        &["metrics", "--nosuch"],
        &["sim"],
        &["doctor", "--nosuch"],
        &["vault", "nosuch"],
        &["tenant"],
        &["store", "nosuch"],
        &["export", "nosuch"],
        &["bookmark"],
        &["audit", "--nosuch"],
        &["instance", "add"],
        &["group", "nosuch"],
        &["label", "nosuch"],
        &["filter", "nosuch"],
        &["config"],
        &["probes", "--nosuch"],
        &["keys", "--nosuch"],
        &["--demo", "--inventory", "x"],
    ] {
        let ended = run(&mut dbtop(args, &home));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{args:?}: {}", ended.stderr);
        assert!(
            ended.stderr.starts_with("error: ") || ended.stderr.contains("Usage: dbtop"),
            "{args:?}: {}",
            ended.stderr
        );
    }
    for args in [&["--help"][..], &["once", "--help"], &["--version"], &["help", "vault"]] {
        let ended = run(&mut dbtop(args, &home));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
    assert!(run(&mut dbtop(&["--help"], &home)).stdout.contains("Exit code 3: wrong arguments"));
}

#[test]
fn mistakes_are_told_in_our_words() {
    let home = Home::new();
    let library = ["os error", "invalid digit", "invalid type", "target type", "float literal"];
    let told = |args: &[&str], words: &str| {
        let ended = run(&mut dbtop(args, &home));
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains(words), "{args:?}: {said}");
        assert!(!library.iter().any(|word| said.contains(word)), "{args:?}: {said}");
    };
    told(
        &["instance", "add", "x", "--host", "h", "--port", "abc"],
        "--port <PORT>: \"abc\" is no such value",
    );
    told(&["instance", "add", "x", "--host", "h", "--port", "70000"], "--port");
    told(&["healthcheck", "--poll-warning", "soon"], "write a whole number");
    told(&["healthcheck", "--poll-warning=-1"], "--poll-warning");
    told(&["tenant", "limit", "acme", "--history-gb", "lots"], "write a number");
    told(&["once", "fleet", "--inventory", "/nowhere/fleet.toml"], "No such file");
    let config = home.file("wrong.toml", "[poll]\nfleet_s = \"soon\"\n[ui]\nmouse = 1\n");
    told(&["config", "check", "--config", config.to_str().unwrap()], "\"soon\" is not a whole number");
    told(&["config", "set", "poll.fleet_s", "soon"], "\"soon\" is not a whole number");
    // A file where the folder should be.
    let file = home.file("file", "");
    let ended = run(dbtop(&["tenant", "list"], &home).env("DBTOP_HOME", file.join("below")));
    assert!(ended.stderr.contains("making the folder") && !ended.stderr.contains("os error"), "{ended:?}");
}

#[test]
fn a_time_of_no_recording_is_refused() {
    let home = Home::new();
    for args in
        [&["once", "blocking", "--demo", "--at", "02:14"][..], &["once", "fleet", "--at", "-5m", "--demo=2"]]
    {
        assert_says(&run(&mut dbtop(args, &home)), &["--at is a time of a recording", "--replay FILE"]);
    }
}

#[test]
fn the_help_of_a_sub_command_lists_what_means_something_to_it() {
    let home = Home::new();
    let help = |args: &[&str]| run(&mut dbtop(&[args, &["--help"]].concat(), &home)).stdout;
    for args in [&["once"][..], &["collect"], &["healthcheck"], &[]] {
        assert!(help(args).contains("--demo") && help(args).contains("--inventory"), "{args:?}");
    }
    for args in [&["sim"][..], &["vault"], &["vault", "init"], &["tenant"], &["tenant", "backup"], &["audit"]]
    {
        let text = help(args);
        assert!(text.contains("--config") && !text.contains("--demo["), "{args:?}: {text}");
        assert!(!text.contains("--inventory <FILE>"), "{args:?}: {text}");
    }
}

#[test]
fn a_theme_that_is_not_there_is_told_with_the_names_once() {
    let home = Home::new();
    let ended = run(dbtop(&["config", "check"], &home).env("DBTOP_UI_THEME", "foo"));
    let said = ended.stdout + &ended.stderr;
    assert!(said.contains("no theme named foo"), "{said}");
    assert_eq!(said.matches("high-contrast").count(), 1, "{said}");
}
