//! The person at the keyboard, as far as the operating system knows, for the audit log.

use crate::model::inventory::record::Author;

/// The effective user, terminal, SSH client and login user of this process. The user's number cannot be forged by the environment; the
/// name beside it comes from `/etc/passwd`, else from the environment.
pub fn current_author() -> Author {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let said = || set("LOGNAME").or_else(|| set("USER")).or_else(|| set("USERNAME"));
    let login = login(loginuid().as_deref(), set("SUDO_USER"));
    Author { user: user(said), tty: tty(), ssh_client: set("SSH_CLIENT"), login }
}

#[cfg(unix)]
fn user(said: impl Fn() -> Option<String>) -> String {
    let number = rustix::process::geteuid().as_raw();
    name_of(number).or_else(said).map_or_else(|| number.to_string(), |name| format!("{name} ({number})"))
}

/// The name of a user's number in `/etc/passwd`.
#[cfg(unix)]
fn name_of(number: u32) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    })
}

/// The user who logged in: the kernel's word for it, which stays through `su` and `sudo` and which nobody without rights can change;
/// else the word of `sudo`.
#[cfg(unix)]
fn login(loginuid: Option<&str>, sudo_user: Option<String>) -> Option<String> {
    /// As the kernel writes "never set".
    const UNSET: u32 = u32::MAX;
    match loginuid.and_then(|text| text.trim().parse::<u32>().ok()).filter(|number| *number != UNSET) {
        Some(number) => {
            Some(name_of(number).map_or_else(|| number.to_string(), |name| format!("{name} ({number})")))
        }
        None => sudo_user.map(|name| format!("{name}, by sudo")),
    }
}

#[cfg(unix)]
fn loginuid() -> Option<String> {
    std::fs::read_to_string("/proc/self/loginuid").ok()
}

#[cfg(not(unix))]
const fn loginuid() -> Option<String> {
    None
}

#[cfg(not(unix))]
fn login(_: Option<&str>, sudo_user: Option<String>) -> Option<String> {
    sudo_user
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

    #[cfg(unix)]
    #[test]
    fn who_logged_in_is_the_kernels_word_then_that_of_sudo() {
        use super::login;
        let sudo = || Some("mira".to_owned());
        assert_eq!(login(Some("0\n"), sudo()).as_deref(), Some("root (0)"));
        assert_eq!(login(Some("4294967294"), sudo()).as_deref(), Some("4294967294"), "a user without a name");
        for unset in [Some("4294967295"), Some("-1"), Some(""), None] {
            assert_eq!(login(unset, sudo()).as_deref(), Some("mira, by sudo"), "{unset:?}");
            assert_eq!(login(unset, None), None, "{unset:?}");
        }
    }
}
