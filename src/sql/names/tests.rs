//! Tests of names: the objects and columns found in the kind of T-SQL that a monitor writes, and those reported missing.

use proptest::prelude::*;

use super::*;
use crate::sql::ident::ObjectName;

/// A server with a few objects. `sys.wild` has any column.
struct Small;

const SYSTEM: &[(&str, bool, &[&str])] = &[
    (
        "sys.requests",
        false,
        &["session_id", "status", "command", "sql_handle", "wait_type", "start_time", "cpu_time"],
    ),
    ("sys.sessions", false, &["session_id", "login_name", "host_name", "status"]),
    ("sys.counters", false, &["object_name", "counter_name", "cntr_value", "cntr_type"]),
    ("sys.sql_text", true, &["dbid", "text"]),
    ("sys.databases", false, &["name", "database_id", "state_desc"]),
    ("msdb.dbo.sysjobs", false, &["job_id", "name"]),
    ("sys.ring", false, &["timestamp", "record", "ring_buffer_type"]),
];

impl Schema for Small {
    fn columns(&self, object: &ObjectName, called: bool) -> Option<Columns<'_>> {
        let name = object.to_string().to_lowercase();
        if name == "sys.wild" {
            return Some(Columns::Any);
        }
        let (_, _, columns) = SYSTEM.iter().find(|(known, call, _)| *known == name && *call == called)?;
        Some(Columns::These(columns.to_vec()))
    }
}

fn faults(batch: &str) -> Vec<String> {
    let names = read(batch);
    bind(&names, &Small)
        .iter()
        .map(|fault| format!("{}:{} {}", fault.line, fault.number, fault.name))
        .collect()
}

#[track_caller]
fn binds(batch: &str) {
    let names = read(batch);
    assert_eq!(faults(batch), Vec::<String>::new(), "{batch}");
    assert!(!names.queries.is_empty(), "no query found in: {batch}");
    assert!(names.queries.iter().all(|query| !query.unclear), "not understood: {batch}\n{names:#?}");
}

#[test]
fn plain_queries_bind() {
    for batch in [
        "SELECT * FROM sys.requests",
        "/* dbtop:x */ SET NOCOUNT ON SELECT r.session_id, [STATUS] FROM sys.requests AS r WHERE r.cpu_time > 1;",
        "SELECT sys.requests.status, requests.command FROM sys.requests WITH (NOLOCK, INDEX(1))",
        "SELECT s.login_name FROM sys.sessions s (NOLOCK), sys.requests r WHERE s.session_id = r.session_id",
        "SELECT TOP (5) WITH TIES r.status, n = COUNT(*), MAX(cpu_time) AS 'most' FROM sys.requests r
         GROUP BY r.status WITH ROLLUP HAVING COUNT(DISTINCT r.wait_type) > 0 ORDER BY n DESC, most, r.status",
        "SELECT DISTINCT TOP 5 PERCENT status s FROM sys.requests ORDER BY s OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY",
        "SELECT j.name FROM msdb.dbo.sysjobs AS j WHERE j.job_id IN (0x1, 0x2) OPTION (MAXDOP 1)",
        "SELECT @@SPID, GETDATE(), CURRENT_TIMESTAMP, USER, N'x' COLLATE Latin1_General_BIN2, -1.5e3, 0x0F, NULL",
        "DECLARE @n int; SELECT @n = COUNT_BIG(*), @n += 1 FROM sys.requests; IF @n > 1 PRINT 'x'",
        "SELECT w.anything FROM sys.wild w WHERE something = 1",
        "SELECT status, COUNT(*) FROM sys.requests GROUP BY GROUPING SETS ((status), (status, command), ())",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM sys.requests) SELECT 2 SELECT name FROM sys.databases",
    ] {
        binds(batch);
    }
}

