-- dbtop: min=2016 max=2025
-- One row per type of memory clerk, over all its clerks and memory nodes, the largest first, at most 50. Each row has how many
-- types there are and the pages of all of them.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it memory clerks are unknown.
-- Cost: some hundred rows in memory, no I/O; summed on the server.
SELECT /* dbtop:clerks */ TOP (50) 1 AS dbtop_clerks,
    COUNT(*) OVER () AS total_types,
    SUM(SUM(c.pages_kb)) OVER () AS all_pages_kb,
    c.type AS clerk_type,
    COUNT(*) AS clerks,
    SUM(c.pages_kb) AS pages_kb,
    SUM(c.virtual_memory_committed_kb) AS virtual_kb
FROM sys.dm_os_memory_clerks AS c
GROUP BY c.type
HAVING SUM(c.pages_kb) > 0 OR SUM(c.virtual_memory_committed_kb) > 0
ORDER BY SUM(c.pages_kb) DESC
OPTION (MAXDOP 1);
