//! `ebb demo`, as who has just built it runs it.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::rig::{Host, Setup, Traces, need_root, processes, text, until};

/// The longest that the story may take, from the command to its end.
const STORY_MAX: Duration = Duration::from_secs(30);

/// What only who has no root is told, and what only who asked for it.
const WITHOUT_ROOT: &str = "that is what can be done without root";
const AS_ASKED: &str = "as asked";

/// What is told, in this order.
const STORY: &[&str] = &[
    "the platform is up",
    "is deployed",
    "http://hello.default.localhost",
    "called: \"Hello Ebb!\"",
    "falls to zero",
    "it wakes: \"Hello Ebb!\"",
    "of which queue",
    " ms (in it schedule ",
    "It keeps serving",
];

/// A demo that runs, with a place of its own for temporary files and, where it can be had, a machine of its own.
struct Demo {
    child: Child,
    setup: Setup,
    temporary: TempDir,
    told: PathBuf,
}

impl Demo {
    /// `run` makes the command that runs a program on the machine.
    fn start(run: impl FnOnce(&Setup, &Path) -> Command) -> Self {
        let root = rustix::process::geteuid().is_root();
        let setup = Setup { host: root.then(Host::alone).map(Arc::new), ..Setup::default() };
        let temporary = tempfile::tempdir().unwrap();
        let told = temporary.path().with_extension("told");
        let mut command = run(&setup, temporary.path());
        command.env("TMPDIR", temporary.path()).stdout(File::create(&told).unwrap());
        Self { child: command.spawn().unwrap(), setup, temporary, told }
    }

    fn with(arguments: &[&str]) -> Self {
        Self::start(|setup, _| {
            let mut command = setup.command(env!("CARGO_BIN_EXE_ebb"));
            command.arg("demo").args(arguments);
            command
        })
    }

    fn story(&self) -> String {
        fs::read_to_string(&self.told).unwrap()
    }

    /// Waits until this is told; returns all that was.
    fn tells(&mut self, part: &str) -> String {
        let told = until(|| {
            let story = self.story();
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() || story.contains(part), "ended before {part:?}: {story}");
            story.contains(part).then_some(story)
        });
        told.unwrap_or_else(|| panic!("{part:?} is not told: {}", self.story()))
    }

    /// What there is of it on the machine.
    fn traces(&self) -> Traces {
        let mut entries = fs::read_dir(&self.temporary).unwrap().flatten();
        Traces::of(self.child.id(), &entries.next().expect("a data directory").path(), &self.setup)
    }

    /// Interrupts it; it must end well and leave no file. Returns all that it told.
    fn interrupt(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let ended = self.child.wait().unwrap();
        let story = self.story();
        fs::remove_file(&self.told).unwrap();
        assert!(ended.success(), "{ended}: {story}");
        assert_eq!(fs::read_dir(&self.temporary).unwrap().count(), 0, "a file is left: {story}");
        story
    }
}

#[allow(clippy::disallowed_methods, reason = "how long another process takes is what is shown")]
fn now() -> Instant {
    Instant::now()
}

/// The whole story, to an end that leaves nothing; returns it.
fn whole(mut demo: Demo) -> String {
    let began = now();
    let story = demo.tells("Ctrl-C ends the demo");
    assert!(began.elapsed() < STORY_MAX, "{:?}: {story}", began.elapsed());
    let mut rest = story.as_str();
    for part in STORY {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} in {story}"));
        rest = &rest[at..];
    }
    // It keeps serving, at the URL that it prints, by the command that it prints.
    let command = rest.lines().find(|line| line.contains("curl")).expect("a command to try").trim();
    for _ in 0..3 {
        let mut shell = demo.setup.command("sh");
        let output = shell.args(["-c", &format!("{command} --silent --show-error --noproxy '*'")]).output();
        let output = output.unwrap();
        let answer = text(&output.stdout);
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\nHello Ebb!\n"),
            "{command}: {answer}{}",
            text(&output.stderr)
        );
    }
    assert!(demo.child.try_wait().unwrap().is_none(), "it goes on");
    let traces = demo.traces();
    assert!(traces.processes.len() >= 3 && !traces.sockets.is_empty(), "{:?}", traces.left());
    let story = demo.interrupt();
    traces.assert_gone(&story);
    story
}

#[test]
fn the_demo_tells_its_story() {
    let story = whole(Demo::with(&[]));
    let root = rustix::process::geteuid().is_root();
    assert_eq!(story.matches(WITHOUT_ROOT).count(), usize::from(!root), "{story}");
    let mut asked = Demo::with(&["--runtime", "process"]);
    let story = asked.tells("the platform is up");
    asked.interrupt();
    assert!(story.contains(AS_ASKED) && !story.contains(WITHOUT_ROOT), "{story}");
}

#[test]
fn without_root_the_demo_says_so_and_works() {
    const NAME: &str = "without_root_the_demo_says_so_and_works";
    // Nobody's: so all of its processes are the demo's.
    const USER: u32 = 61_347;
    if !need_root(NAME) {
        return;
    }
    let bin = tempfile::tempdir().unwrap();
    fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).unwrap();
    let program = bin.path().join("ebb");
    // Where it was built, others may not come.
    let built = env!("CARGO_BIN_EXE_ebb");
    fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
    let demo = Demo::start(|setup, temporary| {
        chown(temporary, Some(USER), Some(USER)).unwrap();
        let user = USER.to_string();
        let mut command = setup.command("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "--"]).arg(&program);
        command.arg("demo").env("HOME", temporary);
        command
    });
    let story = whole(demo);
    let lines: Vec<_> = story.lines().filter(|line| line.contains(WITHOUT_ROOT)).collect();
    assert_eq!(lines.len(), 1, "in one line: {story}");
    let theirs = |pid: &i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("Uid:") && line.contains(&USER.to_string()))
    };
    assert_eq!(processes().filter(theirs).count(), 0, "all of its processes have ended");
}

#[test]
fn an_interrupted_demo_leaves_nothing_whenever_it_comes() {
    for moment in ["One service", "the platform is up", "is deployed"] {
        let mut demo = Demo::with(&[]);
        demo.tells(moment);
        let traces = demo.traces();
        let story = demo.interrupt();
        assert!(story.contains("Stopping:"), "{moment}: {story}");
        traces.assert_gone(&story);
    }
}
