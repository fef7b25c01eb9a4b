//! Registered servers of SQL Server Management Studio, as its export writes them (`.regsrvr`): one document for each server,
//! its folder in the address of its parent, the rest in a connection string. Passwords in there are encrypted for one
//! Windows user on one machine and nobody else can read them; each such row says so.

use super::{
    Draft, FileProblem, Row, Rows,
    cms::{add_remark, merge_folders, set_folder},
    field::{Field, Value, set_text, shown},
    text::{Lines, MAX_CELL_BYTES},
};
use crate::model::inventory::{
    connection::{self, ConnectionString},
    record::{Auth, InstanceRecord, RecordError, TlsCheck},
};
use quick_xml::{
    Reader,
    escape::{escape, resolve_predefined_entity},
    events::{BytesRef, BytesStart, Event},
};
use std::fmt::Write;

const MAX_DEPTH: usize = 64;
const ROOT: &str = "/RegisteredServersStore/ServerGroup/DatabaseEngineServerGroup";
const MARKS: &str = "RegisteredServer";

/// The texts of one `RegisteredServer` element.
#[derive(Default)]
struct Server {
    at: usize,
    name: String,
    description: String,
    address: String,
    service: String,
    parent: String,
    connection: String,
}

/// Reads a file.
pub fn read(text: &str) -> Result<Rows, FileProblem> {
    let lines = Lines::of(text);
    let mut rows = Rows::default();
    for server in servers(text, &lines)? {
        if !server.service.is_empty() && server.service.trim() != "DatabaseEngine" {
            let kind = shown(server.service.trim());
            rows.remarks
                .push(format!("{} is no database engine ({kind}) and is left out", shown(&server.name)));
            continue;
        }
        let line = lines.at(server.at);
        let mut draft = Draft::default();
        let (draft, remark) = match fill(&mut draft, &server) {
            Ok(remark) => (Ok(draft), remark),
            Err(mistake) => (Err(draft.problem(line, mistake)), None),
        };
        rows.rows.push(Row { line, draft, remark });
    }
    merge_folders(&mut rows.rows);
    if rows.rows.is_empty() && rows.remarks.is_empty() {
        let reason =
            "there is no RegisteredServer in it: is it an export of SSMS's Registered Servers?".into();
        return Err(FileProblem { line: 1, reason });
    }
    Ok(rows)
}

/// All servers of the file, at any depth.
fn servers(text: &str, lines: &Lines) -> Result<Vec<Server>, FileProblem> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let (mut found, mut open) = (Vec::new(), None::<Server>);
    loop {
        let at = reader.buffer_position() as usize;
        let broken = |reason: &str| FileProblem { line: lines.at(at), reason: reason.to_owned() };
        match reader.read_event().map_err(|_| broken("the XML is broken here"))? {
            Event::Start(element) => {
                if path.len() >= MAX_DEPTH {
                    return Err(broken("elements are nested too deeply"));
                }
                path.push(local_name(&element));
                if open.is_none() && is_server(&path) {
                    open = Some(Server { at, ..Server::default() });
                }
            }
            Event::End(_) => {
                if is_server(&path) {
                    found.extend(open.take());
                }
                path.pop();
            }
            Event::Text(words) => push(open.as_mut(), &path, &words.xml10_content()),
            Event::CData(words) => push(open.as_mut(), &path, &words.xml10_content()),
            Event::GeneralRef(entity) => {
                let mut buffer = [0; 4];
                let words =
                    entity_text(&entity, &mut buffer).ok_or_else(|| broken("an entity is not known"))?;
                push(open.as_mut(), &path, words);
            }
            // SSMS writes a carriage return within a text as `<?char 13?>`.
            Event::PI(instruction) => {
                let mut buffer = [0; 4];
                if let Some(words) = character(&instruction, &mut buffer) {
                    push(open.as_mut(), &path, words);
                }
            }
            Event::Eof if path.is_empty() => return Ok(found),
            Event::Eof => return Err(broken("the file is cut short")),
            _ => {}
        }
    }
}

