-- dbtop: min=2016 max=2025
-- Schema and name of an object (@P1, from the resource of a lock) in one database. Asked once per object that someone
-- is blocked on. [$db$] is replaced by the quoted name of the database.
-- Right: to enter the database, and VIEW DEFINITION in it. Without them the resource keeps its numbers.
-- Cost: catalogue look-ups under the lock time-out of the session, and no OBJECT_NAME(), which takes schema locks.
SELECT /* dbtop:resolve_object */ TOP (1) 1 AS dbtop_resolve_object,
    c.name AS schema_name,
    o.name AS object_name
FROM [$db$].sys.objects AS o
INNER JOIN [$db$].sys.schemas AS c ON c.schema_id = o.schema_id
WHERE o.object_id = @P1
OPTION (MAXDOP 1);
