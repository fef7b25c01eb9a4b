-- dbtop: min=2016 max=2025
-- One row per database, those with the fullest logs: the first 20 by what is in use of their limit, and the first 20 by what is in use
-- of their files, as the volume of a log that may grow may be full. How large its log is, how much of it is in use, how large
-- it may become (NULL: as its volume lets it), where it lies, by how much it grows next, and what keeps it from being used again.
-- In Azure the counters name a database by its physical name (probe::batch).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the use of logs is unknown. VIEW ANY DEFINITION to
-- see how large a log may become and where it lies.
-- Cost: two passes over the counters (1,500 to 5,000 rows in memory), one over the files of all databases; once a minute. A log
-- that may grow for ever ends at 2 TB: 268435456 pages.
SELECT /* dbtop:log_space */ TOP (40) 1 AS dbtop_log_space,
    t.database_name,
    t.log_reuse_wait_desc,
    t.size_kb,
    t.used_kb,
    t.max_kb,
    t.log_path,
    t.next_growth_kb,
    t.growth_pct
FROM (
    SELECT d.name AS database_name,
        d.log_reuse_wait_desc,
        s.cntr_value AS size_kb,
        u.cntr_value AS used_kb,
        f.max_kb,
        f.log_path,
        f.next_growth_kb,
        f.growth_pct,
        ROW_NUMBER() OVER (
            ORDER BY CAST(u.cntr_value AS float) / NULLIF(COALESCE(f.max_kb, 2147483648), 0) DESC) AS by_limit,
        ROW_NUMBER() OVER (ORDER BY CAST(u.cntr_value AS float) / NULLIF(s.cntr_value, 0) DESC) AS by_files
    FROM sys.databases AS d
    INNER JOIN sys.dm_os_performance_counters AS s ON s.instance_name = d.name
    INNER JOIN sys.dm_os_performance_counters AS u ON u.instance_name = s.instance_name
    LEFT JOIN (
        SELECT m.database_id,
            MIN(m.physical_name) AS log_path,
            CASE WHEN MAX(CASE WHEN m.growth > 0 AND (m.max_size = -1 OR m.max_size = 268435456) THEN 1 ELSE 0 END) = 0
                THEN SUM(CASE WHEN m.growth = 0 THEN CAST(m.size AS bigint) ELSE CAST(m.max_size AS bigint) END) * 8
            END AS max_kb,
            MAX(CASE WHEN m.is_percent_growth = 1 THEN CAST(m.size AS bigint) * m.growth / 100 ELSE m.growth END) * 8
                AS next_growth_kb,
            MAX(CASE WHEN m.is_percent_growth = 1 THEN m.growth END) AS growth_pct
        FROM sys.master_files AS m
        WHERE m.type = 1
        GROUP BY m.database_id
    ) AS f ON f.database_id = d.database_id
    WHERE s.counter_name = N'Log File(s) Size (KB)'
        AND u.counter_name = N'Log File(s) Used Size (KB)'
) AS t
WHERE t.by_limit <= 20 OR t.by_files <= 20
ORDER BY t.by_limit
OPTION (MAXDOP 1);
