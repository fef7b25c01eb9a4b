-- dbtop: min=2016 max=2025
-- One row per session with pages in tempdb: allocated so far, and held now.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the tempdb columns of activity are unknown.
-- Cost: reads every session and task, so the focused instance only.
SELECT /* dbtop:tempdb */ TOP (1000) 1 AS dbtop_tempdb,
    u.session_id,
    SUM(u.alloc_pages) AS alloc_pages,
    SUM(u.alloc_pages - u.dealloc_pages) AS now_pages
FROM (
    SELECT su.session_id,
        su.user_objects_alloc_page_count + su.internal_objects_alloc_page_count AS alloc_pages,
        su.user_objects_dealloc_page_count + su.internal_objects_dealloc_page_count AS dealloc_pages
    FROM sys.dm_db_session_space_usage AS su
    UNION ALL
    SELECT tu.session_id,
        tu.user_objects_alloc_page_count + tu.internal_objects_alloc_page_count AS alloc_pages,
        tu.user_objects_dealloc_page_count + tu.internal_objects_dealloc_page_count AS dealloc_pages
    FROM sys.dm_db_task_space_usage AS tu
) AS u
WHERE u.alloc_pages > 0
GROUP BY u.session_id
OPTION (MAXDOP 1);
