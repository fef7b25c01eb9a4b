-- dbtop: min=2016 max=2025
-- One row per database that the login may see, or the one with the id @P1 (NULL: all), at most 1,000: those to be asked how much of
-- their files is free, but for those that it would open (AUTO_CLOSE), whose only place it would take (SINGLE_USER), or whose restore it
-- would hold up (standby). total_rows says how many there are.
-- Right: VIEW ANY DATABASE (public by default). Without it only master, tempdb and databases that the login may enter.
-- Cost: one catalogue scan, when somebody asks.
SELECT /* dbtop:room_databases */ TOP (1000) 1 AS dbtop_room_databases,
    COUNT(*) OVER () AS total_rows,
    d.database_id,
    d.name AS database_name,
    d.state_desc,
    d.user_access_desc,
    d.is_auto_close_on,
    d.is_in_standby
FROM sys.databases AS d
WHERE d.database_id = COALESCE(CAST(@P1 AS int), d.database_id)
ORDER BY d.database_id
OPTION (MAXDOP 1);
