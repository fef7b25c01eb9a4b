//! Properties of an instance: server properties, operating system, configuration. Asked at connect and hourly.

use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        properties::{Platform, Properties, ServerOption},
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, Start, needed, optional},
        script::{Needs, Script, When, script},
    },
    tds::Row,
};
use std::sync::Arc;

const PROPERTIES: Script = script!("properties", Nothing, one row);
const SYSINFO: Script = script!("sysinfo", Performance, one row);
const CONFIGURATION: Script = script!("configuration", Nothing, by "name");
const HOST_2017: Script = script!("host_2017", Nothing, one row);
const HOST_2016: Script = script!("host_2016", Performance, one row);

/// Options that are kept; SQL Server 2025 has about a hundred.
const MAX_OPTIONS: usize = 256;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        needed(PROPERTIES),
        optional(SYSINFO, &[]),
        optional(CONFIGURATION, &[]),
        optional(HOST_2017, &[When::Has("dm_os_host_info")]),
        optional(HOST_2016, &[When::Lacks("dm_os_host_info")]),
    ],
    start: Start::AtOnce,
    vital: true,
    unknown_without: &[(Needs::Performance, "workers and the server's memory")],
    panes: &["fleet", "instance"],
    ..Probe::new(ProbeId::Properties, Tier::Identity, decode)
};

/// `properties`, with `sysinfo` and `host_2017` or `host_2016` where they came.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = sets.one("properties")?;
    let version = row.name("product_version");
    let major =
        row.i32("product_major_version").or_else(|| version.as_deref()?.split('.').next()?.parse().ok());
    let mut properties = Properties {
        server_name: row.name("server_name"),
        machine_name: row.name("machine_name"),
        edition: row.name("edition"),
        engine_edition: row.i32("engine_edition"),
        major,
        version,
        level: row.name("product_level"),
        update_level: row.name("product_update_level"),
        collation: row.name("collation_name"),
        hadr_enabled: row.bool("is_hadr_enabled"),
        clustered: row.bool("is_clustered"),
        started_at: ctx.clock().at(row, "tempdb_created").map(|at| ctx.clock().ours(at)),
        utc_offset_min: ctx.offset_min(),
        clock_skew_ms: ctx.skew_ms(),
        transport: ctx.transport(),
        ..Properties::default()
    };
    if let Some(info) = sets.all("sysinfo").next() {
        add_sysinfo(&mut properties, info, ctx);
    }
    (properties.platform, properties.os_name) = host(sets);
    properties.options = options(sets);
    Ok(Sample::Known(State::Properties(Arc::new(properties))))
}

/// None where they were not told: a list without any would say that there are none.
fn options(sets: &Sets) -> Option<Arc<Vec<ServerOption>>> {
    let option = |row: Row<'_>| {
        Some(ServerOption {
            name: row.name("name")?,
            configured: row.i64("configured"),
            in_use: row.i64("in_use"),
        })
    };
    let mut options: Vec<_> = sets.all("configuration").filter_map(option).take(MAX_OPTIONS).collect();
    options.sort_by(|a, b| a.name.cmp(&b.name));
    (!options.is_empty()).then(|| Arc::new(options))
}

fn add_sysinfo(properties: &mut Properties, row: Row<'_>, ctx: &ProbeContext) {
    properties.cpu_count = row.small("cpu_count").filter(|n| *n > 0);
    properties.numa_nodes = row.small("numa_node_count").filter(|n| *n > 0);
    properties.physical_memory_kb = row.count("physical_memory_kb");
    properties.target_memory_kb = row.count("committed_target_kb");
    properties.max_workers = row.small("max_workers_count").filter(|n| *n > 0);
    let started_at = ctx.clock().at(row, "sqlserver_start_time").map(|at| ctx.clock().ours(at));
    properties.started_at = started_at.or(properties.started_at);
}

