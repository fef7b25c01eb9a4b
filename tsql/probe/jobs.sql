-- dbtop: min=2016 max=2025
-- One row per Agent job whose last run here failed since yesterday, with the step that failed. A job of many target servers
-- has a row for each of them; those tell of it themselves. Dates and times are integers
-- (20260131, 93005) in server-local time. Asked where the login may enter msdb and the edition has an Agent.
-- Right: SELECT on msdb.dbo.sysjobs, sysjobservers and sysjobhistory (db_datareader in msdb). Without it failed jobs are
-- unknown. Cost: one row per job, and a seek in the history for each failed one; every five minutes or more.
SELECT /* dbtop:jobs */ TOP (200) 1 AS dbtop_jobs,
    SYSDATETIMEOFFSET() AS server_time,
    j.name AS job_name,
    h.step_name,
    v.last_run_date,
    v.last_run_time,
    COALESCE(h.message, v.last_outcome_message) AS message
FROM msdb.dbo.sysjobservers AS v
INNER JOIN msdb.dbo.sysjobs AS j ON j.job_id = v.job_id
OUTER APPLY (
    SELECT TOP (1) x.step_name, x.message
    FROM msdb.dbo.sysjobhistory AS x
    WHERE x.job_id = v.job_id AND x.step_id > 0 AND x.run_status = 0 AND x.run_date >= v.last_run_date
    ORDER BY x.instance_id DESC
) AS h
WHERE v.last_run_outcome = 0
    AND v.server_id = 0
    AND v.last_run_date >= CAST(CONVERT(char(8), DATEADD(day, -1, GETDATE()), 112) AS int)
ORDER BY v.last_run_date DESC, v.last_run_time DESC
OPTION (MAXDOP 1);
