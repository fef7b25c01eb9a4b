-- dbtop: min=2016 max=2025
-- What a session (@P1) has waited for since it connected or was reset, the longest first, at most 40 types.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it only our own session is seen.
-- Cost: counters of one session. Asked for, never polled.
SELECT /* dbtop:session_waits */ TOP (40) 1 AS dbtop_session_waits,
    w.wait_type,
    w.waiting_tasks_count,
    w.wait_time_ms,
    w.max_wait_time_ms,
    w.signal_wait_time_ms
FROM sys.dm_exec_session_wait_stats AS w
WHERE w.session_id = CAST(@P1 AS smallint)
    AND w.wait_time_ms > 0
ORDER BY w.wait_time_ms DESC
OPTION (MAXDOP 1);
