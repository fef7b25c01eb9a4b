-- dbtop: min=2016 max=2025
-- The plans that are forced in one database (@P1, its id), those whose forcing failed most often first, at most 50: how often, and why
-- the last time. total_plans says how many there are. [$db$] is replaced by the quoted name of the database.
-- Right: as query_store. Without it forced plans are unknown.
-- Cost: a pass over the plans of the store, without their XML.
SELECT /* dbtop:query_store_forced */ TOP (50) 1 AS dbtop_query_store_forced,
    CAST(@P1 AS int) AS database_id,
    COUNT(*) OVER () AS total_plans,
    p.plan_id,
    p.query_id,
    p.query_plan_hash,
    p.force_failure_count,
    p.last_force_failure_reason,
    q.query_hash,
    s.name AS schema_name,
    m.name AS object_name,
    x.is_part_of_encrypted_module,
    SUBSTRING(x.query_sql_text, 1, 2000) AS query_text
FROM [$db$].sys.query_store_plan AS p
INNER JOIN [$db$].sys.query_store_query AS q ON q.query_id = p.query_id
LEFT JOIN [$db$].sys.query_store_query_text AS x ON x.query_text_id = q.query_text_id
LEFT JOIN [$db$].sys.objects AS m ON m.object_id = q.object_id
LEFT JOIN [$db$].sys.schemas AS s ON s.schema_id = m.schema_id
WHERE p.is_forced_plan = 1
ORDER BY p.force_failure_count DESC
OPTION (MAXDOP 1);
