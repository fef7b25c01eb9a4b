//! The modules of an incident: procedures, triggers and functions that took most CPU, by the counters of the plan cache. `gather` hands
//! over the readings, `page` asks for the section.

use super::{
    html::Html,
    parts::{Worst, more, name, none},
    spent::Spent,
};
use crate::model::{
    inventory::instance::InstanceId,
    poll::modules::{ModuleKind, ModuleTable},
};
use std::{collections::HashMap, sync::Arc};

/// Modules that are kept while the story is gathered.
const KEPT: usize = 60;
/// The most rows.
const TOP: usize = 20;

/// A module over the stretch.
#[derive(Debug, Clone, Default)]
struct Sum {
    kind: ModuleKind,
    database: Option<Arc<str>>,
    name: Option<Arc<str>>,
    spent: Spent,
}

/// What modules cost.
#[derive(Debug, Default)]
pub(super) struct Modules {
    all: Worst<(InstanceId, Sum)>,
    polls: u64,
    /// of the instance that is read now
    own: HashMap<(i32, i32), Sum>,
}

impl Modules {
    /// Takes a reading of the instance that is read now.
    pub fn take(&mut self, table: &ModuleTable) {
        self.polls += 1;
        for module in &table.modules {
            let sum = self.own.entry((module.database_id, module.object_id)).or_default();
            sum.kind = module.kind;
            sum.spent.take(module, module.at_least);
            for (to, from) in [(&mut sum.database, &module.database), (&mut sum.name, &module.name)] {
                if to.is_none() {
                    to.clone_from(from);
                }
            }
        }
    }

    /// The instance is read: of its modules those that cost most stay.
    pub fn end(&mut self, instance: &InstanceId) {
        let own = self.own.drain().filter(|(_, sum)| sum.spent.is_some());
        self.all.take(own.map(|(_, sum)| (instance.clone(), sum)), KEPT, |a, b| {
            b.1.spent.cpu_us.cmp(&a.1.spent.cpu_us).then_with(|| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)))
        });
    }
}

/// The section.
pub(super) fn section(html: &mut Html, modules: &Modules) {
    if modules.polls == 0 {
        return none(html, "No poll of modules is kept of that time.");
    }
    if modules.all.rows.is_empty() {
        return none(html, "No module ended a run in that time.");
    }
    none(
        html,
        "What runs that ended in that time cost. ≥: plans went, so it was more. Max: since it was cached.",
    );
    let row = |(instance, sum): &(InstanceId, Sum)| {
        let mut row =
            vec![instance.to_string(), name(&sum.database), name(&sum.name), sum.kind.word().to_owned()];
        row.extend(sum.spent.cells());
        row
    };
    let columns = [&["instance", "database", "module", "what it is"][..], &Spent::COLUMNS[..]].concat();
    html.table(&columns, modules.all.rows.iter().take(TOP).map(row));
    more(html, modules.all.all, TOP, "module");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::modules::ModuleRow;

    #[test]
    fn runs_of_a_module_add_up_and_the_costliest_stands_first() {
        let row = |object_id: i32, cpu_us: i64, name: Option<&str>| ModuleRow {
            database_id: 5,
            object_id,
            kind: ModuleKind::Procedure,
            name: name.map(Into::into),
            runs: Some(10),
            cpu_us: Some(cpu_us),
            elapsed_us: Some(200_000),
            at_least: object_id == 2,
            ..ModuleRow::default()
        };
        let table = |rows: Vec<ModuleRow>| ModuleTable { modules: rows, ..ModuleTable::default() };
        let mut modules = Modules::default();
        modules.take(&table(vec![row(1, 4_000_000, None), row(2, 5_000_000, Some("dbo.usp_Settle"))]));
        modules.take(&table(vec![row(1, 4_000_000, Some("dbo.usp_GetPage"))]));
        modules.end(&InstanceId::new("a"));
        let page = Html::page("", "", |html| section(html, &modules));
        let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words} in {page}"));
        assert!(at("dbo.usp_GetPage") < at("dbo.usp_Settle"), "8 s of CPU before 5 s: {page}");
        assert!(at("≥5.0 s") > at("8.0 s") && page.contains("20ms") | page.contains("20 ms"), "{page}");
        let page = Html::page("", "", |html| section(html, &Modules::default()));
        assert!(page.contains("No poll of modules is kept"), "{page}");
    }
}
