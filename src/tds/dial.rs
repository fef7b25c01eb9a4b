//! First step of a connection: name to addresses (SQL Browser for a named instance), addresses to a socket. Cheap for us
//! however long it takes. Called by `collect` through [`dial`], and by `connect` and `check` step by step.

use super::{browser, error};
use crate::model::{
    base::{
        failure::{Failure, FailureKind},
        figure,
        text::sanitize_line,
    },
    inventory::{address::Endpoint, instance::Target},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until},
};

/// The port if none is named.
const DEFAULT_PORT: u16 = 1433;
/// The most addresses of one name that are tried; a listener over many subnets has a handful.
const MAX_ADDRESSES: usize = 64;

/// The pause after which the next address is tried beside those before it: RFC 8305, section 5 ("Connection Attempt Delay").
const NEXT_AFTER: Duration = Duration::from_millis(250);
/// The most addresses that a failure names.
const NAMED_ADDRESSES: usize = 8;

/// A TCP connection on which nothing was sent yet.
#[derive(Debug)]
pub struct Dialed {
    pub(super) tcp: TcpStream,
    /// the address that took us, if its name has others; for failures behind it
    pub(super) taken: Option<IpAddr>,
}

impl Dialed {
    /// The address for show, with the one that took us where there are several.
    pub(super) fn shown(&self, address: &str) -> String {
        self.taken.map_or_else(|| address.to_owned(), |taken| format!("{address} ({taken})"))
    }
}

/// First step: the name is resolved (or SQL Browser asked for the port of a named instance) and a TCP connection made.
/// Waits for `within` at most. Cheap for us however long it takes: no permit is needed.
///
/// # Errors
/// [`FailureKind::Unreachable`] or [`FailureKind::Timeout`], with a sentence that names every address that was tried.
pub async fn dial(target: &Target, within: Duration) -> Result<Dialed, Failure> {
    let began = Instant::now();
    let addresses = resolve_within(&target.endpoint, within).await?;
    let left = within.saturating_sub(began.elapsed());
    connect(&addresses, target.multi_subnet_failover, &target.info.address, left).await
}

/// The failure of a server that did not answer in time.
fn silent(shown: &str, within: Duration) -> Failure {
    let text = format!(
        "connect to {shown}: no answer within {}; a firewall, a wrong address or a dead host",
        figure::limit(within)
    );
    Failure::new(FailureKind::Timeout, text)
}

/// As [`resolve`], for so long.
///
/// # Errors
/// As [`resolve`]; [`FailureKind::Timeout`].
pub(super) async fn resolve_within(
    endpoint: &Endpoint,
    within: Duration,
) -> Result<Vec<SocketAddr>, Failure> {
    let slow = || {
        let text = format!(
            "look up {}: no answer within {}; check the name servers of this machine",
            sanitize_line(&endpoint.host, 256),
            figure::limit(within)
        );
        Err(Failure::new(FailureKind::Timeout, text))
    };
    tokio::time::timeout(within, resolve(endpoint)).await.unwrap_or_else(|_| slow())
}

/// All addresses of an endpoint, in the order of the resolver.
///
/// # Errors
/// The name has none, or SQL Browser does not know the instance.
pub(super) async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Failure> {
    match (&endpoint.instance, endpoint.port) {
        (Some(instance), None) => {
            let mut addresses = look_up(&endpoint.host, browser::PORT).await?;
            let (port, by) = browser::port_of(instance, &endpoint.host, &addresses).await?;
            // The machine that runs the instance is the likeliest to take us.
            addresses.sort_by_key(|address| *address != by);
            for address in &mut addresses {
                address.set_port(port);
            }
            Ok(addresses)
        }
        (_, port) => look_up(&endpoint.host, port.unwrap_or(DEFAULT_PORT)).await,
    }
}

/// A name's addresses, with `port`; never none.
pub(super) async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let host_words = sanitize_line(host, 256);
    let found = tokio::net::lookup_host((host, port)).await.map_err(|e| {
        let text = format!("look up {host_words}: {}; check the name", sanitize_line(&e.to_string(), 200));
        Failure::new(FailureKind::Unreachable, text)
    })?;
    let addresses: Vec<SocketAddr> = found.take(MAX_ADDRESSES).collect();
    if addresses.is_empty() {
        let text = format!("look up {host_words}: the name has no address");
        return Err(Failure::new(FailureKind::Unreachable, text));
    }
    Ok(addresses)
}

