-- dbtop: min=2016 max=2025
-- One row: the schedulers that run user work, summed, and on how many of them tasks wait: a resource pool or an affinity may
-- hold all work on a few.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it runnable tasks and workers are unknown.
-- Cost: one row per CPU; the hidden schedulers and the one of the admin connection are left out.
SELECT /* dbtop:schedulers */ 1 AS dbtop_schedulers,
    COUNT(*) AS schedulers,
    SUM(s.runnable_tasks_count) AS runnable_tasks,
    SUM(CASE WHEN s.runnable_tasks_count > 0 THEN 1 ELSE 0 END) AS busy_schedulers,
    SUM(s.work_queue_count) AS queued_tasks,
    SUM(s.current_workers_count) AS workers,
    SUM(s.active_workers_count) AS active_workers,
    SUM(s.pending_disk_io_count) AS pending_io,
    (SELECT i.max_workers_count FROM sys.dm_os_sys_info AS i) AS max_workers
FROM sys.dm_os_schedulers AS s
WHERE s.status = N'VISIBLE ONLINE'
OPTION (MAXDOP 1);
