//! Who a session is, by the columns that every script has for it.

use crate::{model::poll::who::Who, probe::context::ProbeContext, tds::Row};

/// Reads `login_name`, `host_name` and `program_name`; an Agent job as requests have it.
pub(super) fn who(row: Row<'_>, ctx: &ProbeContext) -> Who {
    let job = row.raw_text("program_name").and_then(|program| ctx.jobs.of(program));
    let program = job.or_else(|| row.name("program_name"));
    Who { login: row.name("login_name"), host: row.name("host_name"), program }
}
