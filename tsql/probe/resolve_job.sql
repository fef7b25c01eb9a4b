-- dbtop: min=2016 max=2025
-- Name of an Agent job (@P1, its id as the program name of its sessions tells it) and of one of its steps (@P2), as the step's last
-- run called it. Asked once per step that is seen at work.
-- Right: SELECT on msdb.dbo.sysjobs and sysjobhistory, as for failed jobs. Without it a job keeps its id.
-- Cost: a seek for the job, and one in its history; under the lock time-out of the session.
SELECT /* dbtop:resolve_job */ TOP (1) 1 AS dbtop_resolve_job,
    j.name AS job_name,
    h.step_name
FROM msdb.dbo.sysjobs AS j
OUTER APPLY (
    SELECT TOP (1) x.step_name
    FROM msdb.dbo.sysjobhistory AS x
    WHERE x.job_id = j.job_id AND x.step_id = @P2
    ORDER BY x.instance_id DESC
) AS h
WHERE j.job_id = CAST(@P1 AS uniqueidentifier)
OPTION (MAXDOP 1);
