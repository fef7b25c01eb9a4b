//! Schema of the resource governor and extended events. Facts only: `schema` says how they are used.

use super::object::{Column, DATABASE, Object, Reach, SERVER, SYSNAME, col, function, opt, view};
use crate::sim::backend::ColumnType::{
    BigInt, Bit, DateTime, DateTime2, Float, Guid, Int, NChar, NVarChar, NVarCharMax, VarBinary, Variant,
};

/// The objects, by name.
#[rustfmt::skip]
pub(super) const OBJECTS: &[Object] = &[
    view("dm_resource_governor_configuration", SERVER, &[
        col("classifier_function_id", Int), col("is_reconfiguration_pending", Bit),
        opt("max_outstanding_io_per_volume", Int),
    ]),
    view("dm_resource_governor_resource_pools", SERVER, &[
        col("pool_id", Int), col("name", SYSNAME), col("statistics_start_time", DateTime),
        col("total_cpu_usage_ms", BigInt), col("cache_memory_kb", BigInt), col("compile_memory_kb", BigInt),
        col("used_memgrant_kb", BigInt), col("total_memgrant_count", BigInt),
        col("total_memgrant_timeout_count", BigInt), col("active_memgrant_count", Int),
        col("active_memgrant_kb", BigInt), col("memgrant_waiter_count", Int), col("max_memory_kb", BigInt),
        col("used_memory_kb", BigInt), col("target_memory_kb", BigInt), col("out_of_memory_count", BigInt),
        col("min_cpu_percent", Int), col("max_cpu_percent", Int), col("min_memory_percent", Int),
        col("max_memory_percent", Int), col("cap_cpu_percent", Int), opt("min_iops_per_volume", Int),
        opt("max_iops_per_volume", Int), opt("read_io_queued_total", Int), opt("read_io_issued_total", Int),
        col("read_io_completed_total", Int), opt("read_io_throttled_total", Int),
        col("read_bytes_total", BigInt), col("read_io_stall_total_ms", BigInt),
        opt("read_io_stall_queued_ms", BigInt), opt("write_io_queued_total", Int),
        opt("write_io_issued_total", Int), col("write_io_completed_total", Int),
        col("write_io_throttled_total", Int), col("write_bytes_total", BigInt),
        col("write_io_stall_total_ms", BigInt), opt("write_io_stall_queued_ms", BigInt),
        opt("io_issue_violations_total", Int), opt("io_issue_delay_total_ms", BigInt),
        opt("io_issue_ahead_total_ms", BigInt), opt("reserved_io_limited_by_volume_total", BigInt),
        opt("io_issue_delay_non_throttled_total_ms", BigInt), opt("total_cpu_delayed_ms", BigInt),
        opt("total_cpu_active_ms", BigInt), opt("total_cpu_violation_delay_ms", BigInt),
        opt("total_cpu_violation_sec", BigInt), opt("total_cpu_usage_preemptive_ms", BigInt),
        opt("total_cpu_usage_actual_ms", BigInt).since(2025),
    ]),
    view("dm_resource_governor_workload_groups", SERVER, &[
        col("group_id", Int), col("name", SYSNAME), col("pool_id", Int), col("external_pool_id", Int),
        col("statistics_start_time", DateTime), col("total_request_count", BigInt),
        col("total_queued_request_count", BigInt), col("active_request_count", Int),
        col("queued_request_count", Int), col("total_cpu_limit_violation_count", BigInt),
        col("total_cpu_usage_ms", BigInt), col("max_request_cpu_time_ms", BigInt),
        col("blocked_task_count", Int), col("total_lock_wait_count", BigInt),
        col("total_lock_wait_time_ms", BigInt), col("total_query_optimization_count", BigInt),
        col("total_suboptimal_plan_generation_count", BigInt), col("total_reduced_memgrant_count", BigInt),
        col("max_request_grant_memory_kb", BigInt), col("active_parallel_thread_count", BigInt),
        col("importance", SYSNAME), col("request_max_memory_grant_percent", Int),
        col("request_max_cpu_time_sec", Int), col("request_memory_grant_timeout_sec", Int),
        col("group_max_requests", Int), col("max_dop", Int), col("effective_max_dop", Int),
        col("total_cpu_usage_preemptive_ms", BigInt),
        col("request_max_memory_grant_percent_numeric", Float).since(2019),
        opt("total_cpu_usage_actual_ms", BigInt).since(2025), opt("cache_memory_kb", BigInt).since(2025),
        opt("compile_memory_kb", BigInt).since(2025), opt("used_memory_kb", BigInt).since(2025),
        opt("cap_cpu_percent", Int).since(2025), opt("tempdb_data_space_kb", BigInt).since(2025),
        opt("peak_tempdb_data_space_kb", BigInt).since(2025),
        opt("total_tempdb_data_limit_violation_count", BigInt).since(2025),
    ]),
    view("dm_xe_map_values", SERVER, &[
        col("name", NVarChar(256)), col("object_package_guid", Guid), col("map_key", Int),
        col("map_value", NVarChar(3072)),
    ]),
    view("dm_xe_objects", SERVER, &[
        col("name", NVarChar(60)), col("object_type", NVarChar(60)), col("package_guid", Guid),
        col("description", NVarChar(256)), opt("capabilities", Int), opt("capabilities_desc", NVarChar(256)),
        opt("type_name", NVarChar(60)), opt("type_package_guid", Guid), opt("type_size", Int),
    ]),
    view("dm_xe_packages", SERVER, &[
        col("name", NVarChar(256)), col("guid", Guid), col("description", NVarChar(3072)),
        opt("capabilities", Int), opt("capabilities_desc", NVarChar(256)), col("module_guid", NVarChar(60)),
        col("module_address", VarBinary(8)),
    ]),
    view("dm_xe_database_session_events", DATABASE, SESSION_EVENTS).only(Reach::AzureDatabase),
    view("dm_xe_database_session_targets", DATABASE, SESSION_TARGETS).only(Reach::AzureDatabase),
    view("dm_xe_database_sessions", DATABASE, SESSIONS).only(Reach::AzureDatabase),
    view("dm_xe_session_events", SERVER, SESSION_EVENTS).only(Reach::Servers),
    view("dm_xe_session_targets", SERVER, SESSION_TARGETS).only(Reach::Servers),
    view("dm_xe_sessions", SERVER, SESSIONS).only(Reach::Servers),
    function("fn_xe_file_target_read_file", SERVER, &[
        col("module_guid", Guid), col("package_guid", Guid), col("object_name", NVarChar(60)),
        opt("event_data", NVarCharMax), col("file_name", NVarChar(260)), col("file_offset", BigInt),
        col("timestamp_utc", DateTime2(7)).since(2017),
    ]),
    view("server_event_session_actions", SERVER, &[
        col("event_session_id", Int), col("event_id", Int), opt("name", SYSNAME), opt("package", SYSNAME),
        opt("module", SYSNAME),
    ]),
    view("server_event_session_events", SERVER, &[
        col("event_session_id", Int), col("event_id", Int), opt("name", SYSNAME), opt("package", SYSNAME),
        opt("module", SYSNAME), opt("predicate", NVarChar(3000)), opt("predicate_xml", NVarChar(3000)),
    ]),
    view("server_event_session_fields", SERVER, &[
        col("event_session_id", Int), col("object_id", Int), opt("name", SYSNAME), opt("value", Variant),
    ]),
    view("server_event_session_targets", SERVER, &[
        col("event_session_id", Int), col("target_id", Int), opt("name", SYSNAME), opt("package", SYSNAME),
        opt("module", SYSNAME),
    ]),
    view("server_event_sessions", SERVER, &[
        col("event_session_id", Int), opt("name", SYSNAME), opt("event_retention_mode", NChar(1)),
        opt("event_retention_mode_desc", SYSNAME), opt("max_dispatch_latency", Int), opt("max_memory", Int),
        opt("max_event_size", Int), opt("memory_partition_mode", NChar(1)),
        opt("memory_partition_mode_desc", SYSNAME), opt("track_causality", Bit), opt("startup_state", Bit),
        opt("has_long_running_target", Bit).since(2019), opt("max_duration", BigInt).since(2025),
    ]),
];

