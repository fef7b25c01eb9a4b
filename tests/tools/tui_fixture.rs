//! The real screen over a living fixture, without any server: for looking at it and for PTY tests of the screen alone.
//!
//! `cargo run --example tui_fixture -- [small|large|errors|empty|never] [theme] [low]`

use dbtop::{
    model::{
        base::{time::Timestamp, zone::Zone},
        fold::snapshot::FleetSnapshot,
    },
    protocol::{EFFECTS, Effect, REPLIES, VaultState},
    tui::{
        Settings, Setup, Subject,
        theme::{Depth, Theme},
    },
};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};
use tokio_util::sync::CancellationToken;

#[path = "../fixture/mod.rs"]
mod fixture;

fn state(name: &str, now: Timestamp) -> FleetSnapshot {
    match name {
        "large" => fixture::large_at(500, now),
        "errors" => fixture::errors(24),
        "empty" => fixture::empty(),
        "never" => FleetSnapshot::default(),
        _ => fixture::small_at(now),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "small".to_owned());
    let theme = args.next().unwrap_or_else(|| "dark".to_owned());
    let low_bandwidth = args.next().is_some_and(|a| a == "low");
    let started = std::time::Instant::now();
    let panics = std::env::var_os("TUI_FIXTURE_PANIC").is_some();
    let clock = move || {
        assert!(!panics || started.elapsed() < Duration::from_millis(700), "asked to panic");
        fixture::NOW.plus_ms(started.elapsed().as_millis() as i64)
    };
    let (publish, snapshots) = watch::channel(Arc::new(FleetSnapshot::default()));
    let (effects, mut wishes) = mpsc::channel(EFFECTS);
    let (replies_to, replies) = mpsc::channel(REPLIES);
    tokio::spawn(async move {
        let _ = publish.send(Arc::new(state(&name, clock())));
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let _ = publish.send(Arc::new(state(&name, clock())));
        }
    });
    tokio::spawn(async move {
        while let Some(wish) = wishes.recv().await {
            if let Effect::History(request) = wish
                && let Some(reply) = fixture::past::answer(&request)
            {
                let _ = replies_to.send(reply).await;
            }
        }
    });
    let settings = Settings {
        theme: Theme::load(&theme, Depth::True)?,
        depth: Depth::True,
        low_bandwidth,
        ascii: false,
        mouse: true,
        lock_after_ms: None,
        zone: Zone::default(),
    };
    let subject = Subject { tenant: "acme".to_owned(), vault: VaultState::Plain, recording: None };
    let (_configured, settings) = watch::channel(settings);
    let cancel = CancellationToken::new();
    let asked = cancel.clone();
    let (mut term, mut hup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::spawn(async move {
        tokio::select! { _ = term.recv() => {} _ = hup.recv() => {} }
        asked.cancel();
    });
    // It does not stop: nothing is told of job control.
    let (jobs, stop) = (mpsc::channel(1).1, (|| ()) as fn());
    let clock = Arc::new(clock);
    dbtop::tui::run(Setup {
        settings,
        subject,
        alone: None,
        snapshots,
        effects,
        replies,
        cancel,
        jobs,
        stop,
        edit: |_, _| Ok(()),
        clock,
    })
    .await?;
    Ok(())
}
