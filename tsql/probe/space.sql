-- dbtop: min=2016 max=2025
-- One row per database file, the largest first, at most 1,000; total_files says how many there are. Sizes are in pages of 8 KB, growth
-- in pages or percent. That of tempdb is what it has after a restart.
-- Right: VIEW ANY DEFINITION. Without it how files grow is unknown.
-- Cost: one catalogue scan of master; every quarter of an hour.
SELECT /* dbtop:space */ TOP (1000) 1 AS dbtop_space,
    COUNT(*) OVER () AS total_files,
    f.database_id,
    f.file_id,
    f.type_desc,
    f.name AS logical_name,
    f.physical_name,
    f.size AS size_pages,
    f.max_size AS max_pages,
    f.growth,
    f.is_percent_growth,
    f.data_space_id
FROM sys.master_files AS f
ORDER BY f.size DESC
OPTION (MAXDOP 1);
