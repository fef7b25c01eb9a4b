-- dbtop: min=2016 max=2025
-- One row per user session with waiting tasks: the number of waiting tasks (a parallel request has several).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the column is unknown.
-- Cost: one pass over the waiting tasks; the focused instance only.
SELECT /* dbtop:waiting_tasks */ TOP (1000) 1 AS dbtop_waiting_tasks,
    w.session_id,
    COUNT(*) AS waiting_tasks
FROM sys.dm_os_waiting_tasks AS w
WHERE w.session_id > 50
GROUP BY w.session_id
OPTION (MAXDOP 1);
