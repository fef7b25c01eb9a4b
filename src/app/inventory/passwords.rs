//! Passwords and tokens that are not stored: those that were typed, by login, and the question that is on the screen. One
//! question is open at a time; a login is asked for once, however many instances use it.

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

/// A question for the screen: whose password, and the first instance that needs it.
pub(super) type Wanted = (String, InstanceId);

impl Passwords {
    /// Puts the typed passwords into the targets. Returns the next question, if none is open.
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

    /// The target with the password that was typed for its login, if its password is asked for.
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

    /// Lets the passwords that were refused be asked for again. False if there are none.
    pub fn forget_refusals(&mut self) -> bool {
        let before = self.answers.len();
        self.answers.retain(|(_, answer)| answer.is_some());
        self.question = None;
        self.answers.len() < before
    }

    /// Forgets everything: another fleet's passwords are its own.
    pub fn forget_all(&mut self) {
        *self = Self::default();
    }
}
