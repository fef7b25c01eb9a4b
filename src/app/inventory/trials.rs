//! A test of a connection and a round of the doctor, for the screen. They run beside the inventory service and answer by
//! themselves; there is one of each at a time.

use super::doctor;
use crate::{model::inventory::instance::Target, protocol::Reply};
use tokio::{runtime::Handle, sync::mpsc::Sender, task::AbortHandle};

/// The tests that run now.
pub(super) struct Trials {
    runtime: Handle,
    replies: Sender<Reply>,
    test: Option<AbortHandle>,
    doctor: Option<AbortHandle>,
}

impl Trials {
    /// Nothing runs.
    pub const fn new(runtime: Handle, replies: Sender<Reply>) -> Self {
        Self { runtime, replies, test: None, doctor: None }
    }

    /// Tests a connection. Ends the previous test.
    pub fn test(&mut self, ticket: u64, target: Target) {
        self.stop_test();
        let replies = self.replies.clone();
        let task = self.runtime.spawn(async move {
            let mut tests = doctor::start(vec![target]);
            if let Some(Ok((_, tested))) = tests.join_next().await {
                let reply = Reply::Tested { ticket, report: Box::new(tested.report), rights: tested.rights };
                // The screen is gone: nobody wants to know.
                let _ = replies.send(reply).await;
            }
        });
        self.test = Some(task.abort_handle());
    }

    /// Examines what the logins may see. Ends the previous round.
    pub fn examine(&mut self, targets: Vec<Target>) {
        self.stop_doctor();
        let replies = self.replies.clone();
        let task = self.runtime.spawn(async move {
            let mut tests = doctor::start(targets);
            while let Some(ended) = tests.join_next().await {
                let Ok((_, tested)) = ended else { continue };
                let instance = tested.report.instance.clone();
                let reply = Reply::Examined { instance, rights: tested.into_rights(), left: tests.len() };
                if replies.send(reply).await.is_err() {
                    return;
                }
            }
        });
        self.doctor = Some(task.abort_handle());
    }

    /// Ends the test.
    pub fn stop_test(&mut self) {
        stop(&mut self.test);
    }

    /// Ends the doctor's round.
    pub fn stop_doctor(&mut self) {
        stop(&mut self.doctor);
    }
}

fn stop(task: &mut Option<AbortHandle>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}
