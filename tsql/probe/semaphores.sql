-- dbtop: min=2016 max=2025
-- One row per semaphore of memory grants: two per resource pool, one for small queries. timeout_error_count and forced_grant_count are
-- cumulative since the start.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the queues for memory are unknown.
-- Cost: a handful of rows in memory.
SELECT /* dbtop:semaphores */ TOP (64) 1 AS dbtop_semaphores,
    q.pool_id,
    q.resource_semaphore_id,
    q.target_memory_kb,
    q.available_memory_kb,
    q.granted_memory_kb,
    q.used_memory_kb,
    q.grantee_count,
    q.waiter_count,
    q.timeout_error_count,
    q.forced_grant_count
FROM sys.dm_exec_query_resource_semaphores AS q
ORDER BY q.target_memory_kb DESC
OPTION (MAXDOP 1);
