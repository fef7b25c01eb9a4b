-- dbtop: min=2016 max=2025
-- One row per database that the login may see: id, name, state.
-- Right: VIEW ANY DATABASE (public by default). Without it only master, tempdb and databases that the login may enter;
-- the others appear as "db 7". Cost: one catalogue scan; every five minutes.
SELECT /* dbtop:databases */ 1 AS dbtop_databases,
    d.database_id,
    d.name,
    d.state_desc
FROM sys.databases AS d
OPTION (MAXDOP 1);
