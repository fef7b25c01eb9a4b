//! A text in another one, whatever the case: quick, because it is looked for in every row with every key.

/// Bytes that are looked at together.
const CHUNK: usize = 32;

/// Letters and signs from frequent to rare, as they are in SQL and in names; all others are rarer.
const FREQUENT: &[u8] = b" etsaornilcduma_.pfgbhw0y1,";

/// A text to look for.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    /// in lower case
    text: String,
    /// its rarest byte, and where it is
    rare: (u8, usize),
}

impl Needle {
    pub fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let rarity = |byte: u8| FREQUENT.iter().position(|b| *b == byte).unwrap_or(FREQUENT.len());
        let rare = text.bytes().enumerate().max_by_key(|(_, byte)| rarity(*byte));
        let rare = rare.map_or((0, 0), |(at, byte)| (byte | 0x20, at));
        Self { text, rare }
    }

    /// A text that is put together of pieces with blanks between them holds it if, and only if, a piece does.
    pub fn is_within_a_piece(&self) -> bool {
        !self.text.is_empty() && !self.text.contains(' ')
    }

    /// True if `text` holds it. Plain ASCII is searched without a copy.
    pub fn is_in(&self, text: &str) -> bool {
        if !(text.is_ascii() && self.text.is_ascii()) {
            return text.to_lowercase().contains(&self.text);
        }
        let (hay, (rare, at)) = (text.as_bytes(), self.rare);
        if self.text.is_empty() {
            return true;
        }
        let Some(last) = hay.len().checked_sub(self.text.len()) else { return false };
        // Only where the rare byte can be, so that all of the text has room around it.
        let Some(room) = hay.get(at..=last + at) else { return false };
        let is_here = |from: usize| {
            hay.get(from..from + self.text.len())
                .is_some_and(|w| w.eq_ignore_ascii_case(self.text.as_bytes()))
        };
        room.chunks(CHUNK).enumerate().any(|(n, chunk)| {
            // Without a way out, so that the machine looks at many bytes at once.
            let found = chunk.iter().map(|byte| u8::from((byte | 0x20) == rare)).fold(0, |a, b| a | b);
            let mut places = chunk.iter().enumerate().filter(|(_, byte)| (**byte | 0x20) == rare);
            found > 0 && places.any(|(i, _)| is_here(n * CHUNK + i))
        })
    }
}

/// Texts that were searched already while rows are gone through once, by where they stand: rows share texts, and each is searched once.
///
/// It is made for one pass over rows that stay where they are: at an address is another text once the first one is gone.
#[derive(Debug, Default)]
pub struct Seen {
    /// term, address and length of a text, and whether it holds the term
    slots: Vec<(usize, usize, usize, bool)>,
}

impl Seen {
    /// Texts that are remembered; a power of two. The memory stays small, however different the texts are.
    const SLOTS: usize = 4_096;
    /// A shorter one is searched as quickly as it is remembered.
    const SHORT: usize = 24;

    /// Whether a text holds the needle of a term.
    pub(super) fn holds(&mut self, term: usize, needle: &Needle, text: &str) -> bool {
        if text.len() < Self::SHORT {
            return needle.is_in(text);
        }
        if self.slots.is_empty() {
            self.slots = vec![(0, 0, 0, false); Self::SLOTS];
        }
        let (address, len) = (text.as_ptr() as usize, text.len());
        let place = ((address >> 3) ^ (address >> 15) ^ (term << 7)) & (Self::SLOTS - 1);
        match self.slots.get_mut(place) {
            Some(&mut (t, a, l, found)) if (t, a, l) == (term, address, len) => found,
            Some(slot) => {
                let found = needle.is_in(text);
                *slot = (term, address, len, found);
                found
            }
            None => needle.is_in(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(text in "[abAB_@ .é]{0,90}", needle in "[abAB_@ .é]{0,4}") {
            let wanted = text.to_lowercase().contains(&needle.to_lowercase());
            prop_assert_eq!(Needle::new(&needle).is_in(&text), wanted);
        }

        #[test]
        fn it_finds_a_part_of_a_text_wherever_it_is(text in "[ -~]{1,80}", from in 0_usize..80, len in 1_usize..9) {
            let from = from % text.len();
            let part = &text[from..(from + len).min(text.len())];
            prop_assert!(Needle::new(&part.to_ascii_uppercase()).is_in(&text));
        }
    }

    #[test]
    fn a_text_is_searched_for_each_term_of_its_own() {
        let (a, b) = (Needle::new("upd"), Needle::new("delete"));
        let (mut seen, text) = (Seen::default(), "UPDATE dbo.[Order] SET Status = @p1");
        for _ in 0..2 {
            assert!(seen.holds(0, &a, text) && !seen.holds(1, &b, text));
        }
        assert!(!seen.holds(0, &a, &text[6..]), "a part of it is another text");
    }
}
