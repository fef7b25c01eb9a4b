//! The inventory from the command line, by the real program: each command once, its JSON read back, mistakes in words, and
//! the whole way from a simulated fleet's file to a poll of it.
#![cfg(unix)]

use crate::harness::{
    Home,
    process::{SimProcess, dbtop, run},
    vault::Stage,
};
use serde_json::Value;
use std::{fs, io::Write, os::unix::fs::PermissionsExt, process::Stdio};

impl Stage {
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ended = self.done(&[args, &["-o", "json"]].concat());
        serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {}", ended.stdout))
    }

    #[track_caller]
    fn refused(&self, args: &[&str], words: &[&str]) {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(3), "{args:?}: {ended:?}");
        for word in words {
            assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.tmp().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn names(&self, args: &[&str]) -> Vec<String> {
        let all = self.json(&[&["instance", "list"], args].concat());
        all.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    }

    /// `a`, `b` and `c` in groups and with labels.
    fn with_three(self) -> Self {
        let csv = "name,host,user,password,groups,labels\na,h1,u,secret-a,EU,env=prod\n\
                   b,h2,u,secret-b,EU,env=test\nc,h3,v,secret-c,US,env=prod\n";
        let file = self.file("three.csv", csv);
        self.done(&["instance", "import", &file, "--yes"]);
        self
    }
}

#[test]
fn an_instance_is_added_shown_changed_removed_and_restored() {
    let stage = Stage::with_vault();
    stage.done(&[
        "instance",
        "add",
        "sales",
        "--host",
        r"db1\A,1444",
        "--user",
        "watcher",
        "--secret-command",
        "pass show db1",
        "--group",
        "EU",
        "--label",
        "env=prod",
        "--every",
        "60",
        "--probe-off",
        "jobs",
        "--databases",
        "x,y",
        "--maintenance",
        "2h",
        "--no-test",
    ]);
    let shown = stage.json(&["instance", "show", "SALES"]);
    let shown = &shown[0];
    assert_eq!(
        (shown["host"].as_str(), shown["instance"].as_str(), shown["port"].as_u64()),
        (Some("db1"), Some("A"), Some(1444))
    );
    assert_eq!(shown["password_command"], "pass show db1");
    assert_eq!((&shown["labels"]["env"], &shown["groups"][0]), (&"prod".into(), &"EU".into()));
    assert_eq!(
        (&shown["every_s"], &shown["probes_off"][0], &shown["databases_in"][1]),
        (&60.into(), &"jobs".into(), &"y".into())
    );
    assert!(shown["maintenance_until"].is_string());
    let added = shown["added_at"].clone();
    assert!(added.as_str().is_some_and(|at| at.ends_with('Z')), "{shown}");
    stage.done(&[
        "instance",
        "edit",
        "sales",
        "--rename",
        "shop",
        "--maintenance",
        "off",
        "--notes",
        "moved",
        "--stop",
        "--unset",
        "every_s",
        "--unset",
        "added_at",
        "--unlabel",
        "ENV",
    ]);
    let shown = &stage.json(&["instance", "show", "shop"])[0];
    assert_eq!((&shown["notes"], &shown["running"]), (&"moved".into(), &false.into()));
    assert_eq!(shown["added_at"], added);
    assert!(shown["maintenance_until"].is_null() && shown["every_s"].is_null() && shown["labels"].is_null());
    let table = stage.done(&["instance", "list"]).stdout;
    assert!(table.contains("shop") && table.contains("stopped"), "{table}");
    stage.done(&["instance", "remove", "shop", "--yes"]);
    assert!(stage.names(&[]).is_empty());
    assert_eq!(stage.names(&["--removed"]), ["shop"]);
    stage.done(&["instance", "restore", "shop"]);
    assert_eq!(stage.names(&[]), ["shop"]);
}

#[test]
fn a_password_comes_from_standard_input_and_shows_up_nowhere() {
    let stage = Stage::with_vault();
    let mut child = dbtop(
        &[
            "instance",
            "add",
            "a",
            "--host",
            "h",
            "--user",
            "u",
            "--password-stdin",
            "--no-test",
            "--key-file",
            stage.key.to_str().unwrap(),
        ],
        &stage.home,
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::null())
    .spawn()
    .unwrap();
    child.stdin.take().unwrap().write_all(b"Xq7-hidden\n").unwrap();
    assert!(child.wait().unwrap().success());
    for args in [&["instance", "show", "a"][..], &["instance", "list"], &["instance", "export"]] {
        for format in ["table", "json", "csv"] {
            let format = if args[1] == "export" { &["--format", "toml"][..] } else { &["-o", format] };
            assert!(!stage.done(&[args, format].concat()).stdout.contains("Xq7-hidden"), "{args:?}");
        }
    }
    let out = stage.home.tmp().join("all.json");
    let to = out.to_str().unwrap();
    stage.refused(&["instance", "export", "--with-secrets", "--to", to], &["--yes"]);
    stage.done(&["instance", "export", "--with-secrets", "--to", to, "--yes"]);
    assert!(fs::read_to_string(&out).unwrap().contains("Xq7-hidden"));
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    stage.refused(&["instance", "export", "--to", to], &["exists"]);
}

