//! The wire with the echo backend as a process, for clients written in other languages.
//!
//! `sim_wire [PORT]` listens on 127.0.0.1 (PORT optional encryption, PORT+1 without TLS, PORT+2 required, PORT+3
//! strict), writes its CA certificate to the file named by CA_FILE, prints `ready` and runs until its stdin closes.

#[path = "echo.rs"]
mod echo;

use std::{io::Read, net::SocketAddr, sync::Arc};

use dbtop::sim::wire::{self, EncryptionPolicy, Tls};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(14330);
    let tls = Tls::new().expect("certificates");
    if let Ok(file) = std::env::var("CA_FILE") {
        std::fs::write(file, tls.ca_pem()).expect("the CA file can be written");
    }
    let cancel = CancellationToken::new();
    let policies = [
        EncryptionPolicy::Optional,
        EncryptionPolicy::NotSupported,
        EncryptionPolicy::Required,
        EncryptionPolicy::Strict,
    ];
    for (offset, policy) in policies.into_iter().enumerate() {
        let address = SocketAddr::from(([127, 0, 0, 1], port + offset as u16));
        let backend = Arc::new(echo::Echo { chatty: true, ..echo::Echo::default() });
        wire::serve(address, backend, &tls, policy, cancel.clone()).await.expect("the port is free");
    }
    println!("ready");
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = wait.await;
    cancel.cancel();
}
