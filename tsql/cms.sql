-- dbtop: min=2016 max=2025
-- The content of a Central Management Server: first its folders, one row each, then its registered servers. The top folder
-- of database engines has no parent. Asked once, by `dbtop instance import --cms`, never while polling.
-- Right: membership of ServerGroupReaderRole in msdb.
SELECT /* dbtop:cms */ TOP (10000) 1 AS dbtop_cms,
    N'group' AS kind,
    g.server_group_id,
    g.parent_id,
    g.name,
    CAST(NULL AS nvarchar(128)) AS server_name,
    CAST(NULL AS nvarchar(2048)) AS description,
    g.server_type
FROM msdb.dbo.sysmanagement_shared_server_groups AS g
UNION ALL
SELECT TOP (10000) 1 AS dbtop_cms,
    N'server' AS kind,
    s.server_group_id,
    CAST(NULL AS int) AS parent_id,
    s.name,
    s.server_name,
    s.description,
    s.server_type
FROM msdb.dbo.sysmanagement_shared_registered_servers AS s
OPTION (MAXDOP 1);
