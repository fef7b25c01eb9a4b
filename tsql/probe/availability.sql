-- dbtop: min=2016 max=2025
-- One row per database and replica of every availability group, as this instance sees it: a secondary sees little more
-- than itself. Asked only where IsHadrEnabled is 1.
-- Right: VIEW SERVER STATE, and VIEW ANY DEFINITION for the names of groups and replicas. Without the first availability
-- is unknown; without the second the names are missing.
-- Cost: a few rows per database; once a minute at most.
SELECT /* dbtop:availability */ 1 AS dbtop_availability,
    CAST(d.replica_id AS nvarchar(36)) AS replica_id,
    CAST(d.group_database_id AS nvarchar(36)) AS group_database_id,
    g.name AS group_name,
    k.database_name,
    r.replica_server_name,
    d.is_local,
    a.role_desc,
    a.connected_state_desc,
    d.synchronization_state_desc,
    d.is_suspended,
    d.suspend_reason_desc,
    d.secondary_lag_seconds,
    d.log_send_queue_size,
    d.redo_queue_size
FROM sys.dm_hadr_database_replica_states AS d
LEFT JOIN sys.dm_hadr_availability_replica_states AS a ON a.replica_id = d.replica_id
LEFT JOIN sys.dm_hadr_database_replica_cluster_states AS k
    ON k.replica_id = d.replica_id AND k.group_database_id = d.group_database_id
LEFT JOIN sys.availability_replicas AS r ON r.replica_id = d.replica_id
LEFT JOIN sys.availability_groups AS g ON g.group_id = d.group_id
OPTION (MAXDOP 1);
