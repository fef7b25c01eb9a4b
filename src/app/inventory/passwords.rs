//! Passwords and tokens that are to be asked for: what was typed, by whose it is, and the question that is on the screen. One
//! question is open at a time; a login is asked for once, whatever number of instances has it.

use super::targets::whose;
use crate::model::{
    base::secret::Secret,
    inventory::{
        instance::{InstanceId, Target},
        record::SecretRef,
    },
};

/// Kept over a lock, as the collector keeps its own.
#[derive(Default)]
pub(super) struct Passwords {
    /// None: it was not given
    answers: Vec<(String, Option<Secret>)>,
    /// whose password the screen asks for now
    question: Option<String>,
}

/// A question for the screen: whose password, and the first instance that wants it.
pub(super) type Wanted = (String, InstanceId);

impl Passwords {
    /// Puts what was typed into the targets. Returns what is to be asked for next, if no question is open.
    pub fn fill(&mut self, targets: &mut [Target]) -> Option<Wanted> {
        let mut missing = None;
        for target in targets {
            let who = whose(&target.auth);
            let id = target.info.id.clone();
            let Some(secret) = target.auth.secret_mut().filter(|s| matches!(s, SecretRef::Ask)) else {
                continue;
            };
            match self.answers.iter().find(|(whose, _)| *whose == who) {
                Some((_, Some(answer))) => *secret = SecretRef::Stored(answer.clone()),
                None if missing.is_none() => missing = Some((who, id)),
                // Asked for later; or Esc was the answer, and these instances say that nobody was asked.
                None | Some((_, None)) => {}
            }
        }
        let (who, wanted_by) = missing.filter(|_| self.question.is_none())?;
        self.question = Some(who.clone());
        Some((who, wanted_by))
    }

    /// With the password that was typed for its login, if it is one to ask for.
    pub fn with_answer(&self, mut target: Target) -> Target {
        let who = whose(&target.auth);
        let typed =
            self.answers.iter().find(|(whose, _)| *whose == who).and_then(|(_, answer)| answer.as_ref());
        if let (Some(secret @ SecretRef::Ask), Some(answer)) = (target.auth.secret_mut(), typed) {
            *secret = SecretRef::Stored(answer.clone());
        }
        target
    }

    /// Takes the answer to the open question. False if there is none.
    pub fn answer(&mut self, answer: Option<Secret>) -> bool {
        let Some(who) = self.question.take() else { return false };
        self.answers.push((who, answer));
        true
    }

    /// Those that were not given may be asked for again. False if all were.
    pub fn forget_refusals(&mut self) -> bool {
        let before = self.answers.len();
        self.answers.retain(|(_, answer)| answer.is_some());
        self.question = None;
        self.answers.len() < before
    }

    /// Another fleet: nothing that was typed is its own.
    pub fn forget_all(&mut self) {
        *self = Self::default();
    }
}
