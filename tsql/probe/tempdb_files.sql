-- dbtop: min=2016 max=2025
-- One row per data file of tempdb: its pages, those that are free, and those of the version store, of user objects, of internal
-- objects and of mixed extents.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it what fills tempdb is unknown.
-- Cost: one row per file of tempdb, from its allocation pages in memory.
SELECT /* dbtop:tempdb_files */ 1 AS dbtop_tempdb_files,
    f.file_id,
    f.total_page_count AS total_pages,
    f.unallocated_extent_page_count AS free_pages,
    f.version_store_reserved_page_count AS version_pages,
    f.user_object_reserved_page_count AS user_pages,
    f.internal_object_reserved_page_count AS internal_pages,
    f.mixed_extent_page_count AS mixed_pages
FROM tempdb.sys.dm_db_file_space_usage AS f
OPTION (MAXDOP 1);
