-- dbtop: min=2016 max=2025
-- One row per request that holds or awaits a memory grant.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the grant columns of activity are unknown.
-- Cost: one row per grant; rides on the activity batch.
SELECT /* dbtop:grants */ TOP (1000) 1 AS dbtop_grants,
    g.session_id,
    g.request_id,
    g.requested_memory_kb,
    g.granted_memory_kb,
    g.used_memory_kb,
    g.wait_time_ms
FROM sys.dm_exec_query_memory_grants AS g
WHERE g.session_id <> @@SPID
OPTION (MAXDOP 1);
