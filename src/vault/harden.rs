//! Protection of the process's own memory. Called once, before the first secret is read.

use super::keys::Locked;

/// The result of [`harden`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardened {
    /// a crash leaves no core file, and other processes of the user cannot look into the memory
    pub is_undumpable: bool,
    /// keys can be kept out of swap
    pub is_memory_lockable: bool,
}

/// Switches core dumps and tracing by other processes of the user off (`PR_SET_DUMPABLE`, Linux; nothing elsewhere),
/// and tries whether a page can be locked.
pub fn harden() -> Hardened {
    #[cfg(target_os = "linux")]
    let is_undumpable = {
        use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
            && dumpable_behavior().is_ok_and(|now| now == DumpableBehavior::NotDumpable)
    };
    #[cfg(not(target_os = "linux"))]
    let is_undumpable = false;
    let is_memory_lockable = Locked::<[u8; 32]>::empty().is_locked();
    Hardened { is_undumpable, is_memory_lockable }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_process_says_that_it_cannot_be_dumped() {
        assert!(super::harden().is_undumpable);
        // The files of such a process belong to root (proc(5)); as root there is no difference.
        let dumpable = rustix::process::dumpable_behavior().unwrap();
        assert_eq!(dumpable, rustix::process::DumpableBehavior::NotDumpable);
    }
}
