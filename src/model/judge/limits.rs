//! The limits of the figures that health is judged by: from where on a figure is a warning, from where on it is critical, and
//! where that ends. One table says all of it: `[health]` of the configuration has an option for each number in it, the rules of
//! `score` judge by it, charts draw it, and whatever else watches a figure reads the same row. It knows no verdicts.

use serde::{Deserialize, Serialize};

/// Where a reason ends whose row says nothing of it, as a part of its warning.
const USUAL_CLEAR: f64 = 0.95;

/// The limits of one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// a warning from here on
    pub warning: f64,
    /// critical from here on
    pub critical: f64,
    /// a warning that is in force ends here, on the good side of its limit: what hovers at a limit is one warning
    pub clear: f64,
    /// what is critical is a warning again from here on
    pub calm: f64,
    /// the figure is bad when it is low
    pub low_is_bad: bool,
}

impl Limits {
    /// Further on the bad side than one of them.
    pub fn is_beyond(&self, limit: f64, value: f64) -> bool {
        if self.low_is_bad { value < limit } else { value > limit }
    }

    /// The figure is critical by itself, whatever is in force.
    pub fn is_critical(&self, value: f64) -> bool {
        if self.low_is_bad { value <= self.critical } else { value >= self.critical }
    }

    /// The figure is a warning at least.
    pub fn is_warning(&self, value: f64) -> bool {
        self.is_critical(value) || self.is_beyond(self.warning, value)
    }
}

/// One row of the table with its values: the names of its three options, and their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// warning, critical, clear
    pub names: [&'static str; 3],
    /// in the same order
    pub values: [f64; 3],
    /// as the table has them
    pub defaults: [f64; 3],
    /// the figure is bad when it is low
    pub low_is_bad: bool,
    /// warning and critical of 0 mean that nobody judges it
    pub may_be_off: bool,
}

impl Row {
    /// Whether `one` is further on the good side than `other`, or the same.
    fn is_better(&self, one: f64, other: f64) -> bool {
        if self.low_is_bad { one >= other } else { one <= other }
    }

    /// True if nobody judges the figure.
    pub fn is_off(&self) -> bool {
        self.may_be_off && self.values[0] == 0.0 && self.values[1] == 0.0
    }

    /// Warning and critical are in order.
    pub fn is_ordered(&self) -> bool {
        let [warning, critical, _] = self.values;
        warning >= 0.0 && critical >= 0.0 && self.is_better(warning, critical)
    }

    /// The clear value lies on the good side of the warning, or nobody has touched it: then it follows the warning.
    pub fn is_clear_right(&self) -> bool {
        let [warning, _, clear] = self.values;
        let untouched = clear.to_bits() == self.defaults[2].to_bits();
        self.is_off() || untouched || clear >= 0.0 && self.is_better(clear, warning)
    }

    /// Its limits; None if nobody judges the figure.
    fn limits(&self) -> Option<Limits> {
        let [warning, critical, clear] = self.values;
        if self.is_off() {
            return None;
        }
        let [usual_warning, _, usual_clear] = self.defaults;
        let usual = if usual_warning > 0.0 { usual_clear / usual_warning } else { USUAL_CLEAR };
        // A clear value that a moved warning has left behind keeps its distance, as a part of the warning.
        let has_own = clear > 0.0 && self.is_better(clear, warning);
        let part = if has_own && warning > 0.0 { clear / warning } else { usual };
        let clear = if has_own { clear } else { warning * part };
        Some(Limits { warning, critical, clear, calm: critical * part, low_is_bad: self.low_is_bad })
    }
}

