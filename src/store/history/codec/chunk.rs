//! The points of one probe of one instance over one window, as one blob: the times once, then a readable line for every
//! series (its number, how many points, smallest, largest, sum), then the values. Called by the writer when it seals and by
//! the reader for charts; no files here.
//!
//! One blob a probe, not one a series: a row of SQLite costs some fifty bytes beside its blob, and the series of a probe share
//! their times. A series that had no value at some of the times says which: a gap is kept as a gap.

use super::numbers::{Bytes, Garbled, MAX_COLUMN, column, put, put_column, put_signed};

const FORMAT: u8 = 1;
/// A probe has at most so many series: a server has some 1,200 wait types.
pub const MAX_SERIES: usize = 1 << 14;

/// The values of one series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// the number of the series
    pub series: u32,
    /// where in the times each value belongs, ascending
    pub at: Vec<u32>,
    /// whole steps of the metric
    pub values: Vec<i64>,
}

/// The points of one probe over one window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// seconds since 1970, ascending
    pub times: Vec<i64>,
    /// by number of the series, ascending
    pub columns: Vec<Column>,
}

/// The line of a series, which is read without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub series: u32,
    pub n: usize,
    pub min: i64,
    pub max: i64,
    pub sum: i64,
    /// has a value at each of the times
    whole: bool,
    /// bytes of its values
    length: usize,
}

/// A blob with its times and lines read, and the values not.
pub struct Head<'a> {
    pub times: Vec<i64>,
    pub lines: Vec<Line>,
    body: &'a [u8],
}

impl Window {
    /// Adds the values of one poll. The times must come in order. Of several polls in one second the last one counts.
    pub fn push(&mut self, time: i64, points: impl Iterator<Item = (u32, i64)>) {
        if self.times.last() != Some(&time) {
            self.times.push(time);
        }
        let at = self.times.len() as u32 - 1;
        for (series, value) in points {
            let place = match self.columns.binary_search_by_key(&series, |column| column.series) {
                Ok(place) => place,
                Err(place) => {
                    self.columns.insert(place, Column { series, ..Column::default() });
                    place
                }
            };
            let column = &mut self.columns[place];
            if column.at.last() == Some(&at) {
                column.values.pop();
                column.at.pop();
            }
            column.at.push(at);
            column.values.push(value);
        }
    }

    /// One window out of several, whatever their order. Of two values of one series in one second the later window's counts.
    pub fn merge(windows: &[Self]) -> Self {
        let mut polls: Vec<(i64, usize, usize)> = Vec::new();
        for (which, window) in windows.iter().enumerate() {
            polls.extend(window.times.iter().enumerate().map(|(at, time)| (*time, which, at)));
        }
        polls.sort_unstable();
        // Where each poll of each window lands.
        let mut merged = Self::default();
        let mut landed: Vec<Vec<u32>> = windows.iter().map(|window| vec![0; window.times.len()]).collect();
        for (time, which, at) in polls {
            if merged.times.last() != Some(&time) {
                merged.times.push(time);
            }
            landed[which][at] = merged.times.len() as u32 - 1;
        }
        let mut points: Vec<(u32, u32, usize, i64)> = Vec::new();
        for (which, window) in windows.iter().enumerate() {
            for column in &window.columns {
                let pairs = column.at.iter().zip(&column.values);
                points.extend(
                    pairs.map(|(at, value)| (column.series, landed[which][*at as usize], which, *value)),
                );
            }
        }
        points.sort_by_key(|(series, at, which, _)| (*series, *at, *which));
        for (series, at, _, value) in points {
            if merged.columns.last().is_none_or(|column| column.series != series) {
                merged.columns.push(Column { series, ..Column::default() });
            }
            let Some(column) = merged.columns.last_mut() else { continue };
            if column.at.last() == Some(&at) {
                column.at.pop();
                column.values.pop();
            }
            column.at.push(at);
            column.values.push(value);
        }
        merged
    }

    /// The number of values.
    pub fn points(&self) -> usize {
        self.columns.iter().map(|column| column.values.len()).sum()
    }

    /// As a blob. `quick`: for a window that is merged into a larger one soon.
    pub fn encode(&self, quick: bool) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put(&mut out, self.times.len() as u64);
        put_column(&mut out, &self.times, quick);
        put(&mut out, self.columns.len() as u64);
        let mut body = Vec::with_capacity(self.points() * 2);
        let mut before = 0;
        for column in &self.columns {
            let start = body.len();
            let whole = column.at.len() == self.times.len();
            if !whole {
                let at: Vec<i64> = column.at.iter().map(|at| i64::from(*at)).collect();
                put_column(&mut body, &at, quick);
            }
            put_column(&mut body, &column.values, quick);
            put(&mut out, u64::from(column.series - before));
            before = column.series;
            put(&mut out, (column.values.len() as u64) << 1 | u64::from(whole));
            let min = column.values.iter().copied().min().unwrap_or_default();
            let max = column.values.iter().copied().max().unwrap_or_default();
            put_signed(&mut out, min);
            put_signed(&mut out, max.wrapping_sub(min));
            put_signed(&mut out, sum(&column.values));
            put(&mut out, (body.len() - start) as u64);
        }
        out.extend_from_slice(&body);
        out
    }

    /// From a blob.
    pub fn decode(blob: &[u8]) -> Result<Self, Garbled> {
        let head = Head::read(blob)?;
        let columns = (0..head.lines.len()).map(|line| head.column(line)).collect::<Result<_, _>>()?;
        Ok(Self { times: head.times, columns })
    }
}

