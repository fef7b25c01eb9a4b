//! When to paint. A frame for a key comes at most every 8 ms. A frame for data comes at most every 33 ms while somebody is at the
//! keys, and twice a second otherwise: every frame costs bytes on the line. Without either the clock of the header asks for one
//! a second. Also keeps the figures of F12.

use super::layer::overlay::Figures;
use crate::model::base::time::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// Shortest time between two frames that data asks for, for [`ATTENDED`] after the start and after a key.
const FRAME: Duration = Duration::from_millis(33);

/// The same when nobody touched a key for a while.
const CALM_FRAME: Duration = Duration::from_millis(500);

/// For how long somebody is at the keys after the last one.
const ATTENDED: Duration = Duration::from_secs(10);

/// Shortest time between two frames that keys ask for: a key must be seen within 16 ms.
const KEY_FRAME: Duration = Duration::from_millis(8);

/// The same on slow lines, and while nobody is at the keys.
const SLOW_FRAME: Duration = Duration::from_secs(1);
const SLOW_CALM_FRAME: Duration = Duration::from_secs(2);

/// Frames and keys that the percentiles look back on.
const WINDOW: usize = 256;

/// The last durations, in microseconds.
#[derive(Debug, Default)]
struct Recent {
    us: Vec<u32>,
    next: usize,
}

impl Recent {
    fn push(&mut self, d: Duration) {
        let us = u32::try_from(d.as_micros()).unwrap_or(u32::MAX);
        if self.us.len() < WINDOW {
            self.us.push(us);
        } else {
            self.us[self.next] = us;
            self.next = (self.next + 1) % WINDOW;
        }
    }

    fn p99(&self) -> u32 {
        let mut sorted = self.us.clone();
        sorted.sort_unstable();
        sorted.get((sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

/// Decides when the next frame is due.
#[derive(Debug)]
pub struct FrameTimer {
    slow: bool,
    last: Instant,
    data: bool,
    key: Option<Instant>,
    /// the start, or the last key
    attended: Instant,
    first: bool,
    frames: Recent,
    keys: Recent,
    figures: Figures,
    bytes_mark: (Instant, u64),
}

impl FrameTimer {
    /// After the first paint.
    pub fn new(slow: bool, now: Instant) -> Self {
        Self {
            slow,
            last: now,
            data: false,
            key: None,
            attended: now,
            first: true,
            frames: Recent::default(),
            keys: Recent::default(),
            figures: Figures::default(),
            bytes_mark: (now, 0),
        }
    }

    /// Sets whether the line is slow.
    pub const fn slow_down(&mut self, slow: bool) {
        self.slow = slow;
    }

    /// The picture may have changed.
    pub const fn data(&mut self) {
        self.data = true;
    }

    /// The user did something at this time.
    pub fn key(&mut self, at: Instant) {
        self.key.get_or_insert(at);
        self.attended = at;
    }

    /// A frame for data is due already: no need to look for more.
    pub const fn waits_for_data(&self) -> bool {
        self.data
    }

    /// When to paint; None if nothing changed.
    pub fn due(&self) -> Option<Instant> {
        if self.key.is_some() {
            Some(self.last + KEY_FRAME)
        } else if self.data {
            let is_attended = self.last < self.attended + ATTENDED;
            Some(
                self.last
                    + match (self.slow && !self.first, is_attended) {
                        (false, true) => FRAME,
                        (false, false) => CALM_FRAME,
                        (true, true) => SLOW_FRAME,
                        (true, false) => SLOW_CALM_FRAME,
                    },
            )
        } else {
            None
        }
    }

    /// Time to the next change of the clock in the header: the next second, or the next minute on slow lines.
    pub const fn until_tick(&self, now: Timestamp) -> Duration {
        let step = if self.slow { 60_000 } else { 1_000 };
        // A little late rather than a little early, which would paint the old second again.
        Duration::from_millis((step - now.ms().rem_euclid(step)) as u64 + 2)
    }

    /// A frame has been painted.
    pub fn painted(&mut self, began: Instant, ended: Instant, bytes: u64) {
        self.last = began;
        self.data = false;
        self.first = false;
        self.frames.push(ended - began);
        if let Some(at) = self.key.take() {
            self.keys.push(ended - at);
            self.figures.key_p99_us = self.keys.p99();
        }
        self.figures.frames += 1;
        self.figures.frame_us = u32::try_from((ended - began).as_micros()).unwrap_or(u32::MAX);
        self.figures.frame_p99_us = self.frames.p99();
        self.figures.bytes = bytes;
        let (since, before) = self.bytes_mark;
        let span = ended - since;
        if span >= Duration::from_secs(5) {
            self.figures.bytes_per_s = ((bytes - before) as f64 / span.as_secs_f64()) as u32;
            self.bytes_mark = (ended, bytes);
        }
    }

    /// For the overlay.
    pub const fn figures(&self) -> Figures {
        self.figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_waits_for_its_turn_and_a_key_goes_first() {
        let t = Instant::now();
        let mut p = FrameTimer::new(false, t);
        assert_eq!(p.due(), None);
        p.data();
        assert_eq!(p.due(), Some(t + FRAME));
        p.key(t + Duration::from_millis(3));
        assert_eq!(p.due(), Some(t + KEY_FRAME));
        p.painted(t + KEY_FRAME, t + KEY_FRAME + Duration::from_millis(1), 100);
        assert_eq!(p.due(), None);
        assert_eq!(p.figures().key_p99_us, 6_000);
    }

    #[test]
    fn a_screen_that_nobody_touches_is_drawn_for_data_twice_a_second_and_a_key_wakes_it() {
        let t = Instant::now();
        let mut p = FrameTimer::new(false, t);
        let later = t + ATTENDED;
        p.painted(later, later, 100);
        p.data();
        assert_eq!(p.due(), Some(later + CALM_FRAME));
        p.key(later);
        p.painted(later + KEY_FRAME, later + KEY_FRAME, 200);
        p.data();
        assert_eq!(p.due(), Some(later + KEY_FRAME + FRAME));
        p.slow_down(true);
        assert_eq!(p.due(), Some(later + KEY_FRAME + SLOW_FRAME));
        p.painted(later + KEY_FRAME + ATTENDED, later + KEY_FRAME + ATTENDED, 300);
        p.data();
        assert_eq!(p.due(), Some(later + KEY_FRAME + ATTENDED + SLOW_CALM_FRAME));
    }

    #[test]
    fn the_clock_asks_for_one_frame_a_second_or_a_minute() {
        let t = Instant::now();
        let at = Timestamp::from_ms(61_250);
        assert_eq!(FrameTimer::new(false, t).until_tick(at), Duration::from_millis(752));
        assert_eq!(FrameTimer::new(true, t).until_tick(at), Duration::from_millis(58_752));
    }
}
