-- dbtop: min=2017 max=2025
-- One row: platform and distribution. Asked where sys.dm_os_host_info exists (2017 and later).
-- Right: none on a default server. Without it the platform is unknown, and the ring buffer's idle figure is not used.
-- Cost: one row; at connect and hourly.
SELECT /* dbtop:host_2017 */ 1 AS dbtop_host_2017,
    h.host_platform,
    h.host_distribution,
    h.host_release
FROM sys.dm_os_host_info AS h;
