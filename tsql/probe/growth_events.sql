-- dbtop: min=2016 max=2025
-- Times that files grew, in the files @P1 (a path, * allowed; of blobs what their names begin with) of a session of Extended Events, that
-- were written after the place @P3 in the file @P2 (both NULL: all), the newest first, at most 300. Of each event the first 8,000
-- characters: what it says of the file stands in front of what else the session collects.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error.
-- Cost: what was written since the last reading is decoded once, some 20 ms per MB; the first time the newest file. Over the
-- on-demand lane, seldom, and only where the default trace tells nothing.
SELECT /* dbtop:growth_events */ TOP (300) 1 AS dbtop_growth_events,
    f.file_name,
    f.file_offset,
    LEFT(f.event_data, 8000) AS event
FROM sys.fn_xe_file_target_read_file(
    CAST(@P1 AS nvarchar(260)), NULL, CAST(@P2 AS nvarchar(260)), CAST(@P3 AS bigint)) AS f
WHERE f.object_name = N'database_file_size_change'
ORDER BY f.file_name DESC, f.file_offset DESC
OPTION (MAXDOP 1);