#[test]
fn expressions_bind() {
    for expr in [
        "CASE status WHEN 'a' THEN 1 WHEN N'b' THEN cpu_time ELSE -session_id END",
        "CASE WHEN status LIKE 'a[_]%' ESCAPE '\\' AND NOT cpu_time BETWEEN 1 AND 2 THEN 1 END",
        "CAST(cpu_time AS decimal(18, 2)) / NULLIF(CONVERT(float, session_id), 0)",
        "TRY_CAST(status AS nvarchar(max)), TRY_CONVERT(varchar(20), start_time, 121), PARSE(status AS int USING 'en')",
        "DATEDIFF(second, start_time, SYSDATETIME()), DATEADD(minute, -5, start_time), DATEPART(tz, start_time)",
        "ROW_NUMBER() OVER (PARTITION BY status ORDER BY cpu_time DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        "SUM(cpu_time) OVER (), LAG(cpu_time) IGNORE NULLS OVER (ORDER BY session_id), COUNT(*) OVER (PARTITION BY status)",
        "STRING_AGG(status, ',') WITHIN GROUP (ORDER BY command), PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY cpu_time) OVER (PARTITION BY status)",
        "ISNULL(NULLIF(status, ''), COALESCE(command, wait_type)), IIF(cpu_time IS NOT NULL, 1, 0)",
        "start_time AT TIME ZONE 'UTC' AT TIME ZONE 'CET', LEFT(status, 1) + RIGHT(command, 1)",
        "TRIM(' ' FROM status), JSON_OBJECT('a': status, 'b': cpu_time ABSENT ON NULL), CAST(status AS xml).value('(/a)[1]', 'int')",
        "(SELECT COUNT(*) FROM sys.sessions AS s WHERE s.session_id = r.session_id AND login_name = command)",
        "((SELECT 1) + 2), ((cpu_time + 1) * 2), (((SELECT MAX(session_id) FROM sys.sessions))) % 2, ~session_id & 1 | 2 ^ 3",
        "cpu_time IS DISTINCT FROM session_id, sys.fn_something(status), hierarchyid::Parse('/'), dbo.f(DEFAULT, NULL)",
        "CASE WHEN session_id = ANY (SELECT session_id FROM sys.sessions) OR session_id NOT IN (SELECT s.session_id FROM sys.sessions s) THEN 1 END",
        "SERVERPROPERTY('ProductVersion'), HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), CHARINDEX(N'x', status, 1)",
    ] {
        binds(&format!("SELECT {expr} FROM sys.requests AS r"));
        binds(&format!(
            "SELECT x = 1, (CASE WHEN r.cpu_time > 1 THEN 1 END), {expr} FROM sys.requests AS r ORDER BY x"
        ));
    }
}

#[test]
fn joins_applies_and_derived_tables_bind() {
    for batch in [
        "SELECT r.status, s.host_name, t.text FROM sys.requests AS r
         INNER JOIN sys.sessions AS s ON s.session_id = r.session_id
         LEFT OUTER HASH JOIN sys.databases d ON d.database_id = 1 AND d.name = s.login_name
         OUTER APPLY sys.sql_text(r.sql_handle) AS t WHERE d.state_desc IS NOT NULL",
        "SELECT a.status FROM sys.requests a LEFT JOIN (sys.sessions b JOIN sys.databases c ON c.name = b.login_name)
         ON a.session_id = b.session_id CROSS JOIN sys.counters",
        "SELECT d.n, d.status FROM (SELECT r.status, COUNT(*) AS n FROM sys.requests r GROUP BY r.status) AS d WHERE n > 1",
        "SELECT x.a, x.b FROM (SELECT status, COUNT(*) FROM sys.requests GROUP BY status) AS x(a, b)",
        "SELECT d.status, d.login_name FROM (SELECT r.*, s.login_name FROM sys.requests r, sys.sessions s) d",
        "SELECT v.k, v.n FROM (VALUES (N'a', 1), (N'b', 2)) AS v(k, n) JOIN sys.counters c ON c.counter_name = v.k",
        "SELECT u.what, u.n FROM sys.requests r CROSS APPLY (VALUES ('cpu', r.cpu_time), ('id', r.session_id)) u(what, n)",
        "SELECT top1.cpu_time FROM sys.sessions s CROSS APPLY (SELECT TOP (1) r.cpu_time FROM sys.requests r
         WHERE r.session_id = s.session_id ORDER BY r.start_time DESC) AS top1",
        "SELECT status FROM sys.requests UNION ALL SELECT host_name FROM sys.sessions ORDER BY status",
        "(SELECT status AS a FROM sys.requests) EXCEPT (SELECT name FROM sys.databases) ORDER BY a",
        "SELECT ring.x.value('(./a)[1]', 'int') AS v, n.c.query('.') FROM
         (SELECT CAST(record AS xml) AS x FROM sys.ring WHERE ring_buffer_type = N'y') AS ring
         CROSS APPLY ring.x.nodes('/a/b') AS n(c) WHERE n.c.exist('.') = 1",
        "SELECT s.value FROM STRING_SPLIT('a,b', ',') AS s WHERE s.value <> ''",
        "SELECT j.a FROM OPENJSON(@j) WITH (a int '$.a', b nvarchar(max) AS JSON) AS j",
        "SELECT name FROM sys.databases FOR XML PATH('x'), TYPE, ROOT('r')",
        "SELECT p.b FROM (SELECT TOP (1) * FROM (SELECT status AS b FROM sys.requests) AS i) AS p",
    ] {
        binds(batch);
    }
}

