//! Tests of connections and the permission doctor, for the screen: they run beside the keeper and answer by themselves.

use super::{Keeper, edit::keep_secrets, stop};
use crate::{
    command::check,
    model::{
        base::failure::{Failure, FailureKind},
        inventory::{
            instance::{InstanceId, Target},
            record::{InstanceRecord, SecretRef},
        },
        judge::health::Level,
    },
    tui::effect::Reply,
};
use std::collections::HashSet;

impl Keeper {
    pub(super) fn test(&mut self, ticket: u64, mut record: InstanceRecord, of: Option<&InstanceId>) {
        stop(&mut self.test);
        let Some(open) = &self.open else { return };
        if let Some(entry) = of.and_then(|id| open.inventory.instance(id.as_str())) {
            keep_secrets(&mut record, &entry.record);
        }
        let target = match Target::try_from(&record) {
            Ok(target) => self.with_answer(target),
            Err(e) => return self.message(Level::Warning, e.to_string()),
        };
        let replies = self.replies.clone();
        let task = self.runtime.spawn(async move {
            let mut tests = check::start(vec![target]);
            if let Some(Ok((_, tested))) = tests.join_next().await {
                let reply = Reply::Tested { ticket, report: Box::new(tested.report), rights: tested.rights };
                // The screen is gone: nobody wants to know.
                let _ = replies.send(reply).await;
            }
        });
        self.test = Some(task.abort_handle());
    }

    pub(super) fn doctor(&mut self, ids: &[InstanceId]) {
        stop(&mut self.doctor);
        let Some(all) = self.plain.as_ref().or_else(|| self.open.as_ref().map(|open| &open.targets)) else {
            return;
        };
        let ids: HashSet<&InstanceId> = ids.iter().collect();
        let wanted = |target: &&Target| ids.is_empty() || ids.contains(&target.info.id);
        let targets: Vec<Target> =
            all.iter().filter(wanted).map(|target| self.with_answer(target.clone())).collect();
        let replies = self.replies.clone();
        let task = self.runtime.spawn(async move {
            let mut tests = check::start(targets);
            while let Some(ended) = tests.join_next().await {
                let Ok((_, tested)) = ended else { continue };
                let instance = tested.report.instance.clone();
                let rights = tested.rights.unwrap_or_else(|| Err(why_not(&tested.report)));
                let reply = Reply::Examined { instance, rights, left: tests.len() };
                if replies.send(reply).await.is_err() {
                    return;
                }
            }
        });
        self.doctor = Some(task.abort_handle());
    }

    /// With the password that was typed for its login, if it is one to ask for.
    fn with_answer(&self, mut target: Target) -> Target {
        let who = crate::command::source::whose(&target.auth);
        let typed =
            self.answers.iter().find(|(whose, _)| *whose == who).and_then(|(_, answer)| answer.as_ref());
        if let (Some(secret @ SecretRef::Ask), Some(answer)) = (target.auth.secret_mut(), typed) {
            *secret = SecretRef::Stored(answer.clone());
        }
        target
    }
}

/// The step at which a connection failed.
fn why_not(report: &crate::model::inventory::check::ConnectionReport) -> Failure {
    let failed =
        report.lines().into_iter().find(|line| line.state == crate::model::inventory::check::State::Failed);
    let words = failed
        .map_or_else(|| "it was not reached".to_owned(), |line| format!("{}: {}", line.step, line.words));
    Failure::new(FailureKind::Unreachable, words)
}
