//! The word lists of T-SQL: reserved words, words that act as keywords in their place, types.
//!
//! Upper case and sorted, so that a look-up is a binary search. Used by the lexer and the highlighter; a list holds
//! words only; their meaning is the callers' business.

use std::cmp::Ordering;

/// Reserved words, from Microsoft's page "Reserved keywords (Transact-SQL)", SQL Server part.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "ADD", "ALL", "ALTER", "AND", "ANY", "AS", "ASC", "AUTHORIZATION", "BACKUP", "BEGIN", "BETWEEN",
    "BREAK", "BROWSE", "BULK", "BY", "CASCADE", "CASE", "CHECK", "CHECKPOINT", "CLOSE", "CLUSTERED",
    "COALESCE", "COLLATE", "COLUMN", "COMMIT", "COMPUTE", "CONSTRAINT", "CONTAINS", "CONTAINSTABLE",
    "CONTINUE", "CONVERT", "CREATE", "CROSS", "CURRENT", "CURRENT_DATE", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "CURRENT_USER", "CURSOR", "DATABASE", "DBCC", "DEALLOCATE", "DECLARE",
    "DEFAULT", "DELETE", "DENY", "DESC", "DISK", "DISTINCT", "DISTRIBUTED", "DOUBLE", "DROP", "DUMP",
    "ELSE", "END", "ERRLVL", "ESCAPE", "EXCEPT", "EXEC", "EXECUTE", "EXISTS", "EXIT", "EXTERNAL",
    "FETCH", "FILE", "FILLFACTOR", "FOR", "FOREIGN", "FREETEXT", "FREETEXTTABLE", "FROM", "FULL",
    "FUNCTION", "GOTO", "GRANT", "GROUP", "HAVING", "HOLDLOCK", "IDENTITY", "IDENTITYCOL",
    "IDENTITY_INSERT", "IF", "IN", "INDEX", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "KEY",
    "KILL", "LEFT", "LIKE", "LINENO", "LOAD", "MERGE", "NATIONAL", "NOCHECK", "NONCLUSTERED", "NOT",
    "NULL", "NULLIF", "OF", "OFF", "OFFSETS", "ON", "OPEN", "OPENDATASOURCE", "OPENQUERY", "OPENROWSET",
    "OPENXML", "OPTION", "OR", "ORDER", "OUTER", "OVER", "PERCENT", "PIVOT", "PLAN", "PRECISION",
    "PRIMARY", "PRINT", "PROC", "PROCEDURE", "PUBLIC", "RAISERROR", "READ", "READTEXT", "RECONFIGURE",
    "REFERENCES", "REPLICATION", "RESTORE", "RESTRICT", "RETURN", "REVERT", "REVOKE", "RIGHT",
    "ROLLBACK", "ROWCOUNT", "ROWGUIDCOL", "RULE", "SAVE", "SCHEMA", "SECURITYAUDIT", "SELECT",
    "SEMANTICKEYPHRASETABLE", "SEMANTICSIMILARITYDETAILSTABLE", "SEMANTICSIMILARITYTABLE",
    "SESSION_USER", "SET", "SETUSER", "SHUTDOWN", "SOME", "STATISTICS", "SYSTEM_USER", "TABLE",
    "TABLESAMPLE", "TEXTSIZE", "THEN", "TO", "TOP", "TRAN", "TRANSACTION", "TRIGGER", "TRUNCATE",
    "TRY_CONVERT", "TSEQUAL", "UNION", "UNIQUE", "UNPIVOT", "UPDATE", "UPDATETEXT", "USE", "USER",
    "VALUES", "VARYING", "VIEW", "WAITFOR", "WHEN", "WHERE", "WHILE", "WITH", "WRITETEXT",
];

/// Words that are ordinary names to the lexer and read as keywords where a reader meets them.
#[rustfmt::skip]
const SOFT: &[&str] = &[
    "ABSENT", "APPLY", "CATCH", "FOLLOWING", "FORCE", "FORCESEEK", "GO", "HINT", "IGNORE", "ISOLATION",
    "KEEP", "LOCK_TIMEOUT", "LOOP", "MATCHED", "MAXDOP", "MAXRECURSION", "NEXT", "NOCOUNT", "NOLOCK",
    "NULLS", "OFFSET", "ONLY", "OPTIMIZE", "OUTPUT", "PARTITION", "PRECEDING", "RANGE", "READCOMMITTED",
    "READPAST", "READUNCOMMITTED", "RECOMPILE", "RESPECT", "ROWS", "SERIALIZABLE", "SNAPSHOT",
    "TABLOCK", "TABLOCKX", "THROW", "TIES", "TRY", "UNBOUNDED", "UNCOMMITTED", "UPDLOCK", "USING",
    "WITHIN", "XACT_ABORT",
];

/// System data types.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "BIGINT", "BINARY", "BIT", "CHAR", "DATE", "DATETIME", "DATETIME2", "DATETIMEOFFSET", "DECIMAL",
    "FLOAT", "GEOGRAPHY", "GEOMETRY", "HIERARCHYID", "IMAGE", "INT", "INTEGER", "JSON", "MONEY",
    "NCHAR", "NTEXT", "NUMERIC", "NVARCHAR", "REAL", "ROWVERSION", "SMALLDATETIME", "SMALLINT",
    "SMALLMONEY", "SQL_VARIANT", "SYSNAME", "TEXT", "TIME", "TIMESTAMP", "TINYINT", "UNIQUEIDENTIFIER",
    "VARBINARY", "VARCHAR", "VECTOR", "XML",
];

/// True for a reserved word: it cannot be a name unless it is quoted. Case does not matter.
pub fn is_reserved(word: &str) -> bool {
    contains(RESERVED, word)
}

/// True for a word that is not reserved but reads as a keyword (`APPLY`, `PARTITION`, `TRY` …).
pub fn is_soft_keyword(word: &str) -> bool {
    contains(SOFT, word)
}

/// True for the name of a system data type.
pub fn is_type(word: &str) -> bool {
    contains(TYPES, word)
}

fn contains(sorted: &[&str], word: &str) -> bool {
    sorted.binary_search_by(|listed| compare(listed, word)).is_ok()
}

/// Orders an upper-case word against a word in any case.
fn compare(upper: &str, word: &str) -> Ordering {
    upper.bytes().cmp(word.bytes().map(|byte| byte.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_so_that_every_word_is_found() {
        for list in [RESERVED, SOFT, TYPES] {
            assert!(list.is_sorted_by(|a, b| a < b));
            assert!(list.iter().all(|word| contains(list, &word.to_lowercase())));
        }
    }

    #[test]
    fn names_of_columns_are_not_reserved() {
        for name in ["status", "command", "name", "type", "state", "value", "host_name", "", "é"] {
            assert!(!is_reserved(name), "{name}");
        }
        assert!(is_reserved("Plan") && is_reserved("user") && is_reserved("identity_insert"));
    }
}
