//! Texts of clients that may hold a secret: the password of a login or a key, the secret of a credential, a connection string. Called
//! where such a text is shown.

use super::{
    blank::{Blanked, blank},
    ident,
    lexer::{self, Kind, Token},
};

/// What stands in a text that holds a secret: keywords, procedures that take one, parts of connection strings. Too many texts are better
/// than too few.
const SIGNS: [&str; 22] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "sp_addlogin",
    "sp_addapprole",
    "sp_setapprole",
    "sp_addlinkedsrvlogin",
    "opendatasource",
    "openrowset",
    "sharedaccess",
    "key_source",
    "sp_change_users_login",
    "sp_invoke_external_rest",
    "xp_cmdshell",
    "api-key",
    "apikey",
    "authorization",
    "bearer",
    "accountkey",
    "sig=",
];
/// Those to which a secret is given as a parameter.
const PROCEDURES: [&str; 7] = [
    "sp_addlogin",
    "sp_password",
    "sp_addapprole",
    "sp_setapprole",
    "sp_approlepassword",
    "sp_addlinkedsrvlogin",
    "sp_change_users_login",
];
/// Keywords that stand in place of a parameter: others follow.
const PARAMETERS: [&str; 4] = ["NULL", "DEFAULT", "ON", "OFF"];

/// Whether a secret may stand in a text.
pub fn may_stand_in(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    SIGNS.iter().any(|sign| lower.contains(sign))
}

/// `text` without its literals.
pub fn covered(text: &str) -> Blanked {
    let mut names = Vec::new();
    let mut is_given = false;
    for token in lexer::tokens(text) {
        match token.kind {
            Kind::Name | Kind::QuotedName if PROCEDURES.iter().any(|name| is_named(&token, name)) => {
                is_given = true;
            }
            // With QUOTED_IDENTIFIER OFF a text may stand between double quotes, and to a procedure it may be given without any.
            Kind::Name | Kind::QuotedName if is_given || token.text.starts_with('"') => {
                names.push((token.start, token.text.len(), "?"));
            }
            Kind::Keyword if !PARAMETERS.iter().any(|word| token.is_word(word)) => is_given = false,
            Kind::Punct if token.text == ";" => is_given = false,
            _ => {}
        }
    }
    blank(text, &names)
}

fn is_named(token: &Token<'_>, name: &str) -> bool {
    ident::unquote(token.text).eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::{covered, may_stand_in};
    use proptest::prelude::*;

    const LETTERS: &str = "hunter2";

    #[test]
    fn every_way_to_say_a_secret_is_covered_and_other_texts_stay() {
        for text in [
            "CREATE LOGIN web WITH PASSWORD = N'hunter2', CHECK_POLICY = OFF",
            "alter login web with password = 'hunter2' old_password = 'hunter2'",
            "CREATE LOGIN web WITH PASSWORD = 0x0200AB HASHED -- hunter2",
            "ALTER LOGIN web WITH PASSWORD = \"hunter2\"",
            "CREATE DATABASE SCOPED CREDENTIAL c WITH IDENTITY = 'SHARED ACCESS SIGNATURE', SECRET = 'hunter2'",
            "OPEN SYMMETRIC KEY k DECRYPTION BY PASSWORD = 'hunter2'",
            "EXEC sp_addlinkedsrvlogin 'srv', 'false', NULL, 'sa', 'hunter2'",
            "SELECT * FROM OPENROWSET('MSOLEDBSQL', 'srv';'sa';'hunter2', 'SELECT 1')",
            "SELECT EncryptByPassPhrase('hunter2', Name) FROM dbo.People",
            "INSERT Connections VALUES ('Server=a;User=b;Pwd=hunter2')",
            "EXEC master..sp_addlogin web, hunter2",
            "exec [sp_password] old, hunter2, 'web'; SELECT 1",
            "/* hunter2 is the password */ SELECT 1",
            "CREATE LOGIN web WITH PASSWORD = 'hunter2",
            "EXEC sp_password NULL, hunter2, web",
            "EXEC sp_addlinkedsrvlogin srv, OFF, DEFAULT, sa, hunter2",
            "EXEC sp_change_users_login Auto_Fix, web, NULL, hunter2",
            "CREATE SYMMETRIC KEY k WITH ALGORITHM = AES_256, KEY_SOURCE = 'hunter2' ENCRYPTION BY CERTIFICATE c",
            "EXEC sp_invoke_external_rest_endpoint @url = N'https://a/hunter2'",
            "SELECT N'{\"api-key\": \"hunter2\"}'",
            "SELECT 'ApiKey hunter2'",
            "SET @h = N'Authorization: Basic hunter2'",
            "SET @h = N'Bearer hunter2'",
            "SET @c = 'AccountKey=hunter2'",
            "SET @u = 'https://a/b?sv=1&sig=hunter2'",
            "EXEC master..xp_cmdshell 'net use x: /user:web hunter2'",
        ] {
            let covered = covered(text);
            assert!(may_stand_in(text), "{text}");
            assert!(!covered.text.contains(LETTERS) && !covered.text.contains("0200AB"), "{}", covered.text);
        }
        assert!(!may_stand_in("SELECT Name FROM dbo.Orders WHERE Id = 7"));
        let rest = covered("EXEC sp_addlogin a, b; SELECT Name FROM dbo.Logins").text;
        assert_eq!(rest, "EXEC sp_addlogin ?, ?; SELECT Name FROM dbo.Logins");
    }

    proptest! {
        #[test]
        fn nothing_of_a_literal_is_left(before in "[a-z ,=]{0,12}", inside in "[a-z0-9;\"]{8,20}") {
            let text = format!("{before} PASSWORD = N'{inside}' {before}");
            let covered = covered(&text).text;
            prop_assert!(covered.contains("N'?'") && !covered.contains(&inside), "{}", covered);
        }
    }
}
