//! Who a session is, by the columns that every script has for it.

use super::activity::agent_job;
use crate::{model::poll::who::Who, tds::Row};

/// Reads `login_name`, `host_name` and `program_name`; an Agent job by its id and step, as requests have it.
pub(super) fn who(row: Row<'_>) -> Who {
    let job = row.raw_text("program_name").and_then(agent_job);
    let program = job.map(Into::into).or_else(|| row.name("program_name"));
    Who { login: row.name("login_name"), host: row.name("host_name"), program }
}
