//! The options that every sub-command gets beside its own. [`super::run`] makes it of the command line once.

use crate::{
    app::{
        configuration::{self, Given},
        selection::Selection,
    },
    cli::{Screen, Source, Tenancy},
};
use std::path::PathBuf;

/// The options of the command line that do not belong to one sub-command.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// the fleet, and the key that opens its tenant without a question
    pub selection: Selection,
    /// options that overrule the configuration
    pub given: Given,
    /// the recording that the screen shows instead of a fleet
    pub replay: Option<PathBuf>,
}

impl Invocation {
    /// Sorts the options by the code that reads them.
    pub fn new(source: Source, tenancy: Tenancy, screen: Screen) -> Self {
        let selection = Selection {
            demo: source.demo,
            seed: source.seed,
            inventory: source.inventory,
            tenant: tenancy.tenant,
            key_file: tenancy.key_file,
            unwrap: Vec::new(),
        };
        let given = Given {
            file: source.config,
            theme: screen.theme,
            mouse: screen.mouse,
            low_bandwidth: screen.low_bandwidth,
            plain: screen.plain,
        };
        let mut made = Self { selection, given, replay: screen.replay };
        // What else is wrong with the configuration is told by the commands that need it.
        if made.selection.is_sealed()
            && let Ok(config) = configuration::load(&made.given)
        {
            made.selection.unwrap = config.vault.unwrap;
        }
        made
    }
}
