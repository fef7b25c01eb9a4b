-- dbtop: min=2016 max=2025
-- One row per sleeping user session that holds a transaction, oldest first, at most 200; total_rows has their number.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it: nothing.
-- Cost: one pass over the sessions.
SELECT /* dbtop:sleepers */ TOP (200) 1 AS dbtop_sleepers,
    COUNT(*) OVER () AS total_rows,
    s.session_id,
    s.status,
    s.database_id,
    s.login_name,
    s.host_name,
    s.program_name,
    s.login_time,
    s.last_request_end_time,
    s.cpu_time,
    s.logical_reads,
    s.reads,
    s.writes,
    s.row_count,
    s.open_transaction_count,
    s.transaction_isolation_level
FROM sys.dm_exec_sessions AS s
WHERE s.is_user_process = 1
    AND s.status = N'sleeping'
    AND s.open_transaction_count > 0
    AND s.session_id <> @@SPID
ORDER BY s.last_request_end_time
OPTION (MAXDOP 1);
