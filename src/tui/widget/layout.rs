//! How the columns of a table share its width: important ones first, the rest behind them for scrolling sideways. Pure
//! arithmetic over what each column wants; [`super::table`] calls it for every frame.

use super::column::{Content, Shape};

/// Below this width of the screen every text gives way to the figures.
const NARROW: u16 = 60;

/// Width below which no text goes there.
const NARROW_TEXT: u16 = 14;

/// Columns of this rank and above come only after the growing ones have the width that they want.
pub const COMFORT: u8 = 5;

/// Columns of this rank and above come only after the growing ones are roomy and texts are whole.
pub const LUXURY: u8 = 10;

/// Where a column is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// index into the widths that were asked for
    pub slot: usize,
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

/// The room that is to be shared.
struct Share<'a> {
    wants: &'a [Shape],
    /// blanks between columns
    gap: u16,
    /// width without the margins
    room: u16,
    total: u16,
}

impl Layout {
    /// Chooses the columns for a width. Those that fit by rank come in their declared order, all others behind them;
    /// `left` of them are scrolled away behind the frozen ones. Returns the layout and `left` clamped.
    pub fn fit(wants: &[Shape], total: u16, left: usize) -> (Self, usize) {
        let gap = if total < 100 { 1 } else { 2 };
        let share = Share { wants, gap, room: total.saturating_sub(2), total };
        let chosen = share.choose();
        let (mut order, rest): (Vec<usize>, Vec<usize>) = (0..wants.len()).partition(|i| chosen[*i]);
        order.extend(rest);
        let (frozen, scrolled): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|i| wants[*i].frozen);
        let by_choice = scrolled.iter().filter(|i| chosen[**i]).count();
        let (left, mut count) = share.window(&frozen, &scrolled, left);
        if left == 0 {
            count = by_choice;
        }
        let mut in_sight = frozen;
        in_sight.extend(scrolled.iter().skip(left).take(count));
        let more_right = left + count < scrolled.len();
        (Self { places: share.spread(&in_sight), more_left: left > 0, more_right }, left)
    }
}

