//! Who a session is, by the columns that every script has for it.

use crate::{model::poll::who::Who, tds::Row};

/// Reads `login_name`, `host_name` and `program_name`.
pub(super) fn who(row: Row<'_>) -> Who {
    Who { login: row.name("login_name"), host: row.name("host_name"), program: row.name("program_name") }
}
