//! For the tests of `plan`: that a text which is longer takes longer in proportion. Plans come from others, and may mean harm.

use std::time::{Duration, Instant};

/// What looks at each part for each part takes 4,096 times as long for 64 times the text, and what looks at each once about 64 times. The
/// shortest of a few tries counts, and between the two there is much room: the machine does other work.
pub(super) fn assert_linear(of: &str, run: impl Fn(&str)) {
    let takes = |bytes: usize| {
        let text = of.repeat(bytes / of.len());
        let tries = (0..5).map(|_| {
            let began = Instant::now();
            run(&text);
            began.elapsed()
        });
        tries.min().unwrap_or_default()
    };
    let (small, large) = (takes(1 << 11), takes(1 << 17));
    assert!(large < small.max(Duration::from_micros(20)) * 1_000, "{of}: {small:?} and {large:?}");
}
