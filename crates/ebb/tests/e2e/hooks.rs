//! What is run in containers by the node: probes and hooks.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use crate::rig::{Ebb, need_kubectl, need_root, until};

/// A container that is ready when a file is there, alive as long as another one is, and whose hooks it sees.
const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: watched}
spec:
  terminationGracePeriodSeconds: 30
  containers:
    - name: main
      image: "dev.local/hello:1"
      workingDir: /tmp
      args: ["wait=/tmp/started", "cat=/tmp/said", "wait=/tmp/stopping", "say=bye", "wait=/tmp/never"]
      startupProbe: {exec: {command: [/hello, need=/tmp/started, exit=0]}, periodSeconds: 1}
      readinessProbe: {exec: {command: [/hello, need=/tmp/ready, exit=0]}, periodSeconds: 1}
      livenessProbe: {exec: {command: [/hello, need=/tmp/started, exit=0]}, periodSeconds: 1}
      lifecycle:
        postStart: {exec: {command: [/hello, "write=/tmp/said:a hook", "write=/tmp/started:x", exit=0]}}
        preStop: {exec: {command: [/hello, "write=/tmp/stopping:x", sleep=500, exit=0]}}
"#;

#[test]
fn commands_probe_containers_and_are_their_hooks() {
    const NAME: &str = "commands_probe_containers_and_are_their_hooks";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(POD);
    let status = |ready: bool| {
        ebb.settled("pod", "watched", |pod| {
            let status = &pod["status"]["containerStatuses"][0];
            status["started"] == true && status["ready"] == ready
        })
    };
    status(false);
    let unhealthy = until(|| {
        events(&ebb, "watched").contains("Readiness probe failed: need=/tmp/ready is not there").then_some(())
    });
    assert!(unhealthy.is_some(), "{}", events(&ebb, "watched"));
    ebb.kubectl_exec("watched", &["/hello", "write=/tmp/ready:x", "exit=0"]);
    status(true);
    let read = until(|| ebb.log("watched", "main").contains("cat=/tmp/said -> a hook").then_some(()));
    assert!(read.is_some(), "{}", ebb.log("watched", "main"));

    // What it says at its end is its hook's doing.
    let kubectl = std::env::var_os("EBB_KUBECTL").unwrap_or_else(|| "kubectl".into());
    let mut follow = ebb.command(std::path::Path::new(&kubectl));
    let mut follow = follow.args(["logs", "-f", "watched"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(follow.stdout.take().unwrap());
    // It is followed before it is told to end.
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    ebb.kubectl(&["delete", "pod", "watched"]);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    follow.wait().unwrap();
    assert!(rest.contains("say=bye -> bye"), "{first}{rest}");
}

#[test]
fn containers_end_that_a_command_finds_dead_or_cannot_start() {
    const NAME: &str = "containers_end_that_a_command_finds_dead_or_cannot_start";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    let pod = |name: &str, more: &str| {
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n    \
             - {{name: main, image: \"dev.local/hello:1\", {more}}}\n"
        );
        ebb.apply(&pod);
    };
    let probe = "exec: {command: [/hello, need=/tmp/alive, exit=0]}, periodSeconds: 1, failureThreshold: 1";
    pod("dead", &format!("livenessProbe: {{{probe}}}"));
    pod(
        "slow",
        "livenessProbe: {exec: {command: [/hello, wait=/tmp/never]}, timeoutSeconds: 1, failureThreshold: 1}",
    );
    pod("hookless", "lifecycle: {postStart: {exec: {command: [/hello, complain=no, exit=1]}}}");
    for name in ["dead", "slow", "hookless"] {
        ebb.settled("pod", name, |pod| {
            pod["status"]["containerStatuses"][0]["restartCount"].as_i64().is_some_and(|count| count > 0)
        });
    }
    for (name, said) in [
        ("dead", "Liveness probe failed: need=/tmp/alive is not there"),
        ("slow", "Liveness probe failed: no answer within 1 s"),
        ("hookless", "PostStartHook failed: "),
    ] {
        let told = until(|| events(&ebb, name).contains(said).then_some(()));
        assert!(told.is_some(), "{name}: {}", events(&ebb, name));
    }
}

fn events(ebb: &Ebb, pod: &str) -> String {
    let field = format!("involvedObject.name={pod}");
    ebb.kubectl(&["get", "events", "--field-selector", &field, "-o", "jsonpath={.items[*].message}"])
}
