//! The 256 colours of xterm, for terminals without true colour: the nearest one of a colour, and for text the nearest that can
//! still be read.

/// Red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

/// What text needs at least (WCAG 2.1).
const LEAST: f64 = 4.5;
/// A ground keeps so much of its contrast with the text on it.
const KEPT: f64 = 0.85;

/// A ground for text: the colour, and the index that stands for it.
pub(super) type Ground = (Rgb, u8);

/// The contrast of two colours, 1 to 21 (WCAG 2.1).
pub(super) fn contrast(ink: Rgb, paper: Rgb) -> f64 {
    let part = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.039_28 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |(r, g, b): Rgb| 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    let (x, y) = (luminance(ink), luminance(paper));
    (x.max(y) + 0.05) / (x.min(y) + 0.05)
}

/// A colour of the 6×6×6 cube (levels 0, 95, 135 … 255) or one of the 24 greys. The sixteen before them are the user's.
pub(super) fn rgb(index: u8) -> Option<Rgb> {
    let level = |i: u8| if i == 0 { 0 } else { 55 + 40 * i };
    match index {
        0..16 => None,
        16..232 => {
            let at = index - 16;
            Some((level(at / 36), level(at / 6 % 6), level(at % 6)))
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            Some((grey, grey, grey))
        }
    }
}

/// The nearest of those for which `fits` holds.
fn nearest_that(color: Rgb, fits: impl Fn(Rgb) -> bool) -> Option<u8> {
    let distance = |(r, g, b): Rgb| {
        let d = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        d(color.0, r) + d(color.1, g) + d(color.2, b)
    };
    let all = (16..=255).filter_map(|index| Some((index, rgb(index)?)));
    all.filter(|(_, found)| fits(*found)).min_by_key(|(_, found)| distance(*found)).map(|(index, _)| index)
}

/// The nearest one.
pub(super) fn nearest(color: Rgb) -> u8 {
    nearest_that(color, |_| true).unwrap_or(16)
}

/// The nearest one that does not come much nearer to the text on it.
pub(super) fn ground(paper: Rgb, text: Option<Rgb>) -> Ground {
    let keeps = |found| text.is_none_or(|text| contrast(text, found) >= KEPT * contrast(text, paper));
    (paper, nearest_that(paper, keeps).unwrap_or_else(|| nearest(paper)))
}

/// The nearest one that can be read on each of these grounds, if the colour itself can.
pub(super) fn legible(ink: Rgb, grounds: &[Ground]) -> u8 {
    let needed = |(paper, index): &Ground| (rgb(*index).unwrap_or(*paper), LEAST.min(contrast(ink, *paper)));
    let grounds: Vec<(Rgb, f64)> = grounds.iter().map(needed).collect();
    nearest_that(ink, |found| grounds.iter().all(|(ground, least)| contrast(found, *ground) >= *least))
        .unwrap_or_else(|| nearest(ink))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_colour_has_its_nearest() {
        assert_eq!(nearest((0, 0, 0)), 16);
        assert_eq!(nearest((255, 255, 255)), 231);
        assert_eq!(nearest((255, 0, 0)), 196);
        assert_eq!(nearest((0x80, 0x80, 0x80)), 244);
        for index in 16..=255 {
            let color = rgb(index).unwrap();
            assert_eq!(rgb(nearest(color)), Some(color), "{index}");
        }
    }

    #[test]
    fn ink_stays_legible_and_a_ground_stays_away_from_it() {
        let (grey, paper) = ((0x5f, 0x66, 0x72), (0xdb, 0xe7, 0xf5));
        assert!(contrast(grey, paper) >= LEAST);
        let on = ground(paper, None);
        let shown = |ink: u8| contrast(rgb(ink).unwrap(), rgb(on.1).unwrap());
        assert!(shown(nearest(grey)) < LEAST, "the nearest is not enough");
        assert!(shown(legible(grey, &[on])) >= LEAST);
        // What nobody could read before may stay so.
        let black = ((0, 0, 0), 16);
        assert_eq!(legible((0x40, 0x40, 0x40), &[black]), nearest((0x40, 0x40, 0x40)));
        // The nearest to this blue is a teal that is half as dark.
        let blue = (0x00, 0x3a, 0x66);
        assert_eq!(rgb(ground(blue, None).1), Some((0, 95, 95)));
        assert_eq!(rgb(ground(blue, Some((255, 255, 255))).1), Some((0, 0, 95)));
    }
}
