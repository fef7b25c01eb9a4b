-- dbtop: min=2016 max=2025
-- One row per database with open files: their size on disk, and how much of it are logs; NULL where a file has no name for us.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it sizes are unknown. VIEW ANY DEFINITION to tell logs
-- from data; without it the size of logs is unknown.
-- Cost: one row per file in memory, no I/O; the join reads one row per file of master; every five minutes.
SELECT /* dbtop:database_sizes */ 1 AS dbtop_database_sizes,
    s.database_id,
    SUM(s.size_on_disk_bytes) AS size_bytes,
    CASE
        WHEN SUM(CASE WHEN f.type IS NULL THEN 1 ELSE 0 END) = 0
            THEN SUM(CASE WHEN f.type = 1 THEN s.size_on_disk_bytes ELSE 0 END)
    END AS log_bytes
FROM sys.dm_io_virtual_file_stats(NULL, NULL) AS s
LEFT JOIN sys.master_files AS f ON f.database_id = s.database_id AND f.file_id = s.file_id
GROUP BY s.database_id
OPTION (MAXDOP 1);
