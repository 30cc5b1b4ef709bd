//! Commands in containers, by kubectl and by kube-rs.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use kube::{
    Api, Client, Config,
    api::AttachParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use resources::builtin::Pod;
use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{Winsize, tcgetwinsize, tcsetwinsize},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Ebb, Setup, need_kubectl, need_root, processes, text, until};

const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: "dev.local/hello:1"
      workingDir: /etc
      env: [{name: WORD, value: "a word"}]
    - {name: other, image: "dev.local/hello:1", env: [{name: PORT, value: "8081"}]}
"#;

/// An ebb with the pod, which is ready.
fn with_pod(runtime: &'static str) -> Ebb {
    let ebb = Ebb::with_runtime(runtime);
    ebb.apply(POD);
    is_ready(&ebb);
    ebb
}

fn is_ready(ebb: &Ebb) {
    ebb.settled("pod", "p", |pod| {
        let statuses = pod["status"]["containerStatuses"].as_array();
        statuses.is_some_and(|statuses| {
            statuses.len() == 2 && statuses.iter().all(|status| status["ready"] == true)
        })
    });
}

/// kubectl as it is typed.
fn kubectl(ebb: &Ebb, arguments: &[&str]) -> Command {
    let kubectl = std::env::var_os("EBB_KUBECTL").unwrap_or_else(|| "kubectl".into());
    let mut command = ebb.command(Path::new(&kubectl));
    command.args(arguments);
    command
}

/// A command in the pod, with something to read.
fn exec(ebb: &Ebb, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = kubectl(ebb, &["exec", "p"]);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writing = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    output
}

#[test]
fn kubectl_runs_commands_in_containers() {
    const NAME: &str = "kubectl_runs_commands_in_containers";
    if need_root(NAME) && need_kubectl(NAME) {
        runs_commands(&with_pod("container"), "/etc");
    }
}

#[test]
fn kubectl_runs_commands_of_processes() {
    if need_kubectl("kubectl_runs_commands_of_processes") {
        let ebb = with_pod("process");
        let flat = ebb.dir().join("flat");
        runs_commands(&ebb, flat.to_str().unwrap());
    }
}

fn runs_commands(ebb: &Ebb, cwd: &str) {
    let seen = exec(ebb, &["--", "/hello", "env=WORD", "cwd", "complain=so", "exit=0"], b"");
    let (output, errors) = (text(&seen.stdout), text(&seen.stderr));
    assert!(seen.status.success(), "{errors}");
    assert!(output.starts_with(&format!("env=WORD -> a word\ncwd -> {cwd}")), "{output}");
    assert!(errors.contains("so\n"), "{errors}");
    let other = exec(ebb, &["-c", "other", "--", "/hello", "env=WORD", "exit=0"], b"");
    assert!(text(&other.stdout).starts_with("env=WORD -> error: "), "{}", text(&other.stdout));

    let failed = exec(ebb, &["-c", "main", "--", "/hello", "exit=7"], b"");
    assert_eq!(
        (failed.status.code(), &*text(&failed.stderr)),
        (Some(7), "command terminated with exit code 7\n")
    );
    let megabytes: Vec<u8> = (0..5_000_000u32).map(|number| (number % 251) as u8).collect();
    let copied = exec(ebb, &["-i", "-c", "main", "--", "/hello", "copy"], &megabytes);
    assert!(copied.status.success() && copied.stdout == megabytes, "{}", text(&copied.stderr));

    for (arguments, said) in [
        (
            &["-c", "main", "--", "/absent"][..],
            "error executing command in container: failed to exec in container: exec /absent: no such file or directory",
        ),
        (&["-c", "none", "--", "/hello"], "container none is not valid for pod p"),
    ] {
        let refused = exec(ebb, arguments, b"");
        let errors = text(&refused.stderr);
        assert!(refused.status.code() == Some(1) && errors.contains(said), "{errors}");
    }
}

/// A terminal that somebody sits at.
struct Terminal {
    ours: OwnedFd,
    seen: String,
}

impl Terminal {
    /// Runs a program in it.
    fn run(program: &Command) -> (Self, std::process::Child) {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        unlockpt(&ours).unwrap();
        let theirs = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::fs::fcntl_setfl(&ours, OFlags::RDWR | OFlags::NONBLOCK).unwrap();
        let terminal = Self { ours, seen: String::new() };
        terminal.resize(100, 30);
        let end = || Stdio::from(theirs.try_clone().unwrap());
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(program.get_program()).args(program.get_args());
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        (terminal, child)
    }

    fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.ours, size).unwrap();
    }

    fn shows(&mut self, what: &str) {
        let shown = until(|| {
            let mut bytes = [0; 4096];
            let read = rustix::io::read(self.ours.as_fd(), &mut bytes[..]).unwrap_or(0);
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
            self.seen.contains(what).then_some(())
        });
        assert!(shown.is_some(), "{what} is not shown: {}", self.seen);
    }
}

