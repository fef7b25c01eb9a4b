//! Schema of availability groups. Facts only: `schema` says how they are used.

use super::object::{DATABASE, DEFINITION, Object, PUBLIC, SERVER, SYSNAME, col, opt, view};
use crate::sim::backend::ColumnType::{
    BigInt, Bit, DateTime, Decimal, Guid, Int, NVarChar, NVarCharMax, SmallInt, TinyInt, VarBinary, VarChar,
};

/// The objects, by name.
#[rustfmt::skip]
pub(super) const OBJECTS: &[Object] = &[
    view("availability_databases_cluster", PUBLIC, &[
        col("group_id", Guid), col("group_database_id", Guid), opt("database_name", SYSNAME),
        opt("truncation_lsn", Decimal(25, 0)),
    ]),
    view("availability_group_listener_ip_addresses", PUBLIC, &[
        opt("listener_id", NVarChar(36)), opt("ip_address", NVarChar(48)),
        opt("ip_subnet_mask", NVarChar(15)), col("is_dhcp", Bit), opt("network_subnet_ip", NVarChar(48)),
        opt("network_subnet_prefix_length", Int), opt("network_subnet_ipv4_mask", NVarChar(45)),
        opt("state", TinyInt), opt("state_desc", NVarChar(60)),
    ]),
    view("availability_group_listeners", PUBLIC, &[
        col("group_id", Guid), opt("listener_id", NVarChar(36)), opt("dns_name", NVarChar(63)),
        opt("port", Int), col("is_conformant", Bit), opt("ip_configuration_string_from_cluster", NVarCharMax),
        col("is_distributed_network_name", Bit).since(2017),
    ]),
    view("availability_groups", DEFINITION, &[
        col("group_id", Guid), opt("name", SYSNAME), opt("resource_id", NVarChar(40)),
        opt("resource_group_id", NVarChar(40)), opt("failure_condition_level", Int),
        opt("health_check_timeout", Int), opt("automated_backup_preference", TinyInt),
        opt("automated_backup_preference_desc", NVarChar(60)), opt("version", SmallInt),
        opt("basic_features", Bit), opt("dtc_support", Bit), opt("db_failover", Bit),
        opt("is_distributed", Bit), opt("cluster_type", TinyInt).since(2017),
        opt("cluster_type_desc", NVarChar(60)).since(2017),
        opt("required_synchronized_secondaries_to_commit", Int).since(2017),
        opt("sequence_number", BigInt).since(2017), opt("is_contained", Bit).since(2019),
        opt("cluster_connection_options", NVarCharMax).since(2025),
    ]),
    view("availability_groups_cluster", DEFINITION, &[
        col("group_id", Guid), opt("name", SYSNAME), opt("resource_id", NVarChar(40)),
        opt("resource_group_id", NVarChar(40)), opt("failure_condition_level", Int),
        opt("health_check_timeout", Int), opt("automated_backup_preference", TinyInt),
        opt("automated_backup_preference_desc", NVarChar(60)),
        opt("cluster_connection_options", NVarCharMax).since(2025),
    ]),
    view("availability_replicas", DEFINITION, &[
        opt("replica_id", Guid), opt("group_id", Guid), opt("replica_metadata_id", Int),
        opt("replica_server_name", NVarChar(256)), opt("owner_sid", VarBinary(85)),
        opt("endpoint_url", NVarChar(128)), opt("availability_mode", TinyInt),
        opt("availability_mode_desc", NVarChar(60)), opt("failover_mode", TinyInt),
        opt("failover_mode_desc", NVarChar(60)), opt("session_timeout", Int),
        opt("primary_role_allow_connections", TinyInt),
        opt("primary_role_allow_connections_desc", NVarChar(60)),
        opt("secondary_role_allow_connections", TinyInt),
        opt("secondary_role_allow_connections_desc", NVarChar(60)), opt("create_date", DateTime),
        opt("modify_date", DateTime), opt("backup_priority", Int),
        opt("read_only_routing_url", NVarChar(256)), opt("seeding_mode", TinyInt),
        opt("seeding_mode_desc", NVarChar(60)), opt("read_write_routing_url", NVarChar(256)).since(2019),
    ]),
    view("dm_hadr_ag_threads", SERVER, &[
        opt("group_id", Guid), opt("name", SYSNAME), opt("num_databases", Int),
        opt("num_capture_threads", Int), opt("num_redo_threads", Int), opt("num_parallel_redo_threads", Int),
        opt("num_hadr_threads", Int),
    ]).since(2019),
    view("dm_hadr_auto_page_repair", SERVER, &[
        opt("database_id", Int), opt("file_id", Int), opt("page_id", BigInt), opt("error_type", Int),
        opt("page_status", Int), opt("modification_time", DateTime),
    ]),
    view("dm_hadr_automatic_seeding", SERVER, &[
        opt("start_time", DateTime), opt("completion_time", DateTime), opt("ag_id", Guid),
        opt("ag_db_id", Guid), opt("ag_remote_replica_id", Guid), opt("operation_id", Guid),
        opt("is_source", Bit), opt("current_state", NVarChar(60)), opt("performed_seeding", Bit),
        opt("failure_state", Int), opt("failure_state_desc", NVarChar(60)), opt("error_code", Int),
        opt("number_of_attempts", Int),
    ]),
    view("dm_hadr_availability_group_states", SERVER, &[
        opt("group_id", Guid), opt("primary_replica", VarChar(128)), opt("primary_recovery_health", TinyInt),
        opt("primary_recovery_health_desc", NVarChar(60)), opt("secondary_recovery_health", TinyInt),
        opt("secondary_recovery_health_desc", NVarChar(60)), opt("synchronization_health", TinyInt),
        opt("synchronization_health_desc", NVarChar(60)),
    ]),
    view("dm_hadr_availability_replica_cluster_nodes", SERVER, &[
        opt("group_name", NVarChar(256)), opt("replica_server_name", NVarChar(256)),
        opt("node_name", NVarChar(256)),
    ]),
    view("dm_hadr_availability_replica_cluster_states", SERVER, &[
        opt("replica_id", Guid), opt("replica_server_name", NVarChar(256)), opt("group_id", Guid),
        opt("join_state", TinyInt), opt("join_state_desc", NVarChar(60)),
    ]),
    view("dm_hadr_availability_replica_states", SERVER, &[
        opt("replica_id", Guid), opt("group_id", Guid), opt("is_local", Bit), opt("role", TinyInt),
        opt("role_desc", NVarChar(60)), opt("operational_state", TinyInt),
        opt("operational_state_desc", NVarChar(60)), opt("connected_state", TinyInt),
        opt("connected_state_desc", NVarChar(60)), opt("recovery_health", TinyInt),
        opt("recovery_health_desc", NVarChar(60)), opt("synchronization_health", TinyInt),
        opt("synchronization_health_desc", NVarChar(60)), opt("last_connect_error_number", Int),
        opt("last_connect_error_description", NVarChar(1024)), opt("last_connect_error_timestamp", DateTime),
        opt("write_lease_remaining_ticks", BigInt).since(2017),
        opt("current_configuration_commit_start_time_utc", DateTime).since(2019),
        opt("is_internal", Bit).since(2025),
    ]),
    view("dm_hadr_cluster", SERVER, &[
        opt("cluster_name", NVarChar(128)), opt("quorum_type", TinyInt), opt("quorum_type_desc", VarChar(50)),
        opt("quorum_state", TinyInt), opt("quorum_state_desc", VarChar(50)),
    ]),
    view("dm_hadr_cluster_members", SERVER, &[
        opt("member_name", NVarChar(128)), opt("member_type", TinyInt), opt("member_type_desc", NVarChar(50)),
        opt("member_state", TinyInt), opt("member_state_desc", NVarChar(60)),
        opt("number_of_quorum_votes", TinyInt), opt("number_of_current_votes", Int).since(2022),
    ]),
    view("dm_hadr_cluster_networks", SERVER, &[
        opt("member_name", NVarChar(128)), opt("network_subnet_ip", NVarChar(48)),
        opt("network_subnet_ipv4_mask", NVarChar(45)), opt("network_subnet_prefix_length", Int),
        opt("is_public", Bit), opt("is_ipv4", Bit),
    ]),
    view("dm_hadr_database_replica_cluster_states", SERVER, &[
        opt("replica_id", Guid), opt("group_database_id", Guid), opt("database_name", SYSNAME),
        opt("is_failover_ready", Bit), opt("is_pending_secondary_suspend", Bit),
        opt("is_database_joined", Bit), opt("recovery_lsn", Decimal(25, 0)),
        opt("truncation_lsn", Decimal(25, 0)),
    ]),
    view("dm_hadr_database_replica_states", DATABASE, &[
        opt("database_id", Int), opt("group_id", Guid), opt("replica_id", Guid),
        opt("group_database_id", Guid), opt("is_local", Bit), opt("is_primary_replica", Bit),
        opt("synchronization_state", TinyInt), opt("synchronization_state_desc", NVarChar(60)),
        opt("is_commit_participant", Bit), opt("synchronization_health", TinyInt),
        opt("synchronization_health_desc", NVarChar(60)), opt("database_state", TinyInt),
        opt("database_state_desc", NVarChar(60)), opt("is_suspended", Bit), opt("suspend_reason", TinyInt),
        opt("suspend_reason_desc", NVarChar(60)), opt("recovery_lsn", Decimal(25, 0)),
        opt("truncation_lsn", Decimal(25, 0)), opt("last_sent_lsn", Decimal(25, 0)),
        opt("last_sent_time", DateTime), opt("last_received_lsn", Decimal(25, 0)),
        opt("last_received_time", DateTime), opt("last_hardened_lsn", Decimal(25, 0)),
        opt("last_hardened_time", DateTime), opt("last_redone_lsn", Decimal(25, 0)),
        opt("last_redone_time", DateTime), opt("log_send_queue_size", BigInt), opt("log_send_rate", BigInt),
        opt("redo_queue_size", BigInt), opt("redo_rate", BigInt), opt("filestream_send_rate", BigInt),
        opt("end_of_log_lsn", Decimal(25, 0)), opt("last_commit_lsn", Decimal(25, 0)),
        opt("last_commit_time", DateTime), opt("low_water_mark_for_ghosts", BigInt),
        opt("secondary_lag_seconds", BigInt), opt("quorum_commit_lsn", Decimal(25, 0)).since(2019),
        opt("quorum_commit_time", DateTime).since(2019), opt("is_internal", Bit).since(2025),
    ]),
    view("dm_hadr_db_threads", SERVER, &[
        opt("group_id", Guid), opt("ag_db_id", Guid), opt("name", SYSNAME), opt("num_capture_threads", Int),
        opt("num_redo_threads", Int), opt("num_parallel_redo_threads", Int),
    ]).since(2019),
    view("dm_hadr_instance_node_map", SERVER, &[
        opt("ag_resource_id", NVarChar(256)), opt("instance_name", NVarChar(256)),
        opt("node_name", NVarChar(256)),
    ]),
    view("dm_hadr_name_id_map", SERVER, &[
        opt("ag_name", NVarChar(256)), opt("ag_id", Guid), opt("ag_resource_id", NVarChar(256)),
        opt("ag_group_id", NVarChar(256)),
    ]),
    view("dm_hadr_physical_seeding_stats", SERVER, &[
        opt("local_physical_seeding_id", Guid), opt("remote_physical_seeding_id", Guid),
        opt("local_database_id", Int), opt("local_database_name", NVarChar(128)),
        opt("remote_machine_name", NVarChar(256)), opt("role_desc", NVarChar(60)),
        opt("internal_state_desc", NVarChar(60)), opt("transfer_rate_bytes_per_second", BigInt),
        opt("transferred_size_bytes", BigInt), opt("database_size_bytes", BigInt),
        opt("start_time_utc", DateTime), opt("end_time_utc", DateTime),
        opt("estimate_time_complete_utc", DateTime), opt("total_disk_io_wait_time_ms", BigInt),
        opt("total_network_wait_time_ms", BigInt), opt("failure_code", Int),
        opt("failure_message", NVarCharMax), opt("failure_time_utc", DateTime),
        opt("is_compression_enabled", Bit),
    ]),
];
