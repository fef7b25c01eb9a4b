-- dbtop: min=2016 max=2025
-- The XML of a plan (@P2) of the Query Store of one database (@P1, its id), and its size. It is NULL where the store has none, as of
-- plans that are nested too deep, and where it is larger than an answer may be. [$db$] is replaced by the quoted name of the database.
-- Right: as query_store. Without it there is an error.
-- Cost: one plan is unpacked. Asked for, never polled.
SELECT /* dbtop:query_store_plan */ TOP (1) 1 AS dbtop_query_store_plan,
    CAST(@P1 AS int) AS database_id,
    p.plan_id,
    CAST(DATALENGTH(p.query_plan) AS bigint) AS plan_bytes,
    CASE WHEN DATALENGTH(p.query_plan) <= 7000000 THEN p.query_plan END AS query_plan
FROM [$db$].sys.query_store_plan AS p
WHERE p.plan_id = CAST(@P2 AS bigint)
OPTION (MAXDOP 1);
