-- dbtop: min=2016 max=2025
-- The plans that the Query Store of one database (@P1, its id) has of the query @P2, or the plan @P3 alone: the one that ran last first, at
-- most four, without their XML. Each has its runs of the last 25 hours, and says whether it is forced. An interval has a row for what is
-- flushed and one for what is in memory, of each replica: all count. [$db$] is replaced by the quoted name of the database.
-- Right: as query_store. Without it there is an error.
-- Cost: a pass over the plans of the store without their XML, and some seeks in its run-time statistics. Asked for, never polled.
SELECT /* dbtop:query_store_plans */ TOP (4) 1 AS dbtop_query_store_plans,
    CAST(@P1 AS int) AS database_id,
    p.plan_id,
    p.query_id,
    p.query_plan_hash,
    p.is_forced_plan,
    p.force_failure_count,
    p.last_force_failure_reason,
    p.last_compile_start_time,
    p.last_execution_time,
    r.runs,
    r.cpu_us AS sum_cpu_us,
    r.elapsed_us
FROM [$db$].sys.query_store_plan AS p
OUTER APPLY (
    SELECT SUM(s.count_executions) AS runs,
        SUM(s.count_executions * s.avg_cpu_time) AS cpu_us,
        SUM(s.count_executions * s.avg_duration) AS elapsed_us
    FROM [$db$].sys.query_store_runtime_stats AS s
    WHERE s.plan_id = p.plan_id
        AND s.runtime_stats_interval_id >= (
            SELECT MIN(i.runtime_stats_interval_id)
            FROM [$db$].sys.query_store_runtime_stats_interval AS i
            WHERE i.start_time >= DATEADD(hour, -25, SYSDATETIMEOFFSET())
        )
) AS r
WHERE p.query_id = CAST(@P2 AS bigint) OR p.plan_id = CAST(@P3 AS bigint)
ORDER BY p.last_execution_time DESC
OPTION (MAXDOP 1);
