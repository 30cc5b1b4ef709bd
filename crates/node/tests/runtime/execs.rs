//! Further programs in containers.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use node::runtime::{
    Capabilities, ExecSpec, Executed, Exit, ProcessOptions, ProcessRuntime, Runtime, RuntimeError, Step, User,
};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::fixture::{Image, Node, alive, eventually, sandbox, start};
use crate::leaks::{count, keeper_of_this_process, settled};

/// How often something is run in a container to see whether anything is left of that.
const EXECS: usize = 300;

/// A program that runs, with the other ends of its streams.
struct Program {
    executed: Executed,
    stdin: PipeWriter,
    stdout: PipeReader,
    stderr: PipeReader,
}

async fn run(runtime: &dyn Runtime, id: &str, args: &str) -> Result<Program, RuntimeError> {
    let pipe = || std::io::pipe().unwrap();
    let ((input, stdin), (stdout, output), (stderr, errors)) = (pipe(), pipe(), pipe());
    let argv = ["/probe"].into_iter().chain(args.split_whitespace()).map(str::to_owned).collect();
    let stdio = Some([input.into(), output.into(), errors.into()]);
    let executed = runtime.exec(&id.into(), ExecSpec { argv, stdio }).await?;
    Ok(Program { executed, stdin, stdout, stderr })
}

/// Runs a program to its end; what it wrote.
async fn says(runtime: &dyn Runtime, id: &str, args: &str) -> String {
    let Program { executed, mut stdout, stdin, .. } = run(runtime, id, args).await.unwrap();
    drop(stdin);
    assert_eq!(executed.wait().await.unwrap().code, 0, "{args}");
    tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    })
    .await
    .unwrap()
    .unwrap()
}

/// The lines of a process's status that say what it may.
fn rights(status: &str) -> Vec<&str> {
    const NAMES: [&str; 11] = [
        "Uid",
        "Gid",
        "Groups",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
    ];
    let named = |line: &&str| line.split_once(':').is_some_and(|(name, _)| NAMES.contains(&name));
    status.lines().filter(named).map(str::trim).collect()
}

pub(crate) async fn are_as_their_container(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    let plans: [(&str, User, Capabilities, bool); 3] = [
        ("root", User::default(), Capabilities::default(), true),
        ("few", User::default(), Capabilities::with(&["NET_ADMIN"], &["ALL"]).unwrap(), false),
        ("user", User { image: "app".to_owned(), ..User::default() }, Capabilities::default(), true),
    ];
    for (name, user, capabilities, no_new_privileges) in plans {
        node.sandbox(name).await;
        let (mut spec, _) = image.spec(name, name, "sleep");
        (spec.user, spec.capabilities, spec.no_new_privileges) = (user, capabilities, no_new_privileges);
        spec.cwd = "/tmp/here".to_owned();
        spec.env = vec![("SECRET".to_owned(), "word".to_owned())];
        spec.oom_score_adj = 300;
        let own = node.runtime.start_container(spec).await.unwrap().pid;
        let host = |file: &str| std::fs::read_to_string(format!("/proc/{own}/{file}")).unwrap();

        let status = says(&node.runtime, name, "cat /proc/self/status").await;
        assert_eq!(rights(&status), rights(&host("status")), "{name}");
        assert!(rights(&status).contains(&"Seccomp:\t2"), "{status}");
        let env = says(&node.runtime, name, "env cwd hostname").await;
        let own_env = host("environ");
        let mut expected: Vec<_> = own_env.split_terminator('\0').collect();
        let hostname = format!("hostname {name}-host");
        expected.extend(["cwd /tmp/here", &hostname]);
        assert_eq!(env.lines().collect::<Vec<_>>(), expected, "{name}");
        assert_eq!(says(&node.runtime, name, "cat /proc/self/oom_score_adj").await, host("oom_score_adj"));
        // One more than the three: the directory that is being listed.
        let open = says(&node.runtime, name, "list /proc/self/fd").await;
        assert_eq!(open.lines().count(), 4, "{open}");

        let sleeper = run(&node.runtime, name, "sleep").await.unwrap();
        let pid = processes(own).into_iter().find(|pid| *pid != own).expect("it runs beside the first");
        for namespace in ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"] {
            let of = |pid| std::fs::read_link(format!("/proc/{pid}/ns/{namespace}")).unwrap();
            assert_eq!(of(pid), of(own), "{name} {namespace}");
        }
        assert_eq!(std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap(), host("cgroup"));
        let root = |pid| std::fs::metadata(format!("/proc/{pid}/root/probe")).unwrap();
        assert_eq!((root(pid).dev(), root(pid).ino()), (root(own).dev(), root(own).ino()));
        drop(sleeper);
        node.runtime.remove_sandbox(&name.into()).await.unwrap();
    }
    node.end().await;
}

