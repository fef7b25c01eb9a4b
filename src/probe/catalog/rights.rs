//! The rights of our login, and the optional objects and columns of this server: they choose between scripts.

use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        reading::Unavailable,
        rights::{Right, Rights},
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, Start, needed, optional},
        script::{Script, script},
    },
};
use std::sync::{Arc, LazyLock};

const RIGHTS: Script = script!("rights", Nothing, one row);
const CAPABILITIES: Script = script!("capabilities", Nothing, by "object_name" "column_name");

/// A right that the program can make use of: name, its column in `rights.sql` (several: all of them), and what is
/// shown only with it.
const RIGHTS_IN_WORDS: [(&str, &[&str], &str); 7] = [
    ("VIEW SERVER STATE", &["view_server_state"], "sessions, waits, CPU, memory, blocking, files"),
    (
        "VIEW SERVER PERFORMANCE STATE",
        &["view_server_performance_state"],
        "CPU, memory, waits, activity, blocking, availability (2022 and later)",
    ),
    (
        "VIEW SERVER SECURITY STATE",
        &["view_server_security_state"],
        "client addresses and last statements of connections (2022 and later)",
    ),
    (
        "VIEW ANY DEFINITION",
        &["view_any_definition"],
        "volumes, names of availability groups, names of locked objects",
    ),
    (
        "SELECT on msdb job tables",
        &["msdb_access", "msdb_sysjobs", "msdb_sysjobservers", "msdb_sysjobhistory"],
        "failed Agent jobs, names of jobs at work",
    ),
    ("CONNECT ANY DATABASE", &["connect_any_database"], "names of locked objects in every database"),
    ("ALTER ANY CONNECTION", &["alter_any_connection"], "ending sessions"),
];

/// Their names, and what is shown only with them: one text for the whole fleet.
static TEXTS: LazyLock<[(Arc<str>, Arc<str>); RIGHTS_IN_WORDS.len()]> =
    LazyLock::new(|| RIGHTS_IN_WORDS.map(|(name, _, gives)| (name.into(), gives.into())));

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(RIGHTS), optional(CAPABILITIES, &[])],
    start: Start::AtOnce,
    vital: true,
    ..Probe::new(ProbeId::Rights, Tier::Identity, decode)
};

/// `rights` and `capabilities`.
fn decode(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = sets.one("rights")?;
    let rights = RIGHTS_IN_WORDS.iter().zip(&*TEXTS).map(|((_, columns, _), (name, gives))| {
        let answers = columns.iter().map(|c| row.bool(c));
        // All of them, or one that says no, or not known.
        let held = answers.reduce(|a, b| match (a, b) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        });
        Right { name: Arc::clone(name), held: held.flatten(), gives: Arc::clone(gives) }
    });
    let mut present: Vec<Arc<str>> = Vec::new();
    for row in sets.all("capabilities") {
        let Some(object) = row.name("object_name") else { continue };
        let column = row.name("column_name").map(|c| format!("{object}.{c}").into());
        for name in [Some(object), column].into_iter().flatten() {
            if !present.contains(&name) {
                present.push(name);
            }
        }
    }
    Ok(Sample::Known(State::Rights(Arc::new(Rights { rights: rights.collect(), present }))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn an_unknown_right_is_not_a_denied_one() {
        let columns = ["view_server_state", "view_server_performance_state", "msdb_access", "msdb_sysjobs"];
        let answer =
            set("rights", &columns, vec![vec![Cell::Int(1), Cell::Null, Cell::Int(1), Cell::Int(0)]]);
        let caps = set(
            "capabilities",
            &["object_name", "column_name"],
            vec![vec![text("dm_exec_requests"), text("dop")], vec![text("dm_os_host_info"), Cell::Null]],
        );
        let Sample::Known(State::Rights(r)) = decode(
            &sets(vec![answer, caps]),
            &ProbeContext::new(crate::model::base::time::Timestamp::default),
        )
        .unwrap() else {
            panic!()
        };
        assert_eq!(r.held("VIEW SERVER STATE"), Some(true));
        assert_eq!(r.held("VIEW SERVER PERFORMANCE STATE"), None);
        assert_eq!(r.held("SELECT on msdb job tables"), Some(false));
        assert_eq!(r.sees_performance(), Some(true));
        assert!(r.present.iter().any(|p| &**p == "dm_exec_requests.dop"));
        assert!(r.present.iter().any(|p| &**p == "dm_os_host_info"));
    }

    #[test]
    fn held_are_all_of_several_or_it_is_not_known() {
        let held = |answers: [Cell; 4]| {
            let columns = ["msdb_access", "msdb_sysjobs", "msdb_sysjobservers", "msdb_sysjobhistory"];
            let answer = sets(vec![set("rights", &columns, vec![answers.to_vec()])]);
            let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
            let Ok(Sample::Known(State::Rights(r))) = decode(&answer, &ctx) else { panic!() };
            r.held("SELECT on msdb job tables")
        };
        let [yes, no, unknown] = [Cell::Int(1), Cell::Int(0), Cell::Null];
        assert_eq!(held([yes.clone(), yes.clone(), yes.clone(), yes.clone()]), Some(true));
        assert_eq!(held([yes.clone(), yes.clone(), unknown.clone(), yes.clone()]), None);
        assert_eq!(held([unknown.clone(), yes.clone(), yes.clone(), yes.clone()]), None);
        assert_eq!(held([yes.clone(), unknown.clone(), yes, no.clone()]), Some(false));
        assert_eq!(held([no, unknown.clone(), unknown.clone(), unknown]), Some(false));
    }
}
