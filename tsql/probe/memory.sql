-- dbtop: min=2016 max=2025
-- One row: memory of the machine (the container's view on Linux), of the process, and the grant queues summed.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it memory is unknown.
-- Cost: two single rows and a handful of semaphores.
SELECT /* dbtop:memory */ 1 AS dbtop_memory,
    m.total_physical_memory_kb,
    m.available_physical_memory_kb,
    m.system_low_memory_signal_state,
    p.physical_memory_in_use_kb,
    p.process_physical_memory_low,
    q.waiter_count,
    q.granted_memory_kb,
    q.available_memory_kb
FROM sys.dm_os_sys_memory AS m
CROSS JOIN sys.dm_os_process_memory AS p
CROSS JOIN (
    SELECT SUM(g.waiter_count) AS waiter_count,
        SUM(g.granted_memory_kb) AS granted_memory_kb,
        SUM(g.available_memory_kb) AS available_memory_kb
    FROM sys.dm_exec_query_resource_semaphores AS g
) AS q
OPTION (MAXDOP 1);
