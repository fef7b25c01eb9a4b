-- dbtop: min=2016 max=2025
-- The texts of eight handles (the parameters @P1 to @P8; NULL where fewer are wanted), cut at 256 K characters, with the
-- whole length. A handle whose text has left the cache returns a row of NULLs.
-- Right: VIEW SERVER STATE (2022: VIEW SERVER PERFORMANCE STATE). Without it no texts are shown.
-- Cost: a look-up in the plan cache per handle; only for handles not seen before.
SELECT /* dbtop:texts */ 1 AS dbtop_texts,
    h.sql_handle,
    t.objectid,
    t.encrypted,
    DATALENGTH(t.text) / 2 AS full_chars,
    SUBSTRING(t.text, 1, 262144) AS batch_text
FROM (VALUES (CAST(@P1 AS varbinary(64))), (CAST(@P2 AS varbinary(64))), (CAST(@P3 AS varbinary(64))),
    (CAST(@P4 AS varbinary(64))), (CAST(@P5 AS varbinary(64))), (CAST(@P6 AS varbinary(64))),
    (CAST(@P7 AS varbinary(64))), (CAST(@P8 AS varbinary(64)))) AS h (sql_handle)
OUTER APPLY sys.dm_exec_sql_text(h.sql_handle) AS t
WHERE h.sql_handle IS NOT NULL
OPTION (MAXDOP 1);