impl Share<'_> {
    /// The min width of a column here.
    fn min(&self, i: usize) -> u16 {
        match &self.wants[i] {
            // Names in frozen columns are cut last.
            w if w.frozen && self.total >= NARROW => w.ideal,
            w if w.content != Content::Number && self.total < NARROW => w.min.min(w.ideal).min(NARROW_TEXT),
            w => w.min.min(w.ideal),
        }
    }

    /// Blanks before a column.
    fn before(&self, i: usize) -> u16 {
        match self.wants[i].content {
            Content::Text | Content::Number => self.gap,
            Content::Sign | Content::Picture => 1,
        }
    }

    /// Takes columns by rank for as long as they fit.
    fn choose(&self) -> Vec<bool> {
        let mut by_rank: Vec<usize> = (0..self.wants.len()).collect();
        by_rank.sort_by_key(|i| self.wants[*i].rank);
        let mut chosen = vec![false; self.wants.len()];
        let mut used = 0;
        // Below that rank a column is worth more than long texts; from that rank on, less.
        let growing = || self.wants.iter().enumerate().filter(|(_, w)| w.grow);
        let wanted: u16 = growing().map(|(i, w)| w.ideal - self.min(i)).sum();
        let roomy: u16 = growing().map(|(i, w)| w.roomy.max(w.ideal) - self.min(i)).sum();
        // A text that is short says less; a figure under a short title says the same.
        let is_short = |w: &&Shape| w.whole && w.content == Content::Text && w.rank < LUXURY;
        let short: u16 = self.wants.iter().filter(is_short).map(|w| w.ideal - w.min.min(w.ideal)).sum();
        let mut reserve = 0;
        for i in by_rank {
            let cost = self.min(i) + if used == 0 { 0 } else { self.before(i) };
            reserve = match self.wants[i].rank {
                LUXURY.. => roomy + short,
                COMFORT.. => wanted,
                _ => reserve,
            };
            if used > 0 && used + cost + reserve > self.room {
                break;
            }
            used += cost;
            chosen[i] = true;
        }
        chosen
    }

    /// How many scrolled columns can be seen from `left` on; `left` is taken back while the last one has room to spare.
    fn window(&self, frozen: &[usize], scrolled: &[usize], left: usize) -> (usize, usize) {
        let fixed: u16 = frozen.iter().map(|i| self.min(*i) + self.before(*i)).sum();
        let fits = |from: usize| {
            let mut used = fixed;
            let mut n = 0;
            for i in scrolled.iter().skip(from) {
                let cost = self.min(*i) + if used == 0 { 0 } else { self.before(*i) };
                if used + cost > self.room + self.gap && n > 0 {
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

    /// Assigns each column its min width, then the width that it wants, then the rest to growing columns.
    fn spread(&self, in_sight: &[usize]) -> Vec<Place> {
        let mut widths: Vec<u16> = in_sight.iter().map(|i| self.min(*i)).collect();
        let gaps: u16 = in_sight.iter().skip(1).map(|i| self.before(*i)).sum();
        let mut spare = self.room.saturating_sub(widths.iter().sum::<u16>() + gaps);
        // Long texts come first: a narrow figure is worth less than a readable statement.
        for first in [true, false] {
            for (w, i) in widths.iter_mut().zip(in_sight).filter(|(_, i)| self.wants[**i].grow == first) {
                let more = self.wants[*i].ideal.saturating_sub(*w);
                let more = if self.wants[*i].whole && more > spare { 0 } else { more.min(spare) };
                *w += more;
                spare -= more;
            }
        }
        let growing = in_sight.iter().filter(|i| self.wants[**i].grow).count() as u16;
        if let Some(each) = spare.checked_div(growing) {
            let mut odd = spare % growing;
            for (w, i) in widths.iter_mut().zip(in_sight) {
                if self.wants[*i].grow {
                    *w += each + u16::from(odd > 0);
                    odd = odd.saturating_sub(1);
                }
            }
        }
        // Where none grows, a last text that may be cut takes it: nothing else moves.
        if growing == 0
            && let (Some(w), Some(i)) = (widths.last_mut(), in_sight.last())
            && self.wants[*i].content == Content::Text
        {
            *w += spare;
        }
        let mut x = 1;
        let mut places = Vec::with_capacity(in_sight.len());
        for (n, (width, i)) in widths.into_iter().zip(in_sight).enumerate() {
            x += if n == 0 { 0 } else { self.before(*i) };
            places.push(Place { slot: *i, x, width });
            x += width;
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::column::{self, Kind};

    enum Servers {}

    impl Kind for Servers {
        type Row<'a> = ();
    }

    type Column = column::Column<Servers>;

    const COLUMNS: [Column; 5] = [
        Column::text("name", "NAME", 10, 0).frozen(),
        Column::text("why", "WHY", 40, 0).at_least(10).growing(),
        Column::number("cpu", "CPU", 5, 1),
        Column::text("top", "TOP", 10, 3),
        Column::number("age", "AGE", 4, 2),
    ];

    fn fit(columns: &[Column], total: u16, left: usize) -> Layout {
        let wants: Vec<Shape> = columns.iter().map(|c| c.shape).collect();
        Layout::fit(&wants, total, left).0
    }

    fn names(total: u16, left: usize) -> (Vec<&'static str>, Layout) {
        let l = fit(&COLUMNS, total, left);
        (l.places.iter().map(|p| COLUMNS[p.slot].title).collect(), l)
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
    fn a_title_is_short_where_a_text_needs_the_room() {
        const BOTH: [Column; 2] = [
            Column::number("blocked", "BLOCKED", 7, 0).or("BLK", 4),
            Column::text("why", "WHY", 40, 0).at_least(10).growing(),
        ];
        let head = |total| {
            let width = fit(&BOTH, total, 0).places[0].width;
            (BOTH[0].title_within(width), width)
        };
        assert_eq!(head(50), ("BLOCKED", 7), "two margins, 7, a blank, 40");
        assert_eq!(head(49), ("BLK", 4), "the rest goes to the text");
    }

    #[test]
    fn a_last_text_is_not_cut_beside_blanks() {
        const FIGURES: [Column; 1] = [Column::number("held", "HOLDS", 8, 0)];
        const PARTS: [Column; 3] = [
            Column::number("held", "HOLDS", 8, 0),
            Column::text("program", "PROGRAM", 20, 1).at_least(10),
            Column::text("statement", "STATEMENT", 40, 2).growing(),
        ];
        let last = |total: u16| fit(&PARTS, total, 0).places.last().map(|place| (place.slot, place.width));
        assert_eq!(last(61), Some((1, 50)), "no room for the statement: all of it is the program's");
        assert_eq!(last(90), Some((2, 58)), "the program keeps the width that it wants");
        assert_eq!(fit(&FIGURES, 50, 0).places[0].width, 8, "a figure stays under its title");
    }

    #[test]
    fn any_width_holds() {
        for w in 0..200 {
            for left in 0..8 {
                let l = fit(&COLUMNS, w, left);
                for p in l.places.windows(2) {
                    assert!(p[0].x + p[0].width <= p[1].x, "{w} {left} {:?}", l.places);
                }
            }
        }
    }
}
