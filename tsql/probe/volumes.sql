-- dbtop: min=2016 max=2025
-- One row per volume that holds a database file: mount point, size, free space. By mount point, never by drive letter. Free
-- space moves while the files are read: the lowest counts.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE), and VIEW ANY DEFINITION to see the files. Without them
-- volumes are unknown. A volume without database files is not listed.
-- Cost: one call into the operating system per file, slow on mount points: runs alone, every half hour or more.
SELECT /* dbtop:volumes */ 1 AS dbtop_volumes,
    v.volume_mount_point,
    MAX(v.total_bytes) AS total_bytes,
    MIN(v.available_bytes) AS available_bytes
FROM sys.master_files AS f
CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
WHERE f.state = 0
GROUP BY v.volume_mount_point
OPTION (MAXDOP 1);
