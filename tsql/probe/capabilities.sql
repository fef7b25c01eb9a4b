-- dbtop: min=2016 max=2025
-- One row per optional object that exists here, and per optional column of it; they decide between script variants.
-- Right: none (metadata of system objects is public). Cost: a seek each in the resource database; at connect and hourly.
SELECT /* dbtop:capabilities */ 1 AS dbtop_capabilities,
    o.name AS object_name,
    c.name AS column_name
FROM sys.system_objects AS o
LEFT JOIN sys.system_columns AS c
    ON c.object_id = o.object_id
    AND c.name IN (N'page_resource', N'dop', N'numa_node_count', N'sql_memory_model_desc', N'host_architecture',
        N'total_spills', N'replica_group_id')
WHERE o.schema_id = 4
    AND o.name IN (N'dm_os_host_info', N'dm_os_windows_info', N'dm_exec_input_buffer', N'dm_exec_requests',
        N'dm_os_sys_info', N'dm_db_page_info', N'dm_tran_version_store_space_usage', N'dm_os_memory_health_history',
        N'dm_exec_query_stats', N'dm_tran_persistent_version_store_stats', N'query_store_wait_stats',
        N'query_store_query_variant', N'query_store_query_hints', N'query_store_plan_feedback', N'query_store_runtime_stats')
OPTION (MAXDOP 1);
