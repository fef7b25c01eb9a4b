-- dbtop: min=2022 max=2025
-- The hints that Query Store gives queries of one database (@P1, its id), those that failed most often first, at most 100. [$db$] is
-- replaced by the quoted name of the database.
-- Right: as query_store. Without it hints are unknown.
-- Cost: a pass over a short list.
SELECT /* dbtop:query_store_hints */ TOP (100) 1 AS dbtop_query_store_hints,
    CAST(@P1 AS int) AS database_id,
    h.query_id,
    SUBSTRING(h.query_hint_text, 1, 400) AS hint,
    h.query_hint_failure_count
FROM [$db$].sys.query_store_query_hints AS h
ORDER BY h.query_hint_failure_count DESC
OPTION (MAXDOP 1);
