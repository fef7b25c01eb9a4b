//! A recorded history in the hands of its user: sub-commands over it, and what is handed on to others.

mod cli;
mod export;
mod released;
mod scrub;
