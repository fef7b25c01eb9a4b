-- dbtop: min=2016 max=2025
-- One row per file of one database (@P1, its id): its size, and how much of it is allocated; of logs, how much of all of them is in
-- use. [$db$] is replaced by the quoted name of the database: these views are part of every database, and tell of the one that they are
-- named in (Microsoft's pages on tempdb and elastic pools read tempdb.sys.dm_db_log_space_usage from other databases).
-- Right: to enter the database, and VIEW DATABASE STATE in it (2022: VIEW DATABASE PERFORMANCE STATE), which VIEW SERVER STATE
-- includes. Without them nobody knows what is free inside of its files.
-- Cost: a page for each 4 GB of data files, and the allocation maps are mostly in memory: some ms a database, when somebody asks.
SELECT /* dbtop:room_files */ TOP (1000) 1 AS dbtop_room_files,
    CAST(@P1 AS int) AS database_id,
    f.file_id,
    f.name AS logical_name,
    f.type_desc,
    f.size AS size_pages,
    u.allocated_extent_page_count AS used_pages,
    l.used_log_space_in_bytes AS log_bytes
FROM [$db$].sys.database_files AS f
LEFT JOIN [$db$].sys.dm_db_file_space_usage AS u ON u.file_id = f.file_id
CROSS JOIN [$db$].sys.dm_db_log_space_usage AS l
ORDER BY f.file_id
OPTION (MAXDOP 1);
