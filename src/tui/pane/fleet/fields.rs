//! What a filter may ask of an instance.

use super::super::View;
use crate::model::snapshot::InstanceSnapshot;
use crate::tui::filter::Fields;

/// An instance as a row of the fleet.
pub struct InstanceFields<'a> {
    /// the instance
    pub instance: &'a InstanceSnapshot,
    /// for ages
    pub view: &'a View<'a>,
}

impl Fields for InstanceFields<'_> {
    fn text(&self, out: &mut String) {
        let i = self.instance;
        out.push_str(i.id().as_str());
        for g in &i.info.groups {
            out.push(' ');
            out.push_str(g);
        }
        for r in &i.health.reasons {
            out.push(' ');
            out.push_str(&r.text);
        }
    }
}
