-- dbtop: min=2016 max=2025
-- One row per option of sp_configure: name, configured value, value in use. Options that are not numbers are NULL.
-- Right: none (public). Cost: one small catalogue view of about ninety rows; hourly, with the properties.
SELECT /* dbtop:configuration */ 1 AS dbtop_configuration,
    c.name,
    TRY_CONVERT(bigint, c.value) AS configured,
    TRY_CONVERT(bigint, c.value_in_use) AS in_use
FROM sys.configurations AS c
OPTION (MAXDOP 1);
