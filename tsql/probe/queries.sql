-- dbtop: min=2016 max=2025
-- One row per query hash that a plan of ran for since @P1 (the server's clock at the last poll, in ms since 1970 by its own
-- zone; NULL: the last five minutes), at most @P2: by their average and their last run those that moved most CPU, half of them, and those
-- that ran longest, read or wrote most: who waits for a lock takes no CPU.
-- total_hashes says how many there are. Counters are sums over all plans, over those compiled since @P1 (new_), and over the
-- last runs of older ones that ran (last_); old_compiled_at is the newest compilation of those. A sum behind a filter would fall when
-- a plan idles and leap when it comes back; a TOP by totals would be filled by old giants. Statement and plan are of the newest plan,
-- carried behind its time; its database is asked for apart (plan_databases), once.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it nobody knows which query costs.
-- Cost: a pass over the plan cache, some 10 ms per 1,000 plans. Alone in its round trip.
SELECT /* dbtop:queries */ 1 AS dbtop_queries,
    t.polled_at,
    t.total_hashes,
    t.query_hash,
    t.plans,
    t.old_plans,
    t.old_compiled_at,
    t.executions,
    t.new_executions,
    t.last_executions,
    t.cpu_us,
    t.new_cpu_us,
    t.last_cpu_us,
    t.elapsed_us,
    t.new_elapsed_us,
    t.last_elapsed_us,
    t.reads,
    t.new_reads,
    t.last_reads,
    t.physical_reads,
    t.new_physical_reads,
    t.last_physical_reads,
    t.writes,
    t.new_writes,
    t.last_writes,
    t.row_count,
    t.new_row_count,
    t.last_row_count,
    t.grant_kb,
    t.new_grant_kb,
    t.last_grant_kb,
    t.used_kb,
    t.new_used_kb,
    t.last_used_kb,
    t.ideal_kb,
    t.new_ideal_kb,
    t.last_ideal_kb,
    t.dop,
    t.new_dop,
    t.last_dop,
    t.spills,
    t.new_spills,
    t.last_spills,
    t.min_elapsed_us,
    t.max_elapsed_us,
    SUBSTRING(t.newest, 9, 8) AS query_plan_hash,
    CAST(SUBSTRING(t.newest, 17, 4) AS int) AS statement_start_offset,
    CAST(SUBSTRING(t.newest, 21, 4) AS int) AS statement_end_offset,
    SUBSTRING(t.newest, 26, CAST(SUBSTRING(t.newest, 25, 1) AS int)) AS plan_handle,
    SUBSTRING(t.newest, 26 + CAST(SUBSTRING(t.newest, 25, 1) AS int), 64) AS sql_handle
