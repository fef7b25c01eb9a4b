-- dbtop: min=2016 max=2025
-- One row: the number of requests that another session blocks now, or a transaction without a session (-2 orphaned, -3
-- in deferred recovery). The scripts of the chain (blocking, chain, transactions, connections, input_buffers) are asked
-- only if there are any. No blocker: -4 and -5, latches whose owner the server does not know; a page that is being read;
-- a latch of less than a second. model::poll::activity::blocker() has the same rule. requests_seen counts the engine's
-- own requests: a login without the right sees only itself, and must not report "nothing blocked".
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it blocking is unknown.
-- Cost: one pass over the requests.
SELECT /* dbtop:blocked */ 1 AS dbtop_blocked,
    SYSDATETIMEOFFSET() AS server_time,
    COUNT(*) AS requests_seen,
    SUM(CASE WHEN r.blocking_session_id <> r.session_id
            AND (r.blocking_session_id > 0 OR r.blocking_session_id IN (-2, -3))
            AND (r.wait_type IS NULL OR r.wait_type NOT LIKE N'%LATCH%'
                OR (r.wait_time >= 1000 AND r.wait_type NOT LIKE N'PAGEIOLATCH%'))
        THEN 1 ELSE 0 END) AS blocked_requests
FROM sys.dm_exec_requests AS r
OPTION (MAXDOP 1);
