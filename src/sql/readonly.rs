//! The proof that a script only reads.
//!
//! Every script under `tsql/` that is meant to be harmless must pass [`prove`]; `tests/tidy.rs` calls it. It is a
//! proof by token, so it errs on the side of refusing: whatever is not known to read is refused with its line.
//! Reserved words are checked wherever they stand, because an unquoted reserved word can only be itself; other words
//! are checked where a statement begins, because there a bare name runs a procedure.
//!
//! A script may create, fill and drop its own `#temp` tables and table variables. It may not touch other tables,
//! run procedures, open transactions, take locks by hint, reach other servers or change the session beyond the
//! options in [`SET_OPTIONS`].

use thiserror::Error;

use super::{
    ident,
    lexer::{self, Kind, Token},
};

/// The first token that is not proven to be harmless.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: `{token}` {reason}")]
pub struct Refusal {
    /// Line of the script, from 1.
    pub line: u32,
    /// The token, at most 60 characters of it.
    pub token: String,
    /// The reason of the refusal, to be read after the token.
    pub reason: &'static str,
}

/// Proves that `script`, one batch, only reads.
///
/// # Errors
/// The first token that is not known to be harmless.
pub fn prove(script: &str) -> Result<(), Refusal> {
    let code: Vec<Token<'_>> = lexer::code(script).collect();
    spelled_plainly(script)?;
    let mut proof = Proof { code: &code, blocks: Vec::new(), start: true, dots: 0 };
    for (at, token) in code.iter().enumerate() {
        proof.check(at).map_err(|reason| refusal(token, reason))?;
    }
    Ok(())
}

/// Session options that a script may set: they change how this session reads, and nothing else.
pub const SET_OPTIONS: &[&str] = &[
    "ANSI_NULLS",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ARITHABORT",
    "CONCAT_NULL_YIELDS_NULL",
    "DATEFIRST",
    "DATEFORMAT",
    "DEADLOCK_PRIORITY",
    "LANGUAGE",
    "LOCK_TIMEOUT",
    "NOCOUNT",
    "NUMERIC_ROUNDABORT",
    "QUERY_GOVERNOR_COST_LIMIT",
    "QUOTED_IDENTIFIER",
    "ROWCOUNT",
    "TEXTSIZE",
    "XACT_ABORT",
];

/// Reserved words that read, compute or arrange. Those that need a look at their neighbours are in [`Proof::word`].
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "ALL", "AND", "ANY", "AS", "ASC", "BEGIN", "BETWEEN", "BREAK", "BY", "CASE", "CHECK", "CLUSTERED", "COALESCE",
    "COLLATE", "CONSTRAINT", "CONTINUE", "CONVERT", "CROSS", "CURRENT", "CURRENT_TIMESTAMP", "CURRENT_USER",
    "DECLARE", "DEFAULT", "DESC", "DISTINCT", "ELSE", "END", "ESCAPE", "EXCEPT", "EXISTS", "FETCH", "FOR", "FROM",
    "FULL", "GROUP", "HAVING", "IDENTITY", "IF", "IN", "INDEX", "INNER", "INTERSECT", "IS", "JOIN", "KEY", "LEFT",
    "LIKE", "NONCLUSTERED", "NOT", "NULL", "NULLIF", "OF", "OFF", "ON", "OPTION", "OR", "ORDER", "OUTER", "OVER",
    "PERCENT", "PIVOT", "PLAN", "PRECISION", "PRIMARY", "PRINT", "READ", "RETURN", "RIGHT", "SELECT",
    "SESSION_USER", "SOME", "SYSTEM_USER", "TABLE", "THEN", "TOP", "TRY_CONVERT", "UNION", "UNIQUE", "UNPIVOT",
    "USER", "VALUES", "VARYING", "WHEN", "WHERE", "WHILE", "WITH",
];

/// Words that may begin a statement.
#[rustfmt::skip]
const STARTERS: &[&str] = &[
    "BEGIN", "BREAK", "CONTINUE", "CREATE", "DBCC", "DECLARE", "DROP", "ELSE", "END", "IF", "INSERT", "PRINT",
    "RETURN", "SELECT", "SET", "WHILE", "WITH",
];

/// Words that are not reserved and still act: on queues and conversations, or by taking locks.
#[rustfmt::skip]
const HARMFUL_NAMES: &[(&str, &str)] = &[
    ("CONVERSATION", "belongs to Service Broker statements"),
    ("DIALOG", "belongs to Service Broker statements"),
    ("RECEIVE", "takes messages off a queue"),
    ("SEND", "puts messages on a queue"),
    ("PAGLOCK", "takes locks that readers do not need"),
    ("REPEATABLEREAD", "holds locks that readers do not need"),
    ("SERIALIZABLE", "holds locks that readers do not need"),
    ("TABLOCK", "takes locks that readers do not need"),
    ("TABLOCKX", "takes locks that readers do not need"),
    ("UPDLOCK", "takes locks that readers do not need"),
    ("XLOCK", "takes locks that readers do not need"),
];

