-- dbtop: min=2016 max=2025
-- What a session (@P1) runs now, with the rows and times of each operator so far. No row: it runs nothing. NULL: the
-- server does not profile it (lightweight profiling is on by default since 2019).
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is an error.
-- Cost: one plan is rendered. Asked for, and again only while its screen is open. Never asked of builds before 2016 SP1 CU8 and
-- 2017 CU6, which can crash (KB4078596).
SELECT /* dbtop:plan_live */ TOP (4) 1 AS dbtop_plan_live,
    x.request_id,
    CAST(x.query_plan AS nvarchar(max)) AS query_plan
FROM sys.dm_exec_query_statistics_xml(CAST(@P1 AS smallint)) AS x
OPTION (MAXDOP 1);
