-- dbtop: min=2025 max=2025
-- One row per quarter of a minute or so in which the engine judged its own memory, the newest first, at most 20.
-- Right: VIEW SERVER PERFORMANCE STATE. Without it the engine's own verdict on memory is unknown.
-- Cost: a short history in memory.
SELECT /* dbtop:memory_health */ TOP (20) 1 AS dbtop_memory_health,
    CAST(h.snapshot_time AS datetime) AS snapshot_time,
    h.severity_level_desc,
    h.allocation_potential_memory_mb,
    h.reclaimable_cache_memory_mb,
    h.out_of_memory_event_count,
    h.memgrant_timeout_count
FROM sys.dm_os_memory_health_history AS h
ORDER BY h.snapshot_time DESC
OPTION (MAXDOP 1);
