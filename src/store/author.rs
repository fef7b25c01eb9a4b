//! The person at the keyboard, as far as the operating system knows, for the audit log.

use crate::model::inventory::record::Author;

/// The user, terminal and SSH client of this process. The user's number cannot be forged by the environment; the name
/// beside it comes from `/etc/passwd`, else from the environment.
pub fn current_author() -> Author {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let said = || set("LOGNAME").or_else(|| set("USER")).or_else(|| set("USERNAME"));
    Author { user: user(said), tty: tty(), ssh_client: set("SSH_CLIENT") }
}

#[cfg(unix)]
fn user(said: impl Fn() -> Option<String>) -> String {
    let number = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    });
    known.or_else(said).map_or_else(|| number.to_string(), |name| format!("{name} ({number})"))
}

#[cfg(not(unix))]
fn user(said: impl Fn() -> Option<String>) -> String {
    said().unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(unix)]
fn tty() -> Option<String> {
    let name = |found: rustix::io::Result<std::ffi::CString>| found.ok()?.into_string().ok();
    name(rustix::termios::ttyname(std::io::stdin(), Vec::new()))
        .or_else(|| name(rustix::termios::ttyname(std::io::stderr(), Vec::new())))
}

#[cfg(not(unix))]
const fn tty() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_always_a_user() {
        assert!(!super::current_author().user.is_empty());
    }
}
