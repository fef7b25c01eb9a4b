//! One client from its first byte to its last: PRELOGIN, TLS, LOGIN7, then requests and their answers.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::BytesMut;

use super::{
    answer::{Answer, Next},
    link::{End, Link, Sent},
    login,
    packet::{Kind, Message, TYPE_ANSWER, TYPE_PRELOGIN},
    prelogin::{self, Encryption, EncryptionPolicy},
    read::Malformed,
    statement::{Statements, Work},
    tls::Acceptors,
    tokens::{self, DONE_ATTENTION, DONE_ERROR, DoneKind},
};
use crate::sim::backend::{Backend, Replies, ServerMessage, Session};

/// The time that PRELOGIN, TLS and LOGIN7 may take together.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(30);
/// The first byte of a TLS handshake: a TDS 8.0 client.
const TLS_HANDSHAKE: u8 = 0x16;

/// The parts that all connections of an instance share.
pub struct Instance {
    /// its content
    pub backend: Arc<dyn Backend>,
    /// its certificates
    pub acceptors: Acceptors,
    /// how it treats encryption
    pub policy: EncryptionPolicy,
}

/// A logged-in session. Its end is reported to the backend, however the connection ends.
struct Guest {
    backend: Arc<dyn Backend>,
    session: Session,
    /// the database to return to when the connection is reset
    home: String,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.backend.logout(self.session.spid);
    }
}

/// Serves one client until it leaves.
pub async fn run(instance: Arc<Instance>, link: Link, client: IpAddr) {
    let network_is_down = link.network_is_down();
    let entered = tokio::select! {
        entered = enter(&instance, link, client) => entered,
        () = network_is_down => Err(End::Reset),
        () = tokio::time::sleep(HANDSHAKE_DEADLINE) => Err(End::TooSlow),
    };
    let end = match entered {
        Err(end) => end,
        Ok((mut link, guest)) => {
            let end = serve(&mut link, guest).await;
            if matches!(end, End::Reset) {
                // A reset instead of a regular close; if the socket refuses, it is closed the usual way.
                let _ = link.tcp().set_zero_linger();
            }
            end
        }
    };
    tracing::debug!(%client, %end, "simulated connection ended");
}

/// Does everything up to the answer to LOGIN7.
async fn enter(instance: &Instance, mut link: Link, client: IpAddr) -> Result<(Link, Guest), End> {
    link.network_allows().await?;
    let mut first = [0];
    link.tcp().peek(&mut first).await?;
    let inside_tls = first[0] == TLS_HANDSHAKE;
    if inside_tls && instance.policy == EncryptionPolicy::NotSupported {
        return Err(End::Closed);
    }
    if !inside_tls && first[0] != TYPE_PRELOGIN {
        return Err(Malformed("not a TDS client").into());
    }
    if inside_tls {
        link = link.start_tls(&instance.acceptors.strict, false).await?;
    }
    let hello = expect(&mut link, Kind::Prelogin).await?;
    let mut out = BytesMut::new();
    let hello = prelogin::parse(&hello.body)?;
    let version = instance.backend.version();
    let agreed = prelogin::answer(hello, instance.policy, inside_tls, version, &mut out);
    link.send_rest(TYPE_ANSWER, &mut out).await?;
    match agreed {
        Encryption::Refused => return Err(End::Closed),
        Encryption::Full | Encryption::LoginOnly if !inside_tls => {
            link.network_allows().await?;
            link = link.start_tls(&instance.acceptors.wrapped, true).await?;
        }
        _ => {}
    }
    let asked = expect(&mut link, Kind::Login).await?;
    if agreed == Encryption::LoginOnly {
        link = link.stop_tls();
    }
    log_in(instance, link, client, &asked).await
}

async fn expect(link: &mut Link, kind: Kind) -> Result<Message, End> {
    let message = link.read_message().await?;
    if message.kind == kind { Ok(message) } else { Err(End::Closed) }
}

async fn log_in(
    instance: &Instance,
    mut link: Link,
    client: IpAddr,
    asked: &Message,
) -> Result<(Link, Guest), End> {
    let login = login::parse(&asked.body)?;
    tokio::time::sleep(instance.backend.login_pause()).await;
    let server = instance.backend.server_name();
    let mut out = BytesMut::new();
    match instance.backend.login(&login.attempt, client) {
        Err(refusal) => {
            tokens::put_message(&mut out, &refusal, &server);
            tokens::put_done(&mut out, DoneKind::Batch, DONE_ERROR, 0, 0);
            link.send_rest(TYPE_ANSWER, &mut out).await?;
            Err(End::Closed)
        }
        Ok(session) => {
            let home = session.database.clone();
            let guest = Guest { backend: Arc::clone(&instance.backend), session, home };
            link.set_spid(guest.session.spid);
            login::put_welcome(&mut out, &login, &guest.session, instance.backend.version(), &server);
            tokens::put_done(&mut out, DoneKind::Batch, 0, 0, 0);
            link.send_rest(TYPE_ANSWER, &mut out).await?;
            link.set_packet_bytes(login.packet_bytes);
            Ok((link, guest))
        }
    }
}

