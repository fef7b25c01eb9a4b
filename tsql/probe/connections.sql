-- dbtop: min=2016 max=2025
-- One row per connection of a session that runs something or holds a transaction: client address, and the handle of the
-- last statement.
-- Right: VIEW SERVER STATE; on 2022 and later VIEW SERVER SECURITY STATE too. Without it addresses are unknown, and the
-- last statement of a sleeper comes from its input buffer.
-- Cost: one pass over the connections; with activity on the focused instance, and with blocking.
SELECT /* dbtop:connections */ TOP (1000) 1 AS dbtop_connections,
    c.session_id,
    CAST(c.client_net_address AS nvarchar(48)) AS client_net_address,
    c.most_recent_sql_handle
FROM sys.dm_exec_sessions AS s
INNER JOIN sys.dm_exec_connections AS c ON c.session_id = s.session_id
WHERE s.is_user_process = 1
    AND (s.status = N'running' OR s.open_transaction_count > 0)
OPTION (HASH JOIN, MAXDOP 1);
