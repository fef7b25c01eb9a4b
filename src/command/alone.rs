//! A plan or a deadlock of a file on the screen, without a fleet: `dbtop plan FILE --screen`. What the screen asks for is carried
//! out here: it can write a file, and nothing else is there.

use super::{invocation::Invocation, screen::looks};
use crate::{
    app::{clock, configuration, editor, exported::write_private, inventory::typed, signals},
    model::{base::error::with_causes, judge::health::Level},
    protocol::{EFFECTS, Effect, InventoryRequest, REPLIES, Refusal, Reply, VaultState},
    tui::{self, Alone, Setup, Subject},
};
use anyhow::bail;
use std::{path::Path, process::ExitCode, sync::Arc};
use tokio::sync::{mpsc, watch};

/// Shows it until it is closed.
///
/// # Errors
/// No terminal, or an unknown theme.
pub async fn show(alone: Alone, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let cancel = signals::listen();
    let jobs = signals::listen_for_jobs();
    let config = configuration::load(&invocation.given)?;
    if config.ui.plain {
        bail!("plain mode has no screen: leave out --screen, the text is the same");
    }
    let (_looks, settings) = watch::channel(looks(&config)?);
    let (_fleet, snapshots) = watch::channel(Arc::default());
    let (effects, wishes) = mpsc::channel(EFFECTS);
    let (answers, replies) = mpsc::channel(REPLIES);
    let subject = Subject { tenant: "file".to_owned(), vault: VaultState::Plain, recording: None };
    let asked = tokio::spawn(carry_out(wishes, answers));
    let clock = Arc::new(clock::now);
    let setup = Setup {
        settings,
        subject,
        alone: Some(alone),
        snapshots,
        effects,
        replies,
        cancel,
        jobs,
        stop: signals::stop,
        edit: editor::open,
        clock,
    };
    let shown = tui::run(setup).await;
    // The screen is gone, and with it whoever asks.
    let _ = asked.await;
    shown?;
    Ok(ExitCode::SUCCESS)
}

/// Writes files, until the screen is gone.
async fn carry_out(mut wishes: mpsc::Receiver<Effect>, answers: mpsc::Sender<Reply>) {
    while let Some(effect) = wishes.recv().await {
        let Effect::Inventory(request) = effect else { continue };
        let reply = match typed::placed(*request, std::env::home_dir().as_deref()) {
            InventoryRequest::WriteFile { file, what, text, .. } => {
                let written = tokio::task::spawn_blocking(move || write(&file, what, &text)).await;
                let words = written.unwrap_or_else(|e| Err(e.to_string()));
                Reply::Saved(words.map_err(|words| Refusal { field: Some("file"), words }))
            }
            _ => Reply::Message { level: Level::Ok, text: "no inventory is here, only this file".to_owned() },
        };
        if answers.send(reply).await.is_err() {
            return;
        }
    }
}

fn write(file: &Path, what: &str, text: &str) -> Result<String, String> {
    write_private(file, text.as_bytes()).map_err(|e| with_causes(&*e))?;
    Ok(format!("{what} written to {}", file.display()))
}
