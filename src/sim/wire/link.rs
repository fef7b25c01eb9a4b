//! The socket of one connection: whole requests in, packets out, and everything that may interrupt them.
//!
//! `connection` drives it. It knows packets, network weather, cancelling and shutting down, but no token.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::Instant,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;

use super::{
    packet::{BadPacket, DEFAULT_PACKET_BYTES, HEADER_BYTES, Inbox, Message, TYPE_ANSWER, put_header},
    read::Malformed,
    tls::TlsError,
    wrapped::Wrapped,
};
use crate::sim::backend::{Backend, Network};

/// A socket with or without TLS.
pub type Stream = Either<TcpStream, Box<TlsStream<Wrapped>>>;

/// The interval at which a waiting connection checks whether its session was killed, and whether a black hole is over.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The end of a connection, and its reason.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// the client closed, or an answer was cut on purpose
    #[error("closed")]
    Closed,
    /// PRELOGIN, TLS and LOGIN7 took too long
    #[error("no login in time")]
    TooSlow,
    /// the simulated network went down: the socket is reset, not closed
    #[error("reset by the simulated network")]
    Reset,
    /// the socket failed
    #[error(transparent)]
    Io(#[from] io::Error),
    /// the client does not speak TDS
    #[error(transparent)]
    Packet(#[from] BadPacket),
    /// the client's PRELOGIN or LOGIN7 makes no sense
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// no certificate for this instance
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The end of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// bytes were written or read, or the weather changed
    Moved,
    /// the time is over
    Tick,
}

/// The end of sending or pausing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// as it should
    All,
    /// the client cancelled the request
    Cancelled,
    /// the session was killed
    Killed,
}

/// One connection's socket.
pub struct Link {
    stream: Stream,
    inbox: Inbox,
    /// framed bytes that the socket has not taken yet
    framed: BytesMut,
    /// something was written since the socket was last flushed
    unflushed: bool,
    /// a request is being answered, so that an attention means it
    answering: bool,
    /// the client cancelled the request at hand
    attention: bool,
    packet_bytes: usize,
    packet_id: u8,
    spid: i16,
    backend: Arc<dyn Backend>,
    weather: watch::Receiver<Network>,
}

impl Link {
    /// Takes over a fresh socket.
    pub fn new(tcp: TcpStream, backend: Arc<dyn Backend>, weather: watch::Receiver<Network>) -> Self {
        Self {
            stream: Either::Left(tcp),
            inbox: Inbox::default(),
            framed: BytesMut::new(),
            unflushed: false,
            answering: false,
            attention: false,
            packet_bytes: DEFAULT_PACKET_BYTES,
            packet_id: 0,
            spid: 0,
            backend,
            weather,
        }
    }

