-- dbtop: min=2016 max=2025
-- One row per transaction that wrote to the log of a database, the oldest first, at most 100: since when (server-local), how much log,
-- and whose session it is; a transaction without a session is a distributed or a recovered one.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it who holds a log is unknown.
-- Cost: one pass over open transactions; only where a log waits for one.
SELECT /* dbtop:log_holders */ TOP (100) 1 AS dbtop_log_holders,
    SYSDATETIMEOFFSET() AS server_time,
    d.database_id,
    d.transaction_id,
    d.database_transaction_begin_time,
    d.database_transaction_log_bytes_used,
    st.session_id,
    s.login_name,
    s.host_name,
    s.program_name
FROM sys.dm_tran_database_transactions AS d
LEFT JOIN sys.dm_tran_session_transactions AS st ON st.transaction_id = d.transaction_id
LEFT JOIN sys.dm_exec_sessions AS s ON s.session_id = st.session_id
WHERE d.database_transaction_begin_time IS NOT NULL
    AND d.database_id <> 32767
ORDER BY d.database_transaction_begin_time
OPTION (HASH JOIN, MAXDOP 1);
