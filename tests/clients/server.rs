//! The wire with the echo backend as a process, for clients written in other languages (see `run.sh`).
//!
//! `sim_wire CA_FILE [PORT]` writes its CA certificate to CA_FILE, listens on four ports of 127.0.0.1, one for each
//! way to treat encryption (from PORT on, or on free ones), prints them, and runs until its stdin closes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool for tests fails like a test"
)]

#[path = "echo.rs"]
mod echo;

use std::{io::Read, net::SocketAddr, sync::Arc};

use dbtop::sim::wire::{self, EncryptionPolicy, Tls};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let ca_file = args.next().expect("usage: sim_wire CA_FILE [PORT]");
    let port: u16 = args.next().map_or(0, |port| port.parse().expect("PORT is a number"));
    let tls = Tls::new().expect("certificates");
    std::fs::write(&ca_file, tls.ca_pem()).expect("the CA file can be written");
    let cancel = CancellationToken::new();
    let policies = [
        ("optional", EncryptionPolicy::Optional),
        ("none", EncryptionPolicy::NotSupported),
        ("required", EncryptionPolicy::Required),
        ("strict", EncryptionPolicy::Strict),
    ];
    for (offset, (name, policy)) in (0..).zip(policies) {
        let address = SocketAddr::from(([127, 0, 0, 1], if port == 0 { 0 } else { port + offset }));
        let backend = Arc::new(echo::Echo::default());
        let serving = wire::serve(address, backend, &tls, policy, cancel.clone()).await.expect("a free port");
        println!("{name} {}", serving.address.port());
    }
    println!("ready");
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = wait.await;
    cancel.cancel();
}