/// The character of `<?char N?>`; other instructions are for other programs.
fn character<'a>(instruction: &str, buffer: &'a mut [u8; 4]) -> Option<&'a str> {
    let code = instruction.trim().strip_prefix("char")?.trim().parse().ok()?;
    char::from_u32(code).map(|c| &*c.encode_utf8(buffer))
}

fn entity_text<'a>(entity: &BytesRef<'_>, buffer: &'a mut [u8; 4]) -> Option<&'a str> {
    match entity.resolve_char_ref() {
        Ok(Some(c)) => Some(c.encode_utf8(buffer)),
        Ok(None) => resolve_predefined_entity(entity),
        Err(_) => None,
    }
}

/// Without the namespace: prefixes differ from version to version.
fn local_name(element: &BytesStart<'_>) -> String {
    element.local_name().as_ref().to_owned()
}

/// A server's own element has a server's children; the schema at the top of the file has no such element with content.
fn is_server(path: &[String]) -> bool {
    path.last().is_some_and(|name| name == MARKS)
}

fn push(server: Option<&mut Server>, path: &[String], text: &str) {
    let Some(server) = server else { return };
    let Some(name) = path.last() else { return };
    let parent = path.iter().rev().nth(2).is_some_and(|name| name == "Parent");
    let own = path.iter().rev().nth(1).is_some_and(|name| name == MARKS);
    let place = match name.as_str() {
        "Uri" if parent => &mut server.parent,
        "Name" if own => &mut server.name,
        "Description" if own => &mut server.description,
        "ServerName" if own => &mut server.address,
        "ServerType" if own => &mut server.service,
        "ConnectionStringWithEncryptedPassword" if own => &mut server.connection,
        _ => return,
    };
    if place.len() <= MAX_CELL_BYTES {
        place.push_str(text);
    }
}

/// The values of a server, each with what the file calls it. Returns a remark.
fn fill(draft: &mut Draft, server: &Server) -> Result<Option<String>, RecordError> {
    let says = ConnectionString::of(&server.connection);
    let (host, host_from) = match server.address.as_str() {
        address if address.trim().is_empty() => (says.host.as_str(), "Data Source"),
        address => (address, "ServerName"),
    };
    let (name, name_from) = match server.name.as_str() {
        name if name.trim().is_empty() => (host, host_from),
        name => (name, "Name"),
    };
    let notes = server.description.replace("\r\n", "\n").replace('\r', "\n");
    draft.spell_field(Field::Groups, "Parent");
    for (field, called, text) in [
        (Field::Host, host_from, host),
        (Field::Name, name_from, name),
        (Field::Database, "Initial Catalog", &says.database),
        (Field::Notes, "Description", &notes),
        (Field::HostInCertificate, "HostNameInCertificate", &says.host_in_certificate),
        (Field::User, "User ID", &says.user),
        (Field::Auth, "Authentication", says.auth()),
    ] {
        draft.spell_field(field, called);
        put(draft, field, text)?;
    }
    if says.strict {
        draft.set(Field::Tls, Value::Text("strict".into()));
    }
    for (yes, field) in
        [(says.read_only, Field::ReadOnlyIntent), (says.multi_subnet, Field::MultiSubnetFailover)]
    {
        if yes {
            draft.set(field, Value::Flag(true));
        }
    }
    let mut said = set_folder(draft, &folder(&server.parent));
    if let Some(more) = remark(&says) {
        add_remark(&mut said, &more);
    }
    Ok(said)
}

fn put(draft: &mut Draft, field: Field, text: &str) -> Result<(), RecordError> {
    match super::column(field.name()) {
        Some(column) => set_text(column, text)?.map_or(Ok(()), |value| draft.add(column, value)),
        None => Ok(()),
    }
}

