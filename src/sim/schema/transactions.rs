//! Schema of transactions and locks. Facts only: `schema` says how they are used.

use super::object::{Object, SERVER, opt, view};
use crate::sim::backend::ColumnType::{
    BigInt, Binary, Bit, DateTime, DateTime2, Decimal, Guid, Int, NVarChar, Real, SmallInt, VarBinary,
};

/// The objects, by name.
#[rustfmt::skip]
pub(super) const OBJECTS: &[Object] = &[
    view("dm_tran_active_snapshot_database_transactions", SERVER, &[
        opt("transaction_id", BigInt), opt("transaction_sequence_num", BigInt),
        opt("commit_sequence_num", BigInt), opt("session_id", Int), opt("is_snapshot", Int),
        opt("first_snapshot_sequence_num", BigInt), opt("max_version_chain_traversed", Int),
        opt("average_version_chain_traversed", Real), opt("elapsed_time_seconds", BigInt),
    ]),
    view("dm_tran_active_transactions", SERVER, &[
        opt("transaction_id", BigInt), opt("name", NVarChar(32)), opt("transaction_begin_time", DateTime),
        opt("transaction_type", Int), opt("transaction_uow", Guid), opt("transaction_state", Int),
        opt("transaction_status", Int), opt("transaction_status2", Int), opt("dtc_state", Int),
        opt("dtc_status", Int), opt("dtc_isolation_level", Int),
        opt("filestream_transaction_id", VarBinary(128)),
    ]),
    view("dm_tran_current_transaction", SERVER, &[
        opt("transaction_id", BigInt), opt("transaction_sequence_num", BigInt),
        opt("transaction_is_snapshot", Bit), opt("first_snapshot_sequence_num", BigInt),
        opt("last_transaction_sequence_num", BigInt), opt("first_useful_sequence_num", BigInt),
    ]),
    view("dm_tran_database_transactions", SERVER, &[
        opt("transaction_id", BigInt), opt("database_id", Int),
        opt("database_transaction_begin_time", DateTime), opt("database_transaction_type", Int),
        opt("database_transaction_state", Int), opt("database_transaction_status", Int),
        opt("database_transaction_status2", Int), opt("database_transaction_log_record_count", BigInt),
        opt("database_transaction_replicate_record_count", Int),
        opt("database_transaction_log_bytes_used", BigInt),
        opt("database_transaction_log_bytes_reserved", BigInt),
        opt("database_transaction_log_bytes_used_system", Int),
        opt("database_transaction_log_bytes_reserved_system", Int),
        opt("database_transaction_begin_lsn", Decimal(25, 0)),
        opt("database_transaction_last_lsn", Decimal(25, 0)),
        opt("database_transaction_most_recent_savepoint_lsn", Decimal(25, 0)),
        opt("database_transaction_commit_lsn", Decimal(25, 0)),
        opt("database_transaction_last_rollback_lsn", Decimal(25, 0)),
        opt("database_transaction_next_undo_lsn", Decimal(25, 0)),
        opt("database_transaction_first_repl_lsn", Decimal(25, 0)).since(2025),
    ]),
    view("dm_tran_locks", SERVER, &[
        opt("resource_type", NVarChar(60)), opt("resource_subtype", NVarChar(60)),
        opt("resource_database_id", Int), opt("resource_description", NVarChar(256)),
        opt("resource_associated_entity_id", BigInt), opt("resource_lock_partition", Int),
        opt("request_mode", NVarChar(60)), opt("request_type", NVarChar(60)),
        opt("request_status", NVarChar(60)), opt("request_reference_count", SmallInt),
        opt("request_lifetime", Int), opt("request_session_id", Int), opt("request_exec_context_id", Int),
        opt("request_request_id", Int), opt("request_owner_type", NVarChar(60)),
        opt("request_owner_id", BigInt), opt("request_owner_guid", Guid),
        opt("request_owner_lockspace_id", NVarChar(32)), opt("lock_owner_address", VarBinary(8)),
    ]),
    view("dm_tran_persistent_version_store_stats", SERVER, &[
        opt("database_id", Int), opt("pvs_filegroup_id", SmallInt),
        opt("persistent_version_store_size_kb", BigInt), opt("online_index_version_store_size_kb", BigInt),
        opt("current_aborted_transaction_count", BigInt), opt("oldest_active_transaction_id", BigInt),
        opt("oldest_active_transaction_global_id", BigInt).since(2025),
        opt("oldest_aborted_transaction_id", BigInt), opt("min_transaction_timestamp", BigInt),
        opt("online_index_min_transaction_timestamp", BigInt), opt("secondary_low_water_mark", BigInt),
        opt("offrow_version_cleaner_start_time", DateTime2(7)),
        opt("offrow_version_cleaner_end_time", DateTime2(7)),
        opt("aborted_version_cleaner_start_time", DateTime2(7)),
        opt("aborted_version_cleaner_end_time", DateTime2(7)),
        opt("pvs_off_row_page_skipped_low_water_mark", BigInt),
        opt("pvs_off_row_page_skipped_transaction_not_cleaned", BigInt),
        opt("pvs_off_row_page_skipped_oldest_active_xdesid", BigInt),
        opt("pvs_off_row_page_skipped_min_useful_xts", BigInt),
        opt("pvs_off_row_page_skipped_oldest_snapshot", BigInt),
        opt("pvs_off_row_page_skipped_oldest_aborted_xdesid", BigInt).since(2022),
    ]).since(2019),
    view("dm_tran_session_transactions", SERVER, &[
        opt("session_id", Int), opt("transaction_id", BigInt), opt("transaction_descriptor", Binary(8)),
        opt("enlist_count", Int), opt("is_user_transaction", Bit), opt("is_local", Bit),
        opt("is_enlisted", Bit), opt("is_bound", Bit), opt("open_transaction_count", Int),
    ]),
    view("dm_tran_version_store_space_usage", SERVER, &[
        opt("database_id", Int), opt("reserved_page_count", BigInt), opt("reserved_space_kb", BigInt),
    ]),
];
