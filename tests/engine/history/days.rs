//! Series day by day, and when a volume is full by them.

use crate::world::{LONG, START, Stage, info, uid};
use dbtop::{
    model::{
        base::time::Timestamp,
        poll::{
            State,
            id::{Metric, ProbeId, SeriesKey},
            volumes::VolumeRow,
        },
        timeline::{
            forecast::{DAYS, NoDate, Outlook, outlook},
            record::{Record, Recorded},
        },
    },
    store::history::{Engine, Options, Reader},
};
use std::{sync::Arc, time::Duration};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const GB: i64 = 1 << 30;

/// A volume of 400 GB that takes 2 GB a day and 10 GB more around noon of each day; for so many days, polled every four hours. On the
/// fifth nobody looked.
fn filled(stage: &Stage, days: i64) {
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    for n in (0..days * 6).filter(|n| n / 6 != 4) {
        let at = START.plus_ms(n * 4 * HOUR_MS);
        let noon = if n % 6 == 3 { 10 * GB } else { 0 };
        let row = VolumeRow {
            mount: Some("D:\\".into()),
            total_bytes: Some(400 * GB),
            free_bytes: Some(300 * GB - n / 6 * 2 * GB - noon),
            ..VolumeRow::default()
        };
        let polled = Ok(State::Volumes(Arc::new(vec![row])));
        let what = Recorded::Reading { probe: ProbeId::Volumes, every_ms: 14_400_000, state: polled };
        engine.take(vec![Record { info: info("a"), at, what }]);
        engine.commit().unwrap();
        if n % 6 == 5 {
            engine.seal(at.plus_ms(HOUR_MS), LONG).unwrap();
        }
    }
    engine.clean_up(START.plus_ms(days * DAY_MS), Duration::from_mins(1)).unwrap();
}

fn of(stage: &Stage, metric: Metric, to: Timestamp) -> Vec<Option<(f32, f32)>> {
    let reader = Reader::open(&stage.path(), None).unwrap();
    let key = SeriesKey::with(metric, "D:\\");
    let days = reader.charts().days(&uid("a"), &key, to, DAYS).unwrap();
    days.into_iter().map(|day| day.map(|day| (day.min, day.max))).collect()
}

#[test]
fn a_day_has_its_least_and_its_greatest_value_and_one_without_polls_has_none() {
    let stage = Stage::new();
    filled(&stage, 40);
    let to = START.plus_ms(40 * DAY_MS);
    let free = of(&stage, Metric::VolumeFree, to);
    assert_eq!(free.len(), DAYS);
    assert_eq!(free.iter().position(Option::is_some), Some(DAYS - 40), "nothing is kept before");
    let kb = |gb: i64| (gb << 20) as f32;
    let of_day = |day: i64| Some((kb(290 - 2 * day), kb(300 - 2 * day)));
    assert_eq!(free[DAYS - 1], of_day(39));
    assert_eq!(free[DAYS - 40], of_day(0), "as old days are rolled up");
    assert_eq!(free[DAYS - 36], None, "nobody looked");
    assert_eq!(of(&stage, Metric::VolumeSize, to)[DAYS - 1], Some((kb(400), kb(400))));
}

#[test]
fn a_volume_is_full_by_the_most_that_was_in_use_of_each_day() {
    let stage = Stage::new();
    filled(&stage, 40);
    let at = |days: i64| {
        let used: Vec<_> = of(&stage, Metric::VolumeFree, START.plus_ms(days * DAY_MS))
            .into_iter()
            .map(|day| day.map(|(least, _)| 400.0 - f64::from(least) / 1_048_576.0))
            .collect();
        outlook(&used, None, 400.0, 1)
    };
    // 188 of 400 GB at noon of the last day, 2 GB a day: 106 days, which is further ahead than twice the forty that are known.
    assert_eq!(at(40), Outlook::NoDate(NoDate::NotWithin(80)));
    assert_eq!(at(20), Outlook::NoDate(NoDate::TooShort(19)));
}
