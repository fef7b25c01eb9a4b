//! `dbtop` without a command: the screen over a session.

use super::{ask::Terminal, invocation::Invocation, plain, theme};
use crate::{
    app::{
        clock, configuration, editor, fleet,
        history::Recording,
        locale,
        reload::Reloader,
        session::{Session, Start},
        signals,
    },
    config::Config,
    protocol::{EFFECTS, REPLIES, VaultState},
    tds::Roots,
    tui::{
        self, Settings, Setup, Subject,
        theme::{Depth, Theme},
    },
};
use std::{process::ExitCode, sync::Arc};
use tokio::sync::{mpsc, watch};

/// Shows the fleet until the user quits.
///
/// # Errors
/// No terminal, no inventory, an unknown theme.
pub async fn run(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let (cancel, wishes) = signals::listen_for_reload(signals::terminal_is_there);
    let jobs = signals::listen_for_jobs();
    let reloader = Reloader::open(&invocation.given, theme::error, wishes)?;
    let looks = looks(reloader.config())?;
    let is_plain = reloader.config().ui.plain;
    // A hundred files of the system, read while the fleet is opened because the first paint waits for both.
    let roots = tokio::task::spawn_blocking(Roots::load);
    let recording = Recording::named(invocation.replay.as_deref(), &invocation.selection)?;
    let opened =
        fleet::open_for_screen(&invocation.selection, recording.is_some(), &mut Terminal::default()).await?;
    let is_sealed = recording.is_none() && invocation.selection.is_sealed();
    let subject = Subject {
        tenant: opened.title.clone(),
        vault: if is_sealed { VaultState::Opening } else { VaultState::Plain },
        recording: recording.as_ref().map(played),
    };
    let (looks, settings) = watch::channel(looks);
    let (effects, wishes) = mpsc::channel(EFFECTS);
    let (replies, answers) = mpsc::channel(REPLIES);
    let mut session = Session::start(Start {
        selection: invocation.selection.clone(),
        opened,
        recording,
        reloader,
        roots,
        replies,
        headless: None,
    })
    .await?;
    session.obey(wishes);
    session.spawn(restyle(session.config.clone(), looks));
    let setup = Setup {
        settings,
        subject,
        alone: None,
        snapshots: session.collector.snapshots.clone(),
        effects,
        replies: answers,
        cancel,
        jobs,
        stop: signals::stop,
        edit: editor::open,
        clock: Arc::new(clock::now),
    };
    let shown = if is_plain { plain::run(setup).await } else { tui::run(setup).await.map_err(Into::into) };
    session.stop().await;
    shown?;
    Ok(ExitCode::SUCCESS)
}

/// A recording in the words of the screen.
fn played(recording: &Recording) -> tui::Recording {
    tui::Recording { file: recording.name(), from: recording.from, to: recording.to }
}

/// Passes every change of the configuration on to the screen.
async fn restyle(mut config: watch::Receiver<Arc<Config>>, screen: watch::Sender<Settings>) {
    while config.changed().await.is_ok() {
        let config = Arc::clone(&config.borrow_and_update());
        // Its theme was checked by the reload.
        if let Ok(settings) = looks(&config) {
            screen.send_replace(settings);
        }
    }
}

/// How the screen looks by this configuration.
pub(super) fn looks(config: &Config) -> anyhow::Result<Settings> {
    let var = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
    let depth = Depth::detect(var("COLORTERM").as_deref(), var("TERM").as_deref());
    Ok(Settings {
        theme: Theme::load(&config.ui.theme, depth)?,
        depth,
        zone: configuration::zone(config),
        low_bandwidth: config.ui.low_bandwidth,
        ascii: is_ascii(&config.ui.glyphs),
        mouse: config.ui.mouse,
        lock_after_ms: lock_after_ms(config.vault.lock_after_min),
    })
}

/// A screen of boxes and bars is unreadable where the terminal shows each of their bytes.
fn is_ascii(glyphs: &str) -> bool {
    glyphs == "ascii" || (glyphs != "unicode" && locale::other_than_utf8().is_some())
}

/// 0: never.
fn lock_after_ms(minutes: u32) -> Option<i64> {
    (minutes > 0).then(|| i64::from(minutes) * 60_000)
}
