//! `/metrics` over HTTP, for Prometheus on the same machine. It answers one path, authenticates nobody, and listens
//! on loopback, unless the configuration allows more. Started by a collector without a screen.

use super::metrics::CONTENT_TYPE;
use anyhow::{Context, bail};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Most connections at the same time; one more is closed at once.
const ASKERS: usize = 8;
/// Longest time for a request and its answer.
const WITHIN: Duration = Duration::from_secs(5);
/// Longest request, bytes.
const LONGEST: usize = 8_192;

/// The address to listen on, if any: the command line's, else the configuration's.
///
/// # Errors
/// An address that other machines reach and that is not allowed.
pub fn address(
    said: Option<SocketAddr>,
    config: &crate::config::Metrics,
) -> anyhow::Result<Option<SocketAddr>> {
    // Checked where it is read.
    let Some(at) = said.or_else(|| config.listen.parse().ok()) else { return Ok(None) };
    if !at.ip().is_loopback() && !config.allow_remote {
        bail!(
            "--metrics {at} can be reached from other machines: take 127.0.0.1 or [::1], or set allow_remote = true in \
             [metrics]"
        );
    }
    Ok(Some(at))
}

/// Opens the port.
///
/// # Errors
/// Another process has it.
pub async fn listen(at: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(at).await.with_context(|| format!("listening on {at} for /metrics"))
}

/// Answers with the text that `text` returns, until it is dropped.
pub async fn answer(listener: TcpListener, text: impl Fn() -> String + Send + Sync + 'static) {
    let text = Arc::new(text);
    let mut askers = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) if askers.len() < ASKERS => {
                let text = Arc::clone(&text);
                askers.spawn(async move {
                    // A bad request or a closed connection gets no answer and no line in the log.
                    let _ = tokio::time::timeout(WITHIN, converse(stream, &*text)).await;
                });
            }
            Ok(_) => {}
            // Too many open files: this passes.
            Err(error) => {
                tracing::warn!(%error, "taking a question for /metrics");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        while askers.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: TcpStream, text: &(dyn Fn() -> String + Send + Sync)) -> std::io::Result<()> {
    let mut question = Vec::with_capacity(512);
    while !question.windows(4).any(|end| end == b"\r\n\r\n") {
        if question.len() > LONGEST || stream.read_buf(&mut question).await? == 0 {
            return Ok(());
        }
    }
    let (status, kind, body) = match line_of(&question) {
        Some(("GET", "/metrics")) => ("200 OK", CONTENT_TYPE, text()),
        Some(("GET", _)) => ("404 Not Found", "text/plain", "the figures are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", "GET /metrics\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Method and path of the first line; a query behind the path is left out.
fn line_of(question: &[u8]) -> Option<(&str, &str)> {
    let line = question.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    Some((method, target.split('?').next().unwrap_or(target)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Metrics;

    #[test]
    fn only_loopback_is_listened_on_unless_more_is_allowed() {
        let config = |listen: &str, allow_remote| Metrics { listen: listen.to_owned(), allow_remote };
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(address(None, &config("", false)).unwrap(), None);
        assert_eq!(address(None, &config("[::1]:9", false)).unwrap(), at("[::1]:9"));
        assert_eq!(address(at("127.0.0.1:1"), &config("[::1]:9", false)).unwrap(), at("127.0.0.1:1"));
        let error = address(at("0.0.0.0:1"), &config("", false)).unwrap_err().to_string();
        assert!(error.contains("allow_remote"), "{error}");
        assert_eq!(address(at("0.0.0.0:1"), &config("", true)).unwrap(), at("0.0.0.0:1"));
    }

    #[tokio::test]
    async fn it_answers_one_question_and_survives_the_others() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let at = listener.local_addr().unwrap();
        let task = tokio::spawn(answer(listener, || "figures\n".to_owned()));
        let ask = async |question: &str| {
            let mut stream = TcpStream::connect(at).await.unwrap();
            stream.write_all(question.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let good = ask("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(good.starts_with("HTTP/1.1 200 OK\r\n") && good.ends_with("\r\n\r\nfigures\n"), "{good}");
        assert!(good.contains("Content-Length: 8\r\n"), "{good}");
        assert!(ask("GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404 "));
        assert!(ask("POST /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
        assert!(ask("\u{0}\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
        // As many bytes as a question may have; one that has not ended by then gets no answer.
        let long = |bytes: usize| format!("GET /metrics HTTP/1.1\r\nA: {}", "x".repeat(bytes));
        assert!(ask(&format!("{}\r\n\r\n", long(LONGEST - 200))).await.ends_with("figures\n"));
        let mut endless = TcpStream::connect(at).await.unwrap();
        let _ = endless.write_all(long(16 * LONGEST).as_bytes()).await;
        let mut nothing = Vec::new();
        // Closed, or reset by what was not read.
        let _ = endless.read_to_end(&mut nothing).await;
        assert_eq!(nothing, b"");
        let mute = TcpStream::connect(at).await.unwrap();
        assert!(
            ask("GET /metrics HTTP/1.0\r\n\r\n").await.ends_with("figures\n"),
            "a mute one holds nobody up"
        );
        drop(mute);
        task.abort();
    }
}
