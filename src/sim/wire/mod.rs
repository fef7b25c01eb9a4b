//! The protocol half of the simulator: a TDS 7.4 and 8.0 server over any [`Backend`].
//!
//! `serve` runs one accept task for an instance and one task for each of its connections; all end when the given
//! token is cancelled. From the socket inwards: `link` (packets over TCP or TLS) <- `connection` (handshake, requests,
//! answers) <- `statement` (the statement of a request) and `answer` (steps to tokens). `packet`, `prelogin`, `login`,
//! `request`, `param`, `tokens`, `types`, `text` and `time` are pure bytes. Knows nothing of SQL Server's contents.

mod answer;
mod connection;
mod link;
mod login;
mod packet;
mod param;
mod prelogin;
mod read;
mod request;
mod statement;
mod text;
mod time;
mod tls;
mod tokens;
mod types;
mod wrapped;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{connection::Instance, link::Link};
use super::backend::{Backend, Network};

pub use self::{
    prelogin::EncryptionPolicy,
    tls::{Between, Leaf, Tls, TlsError},
};

/// The interval at which an instance's network state is read while nobody connects.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The most connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// An instance could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// the address is not a loopback address
    #[error("will not simulate a server on {0}: only loopback addresses are allowed")]
    NotLoopback(SocketAddr),
    /// the address is taken or not available
    #[error("could not listen on {address}: {source}")]
    Listen {
        /// where
        address: SocketAddr,
        /// why not
        source: io::Error,
    },
    /// no certificate
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A running instance.
#[derive(Debug)]
pub struct Serving {
    /// where it listens
    pub address: SocketAddr,
    /// ends when the token was cancelled and the last connection is closed
    pub task: JoinHandle<()>,
}

/// Starts one instance. It listens when this returns (port 0 takes a free port), and ends with `cancel`.
///
/// # Errors
/// [`ServeError`] if the address is not on loopback or is taken.
pub async fn serve(
    address: SocketAddr,
    backend: Arc<dyn Backend>,
    tls: &Tls,
    policy: EncryptionPolicy,
    cancel: CancellationToken,
) -> Result<Serving, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let acceptors = tls.acceptors(address.ip(), &[&backend.server_name()])?;
    // An instance that is down from the start must not accept a connection before the task below runs.
    let door = Door::Open(listener).fit(backend.network(), address);
    let instance = Arc::new(Instance { backend, acceptors, policy });
    let task = tokio::spawn(accept_all(instance, door, address, cancel));
    Ok(Serving { address, task })
}

/// The address of an instance: served, or refused while the simulated network is down.
#[derive(Debug)]
enum Door {
    /// callers come in
    Open(TcpListener),
    /// callers are refused; the socket, if it could be had, keeps the address from other programs (another demo on this
    /// machine would answer in our name)
    Shut(Option<TcpSocket>),
}

impl Door {
    /// Opens or shuts it by the state of the network.
    fn fit(self, network: Network, address: SocketAddr) -> Self {
        match self {
            Self::Open(listener) if network == Network::Down => {
                drop(listener);
                Self::Shut(bound(address, false).ok())
            }
            // Old connections are not over yet: tried again later.
            Self::Shut(None) if network == Network::Down => Self::Shut(bound(address, false).ok()),
            Self::Shut(reserved) if network != Network::Down => {
                // Another program took it meanwhile: tried again later.
                let socket = reserved.map_or_else(|| bound(address, true), Ok);
                socket.and_then(|s| s.listen(BACKLOG)).map_or(Self::Shut(None), Self::Open)
            }
            same => same,
        }
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self {
            Self::Open(listener) => listener.accept().await,
            Self::Shut(_) => std::future::pending().await,
        }
    }
}

/// A socket on the address that does not listen yet, so that connections are refused. `shared`, like listeners: old
/// connections and other such sockets on the address are allowed.
fn bound(address: SocketAddr, shared: bool) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(shared && cfg!(unix))?;
    socket.bind(address)?;
    Ok(socket)
}

/// Accepts connections while the simulated network is up, and tells the open ones about its weather.
async fn accept_all(instance: Arc<Instance>, mut door: Door, address: SocketAddr, cancel: CancellationToken) {
    // The newest wins: a connection needs the state of the moment only.
    let (weather, _) = watch::channel(instance.backend.network());
    let connections = TaskTracker::new();
    while !cancel.is_cancelled() {
        let now = instance.backend.network();
        weather.send_if_modified(|known| std::mem::replace(known, now) != now);
        door = door.fit(now, address);
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(LOOK_EVERY) => continue,
            accepted = door.accept() => accepted,
        };
        match accepted {
            Ok((tcp, client)) => {
                // Small packets must not wait for each other; a socket that refuses is still served.
                let _ = tcp.set_nodelay(true);
                let backend = Arc::clone(&instance.backend);
                let link = Link::new(tcp, backend, weather.subscribe());
                let connection = connection::run(Arc::clone(&instance), link, client.ip());
                connections.spawn(cancel.clone().run_until_cancelled_owned(connection));
            }
            // Out of file descriptors: accepting at once again would only spin.
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    drop(door);
    connections.close();
    connections.wait().await;
}
