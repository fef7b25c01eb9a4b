//! A simulated SQL Server fleet that speaks TDS on loopback: demo, tests, benchmarks, rehearsals.
//!
//! [`Sim::start`] runs one inside of the caller's tokio runtime. `wire` speaks the protocol. `world` has the facts of each
//! instance at each moment, `scenario` the troubles, and `answer` turns both into the rows of each script. `schema` knows
//! which views exist, and `bind` refuses batches that name others. `instance` is one server behind the wire, `state` is
//! shared by all of them, and `backend` is the seam between the wire and the rest. Uses `model` and `sql` only. It must
//! never listen on an address outside loopback.

pub mod answer;
pub mod backend;
pub mod bind;
mod clock;
mod instance;
mod inventory;
pub mod scenario;
pub mod schema;
mod state;
pub mod wire;
pub mod world;

use self::{
    clock::Clock,
    instance::Instance,
    scenario::{Kind, Scenario, Span},
    state::{Credentials, State},
    wire::{EncryptionPolicy, ServeError, Serving, Tls, TlsError},
    world::{Fleet, dice::Dice, rights::Login, version::Version},
};
use crate::model::poll::properties::Hosting;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The interval at which the scenario file is checked.
const REREAD_EVERY: Duration = Duration::from_secs(1);
/// SQL Server's port.
const USUAL_PORT: u16 = 1433;
/// The most instances that fit into 127.1.0.0/16 with 250 a row.
const MAX_INSTANCES: usize = 60_000;

/// The options of the simulator.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// how many instances
    pub instances: usize,
    /// the fleet is a function of it
    pub seed: u64,
    /// versions that are played; empty for all
    pub versions: Vec<Version>,
    /// who runs the instances, in turn; empty: those who own the machines
    pub hosting: Vec<Hosting>,
    /// the troubles
    pub scenario: Scenario,
    /// a file that replaces the scenario, read at the start and whenever it changes
    pub scenario_file: Option<PathBuf>,
    /// port of all instances; None for 1433, or a free one where that is taken
    pub port: Option<u16>,
    /// the simulated time of the start, UTC ms since 1970; None for now
    pub utc_origin_ms: Option<i64>,
    /// simulated seconds per real second
    pub speed: f64,
    /// logins beside the monitoring one; none unless a test wants some
    pub logins: Vec<Login>,
}

impl Default for SimConfig {
    /// 40 calm instances of all versions.
    fn default() -> Self {
        Self {
            instances: 40,
            seed: 7,
            versions: Vec::new(),
            hosting: Vec::new(),
            scenario: Scenario::default(),
            scenario_file: None,
            port: None,
            utc_origin_ms: None,
            speed: 1.0,
            logins: Vec::new(),
        }
    }
}

/// The reason why there is no simulator.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// an instance
    #[error("starting simulated instance {name}: {source}")]
    Serve {
        /// which
        name: String,
        /// why
        source: ServeError,
    },
    /// certificates
    #[error("making certificates for the simulator: {0}")]
    Tls(#[from] TlsError),
    /// the temporary folder or the scenario file
    #[error("{what} {path}: {source}", path = path.display())]
    File {
        /// what was attempted
        what: &'static str,
        /// on what
        path: PathBuf,
        /// why not
        source: io::Error,
    },
    /// the scenario
    #[error("{path}: {source}", path = path.display())]
    Scenario {
        /// its file
        path: PathBuf,
        /// what is wrong
        source: scenario::ScenarioError,
    },
    /// too many instances
    #[error("cannot simulate {0} instances: there are addresses for {MAX_INSTANCES}")]
    TooMany(usize),
}

/// A running fleet. It ends when this is dropped.
pub struct Sim {
    state: Arc<State>,
    addresses: Vec<SocketAddr>,
    serving: Vec<Serving>,
    cancel: CancellationToken,
    folder: TempDir,
}

impl Sim {
    /// Starts a fleet on loopback addresses, 127.1.0.1 and up. All instances listen when this returns.
    ///
    /// # Errors
    /// [`SimError`]: no free port, a scenario that cannot be read, no temporary folder.
    pub async fn start(config: SimConfig) -> Result<Self, SimError> {
        if config.instances > MAX_INSTANCES {
            return Err(SimError::TooMany(config.instances));
        }
        let scenario = match &config.scenario_file {
            Some(file) => read_scenario(file, 0)?,
            None => config.scenario,
        };
        let utc_origin_ms = config.utc_origin_ms.unwrap_or_else(clock::utc_ms);
        let mut fleet = Fleet::roll(config.seed, config.instances, &config.versions, utc_origin_ms);
        for (profile, hosting) in fleet.profiles.iter_mut().zip(config.hosting.iter().cycle()) {
            profile.host(*hosting);
        }
        let secret = Dice::new(config.seed).of("password").at(utc_origin_ms);
        let credentials =
            Credentials { user: "dbtop".to_owned(), password: format!("Sim-{:016x}", secret.bits()) };
        let state =
            Arc::new(State::new(fleet, Clock::start(config.speed), credentials, config.logins, scenario));
        let tls = Tls::new()?;
        let folder = folder(&tls)?;
        let cancel = CancellationToken::new();
        let mut serving = Vec::with_capacity(config.instances);
        for index in 0..config.instances {
            serving.extend(serve(&state, index, config.port, &tls, &cancel).await?);
        }
        if let Some(file) = config.scenario_file {
            tokio::spawn(cancel.clone().run_until_cancelled_owned(follow(Arc::clone(&state), file)));
        }
        let addresses = serving.iter().map(|s| s.address).collect();
        Ok(Self { state, addresses, serving, cancel, folder })
    }

