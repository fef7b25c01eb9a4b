-- dbtop: min=2016 max=2025
-- One row: the server's clock, the start of the instance (a change is a restart) and the CPU time of the process, which
-- is right on Linux too.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is no headline, and CPU is unknown.
-- Cost: one row kept in memory; the most frequent probe of all.
SELECT /* dbtop:headline */ 1 AS dbtop_headline,
    SYSDATETIMEOFFSET() AS server_time,
    i.sqlserver_start_time,
    i.process_kernel_time_ms,
    i.process_user_time_ms,
    i.cpu_count
FROM sys.dm_os_sys_info AS i
OPTION (MAXDOP 1);
