//! The limit of open files. A fleet has as many connections as it has instances.

/// Raises the limit of open files as far as the system lets us, if `wanted` sockets need it. With too few, instances
/// say so in their cell; so this only warns.
pub fn allow_sockets(wanted: usize) {
    let wanted = wanted as u64 + 64;
    match rlimit::increase_nofile_limit(wanted.max(1024)) {
        Ok(limit) if limit < wanted => {
            tracing::warn!(limit, wanted, "too few open files for all instances: raise `ulimit -n`");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, wanted, "raising the limit of open files"),
    }
}