fn host(sets: &Sets) -> (Platform, Option<Arc<str>>) {
    if let Some(row) = sets.all("host_2017").next() {
        let platform = match row.name("host_platform").as_deref() {
            Some("Linux") => Platform::Linux,
            Some("Windows") => Platform::Windows,
            _ => Platform::Unknown,
        };
        let release = row.name("host_release");
        let name = row.name("host_distribution").map(|d| match release {
            // "Windows Server 2019 Datacenter" says it already; "Ubuntu" does not.
            Some(release) if platform == Platform::Linux => format!("{d} {release}").into(),
            _ => d,
        });
        return (platform, name);
    }
    // Only Windows has this view, and 2016 only Windows.
    match sets.all("host_2016").next() {
        Some(row) => (Platform::Windows, row.name("windows_release").map(|r| format!("Windows {r}").into())),
        None => (Platform::Unknown, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    const START: i64 = 1_700_000_000_000;

    fn context(sets: &Sets) -> ProbeContext {
        let mut ctx = ProbeContext::new(Timestamp::default);
        ctx.note_clock(sets, Timestamp::from_ms(START));
        ctx
    }

    fn decoded(sets: &Sets) -> Properties {
        match decode(sets, &context(sets)).unwrap() {
            Sample::Known(State::Properties(p)) => Arc::unwrap_or_clone(p),
            other => panic!("{other:?}"),
        }
    }

    fn base() -> crate::tds::ResultSet {
        set(
            "properties",
            &["server_time", "product_version", "is_hadr_enabled", "tempdb_created"],
            vec![vec![
                Cell::Instant { utc_ms: START + 1_500, offset_min: 60 },
                text("15.0.4430.1"),
                Cell::Int(1),
                Cell::Local(START),
            ]],
        )
    }

    #[test]
    fn a_login_without_rights_still_gets_version_and_start() {
        let p = decoded(&sets(vec![base()]));
        assert_eq!(
            (p.major, p.year()),
            (Some(15), Some(2019)),
            "major from the version where the property is NULL"
        );
        assert_eq!(p.started_at, Some(Timestamp::from_ms(START - 3_601_500)), "local time made ours");
        assert_eq!(p.clock_skew_ms, Some(1_500));
        assert_eq!(p.cpu_count, None);
        assert_eq!(p.platform, Platform::Unknown);
        assert_eq!(p.hadr_enabled, Some(true));
    }

    #[test]
    fn options_are_told_by_name_and_none_is_not_an_empty_list() {
        assert_eq!(decoded(&sets(vec![base()])).options, None);
        let row = |name: &str, configured, in_use| vec![text(name), configured, in_use];
        let found = set(
            "configuration",
            &["name", "configured", "in_use"],
            vec![
                row("xp_cmdshell", Cell::Int(1), Cell::Int(1)),
                row("max server memory (MB)", Cell::Int(8192), Cell::Int(4096)),
                row("odd", Cell::Null, Cell::Null),
            ],
        );
        let p = decoded(&sets(vec![base(), found]));
        let told: Vec<_> =
            p.options.iter().flat_map(|all| all.iter()).map(|o| (&*o.name, o.words())).collect();
        let words = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("max server memory (MB)", words("4096, configured 8192")),
                ("odd", None),
                ("xp_cmdshell", words("1"))
            ]
        );
    }

    #[test]
    fn sysinfo_and_host_complete_it() {
        let sysinfo = set(
            "sysinfo",
            &["cpu_count", "sqlserver_start_time"],
            vec![vec![Cell::Int(8), Cell::Local(START + 60_000)]],
        );
        let host = set(
            "host_2017",
            &["host_platform", "host_distribution", "host_release"],
            vec![vec![text("Linux"), text("Ubuntu"), text("22.04")]],
        );
        let p = decoded(&sets(vec![base(), sysinfo, host]));
        assert_eq!(p.cpu_count, Some(8));
        assert_eq!(p.started_at, Some(Timestamp::from_ms(START + 60_000 - 3_601_500)));
        assert_eq!((p.platform, p.os_name.as_deref()), (Platform::Linux, Some("Ubuntu 22.04")));
    }

    #[test]
    fn every_figure_of_the_machine_stands_in_its_own_field_and_zero_is_no_answer() {
        type Field = fn(&Properties) -> Option<i64>;
        let fields: [(&str, Field, Option<i64>); 5] = [
            ("cpu_count", |p| p.cpu_count.map(Into::into), None),
            ("numa_node_count", |p| p.numa_nodes.map(Into::into), None),
            ("max_workers_count", |p| p.max_workers.map(Into::into), None),
            ("physical_memory_kb", |p| p.physical_memory_kb, Some(0)),
            ("committed_target_kb", |p| p.target_memory_kb, Some(0)),
        ];
        for (column, _, of_zero) in fields {
            let told = |n| decoded(&sets(vec![base(), set("sysinfo", &[column], vec![vec![Cell::Int(n)]])]));
            for (other, field, _) in fields {
                let wanted = |n| if other == column { n } else { None };
                assert_eq!(field(&told(7)), wanted(Some(7)), "{other} from {column}");
                assert_eq!(field(&told(0)), wanted(of_zero), "{other} from {column}");
                assert_eq!(field(&told(-1)), None, "{other} from {column}");
            }
        }
    }

    #[test]
    fn the_platform_is_what_its_own_view_says() {
        let told = |found| {
            let p = decoded(&sets(vec![base(), found]));
            (p.platform, p.os_name.as_deref().map(str::to_owned))
        };
        let new = |platform, name, release| {
            let columns = ["host_platform", "host_distribution", "host_release"];
            told(set("host_2017", &columns, vec![vec![platform, text(name), release]]))
        };
        let name = |name: &str| Some(name.to_owned());
        let windows = "Windows Server 2022 Standard";
        assert_eq!(new(text("Windows"), windows, text("6.3")), (Platform::Windows, name(windows)));
        assert_eq!(new(text("Linux"), "Ubuntu", Cell::Null), (Platform::Linux, name("Ubuntu")));
        assert_eq!(new(text("Plan 9"), "Glenda", text("4")), (Platform::Unknown, name("Glenda")));
        assert_eq!(new(Cell::Null, "Ubuntu", text("4")), (Platform::Unknown, name("Ubuntu")));
        let old = |release| told(set("host_2016", &["windows_release"], vec![vec![release]]));
        assert_eq!(old(text("6.3")), (Platform::Windows, name("Windows 6.3")));
        assert_eq!(old(Cell::Null), (Platform::Windows, None));
    }

    #[test]
    fn every_property_stands_in_its_own_field() {
        type Field = fn(&Properties) -> Option<String>;
        let fields: [(&str, Field); 9] = [
            ("server_name", |p| p.server_name.as_deref().map(Into::into)),
            ("machine_name", |p| p.machine_name.as_deref().map(Into::into)),
            ("edition", |p| p.edition.as_deref().map(Into::into)),
            ("product_level", |p| p.level.as_deref().map(Into::into)),
            ("product_update_level", |p| p.update_level.as_deref().map(Into::into)),
            ("collation_name", |p| p.collation.as_deref().map(Into::into)),
            ("engine_edition", |p| p.engine_edition.map(|n| n.to_string())),
            ("is_hadr_enabled", |p| p.hadr_enabled.map(|_| "1".into())),
            ("is_clustered", |p| p.clustered.map(|_| "1".into())),
        ];
        for (column, _) in fields {
            let is_number = column == "engine_edition" || column.starts_with("is_");
            let cell = if is_number { Cell::Int(1) } else { text("1") };
            let p = decoded(&sets(vec![set("properties", &[column], vec![vec![cell]])]));
            for (other, field) in fields {
                assert_eq!(field(&p), (other == column).then(|| "1".to_owned()), "{other} from {column}");
            }
        }
    }
}
