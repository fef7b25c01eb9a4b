//! A user who keeps a sealed inventory: their home, and the key file that opens it in scripts.

use super::{
    Home,
    process::{Ended, dbtop, run},
};
use std::path::PathBuf;

/// The user. Tests add to it what they need.
pub struct Stage {
    /// their files
    pub home: Home,
    /// the key file; there once a vault is made
    pub key: PathBuf,
}

impl Stage {
    /// Without any tenant.
    pub fn new() -> Self {
        let home = Home::new();
        let key = home.tmp().join("key");
        Self { home, key }
    }

    /// With a vault that the key file opens.
    #[track_caller]
    pub fn with_vault() -> Self {
        let stage = Self::new();
        stage.done(&["vault", "init"]);
        stage
    }

    /// The key file as an argument.
    pub fn key(&self) -> &str {
        self.key.to_str().expect("UTF-8 in paths")
    }

    /// Runs dbtop with the key file.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Ended {
        run(dbtop(args, &self.home).args(["--key-file", self.key()]))
    }

    /// Runs dbtop with the key file; fails unless it did what it was told.
    #[track_caller]
    pub fn done(&self, args: &[&str]) -> Ended {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended
    }
}
