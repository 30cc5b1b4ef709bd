//! The Python client.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use super::{define_widgets, up};
use crate::rig::{Ebb, need_kubectl, need_program, text};

const PROGRAM: &str = include_str!("client.py");

fn program(ebb: &Ebb, python: &Path, what: &str) -> Command {
    let file = ebb.dir().join("client.py");
    fs::write(&file, PROGRAM).unwrap();
    let mut command = ebb.command(python);
    command.arg(file).arg(what);
    command
}

#[test]
fn the_python_client_is_answered_as_by_kubernetes() {
    let test = "the_python_client_is_answered_as_by_kubernetes";
    let Some(python) = need_program(test, "EBB_PYTHON").filter(|_| need_kubectl(test)) else { return };
    let ebb = up();
    define_widgets(&ebb);
    let output = program(&ebb, &python, "calls").output().unwrap();
    let parts =
        ["typed", "patches", "server_side_apply", "custom_objects", "dynamic_kinds", "errors", "manifests"];
    let done = text(&output.stdout);
    assert!(output.status.success(), "after {done:?}: {}", text(&output.stderr));
    assert_eq!(done.split_whitespace().collect::<Vec<_>>(), parts);
}

#[test]
fn a_python_watch_goes_on_after_a_kill_where_it_was() {
    let test = "a_python_watch_goes_on_after_a_kill_where_it_was";
    let Some(python) = need_program(test, "EBB_PYTHON").filter(|_| need_kubectl(test)) else { return };
    let mut ebb = up();
    let mut child = program(&ebb, &python, "watch").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("following"));
    let create = |ebb: &Ebb, name: &str| _ = ebb.kubectl(&["create", "configmap", name]);
    create(&ebb, "before");
    assert_eq!(lines.next().as_deref(), Some("ADDED before"));
    // What comes while it is not looking is not lost, and nothing comes twice.
    ebb.kill_all();
    ebb.restart();
    create(&ebb, "after");
    ebb.kubectl(&["label", "configmap", "before", "a=b"]);
    ebb.kubectl(&["delete", "configmap", "after"]);
    create(&ebb, "end");
    let seen: Vec<_> = lines.collect();
    assert_eq!(seen, ["ADDED after", "MODIFIED before", "DELETED after", "ADDED end"]);
    assert!(child.wait().unwrap().success());
}
