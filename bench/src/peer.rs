//! The peer of the API: a real kube-apiserver over etcd, where the scripts that make one are beside the project.
//!
//! They build it, write its certificates and know its command lines. What they have started is ended at once and
//! started again as processes of ours, so that it can be killed and measured with no shell in between.

use std::{
    env,
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::{kubeconfig::Access, pace, programs, story};

pub(crate) const PEER: &str = "etcd + kube-apiserver";
/// As the scripts call them, in the order in which they are started.
const PROCESSES: [&str; 2] = ["etcd", "apiserver"];
/// What the scripts need.
const TOOLS: [&str; 3] = ["go", "etcd", "openssl"];
/// The ports that it listens on.
const PORTS: [u16; 3] = [6443, 2379, 2380];
/// The longest that the script may take; it builds for minutes when nothing is built yet.
const SCRIPT_MAX: Duration = Duration::from_secs(1200);
/// The longest that ports may be taken after those who listened were killed.
const FREE_MAX: Duration = Duration::from_secs(10);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(20);

/// A running etcd and kube-apiserver, and their data directory; all are gone when this is dropped.
pub(crate) struct Peer {
    commands: Vec<Vec<String>>,
    children: Vec<Child>,
    dir: TempDir,
}

impl Peer {
    /// Starts one that is empty; an error says why that cannot be here.
    pub(crate) fn start() -> Result<Self> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/kubernetes");
        if let Some(reason) = hindrance(&scripts) {
            bail!("{reason}");
        }
        let dir = tempfile::Builder::new().prefix("ebb-bench-peer-").tempdir()?;
        // What was built is kept, where the tests keep it.
        let built = cache().context("EBB_CACHE or HOME must be set")?.join("kubernetes/bin");
        fs::create_dir_all(&built).with_context(|| format!("making {}", built.display()))?;
        symlink(&built, dir.path().join("bin"))?;
        let ended = up(&scripts, dir.path());
        // Both, whatever has happened.
        let commands = PROCESSES.map(|name| take_over(dir.path(), name));
        ensure!(ended?.success(), "its script fails: {}", story::end_of(&log(dir.path())));
        let commands = commands.into_iter().collect::<Result<Vec<_>>>()?;
        pace::until("its ports", LOOK, FREE_MAX, || Ok(taken_port().is_none().then_some(())))?;
        let mut peer = Self { commands, children: Vec::new(), dir };
        peer.spawn()?;
        Ok(peer)
    }

    /// Who may use its API, and where it is.
    pub(crate) fn access(&self) -> Result<Access> {
        let path = self.dir.path().join("admin.conf");
        Access::of(&fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?)
    }

    /// The processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.children.iter().map(Child::id).collect()
    }

    /// Kills both, as a crash would, and starts them again on what they have left; returns when that began.
    pub(crate) fn crash(&mut self) -> Result<Instant> {
        self.kill()?;
        let began = Instant::now();
        self.spawn()?;
        Ok(began)
    }

    fn spawn(&mut self) -> Result<()> {
        for (name, command) in PROCESSES.iter().zip(&self.commands) {
            let Some((program, arguments)) = command.split_first() else {
                bail!("{name} has no command line");
            };
            let log = self.dir.path().join("log").join(format!("{name}.log"));
            let log = File::options().create(true).append(true).open(log)?;
            // One with a folder is of the script's directory, any other is the machine's.
            let within = program.contains('/').then(|| self.dir.path().join(program));
            let mut command = Command::new(within.unwrap_or_else(|| PathBuf::from(program)));
            command.args(arguments).current_dir(self.dir.path());
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            self.children.push(command.spawn().with_context(|| format!("starting {program}"))?);
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        for child in &mut self.children {
            child.kill()?;
        }
        for mut child in self.children.drain(..) {
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("ending {PEER}: {error:#}");
        }
    }
}

/// What keeps one from being started here.
fn hindrance(scripts: &Path) -> Option<String> {
    if !scripts.join("up").is_file() {
        return Some("no scripts that start one beside the project".to_owned());
    }
    if let Some(tool) = TOOLS.into_iter().find(|tool| programs::find(tool).is_none()) {
        return Some(format!("{tool} is not installed"));
    }
    taken_port().map(|port| format!("port {port} is taken"))
}

fn taken_port() -> Option<u16> {
    PORTS.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_err())
}

/// Where things that outlive a clone are kept.
fn cache() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("EBB_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("ebb")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/ebb")))
}

/// Runs the script that builds and starts one. It has a group of its own, to end a build that takes too long.
fn up(scripts: &Path, dir: &Path) -> Result<ExitStatus> {
    let log = File::create(log(dir))?;
    let mut command = Command::new("bash");
    command.arg(scripts.join("up")).arg(dir).arg("control-plane").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut script = command.spawn().context("running its script")?;
    let ended = pace::until("its script", LOOK, SCRIPT_MAX, || Ok(script.try_wait()?));
    if ended.is_err() {
        kill_process_group(Pid::from_child(&script), Signal::KILL)?;
        script.wait()?;
    }
    ended
}

/// What the script prints.
fn log(dir: &Path) -> PathBuf {
    dir.join("up.log")
}

/// Ends what the script has started under this name; returns its command line.
fn take_over(dir: &Path, name: &str) -> Result<Vec<String>> {
    let what = || format!("{name}, which its script starts");
    let text = fs::read_to_string(dir.join("log").join(format!("{name}.pid"))).with_context(what)?;
    let number: i32 = text.trim().parse().with_context(what)?;
    let pid = Pid::from_raw(number).with_context(what)?;
    let command = fs::read(format!("/proc/{number}/cmdline")).with_context(what)?;
    kill_process(pid, Signal::KILL).with_context(what)?;
    Ok(arguments(&command))
}

/// What `/proc/PID/cmdline` says.
fn arguments(command: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(command).split_terminator('\0').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn command_lines() {
        assert_eq!(arguments(b"etcd\0--data-dir\0the data\0"), ["etcd", "--data-dir", "the data"]);
        assert_eq!(arguments(b"etcd\0--log\0\0"), ["etcd", "--log", ""]);
        assert!(arguments(b"").is_empty());
    }
}
