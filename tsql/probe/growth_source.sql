-- dbtop: min=2016 max=2025
-- The running sessions that record how files grow, a row for each of their targets that can be read: of a file its place, which is a few
-- hundred bytes of XML with the path of the file that is written now; of memory nothing but that it is there. NULL: no such target. No
-- server has such a session by itself: it is read where the default trace tells nothing.
-- is_shared says that the session records other events, too: its files are the longer to read.
-- On Azure SQL Database the views are those of the database: sys.dm_xe_database_…, with the same columns.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error, and the default trace alone tells.
-- Cost: the list of running sessions and their events, some hundred rows. Over the on-demand lane, and seldom.
SELECT /* dbtop:growth_source */ TOP (20) 1 AS dbtop_growth_source,
    SYSDATETIMEOFFSET() AS server_time,
    s.name,
    t.target_name,
    CASE WHEN t.target_name = N'event_file' THEN t.target_data END AS target_data,
    CAST(CASE WHEN EXISTS (
        SELECT 1 FROM sys.dm_xe_session_events AS o
        WHERE o.event_session_address = s.address AND o.event_name <> N'database_file_size_change'
    ) THEN 1 ELSE 0 END AS bit) AS is_shared
FROM sys.dm_xe_sessions AS s
INNER JOIN sys.dm_xe_session_events AS e
    ON e.event_session_address = s.address
    AND e.event_name = N'database_file_size_change'
LEFT JOIN sys.dm_xe_session_targets AS t
    ON t.event_session_address = s.address
    AND t.target_name IN (N'event_file', N'ring_buffer')
ORDER BY s.name, t.target_name
OPTION (MAXDOP 1);