/// What the string has that cannot be taken over.
fn remark(says: &ConnectionString) -> Option<String> {
    let mut said = Vec::new();
    if says.password.is_some() {
        said.push("its password is encrypted for one Windows user and cannot be read: give it anew");
    }
    if says.unchecked {
        said.push("SSMS did not check its certificate; dbtop will: use tls = pin or a CA file if that fails");
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// The folders below the root, from the parent's address. `_` escapes characters that have a meaning in an address.
fn folder(uri: &str) -> Vec<String> {
    let rest = uri.trim().strip_prefix(ROOT).unwrap_or_default();
    let mut parts: Vec<String> = vec![String::new()];
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '/' => {
                parts.push(String::new());
                continue;
            }
            '_' => match chars.next() {
                Some('a') => '#',
                Some('b') => ':',
                Some('c') => '?',
                Some('d') => '@',
                Some(other) => other,
                None => '_',
            },
            c => c,
        };
        parts.last_mut().into_iter().for_each(|part| part.push(c));
    }
    // `/ServerGroup/EU/ServerGroup/Sales`: every second part is a name.
    let names = parts
        .get(1..)
        .unwrap_or_default()
        .chunks(2)
        .filter(|pair| pair.first().is_some_and(|p| p == "ServerGroup"));
    names.filter_map(|pair| pair.get(1)).map(|name| unescaped(name).trim().to_owned()).collect()
}

