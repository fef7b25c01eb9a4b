//! Schema of objects of several families that were added by hand: relatives, older spellings, INFORMATION_SCHEMA.

use super::object::{ANY_DATABASE, Object, PUBLIC, SERVER, SYSNAME, col, function, information, opt, view};
use crate::sim::backend::ColumnType::{
    BigInt, Bit, Char, DateTime, DateTime2, Int, NVarChar, NVarCharMax, SmallInt, TinyInt, VarBinary, VarChar,
};

/// The objects, by name.
#[rustfmt::skip]
pub(super) const OBJECTS: &[Object] = &[
    view("system_columns", PUBLIC, &[
        col("object_id", Int), opt("name", SYSNAME), col("column_id", Int), col("system_type_id", TinyInt),
        col("user_type_id", Int), col("max_length", SmallInt), col("precision", TinyInt),
        col("scale", TinyInt), opt("collation_name", SYSNAME), opt("is_nullable", Bit),
        col("is_ansi_padded", Bit), col("is_rowguidcol", Bit), col("is_identity", Bit),
        opt("is_computed", Bit), col("is_filestream", Bit), opt("is_replicated", Bit),
        opt("is_non_sql_subscribed", Bit), opt("is_merge_published", Bit), opt("is_dts_replicated", Bit),
        col("is_xml_document", Bit), col("xml_collection_id", Int), col("default_object_id", Int),
        col("rule_object_id", Int), opt("is_sparse", Bit), opt("is_column_set", Bit),
        opt("generated_always_type", TinyInt), opt("generated_always_type_desc", NVarChar(60)),
        opt("encryption_type", Int), opt("encryption_type_desc", NVarChar(64)),
        opt("encryption_algorithm_name", SYSNAME), opt("column_encryption_key_id", Int),
        opt("column_encryption_key_database_name", SYSNAME), opt("is_hidden", Bit), opt("is_masked", Bit),
        opt("graph_type", Int).since(2017), opt("graph_type_desc", NVarChar(60)).since(2017),
        opt("is_data_deletion_filter_column", Bit).since(2022),
        opt("ledger_view_column_type", TinyInt).since(2022),
        opt("ledger_view_column_type_desc", NVarChar(60)).since(2022),
        opt("is_dropped_ledger_column", Bit).since(2022), opt("vector_dimensions", Int).since(2025),
        opt("vector_base_type", TinyInt).since(2025), opt("vector_base_type_desc", NVarChar(10)).since(2025),
    ]),
    view("system_objects", PUBLIC, &[
        col("name", SYSNAME), col("object_id", Int), opt("principal_id", Int), col("schema_id", Int),
        col("parent_object_id", Int), opt("type", Char(2)), opt("type_desc", NVarChar(60)),
        col("create_date", DateTime), col("modify_date", DateTime), opt("is_ms_shipped", Bit),
        opt("is_published", Bit), opt("is_schema_published", Bit),
    ]),
    view("system_sql_modules", PUBLIC, &[
        col("object_id", Int), opt("definition", NVarCharMax), opt("uses_ansi_nulls", Bit),
        opt("uses_quoted_identifier", Bit), opt("is_schema_bound", Bit), opt("uses_database_collation", Bit),
        opt("is_recompiled", Bit), opt("null_on_null_input", Bit), opt("execute_as_principal_id", Int),
        opt("uses_native_compilation", Bit), opt("inline_type", Bit).since(2019),
        opt("is_inlineable", Bit).since(2019),
    ]),
    view("dm_os_memory_health_history", SERVER, &[
        opt("snapshot_time", DateTime2(7)), opt("severity_level", Int),
        opt("severity_level_desc", NVarChar(60)), opt("allocation_potential_memory_mb", Int),
        opt("reclaimable_cache_memory_mb", Int), opt("top_memory_clerks", NVarChar(4000)),
        opt("out_of_memory_event_count", Int), opt("memgrant_timeout_count", Int),
        opt("memgrant_waiter_count", Int),
    ]).since(2025),
    view("dm_os_out_of_memory_events", SERVER, &[
        col("event_time", DateTime2(7)), col("oom_cause", TinyInt), col("oom_cause_desc", NVarChar(60)),
        col("available_physical_memory_mb", Int), opt("initial_job_object_memory_limit_mb", Int),
        opt("current_job_object_memory_limit_mb", Int), col("process_memory_usage_mb", Int),
        col("non_sos_memory_usage_mb", Int), col("committed_memory_target_mb", Int),
        col("committed_memory_mb", Int), col("allocation_potential_memory_mb", Int),
        col("oom_factor", TinyInt), col("oom_factor_desc", NVarChar(60)),
        opt("oom_resource_pools", NVarChar(4000)), opt("top_memory_clerks", NVarChar(4000)),
        opt("top_resource_pools", NVarChar(4000)), opt("possible_leaked_memory_clerks", NVarChar(4000)),
        opt("possible_non_sos_leaked_memory_mb", Int),
    ]).since(2022),
    view("dm_exec_query_optimizer_memory_gateways", SERVER, &[
        col("pool_id", Int), col("name", SYSNAME), col("max_count", Int), col("active_count", Int),
        col("waiter_count", Int), col("threshold_factor", BigInt), col("threshold", BigInt),
        col("is_active", Bit),
    ]),
    function("fn_PageResCracker", PUBLIC, &[
        opt("db_id", SmallInt), opt("file_id", SmallInt), opt("page_id", Int),
    ]).since(2019),
    view("sysdatabases", ANY_DATABASE, &[
        opt("name", SYSNAME), opt("dbid", SmallInt), opt("sid", VarBinary(85)), opt("mode", SmallInt),
        opt("status", Int), opt("status2", Int), col("crdate", DateTime), col("reserved", DateTime),
        opt("category", Int), col("cmptlevel", TinyInt), opt("filename", NVarChar(260)),
        opt("version", SmallInt),
    ]),
    view("sysobjects", PUBLIC, &[
        col("name", SYSNAME), col("id", Int), col("xtype", Char(2)), opt("uid", SmallInt),
        opt("info", SmallInt), opt("status", Int), opt("base_schema_ver", Int), opt("replinfo", Int),
        col("parent_obj", Int), col("crdate", DateTime), opt("ftcatid", SmallInt), opt("schema_ver", Int),
        opt("stats_schema_ver", Int), opt("type", Char(2)), opt("userstat", SmallInt),
        opt("sysstat", SmallInt), opt("indexdel", SmallInt), col("refdate", DateTime), opt("version", Int),
        opt("deltrig", Int), opt("instrig", Int), opt("updtrig", Int), opt("seltrig", Int),
        opt("category", Int), opt("cache", SmallInt),
    ]),
    information("COLUMNS", &[
        opt("TABLE_CATALOG", NVarChar(128)), opt("TABLE_SCHEMA", NVarChar(128)), col("TABLE_NAME", SYSNAME),
        opt("COLUMN_NAME", SYSNAME), col("ORDINAL_POSITION", Int), opt("COLUMN_DEFAULT", NVarChar(4000)),
        opt("IS_NULLABLE", VarChar(3)), opt("DATA_TYPE", NVarChar(128)), opt("CHARACTER_MAXIMUM_LENGTH", Int),
        opt("CHARACTER_OCTET_LENGTH", Int), opt("NUMERIC_PRECISION", TinyInt),
        opt("NUMERIC_PRECISION_RADIX", SmallInt), opt("NUMERIC_SCALE", Int),
        opt("DATETIME_PRECISION", SmallInt), opt("CHARACTER_SET_CATALOG", SYSNAME),
        opt("CHARACTER_SET_SCHEMA", SYSNAME), opt("CHARACTER_SET_NAME", SYSNAME),
        opt("COLLATION_CATALOG", SYSNAME), opt("COLLATION_SCHEMA", SYSNAME), opt("COLLATION_NAME", SYSNAME),
        opt("DOMAIN_CATALOG", SYSNAME), opt("DOMAIN_SCHEMA", SYSNAME), opt("DOMAIN_NAME", SYSNAME),
    ]),
    information("SCHEMATA", &[
        opt("CATALOG_NAME", SYSNAME), col("SCHEMA_NAME", SYSNAME), opt("SCHEMA_OWNER", NVarChar(128)),
        opt("DEFAULT_CHARACTER_SET_CATALOG", VarChar(6)), opt("DEFAULT_CHARACTER_SET_SCHEMA", VarChar(3)),
        opt("DEFAULT_CHARACTER_SET_NAME", SYSNAME),
    ]),
    information("TABLES", &[
        opt("TABLE_CATALOG", NVarChar(128)), opt("TABLE_SCHEMA", SYSNAME), col("TABLE_NAME", SYSNAME),
        opt("TABLE_TYPE", VarChar(10)),
    ]),
    information("VIEWS", &[
        opt("TABLE_CATALOG", NVarChar(128)), opt("TABLE_SCHEMA", NVarChar(128)), col("TABLE_NAME", SYSNAME),
        opt("VIEW_DEFINITION", NVarChar(4000)), opt("CHECK_OPTION", VarChar(7)),
        col("IS_UPDATABLE", VarChar(2)),
    ]),
];