#[test]
fn the_password_for_actions_comes_from_standard_input_too() {
    let stage = Stage::with_vault();
    let with_input = |args: &[&str], input: &str| {
        let mut command = dbtop(args, &stage.home);
        command.args(["--key-file", stage.key.to_str().unwrap()]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let passwords = || {
        let out = stage.home.tmp().join("all.json");
        let _ = fs::remove_file(&out);
        stage.done(&["instance", "export", "--with-secrets", "--to", out.to_str().unwrap(), "--yes"]);
        fs::read_to_string(out).unwrap()
    };
    let add = ["instance", "add", "a", "--host", "h", "--user", "u", "--action-user", "doer", "--no-test"];
    let both = [&add[..], &["--password-stdin", "--action-password-stdin"]].concat();
    let (code, said) = with_input(&both, "Xq7-first\n");
    assert!(code == Some(3) && said.contains("no second line"), "{said}");
    assert_eq!(with_input(&both, "Xq7-first\nXq7-second\n").0, Some(0));
    let first = passwords();
    assert!(first.contains("Xq7-first") && first.contains("Xq7-second"), "{first}");
    // Alone it is the first line.
    let edit = ["instance", "edit", "a", "--action-password-stdin", "--yes"];
    let (code, said) = with_input(&edit, "Xq7-third\n");
    assert_eq!(code, Some(0), "{said}");
    let second = passwords();
    assert!(second.contains("Xq7-first") && second.contains("Xq7-third") && !second.contains("Xq7-second"));
    let (code, said) = with_input(&[&edit[..], &["--action-secret-env", "X"]].concat(), "");
    assert!(code == Some(3) && said.contains("cannot be used with"), "{said}");
}

#[test]
fn a_connection_string_in_place_of_a_host_is_told_as_options_without_its_password() {
    let stage = Stage::with_vault();
    let pasted = "Server=tcp:db1,1444;Database=two words;User Id=u;Password=Xq7-first;Encrypt=Strict";
    let ended = stage.run(&["instance", "add", "a", "--host", pasted, "--no-test"]);
    assert_ne!(ended.code, Some(0));
    let said = ended.stderr;
    let options = "--host db1,1444 --database 'two words' --auth sql --user u --tls strict";
    assert!(said.contains(options) && !said.contains("Xq7-first"), "{said}");
}

#[test]
fn a_connection_string_in_any_other_place_is_refused_without_its_password() {
    let stage = Stage::with_vault();
    let (pasted, url) = ("Server=db1;User Id=u;Password=Xq7-first", "mssql://u:Xq7-/first@db1");
    let option = format!("--host={pasted}");
    let add = ["instance", "add", "a", "--host", "h", "--auth", "kerberos", "--no-test"];
    let of_add = ["--instance", "--host-in-certificate", "--database", "--group", "--label", "--action-user"];
    let mut tried: Vec<Vec<&str>> = of_add.map(|option| [&add[..], &[option, pasted]].concat()).into();
    tried.extend([
        vec!["instance", "add", pasted, "--host", "h", "--auth", "kerberos", "--no-test"],
        vec!["instance", "add", "a", "--host", "h", "--user", pasted, "--no-test"],
        vec!["instance", "add", "a", "--host", url, "--auth", "kerberos", "--no-test"],
        vec!["instance", "add", "a", "--no-test", "--auth", "kerberos", &option],
        vec!["instance", "show", pasted],
        vec!["instance", "test", url],
        vec!["instance", "list", "--filter", pasted],
        vec!["once", "fleet", "--scope", pasted],
        vec!["status", pasted],
        vec!["group", "show", pasted],
    ]);
    for words in tried {
        let ended = stage.run(&words);
        let said = ended.stderr + &ended.stdout;
        assert_eq!(ended.code, Some(3), "{words:?}: {said}");
        assert!(!said.contains("Xq7") && !said.contains("first"), "{words:?}: {said}");
    }
    assert_eq!(stage.names(&[]), Vec::<String>::new(), "nothing came of it");
}

#[test]
fn lists_are_filtered_by_how_instances_are_reached() {
    let stage = Stage::with_vault();
    for (name, options) in [
        ("plain", &[][..]),
        ("loose", &["--tls", "insecure"]),
        ("named", &["--instance", "SALES"]),
        ("odd", &["--port", "1533"]),
    ] {
        let add = ["instance", "add", name, "--host", name, "--auth", "kerberos", "--no-test"];
        stage.done(&[&add[..], options].concat());
    }
    stage.done(&["instance", "edit", "odd", "--stop"]);
    for (filter, names) in [
        ("tls=insecure", &["loose"][..]),
        ("port=1433", &["loose", "plain"]),
        ("port!=1433 !named", &["odd"]),
        ("instance=sales", &["named"]),
        ("running=no", &["odd"]),
    ] {
        let mut found = stage.names(&["--filter", filter]);
        found.sort();
        assert_eq!(found, names, "{filter}");
    }
    stage.refused(&["instance", "list", "--filter", "tsl=insecure"], &["no field or label is called tsl"]);
}

#[test]
fn an_untested_instance_is_saved_only_by_choice() {
    let stage = Stage::with_vault();
    let add = ["instance", "add", "a", "--host", "127.0.0.1,1", "--user", "u", "--secret-env", "PATH"];
    stage.refused(&add, &["a is not saved", "--no-test"]);
    assert!(stage.names(&[]).is_empty());
    stage.done(&[&add[..], &["--no-test"]].concat());
    stage.refused(
        &["instance", "add", "b", "--host", "127.0.0.1,1", "--user", "u", "--secret-env", "PATH"],
        &["watched twice"],
    );
}

#[test]
fn many_are_changed_at_once_or_none() {
    let stage = Stage::with_vault().with_three();
    stage.refused(&["instance", "edit", "--scope", "@EU", "--every", "120"], &["--yes"]);
    stage.done(&["instance", "edit", "--scope", "@EU", "--every", "120", "--secret-env", "PW", "--yes"]);
    stage.done(&["instance", "edit", "--filter", "env=prod login=v", "--label", "tier=1"]);
    stage.done(&["filter", "save", "gold", "tier=1"]);
    assert_eq!(stage.names(&["--saved", "gold"]), ["c"]);
    assert_eq!(stage.names(&["--scope", "env=prod"]), ["a", "c"]);
    let all = stage.json(&["instance", "list"]);
    let every: Vec<Option<u64>> = all.as_array().unwrap().iter().map(|row| row["every_s"].as_u64()).collect();
    assert_eq!(every, [Some(120), Some(120), None]);
    assert_eq!(all[1]["password_env"], "PW");
    stage.refused(
        &["instance", "edit", "--scope", "all", "--host", "x", "--yes"],
        &["belong to one instance"],
    );
    stage.refused(&["instance", "edit", "a", "--every", "5"], &["30 to 3600"]);
    stage.refused(&["instance", "edit", "a"], &["nothing to change"]);
}

#[test]
fn two_logins_on_one_server_are_a_question_with_an_option() {
    let stage = Stage::with_vault();
    let add = |name: &str, user: &str, more: &[&str]| {
        let args = ["instance", "add", name, "--host", "h", "--user", user, "--secret-env", "X", "--no-test"];
        stage.run(&[&args[..], more].concat())
    };
    assert_eq!(add("a", "u", &[]).code, Some(0));
    let refused = add("b", "v", &[]);
    assert!(refused.code != Some(0) && refused.stderr.contains("--second-login"), "{refused:?}");
    assert!(refused.stderr.contains("a watches h already, with the login u"), "{refused:?}");
    assert_eq!(add("b", "v", &["--second-login"]).code, Some(0));
    let twice = add("c", "U", &["--second-login"]);
    assert!(twice.code != Some(0) && twice.stderr.contains("watched twice"), "the same login: {twice:?}");
    // However the server is written.
    for host in ["H", "h.", "h,1433", "h:1433", "tcp:H."] {
        let args = ["instance", "add", "c", "--host", host, "--user", "u", "--secret-env", "X", "--no-test"];
        stage.refused(&args, &["a is at h already: it would be watched twice"]);
    }
    // One of the two is changed as any other.
    stage.done(&["instance", "edit", "b", "--notes", "night shift"]);
    // The same in a file.
    let file = stage.home.file("more.csv", "name,host,user,password_env\nd,h,w,X\n");
    let file = file.to_str().unwrap();
    stage.refused(&["instance", "import", file, "--yes"], &["refused"]);
    let told = stage.done(&["instance", "import", file, "--on-conflict", "both"]);
    assert!(told.stdout.contains("add"), "{told:?}");
    stage.done(&["instance", "import", file, "--yes", "--on-conflict", "skip"]);
    assert_eq!(stage.names(&[]), ["a", "b"]);
    stage.done(&["instance", "import", file, "--yes", "--on-conflict", "both"]);
    assert_eq!(stage.names(&[]), ["a", "b", "d"]);
    let other = stage.home.file("other.csv", "name,host,user,password_env\ne,h,x,X\n");
    stage.done(&["instance", "import", other.to_str().unwrap(), "--yes", "--on-conflict", "replace"]);
    assert_eq!(stage.names(&[]), ["a", "b", "d"], "a has another login now, and no more instances are there");
    assert_eq!(stage.json(&["instance", "show", "a"])[0]["user"], "x");
}

#[test]
fn groups_labels_and_filters() {
    let stage = Stage::with_vault().with_three();
    stage.done(&["group", "add", "night", "--description", "on call"]);
    let add = ["group", "members", "add", "night", "--filter", "env=prod"];
    stage.refused(&add, &["2 instances get into group night", "--yes"]);
    stage.done(&[&add[..], &["--yes"]].concat());
    stage.done(&["group", "members", "remove", "night", "c"]);
    assert_eq!(stage.names(&["--scope", "@night"]), ["a"]);
    stage.done(&["group", "edit", "night", "--rename", "Nacht"]);
    let groups = stage.json(&["group", "list"]);
    let night = groups.as_array().unwrap().iter().find(|g| g["name"] == "Nacht").unwrap();
    assert_eq!((&night["instances"], &night["description"]), (&1.into(), &"on call".into()));
    stage.done(&["filter", "save", "oncall", "group=nacht env=prod"]);
    // What hangs on it is told, and a yes is needed.
    stage.refused(
        &["group", "remove", "Nacht"],
        &["group Nacht: 1 instance in it, which stays in the inventory", "oncall", "--yes"],
    );
    stage.done(&["group", "copy", "Nacht", "day"]);
    assert_eq!(stage.names(&["--scope", "@day"]), ["a"]);
    stage.done(&["group", "remove", "Nacht", "--yes"]);
    stage.done(&["filter", "rename", "oncall", "night-shift"]);
    stage.refused(&["filter", "rename", "oncall", "x"], &["no saved filter is called oncall"]);
    stage.done(&["filter", "remove", "night-shift"]);
    stage.refused(&["instance", "list", "--scope", "@Nacht"], &["no group is called Nacht"]);
    stage.done(&["group", "restore", "Nacht"]);
    stage.refused(
        &["label", "set", "team=web", "--scope", "all"],
        &["3 instances get the label team=web", "--yes"],
    );
    stage.done(&["label", "set", "team=web", "a", "b", "--yes"]);
    stage.done(&["label", "color", "team=web", "cyan"]);
    stage.done(&["label", "poll", "team=web", "--every", "300"]);
    stage.done(&["label", "unset", "team", "b"]);
    let labels = stage.json(&["label", "list"]);
    let web = labels.as_array().unwrap().iter().find(|l| l["value"] == "web").unwrap();
    assert_eq!((&web["color"], &web["instances"], &web["every_s"]), (&"cyan".into(), &1.into(), &300.into()));
    stage.refused(&["label", "color", "team=web", "pink"], &["pink", "magenta"]);
    stage.done(&["label", "add", "team=erp", "--color", "green"]);
    stage.refused(&["label", "add", "team=erp"], &["is there already"]);
    stage.refused(&["label", "rename", "team=web", "team=erp"], &["is there already", "label merge"]);
    assert_eq!(stage.json(&["label", "rename", "team=web", "team=shop"])[0]["name"], "team=shop");
    assert_eq!(stage.names(&["--filter", "team=shop"]), ["a"]);
    stage.refused(
        &["label", "remove", "team=shop"],
        &["label team=shop: carried by 1 instance", "settings of collection", "--yes"],
    );
    stage.done(&["label", "merge", "team=shop", "--into", "team=erp"]);
    assert_eq!(stage.names(&["--filter", "team=erp"]), ["a"]);
    stage.done(&["label", "remove", "team=erp", "--yes"]);
    assert!(stage.names(&["--filter", "env=prod"]).contains(&"a".to_owned()), "the instances stay");
    stage.done(&["filter", "save", "prod", "env=prod", "--description", "all of production"]);
    assert_eq!(stage.json(&["filter", "list"])[0]["instances"], 2);
    stage.refused(&["filter", "save", "bad", "cpu>x"], &["no field or label is called cpu"]);
    // None is overwritten silently, and none has no name or keeps all.
    stage.refused(&["filter", "save", "PROD", "env=test"], &["prod is there already, as env=prod", "--yes"]);
    stage.refused(&["filter", "save", "", "env=prod"], &["is empty"]);
    stage.refused(&["filter", "save", "all", " "], &["a filter that keeps all is none"]);
    stage.done(&["filter", "save", "prod", "group=eu", "--replace"]);
    assert_eq!(stage.json(&["filter", "list"])[0]["description"], "all of production", "nobody said another");
    let told = stage.done(&["group", "edit", "EU", "--rename", "Europe"]);
    assert!(told.stderr.contains("saved filters name the new one: prod"), "{told:?}");
    assert_eq!(stage.json(&["filter", "list"])[0]["expression"], "group=Europe");
    stage.refused(&["group", "add", "a,b"], &["scopes and filters could not name it"]);
    stage.refused(&["label", "set", "ENV=prod", "a"], &["twice, in two spellings"]);
    stage.refused(&["label", "add", "ENV=live"], &["the key ENV is there already, written env"]);
    stage.done(&["filter", "remove", "prod"]);
    assert_eq!(stage.json(&["filter", "list"]), Value::Array(vec![]));
}

#[test]
fn an_import_says_first_and_does_after() {
    let stage = Stage::with_vault().with_three();
    let csv = "name;host;user;port;notes\na;h1;u;;changed\nd;h4;u;;\ne;h5;u;x;\nb;h2;u;;\nf;h3;u;;\n";
    let file = stage.file("more.csv", csv);
    let dry = stage.done(&["instance", "import", &file]);
    for words in
        ["notes: – → changed", "port: \"x\" is no number", "c watches this server with another login"]
    {
        assert!(dry.stdout.contains(words), "{words}: {}", dry.stdout);
    }
    assert!(dry.stderr.contains("1 new, 1 changed, 1 unchanged, 2 refused"), "{}", dry.stderr);
    assert_eq!(stage.names(&[]).len(), 3, "nothing was changed");
    stage.refused(&["instance", "import", &file, "--yes"], &["2 of 5 rows", "--skip-bad"]);
    assert_eq!(stage.names(&[]).len(), 3);
    let rows = stage.json(&["instance", "import", &file, "--yes", "--skip-bad"]);
    assert_eq!((&rows[2]["line"], &rows[2]["action"]), (&4.into(), &"refused".into()));
    assert_eq!(stage.names(&[]), ["a", "b", "c", "d"]);
    let out = stage.home.tmp().join("export.regsrvr");
    stage.done(&["instance", "export", "--to", out.to_str().unwrap()]);
    let again = stage.done(&["instance", "import", out.to_str().unwrap(), "--yes"]);
    assert!(again.stderr.contains("0 new, 0 changed, 4 unchanged, 0 refused"), "{}", again.stderr);
    stage.refused(&["instance", "import", "/no/such.csv"], &["reading /no/such.csv"]);
    stage.refused(&["instance", "import", &stage.file("x.dat", "")], &["--format"]);
}

#[test]
fn a_fleet_is_imported_and_watched_without_a_file() {
    let sim = SimProcess::start(3, 0, None);
    let stage = Stage::with_vault();
    stage.done(&["instance", "import", sim.inventory.to_str().unwrap(), "--yes"]);
    assert_eq!(stage.names(&[]).len(), 3);
    let polled = stage.run(&["once", "fleet", "-o", "json"]);
    let rows: Value = serde_json::from_str(&polled.stdout).unwrap();
    assert_eq!(rows.as_array().map(Vec::len), Some(3), "{polled:?}");
    assert!(rows.as_array().unwrap().iter().all(|row| row["problem"].is_null()), "{rows}");
    let first = stage.names(&[]).remove(0);
    let import = ["instance", "import", "--cms", &first, "--user", "u", "--secret-ask", "--yes"];
    let cms = stage.done(&import);
    assert!(cms.stderr.contains("2 new, 0 changed"), "{cms:?}");
    let branch = &stage.json(&["instance", "show", "branch-1"])[0];
    assert_eq!(
        (&branch["host"], &branch["instance"], &branch["groups"][0]),
        (&"192.0.2.1".into(), &"SHOP".into(), &"Branches".into())
    );
}

#[test]
fn without_a_vault_the_way_to_start_is_said() {
    let home = Home::new();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    for args in [&["once", "fleet"][..], &["instance", "list"]] {
        let ended = run(&mut dbtop(args, &home));
        assert_eq!(ended.code, Some(3));
        assert!(ended.stderr.contains("dbtop vault init"), "{}", ended.stderr);
    }
}