/// SSMS escapes for XML once more within addresses.
fn unescaped(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&quot;", "\""), ("&amp;", "&")]
        .into_iter()
        .fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '_' | '.' | '/' => out.extend(['_', c]),
            '#' => out.push_str("_a"),
            ':' => out.push_str("_b"),
            '?' => out.push_str("_c"),
            '@' => out.push_str("_d"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// Writes a file that SSMS imports below Local Server Groups. An instance stands in the folder of each of its groups; a
/// group that is part of another (`EU` of `EU/Sales`) is the folder above.
pub fn write(records: &[InstanceRecord]) -> String {
    let mut folders: Vec<Vec<&str>> =
        records.iter().flat_map(|r| &r.groups).map(|g| g.split('/').collect()).collect();
    let above: Vec<Vec<&str>> =
        folders.iter().flat_map(|path| (1..path.len()).map(|depth| path[..depth].to_vec())).collect();
    folders.extend(above);
    folders.sort_unstable();
    folders.dedup();
    let mut out = String::from(HEAD);
    group(&mut out, &[], &folders, records);
    for path in &folders {
        group(&mut out, path, &folders, records);
    }
    for record in records {
        for path in homes(record) {
            server(&mut out, record, &path);
        }
    }
    out.push_str(TAIL);
    out
}

const HEAD: &str = r#"<?xml version="1.0"?>
<model xmlns="http://schemas.serviceml.org/smlif/2007/02">
  <identity>
    <name>urn:uuid:96fe1236-abf6-4a57-b54d-e9baab394fd1</name>
    <baseURI>http://documentcollection/</baseURI>
  </identity>
  <xs:bufferSchema xmlns:xs="http://www.w3.org/2001/XMLSchema">
    <instances xmlns:sfc="http://schemas.microsoft.com/sqlserver/sfc/serialization/2007/08">
"#;
const TAIL: &str = "    </instances>\n  </xs:bufferSchema>\n</model>\n";
const SPACES: &str = r#"xmlns:RegisteredServers="http://schemas.microsoft.com/sqlserver/RegisteredServers/2007/08" xmlns:sfc="http://schemas.microsoft.com/sqlserver/sfc/serialization/2007/08" xmlns:sml="http://schemas.serviceml.org/sml/2007/02" xmlns:xs="http://www.w3.org/2001/XMLSchema""#;

/// The folders of an instance: its groups without those that are above another of its groups; the root if it has none.
fn homes(record: &InstanceRecord) -> Vec<Vec<&str>> {
    let below =
        |group: &str| record.groups.iter().any(|g| g.strip_prefix(group).is_some_and(|r| r.starts_with('/')));
    let own: Vec<Vec<&str>> =
        record.groups.iter().filter(|g| !below(g)).map(|group| group.split('/').collect()).collect();
    if own.is_empty() { vec![Vec::new()] } else { own }
}

fn uri(path: &[&str]) -> String {
    path.iter().fold(ROOT.to_owned(), |uri, name| format!("{uri}/ServerGroup/{}", escaped(name)))
}

fn document(out: &mut String, alias: &str, element: &str, content: &str) {
    // writing to a String cannot fail
    let _ = write!(
        out,
        "      <document>\n        <docinfo>\n          <aliases>\n            <alias>{}</alias>\n          </aliases>\n          \
         <sfc:version DomainVersion=\"1\" />\n        </docinfo>\n        <data>\n          \
         <RegisteredServers:{element} {SPACES}>\n{content}          </RegisteredServers:{element}>\n        </data>\n      \
         </document>\n",
        escape(alias),
    );
}

fn reference(uri: &str) -> String {
    format!("<sfc:Reference sml:ref=\"true\"><sml:Uri>{}</sml:Uri></sfc:Reference>", escape(uri))
}

fn property(name: &str, kind: &str, text: &str) -> String {
    format!(
        "            <RegisteredServers:{name} type=\"{kind}\">{}</RegisteredServers:{name}>\n",
        escape(text)
    )
}

fn group(out: &mut String, path: &[&str], folders: &[Vec<&str>], records: &[InstanceRecord]) {
    let own = uri(path);
    let children = folders.iter().filter(|f| f.len() == path.len() + 1 && f.starts_with(path));
    let groups: String = children.map(|child| reference(&uri(child))).collect();
    let here = records.iter().filter(|record| homes(record).iter().any(|home| home == path));
    let servers: String =
        here.map(|r| reference(&format!("{own}/RegisteredServer/{}", escaped(&r.name)))).collect();
    let mut content = String::new();
    for (name, items) in [("ServerGroups", groups), ("RegisteredServers", servers)] {
        if !items.is_empty() {
            let _ = writeln!(
                content,
                "            <RegisteredServers:{name}><sfc:Collection>{items}</sfc:Collection></RegisteredServers:{name}>"
            );
        }
    }
    let parent = path.split_last().map_or("/RegisteredServersStore".to_owned(), |(_, above)| uri(above));
    let _ = writeln!(
        content,
        "            <RegisteredServers:Parent>{}</RegisteredServers:Parent>",
        reference(&parent)
    );
    content += &property("Name", "string", path.last().unwrap_or(&"DatabaseEngineServerGroup"));
    content += &property("ServerType", "ServerType", "DatabaseEngine");
    document(out, &own, "ServerGroup", &content);
}

fn server(out: &mut String, record: &InstanceRecord, path: &[&str]) {
    let parent = uri(path);
    let mut content =
        format!("            <RegisteredServers:Parent>{}</RegisteredServers:Parent>\n", reference(&parent));
    content += &property("Name", "string", &record.name);
    content += &property("Description", "string", &record.notes);
    content += &property("ServerName", "string", &record.address());
    content += &property("UseCustomConnectionColor", "boolean", "false");
    content += &property("CustomConnectionColorArgb", "int", "-986896");
    content += &property("ServerType", "ServerType", "DatabaseEngine");
    content += &property("ConnectionStringWithEncryptedPassword", "string", &connection_string(record));
    content += &property("CredentialPersistenceType", "CredentialPersistenceType", "PersistLoginName");
    document(
        out,
        &format!("{parent}/RegisteredServer/{}", escaped(&record.name)),
        "RegisteredServer",
        &content,
    );
}

fn connection_string(record: &InstanceRecord) -> String {
    let mut pairs = vec![("data source", record.address())];
    let mut add = |key, text: Option<&str>| pairs.extend(text.map(|text| (key, text.to_owned())));
    add("initial catalog", record.database.as_deref());
    match &record.auth {
        Auth::Sql { user, .. } => add("user id", Some(user)),
        Auth::Entra { .. } => add("authentication", Some("Active Directory Interactive")),
        Auth::Kerberos | Auth::Ntlm { .. } => add("integrated security", Some("True")),
    }
    add("encrypt", Some(if record.tls.check == TlsCheck::Strict { "Strict" } else { "True" }));
    add("trustservercertificate", Some("False"));
    add("hostnameincertificate", record.tls.host_in_certificate.as_deref());
    add("application intent", record.read_only_intent.then_some("ReadOnly"));
    add("multisubnetfailover", record.multi_subnet_failover.then_some("True"));
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{key}={}", connection::quoted(value))).collect();
    pairs.join(";")
}

#[cfg(test)]
#[path = "regsrvr_tests.rs"]
mod tests;
