-- dbtop: min=2016 max=2025
-- One row per database that the login may see: id, name, state, and what a DBA looks for first.
-- Right: VIEW ANY DATABASE (public by default). Without it only master, tempdb and databases that the login may enter;
-- the others appear as "db 7". VIEW ANY DEFINITION to see owners that are other logins; the join asks no domain controller, so an
-- owner without a login of its own stays unknown.
-- Cost: one catalogue scan; every five minutes.
SELECT /* dbtop:databases */ 1 AS dbtop_databases,
    d.database_id,
    d.name,
    d.state_desc,
    d.recovery_model_desc,
    d.compatibility_level,
    d.is_read_only,
    d.log_reuse_wait_desc,
    p.name AS owner_name
FROM sys.databases AS d
LEFT JOIN sys.server_principals AS p ON p.sid = d.owner_sid
OPTION (MAXDOP 1);
