//! Which characters the terminal knows, by the locale that the environment names. A terminal cannot be asked.

/// What the system tries for the kind of characters, the strongest first.
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// The locale in force if its characters are not UTF-8, such as `C`. Without any, and on systems that name none, terminals of
/// today are UTF-8.
pub fn other_than_utf8() -> Option<String> {
    named(|name| std::env::var(name).ok())
}

fn named(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let locale = VARIABLES.into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()))?;
    let charset = locale.to_ascii_lowercase().replace('-', "");
    (!charset.contains("utf8")).then_some(locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_variable_that_is_not_empty_counts() {
        type Set<'a> = &'a [(&'a str, &'a str)];
        let cases: [(Set<'_>, Option<&str>); 9] = [
            (&[], None),
            (&[("LANG", "de_DE.UTF-8")], None),
            (&[("LANG", "C.utf8")], None),
            (&[("LANG", "C")], Some("C")),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "POSIX")], Some("POSIX")),
            (&[("LANG", "C"), ("LC_CTYPE", "C.UTF-8")], None),
            (&[("LANG", "en_US.ISO-8859-1"), ("LC_ALL", "")], Some("en_US.ISO-8859-1")),
            (&[("LC_CTYPE", "de_DE@euro"), ("LANG", "C.UTF-8")], Some("de_DE@euro")),
            (&[("LC_ALL", "UTF-8")], None),
        ];
        for (set, other) in cases {
            let found =
                named(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()));
            assert_eq!(found.as_deref(), other, "{set:?}");
        }
    }
}
