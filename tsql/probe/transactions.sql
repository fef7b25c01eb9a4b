-- dbtop: min=2016 max=2025
-- One row per session that is in a user transaction: the begin of the oldest (server-local) and the log that they all
-- used. A transaction has a row per database that it touched, tempdb and the resource database (32767) included.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it ages and log of transactions are unknown.
-- Cost: one pass over open transactions; with activity on the focused instance, and with blocking.
SELECT /* dbtop:transactions */ TOP (1000) 1 AS dbtop_transactions,
    st.session_id,
    MIN(ta.transaction_begin_time) AS transaction_begin_time,
    SUM(COALESCE(td.log_bytes, 0)) AS log_bytes
FROM sys.dm_tran_session_transactions AS st
INNER JOIN sys.dm_tran_active_transactions AS ta ON ta.transaction_id = st.transaction_id
LEFT JOIN (
    SELECT d.transaction_id, SUM(d.database_transaction_log_bytes_used) AS log_bytes
    FROM sys.dm_tran_database_transactions AS d
    GROUP BY d.transaction_id
) AS td ON td.transaction_id = st.transaction_id
WHERE st.is_user_transaction = 1
GROUP BY st.session_id
OPTION (HASH JOIN, MAXDOP 1);
