-- dbtop: min=2016 max=2025
-- One row: version, edition, the login as the server sees it, and its clock with the offset from UTC. Asked when a
-- connection is tested, so it must also work on versions that are then refused (datetimeoffset came with 2008).
-- Right: none. Cost: catalogue functions only.
SELECT /* dbtop:check */ 1 AS dbtop_check,
    SYSDATETIMEOFFSET() AS server_time,
    CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version,
    CAST(SERVERPROPERTY('Edition') AS nvarchar(256)) AS edition,
    CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition,
    SUSER_SNAME() AS login_name;
