//! Reports of connections and rights as text and as JSON.

use crate::{
    app::inventory::doctor::Tested,
    cli::Report,
    model::{
        base::time::Timestamp,
        inventory::{
            check::{Certificate, State},
            doctor::{Cell, Diagnosis, Right},
        },
    },
};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Prints the tests of connections, each with the rights that were found.
pub fn print_tests(tested: &[Tested], format: Report, out: &mut impl Write) -> io::Result<()> {
    if format == Report::Json {
        return print_json(tested.iter().map(whole), out);
    }
    for (index, one) in tested.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        print_steps(one, out)?;
        print_diagnosis(one, out)?;
    }
    Ok(())
}

/// Prints the rights alone; for instances that were not reached, why.
pub fn print_rights(tested: &[Tested], format: Report, out: &mut impl Write) -> io::Result<()> {
    if format == Report::Json {
        return print_json(tested.iter().map(|one| with_instance(one, &rights(one))), out);
    }
    for (index, one) in tested.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        match one.rights {
            Some(_) => writeln!(out, "{}  {}", one.report.instance, one.report.address)?,
            None => print_steps(one, out)?,
        }
        print_diagnosis(one, out)?;
    }
    Ok(())
}

fn print_steps(one: &Tested, out: &mut impl Write) -> io::Result<()> {
    let report = &one.report;
    let verdict = if report.passed() { "works" } else { "FAILED" };
    writeln!(out, "{}  {}  {verdict}", report.instance, report.address)?;
    for line in report.lines() {
        writeln!(out, "  {:<8} {:<12} {}", line.step, line.state.words(), line.words)?;
    }
    // A refused certificate is shown, so that it can be compared and pinned.
    if let (State::Failed, Some(shown)) = (report.lines()[2].state, &report.certificate) {
        writeln!(out, "  {:<8} {:<12} {} by {}", "", "shown", shown.subject, shown.issuer)?;
        writeln!(out, "  {:<8} {:<12} {}", "", "SHA-256", shown.fingerprint)?;
    }
    Ok(())
}

fn print_diagnosis(one: &Tested, out: &mut impl Write) -> io::Result<()> {
    let diagnosis = match &one.rights {
        None => return Ok(()),
        Some(Err(failure)) => return writeln!(out, "  rights   unknown      {failure}"),
        Some(Ok(diagnosis)) => diagnosis,
    };
    write!(out, "  {:<16}", "pane")?;
    for right in Right::ALL {
        write!(out, "{:<13}", right.word())?;
    }
    writeln!(out)?;
    for row in &diagnosis.rows {
        write!(out, "  {:<16}", row.pane)?;
        for cell in row.cells {
            write!(out, "{:<13}", if cell == Cell::NotUsed { "·" } else { cell.word() })?;
        }
        writeln!(out)?;
    }
    let Some(script) = diagnosis.script() else {
        return writeln!(out, "  {} may see all that dbtop shows", diagnosis.login);
    };
    writeln!(
        out,
        "  {} lacks {}. To be read and run by somebody who may:",
        diagnosis.login,
        lacks(diagnosis)
    )?;
    if let Some(hint) = diagnosis.hint() {
        writeln!(out, "  ({hint})")?;
    }
    writeln!(out)?;
    out.write_all(script.as_bytes())
}

fn lacks(diagnosis: &Diagnosis) -> String {
    diagnosis.holes.iter().map(|hole| hole.name).collect::<Vec<_>>().join(", ")
}

fn print_json(values: impl Iterator<Item = Value>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Value::Array(values.collect()))?;
    writeln!(out)
}

fn with_instance(one: &Tested, rest: &Value) -> Value {
    json!({
        "instance": one.report.instance.as_str(),
        "address": &*one.report.address,
        "rights": rest,
    })
}

fn whole(one: &Tested) -> Value {
    let report = &one.report;
    let steps: Vec<Value> = report
        .lines()
        .iter()
        .map(|line| json!({ "step": line.step, "state": line.state.words(), "words": &*line.words }))
        .collect();
    let server = report.server.done();
    let tls = report.tls.done().and_then(Option::as_ref);
    json!({
        "instance": report.instance.as_str(),
        "address": &*report.address,
        "passed": report.passed(),
        "steps": steps,
        "addresses": report.name.done().map(|all| all.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>()),
        "tcp_ms": report.tcp.done(),
        "tls_version": tls.map(|tls| &*tls.version),
        "cipher": tls.map(|tls| &*tls.cipher),
        "certificate": report.certificate.as_ref().map(certificate),
        "login_ms": report.login.done(),
        "version": server.and_then(|s| s.version.as_deref()),
        "edition": server.and_then(|s| s.edition.as_deref()),
        "latency_us": report.latency.done(),
        "clock_skew_ms": report.skew.done(),
        "rights": rights(one),
    })
}

fn certificate(of: &Certificate) -> Value {
    let names: Vec<&str> = of.names.iter().map(|name| &**name).collect();
    json!({
        "subject": &*of.subject,
        "issuer": &*of.issuer,
        "names": names,
        "not_before": of.not_before.map(Timestamp::day),
        "not_after": of.not_after.map(Timestamp::day),
        "sha256": of.fingerprint.to_string(),
        "key": &*of.key,
        "made_at_start": of.made_at_start,
    })
}

/// Null where the login was not asked.
fn rights(one: &Tested) -> Value {
    let diagnosis = match &one.rights {
        None => return Value::Null,
        Some(Err(failure)) => return json!({ "problem": failure.to_string() }),
        Some(Ok(diagnosis)) => diagnosis,
    };
    let matrix: Vec<Value> = diagnosis
        .rows
        .iter()
        .map(|row| {
            let used = Right::ALL.iter().zip(row.cells).filter(|(_, cell)| *cell != Cell::NotUsed);
            let cells: serde_json::Map<String, Value> = used
                .map(|(right, cell)| (right.word().to_owned(), cell.word().to_lowercase().into()))
                .collect();
            json!({ "pane": row.pane, "rights": cells })
        })
        .collect();
    let holes: Vec<Value> = diagnosis
        .holes
        .iter()
        .map(|hole| {
            json!({ "right": hole.name, "panes": hole.panes, "lost": hole.lost, "script": &*hole.script })
        })
        .collect();
    json!({ "login": &*diagnosis.login, "panes": matrix, "holes": holes, "hint": diagnosis.hint() })
}
