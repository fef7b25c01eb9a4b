//! The parts of a tenant's inventory and audit log: plain records that `store` seals, `app::inventory` and `command` edit,
//! and the screen shows. No I/O, no keys, no clock in here.
//!
//! Everything but a stored password can be written out: a [`Secret`](crate::model::base::secret::Secret) always serializes as an empty
//! text, so that no listing, export or log can carry one. `store` alone puts passwords aside before it seals a record
//! ([`InstanceRecord::secrets_mut`]).

mod audit;
mod auth;
mod bulk;
mod color;
mod group;
mod id;
mod instance;
mod limits;
mod poll;
mod target;

pub use audit::{About, AuditEntry, AuditRow, Author, Outcome};
pub use auth::{Auth, SecretRef};
pub use bulk::BulkChange;
pub use color::LabelColor;
pub use group::{FilterRecord, GroupRecord, LabelRecord};
pub use id::{RecordId, Slug, SlugError, TenantUid};
pub use instance::{InstanceRecord, RecordError, Tls, TlsCheck};
pub use limits::Limits;
pub use poll::{Pause, PollSettings, maintenance_until};
