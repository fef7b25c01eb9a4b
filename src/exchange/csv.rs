//! CSV as Excel and people write it: comma, semicolon or tab, quotes, `sep=;`, headers in any spelling. Columns named
//! `label.env` set one label each.

use super::{
    Draft, FileProblem, Row, RowProblem, Rows, Secrets,
    field::{COLUMNS, Column, Field, Kind, Value, column, set_text, shown},
    text::Lines,
};
use crate::model::inventory::record::{InstanceRecord, SecretRef};
use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use std::collections::BTreeMap;

/// The meaning of a header.
enum Head {
    /// with the header as the file spells it
    Column(&'static Column, String),
    Label(String),
    Unknown,
}

/// Reads a file.
pub fn read(text: &str) -> Result<Rows, FileProblem> {
    let (delimiter, text, skipped) = dialect(text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let lines = Lines::of(text);
    // A record's position is the end of the one before it: blank lines may follow.
    let line_of = |record: &StringRecord| {
        let from = record.position().map_or(0, |at| at.byte() as usize);
        let blank = text.bytes().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        lines.at(from + blank) + skipped
    };
    let mut records = reader.records();
    let header = records.next().and_then(Result::ok).ok_or_else(|| FileProblem {
        line: 1,
        reason: "the file is empty: it needs a line of column names".into(),
    })?;
    let mut rows = Rows::default();
    let heads =
        heads(&header, &mut rows.remarks).map_err(|reason| FileProblem { line: line_of(&header), reason })?;
    for record in records {
        let Ok(record) = record else {
            return Err(FileProblem { line: 1, reason: "the file cannot be taken apart into cells".into() });
        };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let line = line_of(&record);
        rows.rows.push(Row { line, draft: row(&heads, &record, line), remark: None });
    }
    Ok(rows)
}

/// The separator: the one of `sep=`, else the most frequent in the first line.
fn dialect(text: &str) -> (u8, &str, usize) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(&[separator]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (separator, rest, 1);
    }
    let count = |separator: u8| first.bytes().filter(|byte| *byte == separator).count();
    let separator = [b',', b';', b'\t'].into_iter().rev().max_by_key(|s| count(*s)).unwrap_or(b',');
    (separator, text, 0)
}

fn heads(header: &StringRecord, remarks: &mut Vec<String>) -> Result<Vec<Head>, String> {
    let mut heads = Vec::with_capacity(header.len());
    for cell in header {
        let cell = cell.trim();
        let label = ["label.", "label:", "labels."].iter().find_map(|start| {
            cell.get(..start.len())?.eq_ignore_ascii_case(start).then(|| &cell[start.len()..])
        });
        heads.push(match (label, column(cell)) {
            (Some(key), _) => Head::Label(key.trim().to_owned()),
            (None, Some(column)) => Head::Column(column, cell.to_owned()),
            (None, None) => {
                if !cell.is_empty() {
                    remarks.push(format!("column {} is not known and is left out", shown(cell)));
                }
                Head::Unknown
            }
        });
    }
    let has =
        |field| heads.iter().any(|head| matches!(head, Head::Column(column, _) if column.field == field));
    if !has(Field::Name) && !has(Field::Host) {
        return Err("no column is called name or host: the first line must name the columns".into());
    }
    Ok(heads)
}

fn row(heads: &[Head], record: &StringRecord, line: usize) -> Result<Draft, RowProblem> {
    if record.len() != heads.len() {
        return Err(RowProblem {
            line,
            field: "row".into(),
            reason: format!(
                "has {} cells where the header has {}: put texts with separators or line ends in quotes",
                record.len(),
                heads.len()
            ),
        });
    }
    let mut draft = Draft::default();
    for (head, cell) in heads.iter().zip(record) {
        if let Head::Column(column, header) = head {
            draft.spell(column, header);
        }
        let set = match head {
            Head::Unknown => Ok(()),
            Head::Label(_) if cell.trim().is_empty() => Ok(()),
            Head::Label(key) => {
                let label = BTreeMap::from([(key.clone(), tame(cell).trim().to_owned())]);
                column("labels").map_or(Ok(()), |labels| draft.add(labels, Value::Labels(label)))
            }
            Head::Column(column, _) => {
                let text = if matches!(column.kind, Kind::Secret(_)) { cell } else { tame(cell) };
                set_text(column, text)
                    .and_then(|value| value.map_or(Ok(()), |value| draft.add(column, value)))
            }
        };
        set.map_err(|mistake| draft.problem(line, mistake))?;
    }
    Ok(draft)
}

/// Writes a file: the columns that some instance fills, and always name, host and user.
pub fn write(records: &[InstanceRecord], secrets: Secrets) -> Result<Vec<u8>, String> {
    let drafts: Vec<Draft> = records.iter().map(Draft::of).collect();
    let mut used: Vec<&str> = vec!["name", "host", "user"];
    for draft in &drafts {
        used.extend(draft.cells(secrets).map(|(column, _)| column.name));
        used.sort_unstable();
        used.dedup();
    }
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| used.contains(&column.name)).collect();
    let mut out = WriterBuilder::new().from_writer(Vec::new());
    let failed = |error: csv::Error| format!("writing CSV: {error}");
    out.write_record(columns.iter().map(|column| column.name)).map_err(failed)?;
    for draft in &drafts {
        let cells: BTreeMap<&str, &Value> = draft.cells(secrets).map(|(c, value)| (c.name, value)).collect();
        out.write_record(
            columns.iter().map(|column| cells.get(column.name).map_or_else(String::new, |v| cell(v))),
        )
        .map_err(failed)?;
    }
    out.into_inner().map_err(|error| format!("writing CSV: {error}"))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Secret(SecretRef::Stored(secret)) => secret.reveal().to_owned(),
        Value::Secret(_) => value.text(),
        other => {
            let text = other.text();
            // A spreadsheet takes a text that starts so for a formula. `tame` takes the mark off again.
            if is_formula(&text) { format!("'{text}") } else { text }
        }
    }
}

fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@'])
}

/// The text without the mark that keeps spreadsheets from taking it for a formula.
fn tame(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        read(text)
            .unwrap()
            .rows
            .iter()
            .map(|r| r.draft.as_ref().unwrap().name().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_separator() {
        for text in [
            "name,host,user\na,h,u\nb,h,u\n",
            "Name;HOST;User\r\na;h;u\r\nb;h;u\r\n",
            "sep=|\nname|host|user\na|h|u\nb|h|u",
            "name\thost\tuser\n\na\th\tu\n\t\t\nb\th\tu\n",
        ] {
            assert_eq!(names(text), ["a", "b"], "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_quotes_and_blank_lines() {
        let text = "name,host,user,port,notes\na,h,u,1,\"two\nlines\"\n\nb,h,u,x,\nc,h,u\n";
        let rows = read(text).unwrap().rows;
        let problems: Vec<String> =
            rows.iter().filter_map(|row| row.draft.as_ref().err()).map(ToString::to_string).collect();
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0], "line 5: port: \"x\" is no number");
        assert!(
            problems[1].starts_with("line 6: row: has 3 cells where the header has 5"),
            "{}",
            problems[1]
        );
    }

    #[test]
    fn label_columns_and_unknown_columns() {
        let rows = read("name,host,user,label.env,Owner,Labels\na,h,u,prod,me,tier=1\n").unwrap();
        let record = rows.records(&super::super::Defaults::default()).remove(0).unwrap();
        assert_eq!(record.labels.len(), 2);
        assert_eq!(record.labels["env"], "prod");
        assert!(rows.remarks[0].contains("Owner"));
    }

    #[test]
    fn no_formula_reaches_a_spreadsheet() {
        let rows = read("name,host,user,notes\na,h,u,'=1+1\nb,h,u,'quoted'\n").unwrap();
        let records: Vec<_> =
            rows.records(&super::super::Defaults::default()).into_iter().map(Result::unwrap).collect();
        assert_eq!((records[0].notes.as_str(), records[1].notes.as_str()), ("=1+1", "'quoted'"));
        let text = String::from_utf8(write(&records, Secrets::Leave).unwrap()).unwrap();
        assert!(text.contains(",'=1+1") && text.contains(",'quoted'"), "{text}");
    }

    #[test]
    fn a_file_without_columns_is_refused() {
        assert!(read("").is_err());
        assert!(read("a,b\nc,d\n").is_err_and(|problem| problem.reason.contains("first line")));
    }
}
