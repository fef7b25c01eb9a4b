-- dbtop: min=2016 max=2025
-- One row per headline counter: about twenty. "Processes blocked" is none of them: it counts what blocked.sql leaves out.
-- The objects' prefixes differ by instance (SQLServer:, MSSQL$NAME:), so counter and instance name alone must tell them apart.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it there is no headline.
-- Cost: one pass over the counters (1,500 to 5,000 rows in memory). No string function on a column in WHERE: it doubles
-- the cost. The columns are nchar(128), and '=' ignores their padding.
SELECT /* dbtop:counters */ 1 AS dbtop_counters,
    CAST(RTRIM(p.counter_name) AS nvarchar(64)) AS counter_name,
    CAST(RTRIM(p.instance_name) AS nvarchar(64)) AS instance_name,
    p.cntr_value
FROM sys.dm_os_performance_counters AS p
WHERE (p.instance_name = N''
        AND p.counter_name IN (N'Batch Requests/sec', N'SQL Compilations/sec', N'SQL Re-Compilations/sec',
            N'Logins/sec', N'User Connections', N'Page life expectancy', N'Lazy writes/sec', N'Memory Grants Pending',
            N'Memory Grants Outstanding', N'Total Server Memory (KB)', N'Target Server Memory (KB)',
            N'Free Space in tempdb (KB)'))
    OR (p.instance_name = N'_Total'
        AND p.counter_name IN (N'Transactions/sec', N'Log Flushes/sec', N'Log Flush Wait Time',
            N'Number of Deadlocks/sec'))
    OR (p.instance_name = N'tempdb' AND p.counter_name = N'Data File(s) Size (KB)')
OPTION (MAXDOP 1);
