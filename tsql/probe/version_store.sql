-- dbtop: min=2016 max=2025
-- One row per database with row versions in tempdb, the greatest first, at most 20. From 2016 SP2 on.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it version stores are unknown.
-- Cost: one row per database; sums that the engine keeps, never the versions themselves.
SELECT /* dbtop:version_store */ TOP (20) 1 AS dbtop_version_store,
    v.database_id,
    v.reserved_space_kb
FROM sys.dm_tran_version_store_space_usage AS v
WHERE v.reserved_page_count > 0
ORDER BY v.reserved_page_count DESC
OPTION (MAXDOP 1);
