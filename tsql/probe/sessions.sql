-- dbtop: min=2016 max=2025
-- One row: sessions by state, and the server's clock for the times of the activity probe. sessions_seen counts the
-- engine's own sessions too: a login without the right sees only itself, without an error.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it: only our own session, and the screen says so.
-- Cost: one pass over the sessions.
SELECT /* dbtop:sessions */ 1 AS dbtop_sessions,
    SYSDATETIMEOFFSET() AS server_time,
    COUNT(*) AS sessions_seen,
    SUM(CASE WHEN s.is_user_process = 1 THEN 1 ELSE 0 END) AS user_sessions,
    SUM(CASE WHEN s.is_user_process = 1 AND s.status = N'running' THEN 1 ELSE 0 END) AS active_sessions,
    SUM(CASE WHEN s.is_user_process = 1 AND s.status = N'sleeping' THEN 1 ELSE 0 END) AS sleeping_sessions,
    SUM(CASE WHEN s.is_user_process = 1 AND s.status = N'sleeping' AND s.open_transaction_count > 0
        THEN 1 ELSE 0 END) AS sleeping_open_sessions
FROM sys.dm_exec_sessions AS s
OPTION (MAXDOP 1);
