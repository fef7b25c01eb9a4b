//! Which instances there are, how they are reached, and what a tenant keeps of them.

pub mod address;
pub mod check;
pub mod connection;
pub mod doctor;
pub mod instance;
pub mod record;
pub mod tls;
