-- dbtop: min=2016 max=2025
-- The session that records deadlocks by itself (system_health), and its file: no row where it does not run, NULL where it has
-- no file. target_data is a few hundred bytes of XML with the path of the file that is written now.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error.
-- Cost: the list of running sessions, a few dozen rows. Over the on-demand lane, only when there are new deadlocks.
SELECT /* dbtop:deadlock_source */ TOP (1) 1 AS dbtop_deadlock_source,
    s.name,
    t.target_name,
    t.target_data
FROM sys.dm_xe_sessions AS s
LEFT JOIN sys.dm_xe_session_targets AS t
    ON t.event_session_address = s.address
    AND t.target_name = N'event_file'
WHERE s.name = N'system_health'
OPTION (MAXDOP 1);