/// The sum of a column, at most what an `i64` holds.
fn sum(values: &[i64]) -> i64 {
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

impl<'a> Head<'a> {
    /// Reads times and lines.
    pub fn read(blob: &'a [u8]) -> Result<Self, Garbled> {
        let mut from = Bytes(blob);
        if from.byte()? != FORMAT {
            return Err(Garbled);
        }
        let count = from.count(MAX_COLUMN)?;
        let times = column(&mut from, count)?;
        if times.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Garbled);
        }
        let count = from.count(MAX_SERIES)?;
        let mut lines = Vec::with_capacity(count.min(from.0.len()));
        let mut series = 0_u32;
        for nth in 0..count {
            let step = u32::try_from(from.number()?).map_err(|_| Garbled)?;
            if nth > 0 && step == 0 {
                return Err(Garbled);
            }
            series = series.checked_add(step).ok_or(Garbled)?;
            let n = from.count(MAX_COLUMN << 1 | 1)?;
            let (n, whole) = (n >> 1, n & 1 == 1);
            if n > times.len() || whole && n != times.len() {
                return Err(Garbled);
            }
            let min = from.signed()?;
            let max = min.wrapping_add(from.signed()?);
            let sum = from.signed()?;
            lines.push(Line { series, n, min, max, sum, whole, length: from.count(blob.len())? });
        }
        Ok(Self { times, lines, body: from.0 })
    }

    /// The values of line number `line`.
    pub fn column(&self, line: usize) -> Result<Column, Garbled> {
        let found = self.lines.get(line).ok_or(Garbled)?;
        let before: usize = self.lines[..line].iter().map(|line| line.length).sum();
        let mut from = Bytes(self.body);
        from.take(before)?;
        let mut from = Bytes(from.take(found.length)?);
        let at = if found.whole {
            (0..found.n as u32).collect()
        } else {
            let at = column(&mut from, found.n)?;
            let inside = |at: &i64| (0..self.times.len() as i64).contains(at);
            if !at.iter().all(inside) || at.windows(2).any(|pair| pair[0] >= pair[1]) {
                return Err(Garbled);
            }
            at.into_iter().map(|at| at as u32).collect()
        };
        Ok(Column { series: found.series, at, values: column(&mut from, found.n)? })
    }

    /// The points of a series as (seconds, value). Empty if it has none here.
    pub fn points(&self, series: u32) -> Result<Vec<(i64, i64)>, Garbled> {
        let Ok(line) = self.lines.binary_search_by_key(&series, |line| line.series) else {
            return Ok(Vec::new());
        };
        let column = self.column(line)?;
        Ok(column
            .at
            .iter()
            .zip(&column.values)
            .map(|(at, value)| (self.times[*at as usize], *value))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_window() -> impl Strategy<Value = Window> {
        let poll = (1_i64..90, prop::collection::btree_map(1_u32..12, -1000_i64..100_000, 0..6));
        prop::collection::vec(poll, 0..60).prop_map(|polls| {
            let (mut window, mut time) = (Window::default(), 1_900_000_000);
            for (step, points) in polls {
                time += step;
                window.push(time, points.into_iter());
            }
            window
        })
    }

    proptest! {
        #[test]
        fn a_window_comes_back_with_its_gaps(window in any_window(), quick: bool) {
            let blob = window.encode(quick);
            prop_assert_eq!(&Window::decode(&blob).unwrap(), &window);
            let head = Head::read(&blob).unwrap();
            for (line, column) in head.lines.iter().zip(&window.columns) {
                prop_assert_eq!(line.n, column.values.len());
                prop_assert_eq!(Some(line.min), column.values.iter().copied().min());
                prop_assert_eq!(Some(line.max), column.values.iter().copied().max());
                prop_assert_eq!(line.sum, column.values.iter().sum::<i64>());
                let points = head.points(column.series).unwrap();
                let values: Vec<i64> = points.iter().map(|point| point.1).collect();
                prop_assert_eq!(&values, &column.values);
            }
        }

        #[test]
        fn parts_merge_to_the_whole(window in any_window(), cut: prop::sample::Index) {
            let cut = cut.index(window.times.len() + 1);
            let mut parts = [Window::default(), Window::default()];
            for (at, time) in window.times.iter().enumerate() {
                let points = window.columns.iter().filter_map(|column| {
                    let place = column.at.iter().position(|found| *found as usize == at)?;
                    Some((column.series, column.values[place]))
                });
                parts[usize::from(at >= cut)].push(*time, points);
            }
            prop_assert_eq!(&Window::merge(&parts), &window);
            parts.reverse();
            prop_assert_eq!(&Window::merge(&parts), &window);
        }

        #[test]
        fn a_damaged_blob_is_no_panic(window in any_window(), at: prop::sample::Index, byte: u8) {
            let mut blob = window.encode(false);
            let at = at.index(blob.len());
            blob[at] = byte;
            let _ = Window::decode(&blob);
            blob.truncate(at);
            let _ = Window::decode(&blob);
        }
    }

    #[test]
    fn two_polls_in_one_second_leave_the_later_value() {
        let mut window = Window::default();
        window.push(10, [(1, 5), (2, 6)].into_iter());
        window.push(10, [(1, 7)].into_iter());
        assert_eq!(window.times, [10]);
        assert_eq!(window.columns[0].values, [7]);
        assert_eq!(window.columns[1].values, [6]);
        let mut later = Window::default();
        later.push(10, [(1, 9)].into_iter());
        assert_eq!(Window::merge(&[window, later]).columns[0].values, [9]);
    }
}
