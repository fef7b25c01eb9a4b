//! The T-SQL that sessions of the fleet run. Placeholders are filled from the instance's theme: `{t}` table, `{k}`
//! key, `{a}` amount column, `{d}` detail table, `{b}` database, `{n}` a number. The statement that runs stands
//! between `«` and `»`.

use super::{dice::Dice, theme::Theme};

/// The sort of work that runs a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// programs: milliseconds to seconds
    App,
    /// reports: seconds to minutes
    Report,
    /// loads at night and by day
    Etl,
    /// SQL Server Agent steps
    Job,
    /// backups
    Backup,
    /// someone with a query window
    Person,
    /// holds the lock in a blocking storm
    BlockingHead,
    /// waits for it
    BlockingVictim,
    /// burns CPU
    Burner,
    /// fills tempdb
    TempdbEater,
    /// wants much memory
    GrantSeeker,
    /// a trigger: runs within what writes its table
    Trigger,
    /// a scalar function: runs within what calls it
    Function,
}

/// One text.
#[derive(Debug)]
pub struct Template {
    /// its sort of work
    pub sort: Sort,
    /// dm_exec_requests.command
    pub command: &'static str,
    /// name of the procedure, trigger or function, if it is one; then the handle is a module's
    pub proc: Option<&'static str>,
    /// with placeholders
    pub text: &'static str,
}

const fn adhoc(sort: Sort, command: &'static str, text: &'static str) -> Template {
    Template { sort, command, proc: None, text }
}

const fn module(sort: Sort, command: &'static str, proc: &'static str, text: &'static str) -> Template {
    Template { sort, command, proc: Some(proc), text }
}

/// A filled text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// the batch
    pub text: String,
    /// begin of the running statement, in bytes of UTF-16 as statement_start_offset counts
    pub start: i32,
    /// its end, inclusive as statement_end_offset counts; -1 for the end of the batch
    pub end: i32,
}

impl Template {
    /// Fills the placeholders for a theme, a database and a variant.
    pub fn fill(&self, theme: &Theme, database: &str, variant: u16) -> Filled {
        let text = self
            .text
            .replace("{t}", theme.table)
            .replace("{k}", theme.key)
            .replace("{a}", theme.amount)
            .replace("{d}", theme.detail)
            .replace("{b}", database)
            .replace("{n}", &(u32::from(variant) * 37 + 1_001).to_string());
        let bytes = |s: &str| s.encode_utf16().count() as i32 * 2;
        match text
            .split_once('«')
            .and_then(|(before, rest)| rest.split_once('»').map(|(s, after)| (before, s, after)))
        {
            Some((before, statement, after)) => {
                let start = bytes(before);
                let end = if after.trim().is_empty() { -1 } else { start + bytes(statement) - 2 };
                Filled { text: format!("{before}{statement}{after}"), start, end }
            }
            None => Filled { text, start: 0, end: -1 },
        }
    }
}

