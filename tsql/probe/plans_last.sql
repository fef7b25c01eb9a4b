-- dbtop: min=2019 max=2025
-- The last actual plans of the query with the hash @P1, of the two plan hashes that used most CPU: with rows and times of the
-- last run, for the whole batch. NULL where the database does not keep them (LAST_QUERY_PLAN_STATS is off by default).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is no row.
-- Cost: one pass over the counters of the plan cache; then at most two plans are rendered. Asked for, never polled.
SELECT /* dbtop:plans_last */ 1 AS dbtop_plans_last,
    q.query_plan_hash,
    q.last_execution_time,
    q.last_worker_time,
    q.last_elapsed_time,
    CAST(p.query_plan AS nvarchar(max)) AS query_plan
FROM (SELECT TOP (2) r.query_plan_hash,
        r.last_execution_time,
        r.last_worker_time,
        r.last_elapsed_time,
        r.total_worker_time,
        r.plan_handle
    FROM (SELECT s.query_plan_hash,
            s.last_execution_time,
            s.last_worker_time,
            s.last_elapsed_time,
            s.total_worker_time,
            s.plan_handle,
            ROW_NUMBER() OVER (PARTITION BY s.query_plan_hash ORDER BY s.total_worker_time DESC) AS place
        FROM sys.dm_exec_query_stats AS s
        WHERE s.query_hash = CAST(@P1 AS binary(8))) AS r
    WHERE r.place = 1
    ORDER BY r.total_worker_time DESC) AS q
OUTER APPLY sys.dm_exec_query_plan_stats(q.plan_handle) AS p
ORDER BY q.total_worker_time DESC
OPTION (MAXDOP 1);