/// The programs in the pid namespace of one of them, but for its init.
fn processes(of: i32) -> Vec<i32> {
    let namespace = |pid: i32| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let wanted = namespace(of);
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_program = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"/probe\0"))
    };
    pids.filter(|pid| namespace(*pid) == wanted).filter(is_program).collect()
}

pub(crate) async fn read_and_write(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    node.sandbox("p").await;
    start(&node.runtime, image, "p", "c", "sleep").await;
    reads_and_writes(&node.runtime, "c").await;
    node.end().await;
}

async fn reads_and_writes(runtime: &dyn Runtime, id: &str) {
    // More than any pipe holds, both ways at once.
    let given: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
    let Program { executed, mut stdin, mut stdout, mut stderr } =
        run(runtime, id, "complain so copy exit 7").await.unwrap();
    let input = given.clone();
    let writing = tokio::task::spawn_blocking(move || stdin.write_all(&input).map(|()| drop(stdin)));
    let reading = tokio::task::spawn_blocking(move || {
        let (mut output, mut errors) = (Vec::new(), String::new());
        stdout.read_to_end(&mut output).unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        (output, errors)
    });
    writing.await.unwrap().unwrap();
    let (output, errors) = reading.await.unwrap();
    assert!(output == given && errors == "so\n", "{} bytes, {errors}", output.len());
    let exit = executed.wait().await.unwrap();
    assert_eq!(exit, Exit { code: 7, signal: None, oom_killed: false });
    let crash = run(runtime, id, "crash").await.unwrap();
    assert_eq!(crash.executed.wait().await.unwrap().signal, Some(libc::SIGABRT));
}

pub(crate) async fn have_a_terminal(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    node.sandbox("p").await;
    let (mut spec, _) = image.spec("p", "c", "sleep");
    spec.user.image = "app".to_owned();
    node.runtime.start_container(spec).await.unwrap();
    let argv = ["/probe", "terminal", "mode", "sleep"].map(str::to_owned).to_vec();
    let mut executed = node.runtime.exec(&"c".into(), ExecSpec { argv, stdio: None }).await.unwrap();
    let terminal = executed.terminal.take().unwrap();
    assert_eq!(read_until(&terminal, "size 0 0\r\n").await, "terminal /dev/pts/0 xterm\r\nsize 0 0\r\n");
    let size = Winsize { ws_col: 120, ws_row: 40, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    read_until(&terminal, "size 120 40\r\n").await;
    // What is typed reaches it as a terminal's user means it.
    rustix::io::write(&terminal, b"\x03").unwrap();
    assert_eq!(executed.wait().await.unwrap().signal, Some(libc::SIGINT));
    node.end().await;
}

async fn read_until(terminal: &OwnedFd, end: &str) -> String {
    let mut text = String::new();
    eventually("the terminal says so", || {
        let mut bytes = [0; 4096];
        let read = rustix::io::read(terminal, &mut bytes[..]).unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        text.ends_with(end)
    })
    .await;
    text
}

pub(crate) async fn end_with_what_they_are_for(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    node.sandbox("p").await;
    let (spec, _) = image.spec("p", "c", "sleep");
    let own = node.runtime.start_container(spec).await.unwrap().pid;
    let others = || processes(own).into_iter().filter(|pid| *pid != own).collect::<Vec<_>>();

    // Nobody wants it any more: it ends, with what it has started.
    let dropped = run(&node.runtime, "c", "spawn sleep").await.unwrap();
    eventually("two more run", || others().len() == 2).await;
    drop(dropped);
    eventually("they have ended", || others().is_empty()).await;
    // It ends by itself: what it has left behind is the container's.
    let left = run(&node.runtime, "c", "spawn").await.unwrap();
    assert_eq!(left.executed.wait().await.unwrap().code, 0);
    assert_eq!(others().len(), 1);
    // The container ends, and so does all in it.
    let last = run(&node.runtime, "c", "sleep").await.unwrap();
    let pids = others();
    assert_eq!(pids.len(), 2);
    node.runtime.signal(&"c".into(), libc::SIGKILL).unwrap();
    assert_eq!(last.executed.wait().await.unwrap().signal, Some(libc::SIGKILL));
    node.runtime.wait(&"c".into()).await.unwrap();
    assert!(!pids.into_iter().any(alive));
    // A runtime that ends waits for none of them.
    start(&node.runtime, image, "p", "d", "sleep").await;
    let _waiting = run(&node.runtime, "d", "sleep").await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), node.end()).await.unwrap();
}

