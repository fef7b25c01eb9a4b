-- dbtop: min=2017 max=2025
-- What the queries of the Query Store of one database (@P1, its id) waited for in the closed intervals from @P3 to @P4, by category, the
-- longest first, at most 300. The waits of a plan are of the same intervals as its runs, and of the same replicas. [$db$] is replaced by the quoted name of the
-- database.
-- Right: as query_store. Without it the waits of queries are unknown.
-- Cost: a pass over the waits of an hour.
SELECT /* dbtop:query_store_waits */ TOP (300) 1 AS dbtop_query_store_waits,
    CAST(@P1 AS int) AS database_id,
    p.query_id,
    w.wait_category_desc,
    SUM(w.total_query_wait_time_ms) AS wait_ms
FROM [$db$].sys.query_store_wait_stats AS w
INNER JOIN [$db$].sys.query_store_plan AS p ON p.plan_id = w.plan_id
WHERE w.runtime_stats_interval_id BETWEEN CAST(@P3 AS bigint) AND CAST(@P4 AS bigint)
GROUP BY p.query_id, w.wait_category_desc
ORDER BY SUM(w.total_query_wait_time_ms) DESC
OPTION (MAXDOP 1);
