-- dbtop: min=2016 max=2025
-- The memory of the session @P1, where no file can be read: its last 2,000,000 characters, the newest events last, and its head, which
-- says whether the server left events out. The server writes at most 4 MB of it. @P2 and @P3 are not used.
-- On Azure SQL Database the views are those of the database: sys.dm_xe_database_…, with the same columns.
-- Over: sys.dm_xe_session_targets; growth_ring sys.dm_xe_session_targets
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error.
-- Cost: the server writes all events of the session as XML, some 50 ms for 4 MB; nothing is shredded there. Over the on-demand lane,
-- only when the server's counter of deadlocks has moved; of growths seldom, and only where the default trace tells nothing.
SELECT /* dbtop:deadlock_ring */ TOP (1) 1 AS dbtop_deadlock_ring,
    LEFT(t.target_data, 400) AS ring_head,
    RIGHT(t.target_data, 2000000) AS ring
FROM sys.dm_xe_sessions AS s
INNER JOIN sys.dm_xe_session_targets AS t
    ON t.event_session_address = s.address
    AND t.target_name = N'ring_buffer'
WHERE s.name = CAST(@P1 AS nvarchar(256))
OPTION (MAXDOP 1);
