-- dbtop: min=2016 max=2025
-- Queries of the Query Store of one database (@P1, its id) over closed intervals: from @P3 to @P4 what they did now, from @P2 up to @P3
-- what they did before. Those that took most CPU, those that took most time, those that became slower (20 runs of each, 1.5 times as
-- long) by the time lost, those whose runs differ (by more than their average, or one of them ten times as long) by how far: the first
-- @P5 of each. total_queries says how many ran. An interval has a row for what is flushed and one for what is in memory:
-- both count, and so do runs that were aborted (3) or failed (4), and those of all replicas: query_store_replicas tells them apart. [$db$] is replaced by the quoted name of the database.
-- Right: as query_store. Without it the queries of the store are unknown.
-- Cost: a pass over the run-time statistics of a day; texts of the rows alone that are sent. Some seconds where a store is large: the
-- deadline is five.
SELECT /* dbtop:query_store_queries */ 1 AS dbtop_query_store_queries,
    CAST(@P1 AS int) AS database_id,
    t.total_queries,
    t.query_id,
    q.query_hash,
    t.plans,
    t.runs,
    t.aborted,
    t.failed,
    t.cpu_us AS sum_cpu_us,
    t.elapsed_us,
    t.squares_us,
    t.min_us,
    t.max_us,
    t.reads AS sum_reads,
    t.physical_reads,
    t.writes AS sum_writes,
    t.row_count AS sum_rows,
    t.memory_pages,
    t.before_runs,
    t.before_cpu_us,
    t.before_elapsed_us,
    s.name AS schema_name,
    m.name AS object_name,
    x.is_part_of_encrypted_module,
    SUBSTRING(x.query_sql_text, 1, 2000) AS query_text
FROM (
    SELECT COUNT(*) OVER () AS total_queries,
        ROW_NUMBER() OVER (ORDER BY g.cpu_us DESC) AS by_cpu,
        ROW_NUMBER() OVER (ORDER BY g.elapsed_us DESC) AS by_time,
        ROW_NUMBER() OVER (ORDER BY g.lost_us DESC) AS by_loss,
        ROW_NUMBER() OVER (ORDER BY g.range_us DESC) AS by_range,
        g.lost_us, g.range_us, g.query_id, g.plans, g.runs, g.aborted, g.failed, g.cpu_us, g.elapsed_us, g.squares_us, g.min_us, g.max_us,
        g.reads, g.physical_reads, g.writes, g.row_count, g.memory_pages, g.before_runs, g.before_cpu_us,
        g.before_elapsed_us
    FROM (
        SELECT s.*,
            CASE WHEN s.runs >= 20 AND s.before_runs >= 20 AND s.before_elapsed_us > 0
                    AND s.elapsed_us * s.before_runs >= 1.5 * s.before_elapsed_us * s.runs
                THEN s.elapsed_us - s.before_elapsed_us / s.before_runs * s.runs END AS lost_us,
            CASE WHEN s.runs >= 2
                    AND (s.squares_us * s.runs > 2 * s.elapsed_us * s.elapsed_us OR 1e0 * s.max_us * s.runs > 10 * s.elapsed_us)
                THEN s.max_us - s.elapsed_us / s.runs END AS range_us
        FROM (
            SELECT l.query_id,
                SUM(CASE WHEN l.runs > 0 THEN 1 ELSE 0 END) AS plans,
                SUM(l.runs) AS runs, SUM(l.aborted) AS aborted, SUM(l.failed) AS failed, SUM(l.cpu_us) AS cpu_us,
                SUM(l.elapsed_us) AS elapsed_us, SUM(l.squares_us) AS squares_us, MIN(l.min_us) AS min_us,
                MAX(l.max_us) AS max_us, SUM(l.reads) AS reads, SUM(l.physical_reads) AS physical_reads,
                SUM(l.writes) AS writes, SUM(l.row_count) AS row_count, SUM(l.memory_pages) AS memory_pages,
                SUM(l.before_runs) AS before_runs, SUM(l.before_cpu_us) AS before_cpu_us,
                SUM(l.before_elapsed_us) AS before_elapsed_us
            FROM (
                SELECT p.query_id,
                    SUM(r.is_now * r.runs) AS runs,
                    SUM(CASE WHEN r.execution_type = 3 THEN r.is_now * r.runs ELSE 0 END) AS aborted,
                    SUM(CASE WHEN r.execution_type = 4 THEN r.is_now * r.runs ELSE 0 END) AS failed,
                    SUM(r.is_now * r.runs * r.avg_cpu_time) AS cpu_us,
                    SUM(r.is_now * r.runs * r.avg_duration) AS elapsed_us,
                    SUM(r.is_now * r.runs * (r.stdev_duration * r.stdev_duration + r.avg_duration * r.avg_duration))
                        AS squares_us,
                    MIN(CASE WHEN r.is_now = 1 THEN r.min_duration END) AS min_us,
                    MAX(CASE WHEN r.is_now = 1 THEN r.max_duration END) AS max_us,
                    SUM(r.is_now * r.runs * r.avg_logical_io_reads) AS reads,
                    SUM(r.is_now * r.runs * r.avg_physical_io_reads) AS physical_reads,
                    SUM(r.is_now * r.runs * r.avg_logical_io_writes) AS writes,
                    SUM(r.is_now * r.runs * r.avg_rowcount) AS row_count,
                    SUM(r.is_now * r.runs * r.avg_query_max_used_memory) AS memory_pages,
                    SUM((1 - r.is_now) * r.runs) AS before_runs,
                    SUM((1 - r.is_now) * r.runs * r.avg_cpu_time) AS before_cpu_us,
                    SUM((1 - r.is_now) * r.runs * r.avg_duration) AS before_elapsed_us
                FROM (
                    SELECT v.plan_id, v.execution_type, v.count_executions AS runs, v.avg_cpu_time, v.avg_duration,
                        v.stdev_duration, v.min_duration, v.max_duration, v.avg_logical_io_reads, v.avg_physical_io_reads,
                        v.avg_logical_io_writes, v.avg_rowcount, v.avg_query_max_used_memory,
                        CASE WHEN v.runtime_stats_interval_id >= CAST(@P3 AS bigint) THEN 1 ELSE 0 END AS is_now
                    FROM [$db$].sys.query_store_runtime_stats AS v
                    WHERE v.runtime_stats_interval_id BETWEEN CAST(@P2 AS bigint) AND CAST(@P4 AS bigint)
                ) AS r
                INNER JOIN [$db$].sys.query_store_plan AS p ON p.plan_id = r.plan_id
                GROUP BY p.query_id, p.plan_id
            ) AS l
            GROUP BY l.query_id
            HAVING SUM(l.runs) > 0
        ) AS s
    ) AS g
) AS t
INNER JOIN [$db$].sys.query_store_query AS q ON q.query_id = t.query_id
LEFT JOIN [$db$].sys.query_store_query_text AS x ON x.query_text_id = q.query_text_id
LEFT JOIN [$db$].sys.objects AS m ON m.object_id = q.object_id
LEFT JOIN [$db$].sys.schemas AS s ON s.schema_id = m.schema_id
WHERE t.by_cpu <= CAST(@P5 AS int)
    OR t.by_time <= CAST(@P5 AS int)
    OR t.by_loss <= CAST(@P5 AS int) AND t.lost_us IS NOT NULL
    OR t.by_range <= CAST(@P5 AS int) AND t.range_us IS NOT NULL
ORDER BY t.cpu_us DESC
OPTION (MAXDOP 1);
