-- dbtop: min=2016 max=2025
-- One row per database with Query Store that the login may see, at most 1,000; and per database of an availability group, since a
-- secondary replica may say that its store is off while it holds what the primary recorded. total_rows says how many there are.
-- Whoever reads the stores goes from one of these databases to the next, but for those that it would open (AUTO_CLOSE), whose only
-- place it would take (SINGLE_USER), or whose restore it would hold up (standby). updateability, asked where the database is of an
-- availability group, and on Azure SQL Database and Managed Instance, is READ_ONLY of a secondary replica, and
-- of a database that somebody set so (is_read_only) or restores (is_in_standby).
-- Right: VIEW ANY DATABASE (public by default). Without it only master, tempdb and databases that the login may enter.
-- Cost: one catalogue scan.
SELECT /* dbtop:query_stores */ TOP (1000) 1 AS dbtop_query_stores,
    COUNT(*) OVER () AS total_rows,
    d.database_id,
    d.name AS database_name,
    d.state_desc,
    d.user_access_desc,
    d.is_auto_close_on,
    d.is_in_standby,
    d.is_read_only,
    m.may_be_secondary,
    CASE WHEN m.may_be_secondary = 1
        THEN CONVERT(nvarchar(60), DATABASEPROPERTYEX(d.name, N'Updateability')) END AS updateability,
    d.is_query_store_on
FROM sys.databases AS d
CROSS APPLY (
    SELECT CAST(CASE WHEN d.replica_id IS NOT NULL OR CAST(SERVERPROPERTY('EngineEdition') AS int) IN (5, 8)
        THEN 1 ELSE 0 END AS bit) AS may_be_secondary
) AS m
WHERE d.is_query_store_on = 1 OR d.is_query_store_on IS NULL OR d.replica_id IS NOT NULL
ORDER BY d.database_id
OPTION (MAXDOP 1);
