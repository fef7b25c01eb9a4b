//! The program from outside, as a person or a script meets it: in a pseudo-terminal ([`screen`]), or as a process with
//! a simulated fleet beside it ([`process`]), on a disk that fails on demand ([`fault`]). Shared by `tests/program.rs` and the
//! benchmarks; nothing in here looks into the library.

#[cfg(target_os = "linux")]
pub mod fault;
pub mod process;
pub mod screen;
pub mod vault;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The program under test, built by cargo for this test or benchmark.
pub const DBTOP: &str = env!("CARGO_BIN_EXE_dbtop");

/// How long a test waits for what must come. Far above what is usual: the machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// A user of their own: a home for configuration and logs, and a folder for temporary files. All goes when dropped.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// An empty one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["home", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        // Folders of dbtop are their owner's alone, whatever the umask says.
        #[cfg(unix)]
        std::fs::set_permissions(
            folder.path().join("home"),
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
        .expect("a mode");
        Self { folder }
    }

    /// What `DBTOP_HOME` says.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// What `TMPDIR` says.
    pub fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// Writes a file beside both and says where it is.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("writing a file");
        path
    }

    /// The environment of the program: nothing of the machine's but where programs are, and where it counts the lines
    /// that it runs if somebody measures that (`tests/coverage.sh`).
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |p: &Path| p.to_string_lossy().into_owned();
        let counted = std::env::var("LLVM_PROFILE_FILE").ok().map(|file| ("LLVM_PROFILE_FILE", file));
        let ours = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", text(&self.path())),
            ("DBTOP_HOME", text(&self.path())),
            ("TMPDIR", text(&self.tmp())),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
        ];
        ours.into_iter().chain(counted).collect()
    }

    /// Fails if the program left anything among the temporary files.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let left = names(&self.tmp());
        assert!(left.is_empty(), "temporary files stayed behind: {left:?}");
    }
}

/// The only file of this name below a folder.
#[track_caller]
pub fn find(folder: &Path, name: &str) -> PathBuf {
    fn look(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("reading a folder").flatten() {
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                look(&entry.path(), name, found);
            } else if entry.file_name() == name {
                found.push(entry.path());
            }
        }
    }
    let mut found = Vec::new();
    look(folder, name, &mut found);
    assert_eq!(found.len(), 1, "{name} below {}: {found:?}", folder.display());
    found.remove(0)
}

/// What is in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("reading a folder").flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}
