//! Servers that answer with noise: every column may hold any value of any type, or be missing. Nothing may panic, and no
//! text may keep a character that a terminal obeys.

use super::{columns::columns, fake::tags};
use dbtop::{
    model::poll::id::ProbeId,
    probe::{ProbeContext, poll, prepare},
    tds::{Answer, Ask, Cell, Question, ResultSet},
};
use proptest::{collection::vec, prelude::*};

/// Answers every script with the same rows of noise.
#[derive(Debug, Clone)]
struct Noise {
    rows: Vec<Vec<Cell>>,
    /// leaves out every n-th column
    skip_every: usize,
}

impl Ask for Noise {
    async fn ask(&mut self, question: Question<'_>) -> Answer {
        let sets = tags(question.sql).into_iter().map(|tag| {
            let declared = columns(&tag).iter().enumerate();
            let kept =
                declared.filter(|(i, _)| (i + 1) % self.skip_every != 0).map(|(_, (n, _))| (*n).to_owned());
            let columns = std::iter::once(format!("dbtop_{tag}")).chain(kept).collect();
            ResultSet { columns, rows: self.rows.clone(), complete: true }
        });
        Answer { sets: sets.collect(), error: None }
    }

    fn is_open(&self) -> bool {
        true
    }

    fn transport(&self) -> &'static str {
        "noise"
    }
}

fn cell() -> impl Strategy<Value = Cell> {
    // No backslash: the test looks for escapes in what Debug writes.
    let hostile = "[ -\\[\\]-~\u{1b}\u{7}\r\n\t\u{9b}\u{202e}\u{200b}\u{feff}é🐘\u{e0041}]{0,40}";
    let job = "SQLAgent - TSQL JobStep \\(Job 0x[0-9A-Fa-fé]{0,34} : Step [0-9]{0,12}\\)";
    prop_oneof![
        1 => Just(Cell::Null),
        2 => any::<i64>().prop_map(Cell::Int),
        2 => (-5i64..300).prop_map(Cell::Int),
        1 => any::<f64>().prop_map(Cell::Float),
        1 => any::<bool>().prop_map(Cell::Bool),
        2 => hostile.prop_map(Cell::Text),
        1 => job.prop_map(Cell::Text),
        1 => vec(any::<u8>(), 0..24).prop_map(Cell::Bytes),
        1 => any::<i64>().prop_map(Cell::Local),
        1 => (1_500_000_000_000i64..1_900_000_000_000).prop_map(Cell::Local),
        1 => (any::<i64>(), any::<i16>()).prop_map(|(utc_ms, offset_min)| Cell::Instant { utc_ms, offset_min }),
        1 => (1_500_000_000_000i64..1_900_000_000_000, any::<i16>())
            .prop_map(|(utc_ms, offset_min)| Cell::Instant { utc_ms, offset_min }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_decoded_or_refused_but_never_obeyed(
        rows in vec(vec(cell(), 0..36), 0..4),
        skip_every in 2usize..60,
        focused: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut server = Noise { rows, skip_every };
            let mut ctx = ProbeContext::new(dbtop::app::clock::now);
            ctx.set_focused(focused);
            prepare(&mut server, &mut ctx).await.unwrap();
            // Twice: the second time with what was learned from noise.
            for _ in 0..2 {
                let polled = poll(&mut server, &ProbeId::ALL, &mut ctx).await;
                assert_eq!(polled.len(), ProbeId::ALL.len());
                for p in polled {
                    let shown = format!("{:?}", p.outcome);
                    // Debug writes what must not reach a terminal as an escape.
                    let hostile = ["\\u{1b}", "\\u{7}", "\\u{9b}", "\\u{202e}", "\\u{200b}", "\\u{feff}", "\\u{e0041}", "\\r"];
                    for escape in hostile {
                        assert!(!shown.contains(escape), "{}: {shown}", p.probe.name());
                    }
                }
            }
        });
    }
}
