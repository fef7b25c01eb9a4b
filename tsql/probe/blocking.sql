-- dbtop: min=2016 max=2025
-- One row per task that waits for another session, or for a transaction without one. Tasks that wait for their own session
-- (parallelism) are left out, and those that wait for what is no blocker (see blocked.sql).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it blocking is unknown.
-- Cost: one pass over the waiting tasks; only when blocked.sql found something.
SELECT /* dbtop:blocking */ TOP (2000) 1 AS dbtop_blocking,
    w.session_id,
    w.blocking_session_id,
    w.wait_type,
    w.wait_duration_ms,
    w.resource_description
FROM sys.dm_os_waiting_tasks AS w
WHERE w.session_id IS NOT NULL
    AND w.blocking_session_id <> w.session_id
    AND (w.blocking_session_id > 0 OR w.blocking_session_id IN (-2, -3))
    AND (w.wait_type IS NULL OR w.wait_type NOT LIKE N'%LATCH%'
        OR (w.wait_duration_ms >= 1000 AND w.wait_type NOT LIKE N'PAGEIOLATCH%'))
OPTION (MAXDOP 1);
