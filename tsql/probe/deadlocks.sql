-- dbtop: min=2016 max=2025
-- Reports of deadlocks in the files @P1 (a path, * allowed; of blobs what their names begin with) that were written after the
-- place @P3 in the file @P2 (both NULL: all), the newest first, at most 50, each cut at 80,000 characters: that is what one
-- answer may have. Events that were flushed together share a place, so what comes later never shares it. The file lags behind the server by up to two minutes.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error.
-- Cost: what was written since the last reading is decoded once, some 20 ms per MB; the first time the newest file. Over the
-- on-demand lane, only when the server's counter of deadlocks has moved.
SELECT /* dbtop:deadlocks */ TOP (50) 1 AS dbtop_deadlocks,
    r.file_name,
    r.file_offset,
    DATALENGTH(r.event_data) AS report_bytes,
    LEFT(r.event_data, 80000) AS report
FROM sys.fn_xe_file_target_read_file(
    CAST(@P1 AS nvarchar(260)), NULL, CAST(@P2 AS nvarchar(260)), CAST(@P3 AS bigint)) AS r
WHERE r.object_name IN (N'xml_deadlock_report', N'database_xml_deadlock_report')
ORDER BY r.file_name DESC, r.file_offset DESC
OPTION (MAXDOP 1);
