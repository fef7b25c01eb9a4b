-- dbtop: min=2022 max=2025
-- On which replicas the queries of the Query Store of one database (@P1, its id) ran in the closed intervals from @P3 to @P4: a row per
-- query and group of replicas, the most CPU first, at most 300; none where all runs are of one group, or the store knows only one. role_type is 1 of the primary, 2
-- of secondaries, 3 and 4 the same of another region, from 5 on of named replicas. One store holds the runs of all of them; every other
-- statement about it adds them up. [$db$] is replaced by the quoted name of the database.
-- Right: as query_store. Without it runs of all replicas are added up, and nobody knows that they are.
-- Cost: a pass over the run-time statistics of an hour, where the store knows several groups.
SELECT /* dbtop:query_store_replicas */ TOP (300) 1 AS dbtop_query_store_replicas,
    CAST(@P1 AS int) AS database_id,
    g.query_id,
    g.replica_group_id,
    x.role_type,
    SUBSTRING(x.replica_name, 1, 128) AS replica_name,
    g.runs,
    g.cpu_us AS sum_cpu_us,
    g.elapsed_us
FROM (
    SELECT p.query_id,
        r.replica_group_id,
        SUM(r.count_executions) AS runs,
        SUM(r.count_executions * r.avg_cpu_time) AS cpu_us,
        SUM(r.count_executions * r.avg_duration) AS elapsed_us,
        MIN(MIN(r.replica_group_id)) OVER () AS first_group,
        MAX(MAX(r.replica_group_id)) OVER () AS last_group
    FROM [$db$].sys.query_store_runtime_stats AS r
    INNER JOIN [$db$].sys.query_store_plan AS p ON p.plan_id = r.plan_id
    WHERE r.runtime_stats_interval_id BETWEEN CAST(@P3 AS bigint) AND CAST(@P4 AS bigint)
        AND (SELECT COUNT(*) FROM [$db$].sys.query_store_replicas) > 1
    GROUP BY p.query_id, r.replica_group_id
) AS g
LEFT JOIN [$db$].sys.query_store_replicas AS x ON x.replica_group_id = g.replica_group_id
WHERE g.first_group < g.last_group
ORDER BY g.cpu_us DESC
OPTION (MAXDOP 1);
