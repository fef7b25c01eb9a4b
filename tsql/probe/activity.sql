-- dbtop: min=2016 max=2025
-- One row per running request of a user session, longest first, at most 500; total_rows says how many there are.
-- Handles only: texts are fetched once per handle by texts.sql. Grants, transactions and addresses are sets of their
-- own, joined in the client: joining system views on the server is costly.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it: only our own requests, and the screen says so.
-- Cost: engine internals are filtered first (94 % of the rows); idle readers (WAITFOR, Service Broker) are left out.
SELECT /* dbtop:activity */ TOP (500) 1 AS dbtop_activity,
    COUNT(*) OVER () AS total_rows,
    r.session_id,
    r.request_id,
    r.status,
    r.command,
    r.database_id,
    s.login_name,
    s.host_name,
    s.program_name,
    s.login_time,
    r.start_time,
    r.total_elapsed_time,
    r.cpu_time,
    r.logical_reads,
    r.reads,
    r.writes,
    r.row_count,
    r.wait_type,
    r.wait_time,
    r.last_wait_type,
    r.wait_resource,
    r.blocking_session_id,
    r.open_transaction_count,
    r.transaction_id,
    r.transaction_isolation_level,
    r.dop,
    r.percent_complete,
    r.estimated_completion_time,
    r.query_hash,
    r.sql_handle,
    r.statement_start_offset,
    r.statement_end_offset
FROM sys.dm_exec_sessions AS s
INNER JOIN sys.dm_exec_requests AS r ON r.session_id = s.session_id
WHERE s.is_user_process = 1
    AND s.session_id <> @@SPID
    AND (s.program_name IS NULL OR s.program_name <> N'dbtop')
    AND (r.wait_type IS NULL
        OR r.wait_type NOT IN (N'WAITFOR', N'BROKER_RECEIVE_WAITFOR', N'SP_SERVER_DIAGNOSTICS_SLEEP',
            N'XE_LIVE_TARGET_TVF')
        OR (r.wait_type = N'WAITFOR' AND r.open_transaction_count > 0))
ORDER BY r.start_time
OPTION (HASH JOIN, MAXDOP 1);
