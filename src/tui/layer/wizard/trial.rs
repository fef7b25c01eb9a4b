//! The test of a connection from the wizard: its steps, its result, and the report to read.

use crate::{
    model::{
        base::{failure::Failure, time::Timestamp},
        inventory::{
            check::{Certificate, ConnectionReport, State, TlsFacts},
            doctor::Diagnosis,
            record::{Auth, InstanceRecord},
        },
        poll::statement::{SqlText, Statement},
    },
    tui::{
        theme::Theme,
        widget::{document::Document, reader::Reader},
    },
};
use ratatui::style::Style;
use std::sync::Arc;

/// The state of the test for the present form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Untried,
    Running,
    /// it works
    Passed,
    /// it does not
    Failed,
    /// something of the connection was changed since
    Stale,
}

/// Rights that were examined.
pub type Rights = Option<Result<Diagnosis, Failure>>;

/// A test.
pub enum Trial {
    None,
    Running { of: Box<InstanceRecord>, since: Option<Timestamp> },
    Done { of: Box<InstanceRecord>, report: Box<ConnectionReport>, rights: Rights },
}

/// The part of a record that a test depends on.
pub fn connection(record: &InstanceRecord) -> InstanceRecord {
    let mut record = InstanceRecord { action: None, ..record.clone() };
    record.name.clear();
    record.groups.clear();
    record.labels.clear();
    record.notes.clear();
    record.poll = crate::model::inventory::record::PollSettings::default();
    record
}

impl Trial {
    /// The state of the test for this record.
    pub fn verdict(&self, now: &InstanceRecord) -> Verdict {
        match self {
            Self::None => Verdict::Untried,
            Self::Running { of, .. } if **of == connection(now) => Verdict::Running,
            Self::Done { of, report, .. } if **of == connection(now) => {
                if report.passed() {
                    Verdict::Passed
                } else {
                    Verdict::Failed
                }
            }
            Self::Running { .. } | Self::Done { .. } => Verdict::Stale,
        }
    }

    pub const fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }

    /// The script that grants all missing rights.
    pub fn script(&self) -> Option<String> {
        match self {
            Self::Done { rights: Some(Ok(diagnosis)), .. } => diagnosis.script(),
            _ => None,
        }
    }

    /// Rights that are missing.
    pub const fn holes(&self) -> usize {
        match self {
            Self::Done { rights: Some(Ok(diagnosis)), .. } => diagnosis.holes.len(),
            _ => 0,
        }
    }

    /// The certificate that was shown and not accepted, if it could be pinned.
    pub fn pinnable(&self) -> Option<&Certificate> {
        match self {
            Self::Done { report, .. } => report.pinnable(),
            _ => None,
        }
    }

    /// The report, to read; with the script beside it if there is room, else at its end. `asked`: a question below it
    /// shows the certificate.
    pub fn reader(&self, beside: bool, asked: bool, theme: &Theme) -> Reader {
        let document = match self {
            Self::Done { report, rights, .. } => {
                report_document(report, rights.as_ref(), (beside, asked), theme)
            }
            _ => pending(theme),
        };
        Reader::new(document)
    }
}

const STEPS: [&str; 7] = ["name", "tcp", "tls", "login", "version", "latency", "clock"];

fn pending(theme: &Theme) -> Document {
    let mut document = Document::new("Connection");
    for step in STEPS {
        document.field(step, theme.dim, |text| text.push('○'));
    }
    document
}

fn glyph(state: State, theme: &Theme) -> (&'static str, Style) {
    match state {
        State::Ok => ("●", theme.ok),
        State::Failed => ("✖", theme.critical),
        State::NotReached => ("○", theme.dim),
    }
}

fn report_document(
    report: &ConnectionReport,
    rights: Option<&Result<Diagnosis, Failure>>,
    (beside, asked): (bool, bool),
    theme: &Theme,
) -> Document {
    let mut document = Document::new(format!("Connection to {}", report.address));
    for line in report.lines() {
        let (mark, style) = glyph(line.state, theme);
        let protected = report.tls.done().and_then(Option::as_ref).filter(|_| line.step == "tls");
        let words = protected.map_or_else(
            || line.words.to_string(),
            |tls: &TlsFacts| format!("{}, {}", tls.version, tls.cipher),
        );
        let words = if line.state == State::NotReached { "not reached".to_owned() } else { words };
        document.field(line.step, style, |text| {
            text.push_str(mark);
            text.push(' ');
            text.push_str(&words);
        });
        let shown = protected.and_then(|tls| tls.certificate.as_ref()).or(report.certificate.as_ref());
        if let (Some(certificate), "tls", false) = (shown, line.step, asked) {
            for (name, words) in certificate_fields(certificate) {
                document.field(name, theme.base, |text| text.push_str(&words));
            }
        }
    }
    match rights {
        None => {}
        Some(Err(failure)) => {
            document.head("Rights");
            document.text(format!("▲ could not be looked at: {failure}"), theme.warning);
        }
        Some(Ok(diagnosis)) => doctor(&mut document, diagnosis, beside, theme),
    }
    document
}

/// Subject, issuer, end and fingerprint.
pub fn certificate_fields(certificate: &Certificate) -> Vec<(&'static str, String)> {
    let day = |at: Option<Timestamp>| at.map_or_else(|| "an unknown day".to_owned(), Timestamp::day);
    let mut fields = vec![
        ("  subject", certificate.subject.to_string()),
        ("  issuer", certificate.issuer.to_string()),
        ("  valid", format!("{} to {}", day(certificate.not_before), day(certificate.not_after))),
        ("  key", certificate.key.to_string()),
        ("  SHA-256", in_halves(&certificate.fingerprint.to_string())),
    ];
    fields.extend(certificate.remark().map(|remark| ("  note", remark.to_owned())));
    fields
}

/// A fingerprint on two lines, so that it can be compared on any screen.
fn in_halves(print: &str) -> String {
    let (first, second) = print.split_at_checked(print.len() / 2 + 1).unwrap_or((print, ""));
    format!("{first}\n{second}")
}

fn doctor(document: &mut Document, diagnosis: &Diagnosis, beside: bool, theme: &Theme) {
    document.head(format!("Rights of {}", diagnosis.login));
    let Some(script) = diagnosis.script() else {
        document.text("● it may see all that dbtop shows", theme.ok);
        return;
    };
    for hole in &diagnosis.holes {
        document.text(format!("▲ {} is missing", hole.name), theme.warning);
        document.field("  lost", theme.base, |text| text.push_str(&hole.lost));
        document.field("  in", theme.base, |text| text.push_str(&hole.panes.join(", ")));
    }
    document.head("y copies the script");
    if !beside {
        return document.text(script, theme.base);
    }
    let text = SqlText::new(script.into(), None, None, false);
    let end = text.batch.len();
    document.statement = Some(Statement { text: Arc::new(text), start: 0, end });
}

/// The login and the address, for the line above the report.
pub fn summary(record: &InstanceRecord) -> String {
    let kind = record.auth.kind();
    match &record.auth {
        Auth::Sql { user, .. } | Auth::Ntlm { user, .. } => {
            format!("{} as {user} ({kind})", record.address())
        }
        Auth::Entra { .. } | Auth::Kerberos => format!("{} with {kind}", record.address()),
    }
}
