//! Columns of a table and how they share the width: important ones first, the rest behind them for scrolling sideways.

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// head line; empty for a picture that belongs to the column before it
    pub title: &'static str,
    /// width it wants
    pub width: u16,
    /// width below which it is left out
    pub min: u16,
    /// takes its share of what is left over
    pub grow: bool,
    /// width it has before columns of rank [`LUXURY`] come
    pub roomy: u16,
    /// numbers: aligned right, greatest first when sorted
    pub right: bool,
    /// 0: always there; the greater, the sooner it makes room
    pub rank: u8,
    /// does not scroll sideways
    pub frozen: bool,
}

impl Column {
    /// A text column.
    pub const fn text(title: &'static str, width: u16, rank: u8) -> Self {
        Self { title, width, min: width, grow: false, roomy: width, right: false, rank, frozen: false }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str, width: u16, rank: u8) -> Self {
        Self { title, width, min: width, grow: false, roomy: width, right: true, rank, frozen: false }
    }

    /// May be as narrow as this.
    #[must_use]
    pub const fn at_least(mut self, min: u16) -> Self {
        self.min = min;
        self
    }

    /// Takes what is left over.
    #[must_use]
    pub const fn growing(mut self) -> Self {
        self.grow = true;
        self
    }

    /// Shall be this wide before the least important columns come.
    #[must_use]
    pub const fn roomy(mut self, width: u16) -> Self {
        self.roomy = width;
        self
    }

    /// Stays when the rest scrolls.
    #[must_use]
    pub const fn frozen(mut self) -> Self {
        self.frozen = true;
        self
    }
}

/// Below this width of the screen every text gives way to the figures.
const NARROW: u16 = 60;

/// Width below which no text goes there.
const NARROW_TEXT: u16 = 14;

/// Columns of this rank and above come only after the growing ones have the width that they want.
pub const COMFORT: u8 = 5;

/// Columns of this rank and above come only after the growing ones are roomy.
pub const LUXURY: u8 = 10;

/// Where a column is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// index into the columns
    pub column: usize,
    /// first screen column
    pub x: u16,
    /// width
    pub width: u16,
}

/// The columns in sight.
#[derive(Debug, Default)]
pub struct Layout {
    /// left to right
    pub places: Vec<Place>,
    /// there are columns to the left
    pub more_left: bool,
    /// there are columns to the right
    pub more_right: bool,
}

impl Layout {
    /// Chooses the columns for a width. Those that fit by rank come in their declared order, all others behind them;
    /// `left` of them are scrolled away behind the frozen ones. Returns the layout and `left` clamped.
    pub fn fit(
        columns: &[Column],
        widths: &[Option<u16>],
        hidden: &[bool],
        total: u16,
        left: usize,
    ) -> (Self, usize) {
        let gap = if total < 100 { 1 } else { 2 };
        let room = total.saturating_sub(2);
        let shown = |i: usize| !hidden.get(i).copied().unwrap_or(false);
        let wish = |i: usize| widths.get(i).copied().flatten().unwrap_or(columns[i].width);
        // Names in frozen columns are cut last.
        let min = |i: usize| match &columns[i] {
            c if c.frozen && total >= NARROW => wish(i),
            c if !c.right && total < NARROW => c.min.min(wish(i)).min(NARROW_TEXT),
            c => c.min.min(wish(i)),
        };
        let mut by_rank: Vec<usize> = (0..columns.len()).filter(|i| shown(*i)).collect();
        by_rank.sort_by_key(|i| columns[*i].rank);
        let mut chosen = vec![false; columns.len()];
        let mut used = 0;
        // Below that rank a column is worth more than long texts, from there on less.
        let growing = || (0..columns.len()).filter(|i| shown(*i) && columns[*i].grow);
        let wanted: u16 = growing().map(|i| wish(i) - min(i)).sum();
        let roomy: u16 = growing().map(|i| columns[i].roomy.max(wish(i)) - min(i)).sum();
        let mut reserve = 0;
        for i in by_rank {
            let cost = min(i) + if used == 0 { 0 } else { before(&columns[i], gap) };
            reserve = match columns[i].rank {
                LUXURY.. => roomy,
                COMFORT.. => wanted,
                _ => reserve,
            };
            if used > 0 && used + cost + reserve > room {
                break;
            }
            used += cost;
            chosen[i] = true;
        }
        let all = (0..columns.len()).filter(|i| shown(*i));
        let (mut order, rest): (Vec<usize>, Vec<usize>) = all.partition(|i| chosen[*i]);
        order.extend(rest);
        let (frozen, scrolled): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|i| columns[*i].frozen);
        let by_choice = scrolled.iter().filter(|i| chosen[**i]).count();
        let (left, mut count) = window(columns, &frozen, &scrolled, left, room, gap, &min);
        if left == 0 {
            count = by_choice;
        }
        let mut in_sight = frozen;
        in_sight.extend(scrolled.iter().skip(left).take(count));
        let more_right = left + count < scrolled.len();
        (
            Self {
                places: spread(columns, &in_sight, room, gap, &wish, &min),
                more_left: left > 0,
                more_right,
            },
            left,
        )
    }
}

