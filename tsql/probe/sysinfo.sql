-- dbtop: min=2016 max=2025
-- One row: CPUs, NUMA nodes, memory, workers, start of the instance (server-local time).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it these fields are unknown, and the start
-- comes from tempdb. Cost: one row kept in memory; at connect and hourly.
SELECT /* dbtop:sysinfo */ 1 AS dbtop_sysinfo,
    i.cpu_count,
    i.numa_node_count,
    i.physical_memory_kb,
    i.committed_target_kb,
    i.max_workers_count,
    i.sqlserver_start_time
FROM sys.dm_os_sys_info AS i
OPTION (MAXDOP 1);
