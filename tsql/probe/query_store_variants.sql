-- dbtop: min=2022 max=2025
-- The variants that queries of one database (@P1, its id) have for different parameters: which query each is a variant of, the newest
-- first, at most 1,000. [$db$] is replaced by the quoted name of the database.
-- Right: as query_store. Without it each variant is told as a query of its own.
-- Cost: a pass over a short list.
SELECT /* dbtop:query_store_variants */ TOP (1000) 1 AS dbtop_query_store_variants,
    CAST(@P1 AS int) AS database_id,
    v.query_variant_query_id,
    v.parent_query_id
FROM [$db$].sys.query_store_query_variant AS v
ORDER BY v.query_variant_query_id DESC
OPTION (MAXDOP 1);
