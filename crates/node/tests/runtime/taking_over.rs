//! A daemon that takes over from one that was killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use node::runtime::{
    ContainerOptions, ContainerRuntime, ExecSpec, Exit, Parting, ProcessOptions, ProcessRuntime, Runtime,
    RuntimeError, TakenOver, TakenOverContainer,
};
use rustix::net::{accept, bind, connect, listen};

use crate::daemon::{CONTAINERS, Daemon, Kind, MAGIC, PORT, Plan, SOCKET, kill, seqpacket};
use crate::fixture::{Image, Node, alive, ask, eventually, parent, sandbox, sleeps, start};

pub(crate) async fn all_goes_on(image: &Image) {
    let plan = Plan::new(Kind::Container);
    let Some(daemon) = Daemon::start("all_goes_on", image, plan).await else { return };
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&daemon.run_dir()), mode(&daemon.socket())), (0o700, 0o600));
    let visitor = in_between(&daemon).await;
    let runtime = ContainerRuntime::start(daemon.options()).await.unwrap();
    goes_on(&runtime, image, &daemon, visitor, b"bye").await;
    assert!(runtime.stats(&"p0-server".into()).unwrap().memory > 0);

    // An orderly end leaves nothing, also when it is not the first daemon's.
    runtime.shutdown().await.unwrap();
    daemon.ended().await;
    assert!(!daemon.run_dir().join("containers").exists() && !daemon.socket().exists());
}

pub(crate) async fn processes_go_on(image: &Image) {
    let daemon = Daemon::start("processes_go_on", image, Plan::new(Kind::Process)).await.unwrap();
    let visitor = in_between(&daemon).await;
    let runtime = ProcessRuntime::start(ProcessOptions::new(daemon.run_dir())).await.unwrap();
    goes_on(&runtime, image, &daemon, visitor, b"").await;
    runtime.shutdown().await.unwrap();
    daemon.ended().await;
    assert!(!daemon.socket().exists());
}

/// The daemon is killed; a client connects, and a container ends.
async fn in_between(daemon: &Daemon) -> TcpStream {
    daemon.kill();
    let mut visitor = TcpStream::connect(daemon.address).expect("nobody is refused");
    visitor.write_all(b"hello").unwrap();
    let ending = daemon.containers[2];
    eventually("it has said what it had to say, and sleeps", || sleeps(ending)).await;
    let init = parent(ending);
    kill(ending);
    let is_reaped = |pid: i32| !Path::new(&format!("/proc/{pid}")).exists();
    eventually("one has ended, and its init", || {
        is_reaped(ending) && (init == daemon.keeper || is_reaped(init))
    })
    .await;
    assert!(daemon.containers[..2].iter().all(|pid| alive(*pid)));
    visitor
}

