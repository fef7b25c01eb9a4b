-- dbtop: min=2022 max=2025
-- What the optimizer learned from runs of plans of one database (@P1, its id), the newest first, at most 200: feature 1 is the cardinality
-- estimate, 2 the memory grant, 3 the degree of parallelism. [$db$] is replaced by the quoted name of the database.
-- Right: as query_store. Without it feedback is unknown.
-- Cost: a pass over a short list.
SELECT /* dbtop:query_store_feedback */ TOP (200) 1 AS dbtop_query_store_feedback,
    CAST(@P1 AS int) AS database_id,
    p.query_id,
    f.plan_id,
    f.feature_id,
    f.state_desc
FROM [$db$].sys.query_store_plan_feedback AS f
INNER JOIN [$db$].sys.query_store_plan AS p ON p.plan_id = f.plan_id
ORDER BY f.last_updated_time DESC
OPTION (MAXDOP 1);
