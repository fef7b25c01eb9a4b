-- dbtop: min=2016 max=2025
-- The state of the Query Store of one database (@P1, its id), its size and cap, and its closed intervals: the newest one, the first
-- that belongs to the hour before its end (now_id), to the six hours (reach_id), to the day and hour (before_id). NULL where there is none.
-- [$db$] is replaced by the quoted name of the database.
-- Right: to enter the database, and VIEW DATABASE STATE in it (2022: VIEW DATABASE PERFORMANCE STATE), which VIEW SERVER STATE
-- includes. Without them its store is unknown.
-- Cost: one row of options, and some seeks in the list of intervals.
SELECT /* dbtop:query_store */ TOP (1) 1 AS dbtop_query_store,
    CAST(@P1 AS int) AS database_id,
    o.desired_state,
    o.actual_state,
    o.readonly_reason,
    o.current_storage_size_mb,
    o.max_storage_size_mb,
    o.interval_length_minutes,
    o.query_capture_mode_desc,
    o.size_based_cleanup_mode_desc,
    i.interval_id,
    i.end_time,
    n.now_id,
    n.start_time AS from_time,
    c.reach_id,
    c.start_time AS reach_time,
    b.before_id
FROM [$db$].sys.database_query_store_options AS o
OUTER APPLY (
    SELECT TOP (1) r.runtime_stats_interval_id AS interval_id,
        r.end_time
    FROM [$db$].sys.query_store_runtime_stats_interval AS r
    WHERE r.end_time < SYSDATETIMEOFFSET()
    ORDER BY r.runtime_stats_interval_id DESC
) AS i
OUTER APPLY (
    SELECT TOP (1) r.runtime_stats_interval_id AS now_id,
        r.start_time
    FROM [$db$].sys.query_store_runtime_stats_interval AS r
    WHERE r.runtime_stats_interval_id = i.interval_id
        OR r.runtime_stats_interval_id < i.interval_id AND r.start_time >= DATEADD(minute, -60, i.end_time)
    ORDER BY r.runtime_stats_interval_id
) AS n
OUTER APPLY (
    SELECT TOP (1) r.runtime_stats_interval_id AS reach_id,
        r.start_time
    FROM [$db$].sys.query_store_runtime_stats_interval AS r
    WHERE r.runtime_stats_interval_id <= i.interval_id AND r.start_time >= DATEADD(hour, -6, i.end_time)
    ORDER BY r.runtime_stats_interval_id
) AS c
OUTER APPLY (
    SELECT TOP (1) r.runtime_stats_interval_id AS before_id
    FROM [$db$].sys.query_store_runtime_stats_interval AS r
    WHERE r.runtime_stats_interval_id <= i.interval_id AND r.start_time >= DATEADD(hour, -25, i.end_time)
    ORDER BY r.runtime_stats_interval_id
) AS b
OPTION (MAXDOP 1);
