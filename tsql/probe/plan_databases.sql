-- dbtop: min=2016 max=2025
-- The databases of 32 plans of the cache (their handles are the parameters @P1 to @P32; NULL where fewer are wanted): the one that each
-- was compiled in, which no counter of a query tells. No row where the plan has left the cache.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it the databases of queries are not shown.
-- Cost: a look-up in the plan cache per handle; only for handles not seen before.
SELECT /* dbtop:plan_databases */ 1 AS dbtop_plan_databases,
    h.plan_handle,
    CONVERT(int, a.value) AS database_id
FROM (VALUES (CAST(@P1 AS varbinary(64))), (CAST(@P2 AS varbinary(64))), (CAST(@P3 AS varbinary(64))), (CAST(@P4 AS varbinary(64))),
    (CAST(@P5 AS varbinary(64))), (CAST(@P6 AS varbinary(64))), (CAST(@P7 AS varbinary(64))), (CAST(@P8 AS varbinary(64))),
    (CAST(@P9 AS varbinary(64))), (CAST(@P10 AS varbinary(64))), (CAST(@P11 AS varbinary(64))), (CAST(@P12 AS varbinary(64))),
    (CAST(@P13 AS varbinary(64))), (CAST(@P14 AS varbinary(64))), (CAST(@P15 AS varbinary(64))), (CAST(@P16 AS varbinary(64))),
    (CAST(@P17 AS varbinary(64))), (CAST(@P18 AS varbinary(64))), (CAST(@P19 AS varbinary(64))), (CAST(@P20 AS varbinary(64))),
    (CAST(@P21 AS varbinary(64))), (CAST(@P22 AS varbinary(64))), (CAST(@P23 AS varbinary(64))), (CAST(@P24 AS varbinary(64))),
    (CAST(@P25 AS varbinary(64))), (CAST(@P26 AS varbinary(64))), (CAST(@P27 AS varbinary(64))), (CAST(@P28 AS varbinary(64))),
    (CAST(@P29 AS varbinary(64))), (CAST(@P30 AS varbinary(64))), (CAST(@P31 AS varbinary(64))), (CAST(@P32 AS varbinary(64)))) AS h (plan_handle)
CROSS APPLY sys.dm_exec_plan_attributes(h.plan_handle) AS a
WHERE h.plan_handle IS NOT NULL
    AND a.attribute = N'dbid'
OPTION (MAXDOP 1);
