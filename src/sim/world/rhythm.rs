//! A rate that varies with the time of day and within minutes. Its integral has a closed form, so every counter of the fleet
//! is consistent at any moment without a computation of the moments before.

use super::dice::Dice;
use std::f64::consts::TAU;

const DAY_S: f64 = 86_400.0;
/// Seconds of the waves: the day, half of it, then a flicker whose periods share no factor.
const PERIODS_S: [f64; 6] = [DAY_S, DAY_S / 2.0, 1_847.0, 421.0, 97.0, 23.0];
/// Amplitudes; together below 1, so that the rate never turns negative.
const FLICKER: [f64; 4] = [0.06, 0.07, 0.07, 0.06];

/// A factor around 1 that varies with time. Time is seconds since 1970 in the zone of the instance, so that its busy
/// hour lies in its own working day.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    amplitude: [f64; 6],
    phase: [f64; 6],
}

impl Rhythm {
    /// A rhythm whose day has this much swing (0 to 0.7).
    pub fn new(dice: Dice, swing: f64) -> Self {
        let peak_s = dice.of("peak").between(10.0, 15.5) * 3600.0;
        let mut phase = PERIODS_S.map(|period| dice.at(period as i64).between(0.0, TAU));
        // cos is 1 at the peak
        phase[0] = -TAU * peak_s / DAY_S;
        phase[1] = -TAU * (peak_s - 1.5 * 3600.0) / (DAY_S / 2.0);
        let [a, b, c, d] = FLICKER;
        Self { amplitude: [swing * 0.8, swing * 0.2, a, b, c, d], phase }
    }

    /// A rate of exactly 1: idle threads wait day and night.
    pub const FLAT: Self = Self { amplitude: [0.0; 6], phase: [0.0; 6] };

    /// The factor at one moment.
    pub fn value(&self, at_s: f64) -> f64 {
        let waves = PERIODS_S.iter().zip(self.amplitude).zip(self.phase);
        1.0 + waves
            .map(|((period, amplitude), phase)| amplitude * (TAU * at_s / period + phase).cos())
            .sum::<f64>()
    }

    /// The factor summed over time, in seconds.
    pub fn integral(&self, from_s: f64, to_s: f64) -> f64 {
        self.antiderivative(to_s) - self.antiderivative(from_s)
    }

    /// The factor summed from some fixed moment; only differences mean something.
    pub fn antiderivative(&self, at_s: f64) -> f64 {
        let waves = PERIODS_S.iter().zip(self.amplitude).zip(self.phase);
        let wave = |((period, amplitude), phase): ((&f64, f64), f64)| {
            amplitude * period / TAU * (TAU * at_s / period + phase).sin()
        };
        at_s + waves.map(wave).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_is_the_sum_of_the_rate() {
        let rhythm = Rhythm::new(Dice::new(3), 0.6);
        let (from, to) = (1_800_000_000.0, 1_800_003_600.0);
        let stepped: f64 = (0..36_000).map(|i| rhythm.value(from + 0.05 + f64::from(i) * 0.1) * 0.1).sum();
        let closed = rhythm.integral(from, to);
        assert!((stepped - closed).abs() < 0.01, "{stepped} {closed}");
    }

    #[test]
    fn the_rate_never_turns_negative_and_peaks_in_the_working_day() {
        let rhythm = Rhythm::new(Dice::new(5), 0.65);
        let hour =
            |h: f64| (0..60).map(|m| rhythm.value(h * 3600.0 + f64::from(m) * 60.0)).sum::<f64>() / 60.0;
        assert!((0..86_400).step_by(10).all(|s| rhythm.value(f64::from(s)) > 0.0));
        assert!(hour(13.0) > 2.0 * hour(3.0), "{} {}", hour(13.0), hour(3.0));
    }
}
