//! A question of a pane about a thing of the inventory, as data: what is at stake, what is to be filled in, which typed word means
//! yes, and the request that follows. Panes make it, `layer::asking` asks it.

use crate::{
    model::{base::secret::Secret, inventory::instance::InstanceId},
    protocol::InventoryRequest,
};
use std::fmt;

/// How a sentence is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// plain
    Plain,
    /// beside the point
    Aside,
    /// what somebody may lose
    Warning,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub enum Input {
    /// a text
    Text(String),
    /// a text that typing replaces, and moving keeps
    Old(String),
    /// one of these words, and which one it is now
    Choice(Vec<&'static str>, &'static str),
    /// a text that is shown as dots
    Hidden,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Blank {
    /// its name in the program, as refusals name it
    pub id: &'static str,
    /// its name for the user
    pub label: &'static str,
    /// what it holds
    pub input: Input,
    /// what to write
    pub hint: String,
    /// what a text may be completed to
    pub known: Vec<String>,
}

impl Blank {
    /// A text.
    pub fn text(id: &'static str, label: &'static str, text: &str, hint: &str) -> Self {
        let (input, hint) = (Input::Text(text.to_owned()), hint.to_owned());
        Self { id, label, input, hint, known: Vec::new() }
    }

    /// A text that typing replaces.
    pub fn old(id: &'static str, label: &'static str, text: &str, hint: &str) -> Self {
        Self { input: Input::Old(text.to_owned()), ..Self::text(id, label, "", hint) }
    }

    /// One of some words.
    pub fn choice(
        id: &'static str,
        label: &'static str,
        words: Vec<&'static str>,
        word: &'static str,
    ) -> Self {
        Self { id, label, input: Input::Choice(words, word), hint: String::new(), known: Vec::new() }
    }

    /// A secret.
    pub fn hidden(id: &'static str, label: &'static str, hint: &str) -> Self {
        Self { id, label, input: Input::Hidden, hint: hint.to_owned(), known: Vec::new() }
    }
}

/// What was filled in.
pub trait Answers {
    /// What was typed into a hidden field.
    fn secret(&self, id: &str) -> Option<Secret>;
    /// The text of a field, without blanks around it.
    fn said(&self, id: &str) -> &str;
}

/// A field and what is wrong with it.
pub type Wrong = (&'static str, String);

/// Makes the request of what was filled in.
pub type Make = Box<dyn Fn(&dyn Answers) -> Result<InventoryRequest, Wrong>>;

/// Makes the request of what was picked: these were not chosen before, these are no longer.
pub type Picked = Box<dyn Fn(Vec<InstanceId>, Vec<InstanceId>) -> InventoryRequest>;

/// The question.
pub enum Ask {
    /// fields, and a typed word where something may be lost
    Form {
        /// what is done: `New group`
        title: String,
        /// what is at stake, a sentence each
        lines: Vec<(Tone, String)>,
        /// what to fill in
        blanks: Vec<Blank>,
        /// the word that means yes; None: Enter in the last field does
        word: Option<String>,
        /// the request
        make: Make,
    },
    /// instances to choose
    Pick {
        /// what for: `Members of prod`
        title: String,
        /// those that are chosen now
        chosen: Vec<InstanceId>,
        /// the request
        make: Picked,
    },
}

impl Ask {
    /// Fields to fill in.
    pub fn form(
        title: impl Into<String>,
        blanks: Vec<Blank>,
        make: impl Fn(&dyn Answers) -> Result<InventoryRequest, Wrong> + 'static,
    ) -> Self {
        Self::Form { title: title.into(), lines: Vec::new(), blanks, word: None, make: Box::new(make) }
    }

    /// With what is at stake.
    #[must_use]
    pub fn with_lines(mut self, more: Vec<(Tone, String)>) -> Self {
        if let Self::Form { lines, .. } = &mut self {
            lines.extend(more);
        }
        self
    }

    /// A question that only a typed word answers.
    pub fn confirm(
        title: impl Into<String>,
        lines: Vec<(Tone, String)>,
        word: impl Into<String>,
        make: impl Fn() -> InventoryRequest + 'static,
    ) -> Self {
        let make = Box::new(move |_: &dyn Answers| Ok(make()));
        Self::Form { title: title.into(), lines, blanks: Vec::new(), word: Some(word.into()), make }
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Form { title, .. } | Self::Pick { title, .. }) = self;
        f.debug_tuple("Ask").field(title).finish()
    }
}
