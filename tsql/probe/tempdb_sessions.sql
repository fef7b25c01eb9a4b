-- dbtop: min=2016 max=2025
-- One row per session that holds 1 MB of tempdb or more now, the greatest first, at most 50: pages of its user objects (temporary
-- tables, table variables) and of internal objects (sorts, hashes, spools), and who it is. total_rows has their number.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the users of tempdb are unknown.
-- Cost: one pass over sessions and tasks in memory; only the 50 are joined. Each 5 seconds on the screen, else every five minutes.
SELECT /* dbtop:tempdb_sessions */ 1 AS dbtop_tempdb_sessions,
    t.total_rows,
    t.session_id,
    t.user_pages,
    t.internal_pages,
    s.login_name,
    s.host_name,
    s.program_name,
    s.status
FROM (
    SELECT TOP (50) COUNT(*) OVER () AS total_rows,
        u.session_id,
        SUM(u.user_pages) AS user_pages,
        SUM(u.internal_pages) AS internal_pages
    FROM (
        SELECT su.session_id,
            su.user_objects_alloc_page_count - su.user_objects_dealloc_page_count AS user_pages,
            su.internal_objects_alloc_page_count - su.internal_objects_dealloc_page_count AS internal_pages
        FROM sys.dm_db_session_space_usage AS su
        UNION ALL
        SELECT tu.session_id,
            tu.user_objects_alloc_page_count - tu.user_objects_dealloc_page_count AS user_pages,
            tu.internal_objects_alloc_page_count - tu.internal_objects_dealloc_page_count AS internal_pages
        FROM sys.dm_db_task_space_usage AS tu
    ) AS u
    GROUP BY u.session_id
    HAVING SUM(u.user_pages + u.internal_pages) >= 128
    ORDER BY SUM(u.user_pages + u.internal_pages) DESC
) AS t
LEFT JOIN sys.dm_exec_sessions AS s ON s.session_id = t.session_id
OPTION (MAXDOP 1);
