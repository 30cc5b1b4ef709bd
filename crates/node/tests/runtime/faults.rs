//! A keeper that is stopped, or short of descriptors, and daemons that say nothing.

use std::fs;
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::time::Duration;

use node::runtime::{
    ContainerOptions, ContainerRuntime, KeeperOptions, PoolOptions, ProcessOptions, ProcessRuntime, Runtime,
    RuntimeError, SandboxSpec,
};
use rustix::net::{RecvFlags, connect, recv};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use crate::daemon::{CONTAINERS, Daemon, Kind, MAGIC, Plan, kill, seqpacket, signal};
use crate::fixture::{Image, alive, eventually, sandbox, skip, start};
use crate::leaks::keeper_of_this_process;

/// The keeper's version.
const VERSION: u32 = 4;
/// Both, one after the other: a test process has one keeper at a time.
const KINDS: [Kind; 2] = [Kind::Container, Kind::Process];

/// A runtime with a keeper that must answer within a time.
struct Node {
    runtime: Box<dyn Runtime>,
    keeper: i32,
    dir: tempfile::TempDir,
}

impl Node {
    /// `None`, loudly, for one that this user cannot have.
    async fn start(test: &str, kind: Kind, answer_max: Duration) -> Option<Self> {
        if kind == Kind::Container && !rustix::process::geteuid().is_root() {
            skip(test, "containers need root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let run_dir = dir.path().join("run");
        let keeper = KeeperOptions { answer_max, ..KeeperOptions::new(&run_dir) };
        let runtime: Box<dyn Runtime> = if kind == Kind::Container {
            let options = ContainerOptions { keeper, ..ContainerOptions::new(&run_dir) };
            Box::new(ContainerRuntime::start(options).await.unwrap())
        } else {
            Box::new(ProcessRuntime::start(ProcessOptions { keeper }).await.unwrap())
        };
        Some(Self { runtime, keeper: keeper_of_this_process(), dir })
    }

    /// How many containers have a directory, those in the pool included.
    fn directories(&self) -> usize {
        fs::read_dir(self.dir.path().join("run/containers")).map_or(0, Iterator::count)
    }
}

/// Nobody waits for ever for a keeper that is stopped, and what it does too late is undone.
pub(crate) async fn a_keeper_that_is_stopped(image: &Image) {
    const ANSWER_MAX: Duration = Duration::from_secs(1);
    for kind in KINDS {
        let Some(node) = Node::start("a_keeper_that_is_stopped", kind, ANSWER_MAX).await else { continue };
        let (runtime, keeper) = (&*node.runtime, node.keeper);
        sandbox(runtime, "s").await;
        let stopped = Stopped::new(keeper);

        let (mut spec, late) = image.spec("s", "c", "sleep");
        let (mut held, taken) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&held, true).unwrap();
        spec.taken = vec![taken.into()];
        let error = runtime.start_container(spec).await.unwrap_err();
        assert!(matches!(error, RuntimeError::KeeperSilent { .. }), "{error}");
        let error = error.to_string();
        for part in ["starting container c", "within 1s", &format!("kill -CONT {keeper}")] {
            assert!(error.contains(part), "{error}");
        }
        let spec =
            SandboxSpec { id: "t".into(), hostname: "t".to_owned(), addresses: Vec::new(), next: Vec::new() };
        let error = runtime.create_sandbox(spec).await.unwrap_err();
        assert!(matches!(error, RuntimeError::KeeperSilent { .. }), "{error}");
        let kept = held.read(&mut [0]).unwrap_err();
        assert_eq!(kept.kind(), io::ErrorKind::WouldBlock, "the keeper may still look for it");

        // The name is free again, and what becomes of the late one is none of the next one's business.
        let (spec, _) = image.spec("s", "c", "exit 4");
        let (next, ()) = tokio::join!(runtime.start_container(spec), async { drop(stopped) });
        next.unwrap();
        assert_eq!(runtime.wait(&"c".into()).await.unwrap().code, 4);
        assert_eq!(late.read().await, "", "nobody holds the late one's output any more");
        eventually("what was held is let go", || matches!(held.read(&mut [0]), Ok(0))).await;
        runtime.remove_sandbox(&"s".into()).await.unwrap();
        let PoolOptions { shells, prepared, .. } = PoolOptions::default();
        eventually("nothing of either is left", || node.directories() <= shells + prepared).await;
        runtime.shutdown().await.unwrap();
    }
}

/// A caller that gives up does not take away what the keeper may still look for.
pub(crate) async fn a_caller_that_gives_up(image: &Image) {
    for kind in KINDS {
        let long = KeeperOptions::ANSWER_MAX;
        let Some(node) = Node::start("a_caller_that_gives_up", kind, long).await else { continue };
        let runtime = &*node.runtime;
        let id = sandbox(runtime, "s").await;
        let stopped = Stopped::new(node.keeper);
        let (mut spec, output) = image.spec("s", "c", "sleep");
        let (mut held, taken) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&held, true).unwrap();
        spec.taken = vec![taken.into()];
        let start = runtime.start_container(spec);
        assert!(tokio::time::timeout(Duration::from_millis(20), start).await.is_err());
        assert_eq!(held.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(stopped);
        eventually("it is let go with the answer", || matches!(held.read(&mut [0]), Ok(0))).await;
        runtime.remove_sandbox(&id).await.unwrap();
        assert_eq!(output.read().await, "");
        runtime.shutdown().await.unwrap();
    }
}

/// Whatever a keeper has no descriptors for fails, and says so; nothing hangs, and nobody else notices.
pub(crate) async fn a_keeper_without_descriptors(image: &Image) {
    /// From none to enough for a start without a pool.
    const ROOM: usize = 24;
    for kind in KINDS {
        let long = KeeperOptions::ANSWER_MAX;
        let Some(node) = Node::start("a_keeper_without_descriptors", kind, long).await else { continue };
        let runtime = &*node.runtime;
        let id = sandbox(runtime, "s").await;
        let survivor = start(runtime, image, "s", "survivor", "sleep").await;
        let before = limit(node.keeper, STANDARD);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = runtime.keep_socket("a", listener.as_fd()).await.unwrap_err().to_string();
        assert!(error.contains("Too many open files"), "{error}");
        rlimit(node.keeper, before);

        let (mut failed, mut succeeded) = (0, 0);
        for room in 0..ROOM {
            let before = limit(node.keeper, with_room(node.keeper, room));
            let (spec, _) = image.spec("s", "c", "exit 4");
            match tokio::time::timeout(Duration::from_secs(20), runtime.start_container(spec)).await {
                Ok(Ok(_)) => {
                    succeeded += 1;
                    assert_eq!(runtime.wait(&"c".into()).await.unwrap().code, 4);
                    runtime.remove_container(&"c".into()).await.unwrap();
                }
                Ok(Err(RuntimeError::Start { failure, .. })) => {
                    failed += 1;
                    assert_eq!(failure.errno, libc::EMFILE, "{failure}");
                }
                other => panic!("with room for {room}: {other:?}"),
            }
            rlimit(node.keeper, before);
        }
        assert!(failed > 0 && succeeded > 0, "{failed} failed, {succeeded} succeeded");
        assert!(alive(node.keeper));
        // All is well again.
        let again = start(runtime, image, "s", "again", "exit 5").await;
        assert_eq!(runtime.wait(&again).await.unwrap().code, 5);
        runtime.signal(&survivor, libc::SIGTERM).unwrap();
        assert_eq!(runtime.wait(&survivor).await.unwrap().signal, Some(libc::SIGTERM));
        runtime.remove_sandbox(&id).await.unwrap();
        let PoolOptions { shells, prepared, .. } = PoolOptions::default();
        eventually("nothing of those is left", || node.directories() <= shells + prepared).await;
        runtime.shutdown().await.unwrap();
    }
}

/// A daemon that comes while the keeper has no descriptor for it waits until there is one.
pub(crate) async fn a_daemon_that_cannot_be_taken_yet(image: &Image) {
    let daemon = Daemon::start("a_daemon_that_cannot_be_taken_yet", image, Plan::new(Kind::Process)).await;
    let daemon = daemon.unwrap();
    daemon.kill();
    let before = limit(daemon.keeper, STANDARD);
    let options = ProcessOptions::new(daemon.run_dir());
    let coming = tokio::spawn(ProcessRuntime::start(options));
    let tried = switches(daemon.keeper);
    eventually("it is tried some times", || !alive(daemon.keeper) || switches(daemon.keeper) > tried + 10)
        .await;
    assert!(alive(daemon.keeper) && !coming.is_finished());
    rlimit(daemon.keeper, before);
    let runtime = coming.await.unwrap().unwrap();
    assert_eq!(runtime.take_over()[0].containers.len(), CONTAINERS.len());
    assert!(daemon.containers.iter().all(|pid| alive(*pid)));
    runtime.shutdown().await.unwrap();
    daemon.ended().await;
}

/// What happens before a daemon has attached is told when it does, and not to one that never will.
pub(crate) async fn ends_before_a_daemon_has_attached(image: &Image) {
    for kind in KINDS {
        let Some(daemon) = Daemon::start("ends_before_a_daemon_has_attached", image, Plan::new(kind)).await
        else {
            continue;
        };
        daemon.kill();
        let silent = seqpacket();
        connect(&silent, &daemon.address_of_keeper()).unwrap();
        rustix::io::write(&silent, &[&MAGIC[..], &VERSION.to_le_bytes()].concat()).unwrap();
        let mut greeting = [0; 64];
        let length = rustix::io::read(&silent, &mut greeting).unwrap();
        assert_eq!(&greeting[8..length], VERSION.to_le_bytes(), "this test says another version");
        let ending = daemon.containers[2];
        kill(ending);
        eventually("it is reaped", || !fs::exists(format!("/proc/{ending}")).unwrap()).await;
        // It says no more than it is asked.
        let said = recv(&silent, &mut greeting[..], RecvFlags::DONTWAIT);
        assert_eq!(said.unwrap_err(), rustix::io::Errno::AGAIN);
        drop(silent);

        let runtime: Box<dyn Runtime> = if kind == Kind::Container {
            Box::new(ContainerRuntime::start(daemon.options()).await.unwrap())
        } else {
            Box::new(ProcessRuntime::start(ProcessOptions::new(daemon.run_dir())).await.unwrap())
        };
        assert_eq!(runtime.take_over()[0].containers.len(), CONTAINERS.len());
        assert_eq!(runtime.wait(&"p0-ending".into()).await.unwrap().signal, Some(libc::SIGKILL));
        runtime.shutdown().await.unwrap();
        daemon.ended().await;
    }
}

/// Room for standard input, output and error alone, and so for nothing new.
const STANDARD: u64 = 3;

/// The limit that leaves a process so many more descriptors than it has.
fn with_room(pid: i32, room: usize) -> u64 {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let open: Vec<u64> = open.map(|fd| fd.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    (0..).filter(|number| !open.contains(number)).nth(room).unwrap()
}

/// Limits a process' descriptors; returns what it had.
fn limit(pid: i32, descriptors: u64) -> Rlimit {
    let own = rustix::process::getrlimit(Resource::Nofile);
    rlimit(pid, Rlimit { current: Some(descriptors), maximum: own.maximum })
}

fn rlimit(pid: i32, limit: Rlimit) -> Rlimit {
    prlimit(Pid::from_raw(pid), Resource::Nofile, limit).unwrap()
}

/// A process that stands still until it is let go on, also by a test that fails.
struct Stopped(i32);

impl Stopped {
    fn new(pid: i32) -> Self {
        signal(pid, Signal::STOP);
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal(self.0, Signal::CONT);
    }
}

/// How often a process has waited for something.
fn switches(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.map_or(0, |number| number.trim().parse().unwrap())
}