    /// The socket, with or without TLS over it.
    pub fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Either::Left(tcp) => tcp,
            Either::Right(tls) => tls.get_ref().0.tcp(),
        }
    }

    /// Ends when the simulated network goes down, for the time before the link watches that itself.
    pub fn network_is_down(&self) -> impl Future<Output = ()> + use<> {
        let mut weather = self.weather.clone();
        async move {
            // The other end of the channel goes only when the instance ends, and that ends the connection anyway.
            let _ = weather.wait_for(|now| *now == Network::Down).await;
        }
    }

    /// Makes the TLS handshake; `wrapping`: its records travel in TDS packets.
    ///
    /// # Errors
    /// [`End::Io`] if the client refuses the certificate or does not speak TLS.
    pub async fn start_tls(self, acceptor: &TlsAcceptor, wrapping: bool) -> Result<Self, End> {
        let Either::Left(tcp) = self.stream else {
            return Err(End::Closed);
        };
        let mut tls = acceptor.accept(Wrapped::new(tcp, wrapping)).await?;
        tls.get_mut().0.unwrap_from_now_on();
        Ok(Self { stream: Either::Right(Box::new(tls)), ..self })
    }

    /// Drops TLS without closing it, as login-only encryption does.
    pub fn stop_tls(self) -> Self {
        let stream = match self.stream {
            Either::Right(tls) => Either::Left(tls.into_inner().0.into_tcp()),
            plain @ Either::Left(_) => plain,
        };
        Self { stream, ..self }
    }

    /// Session id for packet headers from now on.
    pub fn set_spid(&mut self, spid: i16) {
        self.spid = spid;
    }

    /// The agreed packet size, from now on.
    pub fn set_packet_bytes(&mut self, bytes: usize) {
        self.packet_bytes = bytes;
    }

    /// The payload of a full packet.
    pub fn packet_room(&self) -> usize {
        self.packet_bytes - HEADER_BYTES
    }

    /// Notes whether a request is being answered: an attention cancels it, or is a message of its own.
    pub fn set_answering(&mut self, answering: bool) {
        self.answering = answering;
        self.attention = answering && self.inbox.take_attention();
    }

    /// True if an attention arrived while an answer was being sent; false from then on.
    pub fn take_attention(&mut self) -> bool {
        std::mem::take(&mut self.attention)
    }

    /// Waits for a whole request. Bytes beyond it stay for the next call.
    ///
    /// # Errors
    /// [`End`] when the client is gone or does not send a packet.
    pub async fn read_message(&mut self) -> Result<Message, End> {
        loop {
            if let Some(message) = self.inbox.next()? {
                return Ok(message);
            }
            self.wait(None).await?;
        }
    }

    /// Sends all full packets of `out`, unless something stops it. At least one byte stays behind, so that the
    /// answer's last packet is never empty.
    ///
    /// # Errors
    /// [`End`] when the connection is over.
    pub async fn send_full_packets(&mut self, out: &mut BytesMut) -> Result<Sent, End> {
        while out.len() > self.packet_room() {
            if self.backend.is_killed(self.spid) {
                return Ok(Sent::Killed);
            }
            self.send_packet(TYPE_ANSWER, out, false).await?;
            if self.take_attention() {
                return Ok(Sent::Cancelled);
            }
        }
        Ok(Sent::All)
    }

    /// Sends everything in `out` and ends the message. An attention that arrives meanwhile is kept for
    /// [`Link::take_attention`].
    ///
    /// # Errors
    /// [`End`] when the connection is over.
    pub async fn send_rest(&mut self, kind: u8, out: &mut BytesMut) -> Result<(), End> {
        while out.len() > self.packet_room() {
            self.send_packet(kind, out, false).await?;
        }
        self.send_packet(kind, out, true).await?;
        self.packet_id = 0;
        Ok(())
    }

    /// Waits while the backend pauses; a cancel or a kill ends the wait.
    ///
    /// # Errors
    /// [`End`] when the connection is over.
    pub async fn pause(&mut self, time: Duration) -> Result<Sent, End> {
        let until = Instant::now() + time;
        loop {
            if self.take_attention() {
                return Ok(Sent::Cancelled);
            }
            if self.backend.is_killed(self.spid) {
                return Ok(Sent::Killed);
            }
            let now = Instant::now();
            if now >= until {
                return Ok(Sent::All);
            }
            self.wait(Some(until.min(now + LOOK_EVERY))).await?;
        }
    }

    /// Delivers the first `keep` bytes of the packet that `out` would begin and gives the connection up.
    ///
    /// # Errors
    /// Always: the connection is over.
    pub async fn cut(&mut self, out: &mut BytesMut, keep: usize) -> Result<Infallible, End> {
        self.network_allows().await?;
        // The header promises a full packet, although less of it is ready.
        let room = self.packet_room();
        put_header(&mut self.framed, TYPE_ANSWER, false, room, self.spid, self.packet_id);
        self.framed.extend_from_slice(&out.split_to(out.len().min(room)));
        self.framed.truncate(keep);
        self.flush().await?;
        Err(End::Closed)
    }

    async fn send_packet(&mut self, kind: u8, out: &mut BytesMut, last: bool) -> Result<(), End> {
        self.network_allows().await?;
        let part = out.split_to(out.len().min(self.packet_room()));
        self.packet_id = self.packet_id.wrapping_add(1);
        put_header(&mut self.framed, kind, last, part.len(), self.spid, self.packet_id);
        self.framed.extend_from_slice(&part);
        self.flush().await
    }

    /// Waits until the socket has taken everything. A killed session does not wait for a client that reads nothing.
    async fn flush(&mut self) -> Result<(), End> {
        self.unflushed = true;
        while self.unflushed {
            let woken = self.wait(Some(Instant::now() + LOOK_EVERY)).await?;
            if woken == Wake::Tick && self.backend.is_killed(self.spid) {
                return Err(End::Closed);
            }
        }
        Ok(())
    }

    /// Returns when the simulated network lets the next packet through.
    ///
    /// # Errors
    /// [`End::Reset`] when it is down; [`End`] when the connection is over.
    pub async fn network_allows(&mut self) -> Result<(), End> {
        let started = Instant::now();
        loop {
            let until = match self.backend.network() {
                Network::Good => return Ok(()),
                Network::Down => return Err(End::Reset),
                Network::BlackHole => Instant::now() + LOOK_EVERY,
                Network::Slow(delay) if started.elapsed() >= delay => return Ok(()),
                Network::Slow(delay) => started + delay,
            };
            while self.wait(Some(until)).await? == Wake::Moved {}
        }
    }

    /// Moves bytes in both directions until some moved or it is `until`.
    async fn wait(&mut self, until: Option<Instant>) -> Result<Wake, End> {
        let Self { stream, inbox, framed, unflushed, weather, .. } = self;
        let mut moving = Moving { stream, inbox, framed, unflushed };
        let tick = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            moved = poll_fn(|cx| moving.poll(cx)) => {
                moved?;
                self.attention |= self.answering && self.inbox.take_attention();
                Ok(Wake::Moved)
            }
            changed = weather.changed() => match (changed, *weather.borrow()) {
                (Err(_), _) => Err(End::Closed),
                (Ok(()), Network::Down) => Err(End::Reset),
                (Ok(()), _) => Ok(Wake::Moved),
            },
            () = tick => Ok(Wake::Tick),
        }
    }
}

/// The parts of a link that a poll of the socket needs.
struct Moving<'a> {
    stream: &'a mut Stream,
    inbox: &'a mut Inbox,
    framed: &'a mut BytesMut,
    unflushed: &'a mut bool,
}

impl Moving<'_> {
    /// Reads what is there, writes what fits. Reading goes first, so that a cancel is seen between two packets.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let mut moved = false;
        if self.inbox.wants_more() {
            let mut bytes = [0; DEFAULT_PACKET_BYTES];
            let mut buf = ReadBuf::new(&mut bytes);
            if let Poll::Ready(read) = Pin::new(&mut *self.stream).poll_read(cx, &mut buf) {
                read?;
                if buf.filled().is_empty() {
                    return Poll::Ready(Err(End::Closed));
                }
                self.inbox.raw().extend_from_slice(buf.filled());
                moved = true;
            }
        }
        while !self.framed.is_empty() {
            match Pin::new(&mut *self.stream).poll_write(cx, self.framed) {
                Poll::Ready(written) => self.framed.advance(written?),
                Poll::Pending => return if moved { Poll::Ready(Ok(())) } else { Poll::Pending },
            }
            moved = true;
        }
        if *self.unflushed && Pin::new(&mut *self.stream).poll_flush(cx)?.is_ready() {
            *self.unflushed = false;
            moved = true;
        }
        if moved { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}
