//! A place in a list, and how the actions that move lead from it to another: the same for tables, lists, texts and reasons.

use crate::tui::action::Action;

/// The place that an action leads to from `at` among `count`, with `page` of them in sight; None if it does not move up or
/// down. Without any, it is the first.
pub fn moved(action: Action, at: usize, count: usize, page: usize) -> Option<usize> {
    let page = page.max(1);
    let half = (page / 2).max(1);
    let to = match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at.saturating_add(1),
        Action::HalfUp => at.saturating_sub(half),
        Action::HalfDown => at.saturating_add(half),
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at.saturating_add(page),
        Action::Home => 0,
        Action::End => usize::MAX,
        _ => return None,
    };
    Some(to.min(count.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_stays_in_the_list_and_goes_its_way() {
        // from, count, page, then up, down, half up, half down, page up, page down, home, end
        for (at, count, page, to) in [
            (0, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]),
            (0, 1, 1, [0, 0, 0, 0, 0, 0, 0, 0]),
            (5, 10, 1, [4, 6, 4, 6, 4, 6, 0, 9]),
            (5, 10, 4, [4, 6, 3, 7, 1, 9, 0, 9]),
            (5, 100, 7, [4, 6, 2, 8, 0, 12, 0, 99]),
            (9, 10, 50, [8, 9, 0, 9, 0, 9, 0, 9]),
            // The list became shorter than the place.
            (20, 3, 5, [2, 2, 2, 2, 2, 2, 0, 2]),
        ] {
            let all = [
                Action::Up,
                Action::Down,
                Action::HalfUp,
                Action::HalfDown,
                Action::PageUp,
                Action::PageDown,
                Action::Home,
                Action::End,
            ];
            let found = all.map(|action| moved(action, at, count, page).unwrap());
            assert_eq!(found, to, "from {at} of {count}, {page} in sight");
        }
        assert_eq!(moved(Action::Left, 3, 9, 2), None);
    }
}
