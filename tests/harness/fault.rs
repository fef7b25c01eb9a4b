//! A disk that fails on demand under the history of one dbtop: a real errno from the calls of libc, where a limit of the
//! process or a full file system cannot make one. `disk_fault.c` is loaded into that process alone; a file says how it fails.

use super::Home;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Loads `disk_fault.c`.
const PRELOAD: &str = "LD_PRELOAD";
/// Names the file that says how the disk fails.
const CONTROL: &str = "DBTOP_DISK_FAULT";

/// The disk below one dbtop.
pub struct Fault {
    library: PathBuf,
    control: PathBuf,
}

impl Fault {
    /// A disk that is well, until told otherwise.
    #[track_caller]
    pub fn new(home: &Home) -> Self {
        Self { library: library(), control: home.file("disk-fault", "") }
    }

    /// What the environment of dbtop needs.
    pub fn environment(&self) -> [(&'static str, &Path); 2] {
        [(PRELOAD, &self.library), (CONTROL, &self.control)]
    }

    /// From now on it fails so: `EIO`, `EROFS`, `ENOSPC`, `EDQUOT`, `read EIO`.
    #[track_caller]
    pub fn begin(&self, how: &str) {
        // Whole at once: it is read with every call.
        let next = self.control.with_extension("next");
        std::fs::write(&next, how).expect("writing a file");
        std::fs::rename(&next, &self.control).expect("renaming a file");
    }

    /// It is well again.
    #[track_caller]
    pub fn end(&self) {
        self.begin("");
    }
}

/// Compiles it. Tests run side by side: each makes its own, and puts it in its place when it is whole.
#[track_caller]
fn library() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/disk_fault.c");
    let (made, library) =
        (folder.join(format!("disk_fault.{}.so", fastrand::u64(..))), folder.join("disk_fault.so"));
    let cc = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(&cc)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&made, &source])
        .arg("-ldl")
        .output();
    assert!(
        output.is_ok(),
        "this test needs a C compiler, as building dbtop does: {} cannot be run",
        cc.display()
    );
    let output = output.expect("a compiler that ran");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "compiling {}: {said}", source.display());
    std::fs::rename(&made, &library).expect("renaming a file");
    library
}
