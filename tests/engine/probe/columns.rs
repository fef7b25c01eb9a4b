//! The columns that each script returns and decoders rely on, by the shape that arrives. Tests hold this against the
//! scripts, against the decoders (each reads nothing else), and, where the T-SQL gate is at hand, against the types of
//! the system views.

/// The shape of a column's values, as `tds::Cell` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// any integer type
    Int,
    /// bit
    Bit,
    /// real or float
    Float,
    /// any character type
    Text,
    /// binary or varbinary
    Bytes,
    /// datetime in the server's zone
    Local,
    /// datetimeoffset
    Instant,
}

/// Columns behind the tag, in order.
pub type Columns = &'static [(&'static str, Kind)];

use Kind::{Bit, Bytes, Float, Instant, Int, Local, Text};

/// Every script's columns, by the script's name.
pub static COLUMNS: &[(&str, Columns)] = &[
    (
        "activity",
        &[
            ("total_rows", Int),
            ("session_id", Int),
            ("request_id", Int),
            ("status", Text),
            ("command", Text),
            ("database_id", Int),
            ("login_name", Text),
            ("host_name", Text),
            ("program_name", Text),
            ("login_time", Local),
            ("start_time", Local),
            ("total_elapsed_time", Int),
            ("cpu_time", Int),
            ("logical_reads", Int),
            ("reads", Int),
            ("writes", Int),
            ("row_count", Int),
            ("wait_type", Text),
            ("wait_time", Int),
            ("last_wait_type", Text),
            ("wait_resource", Text),
            ("blocking_session_id", Int),
            ("open_transaction_count", Int),
            ("transaction_id", Int),
            ("transaction_isolation_level", Int),
            ("dop", Int),
            ("percent_complete", Float),
            ("estimated_completion_time", Int),
            ("query_hash", Bytes),
            ("sql_handle", Bytes),
            ("statement_start_offset", Int),
            ("statement_end_offset", Int),
        ],
    ),
    (
        "availability",
        &[
            ("group_name", Text),
            ("database_name", Text),
            ("replica_server_name", Text),
            ("is_local", Bit),
            ("role_desc", Text),
            ("connected_state_desc", Text),
            ("synchronization_state_desc", Text),
            ("is_suspended", Bit),
            ("suspend_reason_desc", Text),
            ("secondary_lag_seconds", Int),
            ("log_send_queue_size", Int),
            ("redo_queue_size", Int),
        ],
    ),
    ("blocked", &[("server_time", Instant), ("requests_seen", Int), ("blocked_requests", Int)]),
    (
        "blocking",
        &[
            ("session_id", Int),
            ("blocking_session_id", Int),
            ("wait_type", Text),
            ("wait_duration_ms", Int),
            ("resource_description", Text),
        ],
    ),
    ("capabilities", &[("object_name", Text), ("column_name", Text)]),
    (
        "chain",
        &[
            ("session_id", Int),
            ("request_id", Int),
            ("status", Text),
            ("command", Text),
            ("database_id", Int),
            ("login_name", Text),
            ("host_name", Text),
            ("program_name", Text),
            ("login_time", Local),
            ("last_request_end_time", Local),
            ("start_time", Local),
            ("total_elapsed_time", Int),
            ("cpu_time", Int),
            ("logical_reads", Int),
            ("reads", Int),
            ("writes", Int),
            ("row_count", Int),
            ("wait_type", Text),
            ("wait_time", Int),
            ("last_wait_type", Text),
            ("wait_resource", Text),
            ("blocking_session_id", Int),
            ("open_transaction_count", Int),
            ("transaction_isolation_level", Int),
            ("dop", Int),
            ("percent_complete", Float),
            ("estimated_completion_time", Int),
            ("query_hash", Bytes),
            ("sql_handle", Bytes),
            ("statement_start_offset", Int),
            ("statement_end_offset", Int),
        ],
    ),
    ("configuration", &[("name", Text), ("configured", Int), ("in_use", Int)]),
    ("connections", &[("session_id", Int), ("client_net_address", Text), ("most_recent_sql_handle", Bytes)]),
    (
        "cost",
        &[
            ("server_time", Instant),
            ("session_id", Int),
            ("cpu_time", Int),
            ("logical_reads", Int),
            ("login_time", Local),
        ],
    ),
    ("counters", &[("counter_name", Text), ("instance_name", Text), ("cntr_value", Int)]),
    ("cpu_ring", &[("record_ticks", Int), ("ms_ticks", Int), ("record", Text)]),
    ("databases", &[("database_id", Int), ("name", Text), ("state_desc", Text)]),
    (
        "grants",
        &[
            ("session_id", Int),
            ("request_id", Int),
            ("requested_memory_kb", Int),
            ("granted_memory_kb", Int),
            ("used_memory_kb", Int),
            ("wait_time_ms", Int),
        ],
    ),
    (
        "headline",
        &[
            ("server_time", Instant),
            ("sqlserver_start_time", Local),
            ("process_kernel_time_ms", Int),
            ("process_user_time_ms", Int),
            ("cpu_count", Int),
        ],
    ),
    ("host_2016", &[("windows_release", Text)]),
    ("host_2017", &[("host_platform", Text), ("host_distribution", Text), ("host_release", Text)]),
    ("input_buffers", &[("session_id", Int), ("full_chars", Int), ("event_info", Text)]),
    (
        "jobs",
        &[
            ("server_time", Instant),
            ("job_name", Text),
            ("step_name", Text),
            ("last_run_date", Int),
            ("last_run_time", Int),
            ("message", Text),
        ],
    ),
    (
        "memory",
        &[
            ("total_physical_memory_kb", Int),
            ("available_physical_memory_kb", Int),
            ("physical_memory_in_use_kb", Int),
            ("process_physical_memory_low", Bit),
            ("waiter_count", Int),
            ("granted_memory_kb", Int),
            ("available_memory_kb", Int),
        ],
    ),
    (
        "properties",
        &[
            ("server_time", Instant),
            ("server_name", Text),
            ("machine_name", Text),
            ("edition", Text),
            ("engine_edition", Int),
            ("product_version", Text),
            ("product_major_version", Text),
            ("product_level", Text),
            ("product_update_level", Text),
            ("collation_name", Text),
            ("is_hadr_enabled", Int),
            ("is_clustered", Int),
            ("tempdb_created", Local),
        ],
    ),
    ("resolve_hobt", &[("schema_name", Text), ("object_name", Text), ("index_name", Text)]),
    ("resolve_object", &[("schema_name", Text), ("object_name", Text)]),
    (
        "rights",
        &[
            ("view_server_state", Int),
            ("view_server_performance_state", Int),
            ("view_server_security_state", Int),
            ("view_any_definition", Int),
            ("alter_any_connection", Int),
            ("connect_any_database", Int),
            ("msdb_access", Int),
            ("msdb_sysjobs", Int),
            ("msdb_sysjobservers", Int),
            ("msdb_sysjobhistory", Int),
        ],
    ),
    (
        "schedulers",
        &[
            ("schedulers", Int),
            ("runnable_tasks", Int),
            ("queued_tasks", Int),
            ("workers", Int),
            ("active_workers", Int),
            ("pending_io", Int),
            ("max_workers", Int),
        ],
    ),
    (
        "sessions",
        &[
            ("server_time", Instant),
            ("sessions_seen", Int),
            ("user_sessions", Int),
            ("active_sessions", Int),
            ("sleeping_sessions", Int),
            ("sleeping_open_sessions", Int),
        ],
    ),
    (
        "sleepers",
        &[
            ("total_rows", Int),
            ("session_id", Int),
            ("status", Text),
            ("database_id", Int),
            ("login_name", Text),
            ("host_name", Text),
            ("program_name", Text),
            ("login_time", Local),
            ("last_request_end_time", Local),
            ("cpu_time", Int),
            ("logical_reads", Int),
            ("reads", Int),
            ("writes", Int),
            ("row_count", Int),
            ("open_transaction_count", Int),
            ("transaction_isolation_level", Int),
        ],
    ),
    (
        "sysinfo",
        &[
            ("cpu_count", Int),
            ("numa_node_count", Int),
            ("physical_memory_kb", Int),
            ("committed_target_kb", Int),
            ("max_workers_count", Int),
            ("sqlserver_start_time", Local),
        ],
    ),
    ("tempdb", &[("session_id", Int), ("alloc_pages", Int), ("now_pages", Int)]),
    (
        "texts",
        &[
            ("sql_handle", Bytes),
            ("objectid", Int),
            ("encrypted", Bit),
            ("full_chars", Int),
            ("batch_text", Text),
        ],
    ),
    ("transactions", &[("session_id", Int), ("transaction_begin_time", Local), ("log_bytes", Int)]),
    ("volumes", &[("volume_mount_point", Text), ("total_bytes", Int), ("available_bytes", Int)]),
    ("waiting_tasks", &[("session_id", Int), ("waiting_tasks", Int)]),
    (
        "waits",
        &[
            ("wait_type", Text),
            ("waiting_tasks_count", Int),
            ("wait_time_ms", Int),
            ("max_wait_time_ms", Int),
            ("signal_wait_time_ms", Int),
        ],
    ),
];

/// The columns of a script; none for an unknown name.
pub fn columns(script: &str) -> Columns {
    COLUMNS.iter().find(|(name, _)| *name == script).map_or(&[], |(_, columns)| columns)
}
