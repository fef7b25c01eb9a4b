//! The store with real files: one tenant's records, what happens to damaged ones, tenants as a whole, and kill -9.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail like tests")]

#[path = "store/damage.rs"]
mod damage;
#[path = "store/inventory.rs"]
mod inventory;
#[path = "store/kill.rs"]
mod kill;
#[path = "store/support.rs"]
mod support;
#[path = "store/tenants.rs"]
mod tenants;
