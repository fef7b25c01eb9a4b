-- dbtop: min=2016 max=2025
-- One row: version, edition, whom the server took us for, and its clock with the offset from UTC. Asked when a connection
-- is tested, so it must work on versions that are then refused, too (datetimeoffset came with 2008).
-- Right: none. Cost: catalogue functions only.
SELECT /* dbtop:check */ 1 AS dbtop_check,
    SYSDATETIMEOFFSET() AS server_time,
    CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version,
    CAST(SERVERPROPERTY('Edition') AS nvarchar(256)) AS edition,
    CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition,
    SUSER_SNAME() AS login_name;
