//! SQL Browser (MS-SQLR): the port of a named instance, by one UDP question. Called by `dial`.

use crate::model::base::{
    failure::{Failure, FailureKind},
    text::sanitize_line,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::UdpSocket;

/// The port of SQL Browser.
pub(super) const PORT: u16 = 1434;
/// It answers at once or not at all.
const WITHIN: Duration = Duration::from_secs(1);
/// CLNT_UCAST_INST: one instance, by its name.
const ASK_INSTANCE: u8 = 4;
const MAX_ANSWER_BYTES: usize = 4096;

/// Asks all `addresses` of a host for the TCP port of `instance`: one small packet each, so that a silent one costs no time.
/// The port, and the address that told it.
///
/// # Errors
/// [`FailureKind::Unreachable`] with what to do instead.
pub(super) async fn port_of(
    instance: &str,
    host: &str,
    addresses: &[SocketAddr],
) -> Result<(u16, SocketAddr), Failure> {
    let asking = addresses.iter().map(|address| async move {
        (*address, tokio::time::timeout(WITHIN, ask(instance, *address)).await)
    });
    let mut asking: FuturesUnordered<_> = asking.collect();
    let mut why = "no answer".to_owned();
    while let Some((address, asked)) = asking.next().await {
        match asked {
            Ok(Ok(answer)) => match port_in(&answer) {
                Some(port) => return Ok((port, address)),
                None => "it names no TCP port".clone_into(&mut why),
            },
            Ok(Err(e)) => why = sanitize_line(&e.to_string(), 200).to_string(),
            Err(_) => {}
        }
    }
    let text = format!(
        "ask SQL Browser on {} (UDP {PORT}) for the port of {}: {why}; give the port as host,port if that service is \
         not running",
        sanitize_line(host, 256),
        sanitize_line(instance, 128)
    );
    Err(Failure::new(FailureKind::Unreachable, text))
}

async fn ask(instance: &str, browser: SocketAddr) -> io::Result<Vec<u8>> {
    let any: SocketAddr = if browser.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(browser).await?;
    let mut question = vec![ASK_INSTANCE];
    question.extend_from_slice(instance.as_bytes());
    question.push(0);
    socket.send(&question).await?;
    let mut answer = vec![0; MAX_ANSWER_BYTES];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

/// The value behind `tcp` in `…;InstanceName;X;…;tcp;1450;;`.
fn port_in(answer: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(answer.get(3..)?);
    let mut words = text.split(';');
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        if key.eq_ignore_ascii_case("tcp") {
            return value.parse().ok().filter(|port| *port > 0);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_port_is_read_and_nonsense_is_none() {
        let answer = |text: &str| port_in(&[&[5, 0, 0], text.as_bytes()].concat());
        assert_eq!(answer("ServerName;A;InstanceName;tcp;IsClustered;No;tcp;1450;;"), Some(1450));
        for bad in ["", "tcp", "tcp;", "tcp;x;;", "tcp;0;;", "tcp;70000;;", "np;\\\\a\\pipe;;"] {
            assert_eq!(answer(bad), None, "{bad}");
        }
        assert_eq!(port_in(&[5]), None);
    }

    #[tokio::test]
    async fn the_address_that_answers_is_taken_and_silent_ones_cost_nothing() {
        let bind = |ip: &'static str| UdpSocket::bind(format!("{ip}:0"));
        let (silent, useless, good) = (
            bind("127.0.0.2").await.unwrap(),
            bind("127.0.0.3").await.unwrap(),
            bind("127.0.0.4").await.unwrap(),
        );
        let addresses = [&silent, &useless, &good].map(|socket| socket.local_addr().unwrap());
        let answer = |socket: UdpSocket, text: &'static str| async move {
            let mut asked = [0; 64];
            let (length, client) = socket.recv_from(&mut asked).await.unwrap();
            assert_eq!(&asked[..length], b"\x04SALES\0");
            socket.send_to(&[&[5, 0, 0], text.as_bytes()].concat(), client).await.unwrap();
        };
        let asking = port_of("SALES", "db1", &addresses);
        let (found, ..) = tokio::join!(
            asking,
            answer(useless, "ServerName;A;np;x;;"),
            answer(good, "ServerName;A;tcp;1450;;")
        );
        assert_eq!(found.unwrap(), (1450, addresses[2]));
        let none = port_of("SALES", "db1", &addresses[..1]).await.unwrap_err();
        assert!(
            none.text.contains("SQL Browser on db1 (UDP 1434) for the port of SALES: no answer"),
            "{none}"
        );
    }

    proptest! {
        #[test]
        fn whatever_answers_is_a_port_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..80), tail in "[;tcp0-9]{0,20}") {
            let found = port_in(&[&bytes, tail.as_bytes()].concat());
            prop_assert!(found.is_none_or(|port| port > 0));
        }
    }
}