const NOT_A_READ: &str = "does more than read, or is not known to only read";
const LOG_SPACE: &[&str] = &["SQLPERF", "(", "LOGSPACE", ")"];

fn refusal(token: &Token<'_>, reason: &'static str) -> Refusal {
    Refusal { line: token.line, token: token.text.chars().take(60).collect(), reason }
}

/// Refuses spellings on which the server and our lexer might disagree about where a comment or a string ends.
fn spelled_plainly(script: &str) -> Result<(), Refusal> {
    for token in lexer::tokens(script) {
        if !token.closed {
            return Err(refusal(&token, "is never closed"));
        }
        if token.kind == Kind::Other {
            return Err(refusal(&token, "is no character of T-SQL"));
        }
        let bare_cr = token.text.split("\r\n").any(|part| part.trim_end_matches('\r').contains('\r'))
            || (token.text.ends_with('\r') && !script[token.end()..].starts_with('\n'));
        if bare_cr || token.text.contains(['\0', '\u{1a}', '\u{85}', '\u{2028}', '\u{2029}']) {
            return Err(refusal(
                &token,
                "holds a line end that is neither LF nor CR LF, or a control character",
            ));
        }
    }
    Ok(())
}

/// A block that an `END` will close.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Case,
    Begin,
}

/// The walk over the tokens.
struct Proof<'a> {
    code: &'a [Token<'a>],
    blocks: Vec<Block>,
    /// the next token begins a statement
    start: bool,
    /// dots so far in the name that we are in
    dots: usize,
}

type Verdict = Result<(), &'static str>;

