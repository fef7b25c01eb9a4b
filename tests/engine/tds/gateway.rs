//! Services in front of a server: a gateway that sends clients on (ENVCHANGE 20, as Azure and read-only routing do), and a
//! SQL Browser that tells the port of a named instance. Both byte by byte.

use super::support::{Server, WITHIN, ask, connect, one};
use crate::echo::PASSWORD;
use dbtop::{
    model::{base::failure::FailureKind, inventory::instance::TlsMode},
    sim::wire::EncryptionPolicy,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
};

/// Reads one TDS message, whatever it says.
async fn message(tcp: &mut TcpStream) {
    loop {
        let mut header = [0; 8];
        tcp.read_exact(&mut header).await.unwrap();
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        tcp.read_exact(&mut vec![0; length - 8]).await.unwrap();
        if header[1] & 1 == 1 {
            return;
        }
    }
}

async fn send(tcp: &mut TcpStream, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 8).unwrap().to_be_bytes();
    let mut packet = vec![0x04, 0x01, length[0], length[1], 0, 0, 1, 0];
    packet.extend_from_slice(payload);
    tcp.write_all(&packet).await.unwrap();
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// LOGINACK, then ENVCHANGE 20 to `host,port`, then DONE.
fn routed(host: &str, port: u16) -> Vec<u8> {
    let name = utf16("Gateway");
    let mut ack = vec![1, 0x74, 0, 0, 4, 7];
    ack.extend(name);
    ack.extend([16, 0, 0, 0]);
    let mut route = vec![20];
    let mut target = vec![0];
    target.extend(port.to_le_bytes());
    target.extend(u16::try_from(host.len()).unwrap().to_le_bytes());
    target.extend(utf16(host));
    route.extend(u16::try_from(target.len()).unwrap().to_le_bytes());
    route.extend(target);
    route.extend([0, 0]);
    let mut answer = Vec::new();
    for (token, body) in [(0xAD, ack), (0xE3, route)] {
        answer.push(token);
        answer.extend(u16::try_from(body.len()).unwrap().to_le_bytes());
        answer.extend(body);
    }
    answer.extend([0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    answer
}

/// A gateway without TLS that sends every client on to 127.0.0.1 and `port`; None: to itself. Gives its own port.
async fn gateway(port: Option<u16>) -> u16 {
    gateway_to("127.0.0.1", port).await
}

async fn gateway_to(host: &'static str, port: Option<u16>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            message(&mut tcp).await;
            // VERSION and ENCRYPTION (not supported), each by its place and length; then their values.
            send(&mut tcp, &[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0x10, 0x5C, 0, 0, 2]).await;
            message(&mut tcp).await;
            send(&mut tcp, &routed(host, port.unwrap_or(own))).await;
        }
    });
    own
}

#[tokio::test]
async fn a_redirection_is_followed_once() {
    let server = Server::start(EncryptionPolicy::NotSupported).await;
    let mut target = server.target(TlsMode::Off);
    target.endpoint.port = Some(gateway(Some(server.address.port())).await);
    let mut conn = connect(&target, PASSWORD, WITHIN).await.unwrap();
    assert_eq!(one(&ask(&mut conn, "select 7").await), Some(7));
    target.endpoint.port = Some(gateway(None).await);
    let circle = connect(&target, PASSWORD, WITHIN).await.err().unwrap();
    assert_eq!(circle.kind, FailureKind::Unreachable);
    assert!(circle.text.contains("second time"), "{circle}");
}

#[tokio::test]
async fn a_redirection_to_a_named_instance_goes_to_the_port_beside_it() {
    let server = Server::start(EncryptionPolicy::NotSupported).await;
    let mut target = server.target(TlsMode::Off);
    target.endpoint.port = Some(gateway_to("127.0.0.1\\REPORTS", Some(server.address.port())).await);
    let mut conn = connect(&target, PASSWORD, WITHIN).await.unwrap();
    assert_eq!(one(&ask(&mut conn, "select 7").await), Some(7));
    target.endpoint.port = Some(gateway_to("no\u{1b} host", Some(1)).await);
    let odd = connect(&target, PASSWORD, WITHIN).await.err().unwrap();
    assert_eq!(odd.kind, FailureKind::Unreachable);
    assert!(odd.text.contains("sent there by") && !odd.text.contains('\u{1b}'), "{odd:?}");
}

#[tokio::test]
async fn a_named_instance_is_found_through_sql_browser() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut target = server.target(TlsMode::Verify);
    target.endpoint.port = None;
    target.endpoint.instance = Some("INST".into());
    let Ok(browser) = UdpSocket::bind("127.0.0.1:1434").await else {
        println!("skipped: UDP port 1434 is taken");
        return;
    };
    let silent = connect(&target, PASSWORD, WITHIN).await.err().unwrap();
    assert_eq!(silent.kind, FailureKind::Unreachable);
    assert!(silent.text.contains("SQL Browser") && silent.text.contains("INST"), "{silent}");
    let port = server.address.port();
    tokio::spawn(async move {
        loop {
            let (_, client) = browser.recv_from(&mut [0; 100]).await.unwrap();
            let says =
                format!("ServerName;ECHO;InstanceName;INST;IsClustered;No;Version;16.0.4185.3;tcp;{port};;");
            let mut reply = vec![5];
            reply.extend(u16::try_from(says.len()).unwrap().to_le_bytes());
            reply.extend(says.as_bytes());
            browser.send_to(&reply, client).await.unwrap();
        }
    });
    let mut conn = connect(&target, PASSWORD, WITHIN).await.unwrap();
    assert_eq!(one(&ask(&mut conn, "select 7").await), Some(7));
}
