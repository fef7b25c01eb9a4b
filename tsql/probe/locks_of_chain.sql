-- dbtop: min=2016 max=2025
-- The locks that eight sessions hold or want (the parameters @P1 to @P8; NULL where fewer are wanted), at most 500. On
-- demand, for the chain that someone looks at; never for all sessions.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it lock modes are unknown.
-- Cost: sys.dm_tran_locks walks the whole lock table whatever is asked: never in a poll.
SELECT /* dbtop:locks_of_chain */ TOP (500) 1 AS dbtop_locks_of_chain,
    l.request_session_id,
    l.resource_type,
    l.resource_subtype,
    l.resource_database_id,
    l.resource_associated_entity_id,
    l.resource_description,
    l.request_mode,
    l.request_status
FROM sys.dm_tran_locks AS l
WHERE l.request_session_id IN (@P1, @P2, @P3, @P4, @P5, @P6, @P7, @P8)
    AND l.resource_type <> N'DATABASE'
OPTION (MAXDOP 1);
