-- dbtop: min=2016 max=2025
-- What the client of a session (@P1) sent last, and the statement that runs now: one of several in it, or one of a module that it calls.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it only our own session is seen.
-- Cost: the texts of one session. Asked for, never polled: a text may hold whatever somebody typed.
SELECT /* dbtop:session_input */ TOP (4) 1 AS dbtop_session_input,
    r.request_id,
    b.event_type,
    b.parameters,
    DATALENGTH(b.event_info) / 2 AS full_chars,
    SUBSTRING(b.event_info, 1, 262144) AS event_info,
    SUBSTRING(t.text, r.statement_start_offset / 2 + 1,
        CASE WHEN r.statement_end_offset < r.statement_start_offset THEN 262144
            ELSE (r.statement_end_offset - r.statement_start_offset) / 2 + 1 END) AS statement_text
FROM sys.dm_exec_sessions AS s
LEFT JOIN sys.dm_exec_requests AS r ON r.session_id = s.session_id
OUTER APPLY sys.dm_exec_input_buffer(s.session_id, r.request_id) AS b
OUTER APPLY sys.dm_exec_sql_text(r.sql_handle) AS t
WHERE s.session_id = CAST(@P1 AS smallint)
OPTION (MAXDOP 1);