impl Proof<'_> {
    fn check(&mut self, at: usize) -> Verdict {
        let token = &self.code[at];
        let start = std::mem::replace(&mut self.start, false);
        if token.is_symbol(";") {
            self.start = true;
            return Ok(());
        }
        if start && token.kind == Kind::Keyword && !is_any(token, STARTERS) {
            return Err(NOT_A_READ);
        }
        if start && token.kind != Kind::Keyword && !token.is_symbol("(") {
            let block = token.is_word("TRY") || token.is_word("CATCH") || token.is_word("THROW");
            if !block {
                return Err("cannot begin a statement here: a bare name would run a procedure");
            }
        }
        self.dots = match token.kind {
            Kind::Punct if token.text == "." => self.dots + 1,
            Kind::Name | Kind::QuotedName if self.is_after(at, ".") => self.dots,
            _ => 0,
        };
        if self.dots > 2 {
            return Err("makes a name of four parts, which may reach another server");
        }
        match token.kind {
            Kind::Keyword => self.word(at),
            Kind::Name | Kind::QuotedName => self.name(at),
            _ => Ok(()),
        }
    }

    /// A reserved word, with a look at its neighbours where that decides.
    fn word(&mut self, at: usize) -> Verdict {
        let token = &self.code[at];
        match token.text.to_ascii_uppercase().as_str() {
            "BEGIN" => {
                self.blocks.push(Block::Begin);
                self.start = true;
                Ok(())
            }
            "CASE" => {
                self.blocks.push(Block::Case);
                Ok(())
            }
            "END" => {
                self.blocks.pop();
                Ok(())
            }
            "ELSE" => {
                self.start = self.blocks.last() != Some(&Block::Case);
                Ok(())
            }
            "INSERT" if self.is(at + 1, "INTO") => Ok(()),
            "INSERT" | "INTO" => {
                self.private(at + 1, "may only write into a #temp table or a table variable")
            }
            "CREATE" if self.is(at + 1, "TABLE") => self.private(at + 2, "may only create a #temp table"),
            "DROP" if self.is(at + 1, "TABLE") => {
                let exists = self.is(at + 2, "IF") && self.is(at + 3, "EXISTS");
                self.private(at + if exists { 4 } else { 2 }, "may only drop a #temp table")
            }
            "SET" => self.set(at),
            "TRANSACTION" | "ROWCOUNT" | "TEXTSIZE" if at > 0 && self.is(at - 1, "SET") => Ok(()),
            "DBCC" if self.is(at + 1, "TRACESTATUS") || self.follow(at, LOG_SPACE) => Ok(()),
            "DBCC" => Err("may only be TRACESTATUS or SQLPERF(LOGSPACE)"),
            "MERGE" if self.is(at + 1, "JOIN") || self.is(at + 1, "UNION") => Ok(()),
            "USE" if self.is(at + 1, "HINT") => Ok(()),
            _ if is_any(token, HARMLESS) => Ok(()),
            _ => Err(NOT_A_READ),
        }
    }

    fn name(&mut self, at: usize) -> Verdict {
        let token = &self.code[at];
        if at > 0 && (token.is_word("TRY") || token.is_word("CATCH")) {
            self.start = self.is(at - 1, "BEGIN") || self.is(at - 1, "END");
        }
        let name = ident::unquote(token.text).to_ascii_lowercase();
        if name.starts_with("xp_") || name.starts_with("sp_") {
            return Err("names a procedure");
        }
        if token.kind == Kind::Name && self.is(at, "NEXT") && self.is(at + 1, "VALUE") {
            return Err("takes a number out of a sequence");
        }
        let harmful = HARMFUL_NAMES.iter().find(|(word, _)| token.is_word(word));
        harmful.map_or(Ok(()), |(_, reason)| Err(reason))
    }

    /// `SET @x …` or `SET option[, option] …` with options of the list.
    fn set(&self, at: usize) -> Verdict {
        const REFUSED: &str = "may only set a variable or an option of the allow list";
        if self.code.get(at + 1).is_some_and(|token| token.kind == Kind::Variable)
            || self.follow(at, &["TRANSACTION", "ISOLATION", "LEVEL"])
        {
            return Ok(());
        }
        let mut option = at + 1;
        loop {
            if !self.code.get(option).is_some_and(|token| is_any(token, SET_OPTIONS)) {
                return Err(REFUSED);
            }
            if !self.code.get(option + 1).is_some_and(|token| token.is_symbol(",")) {
                return Ok(());
            }
            option += 2;
        }
    }

    /// The token at `at` must be `#name` or `@name`, whole and alone.
    fn private(&self, at: usize, refused: &'static str) -> Verdict {
        let private = self.code.get(at).is_some_and(|token| match token.kind {
            Kind::Variable => !token.text.starts_with("@@"),
            Kind::Name => token.text.starts_with('#') && !token.text.starts_with("##"),
            _ => false,
        });
        let alone = !self.code.get(at + 1).is_some_and(|token| token.is_symbol(".") || token.is_symbol(","));
        if private && alone { Ok(()) } else { Err(refused) }
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.code.get(at).is_some_and(|token| token.is_word(word))
    }

    /// True if the tokens after `at` are `expected`.
    fn follow(&self, at: usize, expected: &[&str]) -> bool {
        expected.iter().enumerate().all(|(n, text)| {
            self.code.get(at + 1 + n).is_some_and(|token| token.text.eq_ignore_ascii_case(text))
        })
    }

    fn is_after(&self, at: usize, symbol: &str) -> bool {
        at.checked_sub(1)
            .and_then(|before| self.code.get(before))
            .is_some_and(|token| token.is_symbol(symbol))
    }
}