/// A socket to the first address that takes us, within `within`. A name may have several of which some are silent (a
/// listener over several subnets, IPv6 that leads nowhere), so the next one is tried after a pause or after a refusal, and
/// those before it go on meanwhile (RFC 8305); the pauses take half of the time at most. `at_once`: without pauses.
///
/// # Errors
/// All addresses, each with what became of it.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    at_once: bool,
    shown: &str,
    within: Duration,
) -> Result<Dialed, Failure> {
    let deadline = Instant::now() + within;
    let pause = pause(within, addresses.len(), at_once);
    let mut waiting = in_turns(addresses).into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut refused: Vec<(SocketAddr, io::Error)> = Vec::new();
    let mut next_at = Some(Instant::now());
    loop {
        tokio::select! {
            biased;
            Some((address, attempt)) = attempts.next() => match attempt {
                Ok(tcp) => return Ok(taken(tcp, address, addresses.len())),
                Err(e) => {
                    refused.push((address, e));
                    next_at = next_at.map(|_| Instant::now());
                }
            },
            () = sleep_until(next_at.unwrap_or(deadline)), if next_at.is_some() => match waiting.next() {
                Some(address) => {
                    attempts.push(async move { (address, TcpStream::connect(address).await) });
                    next_at = Some(Instant::now() + pause);
                }
                None => next_at = None,
            },
            () = sleep_until(deadline) => break,
        }
        if attempts.is_empty() && next_at.is_none() {
            break;
        }
    }
    Err(unreached(addresses, &refused, at_once, shown, within))
}

/// The pause between the begins of two attempts: the last one begins within half of the time.
fn pause(within: Duration, of: usize, at_once: bool) -> Duration {
    let parts = u32::try_from(of.max(1) * 2).unwrap_or(u32::MAX);
    if at_once { Duration::ZERO } else { NEXT_AFTER.min(within / parts) }
}

fn taken(tcp: TcpStream, address: SocketAddr, of: usize) -> Dialed {
    // A socket that refuses this is slower, not broken.
    let _ = tcp.set_nodelay(true);
    Dialed { tcp, taken: (of > 1).then_some(address.ip()) }
}

/// The families of addresses in turns, beginning with that of the first (RFC 8305, section 4).
fn in_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.iter().partition(|address| address.is_ipv6() == v6);
    let mut turns = Vec::with_capacity(addresses.len());
    while let Some(address) = one.pop_front() {
        turns.push(address);
        turns.extend(other.pop_front());
    }
    turns.extend(other);
    turns
}

