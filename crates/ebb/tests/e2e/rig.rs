//! A running `ebb up` in a directory of its own, and what its user does with it.

mod archive;
mod calls;
mod host;
mod http;
mod need;
mod pods;
mod services;
mod traces;

use std::{
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;

pub(crate) use self::{
    archive::{docker_save, hello, hello_with},
    host::Host,
    http::{Answer, Asked, Held, ask, get, send},
    need::{need_kubectl, need_program, need_root, need_shared},
    pods::steps,
    services::{service, service_soon_idle, service_soon_idle_with},
    traces::{Traces, processes},
};

/// The longest that anything here may take: far above what it takes, and below a test runner's patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A running `ebb up`; stopped, with everything it made, when dropped.
pub(crate) struct Ebb {
    child: Child,
    /// The data directory. What it prints is beside it.
    dir: PathBuf,
    /// Kept until the end: where all of that is.
    temporary: Option<tempfile::TempDir>,
    /// How it is started the next time.
    pub(crate) setup: Setup,
    pub(crate) http: SocketAddr,
}

/// How one is started.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) runtime: &'static str,
    /// Where its API is to be found.
    pub(crate) api: String,
    /// The machine it runs on; this one if none is named.
    pub(crate) host: Option<Arc<Host>>,
    /// What else `ebb up` is told.
    pub(crate) flags: &'static [&'static str],
    /// What else is in its environment.
    pub(crate) environment: &'static [(&'static str, &'static str)],
}

impl Default for Setup {
    /// The runtime that this user can have, and a free port.
    fn default() -> Self {
        let root = rustix::process::geteuid().is_root();
        let runtime = if root { "container" } else { "process" };
        Self {
            runtime,
            api: "127.0.0.1:0".into(),
            host: None,
            flags: &["--http", "127.0.0.1:0"],
            environment: &[],
        }
    }
}

impl Ebb {
    /// Starts one on an empty data directory.
    pub(crate) fn up() -> Self {
        Self::with(Setup::default())
    }

    /// Starts one with this runtime.
    pub(crate) fn with_runtime(runtime: &'static str) -> Self {
        Self::with(Setup { runtime, ..Setup::default() })
    }

