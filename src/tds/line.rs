//! The streams between the driver and the socket: TLS records wrapped in TDS packets while the handshake lasts
//! ([`Wrapped`]), and the line that the driver gets ([`Line`]) after PRELOGIN. Made by `secure`.

use super::{
    budget::Budgeted,
    prelogin::{HEADER_BYTES, TYPE_PRELOGIN, header},
};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// Bytes that are gathered before they are sent without a flush.
const GATHERED: usize = 64 << 10;

/// Below TLS: each flush is one packet of type 0x12 until [`Wrapped::unwrap_from_now_on`]; then bytes pass as they are, gathered until a
/// flush.
#[derive(Debug)]
pub(super) struct Wrapped {
    inner: Budgeted,
    wrapping: bool,
    /// the handshake is over
    gathering: bool,
    header: [u8; HEADER_BYTES],
    header_read: usize,
    /// payload bytes left in the packet being read
    remaining: usize,
    /// a packet being put together, its header's place comes first; later what is gathered
    outgoing: Vec<u8>,
    /// bytes of it that were sent; None: TLS still adds to it
    sent: Option<usize>,
}

impl Wrapped {
    /// `wrapping`: false for TDS 8.0, where TLS stands alone.
    pub(super) fn new(inner: Budgeted, wrapping: bool) -> Self {
        Self {
            inner,
            wrapping,
            gathering: false,
            header: [0; HEADER_BYTES],
            header_read: 0,
            remaining: 0,
            outgoing: vec![0; HEADER_BYTES],
            sent: None,
        }
    }

    /// The handshake is over.
    pub(super) fn unwrap_from_now_on(&mut self) {
        self.wrapping = false;
        self.gathering = true;
        self.outgoing = Vec::new();
    }

