//! Network weather, seen from a client: refused, silent, slow, and well again. And shutting down.

use std::{
    io::Read,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use dbtop::sim::{
    backend::Network,
    wire::{self, EncryptionPolicy, Tls},
};
use tiberius::EncryptionLevel;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use super::{Driver, Server, raw::Raw, select_one};

impl Server {
    fn set(&self, weather: Network) {
        *self.backend.network.lock().unwrap() = weather;
    }

    /// Connects as soon as the instance lets anyone in again.
    async fn connect_again(&self) -> Driver {
        for _ in 0..100 {
            if let Ok(client) = self.connect(EncryptionLevel::Required).await {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the instance does not come back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_down_instance_resets_open_connections_refuses_new_ones_and_comes_back() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut unfinished = TcpStream::connect(server.address).await.unwrap();
    let mut raw = Raw::log_in(&server);
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    server.set(Network::Down);
    assert_eq!(raw.tcp.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(matches!(unfinished.read(&mut [0]).await, Ok(0) | Err(_)));
    assert!(client.simple_query("select 1").await.is_err());
    let refused = TcpStream::connect(server.address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    server.eventually("the session is gone", |backend| backend.open.load(Ordering::SeqCst) == 0).await;
    server.set(Network::Good);
    assert_eq!(select_one(&mut server.connect_again().await).await, 1);
}

#[tokio::test]
async fn who_is_down_from_the_start_refuses_the_first_caller_and_keeps_the_address() {
    let server = Server::start_in(EncryptionPolicy::Optional, Network::Down).await;
    let refused = TcpStream::connect(server.address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    // Another demo on this machine must not answer in its name.
    let other = TcpListener::bind(server.address).await.unwrap_err();
    assert_eq!(other.kind(), std::io::ErrorKind::AddrInUse);
    server.set(Network::Good);
    assert_eq!(select_one(&mut server.connect_again().await).await, 1);
}

#[tokio::test]
async fn a_black_hole_accepts_and_keeps_silent_and_open_requests_are_answered_after_it() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    server.set(Network::BlackHole);
    let silent = Duration::from_millis(700);
    let login = server.connect(EncryptionLevel::Required);
    assert!(tokio::time::timeout(silent, login).await.is_err(), "a login was answered");
    let mut asked = Box::pin(select_one(&mut client));
    assert!(tokio::time::timeout(silent, &mut asked).await.is_err(), "a query was answered");
    server.set(Network::Good);
    assert_eq!(asked.await, 1);
}

#[tokio::test]
async fn a_slow_network_delays_every_packet() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    let delay = Duration::from_millis(40);
    server.set(Network::Slow(delay));
    let started = Instant::now();
    // 20,000 characters are ten packets of 4096 bytes.
    client.simple_query("select text 20000").await.unwrap().into_first_result().await.unwrap();
    assert!(started.elapsed() >= delay * 10, "{:?}", started.elapsed());
}

#[tokio::test]
async fn cancelling_the_token_closes_everything() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    let mut unfinished = TcpStream::connect(server.address).await.unwrap();
    server.cancel.cancel();
    assert!(client.simple_query("select 1").await.is_err());
    assert!(matches!(unfinished.read(&mut [0]).await, Ok(0) | Err(_)));
    server.eventually("the session is gone", |backend| backend.open.load(Ordering::SeqCst) == 0).await;
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn nothing_is_simulated_on_an_outside_interface() {
    let backend = std::sync::Arc::new(crate::echo::Echo::default());
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let tls = Tls::new().unwrap();
    let refused =
        wire::serve(everywhere, backend, &tls, EncryptionPolicy::Optional, CancellationToken::new()).await;
    assert!(refused.map(drop).expect_err("refused").to_string().contains("only loopback"));
}
