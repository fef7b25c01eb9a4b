//! Clients that send any bytes at all: the instance keeps working, whatever one connection does.

use std::{io::Write, net::Shutdown};

use dbtop::sim::wire::EncryptionPolicy;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tiberius::EncryptionLevel;

use super::{
    Server,
    raw::{Raw, batch, login7, packet, prelogin},
    select_one,
};

/// Everything a well-behaved client sends, in one piece.
fn good_stream() -> Vec<u8> {
    [
        packet(0x12, 1, &prelogin()),
        packet(0x10, 1, &login7()),
        packet(0x01, 1, &batch("select types; select 1")),
        packet(0x06, 1, &[]),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_and_broken_streams_harm_nobody() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let flips = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(flips, noise, any::<prop::sample::Index>()), |(flips, noise, cut)| {
        let mut stream = good_stream();
        for (index, byte) in flips {
            let at = index.index(stream.len());
            stream[at] = byte;
        }
        stream.truncate(cut.index(stream.len() + 1));
        for bytes in [stream, noise] {
            let mut raw = Raw::open(&server);
            // The server may have closed already: that is an answer too.
            let _ = raw.tcp.write_all(&bytes);
            let _ = raw.tcp.shutdown(Shutdown::Write);
        }
        Ok(())
    });
    outcome.unwrap();
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    assert_eq!(select_one(&mut client).await, 1);
    drop(client);
    let nobody = |backend: &crate::echo::Echo| backend.open.load(std::sync::atomic::Ordering::SeqCst) == 0;
    server.eventually("every session has ended", nobody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_end_is_cut_off() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut raw = Raw::log_in(&server);
    let part = packet(0x01, 0, &vec![b' '; 4088]);
    let sent = (0..10_000).take_while(|_| raw.tcp.write_all(&part).is_ok()).count();
    assert!(sent < 10_000, "{sent} packets of one request were taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_read_is_an_error_and_not_the_end() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut raw = Raw::log_in(&server);
    for broken in [vec![255, 255, 0, 0], vec![], vec![4, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0, 0, 0, 0xf3]] {
        raw.send(0x03, &broken);
        assert_eq!(raw.message()[0], 0xaa);
    }
    raw.batch("select 1");
    assert_eq!(raw.message()[0], 0x81);
}
