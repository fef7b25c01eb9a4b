-- dbtop: min=2016 max=2025
-- One row: whether the default trace is switched on and runs, which file it writes, and whether the login may read that (NULL: the server
-- does not know the right). Without it the file that growths says nothing of is no file without growths.
-- Right: none. Cost: one row of sys.configurations, a handful of sys.traces; over the on-demand lane.
SELECT /* dbtop:growth_trace */ 1 AS dbtop_growth_trace,
    SYSDATETIMEOFFSET() AS server_time,
    HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER TRACE') AS alter_trace,
    (SELECT MAX(CAST(c.value_in_use AS int)) FROM sys.configurations AS c WHERE c.name = N'default trace enabled') AS is_enabled,
    (SELECT COUNT(*) FROM sys.traces AS s WHERE s.is_default = 1 AND s.status = 1) AS default_traces,
    (SELECT MAX(s.path) FROM sys.traces AS s WHERE s.is_default = 1 AND s.status = 1) AS trace_path
OPTION (MAXDOP 1);
