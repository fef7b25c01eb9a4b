-- dbtop: min=2016 max=2025
-- One row per volume that holds a database file: mount point, size, free space. By mount point, never by drive letter.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE), and VIEW ANY DEFINITION to see the files. Without them
-- volumes are unknown. A volume without database files is not listed.
-- Cost: one call into the operating system per file, slow on mount points: runs alone, every half hour or more.
SELECT /* dbtop:volumes */ DISTINCT 1 AS dbtop_volumes,
    v.volume_mount_point,
    v.total_bytes,
    v.available_bytes
FROM sys.master_files AS f
CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
WHERE f.state = 0
OPTION (MAXDOP 1);
