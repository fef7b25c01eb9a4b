//! The stream under TLS: while the handshake lasts, TLS records travel inside TDS packets of type 0x12; afterwards
//! bytes pass through unchanged.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::packet::{DEFAULT_PACKET_BYTES, HEADER_BYTES, TYPE_PRELOGIN, put_header};

/// A TCP stream whose bytes are wrapped in TDS packets until [`Wrapped::unwrap_from_now_on`].
#[derive(Debug)]
pub struct Wrapped {
    tcp: TcpStream,
    wrapping: bool,
    /// Bytes of the packet header being read.
    header: BytesMut,
    /// Payload bytes left in the packet being read.
    remaining: usize,
    /// Bytes written by TLS since the last flush.
    plain: BytesMut,
    /// Packets that the socket has not taken yet.
    framed: BytesMut,
}

impl Wrapped {
    /// Starts wrapping (`true`), or passes everything through (TDS 8.0).
    pub fn new(tcp: TcpStream, wrapping: bool) -> Self {
        Self {
            tcp,
            wrapping,
            header: BytesMut::new(),
            remaining: 0,
            plain: BytesMut::new(),
            framed: BytesMut::new(),
        }
    }

    /// The handshake is over.
    pub fn unwrap_from_now_on(&mut self) {
        self.wrapping = false;
    }

    /// The socket.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// The socket, when TLS is dropped after the login.
    pub fn into_tcp(self) -> TcpStream {
        self.tcp
    }

    /// Reads until a whole packet header is there; false at the end of the stream.
    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.remaining == 0 {
            let mut bytes = [0; HEADER_BYTES];
            let mut buf = ReadBuf::new(&mut bytes[self.header.len()..]);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(false));
            }
            self.header.extend_from_slice(buf.filled());
            if let Some(header) = self.header.first_chunk::<HEADER_BYTES>() {
                let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
                if header[0] != TYPE_PRELOGIN || length < HEADER_BYTES {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "expected TLS records in a pre-login packet",
                    )));
                }
                self.remaining = length - HEADER_BYTES;
                self.header.clear();
            }
        }
        Poll::Ready(Ok(true))
    }

    fn frame_plain(&mut self) {
        while !self.plain.is_empty() {
            let part = self.plain.split_to(self.plain.len().min(DEFAULT_PACKET_BYTES - HEADER_BYTES));
            put_header(&mut self.framed, TYPE_PRELOGIN, self.plain.is_empty(), part.len(), 0, 0);
            self.framed.extend_from_slice(&part);
        }
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.wrapping {
            return Pin::new(&mut this.tcp).poll_read(cx, buf);
        }
        if !ready!(this.poll_header(cx))? {
            return Poll::Ready(Ok(()));
        }
        let room = buf.remaining().min(this.remaining);
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        this.remaining -= read;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.wrapping {
            return Pin::new(&mut this.tcp).poll_write(cx, buf);
        }
        this.plain.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.frame_plain();
        while !this.framed.is_empty() {
            let written = ready!(Pin::new(&mut this.tcp).poll_write(cx, &this.framed))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.framed.advance(written);
        }
        Pin::new(&mut this.tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    async fn pair() -> (TcpStream, Wrapped) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (client, Wrapped::new(server, true))
    }

    #[tokio::test]
    async fn records_may_be_cut_into_packets_anywhere_and_end_with_the_handshake() {
        let (mut client, mut server) = pair().await;
        let sent: Vec<u8> = (0..1000_u32).map(|n| n as u8).collect();
        let mut packets = BytesMut::new();
        for (index, part) in sent.chunks(7).enumerate() {
            put_header(&mut packets, TYPE_PRELOGIN, index % 2 == 0, part.len(), 0, 0);
            packets.extend_from_slice(part);
            put_header(&mut packets, TYPE_PRELOGIN, true, 0, 0, 0);
        }
        client.write_all(&packets).await.unwrap();
        let mut got = vec![0; sent.len()];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(got, sent);
        // The empty packet that follows the last record is still a packet.
        client.write_all(&[TYPE_PRELOGIN, 1, 0, 9, 0, 0, 0, 0, 42]).await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), 42);
        server.unwrap_from_now_on();
        client.write_all(&[7]).await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_long_flight_is_one_message_of_packets() {
        let (mut client, mut server) = pair().await;
        server.write_all(&[1; 3000]).await.unwrap();
        server.write_all(&[2; 3000]).await.unwrap();
        server.flush().await.unwrap();
        drop(server);
        let mut got = vec![];
        client.read_to_end(&mut got).await.unwrap();
        let mut expected = BytesMut::new();
        put_header(&mut expected, TYPE_PRELOGIN, false, 4088, 0, 0);
        expected.put_bytes(1, 3000);
        expected.put_bytes(2, 1088);
        put_header(&mut expected, TYPE_PRELOGIN, true, 1912, 0, 0);
        expected.put_bytes(2, 1912);
        assert!(got == expected, "{} bytes instead of {}", got.len(), expected.len());
    }

    #[tokio::test]
    async fn other_packets_during_the_handshake_are_refused() {
        for header in [[0x01, 1, 0, 9, 0, 0, 0, 0], [TYPE_PRELOGIN, 1, 0, 7, 0, 0, 0, 0]] {
            let (mut client, mut server) = pair().await;
            client.write_all(&header).await.unwrap();
            assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
