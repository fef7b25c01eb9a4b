-- dbtop: min=2016 max=2025
-- One row: the Windows release, on servers older than sys.dm_os_host_info.
-- Right: VIEW SERVER STATE. Without it the release is unknown. Cost: one row; at connect and hourly.
SELECT /* dbtop:host_2016 */ 1 AS dbtop_host_2016,
    w.windows_release
FROM sys.dm_os_windows_info AS w;