FROM (
    SELECT TOP (CAST(@P2 AS int)) g.*
    FROM (
        SELECT GETDATE() AS polled_at,
            COUNT(*) OVER () AS total_hashes,
            ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_worker_time + p.total_worker_time / p.age_s * p.window_s)) DESC) AS by_cpu,
            ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_elapsed_time + p.total_elapsed_time / p.age_s * p.window_s)) DESC) AS by_time,
            ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_logical_reads + p.total_logical_reads / p.age_s * p.window_s)) DESC) AS by_reads,
            ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_logical_writes + p.total_logical_writes / p.age_s * p.window_s)) DESC) AS by_writes,
            p.query_hash,
            COUNT(*) AS plans,
            SUM(1 - p.is_new) AS old_plans,
            MAX(CASE WHEN p.is_new = 0 THEN p.creation_time END) AS old_compiled_at,
            SUM(p.execution_count) AS executions,
            SUM(p.is_new * p.execution_count) AS new_executions,
            SUM(p.has_run * (1 - p.is_new)) AS last_executions,
            SUM(p.total_worker_time) AS cpu_us,
            SUM(p.is_new * p.total_worker_time) AS new_cpu_us,
            SUM(p.has_run * (1 - p.is_new) * p.last_worker_time) AS last_cpu_us,
            SUM(p.total_elapsed_time) AS elapsed_us,
            SUM(p.is_new * p.total_elapsed_time) AS new_elapsed_us,
            SUM(p.has_run * (1 - p.is_new) * p.last_elapsed_time) AS last_elapsed_us,
            SUM(p.total_logical_reads) AS reads,
            SUM(p.is_new * p.total_logical_reads) AS new_reads,
            SUM(p.has_run * (1 - p.is_new) * p.last_logical_reads) AS last_reads,
            SUM(p.total_physical_reads) AS physical_reads,
            SUM(p.is_new * p.total_physical_reads) AS new_physical_reads,
            SUM(p.has_run * (1 - p.is_new) * p.last_physical_reads) AS last_physical_reads,
            SUM(p.total_logical_writes) AS writes,
            SUM(p.is_new * p.total_logical_writes) AS new_writes,
            SUM(p.has_run * (1 - p.is_new) * p.last_logical_writes) AS last_writes,
            SUM(p.total_rows) AS row_count,
            SUM(p.is_new * p.total_rows) AS new_row_count,
            SUM(p.has_run * (1 - p.is_new) * p.last_rows) AS last_row_count,
            SUM(p.total_grant_kb) AS grant_kb,
            SUM(p.is_new * p.total_grant_kb) AS new_grant_kb,
            SUM(p.has_run * (1 - p.is_new) * p.last_grant_kb) AS last_grant_kb,
            SUM(p.total_used_grant_kb) AS used_kb,
            SUM(p.is_new * p.total_used_grant_kb) AS new_used_kb,
            SUM(p.has_run * (1 - p.is_new) * p.last_used_grant_kb) AS last_used_kb,
            SUM(p.total_ideal_grant_kb) AS ideal_kb,
            SUM(p.is_new * p.total_ideal_grant_kb) AS new_ideal_kb,
            SUM(p.has_run * (1 - p.is_new) * p.last_ideal_grant_kb) AS last_ideal_kb,
            SUM(p.total_dop) AS dop,
            SUM(p.is_new * p.total_dop) AS new_dop,
            SUM(p.has_run * (1 - p.is_new) * p.last_dop) AS last_dop,
            SUM(p.total_spills) AS spills,
            SUM(p.is_new * p.total_spills) AS new_spills,
            SUM(p.has_run * (1 - p.is_new) * p.last_spills) AS last_spills,
            MIN(CASE WHEN p.has_run = 1 THEN p.min_elapsed_time END) AS min_elapsed_us,
            MAX(CASE WHEN p.has_run = 1 THEN p.max_elapsed_time END) AS max_elapsed_us,
            MAX(p.carried) AS newest
        FROM (
            SELECT q.query_hash, q.creation_time,
                q.execution_count, q.total_worker_time, q.last_worker_time, q.total_elapsed_time, q.last_elapsed_time,
                q.total_logical_reads, q.last_logical_reads, q.total_physical_reads, q.last_physical_reads,
                q.total_logical_writes, q.last_logical_writes, q.total_rows, q.last_rows, q.total_grant_kb,
                q.last_grant_kb, q.total_used_grant_kb, q.last_used_grant_kb, q.total_ideal_grant_kb,
                q.last_ideal_grant_kb, q.total_dop, q.last_dop, q.total_spills, q.last_spills, q.min_elapsed_time,
                q.max_elapsed_time,
                DATEDIFF(second, q.creation_time, GETDATE()) + 1e0 AS age_s,
                DATEDIFF(second, w.since, GETDATE()) + 1e0 AS window_s,
                CASE WHEN q.creation_time >= w.since THEN 1 ELSE 0 END AS is_new,
                CASE WHEN q.last_execution_time >= w.since
                    OR DATEADD(second,
                        CASE WHEN q.last_elapsed_time BETWEEN 0 AND 604800000000 THEN q.last_elapsed_time / 1000000 + 1 ELSE 604800 END,
                        q.last_execution_time) >= w.since THEN 1 ELSE 0 END AS has_run,
                CAST(q.creation_time AS binary(8)) + COALESCE(q.query_plan_hash, CAST(0 AS binary(8)))
                    + CAST(q.statement_start_offset AS binary(4)) + CAST(q.statement_end_offset AS binary(4))
                    + CAST(DATALENGTH(q.plan_handle) AS binary(1)) + q.plan_handle + q.sql_handle AS carried
            FROM sys.dm_exec_query_stats AS q
            CROSS JOIN (
                SELECT COALESCE(
                    DATEADD(millisecond, CAST(@P1 AS bigint) % 86400000,
                        DATEADD(day, CAST(@P1 AS bigint) / 86400000, CAST('19700101' AS datetime))),
                    DATEADD(minute, -5, GETDATE())) AS since
            ) AS w
            WHERE q.creation_time < GETDATE()
        ) AS p
        GROUP BY p.query_hash
        HAVING SUM(p.has_run) > 0
    ) AS g
    ORDER BY (SELECT MIN(v.place) FROM (VALUES (g.by_cpu / 2), (g.by_time), (g.by_reads), (g.by_writes)) AS v (place)), g.by_cpu
) AS t
OPTION (MAXDOP 1);
