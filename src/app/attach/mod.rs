//! How the processes of one fleet find each other, by files in the fleet's folder: one has the [`lock`] and polls, the others
//! follow it. A collector without a screen makes a [`claim`] on it. It writes a [`heartbeat`] every second; screens that follow ask it by a [`watch_request`] for what they look at.
//! [`place`] says where that folder is; [`seen`] is what `status` and `healthcheck` see of it. No vault is opened for any of it.

pub mod claim;
pub mod heartbeat;
pub mod lock;
pub mod place;
pub mod seen;
pub mod watch_request;