fn is_any(token: &Token<'_>, words: &[&str]) -> bool {
    words.iter().any(|word| token.is_word(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scripts_that_read_are_accepted() {
        for script in [
            "/* dbtop:x */ SELECT r.a FROM sys.dm_exec_requests AS r WITH (NOLOCK) WHERE r.b IN (1, 2);",
            "SET NOCOUNT ON; SET LOCK_TIMEOUT 1000; SET DEADLOCK_PRIORITY LOW; SET ANSI_NULLS, ANSI_PADDING ON;
             SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SET TEXTSIZE -1",
            "WITH a AS (SELECT 1 AS x) SELECT x FROM a UNION ALL SELECT 2 ORDER BY x OPTION (MAXDOP 1, MERGE JOIN)",
            "DECLARE @t TABLE (id int PRIMARY KEY NOT NULL); INSERT INTO @t (id) SELECT 1; INSERT @t VALUES (2)",
            "DROP TABLE IF EXISTS #t; CREATE TABLE #t (a int NULL); INSERT #t EXCEPT SELECT 1; DROP TABLE #t",
            "SELECT a INTO #x FROM sys.databases",
            "IF EXISTS (SELECT 1 FROM sys.databases) BEGIN SELECT 1 END ELSE SELECT CASE WHEN 1 = 1 THEN 1 ELSE x.y END",
            "BEGIN TRY SELECT 1 END TRY BEGIN CATCH SELECT ERROR_NUMBER(); THROW; END CATCH",
            "DBCC TRACESTATUS(-1) WITH NO_INFOMSGS; DBCC SQLPERF(LOGSPACE)",
            "SELECT 'DROP TABLE x; EXEC sp_who', [update], \"kill\" /* DELETE */ -- TRUNCATE\n FROM t OPTION (USE HINT('x'))",
            "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY CONNECTION'); (SELECT 1) UNION (SELECT 2)",
            "SELECT x FROM t ORDER BY x OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY",
            "DECLARE @x int = 1; SET @x = @x + 1; WHILE @x < 3 SET @x += 1; PRINT 'x'; RETURN",
            "",
        ] {
            assert_eq!(prove(script), Ok(()), "{script}");
        }
    }

    #[test]
    fn scripts_that_do_more_are_refused() {
        for (script, token) in [
            ("EXEC msdb.dbo.sp_start_job", "EXEC"),
            ("sp_who", "sp_who"),
            ("SELECT 1; dbo.p", "dbo"),
            ("IF 1 = 1 BEGIN p END", "p"),
            ("IF 1 = 1 SELECT 1 ELSE p", "p"),
            ("BEGIN TRY p END TRY", "p"),
            ("UPDATE #t SET a = 1", "UPDATE"),
            ("SELECT 1 delete from t", "delete"),
            ("SELECT 1 AS x KILL 55", "KILL"),
            ("INSERT INTO dbo.t SELECT 1", "INTO"),
            ("INSERT t SELECT 1", "INSERT"),
            ("INSERT INTO #t EXEC p", "EXEC"),
            ("INSERT #t OUTPUT inserted.a INTO dbo.t SELECT 1", "INTO"),
            ("SELECT * INTO t FROM x", "INTO"),
            ("SELECT * INTO ##t FROM x", "INTO"),
            ("SELECT * INTO #t.x FROM x", "INTO"),
            ("CREATE TABLE t (a int)", "CREATE"),
            ("CREATE INDEX i ON #t (a)", "CREATE"),
            ("DROP TABLE IF EXISTS t", "DROP"),
            ("DROP TABLE #a, t", "DROP"),
            ("RAISERROR('x', 1, 1) WITH LOG", "RAISERROR"),
            ("MERGE #t USING x ON 1 = 1 WHEN MATCHED THEN DELETE", "MERGE"),
            ("TRUNCATE TABLE #t", "TRUNCATE"),
            ("GRANT SELECT ON x TO y", "GRANT"),
            ("DBCC FREEPROCCACHE", "DBCC"),
            ("DBCC SQLPERF('sys.dm_os_wait_stats', CLEAR)", "DBCC"),
            ("SET IDENTITY_INSERT t ON", "SET"),
            ("SET ANSI_NULLS, PARSEONLY ON", "SET"),
            ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SERIALIZABLE"),
            ("BEGIN TRAN", "TRAN"),
            ("SELECT * FROM OPENROWSET('a', 'b', 'c')", "OPENROWSET"),
            ("SELECT * FROM srv.db.dbo.t", "."),
            ("SELECT * FROM srv...t", "."),
            ("SELECT 1 FROM sys.xp_fixeddrives", "xp_fixeddrives"),
            ("SELECT 1 FROM [sp_x]", "[sp_x]"),
            ("SELECT * FROM t WITH (TABLOCKX)", "TABLOCKX"),
            ("SELECT NEXT VALUE FOR dbo.s", "NEXT"),
            ("RECEIVE * FROM q", "RECEIVE"),
            ("END CONVERSATION @h", "CONVERSATION"),
            ("USE master", "USE"),
            ("WAITFOR DELAY '1'", "WAITFOR"),
            ("SELECT 1\nGO\nDROP TABLE t", "DROP"),
            ("SELECT 'x", "'x"),
            ("SELECT 1 /* x", "/* x"),
            ("SELECT 1 -- \r DROP TABLE t", "-- \r DROP TABLE t"),
            ("SELECT 1 `x`", "`"),
        ] {
            let refusal = prove(script).expect_err(script);
            assert_eq!(refusal.token, token, "{script}");
        }
    }

    #[test]
    fn the_refusal_names_the_line() {
        assert_eq!(
            prove("SELECT 1\r\n-- harmless\r\nDROP TABLE t").unwrap_err().to_string(),
            "line 3: `DROP` may only drop a #temp table"
        );
    }

    proptest! {
        #[test]
        fn any_text_gets_a_verdict(text in r"([\PC\n\r]|select |begin |case |end |set |into |dbcc |\.){0,30}") {
            let _ = prove(&text);
        }

        #[test]
        fn no_writing_word_passes_anywhere(
            word in "(EXEC|execute|UPDATE|delete|MERGE|TRUNCATE|ALTER|GRANT|DENY|REVOKE|KILL|BACKUP|RESTORE|SHUTDOWN)",
            before in "(SELECT 1 |SELECT a FROM t |IF 1 = 1 |BEGIN |; ){0,3}",
        ) {
            let script = format!("{before} {word} x");
            prop_assert!(prove(&script).is_err());
        }
    }
}
