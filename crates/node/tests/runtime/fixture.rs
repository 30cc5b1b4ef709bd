//! What tests run: a small image, and specs of containers of it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use node::runtime::{
    BindMount, Capabilities, ContainerId, ContainerOptions, ContainerRuntime, ContainerSpec, Exit, Resources,
    Runtime, RuntimeError, SandboxId, SandboxSpec, Seccomp, User,
};
use tempfile::TempDir;

/// Something must come true within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// An image of one layer with the program `/probe` (see probe.c).
pub(crate) struct Image {
    layer: PathBuf,
    /// What is removed with it; a borrowed image is another process's.
    _dir: Option<TempDir>,
}

impl Image {
    /// Compiles the program; `None`, loudly, where that is not possible.
    pub(crate) fn make() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let layer = dir.path().join("layer");
        for name in ["etc", "proc", "sys", "dev", "tmp"] {
            std::fs::create_dir_all(layer.join(name)).unwrap();
        }
        std::fs::write(layer.join("etc/passwd"), "root:x:0:0::/root:\napp:x:1000:1001::/home/app:\n")
            .unwrap();
        std::fs::write(layer.join("etc/group"), "staff:x:50:app\napp:x:1001:\n").unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runtime/probe.c");
        let compiled =
            Command::new("cc").args(["-static", "-O1", "-o"]).arg(layer.join("probe")).arg(source).status();
        // Others than root must reach it too.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).unwrap();
        match compiled {
            Ok(status) if status.success() => Some(Self { layer, _dir: Some(dir) }),
            problem => {
                skip("runtime", &format!("cc -static cannot compile the test program: {problem:?}"));
                None
            }
        }
    }

    /// The image that another process has made.
    pub(crate) fn borrowed(layer: &Path) -> Self {
        Self { layer: layer.to_owned(), _dir: None }
    }

    pub(crate) fn layer(&self) -> PathBuf {
        self.layer.clone()
    }

    /// A spec of a container that runs `/probe` with arguments separated by spaces.
    pub(crate) fn spec(&self, sandbox: &str, id: &str, args: &str) -> (ContainerSpec, Output) {
        let (reader, writer) = io::pipe().unwrap();
        let argv = ["/probe"].into_iter().chain(args.split_whitespace()).map(str::to_owned).collect();
        let spec = ContainerSpec {
            id: id.into(),
            sandbox: sandbox.into(),
            rootfs: vec![self.layer()],
            readonly_rootfs: false,
            argv,
            env: Vec::new(),
            cwd: String::new(),
            user: User::default(),
            mounts: Vec::new(),
            taken: Vec::new(),
            tmpfs: Vec::new(),
            files: Vec::new(),
            message_path: None,
            resources: Resources::default(),
            capabilities: Capabilities::default(),
            no_new_privileges: true,
            seccomp: Seccomp::RuntimeDefault,
            oom_score_adj: 0,
            stdout: OwnedFd::from(writer.try_clone().unwrap()),
            stderr: OwnedFd::from(writer),
            readers: None,
            content: String::new(),
        };
        (spec, Output(reader))
    }
}

/// Where a container's output can be read.
pub(crate) struct Output(io::PipeReader);

impl Output {
    pub(crate) fn into_reader(self) -> io::PipeReader {
        self.0
    }

    /// All of it, once the container has ended.
    pub(crate) async fn read(mut self) -> String {
        let read = move || {
            let mut text = String::new();
            self.0.read_to_string(&mut text).map(|_| text)
        };
        tokio::task::spawn_blocking(read).await.unwrap().unwrap()
    }
}

/// A container runtime in a directory of its own.
pub(crate) struct Node {
    pub(crate) runtime: ContainerRuntime,
    pub(crate) dir: TempDir,
}

impl Node {
    /// `None`, loudly, on a machine that cannot run containers.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        Self::start_with(test, |_| ()).await
    }

    pub(crate) async fn start_with(test: &str, change: impl FnOnce(&mut ContainerOptions)) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip(test, "containers need root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut options = ContainerOptions::new(dir.path().join("run"));
        change(&mut options);
        match ContainerRuntime::start(options).await {
            Ok(runtime) => Some(Self { runtime, dir }),
            Err(error @ RuntimeError::Unsupported(_)) => {
                skip(test, &error.to_string());
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn sandbox(&self, id: &str) -> SandboxId {
        sandbox(&self.runtime, id).await
    }

    /// Runs a container in a sandbox of its own to its end, and removes both.
    pub(crate) async fn run(
        &self,
        image: &Image,
        args: &str,
        change: impl FnOnce(&mut ContainerSpec),
    ) -> (Exit, String) {
        let sandbox = self.sandbox("run").await;
        let (mut spec, output) = image.spec("run", "run", args);
        change(&mut spec);
        let id = spec.id.clone();
        self.runtime.start_container(spec).await.unwrap();
        let exit = self.runtime.wait(&id).await.unwrap();
        self.runtime.remove_container(&id).await.unwrap();
        self.runtime.remove_sandbox(&sandbox).await.unwrap();
        (exit, output.read().await)
    }

    pub(crate) async fn end(self) {
        self.runtime.shutdown().await.unwrap();
    }
}

pub(crate) async fn sandbox(runtime: &dyn Runtime, id: &str) -> SandboxId {
    let addresses = vec!["10.42.7.9".parse().unwrap(), "fd42::9".parse().unwrap()];
    runtime
        .create_sandbox(SandboxSpec {
            id: id.into(),
            hostname: format!("{id}-host"),
            addresses,
            next: Vec::new(),
        })
        .await
        .unwrap();
    id.into()
}

/// Starts a container whose output nobody reads.
pub(crate) async fn start(
    runtime: &dyn Runtime,
    image: &Image,
    sandbox: &str,
    id: &str,
    args: &str,
) -> ContainerId {
    let (mut spec, _) = image.spec(sandbox, id, args);
    let null = || OwnedFd::from(File::options().write(true).open("/dev/null").unwrap());
    (spec.stdout, spec.stderr) = (null(), null());
    runtime.start_container(spec).await.unwrap();
    id.into()
}

/// What a server of a sandbox says to a connection, once it listens.
pub(crate) async fn ask(runtime: &dyn Runtime, sandbox: &SandboxId, port: u16) -> String {
    use tokio::io::AsyncReadExt;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let mut text = String::new();
        match runtime.dial(sandbox, port).await {
            Ok(mut stream) => {
                stream.read_to_string(&mut text).await.unwrap();
                return text;
            }
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits for a condition of the machine.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn bind(source: impl Into<PathBuf>, target: &str, read_only: bool) -> BindMount {
    BindMount { source: source.into(), sub_path: PathBuf::new(), target: target.into(), read_only }
}

/// Whether a process exists and has not ended.
pub(crate) fn alive(pid: i32) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

/// Whether a process waits for something.
pub(crate) fn sleeps(pid: i32) -> bool {
    state(pid) == Some('S')
}

/// The process that reaps it.
pub(crate) fn parent(pid: i32) -> i32 {
    stat(pid, 1).expect("it has not been reaped yet").parse().unwrap()
}

fn state(pid: i32) -> Option<char> {
    stat(pid, 0)?.chars().next()
}

/// A field of a process' `stat`, from its state on.
fn stat(pid: i32, field: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(field).map(str::to_owned)
}

pub(crate) fn skip(test: &str, reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{test} cannot run: {reason}");
    eprintln!("skipped: {test}: {reason}");
}
