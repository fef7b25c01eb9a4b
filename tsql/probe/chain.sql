-- dbtop: min=2016 max=2025
-- One row per request of every session in a blocking chain, and one for each sleeping session in it (then the request's
-- columns are NULL): blocked ones and blockers.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it blocking is unknown.
-- Cost: restricted to the chain before anything is joined; only when blocked.sql found something.
SELECT /* dbtop:chain */ TOP (2000) 1 AS dbtop_chain,
    s.session_id,
    r.request_id,
    COALESCE(r.status, s.status) AS status,
    r.command,
    COALESCE(r.database_id, s.database_id) AS database_id,
    s.login_name,
    s.host_name,
    s.program_name,
    s.login_time,
    s.last_request_end_time,
    r.start_time,
    r.total_elapsed_time,
    COALESCE(r.cpu_time, s.cpu_time) AS cpu_time,
    COALESCE(r.logical_reads, s.logical_reads) AS logical_reads,
    COALESCE(r.reads, s.reads) AS reads,
    COALESCE(r.writes, s.writes) AS writes,
    COALESCE(r.row_count, s.row_count) AS row_count,
    r.wait_type,
    r.wait_time,
    r.last_wait_type,
    r.wait_resource,
    r.blocking_session_id,
    s.open_transaction_count,
    COALESCE(r.transaction_isolation_level, s.transaction_isolation_level) AS transaction_isolation_level,
    r.dop,
    r.percent_complete,
    r.estimated_completion_time,
    r.query_hash,
    r.sql_handle,
    r.statement_start_offset,
    r.statement_end_offset
FROM (
    SELECT v.session_id
    FROM sys.dm_os_waiting_tasks AS v
    WHERE v.blocking_session_id <> v.session_id
        AND (v.blocking_session_id > 0 OR v.blocking_session_id IN (-2, -3))
        AND (v.wait_type IS NULL OR v.wait_type NOT LIKE N'%LATCH%'
            OR (v.wait_duration_ms >= 1000 AND v.wait_type NOT LIKE N'PAGEIOLATCH%'))
    UNION
    SELECT b.blocking_session_id
    FROM sys.dm_os_waiting_tasks AS b
    WHERE b.blocking_session_id <> b.session_id
        AND (b.blocking_session_id > 0 OR b.blocking_session_id IN (-2, -3))
        AND (b.wait_type IS NULL OR b.wait_type NOT LIKE N'%LATCH%'
            OR (b.wait_duration_ms >= 1000 AND b.wait_type NOT LIKE N'PAGEIOLATCH%'))
) AS c
INNER JOIN sys.dm_exec_sessions AS s ON s.session_id = c.session_id
LEFT JOIN sys.dm_exec_requests AS r ON r.session_id = s.session_id
OPTION (HASH JOIN, MAXDOP 1);