/// Sessions of Extended Events, those of a server and those of a database of Azure: their columns are the same.
#[rustfmt::skip]
const SESSIONS: &[Column] = &[
    col("address", VarBinary(8)), col("name", NVarChar(256)), col("pending_buffers", Int),
    col("total_regular_buffers", Int), col("regular_buffer_size", BigInt),
    col("total_large_buffers", Int), col("large_buffer_size", BigInt), col("total_buffer_size", BigInt),
    col("buffer_policy_flags", Int), col("buffer_policy_desc", NVarChar(256)), col("flags", Int),
    col("flag_desc", NVarChar(256)), col("dropped_event_count", Int), col("dropped_buffer_count", Int),
    col("blocked_event_fire_time", Int), col("create_time", DateTime),
    col("largest_event_dropped_size", Int), opt("session_source", NVarChar(256)),
    opt("buffer_processed_count", BigInt).since(2017), opt("buffer_full_count", BigInt).since(2017),
    opt("total_bytes_generated", BigInt).since(2017), opt("total_target_memory", BigInt).since(2022),
    opt("buffer_processing_count", BigInt).since(2025),
];

/// Their events.
#[rustfmt::skip]
const SESSION_EVENTS: &[Column] = &[
    col("event_session_address", VarBinary(8)), col("event_name", NVarChar(256)),
    col("event_package_guid", Guid), opt("event_predicate", NVarChar(3072)),
    opt("event_fire_count", BigInt).since(2022), opt("event_fire_average_time", BigInt).since(2022),
    opt("event_fire_min_time", BigInt).since(2022), opt("event_fire_max_time", BigInt).since(2022),
];

/// Their targets.
#[rustfmt::skip]
const SESSION_TARGETS: &[Column] = &[
    col("event_session_address", VarBinary(8)), col("target_name", NVarChar(60)),
    col("target_package_guid", Guid), col("execution_count", BigInt),
    col("execution_duration_ms", BigInt), opt("target_data", NVarCharMax),
    opt("bytes_written", BigInt).since(2017), opt("used_memory", BigInt).since(2025),
    opt("max_memory", BigInt).since(2025), opt("failed_buffer_count", BigInt).since(2025),
];
