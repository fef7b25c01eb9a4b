//! Passwords that somebody pasted where they do not belong: a connection string in any column of any file. It is refused or taken
//! for what it is; no part of the password gets into a name, an address, a label or an error.

use dbtop::{
    config,
    exchange::{Change, Defaults, Format, plan, read},
    model::inventory::{
        address::{Endpoint, holds_password},
        connection::ConnectionString,
    },
};
use proptest::prelude::*;
use std::path::Path;

/// A password with any signs between two marks, either of which is found wherever it ends up.
fn password() -> impl Strategy<Value = String> {
    "[ -~ä]{0,10}".prop_map(|odd| format!("Xq7{odd}Zw9"))
}

fn shows(text: &str) -> bool {
    text.contains("Xq7") || text.contains("Zw9")
}

/// A connection string with the password, as programs and people write it.
fn strings() -> impl Strategy<Value = (usize, String, String)> {
    (0..9_usize, password()).prop_map(|(form, password)| {
        let plain: String = password.chars().filter(|c| !";\"'{}".contains(*c)).collect();
        let double = format!("\"{}\"", password.replace('"', "\"\""));
        let single = format!("'{}'", password.replace('\'', "''"));
        let braces = format!("{{{}}}", password.replace('}', "}}"));
        let text = match form {
            0 => format!("Server=db1;User Id=u;Password={plain}"),
            1 => format!("Server=db1,1444;Database=a;UID=u;PWD={double};Encrypt=True"),
            2 => format!("Password={single};Data Source=tcp:db1;User ID=u"),
            3 => format!("Driver={{ODBC Driver 18 for SQL Server}};Server=db1;Uid=u;Pwd={braces};Database=a"),
            4 => format!("Pwd={braces};dsn=x;Server=db1;Uid=u"),
            5 => format!("jdbc:sqlserver://db1:1433;user=u;password={braces};databaseName=a"),
            6 => format!("mssql://u:{password}@db1:1433/a"),
            7 => format!("\"Server=db1;User Id=u;Password={plain};\""),
            _ => format!("server = db1 ; password = {double} ; application name = x"),
        };
        (form, text, password)
    })
}

/// The columns of files that people fill, but for those where a password is at home and notes, which are free.
const COLUMNS: [&str; 16] = [
    "name",
    "host",
    "port",
    "instance",
    "database",
    "user",
    "auth",
    "tls",
    "tls_pin",
    "host_in_certificate",
    "every_s",
    "groups",
    "labels",
    "running",
    "read_only_intent",
    "maintenance_until",
];

proptest! {
    #[test]
    fn a_password_is_seen_and_taken_apart_into_its_own_field((form, text, password) in strings()) {
        prop_assert!(holds_password(&text), "{text}");
        let why = Endpoint::parse(&text).expect_err("no address");
        prop_assert!(!shows(&why.to_string()));
        if !(5..=6).contains(&form) {
            let says = ConnectionString::of(&text);
            for part in [&says.host, &says.database, &says.user, &says.host_in_certificate] {
                prop_assert!(!shows(part), "{part} of {text}");
            }
            prop_assert!(Endpoint::parse(&says.host).is_ok_and(|at| at.host == "db1"), "{}", says.host);
            let found = says.password.as_ref().map(|secret| secret.reveal().to_owned()).unwrap_or_default();
            prop_assert!(form == 0 || form == 7 || found == password, "{found} of {text}");
        }
    }

    #[test]
    fn in_no_column_of_a_file_does_it_get_anywhere((_, text, _) in strings(), at in 0..COLUMNS.len()) {
        let mut row = serde_json::json!({ "name": "a", "host": "db1", "user": "u" });
        row[COLUMNS[at]] = text.clone().into();
        let json = serde_json::json!([row]).to_string();
        let Ok(rows) = read(Format::Json, json.as_bytes()) else { return Ok(()) };
        for entry in plan(&[], &rows, &Defaults::default()).entries {
            prop_assert!(!shows(&entry.name), "{}: {}", COLUMNS[at], entry.name);
            prop_assert!(!entry.remark.is_some_and(|remark| shows(&remark)));
            match entry.change {
                Change::Bad(problem) => prop_assert!(!shows(&problem.to_string()), "{problem}"),
                Change::Add(record) => {
                    let seen = [&record.name, &record.host, &record.address()];
                    prop_assert!(!seen.iter().any(|text| shows(text)), "{}", COLUMNS[at]);
                    // A list splits a string at its semicolons: what is left of it may be a group, never its password.
                    prop_assert!(!record.groups.iter().any(|group| holds_password(group)), "{:?}", record.groups);
                }
                _ => prop_assert!(false, "{text} in {}", COLUMNS[at]),
            }
        }
    }

    #[test]
    fn in_no_option_of_an_inventory_file_does_it_get_anywhere((_, text, _) in strings(), at in 0..8_usize) {
        let option = ["name", "host", "database", "user", "host_in_certificate", "groups", "labels", "pin"][at];
        let quoted = toml::Value::from(text).to_string();
        let mut lines = vec![
            ("name", "\"a\"".to_owned()),
            ("host", "\"db1\"".into()),
            ("user", "\"u\"".into()),
            ("password", "{ env = \"P\" }".into()),
        ];
        lines.retain(|(name, _)| *name != option);
        lines.push((option, match option {
            "groups" => format!("[{quoted}]"),
            "labels" => format!("{{ team = {quoted} }}"),
            _ => quoted,
        }));
        let lines = lines.iter().map(|(name, value)| format!("{name} = {value}\n")).collect::<Vec<_>>().concat();
        let read = config::inventory::read(Path::new("f.toml"), &format!("[[instance]]\n{lines}"));
        prop_assert!(!read.errors.is_empty(), "{option}: {lines}");
        for error in &read.errors {
            prop_assert!(!shows(&error.to_string()), "{error}");
        }
    }
}
