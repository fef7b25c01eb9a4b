-- dbtop: min=2016 max=2025
-- One row per volume that holds a database file, at most 1,000: mount point, size, free space. By mount point, never by drive letter.
-- Linux names no mount point: there it is one row per folder with database files, and the client finds out which of them share a
-- volume. first_database_id is that of the oldest database there. Free space moves while the files are read: the lowest counts.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE), and VIEW ANY DEFINITION to see the files. Without them
-- volumes are unknown. A volume without database files is not listed.
-- Cost: one call into the operating system per file, slow on mount points: runs alone, every half hour or more.
SELECT /* dbtop:volumes */ TOP (1000) 1 AS dbtop_volumes,
    t.volume_mount_point,
    t.folder,
    MIN(t.database_id) AS first_database_id,
    MAX(t.total_bytes) AS total_bytes,
    MIN(t.available_bytes) AS available_bytes
FROM (
    SELECT NULLIF(v.volume_mount_point, N'') AS volume_mount_point,
        CAST(CASE WHEN NULLIF(v.volume_mount_point, N'') IS NULL
            THEN COALESCE(NULLIF(LEFT(f.physical_name, LEN(f.physical_name) - CHARINDEX(N'/', REVERSE(f.physical_name))), N''), N'/')
        END AS nvarchar(260)) AS folder,
        f.database_id,
        v.total_bytes,
        v.available_bytes
    FROM sys.master_files AS f
    CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
    WHERE f.state = 0
) AS t
GROUP BY t.volume_mount_point, t.folder
ORDER BY MIN(t.database_id)
OPTION (MAXDOP 1);
