-- dbtop: min=2016 max=2025
-- One row: the server's clock, and the CPU that all sessions took since the statistics began; engine internals aside. What queries
-- account for is a part of it.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the coverage of the queries is unknown.
-- Cost: a row per workload group in memory.
SELECT /* dbtop:workload */ 1 AS dbtop_workload,
    GETDATE() AS polled_at,
    SUM(g.total_cpu_usage_ms) AS workload_cpu_ms,
    MAX(g.statistics_start_time) AS statistics_start_time
FROM sys.dm_resource_governor_workload_groups AS g
WHERE g.name <> N'internal'
OPTION (MAXDOP 1);
