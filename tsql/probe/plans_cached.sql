-- dbtop: min=2016 max=2025
-- The plans in the plan cache of the query with the hash @P1: of each plan hash the one that used most CPU, at most four, the
-- most expensive first. Each plan is text, for its statement alone. It is NULL if it has left the cache.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is no row.
-- Cost: one pass over the counters of the plan cache; then at most four plans are rendered, which costs most. Asked for, never polled.
SELECT /* dbtop:plans_cached */ 1 AS dbtop_plans_cached,
    q.query_plan_hash,
    q.creation_time,
    q.last_execution_time,
    q.execution_count,
    q.total_worker_time,
    q.total_elapsed_time,
    p.query_plan
FROM (SELECT TOP (4) r.query_plan_hash,
        r.creation_time,
        r.last_execution_time,
        r.execution_count,
        r.total_worker_time,
        r.total_elapsed_time,
        r.plan_handle,
        r.statement_start_offset,
        r.statement_end_offset
    FROM (SELECT s.query_plan_hash,
            s.creation_time,
            s.last_execution_time,
            s.execution_count,
            s.total_worker_time,
            s.total_elapsed_time,
            s.plan_handle,
            s.statement_start_offset,
            s.statement_end_offset,
            ROW_NUMBER() OVER (PARTITION BY s.query_plan_hash ORDER BY s.total_worker_time DESC) AS place
        FROM sys.dm_exec_query_stats AS s
        WHERE s.query_hash = CAST(@P1 AS binary(8))) AS r
    WHERE r.place = 1
    ORDER BY r.total_worker_time DESC) AS q
OUTER APPLY sys.dm_exec_text_query_plan(q.plan_handle, q.statement_start_offset, q.statement_end_offset) AS p
ORDER BY q.total_worker_time DESC
OPTION (MAXDOP 1);