#[test]
fn kubectl_gives_commands_its_terminal() {
    const NAME: &str = "kubectl_gives_commands_its_terminal";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = with_pod("container");
    let command = ["exec", "-it", "p", "-c", "main", "--", "/hello", "env=TERM", "wait=/tmp/never"];
    let (mut terminal, mut child) = Terminal::run(&kubectl(&ebb, &command));
    terminal.shows("env=TERM -> xterm");
    let pid = until(|| commands("wait=/tmp/never").first().copied());
    let theirs = File::open(format!("/proc/{}/fd/0", pid.unwrap())).unwrap();
    let has_size = |columns, rows| {
        let size = || tcgetwinsize(&theirs).is_ok_and(|size| (size.ws_col, size.ws_row) == (columns, rows));
        until(|| size().then_some(())).is_some()
    };
    assert!(has_size(100, 30), "the size at the start");
    terminal.resize(120, 40);
    assert!(has_size(120, 40), "the size that it was given later");
    // Typed, it interrupts the command and not kubectl.
    rustix::io::write(&terminal.ours, b"\x03").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", terminal.seen);
}

/// Those in containers that were given this argument.
fn commands(argument: &str) -> Vec<i32> {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let has = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|given| given == argument.as_bytes())
            && namespace(&pid.to_string()) != namespace("self")
    };
    processes().filter(has).collect()
}

#[test]
fn commands_end_with_their_client_and_with_their_daemon() {
    const NAME: &str = "commands_end_with_their_client_and_with_their_daemon";
    const WAITS: &str = "wait=/tmp/not-ever";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let mut ebb = with_pod("container");
    let begin = |ebb: &Ebb| {
        let mut command = kubectl(ebb, &["exec", "-i", "p", "-c", "main", "--", "/hello", WAITS]);
        let child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = until(|| commands(WAITS).first().map(drop));
        begun.expect("it runs in the container");
        child
    };
    let none = || until(|| commands(WAITS).is_empty().then_some(())).is_some();
    let mut client = begin(&ebb);
    client.kill().unwrap();
    client.wait().unwrap();
    assert!(none(), "its client is gone");

    // A crash ends commands, and nothing else; the next daemon runs them in the same containers as they were made.
    let mut client = begin(&ebb);
    let containers = ebb.object("pod", "p").unwrap()["status"]["containerStatuses"].clone();
    ebb.kill();
    assert!(none() && !client.wait().unwrap().success(), "its daemon is gone");
    ebb.restart();
    is_ready(&ebb);
    assert_eq!(ebb.object("pod", "p").unwrap()["status"]["containerStatuses"], containers);
    let seen = exec(&ebb, &["-c", "main", "--", "/hello", "env=WORD", "cwd", "exit=0"], b"");
    assert_eq!(text(&seen.stdout), "env=WORD -> a word\ncwd -> /etc\nexit=0 ->\n", "{}", text(&seen.stderr));

    // One that hands over tells them.
    let client = begin(&ebb);
    assert!(ebb.hand_over());
    let ended = client.wait_with_output().unwrap();
    let errors = text(&ended.stderr);
    assert!(!ended.status.success() && errors.contains("the API server is shutting down"), "{errors}");
    assert!(none());
    ebb.restart();
}

#[test]
fn kube_rs_runs_commands_in_containers() {
    let ebb = with_pod(Setup::default().runtime);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let kubeconfig = Kubeconfig::read_from(ebb.dir().join("kubeconfig")).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let pods: Api<Pod> = Api::namespaced(Client::try_from(config).unwrap(), "default");
        let params = AttachParams::default().container("main").stdin(true).stdout(true).stderr(false);
        let mut attached = pods.exec("p", ["/hello", "copy"], &params).await.unwrap();
        let (mut stdin, mut stdout) = (attached.stdin().unwrap(), attached.stdout().unwrap());
        let given = vec![b'x'; 200_000];
        let writing = async {
            stdin.write_all(&given).await.unwrap();
            stdin.shutdown().await.unwrap();
            drop(stdin);
        };
        let reading = async {
            let mut output = Vec::new();
            stdout.read_to_end(&mut output).await.map(|_| output)
        };
        let ((), output) = tokio::join!(writing, reading);
        assert!(output.unwrap() == given);
        let status = attached.take_status().unwrap().await.unwrap();
        assert_eq!(status.status.as_deref(), Some("Success"));

        let params = AttachParams::default().container("main");
        let mut failing = pods.exec("p", ["/hello", "exit=5"], &params).await.unwrap();
        let status = failing.take_status().unwrap().await.unwrap();
        assert_eq!(status.reason.as_deref(), Some("NonZeroExitCode"));
        let causes = status.details.unwrap().causes.unwrap();
        assert_eq!(causes[0].message.as_deref(), Some("5"));
    });
}

#[test]
fn output_is_whole_when_a_command_ends() {
    const NAME: &str = "output_is_whole_when_a_command_ends";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = with_pod("container");
    for _ in 0..20 {
        let mut command =
            kubectl(&ebb, &["exec", "p", "-c", "main", "--", "/hello", "say=first", "say=last", "exit=3"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = String::new();
        child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        assert_eq!(output, "say=first -> first\nsay=last -> last\nexit=3 ->\n");
        assert_eq!(child.wait().unwrap().code(), Some(3));
    }
}
