-- dbtop: min=2016 max=2025
-- One row per kind of plans in the cache: how many, how large, and how many of them ran once only. Asked when somebody wants to know.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE).
-- Cost: a pass over the plan cache, some 10 ms per 1,000 plans.
SELECT /* dbtop:plan_cache */ TOP (50) 1 AS dbtop_plan_cache,
    p.objtype,
    p.cacheobjtype,
    COUNT(*) AS plans,
    SUM(CAST(p.size_in_bytes AS bigint)) AS size_bytes,
    SUM(CASE WHEN p.usecounts = 1 THEN 1 ELSE 0 END) AS single_plans,
    SUM(CASE WHEN p.usecounts = 1 THEN CAST(p.size_in_bytes AS bigint) ELSE 0 END) AS single_bytes
FROM sys.dm_exec_cached_plans AS p
GROUP BY p.objtype, p.cacheobjtype
ORDER BY SUM(CAST(p.size_in_bytes AS bigint)) DESC
OPTION (MAXDOP 1);
