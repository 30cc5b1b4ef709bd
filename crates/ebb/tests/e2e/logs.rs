//! `kubectl logs`, with its flags.

use crate::rig::{Ebb, need_kubectl, service, text, until};

const PODS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: logs}}
spec:
  restartPolicy: Never
  initContainers: [{name: first, image: "dev.local/hello:1", args: [say=before, exit=0]}]
  containers:
    - {name: main, image: "dev.local/hello:1", args: [say=a, say=b, sleep=2500, say=c, exit=0]}
    - {name: side, image: "dev.local/hello:1", args: [say=d, exit=0]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: logs}}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "dev.local/hello:1", args: [say=e, exit=0]}]
---
apiVersion: v1
kind: Pod
metadata: {name: again}
spec:
  restartPolicy: OnFailure
  containers: [{name: main, image: "dev.local/hello:1", args: [say=try, exit=1]}]
---
apiVersion: v1
kind: Pod
metadata: {name: absent}
spec:
  containers: [{name: main, image: "dev.local/none:1"}]
"#;

#[test]
fn every_flag_of_kubectl_logs_does_what_it_says() {
    if !need_kubectl("every_flag_of_kubectl_logs_does_what_it_says") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(PODS);
    let logs = |arguments: &[&str]| ebb.kubectl(&[&["logs"][..], arguments].concat());
    ebb.settled("pod", "one", |pod| {
        let statuses = pod["status"]["containerStatuses"].as_array();
        statuses.is_some_and(|statuses| {
            let main = statuses.iter().find(|status| status["name"] == "main");
            main.is_some_and(|main| !main["state"]["running"].is_null())
        })
    });
    // Followed to its end.
    let whole = "say=a -> a\nsay=b -> b\nsleep=2500 ->\nsay=c -> c\nexit=0 ->\n";
    assert_eq!(logs(&["-f", "one", "-c", "main"]), whole);
    ebb.in_phase("one", "Succeeded");
    ebb.in_phase("two", "Succeeded");
    let main = |flags: &[&str]| logs(&[&["one", "-c", "main"][..], flags].concat());
    assert_eq!(main(&[]), whole);
    assert_eq!(main(&["--tail=2"]), "say=c -> c\nexit=0 ->\n");
    assert_eq!(main(&["--tail=0"]), "");
    assert_eq!(main(&["--limit-bytes=5"]), "say=a");
    let stamped = main(&["--timestamps"]);
    let lines: Vec<_> = stamped.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(lines.iter().map(|(_, line)| format!("{line}\n")).collect::<String>(), whole);
    assert!(lines.is_sorted_by_key(|(time, _)| *time) && lines[0].0.ends_with('Z'), "{stamped}");
    assert_eq!(main(&["--since-time", lines[3].0]), "sleep=2500 ->\nsay=c -> c\nexit=0 ->\n");
    assert_eq!(main(&["--since=1h"]), whole);
    assert_eq!(logs(&["one", "-c", "first"]), "say=before -> before\nexit=0 ->\n");
    let all = logs(&["one", "--all-containers", "--prefix"]);
    for line in
        ["[pod/one/first] say=before -> before", "[pod/one/main] say=c -> c", "[pod/one/side] say=d -> d"]
    {
        assert!(all.lines().any(|found| found == line), "{line}: {all}");
    }
    let selected = logs(&["-l", "app=logs", "--prefix", "--all-containers", "--tail=-1"]);
    for line in ["[pod/one/side] say=d -> d", "[pod/two/main] say=e -> e"] {
        assert!(selected.lines().any(|found| found == line), "{line}: {selected}");
    }
    let previous = until(|| {
        let output = ebb.try_kubectl(&["logs", "again", "--previous"], "");
        output.status.success().then(|| text(&output.stdout))
    });
    assert_eq!(previous.as_deref(), Some("say=try -> try\nexit=1 ->\n"));
    for (arguments, said) in [
        (
            &["logs", "two", "--previous"][..],
            "previous terminated container \"main\" in pod \"two\" not found",
        ),
        (&["logs", "absent"], "container \"main\" in pod \"absent\" is waiting to start: "),
        (&["logs", "one", "-c", "none"], "container none is not valid for pod one"),
    ] {
        let refused = until(|| {
            let output = ebb.try_kubectl(arguments, "");
            let errors = text(&output.stderr);
            (!output.status.success() && errors.contains(said)).then_some(())
        });
        assert!(refused.is_some(), "{arguments:?}: {said}");
    }
}

#[test]
fn what_is_part_of_the_gateway_says_so() {
    if !need_kubectl("what_is_part_of_the_gateway_says_so") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(&service("hello"));
    ebb.call(&ebb.ready("hello"));
    let pod = ebb.objects("pods", "serving.knative.dev/service=hello").remove(0);
    let name = pod["metadata"]["name"].as_str().unwrap();
    let statuses = pod["status"]["containerStatuses"].as_array().unwrap();
    for status in statuses {
        assert!(status["containerID"].as_str().unwrap().starts_with("ebb://"), "{status}");
    }
    for flag in ["--follow=false", "-f"] {
        let told = ebb.kubectl(&["logs", name, "-c", "queue-proxy", flag]);
        assert!(told.contains("part of Ebb's gateway") && told.contains("-c user-container"), "{told}");
    }
    let all = ebb.kubectl(&["logs", name, "--all-containers"]);
    assert!(all.contains("hello: listening on") && all.contains("part of Ebb's gateway"), "{all}");
    let refused = ebb.try_kubectl(&["exec", name, "-c", "queue-proxy", "--", "/hello"], "");
    let errors = text(&refused.stderr);
    assert!(!refused.status.success() && errors.contains("it has no shell"), "{errors}");
}