/// The outcome of the work on an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Finished,
    Cancelled,
    Killed,
    Close,
}

async fn serve(link: &mut Link, mut guest: Guest) -> End {
    let mut statements = Statements::default();
    loop {
        if let Err(end) = serve_one(link, &mut guest, &mut statements).await {
            return end;
        }
    }
}

/// Reads one request and answers it.
async fn serve_one(link: &mut Link, guest: &mut Guest, statements: &mut Statements) -> Result<(), End> {
    let message = link.read_message().await?;
    if message.kind == Kind::Attention {
        return acknowledge_attention(link).await;
    }
    let mut answer = Answer::new(guest.backend.server_name(), guest.session.database.clone());
    if message.reset {
        guest.session.database.clone_from(&guest.home);
        statements.clear();
        answer.reset(&guest.home);
    }
    link.set_answering(true);
    let flow = if guest.backend.is_killed(guest.session.spid) {
        Flow::Killed
    } else if message.ignored {
        Flow::Finished
    } else {
        work(link, guest, statements, &message, &mut answer).await?
    };
    let done = finish(link, guest, answer, flow).await;
    link.set_answering(false);
    done
}

/// Does what a request asks for, up to the last token but the final DONE.
async fn work(
    link: &mut Link,
    guest: &mut Guest,
    statements: &mut Statements,
    message: &Message,
    answer: &mut Answer,
) -> Result<Flow, End> {
    let Some(works) = statements.plan(message, answer) else {
        return Err(End::Closed);
    };
    for work in works {
        let flow = match work {
            Work::Batch(text) => {
                let replies = guest.backend.batch(&mut guest.session, &text, &[]);
                stream(link, answer, replies).await?
            }
            Work::Call { text, params, outputs } => {
                answer.begin_call();
                let replies = guest.backend.batch(&mut guest.session, &text, &params);
                let flow = stream(link, answer, replies).await?;
                if flow == Flow::Finished {
                    answer.end_call(&outputs);
                }
                flow
            }
            Work::Reply { refusal, outputs } => {
                answer.begin_call();
                if let Some(refusal) = refusal {
                    answer.message(&refusal);
                }
                answer.end_call(&outputs);
                Flow::Finished
            }
        };
        if flow != Flow::Finished {
            return Ok(flow);
        }
    }
    Ok(Flow::Finished)
}

/// Pulls steps from the backend as fast as the client takes them.
async fn stream(link: &mut Link, answer: &mut Answer, replies: Replies) -> Result<Flow, End> {
    for reply in replies {
        let sent = match answer.push(reply) {
            Next::Step => link.send_full_packets(&mut answer.out).await?,
            Next::Pause(time) => link.pause(time).await?,
            Next::Cut(keep) => match link.cut(&mut answer.out, keep).await? {},
            Next::Close => return Ok(Flow::Close),
        };
        match sent {
            Sent::All => tokio::task::consume_budget().await,
            Sent::Cancelled => return Ok(Flow::Cancelled),
            Sent::Killed => return Ok(Flow::Killed),
        }
    }
    Ok(Flow::Finished)
}

/// Sends the rest of an answer, and acts on its end.
async fn finish(link: &mut Link, guest: &Guest, mut answer: Answer, flow: Flow) -> Result<(), End> {
    match flow {
        Flow::Finished | Flow::Close => answer.finish(),
        Flow::Cancelled => answer.abort(),
        Flow::Killed => {
            answer.message(&killed());
            answer.finish();
        }
    }
    link.send_rest(TYPE_ANSWER, &mut answer.out).await?;
    if matches!(flow, Flow::Killed | Flow::Close) {
        return Err(End::Closed);
    }
    if link.take_attention() || flow == Flow::Cancelled {
        guest.backend.cancelled(guest.session.spid);
        acknowledge_attention(link).await?;
    }
    Ok(())
}

/// Acknowledges an attention, after the answer that it cancelled or alone.
async fn acknowledge_attention(link: &mut Link) -> Result<(), End> {
    let mut out = BytesMut::new();
    tokens::put_done(&mut out, DoneKind::Batch, DONE_ATTENTION, 0, 0);
    link.send_rest(TYPE_ANSWER, &mut out).await
}

fn killed() -> ServerMessage {
    ServerMessage {
        number: 596,
        class: 21,
        state: 1,
        text: "Cannot continue the execution because the session is in the kill state.".to_owned(),
        line: 1,
    }
}
