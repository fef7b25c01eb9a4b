//! Which scripts of a probe are asked now, or why none. Called by `run`; pure.

use super::{
    context::ProbeContext,
    descriptor::{Part, Probe, Want},
    recorded::Source,
    script::{Needs, Script, When},
};
use crate::model::poll::{properties::Hosting, reading::Unavailable, rights::Rights};

/// Engine edition of Express, which has no Agent.
const EXPRESS: i32 = 4;

/// Which round trip of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trip {
    /// the one with the others
    First,
    /// the one that the first was found to be worth
    Second,
}

/// The scripts of a probe to ask in this round trip, or why there is nothing to ask.
///
/// # Errors
/// The reason for the whole probe.
pub(super) fn scripts(ctx: &ProbeContext, probe: &Probe, trip: Trip) -> Result<Vec<Script>, Unavailable> {
    for want in probe.wants {
        lacking(ctx, *want)?;
    }
    let mut scripts = Vec::new();
    for part in probe.parts.iter().filter(|p| holds(ctx, p, trip)) {
        match ctx.verdict(part.script) {
            Some(verdict) if part.needed => return Err(verdict.clone()),
            Some(_) => {}
            None => scripts.push(part.script),
        }
    }
    Ok(scripts)
}

/// True if a part belongs to this round trip of this server.
pub(super) fn holds(ctx: &ProbeContext, part: &Part, trip: Trip) -> bool {
    part.when.contains(&When::SecondTrip) == (trip == Trip::Second)
        && part.when.iter().all(|when| match when {
            When::Focused => ctx.is_focused(),
            When::Has(name) => ctx.has(name) == Some(true),
            When::Lacks(name) => ctx.has(name) == Some(false),
            When::SecondTrip => true,
            When::InFile(event) => {
                ctx.read.recording(*event).source().is_some_and(|source| !source.is_ring())
            }
            When::InMemory(event) => ctx.read.recording(*event).source().is_some_and(Source::is_ring),
        })
}

/// An error where what is wanted is known to be lacking.
fn lacking(ctx: &ProbeContext, want: Want) -> Result<(), Unavailable> {
    let properties = ctx.properties();
    match want {
        Want::AvailabilityGroups if properties.and_then(|p| p.hadr_enabled) == Some(false) => {
            Err(Unavailable::NotHere("availability groups are not enabled".into()))
        }
        Want::Agent
            if matches!(properties.and_then(|p| p.engine_edition), Some(EXPRESS))
                || ctx.hosting() == Hosting::AzureDatabase =>
        {
            Err(Unavailable::NotHere("this edition has no Agent".into()))
        }
        // Rights there are those of databases: it says itself which one is missing.
        Want::Right(_) if ctx.hosting() == Hosting::AzureDatabase => Ok(()),
        Want::Right(needs) if ctx.rights().and_then(|rights| held(rights, needs)) == Some(false) => {
            Err(Unavailable::NoRight(needs.right(ctx.major()).into()))
        }
        Want::AvailabilityGroups | Want::Agent | Want::Right(_) => Ok(()),
    }
}

/// Whether the login has it; None if that is not known.
fn held(rights: &Rights, needs: Needs) -> Option<bool> {
    match needs {
        Needs::Nothing => Some(true),
        // One of two rights is enough.
        Needs::Performance => rights.sees_performance(),
        Needs::Security | Needs::Definition | Needs::MsdbJobs | Needs::Trace => {
            rights.held(needs.right(None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{Sample, State, id::ProbeId},
        probe::catalog::probe,
    };
    use std::sync::Arc;

    fn names(ctx: &ProbeContext, id: ProbeId, trip: Trip) -> Vec<&'static str> {
        scripts(ctx, probe(id), trip).unwrap().iter().map(|s| s.name).collect()
    }

    #[test]
    fn variants_are_chosen_by_what_the_server_has() {
        let mut ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        assert_eq!(
            names(&ctx, ProbeId::Properties, Trip::First),
            ["properties", "sysinfo", "configuration"],
            "nothing known: no variant"
        );
        let present = vec!["dm_exec_requests".into()];
        ctx.absorb(&Sample::Known(State::Rights(Arc::new(Rights { rights: vec![], present }))));
        assert_eq!(
            names(&ctx, ProbeId::Properties, Trip::First),
            ["properties", "sysinfo", "configuration", "host_2016"]
        );
        let present = vec!["dm_os_host_info".into()];
        ctx.absorb(&Sample::Known(State::Rights(Arc::new(Rights { rights: vec![], present }))));
        assert_eq!(
            names(&ctx, ProbeId::Properties, Trip::First),
            ["properties", "sysinfo", "configuration", "host_2017"]
        );
    }

    #[test]
    fn chains_are_asked_only_when_something_is_blocked() {
        let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        assert_eq!(names(&ctx, ProbeId::Blocking, Trip::First), ["blocked"]);
        assert_eq!(
            names(&ctx, ProbeId::Blocking, Trip::Second),
            ["blocking", "chain", "transactions", "connections"]
        );
    }

    #[test]
    fn what_failed_for_good_is_not_asked_again_until_rights_are_read() {
        let mut ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        let waits = probe(ProbeId::Waits).parts[0].script;
        ctx.remember(waits, Unavailable::NoRight("VIEW SERVER STATE".into()));
        let refused = scripts(&ctx, probe(ProbeId::Waits), Trip::First).err();
        assert_eq!(refused, Some(Unavailable::NoRight("VIEW SERVER STATE".into())));
        ctx.absorb(&Sample::Known(State::Rights(Arc::default())));
        assert_eq!(names(&ctx, ProbeId::Waits, Trip::First), ["waits"]);
    }
}
