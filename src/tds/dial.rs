//! First step of a connection: name to addresses (SQL Browser for a named instance), addresses to a socket. Cheap for us
//! however long it takes. Called by `collect` through [`dial`], and by `connect` and `check` step by step.

use super::{browser, error};
use crate::model::{
    base::{
        failure::{Failure, FailureKind},
        text::sanitize_line,
    },
    inventory::instance::{Endpoint, Target},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;

/// The port if none is named.
const DEFAULT_PORT: u16 = 1433;
/// The most addresses of one name that are tried; a listener over many subnets has a handful.
const MAX_ADDRESSES: usize = 64;

/// A TCP connection on which nothing was sent yet.
#[derive(Debug)]
pub struct Dialed {
    pub(super) tcp: TcpStream,
}

/// First step: the name is resolved (or SQL Browser asked for the port of a named instance) and a TCP connection made.
/// Waits for `within` at most. Cheap for us however long it takes: no permit is needed.
///
/// # Errors
/// [`FailureKind::Unreachable`] or [`FailureKind::Timeout`], with a sentence.
pub async fn dial(target: &Target, within: Duration) -> Result<Dialed, Failure> {
    let shown = &*target.info.address;
    let dialing = async {
        let addresses = resolve(&target.endpoint).await?;
        connect(&addresses, target.multi_subnet_failover, shown).await
    };
    tokio::time::timeout(within, dialing).await.unwrap_or_else(|_| Err(silent(shown, within)))
}

/// The failure of a server that did not answer in time.
pub(super) fn silent(shown: &str, within: Duration) -> Failure {
    let text = format!(
        "connect to {shown}: no answer within {}; a firewall, a wrong address or a dead host",
        error::spelled(within)
    );
    Failure::new(FailureKind::Timeout, text)
}

/// All addresses of an endpoint, in the order of the resolver.
///
/// # Errors
/// The name has none, or SQL Browser does not know the instance.
pub(super) async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Failure> {
    match (&endpoint.instance, endpoint.port) {
        (Some(instance), None) => {
            let mut addresses = look_up(&endpoint.host, browser::PORT).await?;
            let mut asked = Err(Failure::new(FailureKind::Unreachable, String::new()));
            for address in &addresses {
                asked = browser::port_of(instance, &endpoint.host, *address).await;
                if asked.is_ok() {
                    break;
                }
            }
            let port = asked?;
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

/// A socket to the first address that takes us: one after the other, or all at once and the first one wins (for
/// listeners over several subnets, of which one answers and the others are silent).
pub(super) async fn connect(addresses: &[SocketAddr], at_once: bool, shown: &str) -> Result<Dialed, Failure> {
    let together = if at_once { addresses.len() } else { 1 };
    let mut last = None;
    for some in addresses.chunks(together.max(1)) {
        let mut attempts: FuturesUnordered<_> =
            some.iter().map(|address| TcpStream::connect(*address)).collect();
        while let Some(attempt) = attempts.next().await {
            match attempt {
                Ok(tcp) => {
                    // A socket that refuses this is slower, not broken.
                    let _ = tcp.set_nodelay(true);
                    return Ok(Dialed { tcp });
                }
                Err(e) => last = Some(e),
            }
        }
    }
    Err(last.map_or_else(
        || Failure::new(FailureKind::Unreachable, format!("look up {shown}: the name has no address")),
        |e| error::tcp(&e, shown),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn all_addresses_at_once_get_past_a_silent_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // A listener with a full queue neither accepts nor refuses.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = socket.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(Ok(tcp)) =
            tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(silent)).await
        {
            held.push(tcp);
            assert!(held.len() < 64, "the queue must fill up");
        }
        let addresses = [silent, listener.local_addr().unwrap()];
        let wait = Duration::from_millis(500);
        assert!(
            tokio::time::timeout(wait, connect(&addresses, false, "a")).await.is_err(),
            "one by one it waits"
        );
        let dialed = tokio::time::timeout(Duration::from_secs(20), connect(&addresses, true, "a")).await;
        assert_eq!(dialed.unwrap().unwrap().tcp.peer_addr().unwrap(), addresses[1]);
    }

    #[tokio::test]
    async fn one_by_one_the_next_address_is_tried_after_a_refusal() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [gone, listener.local_addr().unwrap()];
        assert!(connect(&addresses, false, "a").await.is_ok());
        assert!(connect(&addresses[..1], true, "a").await.is_err_and(|f| f.text.contains("refused")));
    }
}
