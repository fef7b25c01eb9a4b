-- dbtop: min=2016 max=2025
-- One row per NUMA node with its page life expectancy, and per kind of plan with its pages, plans, and plans in use.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it page life per node and the plan cache are unknown.
-- Cost: one pass over the counters (1,500 to 5,000 rows in memory).
SELECT /* dbtop:memory_counters */ TOP (200) 1 AS dbtop_memory_counters,
    CAST(RTRIM(c.counter_name) AS nvarchar(64)) AS counter_name,
    CAST(RTRIM(c.instance_name) AS nvarchar(64)) AS instance_name,
    c.cntr_value
FROM sys.dm_os_performance_counters AS c
WHERE c.counter_name IN (N'Page life expectancy', N'Cache Pages', N'Cache Object Counts', N'Cache Objects in use')
    AND c.instance_name <> N''
OPTION (MAXDOP 1);
