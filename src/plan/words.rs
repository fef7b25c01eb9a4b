//! Conditions as people write them. A plan spells every column with its database, schema and table, which leaves no room for
//! the condition itself: `[orders].[dbo].[Order].[Placed] as [o].[Placed]>=[@from]` is `o.Placed>=@from`. Called by panes.

/// Columns by the name of their table or its alias, parameters without brackets. Literals stay as they are.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // A bracket that nothing closes: nothing closes one behind it either, and nobody need look for that again.
    let mut is_open = false;
    while let Some(at) = rest.find(['[', '\'']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = if after.starts_with('\'') {
            // A doubled quote ends a literal and begins the next one.
            let end = after.get(1..).and_then(|inside| inside.find('\'')).map_or(after.len(), |end| end + 2);
            out.push_str(after.get(..end).unwrap_or_default());
            end
        } else if let Some((name, end)) = (!is_open).then(|| chain(after)).flatten() {
            let alias = after.get(end..).and_then(|rest| rest.strip_prefix(" as ")).and_then(chain);
            let (shown, end) = alias.map_or((name, end), |(alias, more)| (alias, end + " as ".len() + more));
            push_name(&mut out, &shown);
            end
        } else {
            is_open = true;
            out.push('[');
            1
        };
        rest = after.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The parts of a name that begins a text, `[a].[b]`, and where it ends; None: it is none.
fn chain(text: &str) -> Option<(Vec<&str>, usize)> {
    let (first, mut end) = bracketed(text)?;
    let mut parts = vec![first];
    while let Some((part, length)) = text.get(end..)?.strip_prefix('.').and_then(bracketed) {
        parts.push(part);
        end += ".".len() + length;
    }
    Some((parts, end))
}

/// What stands in the brackets that begin a text, and how long it is with them. A doubled `]` is one that is meant.
fn bracketed(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix('[')?;
    let mut from = 0;
    loop {
        let end = from + inside.get(from..)?.find(']')?;
        if !inside.get(end + 1..)?.starts_with(']') {
            return Some((inside.get(..end)?, end + 2));
        }
        from = end + 2;
    }
}

/// The last two parts of a name; brackets stay around what needs them.
fn push_name(out: &mut String, parts: &[&str]) {
    let shown = parts.get(parts.len().saturating_sub(2)..).unwrap_or_default();
    for (n, part) in shown.iter().enumerate() {
        if n > 0 {
            out.push('.');
        }
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '$');
        if !part.is_empty() && part.chars().all(is_plain) {
            out.push_str(part);
        } else {
            out.extend(["[", part, "]"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;
    use crate::plan::pace::assert_linear;
    use proptest::prelude::*;

    #[test]
    fn columns_have_the_name_by_which_the_statement_knows_them() {
        for (from, to) in [
            ("[orders].[dbo].[Order].[Placed] as [o].[Placed]>=[@from]", "o.Placed>=@from"),
            (
                "CONVERT_IMPLICIT(nvarchar(20),[orders].[dbo].[Order].[No] as [o].[No],0)=[@c]",
                "CONVERT_IMPLICIT(nvarchar(20),o.No,0)=@c",
            ),
            ("[web].[dbo].[Users].[Id]=(1) AND [Expr1006]>(0)", "Users.Id=(1) AND Expr1006>(0)"),
            ("[db].[dbo].[f]([t].[Odd name])", "dbo.f(t.[Odd name])"),
            ("[t].[a]]b] as [x].[a]]b]", "x.[a]]b]"),
            ("[t].[Name]=N'[a].[b] it''s [c]'", "t.Name=N'[a].[b] it''s [c]'"),
            ("x as [o]", "x as o"),
            ("[open", "[open"),
            ("'open [a]", "'open [a]"),
            ("[]", "[]"),
            ("", ""),
        ] {
            assert_eq!(plain(from), to, "{from}");
        }
    }

    #[test]
    fn a_longer_condition_takes_longer_in_proportion() {
        for of in ["[", "[a].", "[a].[", "[]", "[]]", "'", "[a] as [", "]["] {
            assert_linear(of, |text| drop(std::hint::black_box(plain(text))));
        }
    }

    proptest! {
        #[test]
        fn any_text_holds_and_grows_no_longer(text in "[\\[\\]'. as日@]{0,60}|\\PC{0,40}") {
            prop_assert!(plain(&text).len() <= text.len());
        }
    }
}
