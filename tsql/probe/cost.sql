-- dbtop: min=2016 max=2025
-- One row: the cost of our own session on this server since its login.
-- Right: none (everyone sees their own session). Cost: one row by key; last in each batch that it rides on.
SELECT /* dbtop:cost */ 1 AS dbtop_cost,
    SYSDATETIMEOFFSET() AS server_time,
    s.session_id,
    s.cpu_time,
    s.logical_reads,
    s.login_time
FROM sys.dm_exec_sessions AS s
WHERE s.session_id = @@SPID
OPTION (MAXDOP 1);
