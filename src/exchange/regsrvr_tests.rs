//! Tests of registered servers: files as SSMS writes them, encrypted passwords, files that are cut or hostile.

use super::*;
use crate::{exchange::Defaults, model::inventory::record::SecretRef};

fn document(parent: &str, name: &str, host: &str, connection: &str) -> String {
    format!(
        "<document><data><RegisteredServers:RegisteredServer xmlns:RegisteredServers=\"r\" xmlns:sfc=\"s\" xmlns:sml=\"m\">\
         <RegisteredServers:Parent><sfc:Reference sml:ref=\"true\"><sml:Uri>{ROOT}{parent}</sml:Uri></sfc:Reference>\
         </RegisteredServers:Parent><RegisteredServers:Name type=\"string\">{name}</RegisteredServers:Name>\n\
         <RegisteredServers:Description type=\"string\" /><RegisteredServers:ServerName type=\"string\">{host}\
         </RegisteredServers:ServerName><RegisteredServers:ServerType type=\"ServerType\">DatabaseEngine\
         </RegisteredServers:ServerType><RegisteredServers:ConnectionStringWithEncryptedPassword type=\"string\">{connection}\
         </RegisteredServers:ConnectionStringWithEncryptedPassword></RegisteredServers:RegisteredServer></data></document>\n"
    )
}

fn file(documents: &[String]) -> String {
    format!("<?xml version=\"1.0\"?>\n<model>\n{}</model>", documents.concat())
}

#[test]
fn folders_logins_and_what_cannot_be_read() {
    let text = file(&[
        document(
            "/ServerGroup/EU/ServerGroup/Sales_/Web",
            "shop &amp; co",
            r"db1\A,1444",
            "data source=x;user id=&quot;web;u&quot;;password=AQAAANCM;trustservercertificate=True",
        ),
        document(
            "",
            "dwh",
            "db2",
            "server=db2;integrated security=SSPI;encrypt=Strict;ApplicationIntent=ReadOnly",
        ),
        document(
            "",
            "cloud",
            "x.database.windows.net",
            "authentication=Active Directory Interactive;initial catalog=app",
        ),
    ]);
    let rows = read(&text).unwrap();
    let found: Vec<_> = rows.records(&Defaults::default()).into_iter().map(Result::unwrap).collect();
    let shop = &found[0];
    assert_eq!((shop.name.as_str(), shop.host.as_str(), shop.port), ("shop & co", "db1", Some(1444)));
    assert_eq!(shop.groups, ["EU", "EU/Sales/Web"]);
    assert!(shop.auth == Auth::Sql { user: "web;u".into(), secret: SecretRef::Ask });
    assert_eq!(shop.tls.check, TlsCheck::Verify, "never a silent downgrade");
    let remark = rows.rows[0].remark.clone().unwrap();
    assert!(remark.contains("encrypted for one Windows user") && remark.contains("certificate"), "{remark}");
    assert!(
        found[1].auth == Auth::Kerberos
            && found[1].read_only_intent
            && found[1].tls.check == TlsCheck::Strict
    );
    assert!(matches!(found[2].auth, Auth::Entra { .. }) && found[2].database.as_deref() == Some("app"));
    assert_eq!(rows.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 5, 7]);
}

#[test]
fn one_server_in_two_folders_is_one_instance() {
    let login = "user id=u";
    let text = file(&[
        document("/ServerGroup/EU", "a", "db1", login),
        document("/ServerGroup/Night", "a", "db1", login),
        document("", "a", "db2", login),
    ]);
    let rows = read(&text).unwrap();
    let groups: Vec<_> = rows.records(&Defaults::default()).into_iter().map(|r| r.unwrap().groups).collect();
    assert_eq!(groups, [vec!["EU".to_owned(), "Night".into()], vec![]]);
}

