-- dbtop: min=2016 max=2025
-- One row per session with a transaction that needs or makes row versions, the oldest first, at most 5: nothing that is younger than
-- the oldest of them can be cleaned up.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it who holds a version store is unknown.
-- Cost: one row per such transaction, in memory.
SELECT /* dbtop:version_holders */ 1 AS dbtop_version_holders,
    t.session_id,
    t.is_snapshot,
    t.elapsed_time_seconds,
    s.login_name,
    s.host_name,
    s.program_name
FROM (
    SELECT TOP (5) a.session_id,
        MAX(a.is_snapshot) AS is_snapshot,
        MAX(a.elapsed_time_seconds) AS elapsed_time_seconds
    FROM sys.dm_tran_active_snapshot_database_transactions AS a
    GROUP BY a.session_id
    ORDER BY MAX(a.elapsed_time_seconds) DESC
) AS t
LEFT JOIN sys.dm_exec_sessions AS s ON s.session_id = t.session_id
OPTION (MAXDOP 1);