async fn goes_on(
    runtime: &dyn Runtime,
    image: &Image,
    daemon: &Daemon,
    mut visitor: TcpStream,
    message: &[u8],
) {
    let mut pods = runtime.take_over();
    assert!(runtime.take_over().is_empty(), "told once");
    let TakenOver { sandbox, addresses, containers } = pods.pop().unwrap();
    assert!(pods.is_empty() && sandbox.as_str() == "p0" && addresses.contains(&"10.42.7.9".parse().unwrap()));
    let mut found: Vec<_> = containers.iter().map(|c| (c.id.to_string(), c.started.pid, c.runs)).collect();
    found.sort_by_key(|(_, pid, _)| daemon.containers.iter().position(|known| known == pid));
    let expected = CONTAINERS.iter().zip(&daemon.containers).enumerate();
    let expected: Vec<_> =
        expected.map(|(at, ((name, _), pid))| (format!("p0-{name}"), *pid, at < 2)).collect();
    assert_eq!(found, expected, "the same processes under the same names");

    // Who ended meanwhile has ended, as it did, and can be removed.
    let exit = runtime.wait(&"p0-ending".into()).await.unwrap();
    assert_eq!(exit, Exit { code: 137, signal: Some(libc::SIGKILL), oom_killed: false });
    assert_eq!(runtime.message(&"p0-ending".into(), 100).unwrap(), message);
    runtime.remove_container(&"p0-ending".into()).await.unwrap();
    // Who serves is reached, and who writes has lost nothing: it waited while nobody read.
    assert!(ask(runtime, &sandbox, PORT).await.starts_with("pid "));
    // And can be joined.
    let argv = ["/probe", "exit", "6"].map(str::to_owned).to_vec();
    let joined = runtime.exec(&"p0-server".into(), ExecSpec { argv, stdio: None }).await.unwrap();
    assert_eq!(joined.wait().await.unwrap().code, 6);
    read_on(containers.into_iter().find(|container| container.id.as_str() == "p0-writer").unwrap()).await;
    // Who connected meanwhile is served.
    let (name, kept) = runtime.kept_sockets().pop().unwrap();
    assert!(name == SOCKET && runtime.kept_sockets().is_empty());
    let (mut served, _) = TcpListener::from(kept).accept().unwrap();
    let mut said = [0; 5];
    served.read_exact(&mut said).unwrap();
    served.write_all(b"served").unwrap();
    drop(served);
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).unwrap();
    assert_eq!((&said[..], answer.as_str()), (&b"hello"[..], "served"));
    // Its address can be had once the keeper has let it go.
    assert!(TcpListener::bind(daemon.address).is_err());
    runtime.drop_socket(SOCKET).await.unwrap();
    TcpListener::bind(daemon.address).unwrap();

    // They are this runtime's own: names are taken, and ends are told, of old and new ones in the same pod.
    let (spec, _) = image.spec("p0", "p0-server", "sleep");
    assert!(matches!(runtime.start_container(spec).await, Err(RuntimeError::Exists { .. })));
    let id = start(runtime, image, "p0", "p0-new", "exit 4").await;
    assert_eq!(runtime.wait(&id).await.unwrap().code, 4);
    runtime.signal(&"p0-server".into(), libc::SIGTERM).unwrap();
    assert_eq!(runtime.wait(&"p0-server".into()).await.unwrap().signal, Some(libc::SIGTERM));
}

/// The writer's lines are whole and in order from the first on, far beyond what a pipe holds.
async fn read_on(writer: TakenOverContainer) {
    let [stdout, _] = writer.readers.expect("they were given to be kept");
    let read = move || {
        let lines = BufReader::new(std::fs::File::from(stdout)).lines().take(100_000);
        lines.enumerate().for_each(|(at, line)| assert_eq!(line.unwrap(), at.to_string()));
    };
    tokio::task::spawn_blocking(read).await.unwrap();
}

/// Whoever has let go reaches what runs for as long as it lives, and the next one has it.
pub(crate) async fn from_one_that_lives_on(image: &Image) {
    for kind in [Kind::Container, Kind::Process] {
        if kind == Kind::Container {
            // Says whether containers work here at all.
            let Some(node) = Node::start("from_one_that_lives_on").await else { continue };
            node.end().await;
        }
        let dir = tempfile::tempdir().unwrap();
        let run_dir = dir.path().join("run");
        let earlier = runtime(kind, &run_dir).await;
        let pod = sandbox(&*earlier, "s").await;
        let (mut spec, _) = image.spec("s", "server", "serve-port");
        spec.env = vec![("PORT".to_owned(), PORT.to_string())];
        earlier.start_container(spec).await.unwrap();
        let greeting = ask(&*earlier, &pod, PORT).await;
        assert!(greeting.starts_with("pid "), "{greeting}");

        earlier.let_go();
        assert_eq!(earlier.ended().await, Parting::Ended);
        let next = runtime(kind, &run_dir).await;
        let pods = next.take_over();
        assert!(pods.len() == 1 && pods[0].containers[0].runs, "{pods:?}");
        assert_eq!(ask(&*earlier, &pod, PORT).await, greeting);
        assert_eq!(ask(&*next, &pod, PORT).await, greeting);
        let told = earlier.drop_socket(SOCKET).await;
        assert!(matches!(told, Err(RuntimeError::KeeperGone)), "the keeper does not hear it: {told:?}");
        next.shutdown().await.unwrap();
        // Whose child the keeper was.
        earlier.shutdown().await.unwrap();
    }
}

