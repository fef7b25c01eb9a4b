-- dbtop: min=2019 max=2025
-- One row per database with accelerated recovery that keeps row versions of its own, the greatest first, at most 20: their size, how
-- many aborted transactions wait for the cleaner, and the sessions that the cleaner waits for: of the oldest transaction there, and
-- of the oldest snapshot (NULL: of nobody).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it persistent version stores are unknown.
-- Cost: one row per database and one per open transaction, in memory.
SELECT /* dbtop:persistent_versions */ TOP (20) 1 AS dbtop_persistent_versions,
    p.database_id,
    p.persistent_version_store_size_kb,
    p.current_aborted_transaction_count,
    t.session_id AS oldest_session_id,
    a.session_id AS snapshot_session_id
FROM sys.dm_tran_persistent_version_store_stats AS p
LEFT JOIN sys.dm_tran_session_transactions AS t ON t.transaction_id = p.oldest_active_transaction_id
LEFT JOIN sys.dm_tran_active_snapshot_database_transactions AS a
    ON a.transaction_sequence_num = p.min_transaction_timestamp
WHERE p.persistent_version_store_size_kb > 0
ORDER BY p.persistent_version_store_size_kb DESC
OPTION (MAXDOP 1);
