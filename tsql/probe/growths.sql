-- dbtop: min=2016 max=2025
-- One row per time that a database file grew by itself, out of the default trace: since @P1 (a time of the server's clock, in ms since
-- 1970 by its own zone; NULL: the last 31 days), the newest first, at most 300. total_rows says how many there are. @P2 is the file that
-- was read last: as long as it is the one that is written, it alone is read. Otherwise, and where nothing was read before (NULL), all
-- files that the trace kept are, five at most: its first name is that of none of them and stands for all.
-- Right: ALTER TRACE, for the function that reads the files; without it nobody knows when files grew.
-- Cost: a file is read whole, at most 20 MB, up to a second of CPU; five of them once, and when the trace has begun another: over the
-- on-demand lane, and seldom.
SELECT /* dbtop:growths */ TOP (300) 1 AS dbtop_growths,
    COUNT(*) OVER () AS total_rows,
    t.EventClass AS event_class,
    t.DatabaseID AS database_id,
    t.DatabaseName AS database_name,
    t.FileName AS logical_name,
    t.StartTime AS start_time,
    t.Duration AS duration_us,
    t.IntegerData AS grown_pages,
    t.LoginName AS login_name,
    t.HostName AS host_name,
    t.ApplicationName AS program_name
FROM sys.traces AS s
CROSS APPLY sys.fn_trace_gettable(
    CASE WHEN s.path = CAST(@P2 AS nvarchar(260)) THEN s.path
        ELSE LEFT(s.path, LEN(s.path) - CHARINDEX(N'_', REVERSE(s.path))) + N'.trc' END,
    DEFAULT) AS t
WHERE s.is_default = 1
    AND s.status = 1
    AND t.EventClass IN (92, 93)
    AND t.StartTime > COALESCE(
        DATEADD(millisecond, CAST(@P1 AS bigint) % 86400000,
            DATEADD(day, CAST(@P1 AS bigint) / 86400000, CAST('19700101' AS datetime))),
        DATEADD(day, -31, GETDATE()))
ORDER BY t.StartTime DESC
OPTION (MAXDOP 1);
