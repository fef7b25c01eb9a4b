//! Texts and pictures for a terminal that knows ASCII only: every character becomes one that means the same and is as wide as a
//! letter, or `?`. The screen and tables of sub-commands call it where the locale is not UTF-8.

use unicode_width::UnicodeWidthChar;

/// A run of characters that grow in this order, and what they become.
const RAMPS: [(&str, &[u8]); 4] = [
    // sparklines, bars and areas: height, then width of a cell
    ("▁▂▃▄▅▆▇█", b"_.-=+*%#"),
    ("▏▎▍▌▋▊▉", b"...--=="),
    ("░▒▓", b".:%"),
    // health, worst first; what is not known is a question
    ("✖▲●○◌", b"X!o?."),
];

/// Single characters and what they become.
const SIGNS: [(&str, char); 25] = [
    ("─━┄┈╌–—−‐‑", '-'),
    ("│┃┆┊", '|'),
    ("┌┐└┘├┤┬┴┼╭╮╯╰", '+'),
    ("→▶▸›»", '>'),
    ("←◀‹«", '<'),
    ("↑▴△", '^'),
    ("↓▾▽", 'v'),
    ("·…•", '.'),
    ("×✕", 'x'),
    ("÷", '/'),
    ("⏎", '~'),
    ("★✓", '*'),
    ("■▪", '#'),
    ("❚", '|'),
    ("‘’‚", '\''),
    ("“”„", '"'),
    ("\u{a0}", ' '),
    ("≥", '>'),
    ("≤", '<'),
    ("↺", '@'),
    ("µ", 'u'),
    ("°", 'o'),
    ("±", '~'),
    ("▖▗▘▝", '.'),
    ("▀▐▚▞▙▛▜▟", '#'),
];

/// The sign in place of one character; None: it is a part of the character before it.
pub fn sign(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    if c.width() == Some(0) {
        return None;
    }
    let ramp = |(from, to): &(&str, &[u8])| {
        from.chars().zip(to.iter()).find_map(|(known, sign)| (known == c).then_some(char::from(*sign)))
    };
    let found = RAMPS.iter().find_map(ramp);
    let found = found.or_else(|| SIGNS.iter().find_map(|(from, to)| from.contains(c).then_some(*to)));
    Some(found.unwrap_or_else(|| dots(c).unwrap_or('?')))
}

/// A braille pattern by how much of it is there: charts are drawn with them.
fn dots(c: char) -> Option<char> {
    let pattern = u32::from(c).checked_sub(0x2800).filter(|pattern| *pattern <= 0xff)?;
    Some(match pattern.count_ones() {
        0 => ' ',
        1..=2 => '.',
        3..=5 => ':',
        _ => '#',
    })
}

/// A text in ASCII. What was as wide as two letters stays as wide.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if let Some(sign) = sign(c) {
            out.push(sign);
            if !c.is_ascii() && c.width() == Some(2) {
                out.push(sign);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn what_is_drawn_keeps_its_meaning() {
        for (from, to) in [
            ("▶ LIVE", "> LIVE"),
            ("✖ ▲ ○ ●", "X ! ? o"),
            ("╭─ Fleet ─╮", "+- Fleet -+"),
            ("▁▂▃▄▅▆▇█", "_.-=+*%#"),
            ("n/a – …", "n/a - ."),
            ("größer 日本", "gr??er ????"),
            ("e\u{301}", "e"),
            ("⠀⡀⣿", " .#"),
        ] {
            assert_eq!(text(from), to);
        }
    }

    proptest! {
        #[test]
        fn it_is_ascii_and_as_wide_as_before(from in "[ -~¡-ÿ─-◿⠀-⣿一-丏]{0,20}") {
            let to = text(&from);
            prop_assert!(to.is_ascii(), "{to:?}");
            prop_assert_eq!(to.width(), from.width());
        }
    }
}
