-- dbtop: min=2016 max=2025
-- One row: properties of the instance, its clock with the offset from UTC, and the creation time of tempdb, which
-- replaces the start of the instance where sysinfo.sql is refused.
-- Right: none. Cost: catalogue functions only; at connect and hourly.
SELECT /* dbtop:properties */ 1 AS dbtop_properties,
    SYSDATETIMEOFFSET() AS server_time,
    CAST(SERVERPROPERTY('ServerName') AS nvarchar(256)) AS server_name,
    CAST(SERVERPROPERTY('MachineName') AS nvarchar(256)) AS machine_name,
    CAST(SERVERPROPERTY('Edition') AS nvarchar(256)) AS edition,
    CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition,
    CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version,
    CAST(SERVERPROPERTY('ProductMajorVersion') AS nvarchar(128)) AS product_major_version,
    CAST(SERVERPROPERTY('ProductLevel') AS nvarchar(128)) AS product_level,
    CAST(SERVERPROPERTY('ProductUpdateLevel') AS nvarchar(128)) AS product_update_level,
    CAST(SERVERPROPERTY('Collation') AS nvarchar(128)) AS collation_name,
    CAST(SERVERPROPERTY('IsHadrEnabled') AS int) AS is_hadr_enabled,
    CAST(SERVERPROPERTY('IsClustered') AS int) AS is_clustered,
    (SELECT d.create_date FROM sys.databases AS d WHERE d.name = N'tempdb') AS tempdb_created;
