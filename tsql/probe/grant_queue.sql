-- dbtop: min=2016 max=2025
-- One row per request that holds or awaits a memory grant: those that wait first, in their order, then the greatest; at most 100.
-- total_rows has their number.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it memory grants are unknown.
-- Cost: one row per grant, no row where there is none; each 5 seconds on the screen, else every five minutes.
SELECT /* dbtop:grant_queue */ TOP (100) 1 AS dbtop_grant_queue,
    COUNT(*) OVER () AS total_rows,
    g.session_id,
    g.request_id,
    g.dop,
    g.requested_memory_kb,
    g.granted_memory_kb,
    g.used_memory_kb,
    g.max_used_memory_kb,
    g.ideal_memory_kb,
    g.wait_time_ms,
    g.timeout_sec,
    g.queue_id,
    g.wait_order,
    g.pool_id,
    s.login_name,
    s.host_name,
    s.program_name
FROM sys.dm_exec_query_memory_grants AS g
LEFT JOIN sys.dm_exec_sessions AS s ON s.session_id = g.session_id
WHERE g.session_id <> @@SPID
ORDER BY CASE WHEN g.grant_time IS NULL THEN 0 ELSE 1 END, g.wait_order, g.granted_memory_kb DESC
OPTION (MAXDOP 1);
