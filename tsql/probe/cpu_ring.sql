-- dbtop: min=2016 max=2025
-- The five newest records of the scheduler monitor (one a minute), as XML text, which the client parses.
-- ms_ticks is the clock that `timestamp` counts in. Columns are named: 2025 has more of them.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the CPU of other processes is unknown.
-- Cost: at most 256 records of this type are sorted by time; once a minute at most.
SELECT /* dbtop:cpu_ring */ TOP (5) 1 AS dbtop_cpu_ring,
    b.[timestamp] AS record_ticks,
    i.ms_ticks,
    b.record
FROM sys.dm_os_ring_buffers AS b
CROSS JOIN sys.dm_os_sys_info AS i
WHERE b.ring_buffer_type = N'RING_BUFFER_SCHEDULER_MONITOR'
ORDER BY b.[timestamp] DESC
OPTION (MAXDOP 1);
