//! Registered servers of SSMS, written in every way in which tools, editors and transfers leave them: encodings, prefixes,
//! escapes, line ends, things of others around and between. Each way tells the same instances, or the file is refused with a
//! line; never something else.

use dbtop::{
    exchange::{Defaults, Format, read},
    model::inventory::record::{Auth, GroupRecord, InstanceRecord},
};
use proptest::{collection, prelude::*};

/// A server as SSMS knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Server {
    name: String,
    host: String,
    port: u16,
    user: String,
    database: String,
    notes: String,
    folder: Vec<String>,
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Style {
    encoding: usize,
    declares: usize,
    prefix: usize,
    escape: usize,
    newline: usize,
    line_end_in_notes: usize,
    around: usize,
    noise: bool,
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    let plain =
        || "[a-zA-Z0-9äß€=+@'\"<>&;,|#%!\\\\-]([ a-zA-Z0-9äß'\"<>&;,\\\\._/:?@#]{0,10}[a-z0-9;\"'\\\\\\]])?";
    let folder = || "[A-Za-z0-9ä_.:?@#&<>'\"]{1,8}";
    let server = (
        plain(),
        "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\\.corp)?",
        1..=u16::MAX,
        plain(),
        plain(),
        collection::vec(plain(), 1..4),
        collection::vec(folder(), 0..3),
    );
    let server = server.prop_map(|(name, host, port, user, database, notes, folder)| Server {
        // A name like `user:password@host` is refused, which is another test's business, too.
        name: if name.contains(':') { name.replace('@', "_") } else { name },
        host,
        port,
        user,
        database,
        notes: notes.join("\n"),
        folder,
    });
    collection::vec(server, 1..4).prop_map(|mut servers| {
        // Names and hosts that differ: what is the same twice is another test's business.
        for (n, server) in servers.iter_mut().enumerate() {
            server.name.insert_str(0, &format!("n{n}"));
            server.host.insert_str(0, &format!("h{n}"));
        }
        servers
    })
}

fn style() -> impl Strategy<Value = Style> {
    (0..7_usize, 0..5_usize, 0..3_usize, 0..6_usize, 0..3_usize, 0..5_usize, 0..4_usize, any::<bool>())
        .prop_map(|(encoding, declares, prefix, escape, newline, line_end_in_notes, around, noise)| Style {
            encoding,
            declares,
            prefix,
            escape,
            newline,
            line_end_in_notes,
            around,
            noise,
        })
}

/// A text between tags.
fn escaped(text: &str, escape: usize) -> String {
    let entities = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    let (before, after) = text.split_at(half);
    match escape {
        0 => entities(text),
        1 => text.chars().map(|c| format!("&#{};", u32::from(c))).collect::<Vec<_>>().concat(),
        2 => text.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect::<Vec<_>>().concat(),
        3 => format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>")),
        4 => format!("{}<!-- <Name>no</Name> -->{}", entities(before), entities(after)),
        _ => format!("{}<?other 65?>{}", entities(before), entities(after)),
    }
}

/// A folder's name within an address, as SSMS escapes it.
fn in_address(name: &str) -> String {
    let signs = |c: char| match c {
        '_' | '.' | '/' => format!("_{c}"),
        '#' => "_a".into(),
        ':' => "_b".into(),
        '?' => "_c".into(),
        '@' => "_d".into(),
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '\'' => "&apos;".into(),
        '"' => "&quot;".into(),
        c => c.to_string(),
    };
    name.chars().map(signs).collect()
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\"\""))
}

/// One file.
fn written(servers: &[Server], style: &Style) -> Vec<u8> {
    let p = ["RegisteredServers:", "rs:", ""][style.prefix];
    let nl = ["\n", "\r\n", ""][style.newline];
    let mut xml = [
        "",
        "<?xml version=\"1.0\"?>",
        "<?xml version='1.0' encoding='utf-8'?>",
        "<?xml version=\"1.0\" encoding=\"utf-16\" standalone=\"yes\"?>",
        "<?xml version=\"1.0\"?><!DOCTYPE model>",
    ][style.declares]
        .to_owned();
    let (open, close) = [
        ("<model>", "</model>"),
        ("<model xmlns=\"m\"><identity><name>urn:x</name></identity>", "</model>"),
        ("<a><b><c>", "</c></b></a>"),
        ("<model a='1 > 0'>\u{e4} text ", "</model>"),
    ][style.around];
    xml += open;
    for server in servers {
        let e = |text: &str| escaped(text, style.escape);
        let groups = server.folder.iter().map(|name| format!("/ServerGroup/{}", in_address(name)));
        let folder = groups.collect::<Vec<_>>().concat();
        let uri = e(&format!("/RegisteredServersStore/ServerGroup/DatabaseEngineServerGroup{folder}"));
        let connection = e(&format!(
            "data source=elsewhere;user id={};initial catalog={};password=AQAAANCMnd8BFdERjHoAwE",
            quoted(&server.user),
            quoted(&server.database)
        ));
        let end = ["<?char 13?>\n", "\n", "\r\n", "&#13;&#10;", "<?char 13?>&#xA;"][style.line_end_in_notes];
        let notes: Vec<String> = server.notes.split('\n').map(e).collect();
        let noise = if style.noise {
            format!("<{p}Other><{p}Name>wrong</{p}Name><{p}ServerName>wrong</{p}ServerName></{p}Other><x/>")
        } else {
            String::new()
        };
        let fields = [
            format!(
                "<{p}Parent><sfc:Reference sml:ref=\"true\"><sml:Uri>{uri}</sml:Uri></sfc:Reference></{p}Parent>"
            ),
            noise,
            format!("<{p}Name type=\"string\">{}</{p}Name>", e(&server.name)),
            format!("<{p}Description type='string'>{}</{p}Description>", notes.join(end)),
            format!(
                "<{p}ServerName type=\"string\"> {} </{p}ServerName>",
                e(&format!("{},{}", server.host, server.port))
            ),
            format!("<{p}ServerType type=\"ServerType\">DatabaseEngine</{p}ServerType>"),
            format!(
                "<{p}ConnectionStringWithEncryptedPassword>{connection}</{p}ConnectionStringWithEncryptedPassword>"
            ),
        ];
        let document = format!(
            "<document><data><{p}RegisteredServer xmlns:rs=\"x\">{nl}{}{nl}</{p}RegisteredServer></data></document>{nl}",
            fields.join(nl)
        );
        xml += &document;
    }
    xml += close;
    encoded(&xml, style.encoding)
}