pub(crate) async fn failures_are_typed(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    node.sandbox("p").await;
    start(&node.runtime, image, "p", "c", "exit 0").await;
    node.runtime.wait(&"c".into()).await.unwrap();
    start(&node.runtime, image, "p", "d", "sleep").await;
    let absent = run(&node.runtime, "none", "exit 0").await.err();
    assert!(matches!(absent, Some(RuntimeError::NotFound { .. })), "{absent:?}");
    let ended = run(&node.runtime, "c", "exit 0").await.err();
    assert!(matches!(ended, Some(RuntimeError::Exec { .. })), "{ended:?}");
    for (program, errno) in [("/absent", libc::ENOENT), ("/etc/passwd", libc::EACCES), ("", libc::ENOENT)] {
        let spec = ExecSpec { argv: vec![program.to_owned()], stdio: None };
        match node.runtime.exec(&"d".into(), spec).await {
            Err(RuntimeError::Exec { failure }) => {
                assert_eq!((failure.step, failure.errno), (Step::Exec, errno), "{program}");
            }
            other => panic!("{program}: {other:?}"),
        }
    }
    node.end().await;
}

pub(crate) async fn hundreds_leave_nothing(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    let (run_dir, keeper) = (node.dir.path().join("run"), keeper_of_this_process());
    node.sandbox("p").await;
    let (spec, _) = image.spec("p", "c", "sleep");
    let own = node.runtime.start_container(spec).await.unwrap().pid;
    says(&node.runtime, "c", "exit 0").await;
    let before = settled(|| count(&run_dir, keeper)).await;
    for number in 0..EXECS {
        match number % 5 {
            0 => drop(run(&node.runtime, "c", "sleep").await.unwrap()),
            1 => {
                let spec = ExecSpec { argv: vec!["/absent".to_owned()], stdio: None };
                node.runtime.exec(&"c".into(), spec).await.unwrap_err();
            }
            2 => {
                let argv = ["/probe", "terminal"].map(str::to_owned).to_vec();
                let executed = node.runtime.exec(&"c".into(), ExecSpec { argv, stdio: None }).await.unwrap();
                assert_eq!(executed.wait().await.unwrap().code, 0);
            }
            3 => {
                // Given up at any moment.
                let begun = run(&node.runtime, "c", "sleep");
                let pause = Duration::from_micros(number as u64 * 20);
                let _ = tokio::time::timeout(pause, begun).await;
            }
            _ => assert!(says(&node.runtime, "c", "line x").await == "x\n"),
        }
    }
    eventually("none runs any more", || processes(own) == [own]).await;
    assert_eq!(settled(|| count(&run_dir, keeper)).await, before);
    node.end().await;
}

