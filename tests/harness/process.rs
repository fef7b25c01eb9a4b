//! dbtop as a plain process: run to its end, or a simulated fleet that goes on until it is dropped.

use super::{DBTOP, Home, PATIENCE};
use std::{
    io::Read,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// `dbtop` with `args`, in the environment of `home` alone.
pub fn dbtop(args: &[&str], home: &Home) -> Command {
    let mut command = Command::new(DBTOP);
    command.args(args).env_clear().envs(home.environment()).current_dir(home.path()).stdin(Stdio::null());
    command
}

/// What a process said and how it ended.
#[derive(Debug)]
pub struct Ended {
    /// exit code; None: killed by a signal
    pub code: Option<i32>,
    /// standard output
    pub stdout: String,
    /// standard error
    pub stderr: String,
    /// from start to end
    pub took: Duration,
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Ended {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starting dbtop");
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let status = wait(&mut child, PATIENCE);
    let took = started.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    let text = |t: thread::JoinHandle<String>| t.join().expect("reading what dbtop wrote");
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(status.is_some(), "did not end within {PATIENCE:?}: {command:?}\n{stdout}\n{stderr}");
    Ended { code: status.and_then(|s| s.code()), stdout, stderr, took }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).expect("reading a pipe");
        }
        String::from_utf8(bytes).expect("UTF-8")
    })
}

/// Waits for the end; None if there is none within the limit.
pub fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("waiting for a process") {
            return Some(status);
        }
        if Instant::now() > end {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal such as `TERM`.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
    assert!(sent.is_ok_and(|s| s.success()), "sending SIG{name}");
}

/// A `dbtop sim` process; ended on drop.
pub struct SimProcess {
    /// the process
    pub child: Child,
    /// its inventory
    pub inventory: PathBuf,
    /// its temporary files
    pub home: Home,
}

impl SimProcess {
    /// Starts `instances` simulated instances and waits until their inventory is there. Port 0: any.
    #[track_caller]
    pub fn start(instances: u32, port: u16, scenario: Option<&str>) -> Self {
        let home = Home::new();
        let inventory = home.path().join("fleet.toml");
        let (instances, port) = (instances.to_string(), port.to_string());
        let mut command = dbtop(&["sim", "--instances", &instances, "--port", &port, "--seed", "7"], &home);
        command.arg("--inventory-out").arg(&inventory);
        if let Some(text) = scenario {
            command.arg("--scenario").arg(home.file("scenario.toml", text));
        }
        let mut child = command.stdout(Stdio::null()).spawn().expect("starting dbtop sim");
        let started = Instant::now();
        while !inventory.exists() {
            let ended = child.try_wait().expect("waiting for a process");
            assert!(ended.is_none(), "dbtop sim ended: {ended:?}");
            assert!(started.elapsed() < PATIENCE, "dbtop sim wrote no inventory within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, inventory, home }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The inventory's path as an argument.
    pub fn inventory(&self) -> String {
        self.inventory.to_string_lossy().into_owned()
    }
}

impl Drop for SimProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
