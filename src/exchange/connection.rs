//! Connection strings of ADO.NET, as SSMS saves them: `key=value;key="a;b"`.

/// The pairs of a connection string, keys in lower case without blanks. Of pairs with the same key the last one counts.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        // `a;b=c`: the words before the last semicolon are a key without a value.
        let key = key.rsplit(';').next().unwrap_or(key);
        let key: String = key.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        let (value, left) = value(after.trim_start());
        found.push((key, value));
        rest = left;
    }
    found
}

fn value(text: &str) -> (String, &str) {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let (mut value, mut chars) = (String::new(), text[1..].char_indices().peekable());
    while let Some((at, c)) = chars.next() {
        if c != quote {
            value.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            value.push(quote);
        } else {
            let rest = &text[at + 2..];
            return (value, rest.split_once(';').map_or("", |(_, rest)| rest));
        }
    }
    (value, "")
}

/// A value, in quotes if it needs them.
pub fn quoted(value: &str) -> String {
    let plain = !value.contains([';', '"', '\'', '=']) && value.trim() == value;
    if plain { value.to_owned() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_odd_strings() {
        let text = "Data Source=db1;User ID='a;b';password=\"x\"\"y\" ; Encrypt = True;;flag;Last=";
        let found = pairs(text);
        let expected = [
            ("datasource", "db1"),
            ("userid", "a;b"),
            ("password", "x\"y"),
            ("encrypt", "True"),
            ("last", ""),
        ];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        for odd in ["", "=", ";", "a", "a=\"", "a='\u{e4}", "a=\"\"\"", "='\u{e4}'\u{e4}=;"] {
            pairs(odd);
        }
    }

    #[test]
    fn values_survive() {
        for text in ["a", "a;b", "\"", "'", " a ", "", "\u{e4}=\u{e4}"] {
            assert_eq!(
                pairs(&format!("k={};x=y", quoted(text))),
                [("k".into(), text.into()), ("x".into(), "y".into())]
            );
        }
    }
}
