//! The store with real files: one tenant's records, what happens to damaged ones, tenants as a whole, and kill -9.

mod damage;
mod inventory;
mod kill;
mod lists;
mod support;
mod tenants;
