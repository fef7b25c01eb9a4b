-- dbtop: min=2016 max=2025
-- Pages of each database in the buffer pool, the changed ones among them.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error.
-- Cost: reads a row for each page in memory: seconds for 8 GB, many more for hundreds. Asked for after a question, never polled.
SELECT /* dbtop:buffer_pool */ 1 AS dbtop_buffer_pool,
    b.database_id,
    COUNT_BIG(*) AS pages,
    SUM(CAST(b.is_modified AS bigint)) AS modified_pages
FROM sys.dm_os_buffer_descriptors AS b
GROUP BY b.database_id
OPTION (MAXDOP 1);
