-- dbtop: min=2016 max=2025
-- One row per database that is online, those with the most virtual log files first, at most 300: how many there are and are in use, when
-- the log was last backed up (server-local), and how much log there is since then. total_rows has their number. One that closes by
-- itself is left out: it might be opened for it. From 2016 SP2 on.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the structure of logs is unknown.
-- Cost: one call per database into its log manager, slow with tens of thousands of virtual log files: over the on-demand lane, every
-- hour, and every quarter of an hour on the screen.
SELECT /* dbtop:log_use */ TOP (300) 1 AS dbtop_log_use,
    COUNT(*) OVER () AS total_rows,
    SYSDATETIMEOFFSET() AS server_time,
    d.database_id,
    d.name AS database_name,
    l.total_vlf_count,
    l.active_vlf_count,
    l.log_backup_time,
    l.log_since_last_log_backup_mb
FROM sys.databases AS d
CROSS APPLY sys.dm_db_log_stats(d.database_id) AS l
WHERE d.state = 0 AND d.is_auto_close_on = 0
ORDER BY l.total_vlf_count DESC
OPTION (MAXDOP 1);