/// All texts; their position is their identity.
pub const TEXTS: &[Template] = &[
    adhoc(
        Sort::App,
        "SELECT",
        "(@p0 bigint,@p1 nvarchar(32))«SELECT TOP (50) o.{k}, o.Status, o.{a}, o.ChangedAt\nFROM {t} AS o\n\
         WHERE o.CustomerId = @p0 AND o.Status = @p1\nORDER BY o.ChangedAt DESC»",
    ),
    adhoc(
        Sort::App,
        "UPDATE",
        "(@p0 bigint,@p1 nvarchar(32))«UPDATE {t}\n   SET Status = @p1, ChangedAt = SYSUTCDATETIME()\n WHERE {k} = @p0»",
    ),
    adhoc(
        Sort::App,
        "INSERT",
        "(@p0 bigint,@p1 int,@p2 decimal(18,4))«INSERT INTO {d} ({k}, LineNumber, {a}, CreatedAt)\n\
         OUTPUT inserted.{k}, inserted.LineNumber\nVALUES (@p0, @p1, @p2, SYSUTCDATETIME())»",
    ),
    module(
        Sort::App,
        "SELECT",
        "dbo.usp_GetPage",
        "CREATE PROCEDURE dbo.usp_GetPage\n    @Customer bigint,\n    @Page int = 1,\n    @Size int = 50\nAS\nBEGIN\n\
         \x20   SET NOCOUNT ON;\n\n    DECLARE @skip int = (@Page - 1) * @Size;\n\n\
         \x20   «SELECT o.{k}, o.Status, SUM(d.{a}) AS {a}\n    FROM {t} AS o\n    JOIN {d} AS d ON d.{k} = o.{k}\n\
         \x20   WHERE o.CustomerId = @Customer\n    GROUP BY o.{k}, o.Status\n    ORDER BY o.{k} DESC\n\
         \x20   OFFSET @skip ROWS FETCH NEXT @Size ROWS ONLY;»\n\n    RETURN @@ROWCOUNT;\nEND",
    ),
    module(
        Sort::App,
        "UPDATE",
        "dbo.usp_Settle",
        "CREATE PROCEDURE dbo.usp_Settle @Id bigint\nAS\nSET XACT_ABORT, NOCOUNT ON;\nBEGIN TRY\n\
         \x20   BEGIN TRANSACTION;\n\n    -- one writer at a time for the same row\n\
         \x20   «UPDATE o\n       SET o.Status = N'settled', o.{a} = x.{a}\n      FROM {t} AS o WITH (ROWLOCK, UPDLOCK)\n\
         \x20     CROSS APPLY (SELECT SUM(d.{a}) AS {a} FROM {d} AS d WHERE d.{k} = o.{k}) AS x\n\
         \x20    WHERE o.{k} = @Id;»\n\n    INSERT INTO dbo.Outbox (Topic, Body)\n\
         \x20   VALUES (N'settled', JSON_QUERY(CONCAT(N'{\"id\":', @Id, N'}')));\n\n    COMMIT;\nEND TRY\nBEGIN CATCH\n\
         \x20   IF XACT_STATE() <> 0 ROLLBACK;\n    THROW;\nEND CATCH",
    ),
    adhoc(
        Sort::App,
        "DELETE",
        "(@cutoff datetime2(7))«DELETE TOP (500) FROM {d} WHERE CreatedAt < @cutoff AND {a} = 0»",
    ),
    adhoc(
        Sort::App,
        "MERGE",
        "(@rows dbo.IdList READONLY)«MERGE {t} WITH (HOLDLOCK) AS t\nUSING @rows AS s ON s.Id = t.{k}\n\
         WHEN MATCHED THEN UPDATE SET t.ChangedAt = SYSUTCDATETIME()\n\
         WHEN NOT MATCHED THEN INSERT ({k}, Status) VALUES (s.Id, N'new');»",
    ),
    module(
        Sort::Report,
        "SELECT",
        "rpt.usp_MonthlyTurnover",
        "CREATE PROCEDURE rpt.usp_MonthlyTurnover\n    @From date,\n    @To date,\n    @Region nvarchar(40) = NULL\nAS\n\
         BEGIN\n    SET NOCOUNT ON;\n\n    CREATE TABLE #keys (Id bigint NOT NULL PRIMARY KEY);\n\
         \x20   INSERT #keys (Id)\n    SELECT o.{k} FROM {t} AS o WHERE o.ChangedAt >= @From AND o.ChangedAt < @To;\n\n\
         \x20   «SELECT c.Region,\n           DATEFROMPARTS(YEAR(o.ChangedAt), MONTH(o.ChangedAt), 1) AS [Month],\n\
         \x20          COUNT_BIG(*) AS Lines,\n           SUM(d.{a}) AS {a},\n\
         \x20          PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY d.{a}) OVER (PARTITION BY c.Region) AS Median\n\
         \x20   FROM #keys AS k\n    JOIN {t} AS o ON o.{k} = k.Id\n    JOIN {d} AS d ON d.{k} = o.{k}\n\
         \x20   JOIN ref.Region AS c ON c.RegionId = o.RegionId\n\
         \x20   WHERE @Region IS NULL OR c.Region = @Region\n\
         \x20   GROUP BY c.Region, DATEFROMPARTS(YEAR(o.ChangedAt), MONTH(o.ChangedAt), 1), d.{a};»\n\n\
         \x20   DROP TABLE #keys;\nEND",
    ),
    adhoc(
        Sort::Report,
        "SELECT",
        "/* Power BI: refresh of {b} */\n«SELECT [t].[Status], [t].[RegionId], SUM([t].[{a}]) AS [a0], COUNT_BIG(*) AS [a1]\n\
         FROM (\n    SELECT o.Status, o.RegionId, d.{a}\n    FROM {t} AS o\n    LEFT JOIN {d} AS d ON d.{k} = o.{k}\n\
         \x20   WHERE o.ChangedAt >= DATEADD(day, -{n} % 400, SYSUTCDATETIME())\n) AS [t]\n\
         GROUP BY [t].[Status], [t].[RegionId]\nORDER BY [a0] DESC»\nOPTION (MAXDOP 8)",
    ),
    adhoc(
        Sort::Report,
        "SELECT",
        "DECLARE @day date = '20261101';\n«SELECT o.CustomerId, o.{k}, o.{a},\n\
         \x20      LAG(o.{a}) OVER (PARTITION BY o.CustomerId ORDER BY o.ChangedAt) AS Previous,\n\
         \x20      SUM(o.{a}) OVER (PARTITION BY o.CustomerId ORDER BY o.ChangedAt ROWS UNBOUNDED PRECEDING) AS Running\n\
         FROM {t} AS o\nWHERE o.ChangedAt >= @day;»\nSELECT @@ROWCOUNT AS n;",
    ),
    module(
        Sort::Etl,
        "INSERT",
        "etl.LoadIncrement",
        "CREATE PROCEDURE etl.LoadIncrement @BatchId int\nAS\nSET NOCOUNT ON;\n\
         DECLARE @low bigint = (SELECT LastKey FROM etl.Watermark WHERE TableName = N'{t}');\n\n\
         «INSERT INTO stage.Increment WITH (TABLOCK) ({k}, Status, {a}, BatchId)\n\
         SELECT o.{k}, o.Status, SUM(d.{a}), @BatchId\nFROM {t} AS o\nJOIN {d} AS d ON d.{k} = o.{k}\n\
         WHERE o.{k} > @low\nGROUP BY o.{k}, o.Status;»\n\n\
         UPDATE etl.Watermark SET LastKey = (SELECT MAX({k}) FROM stage.Increment) WHERE TableName = N'{t}';",
    ),
    adhoc(
        Sort::Etl,
        "BULK INSERT",
        "«insert bulk stage.Incoming ([{k}] bigint, [Payload] nvarchar(max) COLLATE Latin1_General_CI_AS)with(TABLOCK,CHECK_CONSTRAINTS)»",
    ),
    module(
        Sort::Job,
        "DELETE",
        "dbo.usp_PurgeHistory",
        "CREATE PROCEDURE dbo.usp_PurgeHistory @KeepDays int = 400\nAS\nSET NOCOUNT ON;\nDECLARE @n int = 1;\n\
         WHILE @n > 0\nBEGIN\n    «DELETE TOP (5000) FROM {d}\n    WHERE CreatedAt < DATEADD(day, -@KeepDays, SYSUTCDATETIME());»\n\
         \x20   SET @n = @@ROWCOUNT;\n    WAITFOR DELAY '00:00:01';\nEND",
    ),
    adhoc(
        Sort::Job,
        "ALTER INDEX",
        "«ALTER INDEX [IX_Status_ChangedAt] ON [{b}].{t} REBUILD WITH (ONLINE = ON, SORT_IN_TEMPDB = ON, MAXDOP = 4)»",
    ),
    adhoc(
        Sort::Job,
        "DBCC TABLE CHECK",
        "«DBCC CHECKDB ([{b}]) WITH NO_INFOMSGS, PHYSICAL_ONLY, DATA_PURITY»",
    ),
    adhoc(Sort::Job, "UPDATE STATISTICS", "«UPDATE STATISTICS {t} WITH SAMPLE 20 PERCENT»"),
    adhoc(
        Sort::Backup,
        "BACKUP DATABASE",
        "«BACKUP DATABASE [{b}] TO DISK = N'/backup/{b}_{n}.bak'\nWITH COMPRESSION, CHECKSUM, STATS = 10»",
    ),
    adhoc(
        Sort::Backup,
        "BACKUP LOG",
        "«BACKUP LOG [{b}] TO DISK = N'/backup/{b}_{n}.trn' WITH COMPRESSION, CHECKSUM»",
    ),
    adhoc(
        Sort::Person,
        "SELECT",
        "-- where did it go?\nselect top 1000 *\nfrom {t} o\n  join {d} d on d.{k} = o.{k}\nwhere o.Status like '%fail%'\n\
         order by o.ChangedAt desc",
    ),
    adhoc(
        Sort::Person,
        "SELECT INTO",
        "USE [{b}];\n«SELECT *\nINTO dbo.tmp_check_{n}\nFROM {d}\nWHERE {a} < 0;»\n\nSELECT COUNT(*) FROM dbo.tmp_check_{n};",
    ),
    adhoc(
        Sort::BlockingHead,
        "UPDATE",
        "BEGIN TRANSACTION;\n«UPDATE {t}\n   SET Status = @p1, ChangedAt = SYSUTCDATETIME()\n WHERE {k} = @p0;»",
    ),
    adhoc(
        Sort::BlockingVictim,
        "SELECT",
        "(@p0 bigint)«SELECT o.{k}, o.{a} FROM {t} AS o WHERE o.{k} = @p0»",
    ),
    adhoc(
        Sort::BlockingVictim,
        "SELECT",
        "(@p0 int)«SELECT TOP (50) o.{k}, o.Status, o.{a}\nFROM {t} AS o\nWHERE o.RegionId = @p0\nORDER BY o.ChangedAt DESC»",
    ),
    adhoc(Sort::BlockingVictim, "UPDATE", "(@p0 bigint)«UPDATE {t} SET {a} = {a} + 1 WHERE {k} = @p0»"),
    adhoc(
        Sort::BlockingVictim,
        "DELETE",
        "(@p0 bigint)«DELETE FROM {t} WHERE {k} = @p0 AND Status = N'void'»",
    ),
    adhoc(
        Sort::BlockingVictim,
        "INSERT",
        "(@p0 bigint,@p1 decimal(18,4))«INSERT INTO {t} ({k}, Status, {a}) VALUES (@p0, N'new', @p1)»",
    ),
    adhoc(
        Sort::Burner,
        "SELECT",
        "(@like nvarchar(200))«SELECT o.{k}, o.{a}, dbo.fn_Distance(o.Lat, o.Lon, r.Lat, r.Lon) AS Km\nFROM {t} AS o\n\
         CROSS JOIN ref.Region AS r\nWHERE o.SearchText LIKE @like\n  AND dbo.fn_Distance(o.Lat, o.Lon, r.Lat, r.Lon) < 40\n\
         ORDER BY Km»",
    ),
    adhoc(
        Sort::TempdbEater,
        "SELECT INTO",
        "SET NOCOUNT ON;\n«SELECT a.{k}, b.{k} AS OtherId, a.{a} - b.{a} AS Diff\nINTO #pairs\nFROM {t} AS a\n\
         JOIN {t} AS b ON b.RegionId = a.RegionId AND b.{k} <> a.{k};»\n\n\
         CREATE CLUSTERED INDEX cx ON #pairs ({k});\nSELECT TOP (100) * FROM #pairs ORDER BY Diff DESC;",
    ),
    adhoc(
        Sort::GrantSeeker,
        "SELECT",
        "«SELECT o.CustomerId, o.Status, STRING_AGG(CONVERT(nvarchar(max), d.{a}), N',') WITHIN GROUP (ORDER BY d.{k}) AS Lines\n\
         FROM {t} AS o\nJOIN {d} AS d ON d.{k} = o.{k}\nGROUP BY o.CustomerId, o.Status\nORDER BY o.CustomerId»",
    ),
    module(
        Sort::Trigger,
        "INSERT",
        "dbo.trg_StatusChanged",
        "CREATE TRIGGER dbo.trg_StatusChanged ON {t} AFTER UPDATE\nAS\nSET NOCOUNT ON;\nIF NOT UPDATE(Status) RETURN;\n\n\
         «INSERT INTO dbo.StatusHistory ({k}, Before, After, ChangedAt)\nSELECT i.{k}, d.Status, i.Status, SYSUTCDATETIME()\n\
         FROM inserted AS i\nJOIN deleted AS d ON d.{k} = i.{k}\nWHERE i.Status <> d.Status;»",
    ),
    module(
        Sort::Function,
        "SELECT",
        "dbo.fn_Rounded",
        "CREATE FUNCTION dbo.fn_Rounded (@value decimal(18,4), @region int)\nRETURNS decimal(18,2)\nAS\nBEGIN\n\
         \x20   DECLARE @digits int;\n    «SELECT @digits = r.Digits FROM ref.Region AS r WHERE r.RegionId = @region;»\n\
         \x20   RETURN ROUND(@value, COALESCE(@digits, 2));\nEND",
    ),
];