/// No address took us: one by its reason, several with each of theirs.
fn unreached(
    addresses: &[SocketAddr],
    refused: &[(SocketAddr, io::Error)],
    at_once: bool,
    shown: &str,
    within: Duration,
) -> Failure {
    let why = |address: &SocketAddr| refused.iter().find(|(of, _)| of == address).map(|(_, e)| e);
    // Of this machine, whatever the address is.
    if let Some((_, e)) = refused.iter().find(|(_, e)| error::is_ours(e)) {
        return error::tcp(e, shown);
    }
    match addresses {
        [] => {
            return Failure::new(
                FailureKind::Unreachable,
                format!("look up {shown}: the name has no address"),
            );
        }
        [one] => return why(one).map_or_else(|| silent(shown, within), |e| error::tcp(e, shown)),
        _ => {}
    }
    let each = |address: &SocketAddr| {
        let why = why(address).map_or_else(|| "no answer".to_owned(), error::briefly);
        format!("{} {why}", address.ip())
    };
    let mut told: Vec<String> = addresses.iter().map(each).collect();
    // A row has room for some, and what to do stands behind them. The end is for who reads on.
    let others = told.split_off(told.len().min(NAMED_ADDRESSES));
    let mut rest = String::new();
    if !others.is_empty() {
        told.push(format!("and {} more", others.len()));
        rest = format!("; these: {}", others.join(", "));
    }
    let some_silent = addresses.iter().any(|address| why(address).is_none());
    let advice = match (some_silent, at_once) {
        (true, false) => {
            "a firewall, a dead host, or addresses that are not in use; of a listener over several subnets say \
             multi_subnet_failover, which tries all at once"
        }
        (true, true) => "a firewall, a dead host, or a listener that is offline",
        (false, _) => "is the instance started, and is this its port?",
    };
    let text = format!(
        "connect to {shown}: none of its {} addresses took us within {}: {}; {advice}{rest}",
        addresses.len(),
        figure::limit(within),
        told.join(", ")
    );
    let kind = if some_silent { FailureKind::Timeout } else { FailureKind::Unreachable };
    let mut obstacles = refused.iter().map(|(_, e)| error::obstacle(e));
    let first = obstacles.next().flatten().filter(|_| !some_silent);
    let obstacle = first.filter(|first| obstacles.all(|other| other == Some(*first)));
    Failure { obstacle, ..Failure::new(kind, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::failure::Obstacle;
    use tokio::net::TcpListener;

    const LONG: Duration = Duration::from_secs(20);

    /// A listener with a full queue: it neither accepts nor refuses, as an address behind a firewall. The sockets must be held.
    async fn silent_listener(ip: &str) -> (SocketAddr, impl Sized) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{ip}:0").parse().unwrap()).unwrap();
        let full = socket.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(Ok(tcp)) =
            tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(silent)).await
        {
            held.push(tcp);
            assert!(held.len() < 64, "the queue must fill up");
        }
        (silent, (full, held))
    }

    async fn listener(ip: &str) -> (SocketAddr, TcpListener) {
        let listener = TcpListener::bind(format!("{ip}:0")).await.unwrap();
        (listener.local_addr().unwrap(), listener)
    }

    /// An address on which nobody listens.
    async fn gone(ip: &str) -> SocketAddr {
        listener(ip).await.0
    }

    #[tokio::test]
    async fn a_silent_first_address_does_not_hide_the_others() {
        let (silent, _held) = silent_listener("127.0.0.2").await;
        let (other, _silent_too) = silent_listener("127.0.0.3").await;
        let (good, _listener) = listener("127.0.0.4").await;
        for at_once in [false, true] {
            let dialed = connect(&[silent, other, good], at_once, "db1", LONG).await.unwrap();
            assert_eq!(dialed.tcp.peer_addr().unwrap(), good);
            assert_eq!(dialed.shown("db1"), "db1 (127.0.0.4)");
        }
    }

    #[test]
    fn every_address_gets_a_share_of_the_time() {
        for (within_ms, of, at_once, pause_ms) in [
            (5_000, 1, false, 250),
            (5_000, 2, false, 250),
            // the last of 64 begins within half of the time
            (5_000, 64, false, 39),
            (100, 2, false, 25),
            (5_000, 64, true, 0),
            (0, 3, false, 0),
        ] {
            let pause = pause(Duration::from_millis(within_ms), of, at_once);
            assert_eq!(pause.as_millis(), pause_ms, "{within_ms} {of} {at_once}");
        }
    }

    #[tokio::test]
    async fn a_failure_names_every_address_with_what_became_of_it() {
        let (silent, _held) = silent_listener("127.0.0.2").await;
        let gone = gone("127.0.0.3").await;
        let within = Duration::from_secs(2);
        let (both, alone) = ([silent, gone], [silent]);
        let (failure, at_once, one) = tokio::join!(
            connect(&both, false, "db1", within),
            connect(&both, true, "db1", within),
            connect(&alone, false, "db1", within),
        );
        let failure = failure.unwrap_err();
        assert_eq!((failure.kind, failure.obstacle), (FailureKind::Timeout, None));
        for part in [
            "its 2 addresses",
            "127.0.0.2 no answer",
            "127.0.0.3 refused",
            "multi_subnet_failover",
            "within 2 s",
        ] {
            assert!(failure.text.contains(part), "{part}: {failure}");
        }
        let failure = at_once.unwrap_err();
        assert!(!failure.text.contains("multi_subnet_failover"), "it is on already: {failure}");
        assert_eq!(
            &*one.unwrap_err().text,
            "connect to db1: no answer within 2 s; a firewall, a wrong address or a dead host"
        );
        let many: Vec<SocketAddr> =
            (1..=20).map(|n| SocketAddr::from(([127, 0, 1, n], gone.port()))).collect();
        let failure = connect(&many, false, "db1", LONG).await.unwrap_err();
        assert_eq!((failure.kind, failure.obstacle), (FailureKind::Unreachable, Some(Obstacle::Refused)));
        assert!(
            failure.text.contains("127.0.1.8 refused, and 12 more; is the instance started"),
            "{failure}"
        );
        assert!(failure.text.contains("; these: 127.0.1.9 refused, 127.0.1.10 refused"), "{failure}");
        assert!(failure.text.ends_with("127.0.1.20 refused"), "all of them are named: {failure}");
    }

    #[tokio::test]
    async fn after_a_refusal_the_next_address_is_tried_at_once() {
        let (good, _listener) = listener("127.0.0.1").await;
        let addresses = [gone("127.0.0.2").await, gone("127.0.0.3").await, good];
        let dialed = connect(&addresses, false, "a", LONG).await.unwrap();
        assert_eq!(dialed.tcp.peer_addr().unwrap(), good);
        let single = connect(&addresses[..1], true, "a", LONG).await.unwrap_err();
        assert!(single.text.contains("connect to a: refused; is the instance started"), "{single}");
        assert!(connect(&[], false, "a", LONG).await.unwrap_err().text.contains("no address"));
    }

    #[test]
    fn families_of_addresses_take_turns() {
        let parse = |text: &str| text.split(' ').map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        for (given, turns) in [
            ("[::1]:1 [::2]:1 1.1.1.1:1", "[::1]:1 1.1.1.1:1 [::2]:1"),
            ("1.1.1.1:1 2.2.2.2:1 [::1]:1", "1.1.1.1:1 [::1]:1 2.2.2.2:1"),
            ("1.1.1.1:1 [::1]:1 [::2]:1 [::3]:1", "1.1.1.1:1 [::1]:1 [::2]:1 [::3]:1"),
        ] {
            assert_eq!(in_turns(&parse(given)), parse(turns), "{given}");
        }
    }
}
