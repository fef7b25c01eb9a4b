-- dbtop: min=2016 max=2025
-- One row per time that a database file grew by itself, out of the newest file of the default trace: since @P1 (a time of the
-- server's clock, in ms since 1970 by its own zone; NULL: the last seven days), the newest first, at most 300. total_rows says how
-- many there are.
-- Right: ALTER TRACE, for the function that reads the file; without it nobody knows when files grew.
-- Cost: the file is read whole, at most 20 MB, up to a second of CPU: over the on-demand lane, and seldom.
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
CROSS APPLY sys.fn_trace_gettable(s.path, 1) AS t
WHERE s.is_default = 1
    AND s.status = 1
    AND t.EventClass IN (92, 93)
    AND t.StartTime > COALESCE(
        DATEADD(millisecond, CAST(@P1 AS bigint) % 86400000,
            DATEADD(day, CAST(@P1 AS bigint) / 86400000, CAST('19700101' AS datetime))),
        DATEADD(day, -7, GETDATE()))
ORDER BY t.StartTime DESC
OPTION (MAXDOP 1);