/// Positions of the texts of one sort.
pub fn of_sort(sort: Sort) -> Vec<u16> {
    TEXTS.iter().enumerate().filter(|(_, t)| t.sort == sort).map(|(i, _)| i as u16).collect()
}

/// The database where a text runs, the same in requests and in the plan cache.
pub fn database_of(dice: Dice, template: u16) -> i32 {
    match TEXTS.get(usize::from(template)).map(|text| text.sort) {
        Some(Sort::Job | Sort::Burner | Sort::BlockingVictim) => 5,
        _ => *dice.of("shape").at(i64::from(template)).of("database").pick(&[5, 5, 5, 6, 6, 7]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::theme::THEMES;
    use super::*;

    #[test]
    fn every_text_is_filled_and_its_statement_found() {
        for template in TEXTS {
            let filled = template.fill(&THEMES[0], "orders", 3);
            assert!(!filled.text.contains(['«', '»']), "{}", filled.text);
            for left in ["{t}", "{k}", "{a}", "{d}", "{b}", "{n}"] {
                assert!(!filled.text.contains(left), "{left} in {}", filled.text);
            }
            let units: Vec<u16> = filled.text.encode_utf16().collect();
            let from = filled.start as usize / 2;
            let to = if filled.end < 0 { units.len() } else { filled.end as usize / 2 + 1 };
            let statement = String::from_utf16(&units[from..to]).unwrap();
            assert!(!statement.trim().is_empty() && !statement.starts_with("(@"), "{statement}");
        }
    }

    #[test]
    fn there_is_a_text_for_every_sort() {
        use Sort::{
            App, Backup, BlockingHead, BlockingVictim, Burner, Etl, Function, GrantSeeker, Job, Person,
            Report, TempdbEater, Trigger,
        };
        for sort in [
            App,
            Report,
            Etl,
            Job,
            Backup,
            Person,
            BlockingHead,
            BlockingVictim,
            Burner,
            TempdbEater,
            GrantSeeker,
            Trigger,
            Function,
        ] {
            assert!(!of_sort(sort).is_empty(), "{sort:?}");
        }
    }
}