#[test]
fn ctes_and_tables_of_the_batch_bind() {
    for batch in [
        "WITH w AS (SELECT status, cpu_time FROM sys.requests), v(a) AS (SELECT MAX(w.cpu_time) FROM w)
         SELECT w.status, v.a FROM w CROSS JOIN v ORDER BY a",
        "WITH tree AS (SELECT session_id, 0 AS depth FROM sys.requests UNION ALL
         SELECT r.session_id, t.depth + 1 FROM sys.requests r JOIN tree t ON t.session_id = r.session_id)
         SELECT depth, session_id FROM tree OPTION (MAXRECURSION 10)",
        "DECLARE @t TABLE (id int NOT NULL PRIMARY KEY, name nvarchar(128) NULL, CHECK (id > 0), n AS id + 1);
         INSERT INTO @t (id, name) SELECT session_id, status FROM sys.requests;
         SELECT t.id, name, t.n FROM @t AS t",
        "IF OBJECT_ID('tempdb..#a') IS NOT NULL DROP TABLE #a; CREATE TABLE #a (x int, y decimal(10, 2));
         INSERT #a VALUES (1, 2); SELECT a.x, y FROM #a AS a; SELECT whatever FROM #elsewhere",
        "SELECT session_id AS id, status INTO #b FROM sys.requests WHERE 1 = 0; SELECT b.id, b.status FROM #b b",
        "WITH w AS (SELECT 1 AS a) INSERT INTO #x (a) SELECT a FROM w; SELECT name FROM sys.databases",
        "BEGIN TRY SELECT name FROM sys.databases END TRY BEGIN CATCH SELECT ERROR_NUMBER() AS n ORDER BY n END CATCH",
        "IF EXISTS (SELECT 1 FROM sys.requests WHERE status = 'x') BEGIN SELECT name FROM sys.databases END
         ELSE SELECT status FROM sys.sessions",
    ] {
        binds(batch);
    }
}

#[test]
fn an_unknown_object_is_found_wherever_it_stands() {
    for (batch, fault) in [
        ("SELECT 1 FROM sys.nothing", "1:208 sys.nothing"),
        ("SELECT 1\nFROM sys.requests r\nJOIN [sys].[no more] x ON 1 = 1", "3:208 sys.no more"),
        ("SELECT 1 FROM sys.sql_text", "1:208 sys.sql_text"),
        ("SELECT 1 FROM sys.requests(1)", "1:208 sys.requests"),
        ("SELECT (SELECT 1 FROM sys.gone) FROM sys.requests", "1:208 sys.gone"),
        ("IF EXISTS (SELECT x FROM sys.gone) SELECT 1", "1:208 sys.gone"),
        ("DECLARE @x int = (SELECT COUNT(*) FROM sys.gone);", "1:208 sys.gone"),
        ("WITH a AS (SELECT 1 AS x FROM msdb..sysjobs) SELECT x FROM a", "1:208 msdb..sysjobs"),
        ("INSERT INTO sys.gone SELECT 1", "1:208 sys.gone"),
        ("SELECT 1 FROM sys.requests r CROSS APPLY sys.gone(r.nothing) g", "1:208 sys.gone"),
        ("SELECT 1 FROM a", "1:208 a"),
    ] {
        assert_eq!(faults(batch).first().map(String::as_str), Some(fault), "{batch}");
    }
}

