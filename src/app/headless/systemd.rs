//! Messages to systemd from a service of `Type=notify`: datagrams with lines such as `READY=1`, to the socket that
//! `$NOTIFY_SOCKET` names (sd_notify(3)). Without that variable nothing is sent. Only a collector without a screen calls it.

#[cfg(unix)]
use std::os::unix::{
    ffi::OsStrExt,
    net::{SocketAddr, UnixDatagram},
};
use std::{ffi::OsStr, time::Duration};

/// The connection to the service manager, if there is one.
pub struct Notifier {
    #[cfg(unix)]
    line: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Connects as the environment says.
    pub fn of_process() -> Self {
        let var = |name| std::env::var(name).ok();
        let watchdog = watchdog(var("WATCHDOG_USEC").as_deref(), var("WATCHDOG_PID").as_deref());
        Self::at(std::env::var_os("NOTIFY_SOCKET").as_deref(), watchdog)
    }

    /// `address`: a path, or an abstract name with `@` in front.
    #[cfg(unix)]
    fn at(address: Option<&OsStr>, watchdog: Option<Duration>) -> Self {
        let open = |address: &OsStr| {
            let socket = UnixDatagram::unbound()?;
            // A manager that does not read must not block us.
            socket.set_nonblocking(true)?;
            Ok::<_, std::io::Error>((socket, address_of(address)?))
        };
        let line = address.and_then(|address| {
            open(address).inspect_err(|error| tracing::warn!(%error, "opening the notify socket")).ok()
        });
        Self { line, watchdog }
    }

    #[cfg(not(unix))]
    const fn at(_: Option<&OsStr>, watchdog: Option<Duration>) -> Self {
        Self { watchdog }
    }

    /// Interval of the watchdog's messages: two within the time after which systemd would end this process.
    pub fn watchdog_every(&self) -> Option<Duration> {
        self.watchdog.map(|limit| limit / 2)
    }

    /// Says: started, or done with a reload.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// Says: a reload has begun; [`Notifier::ready`] follows.
    pub fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
    }

    /// Says: ending.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// Says: alive.
    pub fn watchdog(&self) {
        self.tell("WATCHDOG=1");
    }

    /// One line for `systemctl status`.
    pub fn status(&self, words: &str) {
        self.tell(&format!("STATUS={}", words.replace('\n', " ")));
    }

    #[cfg(unix)]
    fn tell(&self, state: &str) {
        if let Some((socket, address)) = &self.line
            && let Err(error) = socket.send_to_addr(state.as_bytes(), address)
        {
            tracing::debug!(%error, state, "telling the service manager");
        }
    }

    #[cfg(not(unix))]
    fn tell(&self, _: &str) {}
}

#[cfg(target_os = "linux")]
fn address_of(address: &OsStr) -> std::io::Result<SocketAddr> {
    match address.as_bytes().strip_prefix(b"@") {
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name),
        None => SocketAddr::from_pathname(address),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn address_of(address: &OsStr) -> std::io::Result<SocketAddr> {
    SocketAddr::from_pathname(address)
}

/// The watchdog's limit, if there is one for this process.
fn watchdog(limit_us: Option<&str>, pid: Option<&str>) -> Option<Duration> {
    let mine = pid.is_none_or(|pid| pid.parse() == Ok(std::process::id()));
    let limit_us: u64 = limit_us?.parse().ok()?;
    (mine && limit_us > 0).then(|| Duration::from_micros(limit_us))
}

#[cfg(unix)]
fn monotonic_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let us = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000);
    u64::try_from(us).unwrap_or_default()
}

#[cfg(not(unix))]
const fn monotonic_us() -> u64 {
    0
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_the_file_system_and_an_abstract_one_are_told() {
        let heard = |socket: &UnixDatagram| {
            let mut bytes = [0; 512];
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let n = socket.recv(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes[..n]).into_owned()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        Notifier::at(Some(path.as_os_str()), None).ready();
        assert_eq!(heard(&by_path), "READY=1");

        let name = format!("dbtop-test-{}", std::process::id());
        let address =
            <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name.as_bytes()).unwrap();
        let abstract_one = UnixDatagram::bind_addr(&address).unwrap();
        let notifier = Notifier::at(Some(OsStr::new(&format!("@{name}"))), None);
        notifier.status("40 instances\n39 up");
        assert_eq!(heard(&abstract_one), "STATUS=40 instances 39 up", "a status is one line");
        notifier.reloading();
        let reloading = heard(&abstract_one);
        let stamp = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(stamp.parse::<u64>().unwrap() > 0, "{reloading}");
    }

    #[test]
    fn nobody_is_told_without_a_socket_and_a_dead_one_is_no_trouble() {
        Notifier::at(None, None).ready();
        Notifier::at(Some(OsStr::new("/no/such/socket")), None).ready();
    }

    #[test]
    fn the_watchdog_is_told_at_half_its_time_if_it_means_us() {
        let us = std::process::id().to_string();
        assert_eq!(watchdog(Some("30000000"), Some(&us)), Some(Duration::from_secs(30)));
        assert_eq!(watchdog(Some("30000000"), None), Some(Duration::from_secs(30)));
        assert_eq!(watchdog(Some("30000000"), Some("1")), None, "another process");
        assert_eq!(watchdog(None, None), None);
        let notifier = Notifier::at(None, Some(Duration::from_secs(30)));
        assert_eq!(notifier.watchdog_every(), Some(Duration::from_secs(15)));
    }
}
