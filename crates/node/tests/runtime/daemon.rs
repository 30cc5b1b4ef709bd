//! Another process with a runtime, to be killed.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use node::runtime::{
    ContainerOptions, ContainerRuntime, KeeperOptions, ProcessOptions, ProcessRuntime, SharedRuntime,
};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, socket};
use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::{Image, Node, alive, eventually, sandbox};
use crate::leaks::{cgroups, keeper_of_this_process};

/// Which runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Container,
    Process,
}

/// What the daemon is to do.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) grace: Duration,
    /// How many pods it starts, `p0` and so on; see [`CONTAINERS`]. With none, it gives no socket to be kept either.
    pub(crate) pods: usize,
}

/// The containers of the first pod, and what they run; the others have the first alone.
pub(crate) const CONTAINERS: [(&str, &str); 3] =
    [("server", "serve-port"), ("writer", "count"), ("ending", "message bye sleep")];
/// Where the server is reached.
pub(crate) const PORT: u16 = 8080;
/// Where containers leave their messages.
const MESSAGE_PATH: &str = "/why";
/// The name of the socket that is kept.
pub(crate) const SOCKET: &str = "requests";

impl Plan {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, grace: KeeperOptions::GRACE, pods: 1 }
    }
}

pub(crate) struct Daemon {
    child: RefCell<Child>,
    dir: tempfile::TempDir,
    pub(crate) keeper: i32,
    /// The address of the socket that is kept.
    pub(crate) address: SocketAddr,
    /// Process ids in the order in which they were started.
    pub(crate) containers: Vec<i32>,
}

impl Daemon {
    /// `None`, loudly, on a machine that cannot run containers.
    pub(crate) async fn start(test: &str, image: &Image, plan: Plan) -> Option<Self> {
        if plan.kind == Kind::Container {
            // Says whether containers work here at all.
            Node::start(test).await?.end().await;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["daemon", if plan.kind == Kind::Container { "container" } else { "process" }])
            .args([&dir.path().join("run"), &image.layer()])
            .args([plan.grace.as_millis().to_string(), plan.pods.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (address, pids) = line.trim().split_once(' ').expect("it tells what it has done");
        let mut pids = pids.split(' ').map(|pid| pid.parse().unwrap());
        let (keeper, containers) = (pids.next().unwrap(), pids.collect::<Vec<_>>());
        assert!(alive(keeper) && containers.iter().all(|pid| alive(*pid)));
        Some(Self { child: child.into(), dir, keeper, address: address.parse().unwrap(), containers })
    }

    pub(crate) fn kill(&self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    pub(crate) fn options(&self) -> ContainerOptions {
        ContainerOptions::new(self.run_dir())
    }

    pub(crate) fn cgroup_root(&self) -> String {
        self.options().cgroup_root
    }

    /// Waits until nothing of it runs any more.
    pub(crate) async fn ended(&self) {
        eventually("the containers are gone", || self.containers.iter().all(|pid| !alive(*pid))).await;
        eventually("the keeper is gone", || !alive(self.keeper)).await;
        assert_eq!(cgroups(&self.cgroup_root()), 0);
    }

    /// The socket at which the keeper is found.
    pub(crate) fn socket(&self) -> PathBuf {
        self.run_dir().join("keeper.sock")
    }

    /// Its address.
    pub(crate) fn address_of_keeper(&self) -> SocketAddrUnix {
        SocketAddrUnix::new(self.socket()).unwrap()
    }
}

/// What greets a keeper, before the version.
pub(crate) const MAGIC: &[u8; 8] = b"ebb-keep";

pub(crate) fn seqpacket() -> OwnedFd {
    socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap()
}

/// What it says that it keeps for its containers.
pub(crate) fn scratch(run_dir: &Path) -> PathBuf {
    run_dir.join("pods")
}

/// The `main` of that process: does as planned, tells about it in one line, and waits to be killed.
pub(crate) fn main(args: &[String]) -> ExitCode {
    let [kind, run_dir, layer, grace, pods] = args else { return ExitCode::FAILURE };
    let (grace, pods) = (Duration::from_millis(grace.parse().unwrap()), pods.parse::<usize>().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let scratch = Some(scratch(Path::new(run_dir)));
        let keeper = KeeperOptions { grace, scratch, ..KeeperOptions::new(run_dir) };
        let containers: SharedRuntime = if kind == "container" {
            let options = ContainerOptions { keeper, ..ContainerOptions::new(run_dir) };
            std::sync::Arc::new(ContainerRuntime::start(options).await.unwrap())
        } else {
            std::sync::Arc::new(ProcessRuntime::start(ProcessOptions { keeper }).await.unwrap())
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut line = format!("{} {}", listener.local_addr().unwrap(), keeper_of_this_process());
        if pods > 0 {
            containers.keep_socket(SOCKET, listener.as_fd()).await.unwrap();
        }
        let image = Image::borrowed(Path::new(layer));
        // Held to the end, as a daemon would.
        let mut outputs = Vec::new();
        for pod in 0..pods {
            let name = format!("p{pod}");
            sandbox(&*containers, &name).await;
            for (container, args) in &CONTAINERS[..if pod == 0 { CONTAINERS.len() } else { 1 }] {
                let (mut spec, output) = image.spec(&name, &format!("{name}-{container}"), args);
                if args.contains("port") {
                    spec.env = vec![("PORT".to_owned(), PORT.to_string())];
                }
                if kind == "container" {
                    spec.message_path = Some(MESSAGE_PATH.into());
                    spec.env.push(("MESSAGE".to_owned(), MESSAGE_PATH.to_owned()));
                }
                let output = OwnedFd::from(output.into_reader());
                spec.readers = Some([output.try_clone().unwrap(), output.try_clone().unwrap()]);
                line += &format!(" {}", containers.start_container(spec).await.unwrap().pid);
                outputs.push(output);
            }
        }
        println!("{line}");
        std::future::pending::<()>().await;
    });
    ExitCode::SUCCESS
}

pub(crate) fn kill(pid: i32) {
    signal(pid, Signal::KILL);
}

pub(crate) fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}
