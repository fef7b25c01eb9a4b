//! How the processes of one fleet find each other, by files in the fleet's folder: one has the [`lock`] and polls, the others
//! follow it. A collector without a screen makes a [`claim`] on the lock. The poller writes a [`heartbeat`] every second;
//! screens that follow tell it in a [`watch_request`] which instances they show.
//! [`run_folder`] says where that folder is; [`seen`] is the view of `status` and `healthcheck`. None of this opens a vault.

pub mod claim;
pub mod heartbeat;
pub mod lock;
pub mod run_folder;
pub mod seen;
pub mod watch_request;
