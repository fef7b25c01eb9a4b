//! One simulated instance behind the wire: logins, sessions, batches, KILL.

use super::{
    answer::{self, Asked, Own, plan::Sender},
    backend::{Backend, LoginAttempt, Network, Param, Replies, ServerMessage, Session},
    scenario::{Cut, Kind},
    state::State,
    world::{
        Killed, Script,
        moment::Moment,
        profile::Profile,
        rights::{Grant, Rights},
        texts::{Sort, TEXTS},
    },
};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Real sessions get ids from here on: simulated ones are below.
const FIRST_SPID: i16 = 300;
/// CPU that one statement costs the simulated server, µs.
const STATEMENT_CPU_US: i64 = 140;
/// Pages that it reads.
const STATEMENT_READS: i64 = 6;

/// A real connection's session.
#[derive(Debug)]
struct Live {
    spid: i16,
    login_ms: i64,
    cpu_us: AtomicI64,
    logical_reads: AtomicI64,
    killed: AtomicBool,
}

/// One instance.
pub struct Instance {
    state: Arc<State>,
    index: usize,
    /// Open sessions, by id; replaced as a whole when one comes or goes.
    live: watch::Sender<Arc<[Arc<Live>]>>,
}

impl Instance {
    /// The instance at `index` of the fleet; None if there is none.
    pub fn new(state: Arc<State>, index: usize) -> Option<Self> {
        state.fleet.profiles.get(index)?;
        let (live, _) = watch::channel(Arc::from([]));
        Some(Self { state, index, live })
    }

    fn profile(&self) -> &Profile {
        &self.state.fleet.profiles[self.index]
    }

