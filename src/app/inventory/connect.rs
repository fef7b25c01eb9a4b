//! A connection for a moment: whether an instance answers before it is saved, and which servers a Central Management Server
//! has registered.

use crate::{
    app::{clock, prompt::Prompt},
    config,
    exchange::{self, CmsGroup, CmsServer, Rows},
    model::{
        base::secret::Secret,
        inventory::{
            check::State,
            instance::Target,
            record::{InstanceRecord, SecretRef},
        },
    },
    tds::{self, Ask, Connection, Question, Roots},
};
use anyhow::{Context, bail};
use std::time::Duration;

/// Name, TCP, TLS and login together.
const WITHIN: Duration = Duration::from_secs(10);

/// Connects, logs in, and checks that the server can be watched.
///
/// # Errors
/// The first step that fails, in words.
pub async fn connect(record: &InstanceRecord, prompt: &mut dyn Prompt) -> anyhow::Result<()> {
    open(record, prompt).await?.close(Duration::from_secs(1)).await;
    Ok(())
}

async fn open(record: &InstanceRecord, prompt: &mut dyn Prompt) -> anyhow::Result<Connection> {
    let mut record = record.clone();
    let user = record.auth.user().unwrap_or_default().to_owned();
    if let Some(secret @ SecretRef::Ask) = record.auth.secret_mut() {
        *secret = SecretRef::Stored(prompt.secret(&format!("Password of {user} ({}): ", record.name))?);
    }
    let target = Target::try_from(&record)?;
    let source = record.auth.secret().cloned();
    let secret = tokio::task::spawn_blocking(move || {
        source.map_or_else(|| Ok(Secret::new(String::new())), |source| config::secret::resolve(&source))
    })
    .await?;
    let (report, connection) = tds::check(&target, secret, &Roots::load(), WITHIN, clock::now).await;
    let failed = report.lines().into_iter().find(|line| line.state == State::Failed);
    match (failed, connection) {
        (None, Some(connection)) => Ok(connection),
        (Some(line), _) => bail!("{}: {}", line.step, line.words),
        (None, None) => bail!("{} did not let us in", record.name),
    }
}

/// The servers that a Central Management Server has registered.
///
/// # Errors
/// It cannot be reached, or the login may not read msdb.
pub async fn registered_servers(record: &InstanceRecord, prompt: &mut dyn Prompt) -> anyhow::Result<Rows> {
    let mut connection = open(record, prompt).await?;
    let question =
        Question { what: "registered servers", sql: exchange::CMS_SCRIPT, params: &[], within: WITHIN };
    let answer = connection.ask(question).await;
    connection.close(Duration::from_secs(1)).await;
    if let Some(failure) = answer.error {
        return Err(anyhow::Error::msg(failure.text)).with_context(|| {
            format!("{}: reading its registered servers needs ServerGroupReaderRole in msdb", record.name)
        });
    }
    let (mut groups, mut servers) = (Vec::new(), Vec::new());
    for row in answer.sets.iter().flat_map(tds::ResultSet::rows) {
        let text = |column| row.line(column, 2048).map(|text| text.to_string()).unwrap_or_default();
        let id = row.i64("server_group_id").unwrap_or_default();
        if row.raw_text("kind") == Some("group") {
            groups.push(CmsGroup { id, parent: row.i64("parent_id"), name: text("name") });
        } else {
            servers.push(CmsServer {
                group: id,
                name: text("name"),
                server_name: text("server_name"),
                description: text("description"),
                server_type: row.i64("server_type").unwrap_or_default(),
            });
        }
    }
    Ok(exchange::cms_rows(&groups, &servers))
}
