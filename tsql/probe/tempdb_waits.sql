-- dbtop: min=2016 max=2025
-- One row per page of tempdb that tasks wait to latch in memory, most waited for first, at most 100: how many tasks, and the longest.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it contention in tempdb is unknown.
-- Cost: one pass over the waiting tasks.
SELECT /* dbtop:tempdb_waits */ TOP (100) 1 AS dbtop_tempdb_waits,
    w.resource_description,
    COUNT(*) AS tasks,
    MAX(w.wait_duration_ms) AS longest_ms
FROM sys.dm_os_waiting_tasks AS w
WHERE w.wait_type LIKE N'PAGELATCH[_]%'
    AND w.resource_description LIKE N'2:%'
GROUP BY w.resource_description
ORDER BY COUNT(*) DESC
OPTION (MAXDOP 1);