    /// Calls a function with the instance at this moment.
    fn now<T>(&self, ask: impl FnOnce(&Moment<'_>) -> T) -> T {
        let script: Arc<Script> = self.state.script();
        let moment = Moment::new(&self.state.fleet, &script, self.profile(), self.state.clock.now_ms());
        ask(&moment)
    }

    fn find(&self, spid: i64) -> Option<Arc<Live>> {
        self.live.borrow().iter().find(|l| i64::from(l.spid) == spid).cloned()
    }

    /// Registers a session under the lowest free id.
    fn admit(&self, login_ms: i64) -> i16 {
        let mut spid = FIRST_SPID;
        self.live.send_modify(|live| {
            let taken = |id: i16| live.iter().any(|l| l.spid == id);
            while taken(spid) {
                spid += 1;
            }
            let new = Arc::new(Live {
                spid,
                login_ms,
                cpu_us: AtomicI64::new(900),
                logical_reads: AtomicI64::new(40),
                killed: AtomicBool::new(false),
            });
            *live = live.iter().cloned().chain([new]).collect();
        });
        spid
    }

    /// GRANT and CREATE USER by a login with the rights `by`.
    fn grant(
        &self,
        by: Rights,
        grant: &Grant,
        database: &str,
        moment: &Moment<'_>,
    ) -> Result<(), ServerMessage> {
        let (Grant::Server { to, .. } | Grant::Select { to, .. } | Grant::User(to)) = grant;
        if !by.admin {
            return Err(ServerMessage::error(4613, "Grantor does not have GRANT permission.".to_owned(), 1));
        }
        let exists = *to == self.state.credentials.user || self.state.logins.iter().any(|l| l.user == *to);
        if !exists {
            let text = format!(
                "Cannot find the login '{to}', because it does not exist or you do not have permission."
            );
            return Err(ServerMessage::error(15_151, text, 1));
        }
        let before = self.state.rights(self.index, to, moment);
        let after = before.with(grant, database, moment.profile.version);
        let after = after.map_err(|(number, text)| ServerMessage::error(number, text, 1))?;
        self.state.set_rights(self.index, to, after);
        Ok(())
    }

    /// KILL.
    fn kill(&self, by: &Session, spid: i64, moment: &Moment<'_>) -> Result<(), ServerMessage> {
        let refuse = |number, text: String| Err(ServerMessage::error(number, text, 1));
        if !self.state.rights(self.index, &by.user, moment).kill {
            return refuse(6102, "User does not have permission to use the KILL statement.".to_owned());
        }
        if spid == i64::from(by.spid) {
            return refuse(6104, "Cannot use KILL to kill your own process.".to_owned());
        }
        if (1..=50).contains(&spid) {
            return refuse(6107, "Only user processes can be killed.".to_owned());
        }
        if let Some(live) = self.find(spid) {
            live.killed.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let Some(work) = moment.work().iter().find(|w| i64::from(w.spid) == spid) else {
            return refuse(6106, format!("Process ID {spid} is not an active process ID."));
        };
        let ends = match TEXTS.get(usize::from(work.text.template)).map(|t| t.sort) {
            Some(Sort::BlockingHead) => Some(Kind::BlockingStorm),
            Some(Sort::TempdbEater) => Some(Kind::TempdbFill),
            _ => None,
        };
        let (index, at_ms) = (self.index, moment.at_ms);
        self.state
            .kill(Killed { index, spid: work.spid, at_ms }, ends.map(|kind| Cut { index, kind, at_ms }));
        Ok(())
    }
}

impl Backend for Instance {
    fn login(&self, attempt: &LoginAttempt, _client: IpAddr) -> Result<Session, ServerMessage> {
        let known = attempt.token.is_none() && self.state.knows(&attempt.user, &attempt.password);
        if !known || self.now(|m| m.is(Kind::LoginRefused)) {
            return Err(ServerMessage::error(
                18_456,
                format!("Login failed for user '{}'.", attempt.user),
                1,
            ));
        }
        let wanted = if attempt.database.is_empty() { "master" } else { &attempt.database };
        let Some(database) = self.profile().databases.iter().find(|d| d.name.eq_ignore_ascii_case(wanted))
        else {
            let text = format!("Cannot open database \"{wanted}\" requested by the login. The login failed.");
            return Err(ServerMessage::error(4060, text, 1));
        };
        Ok(Session {
            spid: self.admit(self.state.clock.now_ms()),
            user: attempt.user.clone(),
            database: database.name.clone(),
            program: attempt.program.clone(),
            host: attempt.host.clone(),
        })
    }

    fn login_pause(&self) -> Duration {
        let starved = self.now(|m| m.active(Kind::Threadpool));
        Duration::from_millis(starved.map_or(0, |a| a.amount.max(0.0) as u64))
    }

    fn batch(&self, session: &mut Session, text: &str, params: &[Param]) -> Replies {
        let live = self.find(i64::from(session.spid));
        let replies = self.now(|moment| {
            let rights = self.state.rights(self.index, &session.user, moment);
            let sender = Sender {
                version: moment.profile.version,
                hosting: moment.profile.hosting,
                rights,
                user: &session.user,
                database: &session.database,
            };
            let plan = self.state.plan(text, &sender);
            let own = live.as_ref().map_or_else(Own::default, |live| {
                let statements = plan.statements.len() as i64 + 1;
                let cpu_us = STATEMENT_CPU_US * statements;
                let reads = STATEMENT_READS * statements;
                Own {
                    cpu_us: live.cpu_us.fetch_add(cpu_us, Ordering::Relaxed) + cpu_us,
                    logical_reads: live.logical_reads.fetch_add(reads, Ordering::Relaxed) + reads,
                    login_ms: live.login_ms,
                }
            });
            let connected = self.live.borrow().len() as i64;
            let kill = |spid| self.kill(session, spid, moment);
            let grant = |grant: &Grant, database: &str| self.grant(rights, grant, database, moment);
            let asked = Asked { moment, rights, session, own, connected, params, kill: &kill, grant: &grant };
            answer::run(&plan, &asked)
        });
        let (replies, database) = replies;
        session.database = database;
        replies
    }

    fn is_killed(&self, spid: i16) -> bool {
        self.find(i64::from(spid)).is_some_and(|live| live.killed.load(Ordering::Relaxed))
    }

    fn cancelled(&self, _: i16) {
        self.state.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    fn logout(&self, spid: i16) {
        self.live.send_modify(|live| *live = live.iter().filter(|l| l.spid != spid).cloned().collect());
    }

    fn network(&self) -> Network {
        let script = self.state.script();
        Moment::new(&self.state.fleet, &script, self.profile(), self.state.clock.now_ms()).network()
    }

    fn version(&self) -> [u8; 4] {
        let p = self.profile();
        let [high, low] = p.build.build.to_be_bytes();
        [p.version.major(), 0, high, low]
    }

    fn server_name(&self) -> String {
        self.profile().name.clone()
    }
}
