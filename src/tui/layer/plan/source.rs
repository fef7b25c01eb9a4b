//! A plan that is shown, with where it is from. Whoever has read one makes it.

use crate::{model::inventory::instance::InstanceId, plan::Plan};
use std::sync::Arc;

/// A plan, and where it is from.
#[derive(Clone, Debug)]
pub struct PlanSource {
    /// where it is from, for the title: `sqlprd-014 · orders · 0x8A3F… · cache`
    pub title: String,
    /// the instance, which is polled fast while the plan is on the screen
    pub instance: Option<InstanceId>,
    /// as the server wrote it, for the file
    pub raw: Arc<str>,
    /// as it was read
    pub plan: Arc<Plan>,
    /// the query runs still: newer figures come
    pub is_live: bool,
}
