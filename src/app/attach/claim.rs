//! How a collector without a screen comes to the lock of its fleet: a screen that has it is asked to yield it.

use super::{
    lock::{self, Holder, Lock, Taken},
    run_folder::RunFolder,
};
use crate::app::prompt::Prompt;
use anyhow::Context;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Time within which a screen that is asked for the lock yields it, or never does.
const YIELDS_WITHIN: Duration = Duration::from_secs(15);

/// Takes the fleet's lock for this process. A screen that collects is asked to yield it: a service comes before a screen.
///
/// # Errors
/// Another collector has it; a screen does not yield it; this process is told to end meanwhile.
pub async fn claim(
    place: &RunFolder,
    cancel: &CancellationToken,
    prompt: &mut dyn Prompt,
) -> anyhow::Result<(Lock, Holder)> {
    place.make()?;
    let holder = Holder::this_process(false);
    let started = Instant::now();
    let mut asked = false;
    let taken = loop {
        match lock::take(&place.folder, &holder)? {
            Taken::Ours(lock) => break Ok((lock, holder)),
            Taken::Theirs(Some(by)) if by.screen && started.elapsed() < YIELDS_WITHIN => {
                if !asked {
                    prompt.say(&format!(
                        "a screen collects {}, process {}: asking it to make way",
                        place.title, by.pid
                    ));
                }
                asked = true;
                lock::ask_to_yield(&place.folder).context("asking a screen to make way")?;
            }
            Taken::Theirs(by) => break Err(anyhow::anyhow!("{}", refused(&place.title, by.as_ref()))),
        }
        if cancel.is_cancelled() {
            break Err(anyhow::anyhow!("ended while a screen was asked to make way"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    if asked {
        lock::stop_asking(&place.folder);
    }
    taken
}

/// Why there is nothing to collect.
fn refused(title: &str, by: Option<&Holder>) -> String {
    let who = match by {
        Some(by) if by.screen => format!("the screen of process {}, which does not make way", by.pid),
        Some(by) => format!("process {}", by.pid),
        None => "another process".to_owned(),
    };
    format!("{title} is collected already, by {who}: see `dbtop status`")
}