/// One in this process.
async fn runtime(kind: Kind, run_dir: &Path) -> Box<dyn Runtime> {
    match kind {
        Kind::Container => Box::new(ContainerRuntime::start(ContainerOptions::new(run_dir)).await.unwrap()),
        Kind::Process => Box::new(ProcessRuntime::start(ProcessOptions::new(run_dir)).await.unwrap()),
    }
}

/// As many pods as one machine may have, each told in a message of its own.
pub(crate) async fn hundreds(image: &Image) {
    const PODS: usize = 300;
    let plan = Plan { pods: PODS, ..Plan::new(Kind::Process) };
    let daemon = Daemon::start("hundreds", image, plan).await.unwrap();
    daemon.kill();
    let runtime = ProcessRuntime::start(ProcessOptions::new(daemon.run_dir())).await.unwrap();
    let pods = runtime.take_over();
    assert_eq!(pods.len(), PODS);
    assert_eq!(pods.iter().flat_map(|pod| &pod.containers).count(), daemon.containers.len());
    for pod in pods.iter().filter(|pod| pod.sandbox.as_str() != "p0") {
        runtime.remove_sandbox(&pod.sandbox).await.unwrap();
    }
    assert_eq!(daemon.containers.iter().filter(|pid| alive(**pid)).count(), CONTAINERS.len());
    runtime.shutdown().await.unwrap();
    assert!(daemon.containers.iter().all(|pid| !alive(*pid)));
}

/// A keeper of another version or kind is not taken over: it ends, with all that it has, and a new one is started.
pub(crate) async fn keepers_of_another_kind(image: &Image) {
    let plan = Plan::new(Kind::Container);
    let Some(daemon) = Daemon::start("keepers_of_another_kind", image, plan).await else { return };
    daemon.kill();
    // A newer daemon greets this version's keeper.
    let newer = seqpacket();
    connect(&newer, &daemon.address_of_keeper()).unwrap();
    rustix::io::write(&newer, &[&MAGIC[..], &u32::MAX.to_le_bytes()].concat()).unwrap();
    let mut greeting = [0; 64];
    assert_eq!(rustix::io::read(&newer, &mut greeting).unwrap(), 12);
    assert!(greeting.starts_with(MAGIC));
    daemon.ended().await;

    // This version's daemon finds an older keeper, which ends when it is greeted.
    let older = seqpacket();
    bind(&older, &daemon.address_of_keeper()).unwrap();
    listen(&older, 1).unwrap();
    let meeting = tokio::task::spawn_blocking(move || {
        let guest = accept(&older).unwrap();
        drop(older);
        let mut greeting = [0; 64];
        let length = rustix::io::read(&guest, &mut greeting).unwrap();
        rustix::io::write(&guest, &[&MAGIC[..], &0u32.to_le_bytes()].concat()).unwrap();
        greeting[..length].to_vec()
    });
    let runtime = ContainerRuntime::start(daemon.options()).await.unwrap();
    assert!(meeting.await.unwrap().starts_with(MAGIC));
    assert!(runtime.take_over().is_empty());
    sandbox(&runtime, "s").await;
    let id = start(&runtime, image, "s", "c", "exit 8").await;
    assert_eq!(runtime.wait(&id).await.unwrap().code, 8);
    runtime.shutdown().await.unwrap();

    // And one that isolates, where the next daemon shall not.
    let again = Daemon::start("keepers_of_another_kind", image, plan).await.unwrap();
    again.kill();
    let runtime = ProcessRuntime::start(ProcessOptions::new(again.run_dir())).await.unwrap();
    assert!(runtime.take_over().is_empty() && runtime.kept_sockets().is_empty());
    again.ended().await;
    TcpListener::bind(again.address).expect("the socket that it kept is closed");
    runtime.shutdown().await.unwrap();
}