/// A container ends although its programs have made children of the keeper's, which alone can reap them.
pub(crate) async fn children_of_the_keeper_end(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    node.sandbox("p").await;
    let (spec, _) = image.spec("p", "c", "sleep");
    let own = node.runtime.start_container(spec).await.unwrap().pid;
    says(&node.runtime, "c", "siblings 5 exit 0").await;
    eventually("none of them runs any more", || processes(own) == [own]).await;
    let sleeper = run(&node.runtime, "c", "siblings 5 sleep").await.unwrap();
    eventually("all are there", || processes(own).len() == 7).await;
    node.runtime.remove_container(&"c".into()).await.unwrap();
    drop(sleeper);
    node.end().await;
}

/// What a container does to the `/dev/null` that it is given is not done to the machine's.
pub(crate) async fn have_a_null_device_of_their_own(image: &Image) {
    let Some(node) = Node::start("execs").await else { return };
    let before = std::fs::metadata("/dev/null").unwrap();
    node.sandbox("p").await;
    let app = User { image: "app".to_owned(), ..User::default() };
    for (name, user) in [("root", User::default()), ("user", app)] {
        // It can change the mode of what it owns; `/proc/keys` is hidden.
        let (mut spec, _output) = image.spec("p", name, "setuid /proc/self/fd/0 setuid /proc/keys sleep");
        spec.user = user;
        node.runtime.start_container(spec).await.unwrap();
        let null = || std::fs::File::options().read(true).write(true).open("/dev/null").unwrap().into();
        let argv = ["/probe", "setuid", "/proc/self/fd/0"].map(str::to_owned).to_vec();
        let spec = ExecSpec { argv, stdio: Some([null(), null(), null()]) };
        node.runtime.exec(&name.into(), spec).await.unwrap().wait().await.unwrap();
        let after = std::fs::metadata("/dev/null").unwrap();
        std::fs::set_permissions("/dev/null", before.permissions()).unwrap();
        std::os::unix::fs::chown("/dev/null", Some(before.uid()), Some(before.gid())).unwrap();
        assert_eq!((after.mode(), after.uid()), (before.mode(), before.uid()), "{name}");
    }
    node.end().await;
}

pub(crate) async fn of_processes(image: &Image) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = ProcessRuntime::start(ProcessOptions::new(dir.path().join("run"))).await.unwrap();
    sandbox(&runtime, "p").await;
    let (mut spec, _) = image.spec("p", "c", "sleep");
    spec.env = vec![("PORT".to_owned(), "8080".to_owned())];
    spec.cwd = "/etc".to_owned();
    runtime.start_container(spec).await.unwrap();
    let seen = says(&runtime, "c", "env cwd").await;
    let port = seen.lines().find_map(|line| line.strip_prefix("PORT=")).unwrap();
    assert_ne!(port, "8080", "the one that the program was given");
    assert!(seen.ends_with(&format!("cwd {}\n", image.layer().join("etc").display())), "{seen}");
    reads_and_writes(&runtime, "c").await;
    let argv = ["probe", "terminal", "exit", "0"].map(str::to_owned).to_vec();
    let absent = runtime.exec(&"c".into(), ExecSpec { argv, stdio: None }).await.unwrap_err();
    assert!(matches!(absent, RuntimeError::Exec { .. }), "it is not in PATH: {absent}");
    let argv = ["/probe", "terminal", "sleep"].map(str::to_owned).to_vec();
    let mut executed = runtime.exec(&"c".into(), ExecSpec { argv, stdio: None }).await.unwrap();
    let terminal = executed.terminal.take().unwrap();
    assert!(read_until(&terminal, "size 0 0\r\n").await.starts_with("terminal /dev/pts/"));
    // They end with their container, and what they have started with them.
    let spawner = run(&runtime, "c", "spawn pid sleep").await.unwrap();
    runtime.remove_container(&"c".into()).await.unwrap();
    assert_eq!(spawner.executed.wait().await.unwrap().signal, Some(libc::SIGKILL));
    assert_eq!(executed.wait().await.unwrap().signal, Some(libc::SIGKILL));
    runtime.shutdown().await.unwrap();
}