#[test]
fn an_unknown_column_is_found_wherever_it_stands() {
    for (batch, fault) in [
        ("SELECT r.page_resource FROM sys.requests r", "1:207 page_resource"),
        ("SELECT page_resource FROM sys.requests AS r", "1:207 page_resource"),
        ("SELECT 1 FROM sys.requests AS r\nWHERE r.x = 1", "2:207 x"),
        ("SELECT 1 FROM sys.requests r JOIN sys.sessions s ON s.session_id = r.sid", "1:207 sid"),
        ("SELECT CASE WHEN ISNULL(CAST(r.dop AS int), 0) > 1 THEN 1 END FROM sys.requests r", "1:207 dop"),
        ("SELECT SUM(1) OVER (PARTITION BY x) FROM sys.requests", "1:207 x"),
        ("SELECT status AS s FROM sys.requests WHERE s = 1", "1:207 s"),
        ("SELECT 1 FROM sys.requests r OUTER APPLY sys.sql_text(r.plan_handle) t", "1:207 plan_handle"),
        ("SELECT t.nothing FROM sys.requests r OUTER APPLY sys.sql_text(r.sql_handle) t", "1:207 nothing"),
        ("SELECT d.x FROM (SELECT status FROM sys.requests) d", "1:207 x"),
        ("SELECT d.x FROM (SELECT r.* FROM sys.requests r) d", "1:207 x"),
        ("SELECT d.x FROM (SELECT x FROM sys.requests) d", "1:207 x"),
        (
            "SELECT d.a FROM (SELECT s.login_name a FROM sys.requests r) d, sys.sessions s",
            "1:4104 s.login_name",
        ),
        ("WITH w AS (SELECT status FROM sys.requests) SELECT cpu_time FROM w", "1:207 cpu_time"),
        ("SELECT v.c FROM (VALUES (1, 2)) AS v(a, b)", "1:207 c"),
        (
            "SELECT 1 FROM sys.requests r WHERE EXISTS (SELECT 1 FROM sys.sessions s WHERE s.session_id = r.x)",
            "1:207 x",
        ),
        ("SELECT status FROM sys.requests UNION ALL SELECT x FROM sys.sessions", "1:207 x"),
        ("SELECT status FROM sys.requests ORDER BY x", "1:207 x"),
        ("DECLARE @t TABLE (a int); INSERT @t (b) VALUES (1); SELECT a FROM @t", "1:207 b"),
        ("DECLARE @t TABLE (a int); SELECT t.b FROM @t t", "1:207 b"),
        ("SELECT status INTO #x FROM sys.requests; SELECT command FROM #x", "1:207 command"),
        ("SELECT x.status FROM sys.requests r", "1:4104 x.status"),
        ("SELECT x.* FROM sys.requests r", "1:4104 x.*"),
        ("SELECT nothing", "1:207 nothing"),
        ("SET NOCOUNT ON\nSELECT r.x FROM sys.requests r OPTION (MAXDOP 1)", "2:207 x"),
        ("SELECT DATEDIFF(second, x, GETDATE()) FROM sys.requests", "1:207 x"),
        ("SELECT TOP (1) r.status FROM sys.requests r; SELECT name, x FROM sys.databases", "1:207 x"),
    ] {
        assert_eq!(faults(batch), [fault], "{batch}");
    }
}

