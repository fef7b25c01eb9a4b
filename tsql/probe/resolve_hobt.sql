-- dbtop: min=2016 max=2025
-- Schema, object and index of a heap or B-tree (@P1, from the resource of a lock) in one database. Asked once per index
-- that someone is blocked on. [$db$] is replaced by the quoted name of the database.
-- Right: to enter the database, and VIEW DEFINITION in it. Without them the resource keeps its numbers.
-- Cost: catalogue look-ups under the lock time-out of the session, and no OBJECT_NAME(), which takes schema locks.
SELECT /* dbtop:resolve_hobt */ TOP (1) 1 AS dbtop_resolve_hobt,
    c.name AS schema_name,
    o.name AS object_name,
    i.name AS index_name
FROM [$db$].sys.partitions AS p
INNER JOIN [$db$].sys.objects AS o ON o.object_id = p.object_id
INNER JOIN [$db$].sys.schemas AS c ON c.schema_id = o.schema_id
LEFT JOIN [$db$].sys.indexes AS i ON i.object_id = p.object_id AND i.index_id = p.index_id
WHERE p.hobt_id = @P1
OPTION (MAXDOP 1);
