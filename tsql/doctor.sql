-- dbtop: min=2016 max=2025
-- One row: the login as the server sees it, and each right that a pane needs, by its old and its 2022 name, on the server
-- and in the current database (Azure SQL Database has only the second). 1 held, 0 not held, NULL: not known here.
-- Right: none. Cost: permission functions only; asked by the permission doctor alone.
SELECT /* dbtop:doctor */ 1 AS dbtop_doctor,
    SUSER_SNAME() AS login_name,
    USER_NAME() AS user_name,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS view_server_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS view_server_performance_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER SECURITY STATE') AS view_server_security_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION') AS view_any_definition,
    HAS_PERMS_BY_NAME(NULL, NULL, 'CONNECT ANY DATABASE') AS connect_any_database,
    HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER TRACE') AS alter_trace,
    HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'VIEW DATABASE STATE') AS view_database_state,
    HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'VIEW DATABASE PERFORMANCE STATE') AS view_database_performance_state,
    HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'VIEW DATABASE SECURITY STATE') AS view_database_security_state,
    HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'VIEW DEFINITION') AS view_definition,
    HAS_PERMS_BY_NAME('msdb.dbo.sysjobs', 'OBJECT', 'SELECT') AS msdb_sysjobs,
    HAS_PERMS_BY_NAME('msdb.dbo.sysjobservers', 'OBJECT', 'SELECT') AS msdb_sysjobservers,
    HAS_PERMS_BY_NAME('msdb.dbo.sysjobhistory', 'OBJECT', 'SELECT') AS msdb_sysjobhistory;