fn encoded(xml: &str, encoding: usize) -> Vec<u8> {
    let wide = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
        let text: Vec<u8> = xml.encode_utf16().flat_map(unit).collect();
        [mark, text.as_slice()].concat()
    };
    match encoding {
        0 => xml.as_bytes().to_vec(),
        1 => [&b"\xef\xbb\xbf"[..], xml.as_bytes()].concat(),
        2 => wide(b"\xff\xfe", u16::to_le_bytes),
        3 => wide(b"\xfe\xff", u16::to_be_bytes),
        4 => wide(b"", u16::to_le_bytes),
        5 => wide(b"", u16::to_be_bytes),
        _ => [xml.as_bytes(), &b"\n\n"[..]].concat(),
    }
}

fn told(record: &InstanceRecord) -> Server {
    Server {
        name: record.name.clone(),
        host: record.host.clone(),
        port: record.port.unwrap_or_default(),
        user: match &record.auth {
            Auth::Sql { user, .. } => user.clone(),
            _ => String::new(),
        },
        database: record.database.clone().unwrap_or_default(),
        notes: record.notes.clone(),
        folder: record
            .groups
            .last()
            .map(|group| group.split('/').map(str::to_owned).collect())
            .unwrap_or_default(),
    }
}

/// With the folders as groups may be called.
fn grouped(mut servers: Vec<Server>) -> Vec<Server> {
    for folder in servers.iter_mut().flat_map(|server| &mut server.folder) {
        *folder = GroupRecord::free_name(folder);
    }
    servers
}

fn records(bytes: &[u8]) -> Vec<Server> {
    let rows = read(Format::Regsrvr, bytes).unwrap_or_else(|problem| panic!("{problem}"));
    let records = rows.records(&Defaults::default());
    records.into_iter().map(|record| told(&record.unwrap_or_else(|problem| panic!("{problem}")))).collect()
}

proptest! {
    #[test]
    fn the_same_servers_however_the_file_is_written(servers in servers(), style in style()) {
        prop_assert_eq!(records(&written(&servers, &style)), grouped(servers));
    }

    #[test]
    fn a_file_that_ends_too_early_is_refused_with_a_line(
        servers in servers(), style in style(), at in any::<prop::sample::Index>(),
    ) {
        let whole = written(&servers, &style);
        let close = whole.len() - if style.encoding == 6 { 2 } else { 0 };
        let cut = &whole[..at.index(close.saturating_sub(1))];
        let lines = whole.split(|byte| *byte == b'\n').count();
        match read(Format::Regsrvr, cut) {
            Err(problem) => prop_assert!((1..=lines).contains(&problem.line), "{problem}"),
            Ok(rows) => prop_assert!(false, "{} rows of a file without its end", rows.rows.len()),
        }
    }

    #[test]
    fn a_changed_byte_makes_another_file_or_a_refusal_and_no_password_is_shown(
        servers in servers(), style in style(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut bytes = written(&servers, &style);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        match read(Format::Regsrvr, &bytes) {
            Err(problem) => prop_assert!(!problem.to_string().contains("AQAAANCM"), "{problem}"),
            Ok(rows) => {
                prop_assert!(rows.rows.len() <= servers.len());
                for record in rows.records(&Defaults::default()) {
                    match record {
                        Ok(record) => prop_assert!(record.secrets().all(|s| s.reveal().is_empty())),
                        Err(problem) => prop_assert!(!problem.to_string().contains("AQAAANCM"), "{problem}"),
                    }
                }
            }
        }
    }

    #[test]
    fn any_depth_of_strange_elements_is_left_out_or_refused(servers in servers(), depth in 1..200_usize) {
        let style = Style {
            encoding: 0, declares: 1, prefix: 0, escape: 0, newline: 0, line_end_in_notes: 0, around: 0, noise: false,
        };
        let xml = String::from_utf8(written(&servers, &style)).unwrap();
        let deep = format!("<model>{}{}</model>", "<x><y/>".repeat(depth), "</x>".repeat(depth));
        let xml = xml.replace("<model>", &format!("<model>{}", &deep[7..deep.len() - 8]));
        match read(Format::Regsrvr, xml.as_bytes()) {
            Ok(_) => prop_assert_eq!(records(xml.as_bytes()), grouped(servers)),
            Err(problem) => prop_assert!(depth > 32 && problem.reason.contains("deeply"), "{depth}: {problem}"),
        }
    }
}
