-- dbtop: min=2016 max=2025
-- One row per sleeping blocker: the last statement that it sent. Cheaper than its handle, and needs no further trip.
-- Right: VIEW SERVER STATE. Without it the last statement of a sleeping blocker is unknown.
-- Cost: one call per sleeping blocker, at most 50; only when blocked.sql found something.
SELECT /* dbtop:input_buffers */ TOP (50) 1 AS dbtop_input_buffers,
    s.session_id,
    DATALENGTH(b.event_info) / 2 AS full_chars,
    SUBSTRING(b.event_info, 1, 262144) AS event_info
FROM (
    SELECT w.blocking_session_id
    FROM sys.dm_os_waiting_tasks AS w
    WHERE w.blocking_session_id > 50 AND w.blocking_session_id <> w.session_id AND w.wait_type NOT LIKE N'%IOLATCH%'
    GROUP BY w.blocking_session_id
) AS h
INNER JOIN sys.dm_exec_sessions AS s ON s.session_id = h.blocking_session_id
CROSS APPLY sys.dm_exec_input_buffer(s.session_id, NULL) AS b
WHERE s.status = N'sleeping'
OPTION (MAXDOP 1);