#[test]
fn statements_are_told_apart() {
    let batch =
        "SET NOCOUNT ON;\n/* a */ SELECT 1 AS a FROM sys.requests; SELECT 2\nSELECT 3 UNION SELECT 4;;
WITH w AS (SELECT 5 AS x) SELECT x FROM w; INSERT INTO #t (a) SELECT 6 INSERT #t VALUES (7) SELECT 8
IF EXISTS (SELECT 9) PRINT 'x'";
    let names = read(batch);
    let texts: Vec<_> = names.statements.iter().map(|s| &batch[s.start..s.end]).collect();
    assert_eq!(
        texts,
        [
            "SET NOCOUNT ON",
            "SELECT 1 AS a FROM sys.requests",
            "SELECT 2",
            "SELECT 3 UNION SELECT 4",
            "WITH w AS (SELECT 5 AS x) SELECT x FROM w",
            "INSERT INTO #t (a) SELECT 6",
            "INSERT #t VALUES (7)",
            "SELECT 8",
            "IF EXISTS (SELECT 9)",
            "PRINT 'x'",
        ]
    );
    let queries: Vec<_> = (0..texts.len()).map(|number| names.queries_of(number).len()).collect();
    assert_eq!(queries, [0, 1, 1, 2, 2, 2, 1, 1, 1, 0]);
    assert_eq!(names.statements[3].line, 3);
}

#[test]
fn objects_come_first_and_each_group_follows_the_text() {
    assert_eq!(
        faults("SELECT r.x,\n r.y FROM sys.requests r\nJOIN sys.gone g ON g.z = 1"),
        ["3:208 sys.gone", "1:207 x", "2:207 y"]
    );
}

#[test]
fn what_is_not_understood_raises_no_alarm_about_columns() {
    for batch in [
        "SELECT p.[1], z FROM sys.requests PIVOT (SUM(cpu_time) FOR status IN ([1], [2])) AS p",
        "SELECT {fn NOW()}, zzz FROM sys.requests",
        "UPDATE sys.requests SET x = (SELECT y FROM sys.sessions WHERE z = 1)",
        "EXEC sp_executesql N'SELECT 1', @p = zzz",
        "SELECT a b c d FROM sys.requests",
    ] {
        assert_eq!(faults(batch), Vec::<String>::new(), "{batch}");
    }
    // but its objects are still checked
    assert_eq!(faults("SELECT {fn NOW()}, zzz FROM sys.gone"), ["1:208 sys.gone"]);
}

#[test]
fn deep_and_endless_texts_are_read_to_the_end() {
    for unit in
        ["(", "SELECT (", "SELECT * FROM (", "CASE WHEN ", "WITH a AS (", "((SELECT 1)", "a.", "SELECT a,"]
    {
        let batch = unit.repeat(300_000 / unit.len());
        let names = read(&batch);
        let _ = bind(&names, &Small);
    }
}

#[test]
fn the_rights_of_a_grant_are_no_statements() {
    let text = "GRANT SELECT, UPDATE ON dbo.t TO [a]; GRANT VIEW SERVER STATE TO [b] SELECT 1";
    let found = read(text);
    let texts: Vec<&str> = found.statements.iter().filter_map(|s| text.get(s.start..s.end)).collect();
    let expected = ["GRANT SELECT, UPDATE ON dbo.t TO [a]", "GRANT VIEW SERVER STATE TO [b]", "SELECT 1"];
    assert_eq!(texts, expected);
    assert_eq!(found.queries.len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_read(text in r"(SELECT |FROM |WITH |AS |\(|\)|,|\.|a|b |\*|CASE |WHEN |END |JOIN |ON |= |;|INSERT |'|\[|@t |#t |VALUES |UNION |OVER |ORDER BY |APPLY ){0,40}") {
        let names = read(&text);
        let _ = bind(&names, &Small);
    }

    #[test]
    fn an_unknown_column_never_hides_behind_blanks(gap in r"(/\*x\*/| |\n|\t|--\n){1,3}") {
        let text = ["SELECT", "r", ".", "zzz", "FROM", "sys", ".", "requests", "AS", "r"].join(&gap);
        prop_assert_eq!(bind(&read(&text), &Small).len(), 1);
    }
}
