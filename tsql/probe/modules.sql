-- dbtop: min=2016 max=2025
-- Over: sys.dm_exec_procedure_stats; module_triggers sys.dm_exec_trigger_stats; module_functions sys.dm_exec_function_stats
-- One row per procedure, trigger or scalar function that ran since @P1 (the server's clock at the last poll, in ms since 1970 by its
-- own zone; NULL: the last five minutes), at most @P2: by their average and their last run those that moved most CPU, half of them, and
-- those that ran longest, read or wrote most. total_modules says how many there are. Counters are sums over all of its cached plans,
-- over those that were cached since @P1 (new_), and over the last runs of older ones that ran (last_): the counters of a plan begin
-- with its cached_time, and old_compiled_at is the newest of the older ones. What a module calls is in its figures, too: no sum over
-- modules means anything. The handle is of the newest plan: its text has the module's name.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it nobody knows which module costs.
-- Cost: a pass over the modules of the plan cache, some ms. With the other kinds of modules in a round trip of their own.
SELECT /* dbtop:modules */ TOP (CAST(@P2 AS int)) 1 AS dbtop_modules,
    g.polled_at,
    g.total_modules,
    g.database_id,
    g.object_id,
    g.plans,
    g.old_plans,
    g.old_compiled_at,
    g.executions,
    g.new_executions,
    g.last_executions,
    g.cpu_us,
    g.new_cpu_us,
    g.last_cpu_us,
    g.elapsed_us,
    g.new_elapsed_us,
    g.last_elapsed_us,
    g.reads,
    g.new_reads,
    g.last_reads,
    g.physical_reads,
    g.new_physical_reads,
    g.last_physical_reads,
    g.writes,
    g.new_writes,
    g.last_writes,
    g.min_elapsed_us,
    g.max_elapsed_us,
    g.cached_time,
    g.sql_handle
FROM (
    SELECT GETDATE() AS polled_at,
        COUNT(*) OVER () AS total_modules,
        ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_worker_time + p.total_worker_time / p.age_s * p.window_s)) DESC) AS by_cpu,
        ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_elapsed_time + p.total_elapsed_time / p.age_s * p.window_s)) DESC) AS by_time,
        ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_logical_reads + p.total_logical_reads / p.age_s * p.window_s)) DESC) AS by_reads,
        ROW_NUMBER() OVER (ORDER BY SUM(p.has_run * (p.last_logical_writes + p.total_logical_writes / p.age_s * p.window_s)) DESC) AS by_writes,
        p.database_id,
        p.object_id,
        COUNT(*) AS plans,
        SUM(1 - p.is_new) AS old_plans,
        MAX(CASE WHEN p.is_new = 0 THEN p.cached_time END) AS old_compiled_at,
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
        MIN(CASE WHEN p.has_run = 1 THEN p.min_elapsed_time END) AS min_elapsed_us,
        MAX(CASE WHEN p.has_run = 1 THEN p.max_elapsed_time END) AS max_elapsed_us,
        MAX(p.cached_time) AS cached_time,
        SUBSTRING(MAX(CAST(p.cached_time AS binary(8)) + p.sql_handle), 9, 64) AS sql_handle
    FROM (
        SELECT m.database_id, m.object_id, m.sql_handle, m.cached_time, m.execution_count,
            m.total_worker_time, m.last_worker_time, m.total_elapsed_time, m.last_elapsed_time, m.min_elapsed_time,
            m.max_elapsed_time, m.total_logical_reads, m.last_logical_reads, m.total_physical_reads, m.last_physical_reads,
            m.total_logical_writes, m.last_logical_writes,
            DATEDIFF(second, m.cached_time, GETDATE()) + 1e0 AS age_s,
            DATEDIFF(second, w.since, GETDATE()) + 1e0 AS window_s,
            CASE WHEN m.cached_time >= w.since THEN 1 ELSE 0 END AS is_new,
            CASE WHEN m.last_execution_time >= w.since
                OR DATEADD(second,
                    CASE WHEN m.last_elapsed_time BETWEEN 0 AND 604800000000 THEN m.last_elapsed_time / 1000000 + 1 ELSE 604800 END,
                    m.last_execution_time) >= w.since THEN 1 ELSE 0 END AS has_run
        FROM sys.dm_exec_procedure_stats AS m
        CROSS JOIN (
            SELECT COALESCE(
                DATEADD(millisecond, CAST(@P1 AS bigint) % 86400000,
                    DATEADD(day, CAST(@P1 AS bigint) / 86400000, CAST('19700101' AS datetime))),
                DATEADD(minute, -5, GETDATE())) AS since
        ) AS w
        WHERE m.database_id <> 32767
            AND m.cached_time < GETDATE()
    ) AS p
    GROUP BY p.database_id, p.object_id
    HAVING SUM(p.has_run) > 0
) AS g
ORDER BY (SELECT MIN(v.place) FROM (VALUES (g.by_cpu / 2), (g.by_time), (g.by_reads), (g.by_writes)) AS v (place)), g.by_cpu
OPTION (MAXDOP 1);
