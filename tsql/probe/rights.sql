-- dbtop: min=2016 max=2025
-- One row: the rights of the login, by the old and the 2022 names. 1 held, 0 not held, NULL: the server does not know
-- the name (which is not "denied").
-- Right: none. Cost: permission functions only; at connect and hourly.
SELECT /* dbtop:rights */ 1 AS dbtop_rights,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS view_server_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS view_server_performance_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER SECURITY STATE') AS view_server_security_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION') AS view_any_definition,
    HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY CONNECTION') AS alter_any_connection,
    HAS_PERMS_BY_NAME(NULL, NULL, 'CONNECT ANY DATABASE') AS connect_any_database,
    HAS_DBACCESS('msdb') AS msdb_access,
    HAS_PERMS_BY_NAME('msdb.dbo.sysjobs', 'OBJECT', 'SELECT') AS msdb_sysjobs,
    HAS_PERMS_BY_NAME('msdb.dbo.sysjobservers', 'OBJECT', 'SELECT') AS msdb_sysjobservers,
    HAS_PERMS_BY_NAME('msdb.dbo.sysjobhistory', 'OBJECT', 'SELECT') AS msdb_sysjobhistory;
