//! The commands that write and wait, on a running platform.

use crate::rig::{Ebb, need_kubectl};

#[test]
fn what_a_command_waits_for_is_there_when_it_ends() {
    if !need_kubectl("what_a_command_waits_for_is_there_when_it_ends") {
        return;
    }
    let ebb = Ebb::up();
    let url = format!("http://app.default.localhost:{}", ebb.http.port());
    let apply = ["service", "apply", "app", "--image", "dev.local/hello:1", "--env"];
    let update = ["service", "update", "app"];
    let split = ["--traffic", "app-00001=30", "--traffic", "@latest=70", "--tag", "app-00001=old"];
    let now_at = |done: &str, revision: &str| {
        format!(
            "Ready to serve.\n\nService 'app' {done} to latest revision '{revision}' is available at URL:\n{url}\n"
        )
    };
    let unchanged = |revision: &str| {
        format!("Service 'app' with latest revision '{revision}' (unchanged) is available at URL:\n{url}\n")
    };
    // (what is typed, how the answer begins, how it ends, what the service says from then on)
    let cases: [(&[&str], &str, String, &str); 5] = [
        (
            &["TARGET=one"],
            "Creating service 'app' in namespace 'default':\n\n",
            now_at("created", "app-00001"),
            "one",
        ),
        (&["TARGET=one", "--wait"], "No changes to apply to service 'app'.\n", unchanged("app-00001"), "one"),
        (
            &["TARGET=two", "--wait"],
            "Applying service 'app' in namespace 'default':\n\n",
            now_at("applied", "app-00002"),
            "two",
        ),
        (
            &["--env", "TARGET=three"],
            "Updating Service 'app' in namespace 'default':\n\n",
            now_at("updated", "app-00003"),
            "three",
        ),
        (&split, "Updating Service 'app' in namespace 'default':\n\n", unchanged("app-00003"), ""),
    ];
    for (arguments, begins, ends, says) in cases {
        let command = if arguments[0].starts_with("--") { &update[..] } else { &apply };
        let said = ebb.ebb_says(&[command, arguments].concat());
        assert!(said.starts_with(begins) && said.ends_with(&ends), "{arguments:?}: {said}");
        let answer = ebb.call(&url);
        assert_eq!(answer.status, 200, "{arguments:?}: {}", answer.body);
        assert!(answer.body.starts_with(&format!("Hello {says}")), "{arguments:?}: {}", answer.body);
    }

    let list = ebb.ebb_says(&["route", "list"]);
    let rows: Vec<Vec<_>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows, [vec!["NAME", "URL", "READY"], vec!["app", &url, "True"]], "{list}");
    let described = ebb.ebb_says(&["route", "describe", "app"]);
    let old = url.replace("app.", "old-app.");
    for part in
        ["Service:    app\n", " 70%  @latest (app-00003)\n", " 30%  app-00001 #old\n", "++ Ready", &url, &old]
    {
        assert!(described.contains(part), "{part:?} in {described}");
    }
    assert_eq!(ebb.ebb_says(&["route", "describe", "app", "-o", "url"]), format!("{url}\n"));
    assert_eq!(ebb.call(&old).body.trim(), "Hello one!");

    let said = ebb.ebb_says(&[&update[..], &["--env", "TARGET=four", "--no-wait"]].concat());
    assert_eq!(said, "Service 'app' updated in namespace 'default'.\n");
    ebb.ebb_says(&["service", "wait", "app"]);
    let app = ebb.object("ksvc", "app").unwrap();
    assert_eq!(app["status"]["latestReadyRevisionName"], "app-00004");
    let said = ebb.ebb_says(&["service", "delete", "app", "--wait"]);
    assert_eq!(said, "Service 'app' successfully deleted in namespace 'default'.\n");
    for kind in ["ksvc", "route", "configuration", "revision"] {
        assert_eq!(ebb.kubectl(&["get", kind, "-o", "name"]), "", "{kind} of what is deleted");
    }
}
