//! The selected fleet, and what opens it without a question. `command` makes it from the command line.

use std::path::PathBuf;

/// A fleet: a simulated one, a plain file's, or a tenant's.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// a simulated fleet of so many instances, within this process
    pub demo: Option<u32>,
    /// the simulated fleet's seed
    pub seed: u64,
    /// a plain inventory
    pub inventory: Option<PathBuf>,
    /// the tenant, if neither a demo nor a file is named; None: the only one that there is
    pub tenant: Option<String>,
    /// the file that opens the tenant's vault; None: what the environment says
    pub key_file: Option<PathBuf>,
    /// `[vault] unwrap`: the program that opens a slot of the kind `command`
    pub unwrap: Vec<String>,
}

impl Selection {
    /// True if the inventory is a tenant's and so sealed.
    pub const fn is_sealed(&self) -> bool {
        self.demo.is_none() && self.inventory.is_none()
    }

    /// The tenant of this name, opened in the same ways.
    #[must_use]
    pub fn of_tenant(&self, name: &str) -> Self {
        Self { tenant: Some(name.to_owned()), ..self.clone() }
    }
}
