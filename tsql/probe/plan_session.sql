-- dbtop: min=2016 max=2025
-- The plans, as estimated, of the requests that a session (@P1) runs now. NULL where the plan has left the cache.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it only our own session is seen.
-- Cost: a few plans are rendered, as many as the session has requests. Asked for, never polled.
SELECT /* dbtop:plan_session */ TOP (4) 1 AS dbtop_plan_session,
    r.request_id,
    r.start_time,
    r.total_elapsed_time,
    r.cpu_time,
    r.query_hash,
    r.query_plan_hash,
    p.query_plan
FROM sys.dm_exec_requests AS r
OUTER APPLY sys.dm_exec_text_query_plan(r.plan_handle, r.statement_start_offset, r.statement_end_offset) AS p
WHERE r.session_id = CAST(@P1 AS smallint)
OPTION (MAXDOP 1);