/// Blanks before a column: a picture without a title leans on the column before it.
const fn before(column: &Column, gap: u16) -> u16 {
    if column.title.is_empty() { 1 } else { gap }
}

/// How many scrolled columns can be seen from `left` on; `left` is taken back while the last one has room to spare.
fn window(
    columns: &[Column],
    frozen: &[usize],
    scrolled: &[usize],
    left: usize,
    room: u16,
    gap: u16,
    min: &impl Fn(usize) -> u16,
) -> (usize, usize) {
    let fixed: u16 = frozen.iter().map(|i| min(*i) + before(&columns[*i], gap)).sum();
    let fits = |from: usize| {
        let mut used = fixed;
        let mut n = 0;
        for i in scrolled.iter().skip(from) {
            let cost = min(*i) + if used == 0 { 0 } else { before(&columns[*i], gap) };
            if used + cost > room + gap && n > 0 {
                break;
            }
            used += cost;
            n += 1;
        }
        n
    };
    let mut left = left.min(scrolled.len().saturating_sub(1));
    while left > 0 && left - 1 + fits(left - 1) >= scrolled.len() {
        left -= 1;
    }
    (left, fits(left))
}

/// Gives each column its least, then what it wants, then the rest to those that grow.
fn spread(
    columns: &[Column],
    in_sight: &[usize],
    room: u16,
    gap: u16,
    wish: &impl Fn(usize) -> u16,
    min: &impl Fn(usize) -> u16,
) -> Vec<Place> {
    let mut widths: Vec<u16> = in_sight.iter().map(|i| min(*i)).collect();
    let gaps: u16 = in_sight.iter().skip(1).map(|i| before(&columns[*i], gap)).sum();
    let mut spare = room.saturating_sub(widths.iter().sum::<u16>() + gaps);
    // Long texts come first: a narrow figure is worth less than a readable statement.
    for first in [true, false] {
        for (w, i) in widths.iter_mut().zip(in_sight).filter(|(_, i)| columns[**i].grow == first) {
            let more = wish(*i).saturating_sub(*w).min(spare);
            *w += more;
            spare -= more;
        }
    }
    let growing = in_sight.iter().filter(|i| columns[**i].grow).count() as u16;
    if let Some(each) = spare.checked_div(growing) {
        let mut odd = spare % growing;
        for (w, i) in widths.iter_mut().zip(in_sight) {
            if columns[*i].grow {
                *w += each + u16::from(odd > 0);
                odd = odd.saturating_sub(1);
            }
        }
    }
    let mut x = 1;
    let mut places = Vec::with_capacity(in_sight.len());
    for (n, (width, i)) in widths.into_iter().zip(in_sight).enumerate() {
        x += if n == 0 { 0 } else { before(&columns[*i], gap) };
        places.push(Place { column: *i, x, width });
        x += width;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 5] = [
        Column::text("NAME", 10, 0).frozen(),
        Column::text("WHY", 40, 0).at_least(10).growing(),
        Column::number("CPU", 5, 1),
        Column::text("TOP", 10, 3),
        Column::number("AGE", 4, 2),
    ];

    fn names(total: u16, left: usize) -> (Vec<&'static str>, Layout) {
        let (l, _) = Layout::fit(&COLUMNS, &[], &[], total, left);
        (l.places.iter().map(|p| COLUMNS[p.column].title).collect(), l)
    }

    #[test]
    fn wide_shows_all_and_the_growing_one_takes_the_rest() {
        let (n, l) = names(120, 0);
        assert_eq!(n, ["NAME", "WHY", "CPU", "TOP", "AGE"]);
        let last = l.places.last().unwrap();
        assert_eq!(last.x + last.width, 119, "one column of margin");
        assert!(!l.more_right && !l.more_left);
    }

    #[test]
    fn narrow_drops_by_rank_and_scrolling_reaches_the_rest() {
        let (n, l) = names(34, 0);
        assert_eq!(n, ["NAME", "WHY", "CPU", "AGE"]);
        assert!(l.more_right);
        let (n, l) = names(34, 9);
        assert_eq!(n[0], "NAME", "the frozen column stays");
        assert_eq!(*n.last().unwrap(), "TOP");
        assert!(l.more_left && !l.more_right);
    }

    #[test]
    fn any_width_holds() {
        for w in 0..200 {
            for left in 0..8 {
                let (l, _) = Layout::fit(&COLUMNS, &[], &[], w, left);
                for p in l.places.windows(2) {
                    assert!(p[0].x + p[0].width <= p[1].x, "{w} {left} {:?}", l.places);
                }
            }
        }
    }
}
