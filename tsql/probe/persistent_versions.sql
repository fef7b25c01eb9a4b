-- dbtop: min=2019 max=2025
-- One row per database with accelerated recovery that keeps row versions of its own, the greatest first, at most 20: their size, and
-- how many aborted transactions wait for the cleaner.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it persistent version stores are unknown.
-- Cost: one row per database, in memory.
SELECT /* dbtop:persistent_versions */ TOP (20) 1 AS dbtop_persistent_versions,
    p.database_id,
    p.persistent_version_store_size_kb,
    p.current_aborted_transaction_count
FROM sys.dm_tran_persistent_version_store_stats AS p
WHERE p.persistent_version_store_size_kb > 0
ORDER BY p.persistent_version_store_size_kb DESC
OPTION (MAXDOP 1);