    /// Reads up to the payload of a packet. Returns false at the end of the stream.
    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.remaining == 0 {
            let mut buf = ReadBuf::new(&mut self.header[self.header_read..]);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf))?;
            let read = buf.filled().len();
            if read == 0 {
                return Poll::Ready(Ok(false));
            }
            self.header_read += read;
            if self.header_read == HEADER_BYTES {
                let length = usize::from(u16::from_be_bytes([self.header[2], self.header[3]]));
                let payload = length.checked_sub(HEADER_BYTES).filter(|_| self.header[0] == TYPE_PRELOGIN);
                let Some(payload) = payload else {
                    let text = "the server did not answer the TLS handshake with one";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
                };
                self.remaining = payload;
                self.header_read = 0;
            }
        }
        Poll::Ready(Ok(true))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let payload = self.outgoing.len().saturating_sub(HEADER_BYTES);
        if payload == 0 {
            return Poll::Ready(Ok(()));
        }
        if self.sent.is_none() {
            self.outgoing[..HEADER_BYTES].copy_from_slice(&header(TYPE_PRELOGIN, payload));
        }
        ready!(self.poll_send_all(cx))?;
        self.outgoing.truncate(HEADER_BYTES);
        Poll::Ready(Ok(()))
    }

    fn poll_send_gathered(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gathering {
            ready!(self.poll_send_all(cx))?;
            // A fleet would keep one for each connection, for a question every half a minute.
            self.outgoing = Vec::new();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_send_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sent = self.sent.unwrap_or(0);
        while sent < self.outgoing.len() {
            self.sent = Some(sent);
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.outgoing[sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            sent += written;
        }
        self.sent = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.wrapping {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        if !ready!(this.poll_header(cx))? {
            return Poll::Ready(Ok(()));
        }
        let room = buf.remaining().min(this.remaining);
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        this.remaining -= read;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.wrapping && !this.gathering {
            return Pin::new(&mut this.inner).poll_write(cx, buf);
        }
        if this.gathering && this.outgoing.len() >= GATHERED {
            ready!(this.poll_send_gathered(cx))?;
        }
        // A packet that is being sent has its length in its header already.
        if this.wrapping && this.sent.is_some() {
            ready!(this.poll_send(cx))?;
        }
        this.outgoing.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.wrapping {
            ready!(this.poll_send(cx))?;
        }
        ready!(this.poll_send_gathered(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send_gathered(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

/// The line that the driver talks over.
pub(super) enum Line {
    /// the socket itself: the driver does PRELOGIN and, for the login packet alone, TLS
    Socket(Budgeted),
    /// our TLS, after PRELOGIN
    Secured(Box<Secured>),
}

/// Where the driver is in the packets that it writes. It flushes behind each of 4 KB; a batch of scripts has several, and goes with the
/// last one.
#[derive(Debug)]
struct Packets {
    header: [u8; HEADER_BYTES],
    header_written: usize,
    /// bytes left of the packet behind its header
    left: usize,
}

impl Packets {
    const NONE: Self = Self { header: [0; HEADER_BYTES], header_written: 0, left: 0 };
    /// The bit of a packet's status that ends a message.
    const LAST: u8 = 1;

    fn written(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left == 0 && self.header_written == HEADER_BYTES {
                self.header_written = 0;
            }
            if self.header_written < HEADER_BYTES {
                let taken = bytes.len().min(HEADER_BYTES - self.header_written);
                self.header[self.header_written..][..taken].copy_from_slice(&bytes[..taken]);
                self.header_written += taken;
                bytes = &bytes[taken..];
                let length = usize::from(u16::from_be_bytes([self.header[2], self.header[3]]));
                self.left =
                    if self.header_written < HEADER_BYTES { 0 } else { length.saturating_sub(HEADER_BYTES) };
            } else {
                let taken = bytes.len().min(self.left);
                self.left -= taken;
                bytes = &bytes[taken..];
            }
        }
    }

    /// A whole packet was written, and the message goes on.
    const fn go_on(&self) -> bool {
        self.left == 0 && self.header_written == HEADER_BYTES && self.header[1] & Self::LAST == 0
    }
}

/// TLS with a replayed PRELOGIN: the driver's own question is dropped, and the server's answer is played back.
pub(super) struct Secured {
    tls: TlsStream<Wrapped>,
    packets: Packets,
    /// the answer to the driver's PRELOGIN, and how much of it was read
    reply: Vec<u8>,
    replied: usize,
    /// the header of the driver's PRELOGIN
    question: Vec<u8>,
    /// bytes of it that are still to be dropped; None: its header is not whole yet
    swallow: Option<usize>,
}

impl Secured {
    /// `reply`: the server's answer to PRELOGIN, as the driver gets it.
    pub(super) const fn new(tls: TlsStream<Wrapped>, reply: Vec<u8>) -> Self {
        Self { tls, packets: Packets::NONE, reply, replied: 0, question: Vec::new(), swallow: None }
    }

    /// The number of bytes of `buf` that belong to the driver's PRELOGIN. 0: it is over.
    fn take_question(&mut self, buf: &[u8]) -> usize {
        if let Some(left) = &mut self.swallow {
            let taken = buf.len().min(*left);
            *left -= taken;
            return taken;
        }
        let taken = buf.len().min(HEADER_BYTES - self.question.len());
        self.question.extend_from_slice(&buf[..taken]);
        if let Some(&[_, _, high, low, ..]) = self.question.first_chunk::<HEADER_BYTES>() {
            let length = usize::from(u16::from_be_bytes([high, low]));
            self.swallow = Some(length.saturating_sub(HEADER_BYTES));
        }
        taken
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Secured(line) => {
                let rest = line.reply.get(line.replied..).unwrap_or_default();
                if rest.is_empty() {
                    return Pin::new(&mut line.tls).poll_read(cx, buf);
                }
                let taken = rest.len().min(buf.remaining());
                buf.put_slice(&rest[..taken]);
                line.replied += taken;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Secured(line) => match line.take_question(buf) {
                0 => {
                    let written = ready!(Pin::new(&mut line.tls).poll_write(cx, buf))?;
                    line.packets.written(&buf[..written]);
                    Poll::Ready(Ok(written))
                }
                taken => Poll::Ready(Ok(taken)),
            },
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_flush(cx),
            Self::Secured(line) if line.packets.go_on() => Poll::Ready(Ok(())),
            Self::Secured(line) => Pin::new(&mut line.tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Secured(line) => Pin::new(&mut line.tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with that status, and so many bytes behind its header.
    fn packet(status: u8, payload: u8) -> Vec<u8> {
        let mut packet = vec![1, status, 0, 8 + payload, 0, 0, 1, 0];
        packet.resize(8 + usize::from(payload), 7);
        packet
    }

    #[test]
    fn a_message_is_sent_with_its_last_packet_however_the_driver_cuts_it() {
        let message = [packet(0, 40), packet(4, 3), packet(1, 0)].concat();
        for step in [1, 3, 8, 11, 48, message.len()] {
            let (mut packets, mut ends) = (Packets::NONE, Vec::new());
            assert!(!packets.go_on(), "nothing was written");
            for (nth, part) in message.chunks(step).enumerate() {
                packets.written(part);
                ends.extend(packets.go_on().then_some((nth * step + part.len()).min(message.len())));
            }
            assert!(ends.iter().all(|end| [48, 59].contains(end)), "only between packets: {step} {ends:?}");
            assert!(!packets.go_on(), "it is over: {step}");
            packets.written(&packet(0, 9));
            assert!(packets.go_on(), "the next one");
        }
        let mut packets = Packets::NONE;
        packets.written(&[1, 0, 0, 3, 0, 0, 1, 0, 1, 1, 0, 8, 0, 0, 1, 0]);
        assert!(!packets.go_on(), "a length that cannot be has no payload");
    }
}
