use std::sync::mpsc;
use std::time::Duration;

use super::*;

/// A shell's init that has ended, and the other ends of its sockets, which somebody still holds.
fn ended() -> (Child, OwnedFd, OwnedFd) {
    let (control, init_control) = wire::pair_with_child().unwrap();
    let (report, app_report) = wire::pair_with_child().unwrap();
    let me = rustix::process::getpid();
    let pidfd = rustix::process::pidfd_open(me, rustix::process::PidfdFlags::empty()).unwrap();
    let child = Child {
        process: ChildProcess { pid: me.as_raw_nonzero().get(), pidfd },
        control: Some(control),
        report: Some(report),
        app: App::Told(None),
        order: None,
        message: None,
        output: Vec::new(),
        phase: Phase::Pooled,
        mounted: None,
        failure: None,
        ended: None,
    };
    (child, init_control, app_report)
}

fn say(socket: &OwnedFd, notice: &Notice, fds: &[BorrowedFd<'_>]) {
    wire::send(socket.as_fd(), notice, &[], fds).unwrap();
}

#[test]
fn last_words_are_heard_and_not_waited_for() {
    let (mut child, control, report) = ended();
    say(&control, &Notice::App, &[control.as_fd()]);
    say(&control, &Notice::Ended { code: 3, signal: None }, &[]);
    say(&report, &Notice::Failed(StartFailure::new(Step::Exec, "/app", Errno::NOENT)), &[]);
    let (done, is_done) = mpsc::channel();
    // Both sockets are still open at their other ends.
    std::thread::spawn(move || {
        child.hear_last_words();
        done.send(child).unwrap();
    });
    let child = is_done.recv_timeout(Duration::from_secs(10)).expect("it waits for more");
    assert_eq!(child.ended, Some((3, None)));
    assert_eq!(child.failure.unwrap().step, Step::Exec);
    assert!(matches!(child.app, App::Told(Some(_))));
}

#[test]
fn who_says_more_than_there_is_to_say_is_not_heard_out() {
    let (mut child, control, _report) = ended();
    for code in 0..100 {
        say(&control, &Notice::Ended { code, signal: None }, &[]);
    }
    child.hear_last_words();
    assert!(matches!(child.ended, Some((0..10, None))), "{:?}", child.ended);
}

#[test]
fn the_app_is_told_once() {
    let (mut child, control, _report) = ended();
    let (one, other) = (std::fs::File::open("/dev/null").unwrap(), std::fs::File::open("/dev/zero").unwrap());
    for file in [&one, &other] {
        say(&control, &Notice::App, &[file.as_fd()]);
    }
    while matches!(child.read_control(), Ok(true)) {}
    let kept = rustix::fs::fstat(child.app().unwrap()).unwrap();
    assert_eq!(kept.st_rdev, rustix::fs::fstat(&one).unwrap().st_rdev);
}