    /// The fleet.
    pub fn fleet(&self) -> &Fleet {
        &self.state.fleet
    }

    /// The address of the instance at `index`.
    pub fn address(&self, index: usize) -> Option<SocketAddr> {
        self.addresses.get(index).copied()
    }

    /// The login of all instances, and its password.
    pub fn login(&self) -> (&str, &str) {
        (&self.state.credentials.user, &self.state.credentials.password)
    }

    /// The CA certificate to trust, PEM. The file lives as long as the simulator.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Milliseconds of simulated time since the start.
    pub fn now_ms(&self) -> i64 {
        self.state.clock.now_ms()
    }

    /// Questions that clients have cancelled so far.
    pub fn cancelled(&self) -> u64 {
        self.state.cancelled.load(Ordering::Relaxed)
    }

    /// The plain inventory of the fleet, as `--inventory` reads it.
    pub fn inventory_toml(&self) -> String {
        inventory::toml(self)
    }

    /// Replaces the scenario from now on; the past does not change.
    pub fn play(&self, next: Scenario) {
        self.state.change(|scenario, now_ms| scenario.splice(next, now_ms));
    }

    /// Starts trouble on `on` (in the notation of scenario files) now, for good. `amount` as in [`Kind`].
    pub fn set(&self, on: &str, kind: Kind, amount: Option<f64>) {
        self.state.change(|scenario, now_ms| scenario.clone().with(on, kind, Span::from(now_ms), amount));
    }

    /// Ends trouble that was started with the same words.
    pub fn clear(&self, on: &str, kind: Kind) {
        self.state.change(|scenario, now_ms| scenario.without(on, kind, now_ms));
    }

    /// The scenario of the demo for a fleet of this size: there is always something to find, and most is healthy.
    pub fn demo_script(instances: usize) -> Scenario {
        scenario::demo::script(instances)
    }

    /// Stops all instances and waits for their tasks.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        for serving in std::mem::take(&mut self.serving) {
            // a task that panicked has ended too
            let _ = serving.task.await;
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// A temporary folder with the CA certificate.
fn folder(tls: &Tls) -> Result<TempDir, SimError> {
    let failed = |path: &Path, source| SimError::File { what: "writing", path: path.to_owned(), source };
    let made = tempfile::Builder::new().prefix("dbtop-sim-").tempdir();
    let folder = made.map_err(|source| failed(&std::env::temp_dir(), source))?;
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, tls.ca_pem()).map_err(|source| failed(&ca_file, source))?;
    Ok(folder)
}

/// Starts one instance: on its own address and the usual port, else on a free port, else on 127.0.0.1 (systems that
/// have only one loopback address). None if there is no such instance.
async fn serve(
    state: &Arc<State>,
    index: usize,
    port: Option<u16>,
    tls: &Tls,
    cancel: &CancellationToken,
) -> Result<Option<Serving>, SimError> {
    let Some(instance) = Instance::new(Arc::clone(state), index) else { return Ok(None) };
    let profile = &state.fleet.profiles[index];
    let own = IpAddr::from(profile.address());
    let any = IpAddr::from(Ipv4Addr::LOCALHOST);
    let tries = match port {
        Some(port) => vec![SocketAddr::from((own, port)), SocketAddr::from((any, 0))],
        None => {
            vec![SocketAddr::from((own, USUAL_PORT)), SocketAddr::from((own, 0)), SocketAddr::from((any, 0))]
        }
    };
    let backend: Arc<Instance> = Arc::new(instance);
    let mut failure = None;
    for address in tries {
        let policy = EncryptionPolicy::default();
        match wire::serve(address, Arc::clone(&backend) as _, tls, policy, cancel.clone()).await {
            Ok(serving) => return Ok(Some(serving)),
            Err(source) => failure = failure.or(Some(source)),
        }
    }
    match failure {
        Some(source) => Err(SimError::Serve { name: profile.name.clone(), source }),
        None => Ok(None),
    }
}

fn read_scenario(file: &Path, now_ms: i64) -> Result<Scenario, SimError> {
    let text = std::fs::read_to_string(file).map_err(|source| SimError::File {
        what: "reading the scenario",
        path: file.to_owned(),
        source,
    })?;
    Scenario::from_toml(&text, now_ms).map_err(|source| SimError::Scenario { path: file.to_owned(), source })
}

/// Reads the scenario file again when it changes. A file that cannot be used is logged, and the old scenario stays.
async fn follow(state: Arc<State>, file: PathBuf) {
    let stamp = |file: &Path| std::fs::metadata(file).and_then(|m| m.modified()).ok();
    let mut known = stamp(&file);
    loop {
        tokio::time::sleep(REREAD_EVERY).await;
        let new = stamp(&file);
        if new == known {
            continue;
        }
        known = new;
        match read_scenario(&file, state.clock.now_ms()) {
            Ok(next) => state.change(|scenario, now_ms| scenario.splice(next, now_ms)),
            Err(error) => tracing::warn!(%error, "the scenario stays as it was"),
        }
    }
}