    /// Starts one as told.
    pub(crate) fn with(setup: Setup) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join("data");
        let (child, http) = start(&dir, &setup);
        let ebb = Self { child, dir, temporary: Some(temporary), setup, http };
        ebb.load("dev.local/hello:1");
        ebb
    }

    /// As a crash: SIGKILL for the daemon.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As a power cut: SIGKILL for the daemon and its keeper, and so for all containers.
    pub(crate) fn kill_all(&mut self) {
        let keeper = self.keeper();
        self.kill();
        rustix::process::kill_process(keeper, rustix::process::Signal::KILL).unwrap();
    }

    /// The keeper that this daemon has started.
    pub(crate) fn keeper(&self) -> rustix::process::Pid {
        // The kernel lists the children of each thread.
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let first = children.filter_map(|pids| pids.split_whitespace().next()?.parse().ok()).next();
        rustix::process::Pid::from_raw(first.expect("the daemon has a keeper")).unwrap()
    }

    /// Waits until it ends by itself; returns whether it ended well.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// Starts again on the same data directory.
    pub(crate) fn restart(&mut self) {
        (self.child, self.http) = start(&self.dir, &self.setup);
    }

    /// The same without waiting until it is up.
    pub(crate) fn begin_restart(&mut self) {
        self.child = spawn(&self.dir, &self.setup);
    }

    /// Asks it to stop, and waits until it has; returns whether it ended well.
    pub(crate) fn stop(&mut self) -> bool {
        self.signal(rustix::process::Signal::TERM);
        self.ended()
    }

    /// Asks it to leave what runs to the next one, and waits until it has ended; returns whether it ended well.
    pub(crate) fn hand_over(&mut self) -> bool {
        self.signal(rustix::process::Signal::USR2);
        self.ended()
    }

    /// Asks it to leave what runs to the next one, which is started while it is still at it; returns the earlier process
    /// once the next one is up.
    pub(crate) fn hand_over_to_next(&mut self) -> Child {
        self.signal(rustix::process::Signal::USR2);
        let lock = self.dir.join("lock");
        let is_ending = || fs::read_to_string(&lock).unwrap().contains("ending").then_some(());
        until(is_ending).expect("it says that it is about to end");
        let next = spawn(&self.dir, &self.setup);
        let earlier = std::mem::replace(&mut self.child, next);
        self.http = address(&mut self.child, &self.dir);
        earlier
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// What it has said to its user since its last start.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(said(&self.dir)).unwrap()
    }

    /// What it has logged since its first start.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(logged(&self.dir)).unwrap()
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What there is of it on the machine.
    pub(crate) fn traces(&self) -> Traces {
        Traces::of(self.pid(), &self.dir, &self.setup)
    }

    /// A program on its machine, with its kubeconfig, in a home that is its data directory.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.setup.command(program);
        command.env("KUBECONFIG", self.dir.join("kubeconfig")).env("HOME", &self.dir);
        command
    }

    /// The ebb command as its user runs it.
    pub(crate) fn ebb(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_ebb")).args(arguments).output().unwrap()
    }

    /// The ebb command, which must succeed; returns what it prints.
    pub(crate) fn ebb_says(&self, arguments: &[&str]) -> String {
        let output = self.ebb(arguments);
        assert!(output.status.success(), "ebb {arguments:?}: {}{}", text(&output.stderr), self.story());
        text(&output.stdout)
    }

    /// The ebb command, which must fail with status 1; returns what it says.
    pub(crate) fn ebb_fails(&self, arguments: &[&str]) -> String {
        let output = self.ebb(arguments);
        assert_eq!(output.status.code(), Some(1), "ebb {arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    /// kubectl, which must succeed; returns what it prints.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.try_kubectl(arguments, "");
        assert!(output.status.success(), "kubectl {arguments:?}: {}{}", text(&output.stderr), self.story());
        text(&output.stdout)
    }

    /// A command in a pod's only container, which must succeed; returns what it prints.
    pub(crate) fn kubectl_exec(&self, pod: &str, command: &[&str]) -> String {
        let kubectl = std::env::var_os("EBB_KUBECTL").unwrap_or_else(|| "kubectl".into());
        let output =
            self.command(Path::new(&kubectl)).args(["exec", pod, "--"]).args(command).output().unwrap();
        let errors = text(&output.stderr);
        assert!(output.status.success(), "kubectl exec {pod} -- {command:?}: {errors}{}", self.story());
        text(&output.stdout)
    }

    /// kubectl with this on its standard input.
    pub(crate) fn try_kubectl(&self, arguments: &[&str], input: &str) -> Output {
        let kubectl = std::env::var_os("EBB_KUBECTL").unwrap_or_else(|| "kubectl".into());
        let mut command = self.command(Path::new(&kubectl));
        command.args(arguments).arg("--request-timeout=30s");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// `kubectl apply`, which must succeed.
    pub(crate) fn apply(&self, manifest: &str) {
        let output = self.try_kubectl(&["apply", "-f", "-"], manifest);
        assert!(output.status.success(), "{manifest}\n{}", text(&output.stderr));
    }

    /// `kubectl apply`, which must fail; returns what it says.
    pub(crate) fn refused(&self, manifest: &str) -> String {
        let output = self.try_kubectl(&["apply", "-f", "-"], manifest);
        assert!(!output.status.success(), "taken: {manifest}");
        text(&output.stderr)
    }

    /// An object as JSON; `None` when it is not there.
    pub(crate) fn object(&self, kind: &str, name: &str) -> Option<Value> {
        let output = self.try_kubectl(&["get", kind, name, "-o", "json"], "");
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// The objects of a kind with these labels.
    pub(crate) fn objects(&self, kind: &str, selector: &str) -> Vec<Value> {
        let list = self.kubectl(&["get", kind, "-l", selector, "-o", "json"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Puts the sample into the image store under this name.
    pub(crate) fn load(&self, name: &str) {
        let archive = self.dir.join("hello.tar");
        hello(&archive, name);
        let output = self.ebb(&["image", "load", archive.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// Waits until a service is ready; returns its URL.
    pub(crate) fn ready(&self, service: &str) -> String {
        let mut last = Value::Null;
        let ready = || {
            last = self.object("ksvc", service)?;
            let generation = &last["metadata"]["generation"];
            let observed = last["status"]["observedGeneration"] == *generation;
            (observed && condition(&last, "Ready")?["status"] == "True")
                .then(|| last["status"]["url"].as_str().unwrap().to_owned())
        };
        match until(ready) {
            Some(url) => url,
            None => panic!("{service} is not ready: {}{}", last["status"], self.story()),
        }
    }

    /// Calls a URL of the platform.
    pub(crate) fn call(&self, url: &str) -> Answer {
        get(self.http, url)
    }

    /// Sets keys of one of the platform's ConfigMaps.
    pub(crate) fn configure(&self, map: &str, data: &Value) {
        let patch = serde_json::json!({ "data": data }).to_string();
        self.kubectl(&["patch", "configmap", map, "-n", "knative-serving", "--type=merge", "-p", &patch]);
    }

    /// Waits until a revision has no pod.
    pub(crate) fn at_zero(&self, selector: &str) {
        let zero = || self.objects("pods", selector).is_empty().then_some(());
        assert!(until(zero).is_some(), "pods of {selector} are still there: {}", self.story());
    }

    /// What a person would look at next.
    fn story(&self) -> String {
        let pods = self.try_kubectl(&["get", "pods,revisions,ksvc", "-A", "-o", "wide"], "");
        let log = fs::read_to_string(logged(&self.dir)).unwrap_or_default();
        let from = log.len().saturating_sub(4000);
        format!("\n{}\n{}", text(&pods.stdout), log.get(from..).unwrap_or_default())
    }
}

impl Drop for Ebb {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
        if std::thread::panicking()
            && let Some(temporary) = self.temporary.take()
        {
            eprintln!("the data directory and the log are kept for a look: {}", temporary.keep().display());
        }
    }
}

impl Setup {
    /// A program on the machine.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        match &self.host {
            Some(host) => host.command(program),
            None => Command::new(program.as_ref()),
        }
    }
}

/// Starts `ebb up` on free ports and waits until it says that it is up.
fn start(dir: &Path, setup: &Setup) -> (Child, SocketAddr) {
    let mut child = spawn(dir, setup);
    let http = address(&mut child, dir);
    (child, http)
}

/// Waits until it is up; returns where it takes requests.
fn address(child: &mut Child, dir: &Path) -> SocketAddr {
    let up = until(|| {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "ebb up ended: {}", fs::read_to_string(logged(dir)).unwrap());
        let out = fs::read_to_string(said(dir)).unwrap();
        out.contains("Ctrl-C").then_some(out)
    });
    let out = up.expect("ebb up is up");
    let host =
        out.split_once("NAME.NAMESPACE.").and_then(|(_, rest)| rest.split_whitespace().next()).unwrap();
    let port = host.split_once(':').map_or(80, |(_, port)| port.parse().unwrap());
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The file of what it says; not in the data directory, where it would be a stranger.
fn said(dir: &Path) -> PathBuf {
    dir.with_file_name("ebb.out")
}

fn logged(dir: &Path) -> PathBuf {
    dir.with_file_name("ebb.log")
}

fn spawn(dir: &Path, setup: &Setup) -> Child {
    let log = File::options().create(true).append(true).open(logged(dir)).unwrap();
    // An earlier one may have something to say still, which goes to a file of its own.
    let _ = fs::remove_file(said(dir));
    let out = File::create(said(dir)).unwrap();
    let mut command = setup.command(env!("CARGO_BIN_EXE_ebb"));
    command.args(["up", "--api", &setup.api, "--runtime", setup.runtime, "--log", "info"]);
    command.args(setup.flags).arg("--data-dir").arg(dir).env("HOME", dir);
    command.env_remove("SUDO_UID").envs(setup.environment.iter().copied());
    command.stdin(Stdio::null()).stdout(out).stderr(log).spawn().unwrap()
}

/// Looks until there is something, or patience ends.
#[allow(clippy::disallowed_methods, reason = "another process' condition can only be looked at")]
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if began.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(LOOK);
    }
}

/// A condition of an object.
pub(crate) fn condition<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