macro_rules! limits {
    ($(
        $(#[doc = $about:literal])+
        $gauge:ident $sense:ident $judged:ident $type:ident:
        $warning:ident $usual_warning:literal, $critical:ident $usual_critical:literal, $clear:ident $usual_clear:literal;
    )+) => {
        /// A figure that has limits.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Gauge {
            $($(#[doc = $about])+ $gauge,)+
        }

        /// The limits of all figures, as options of the configuration.
        /// In files by name: fields and variants keep their names, a new field has a default.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Thresholds {
            /// without a good poll for this long, seconds: offline
            pub offline_after_s: u64,
            $(
                $(#[doc = $about])+
                pub $warning: $type,
                /// the same: critical
                pub $critical: $type,
                /// the same: where a warning ends
                pub $clear: $type,
            )+
        }

        impl Default for Thresholds {
            fn default() -> Self {
                Self {
                    offline_after_s: 300,
                    $($warning: $usual_warning, $critical: $usual_critical, $clear: $usual_clear,)+
                }
            }
        }

        impl Gauge {
            /// All, in the order of the table.
            pub const ALL: [Self; [$(stringify!($gauge)),+].len()] = [$(Self::$gauge),+];
        }

        impl Thresholds {
            /// The row of a figure.
            pub fn row(&self, gauge: Gauge) -> Row {
                let usual = Self::default();
                match gauge {
                    $(Gauge::$gauge => Row {
                        names: [stringify!($warning), stringify!($critical), stringify!($clear)],
                        values: [self.$warning as f64, self.$critical as f64, self.$clear as f64],
                        defaults: [usual.$warning as f64, usual.$critical as f64, usual.$clear as f64],
                        low_is_bad: limits!(@ $sense),
                        may_be_off: limits!(@ $judged),
                    },)+
                }
            }
        }
    };
    (@ High) => { false };
    (@ Low) => { true };
    (@ always) => { false };
    (@ or_off) => { true };
}

limits! {
    /// CPU % of what SQL Server may run on, and of the machine with all processes
    Cpu High always f64: cpu_warning_pct 80.0, cpu_critical_pct 95.0, cpu_clear_pct 75.0;
    /// tasks that wait for a CPU, for each scheduler that may run
    Runnable High or_off f64: runnable_warning_per_cpu 3.0, runnable_critical_per_cpu 10.0, runnable_clear_per_cpu 2.0;
    /// workers that are free, %
    Workers Low or_off f64: workers_warning_pct 5.0, workers_critical_pct 0.5, workers_clear_pct 8.0;
    /// memory of the machine in use, %
    Memory High or_off f64: memory_warning_pct 0.0, memory_critical_pct 0.0, memory_clear_pct 0.0;
    /// memory of the machine that is free, %, where that is less than a gigabyte
    MemoryFree Low or_off f64: memory_free_warning_pct 2.0, memory_free_critical_pct 0.5, memory_free_clear_pct 3.0;
    /// memory target of SQL Server, % of what its configuration allows
    MemoryTarget Low or_off f64: memory_target_warning_pct 80.0, memory_target_critical_pct 50.0, memory_target_clear_pct 85.0;
    /// the longest wait of a blocked session, s
    Blocked High always u64: blocked_warning_s 15, blocked_critical_s 120, blocked_clear_s 10;
    /// poison waits, ms of waiting per second
    Poison High always f64: poison_warning_ms_per_s 10.0, poison_critical_ms_per_s 1_000.0, poison_clear_ms_per_s 5.0;
    /// free space of a volume, %
    Volume Low always f64: volume_warning_pct 10.0, volume_critical_pct 3.0, volume_clear_pct 11.0;
    /// free space in tempdb, %
    Tempdb Low always f64: tempdb_warning_pct 20.0, tempdb_critical_pct 5.0, tempdb_clear_pct 22.0;
    /// time until tempdb is full, minutes
    TempdbFull Low or_off f64: tempdb_full_warning_min 30.0, tempdb_full_critical_min 10.0, tempdb_full_clear_min 45.0;
    /// part of a transaction log that is free, % of what its limit and its volume let it take
    Log Low or_off f64: log_warning_pct 10.0, log_critical_pct 3.0, log_clear_pct 12.0;
    /// time until a transaction log is full, minutes
    LogFull Low or_off f64: log_full_warning_min 30.0, log_full_critical_min 10.0, log_full_clear_min 45.0;
    /// time until a volume is full, hours
    VolumeFull Low or_off f64: volume_full_warning_h 24.0, volume_full_critical_h 4.0, volume_full_clear_h 30.0;
    /// availability replica behind its primary, s
    Lag High always u64: lag_warning_s 30, lag_critical_s 300, lag_clear_s 20;
    /// log that a primary has not sent to a replica yet, MB
    SendQueue High or_off u64: send_queue_warning_mb 1_024, send_queue_critical_mb 10_240, send_queue_clear_mb 768;
    /// log that a replica has not redone yet, MB
    RedoQueue High or_off u64: redo_queue_warning_mb 1_024, redo_queue_critical_mb 10_240, redo_queue_clear_mb 768;
    /// average wait for a data page read, and for a log flush, ms
    Io High always f64: io_warning_ms 20.0, io_critical_ms 100.0, io_clear_ms 15.0;
    /// average read or write of one database file, ms
    FileIo High or_off f64: file_warning_ms 100.0, file_critical_ms 500.0, file_clear_ms 75.0;
    /// age of the oldest I/O in flight of a database file, s
    PendingIo High or_off f64: pending_io_warning_s 5.0, pending_io_critical_s 15.0, pending_io_clear_s 2.0;
    /// free inside of a data file that cannot grow, %
    Inside Low or_off f64: inside_warning_pct 10.0, inside_critical_pct 3.0, inside_clear_pct 12.0;
    /// growths for which a data file has room: on its volume, and up to its limit
    Room Low or_off f64: room_warning_growths 1.0, room_critical_growths 0.1, room_clear_growths 1.2;
}

impl Thresholds {
    /// The limits of a figure; None if nobody judges it.
    pub fn limits(&self, gauge: Gauge) -> Option<Limits> {
        self.row(gauge).limits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_defaults_is_in_order() {
        for gauge in Gauge::ALL {
            let row = Thresholds::default().row(gauge);
            assert!(row.is_ordered() && row.is_clear_right(), "{gauge:?}");
            let Some(limits) = row.limits() else { continue };
            let in_order = [limits.clear, limits.warning, limits.critical];
            assert!(in_order.is_sorted() || in_order.iter().rev().is_sorted(), "{gauge:?}: {limits:?}");
            let apart = |one: f64, other: f64| (one - other).abs() > 1e-9;
            assert!(apart(limits.clear, limits.warning), "{gauge:?} would flap");
            assert!(apart(limits.calm, limits.critical), "{gauge:?} would flap");
        }
        assert_eq!(Thresholds::default().limits(Gauge::Memory), None, "a full machine is a used one");
    }

    #[test]
    fn a_clear_value_follows_a_warning_that_moved() {
        let limits = |change: fn(&mut Thresholds), gauge| {
            let mut t = Thresholds::default();
            change(&mut t);
            assert!(t.row(gauge).is_clear_right());
            t.limits(gauge).unwrap()
        };
        let lower = limits(|t| t.cpu_warning_pct = 64.0, Gauge::Cpu);
        let same = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(same(lower.clear, 60.0) && same(lower.calm, 89.0625), "{lower:?}");
        let own = limits(|t| (t.io_warning_ms, t.io_clear_ms) = (50.0, 10.0), Gauge::Io);
        assert!(same(own.clear, 10.0) && same(own.calm, 20.0), "{own:?}");
        let higher = limits(|t| t.volume_warning_pct = 20.0, Gauge::Volume);
        assert!(same(higher.clear, 22.0), "{higher:?}");
        let set = limits(|t| (t.memory_warning_pct, t.memory_critical_pct) = (80.0, 90.0), Gauge::Memory);
        assert!(same(set.clear, 76.0), "{set:?}");
        let all = limits(|t| (t.cpu_warning_pct, t.cpu_critical_pct) = (0.0, 0.0), Gauge::Cpu);
        assert!(same(all.warning, 0.0) && same(all.clear, 0.0), "CPU is always judged");
    }

    #[test]
    fn a_clear_value_on_the_bad_side_is_a_mistake() {
        let wrong = Thresholds { cpu_clear_pct: 85.0, ..Thresholds::default() };
        assert!(!wrong.row(Gauge::Cpu).is_clear_right());
        let wrong = Thresholds { volume_clear_pct: 9.0, ..Thresholds::default() };
        assert!(!wrong.row(Gauge::Volume).is_clear_right());
        let wrong = Thresholds { volume_critical_pct: 11.0, ..Thresholds::default() };
        assert!(!wrong.row(Gauge::Volume).is_ordered());
        let wrong = Thresholds { cpu_warning_pct: -1.0, ..Thresholds::default() };
        assert!(!wrong.row(Gauge::Cpu).is_ordered(), "less than nothing");
    }
}