#[test]
fn a_second_login_in_another_folder_is_a_question_and_another_database_another_instance() {
    let text = file(&[
        document("/ServerGroup/EU", "a", "db1", "user id=u"),
        document("/ServerGroup/Night", "a", "db1", "user id=audit"),
        document("/ServerGroup/Day", "A", "DB1", "user id=U"),
        document("/ServerGroup/Cloud", "a", "db1", "user id=u;initial catalog=app"),
    ]);
    let rows = read(&text).unwrap();
    let records: Vec<_> = rows.records(&Defaults::default()).into_iter().map(Result::unwrap).collect();
    let names: Vec<&str> = records.iter().map(|record| record.name.as_str()).collect();
    assert_eq!(names, ["a", "a (audit)", "a (app)"]);
    assert_eq!(records[0].groups, ["EU", "Day"]);
    assert!(rows.rows[1].remark.as_ref().is_some_and(|remark| remark.contains("another login")));
    let mut plan = crate::exchange::plan(&[], &rows, &Defaults::default());
    assert_eq!((plan.second_logins(), plan.counts().add), (1, 2));
    plan.settle(&[], crate::exchange::Conflict::Both);
    assert_eq!(plan.counts().add, 3);
}

#[test]
fn what_is_refused_is_called_as_the_file_calls_it_and_shows_no_password() {
    let text = file(&[
        document("", "a", "db1,99999", "user id=u"),
        document("", "", "sa:hunter2@db1", "user id=u"),
        document("", "b", "", "data source=db1/x;user id=u"),
        document("", "c", "db2", "user id=u;hostnameincertificate=db2,1"),
    ]);
    let plan = crate::exchange::plan(&[], &read(&text).unwrap(), &Defaults::default());
    let told: Vec<String> =
        plan.entries.iter().filter_map(|entry| Some(entry.problem()?.to_string())).collect();
    for (told, words) in told.iter().zip([
        "line 3: ServerName: has a port",
        "line 5: ServerName: has a login",
        "line 7: Data Source: has a slash",
        "line 9: HostNameInCertificate: is a name alone",
    ]) {
        assert!(told.starts_with(words), "{told}");
    }
    assert_eq!(told.len(), 4);
    let names: Vec<&str> = plan.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert!(!format!("{told:?} {names:?}").contains("hunter2"), "{told:?} {names:?}");
}

#[test]
fn other_services_are_left_out_and_said() {
    let text = file(&[document("", "cube", "db1", "")
        .replace("DatabaseEngine\n", "x")
        .replace("type=\"ServerType\">DatabaseEngine", "type=\"ServerType\">AnalysisServices")]);
    let rows = read(&text).unwrap();
    assert!(rows.rows.is_empty() && rows.remarks[0].contains("AnalysisServices"), "{:?}", rows.remarks);
}

#[test]
fn broken_files_name_the_line() {
    let whole = file(&[document("", "a", "db1", "user id=u")]);
    assert!(read(&whole[..whole.len() - 3]).is_err());
    assert!(read("<model></model>").err().unwrap().reason.contains("RegisteredServer"));
    assert!(read(&whole.replace("db1", "&bomb;")).err().unwrap().reason.contains("entity"));
    let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(!read(&deep(64)).err().unwrap().reason.contains("deeply"), "it only is no such file");
    assert!(read(&deep(65)).err().unwrap().reason.contains("deeply"));
    assert!(read(&"<a>".repeat(100_000)).err().unwrap().reason.contains("deeply"));
    assert_eq!(read("<a>\n\n<b x='").err().unwrap().line, 3);
}

#[test]
fn addresses_of_folders_survive() {
    for name in ["EU", "a_b", "a.b", "#:?@", "<&>'\"", "\u{e4} b"] {
        assert_eq!(folder(&uri(&["top", name])), ["top", name]);
    }
}

#[test]
fn line_ends_in_notes_are_line_ends_again() {
    let one = document("", "a", "db1:1444", "user id=u").replace(
        "<RegisteredServers:Description type=\"string\" />",
        "<RegisteredServers:Description type=\"string\">first<?char 13?>\nsecond<?char 13?>third&#13;&#10;<?other 65?>fourth<?char x?>\
         </RegisteredServers:Description>",
    );
    let rows = read(&file(&[one])).unwrap();
    let record = rows.records(&Defaults::default()).remove(0).unwrap();
    assert_eq!(record.notes, "first\nsecond\nthird\nfourth");
    assert_eq!((record.host.as_str(), record.port), ("db1", Some(1444)), "one parser reads every address");
}
