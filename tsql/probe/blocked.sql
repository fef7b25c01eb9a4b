-- dbtop: min=2016 max=2025
-- One row: the number of requests that another session blocks now. The scripts of the chain (blocking, chain,
-- transactions, connections, input_buffers) are asked only if there are any. requests_seen counts the engine's own
-- requests: a login without the right sees only itself, and must not report "nothing blocked".
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it blocking is unknown.
-- Cost: one pass over the requests.
SELECT /* dbtop:blocked */ 1 AS dbtop_blocked,
    SYSDATETIMEOFFSET() AS server_time,
    COUNT(*) AS requests_seen,
    SUM(CASE WHEN r.blocking_session_id <> 0 AND r.blocking_session_id <> r.session_id
        THEN 1 ELSE 0 END) AS blocked_requests
FROM sys.dm_exec_requests AS r
OPTION (MAXDOP 1);
