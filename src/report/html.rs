//! Pages: elements that are always closed, and texts that are always escaped. Everything from a server is hostile, and this
//! is the only way into the page.

use crate::model::base::text;
use std::fmt::Write as _;

/// Attributes of an element: names are ours, values are escaped.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A page while it is made.
#[derive(Debug, Default)]
pub(super) struct Html {
    out: String,
}

impl Html {
    /// An element with the content that `inside` writes.
    pub fn within(&mut self, tag: &'static str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Self)) {
        self.open(tag, attributes);
        self.out.push('>');
        inside(self);
        // Writing to a String cannot fail.
        let _ = write!(self.out, "</{tag}>");
        if matches!(
            tag,
            "tr" | "p" | "li" | "section" | "table" | "svg" | "details" | "ul" | "pre" | "h1" | "h2" | "h3"
        ) {
            self.out.push('\n');
        }
    }

    /// An element with words in it.
    pub fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, words: &str) {
        self.within(tag, attributes, |html| html.words(words));
    }

    /// An element with nothing in it.
    pub fn empty(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.open(tag, attributes);
        self.out.push_str(" />");
    }

    fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        let _ = write!(self.out, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.out, " {name}=\"");
            escape(&mut self.out, value);
            self.out.push('"');
        }
    }

    /// Words.
    pub fn words(&mut self, words: &str) {
        escape(&mut self.out, words);
    }

    /// A table; columns that begin with `#` hold figures.
    pub fn table(&mut self, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let class = |n: usize| if columns.get(n).is_some_and(|c| c.starts_with('#')) { "n" } else { "t" };
        self.within("div", &[("class", "wide")], |html| {
            html.within("table", &[], |html| {
                html.within("thead", &[], |html| {
                    html.within("tr", &[], |html| {
                        for (n, column) in columns.iter().enumerate() {
                            html.leaf("th", &[("class", class(n))], column.trim_start_matches('#'));
                        }
                    });
                });
                html.within("tbody", &[], |html| {
                    for row in rows {
                        html.within("tr", &[], |html| {
                            for (n, cell) in row.iter().enumerate() {
                                html.leaf("td", &[("class", class(n))], cell);
                            }
                        });
                    }
                });
            });
        });
    }

    /// All of it as a page that loads nothing and runs nothing.
    pub fn page(title: &str, style: &str, inside: impl FnOnce(&mut Self)) -> String {
        let mut html = Self { out: String::from("<!DOCTYPE html>\n") };
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
        html.within("html", &[("lang", "en")], |html| {
            html.within("head", &[], |html| {
                html.empty("meta", &[("charset", "utf-8")]);
                html.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", policy)]);
                html.empty(
                    "meta",
                    &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")],
                );
                html.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
                html.leaf("title", &[], title);
                // Our own, without a character that would need escaping.
                html.within("style", &[], |html| html.out.push_str(style));
            });
            html.within("body", &[], inside);
        });
        html.out
    }
}

/// Writes text: characters of the markup are escaped; those that hide or reorder others are left out.
fn escape(out: &mut String, words: &str) {
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if text::is_harmful(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        let mut html = Html::default();
        html.leaf("p", &[("title", "\" onload='x'")], "</p><script>alert(1)</script>\u{202e}&\u{0}");
        assert_eq!(
            html.out,
            "<p title=\"&quot; onload=&#39;x&#39;\">&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;</p>\n"
        );
    }
}
