-- dbtop: min=2016 max=2025
-- Reports of deadlocks in the files @P1 (a path, * allowed; of blobs what their names begin with) that were written after the
-- place @P3 in the file @P2 (both NULL: all), the newest first, at most 50. They come whole, the shortest first, as long as they have
-- 4,000,000 bytes together; of each of the others the first 40,000 characters: one answer may have 8 MB. Events that were flushed
-- together share a place, so what comes later never shares it. The file lags behind the server by up to two minutes.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error.
-- Cost: what was written since the last reading is decoded once, some 20 ms per MB; the first time the newest file. Over the
-- on-demand lane, only when the server's counter of deadlocks has moved.
SELECT /* dbtop:deadlocks */ TOP (50) 1 AS dbtop_deadlocks,
    r.file_name,
    r.file_offset,
    r.report_bytes,
    CASE WHEN SUM(r.report_bytes) OVER (
            ORDER BY r.report_bytes, r.file_name, r.file_offset ROWS UNBOUNDED PRECEDING) <= 4000000
        THEN r.event_data ELSE LEFT(r.event_data, 40000) END AS report
FROM (
    SELECT TOP (50) f.file_name, f.file_offset, f.event_data,
        CAST(DATALENGTH(f.event_data) AS bigint) AS report_bytes
    FROM sys.fn_xe_file_target_read_file(
        CAST(@P1 AS nvarchar(260)), NULL, CAST(@P2 AS nvarchar(260)), CAST(@P3 AS bigint)) AS f
    WHERE f.object_name IN (N'xml_deadlock_report', N'database_xml_deadlock_report')
    ORDER BY f.file_name DESC, f.file_offset DESC
) AS r
ORDER BY r.file_name DESC, r.file_offset DESC
OPTION (MAXDOP 1);
