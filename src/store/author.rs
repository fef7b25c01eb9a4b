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
    name_in(&std::fs::read_to_string("/etc/passwd").unwrap_or_default(), number)
}

#[cfg(unix)]
fn name_in(passwd: &str, number: u32) -> Option<String> {
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
    terminal(std::io::stdin()).or_else(|| terminal(std::io::stderr()))
}

/// The path of a terminal. None: it is none.
#[cfg(unix)]
fn terminal(file: impl std::os::fd::AsFd) -> Option<String> {
    rustix::termios::ttyname(file, Vec::new()).ok()?.into_string().ok()
}

#[cfg(not(unix))]
const fn tty() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn the_user_is_the_name_and_number_of_the_process_else_what_it_says_of_itself() {
        let number = rustix::process::geteuid().as_raw();
        let ours = super::name_of(number);
        let told = super::user(|| Some("mallory".to_owned()));
        let wanted = ours.clone().unwrap_or_else(|| "mallory".to_owned());
        assert_eq!(told, format!("{wanted} ({number})"), "the number is the kernel's");
        if ours.is_none() {
            assert_eq!(super::user(|| None), number.to_string());
        }
        let author = super::current_author();
        assert!(author.user.ends_with(&format!("({number})")) || author.user == number.to_string());
        assert_eq!(super::name_of(u32::MAX - 1), None, "nobody has it");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_is_the_first_field_of_the_line_whose_third_is_the_number() {
        let passwd = "# users\nroot:x:0:0:root:/root:/bin/sh\n\nmira:1000:1001:7:Mira:/srv/mira:/bin/sh\nodd:x\nlate:x:1001:1:::";
        for (number, name) in [(0, Some("root")), (1001, Some("mira")), (1000, None), (7, None)] {
            assert_eq!(super::name_in(passwd, number).as_deref(), name, "{number}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_terminal_is_told_by_its_path_and_a_file_is_none() {
        let pty = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
        let path = pty.master.tty_name().unwrap();
        let side = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        assert_eq!(super::terminal(side), path.to_str().map(str::to_owned));
        assert_eq!(super::terminal(tempfile::tempfile().unwrap()), None);
        assert!(super::tty().is_none_or(|name| name.starts_with("/dev/")));
        let there = std::path::Path::new("/proc/self/loginuid").exists();
        assert_eq!(super::loginuid().map(|text| text.trim().parse::<u32>().is_ok()), there.then_some(true));
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
