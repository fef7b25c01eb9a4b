-- dbtop: min=2016 max=2025
-- One row per database file, those that were waited for longest first, at most 500; total_files says how many there are, and
-- each row has the sums of all of them; before them stand those with an I/O that is older than a second. The counters are cumulative
-- since the file was opened; pending_ios are in flight now, ios_at_os of them wait for the operating system, and the oldest is so old.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it file latency is unknown. VIEW ANY DEFINITION to see
-- names and paths; without it a file has its numbers only.
-- Cost: one row per file and per I/O in flight in memory, no I/O; the join reads one row per file of master.
SELECT /* dbtop:files */ TOP (500) 1 AS dbtop_files,
    COUNT(*) OVER () AS total_files,
    SUM(s.num_of_reads) OVER () AS all_reads,
    SUM(s.num_of_bytes_read) OVER () AS all_bytes_read,
    SUM(s.io_stall_read_ms) OVER () AS all_stall_read_ms,
    SUM(s.num_of_writes) OVER () AS all_writes,
    SUM(s.num_of_bytes_written) OVER () AS all_bytes_written,
    SUM(s.io_stall_write_ms) OVER () AS all_stall_write_ms,
    s.database_id,
    s.file_id,
    f.name AS logical_name,
    f.type_desc,
    f.physical_name,
    s.num_of_reads,
    s.num_of_bytes_read,
    s.io_stall_read_ms,
    s.num_of_writes,
    s.num_of_bytes_written,
    s.io_stall_write_ms,
    s.size_on_disk_bytes,
    COALESCE(p.pending_ios, 0) AS pending_ios,
    COALESCE(p.ios_at_os, 0) AS ios_at_os,
    p.oldest_io_ms
FROM sys.dm_io_virtual_file_stats(NULL, NULL) AS s
LEFT JOIN sys.master_files AS f ON f.database_id = s.database_id AND f.file_id = s.file_id
LEFT JOIN (
    SELECT r.io_handle,
        COUNT(*) AS pending_ios,
        SUM(CASE WHEN r.io_pending = 1 THEN 1 ELSE 0 END) AS ios_at_os,
        MAX(r.io_pending_ms_ticks) AS oldest_io_ms
    FROM sys.dm_io_pending_io_requests AS r
    GROUP BY r.io_handle
) AS p ON p.io_handle = s.file_handle
ORDER BY CASE WHEN p.oldest_io_ms > 1000 THEN 0 ELSE 1 END, s.io_stall DESC
OPTION (MAXDOP 1);
