//! What the simulator's optimizer makes of a statement: its kind, its tables, the column by which it finds its rows. It knows the
//! texts of `world::texts` and no others.

use crate::sim::world::theme::Theme;

/// Variables that the texts declare: they are no parameters.
const LOCAL: [&str; 6] = ["@skip", "@low", "@day", "@digits", "@n", "@rows"];

/// A statement as it is understood.
#[derive(Debug)]
pub struct Reading<'a> {
    text: &'a str,
    words: Vec<&'a str>,
    theme: &'a Theme,
}

impl<'a> Reading<'a> {
    /// Of a text.
    pub fn of(text: &'a str, theme: &'a Theme) -> Self {
        let first = text.lines().position(|line| !line.trim_start().starts_with("--")).unwrap_or(0);
        let from = text.split_inclusive('\n').take(first).map(str::len).sum::<usize>();
        let text = text.get(from..).unwrap_or(text);
        let words =
            text.split(|c: char| c.is_whitespace() || "(),;".contains(c)).filter(|word| !word.is_empty());
        Self { text, words: words.collect(), theme }
    }

    /// As a plan calls it.
    pub fn kind(&self) -> &'static str {
        let word = |at: usize| self.words.get(at).map(|word| word.to_ascii_uppercase()).unwrap_or_default();
        match (word(0).as_str(), word(1).as_str()) {
            ("SELECT", _) if self.has("INTO") => "SELECT INTO",
            ("SELECT", _) => "SELECT",
            ("UPDATE", "STATISTICS") => "UPDATE STATISTICS",
            ("UPDATE", _) => "UPDATE",
            ("INSERT", "BULK") => "BULK INSERT",
            ("INSERT", _) => "INSERT",
            ("DELETE", _) => "DELETE",
            ("MERGE", _) => "MERGE",
            ("ALTER", _) => "ALTER INDEX",
            ("BACKUP", _) => "BACKUP",
            ("DBCC", _) => "DBCC",
            ("RETURN", _) => "RETURN",
            _ => "ASSIGN",
        }
    }

    /// True if a word stands in it.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known.eq_ignore_ascii_case(word))
    }

    /// The word behind another one.
    pub fn behind(&self, word: &str) -> Option<&'a str> {
        let at = self.words.iter().position(|known| known.eq_ignore_ascii_case(word))?;
        self.words.get(at + 1).copied()
    }

    /// The table from which it takes rows.
    pub fn source(&self) -> &'a str {
        let named = match self.kind() {
            "UPDATE" if !self.has("FROM") => self.behind("UPDATE"),
            "MERGE" => self.behind("MERGE"),
            _ => self.behind("FROM"),
        };
        // A list of keys stands before the table whose rows count.
        named.filter(|table| !table.starts_with(['#', '@'])).unwrap_or(self.theme.table)
    }

    /// The table that it changes or fills.
    pub fn target(&self) -> &'a str {
        match self.kind() {
            "INSERT" | "SELECT INTO" => self.behind("INTO").or_else(|| self.behind("INSERT")),
            "BULK INSERT" => self.behind("BULK"),
            _ => None,
        }
        .unwrap_or_else(|| self.source())
    }

    /// The table below the one that it reads, if it joins that.
    pub fn detail(&self) -> Option<&'static str> {
        let detail = self.theme.detail;
        (detail != self.source() && self.words.contains(&detail)).then_some(detail)
    }

    /// The column that it compares with a parameter, and that.
    pub fn equality(&self) -> Option<(&'a str, &'a str)> {
        let from = self.words.iter().position(|word| word.eq_ignore_ascii_case("WHERE"))?;
        self.words.get(from..)?.windows(3).find_map(|found| match found {
            [column, "=", value] if value.starts_with('@') => {
                Some((column.rsplit('.').next().unwrap_or(column), *value))
            }
            _ => None,
        })
    }

    /// That parameter may be NULL, and all rows are wanted then.
    pub fn is_optional(&self) -> bool {
        let Some((_, value)) = self.equality() else { return false };
        self.words.windows(4).any(|found| *found == [value, "IS", "NULL", "OR"])
    }

    /// True if that column is the key of its table.
    pub fn is_key(&self, column: &str) -> bool {
        let is_busiest = self.source() == self.theme.table;
        column == self.theme.key || !is_busiest && column.ends_with("Id")
    }

    /// Its parameters in their order.
    pub fn parameters(&self) -> Vec<&'a str> {
        let mut all = Vec::new();
        for word in &self.words {
            let name = word.find('@').and_then(|at| word.get(at..)).filter(|name| !name.starts_with("@@"));
            if let Some(name) =
                name.filter(|name| name.len() > 1 && !LOCAL.contains(name) && !all.contains(name))
            {
                all.push(name);
            }
        }
        all
    }

    /// What stands between two words, on one line; the rest where the second one does not come.
    pub fn between(&self, from: &str, to: &[&str]) -> String {
        let is = |word: &str, other: &str| word.eq_ignore_ascii_case(other);
        let tokens: Vec<&str> = self.text.split_whitespace().collect();
        let Some(start) = tokens.iter().position(|word| is(word, from)) else { return String::new() };
        let rest = tokens.get(start + 1..).unwrap_or_default();
        let end = rest.iter().position(|word| to.iter().any(|to| is(word, to))).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().join(" ").trim_end_matches(';').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::world::{texts::TEXTS, theme::THEMES};

    #[test]
    fn every_text_is_understood() {
        let theme = &THEMES[0];
        let told = |at: usize| {
            let filled = TEXTS[at].fill(theme, "orders", 3);
            let units: Vec<u16> = filled.text.encode_utf16().collect();
            let end = if filled.end < 0 { units.len() } else { filled.end as usize / 2 + 1 };
            String::from_utf16(&units[filled.start as usize / 2..end]).unwrap()
        };
        for (at, template) in TEXTS.iter().enumerate() {
            let text = told(at);
            let kind = Reading::of(&text, theme).kind();
            let command = template.command.replace("DBCC TABLE CHECK", "DBCC");
            let command = command.replace("BACKUP DATABASE", "BACKUP").replace("BACKUP LOG", "BACKUP");
            assert_eq!(kind, command, "{text}");
        }
        let of = |at: usize| {
            let text = told(at);
            let read = Reading::of(&text, theme);
            let owned = |text: &str| text.to_owned();
            (
                owned(read.source()),
                read.equality().map(|(column, value)| (owned(column), owned(value))),
                read.parameters().into_iter().map(owned).collect::<Vec<_>>(),
                read.detail().is_some(),
            )
        };
        let by = |column: &str, value: &str| Some((column.to_owned(), value.to_owned()));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let order = "dbo.[Order]".to_owned();
        assert_eq!(of(0), (order.clone(), by("CustomerId", "@p0"), names(&["@p0", "@p1"]), false));
        assert_eq!(of(1), (order.clone(), by("OrderId", "@p0"), names(&["@p1", "@p0"]), false));
        assert_eq!(
            of(3),
            (order.clone(), by("CustomerId", "@Customer"), names(&["@Customer", "@Size"]), true)
        );
        assert_eq!(of(4), (order.clone(), by("OrderId", "@Id"), names(&["@Id"]), true));
        assert_eq!(of(5), ("dbo.OrderLine".to_owned(), None, names(&["@cutoff"]), false));
        assert_eq!(of(7), (order, by("Region", "@Region"), names(&["@Region"]), true));
    }
}
