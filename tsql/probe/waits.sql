-- dbtop: min=2016 max=2025
-- One row per wait type that was ever waited for, cumulative since the start (or since the counters were cleared).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it waits are unknown.
-- Cost: about 1,000 rows in memory, some 300 sent; sorting and the ignore list are the client's business.
SELECT /* dbtop:waits */ 1 AS dbtop_waits,
    w.wait_type,
    w.waiting_tasks_count,
    w.wait_time_ms,
    w.max_wait_time_ms,
    w.signal_wait_time_ms
FROM sys.dm_os_wait_stats AS w
WHERE w.wait_time_ms > 0 OR w.waiting_tasks_count > 0
OPTION (MAXDOP 1);
