//! A client made of bytes, for things that drivers hide: the number of messages in an answer, and its tokens.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::Ordering,
    time::Duration,
};

use dbtop::sim::wire::EncryptionPolicy;

use super::Server;
use crate::echo::{PASSWORD, USER};

const BATCH: u8 = 0x01;
const RPC: u8 = 0x03;
const ATTENTION: u8 = 0x06;
const BULK: u8 = 0x07;
const TRANSACTION: u8 = 0x0e;

/// A DONE token with this status and no rows.
fn done(status: u8) -> [u8; 13] {
    [0xfd, status, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// A blocking connection without TLS.
pub struct Raw {
    pub tcp: TcpStream,
}

impl Raw {
    /// Only connects.
    pub fn open(server: &Server) -> Self {
        let tcp = TcpStream::connect(server.address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { tcp }
    }

    /// Connects and logs in.
    pub fn log_in(server: &Server) -> Self {
        let mut raw = Self::open(server);
        raw.send(0x12, &prelogin());
        assert_eq!(raw.message()[0], 0, "a PRELOGIN answer starts with VERSION");
        raw.send(0x10, &login7());
        let welcome = raw.message();
        assert_eq!(welcome[welcome.len() - 13..], done(0));
        raw
    }

    pub fn send(&mut self, kind: u8, body: &[u8]) {
        self.tcp.write_all(&packet(kind, 1, body)).unwrap();
    }

    pub fn batch(&mut self, text: &str) {
        self.send(BATCH, &batch(text));
    }

    /// The next message, put together from its packets.
    pub fn message(&mut self) -> Vec<u8> {
        let mut body = vec![];
        loop {
            let mut header = [0; 8];
            self.tcp.read_exact(&mut header).unwrap();
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let start = body.len();
            body.resize(start + length - 8, 0);
            self.tcp.read_exact(&mut body[start..]).unwrap();
            if header[1] & 1 == 1 {
                return body;
            }
        }
    }

    /// True if the server closed the connection without another byte.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.tcp.read(&mut [0; 64]), Ok(0))
    }
}

pub fn packet(kind: u8, status: u8, body: &[u8]) -> Vec<u8> {
    let length = ((body.len() + 8) as u16).to_be_bytes();
    [&[kind, status, length[0], length[1], 0, 0, 1, 0], body].concat()
}

/// A PRELOGIN of a client without TLS.
pub fn prelogin() -> Vec<u8> {
    vec![0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 9, 0, 0, 0, 0, 0, 2]
}

pub fn login7() -> Vec<u8> {
    let mut fixed = vec![0; 94];
    fixed[4..8].copy_from_slice(&0x7400_0004_u32.to_le_bytes());
    let mut data = vec![];
    for (index, text) in ["host", USER, PASSWORD].into_iter().enumerate() {
        let at = 36 + index * 4;
        fixed[at..at + 2].copy_from_slice(&((94 + data.len()) as u16).to_le_bytes());
        fixed[at + 2..at + 4].copy_from_slice(&(text.encode_utf16().count() as u16).to_le_bytes());
        let hide = |byte: u8| if index == 2 { byte.rotate_left(4) ^ 0xa5 } else { byte };
        data.extend(text.encode_utf16().flat_map(u16::to_le_bytes).map(hide));
    }
    fixed.extend(data);
    let length = fixed.len() as u32;
    fixed[..4].copy_from_slice(&length.to_le_bytes());
    fixed
}

/// ALL_HEADERS with the one header that every client sends, then `rest`.
fn with_headers(rest: &[u8]) -> Vec<u8> {
    let mut body = vec![22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    body.extend(rest);
    body
}

pub fn batch(text: &str) -> Vec<u8> {
    with_headers(&utf16(text))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn contains(message: &[u8], part: &[u8]) -> bool {
    message.windows(part.len()).any(|window| window == part)
}

/// The number of an ERROR token in the answer.
fn has_error(message: &[u8], number: i32) -> bool {
    (0..message.len().saturating_sub(7))
        .any(|at| message[at] == 0xaa && message[at + 3..at + 7] == number.to_le_bytes())
}

async fn server() -> Server {
    Server::start(EncryptionPolicy::Optional).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_wait_is_answered_by_two_messages() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    for _ in 0..3 {
        raw.batch("waitfor delay '00:01:00'");
        std::thread::sleep(Duration::from_millis(30));
        raw.send(ATTENTION, &[]);
        assert_eq!(raw.message(), done(0x02), "the aborted answer");
        assert_eq!(raw.message(), done(0x20), "the acknowledgement");
    }
    raw.batch("select 1");
    assert!(contains(&raw.message(), &[0xd1, 4, 1, 0, 0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_among_rows_ends_them_cleanly_and_is_acknowledged_apart() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    raw.batch("select endless");
    let mut some = [0; 8];
    raw.tcp.peek(&mut some).unwrap();
    raw.send(ATTENTION, &[]);
    let rows = raw.message();
    assert_eq!(rows[0], 0x81);
    assert_eq!(rows[rows.len() - 13..], done(0x02));
    assert_eq!(raw.message(), done(0x20));
    raw.batch("select 1");
    assert_eq!(raw.message()[0], 0x81);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_comes_too_late_or_with_its_request_is_acknowledged_all_the_same() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    raw.send(ATTENTION, &[]);
    assert_eq!(raw.message(), done(0x20), "nothing was running");
    raw.batch("select 1");
    assert_eq!(raw.message()[0], 0x81);
    raw.send(ATTENTION, &[]);
    assert_eq!(raw.message(), done(0x20), "the answer had ended");
    let both = [packet(BATCH, 1, &batch("waitfor delay '00:01:00'")), packet(ATTENTION, 1, &[])].concat();
    raw.tcp.write_all(&both).unwrap();
    assert_eq!(raw.message(), done(0x02));
    assert_eq!(raw.message(), done(0x20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_given_up_while_it_was_sent_is_answered_once_and_not_run() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    let (first, second) = (packet(BATCH, 0, &batch("select")), packet(BATCH, 3, &utf16(" 1")));
    raw.tcp.write_all(&[first, second].concat()).unwrap();
    assert_eq!(raw.message(), done(0));
    raw.batch("select 1");
    assert_eq!(raw.message()[0], 0x81);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_costs_no_memory() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    raw.batch("select endless");
    let pulled = || server.backend.pulled.load(Ordering::SeqCst);
    let mut before = usize::MAX;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if std::mem::replace(&mut before, pulled()) == pulled() && pulled() > 0 {
            break;
        }
    }
    // Only the buffers of the sockets are full: some megabytes of rows of about 30 bytes.
    assert!(before < 2_000_000, "{before} rows were made for a client that reads none");
    raw.send(ATTENTION, &[]);
    let rows = raw.message();
    assert_eq!(rows[rows.len() - 13..], done(0x02), "a cancel is seen even though nothing can be sent");
    assert_eq!(raw.message(), done(0x20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_session_does_not_wait_for_a_client_that_reads_nothing() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    raw.batch("select endless");
    raw.tcp.peek(&mut [0]).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.backend.killed.lock().unwrap().push(51);
    server.eventually("the session ends", |backend| backend.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mostly_empty_rows_are_sent_with_a_bitmap() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    raw.batch("select types");
    // 32 columns: a row of NULLs is the token and four bytes of ones, and the half-empty row follows.
    assert!(contains(&raw.message(), &[0xd2, 0xff, 0xff, 0xff, 0xff, 0xd2, 0xaa, 0xaa, 0xaa, 0xaa]));
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_announced_with_the_same_descriptor_when_they_end() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    for (request, kind) in [(7, 9), (8, 10)] {
        raw.send(TRANSACTION, &with_headers(&[5, 0, 0, 0]));
        let begun = raw.message();
        assert_eq!((begun[0], begun[3], begun[4], begun[13]), (0xe3, 8, 8, 0));
        raw.send(TRANSACTION, &with_headers(&[request, 0, 0, 0]));
        let ended = raw.message();
        assert_eq!((ended[0], ended[3], ended[4], ended[5]), (0xe3, kind, 0, 8));
        assert_eq!(ended[6..14], begun[5..13]);
        assert_eq!(ended[ended.len() - 13..], done(0));
    }
    raw.send(TRANSACTION, &with_headers(&[7, 0, 0, 0]));
    assert!(has_error(&raw.message(), 3902));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_connection_is_back_in_its_first_database() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    raw.batch("use stock");
    assert!(contains(&raw.message(), &utf16("'stock'")));
    raw.tcp.write_all(&packet(BATCH, 0x09, &batch("select 1"))).unwrap();
    let answer = raw.message();
    assert_eq!(answer[..6], [0xe3, 3, 0, 18, 0, 0]);
    assert!(contains(&answer, &utf16("'master'")));
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_statements_live_from_prepare_to_unprepare() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    let text = |text: &str| {
        let bytes = utf16(text);
        let mut param = vec![0, 0, 0xe7, 0x40, 0x1f, 9, 4, 0xd0, 0, 0x34, bytes.len() as u8, 0];
        param.extend(bytes);
        param
    };
    let int = |value: u8| vec![0, 0, 0x26, 4, 4, value, 0, 0, 0];
    let call = |number: u8, params: &[Vec<u8>]| {
        with_headers(&[vec![0xff, 0xff, number, 0, 0, 0], params.concat()].concat())
    };
    let output = vec![0, 1, 0x26, 4, 0];
    raw.send(RPC, &call(11, &[output, text("@a int"), text("select params")]));
    let prepared = raw.message();
    assert!(contains(&prepared, &[0x26, 4, 4, 1, 0, 0, 0, 0xfe]), "handle 1 comes back");
    raw.send(RPC, &call(12, &[int(1), int(42)]));
    let executed = raw.message();
    assert!(contains(&executed, &utf16("@a")) && contains(&executed, &utf16("42")));
    let two = [call(15, &[int(1)]), vec![0xff], call(12, &[int(1)])[22..].to_vec()].concat();
    raw.send(RPC, &two);
    let gone = raw.message();
    assert!(has_error(&gone, 8179), "the second call finds the handle gone");
    let return_statuses: Vec<&u8> = gone.iter().filter(|byte| **byte == 0x79).collect();
    assert_eq!(return_statuses.len(), 2, "one return status for each call");
    raw.send(RPC, &call(2, &[]));
    assert!(has_error(&raw.message(), 16_937), "cursors are refused");
    raw.send(BULK, &[1, 2, 3]);
    assert!(has_error(&raw.message(), 8016), "bulk load is refused");
    raw.batch("select 1");
    assert_eq!(raw.message()[0], 0x81);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_that_was_killed_learns_it_at_its_next_request() {
    let server = server().await;
    let mut raw = Raw::log_in(&server);
    server.backend.killed.lock().unwrap().push(51);
    raw.batch("select 1");
    assert!(has_error(&raw.message(), 596));
    assert!(raw.is_closed());
}
