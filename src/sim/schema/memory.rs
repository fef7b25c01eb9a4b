//! Schema of memory, the buffer pool, I/O. Facts only: `schema` says how they are used.

use super::object::{Object, SERVER, col, function, opt, view};
use crate::sim::backend::ColumnType::{
    BigInt, Bit, DateTime, Int, NVarChar, Real, SmallInt, VarBinary, VarChar,
};

/// The objects, by name.
#[rustfmt::skip]
pub(super) const OBJECTS: &[Object] = &[
    view("dm_io_pending_io_requests", SERVER, &[
        col("io_completion_request_address", VarBinary(8)), col("io_type", NVarChar(60)),
        col("io_pending_ms_ticks", BigInt), col("io_pending", Int),
        opt("io_completion_routine_address", VarBinary(8)), opt("io_user_data_address", VarBinary(8)),
        col("scheduler_address", VarBinary(8)), opt("io_handle", VarBinary(8)), col("io_offset", BigInt),
        opt("io_handle_path", NVarChar(256)),
    ]),
    function("dm_io_virtual_file_stats", SERVER, &[
        col("database_id", SmallInt), col("file_id", SmallInt), col("sample_ms", BigInt),
        col("num_of_reads", BigInt), col("num_of_bytes_read", BigInt), col("io_stall_read_ms", BigInt),
        col("io_stall_queued_read_ms", BigInt), col("num_of_writes", BigInt),
        col("num_of_bytes_written", BigInt), col("io_stall_write_ms", BigInt),
        col("io_stall_queued_write_ms", BigInt), col("io_stall", BigInt), col("size_on_disk_bytes", BigInt),
        col("file_handle", VarBinary(8)), col("num_of_pushed_reads", BigInt).since(2022),
        col("num_of_pushed_bytes_returned", BigInt).since(2022),
    ]),
    view("dm_os_buffer_descriptors", SERVER, &[
        opt("database_id", Int), opt("file_id", Int), opt("page_id", Int), opt("page_level", Int),
        opt("allocation_unit_id", BigInt), opt("page_type", NVarChar(60)), opt("row_count", Int),
        opt("free_space_in_bytes", Int), opt("is_modified", Bit), opt("numa_node", Int),
        opt("read_microsec", BigInt), opt("is_in_bpool_extension", Bit), opt("error_code", Int).since(2017),
        opt("op_history", BigInt).since(2017), opt("buffer_address", VarBinary(8)).since(2022),
        opt("latch_address", VarBinary(8)).since(2022), opt("latch_desc", NVarChar(256)).since(2022),
    ]),
    view("dm_os_memory_brokers", SERVER, &[
        opt("pool_id", Int), opt("memory_broker_type", NVarChar(60)), opt("allocations_kb", BigInt),
        opt("allocations_kb_per_sec", BigInt), opt("predicted_allocations_kb", BigInt),
        opt("target_allocations_kb", BigInt), opt("future_allocations_kb", BigInt),
        opt("overall_limit_kb", BigInt), opt("last_notification", NVarChar(60)),
    ]),
    view("dm_os_memory_clerks", SERVER, &[
        col("memory_clerk_address", VarBinary(8)), col("type", NVarChar(60)), col("name", NVarChar(256)),
        col("memory_node_id", SmallInt), col("pages_kb", BigInt), col("virtual_memory_reserved_kb", BigInt),
        col("virtual_memory_committed_kb", BigInt), col("awe_allocated_kb", BigInt),
        col("shared_memory_reserved_kb", BigInt), col("shared_memory_committed_kb", BigInt),
        col("page_size_in_bytes", BigInt), col("page_allocator_address", VarBinary(8)),
        col("host_address", VarBinary(8)), opt("parent_memory_broker_type", NVarChar(60)).since(2019),
    ]),
    view("dm_os_memory_nodes", SERVER, &[
        col("memory_node_id", SmallInt), col("virtual_address_space_reserved_kb", BigInt),
        col("virtual_address_space_committed_kb", BigInt), col("locked_page_allocations_kb", BigInt),
        col("pages_kb", BigInt), col("shared_memory_reserved_kb", BigInt),
        col("shared_memory_committed_kb", BigInt), col("cpu_affinity_mask", BigInt),
        col("online_scheduler_mask", BigInt), col("processor_group", SmallInt),
        col("foreign_committed_kb", BigInt), opt("target_kb", BigInt),
    ]),
    view("dm_os_memory_objects", SERVER, &[
        col("memory_object_address", VarBinary(8)), opt("parent_address", VarBinary(8)),
        col("pages_in_bytes", BigInt), opt("creation_options", Int), opt("bytes_used", BigInt),
        opt("type", NVarChar(60)), opt("name", VarChar(128)), col("memory_node_id", SmallInt),
        opt("creation_time", DateTime), col("page_size_in_bytes", Int), col("max_pages_in_bytes", BigInt),
        col("page_allocator_address", VarBinary(8)), opt("creation_stack_address", VarBinary(8)),
        opt("sequence_num", Int), opt("partition_type", Int),
        opt("partition_type_desc", NVarChar(60)).since(2017), opt("contention_factor", Real),
        opt("waiting_tasks_count", BigInt), opt("exclusive_access_count", BigInt),
    ]),
];
