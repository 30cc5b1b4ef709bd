//! The commands that write and wait, on a running platform.

use std::fs;

use serde_json::Value;

use crate::rig::{Ebb, condition, need_kubectl, until};

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
    let said = ebb.ebb_says(&["service", "wait", "app"]);
    let (begins, ends) = (
        "Waiting for Service 'app' in namespace 'default':\n\n",
        "Service 'app' in namespace 'default' is ready.\n",
    );
    assert!(said.starts_with(begins) && said.ends_with(ends), "{said}");
    let app = ebb.object("ksvc", "app").unwrap();
    assert_eq!(app["status"]["latestReadyRevisionName"], "app-00004");
    let said = ebb.ebb_says(&["service", "delete", "app", "--wait"]);
    assert_eq!(said, "Service 'app' successfully deleted in namespace 'default'.\n");
    for kind in ["ksvc", "route", "configuration", "revision"] {
        assert_eq!(ebb.kubectl(&["get", kind, "-o", "name"]), "", "{kind} of what is deleted");
    }
}

#[test]
fn what_is_exported_can_be_imported_and_replayed() {
    if !need_kubectl("what_is_exported_can_be_imported_and_replayed") {
        return;
    }
    let ebb = Ebb::up();
    let url = format!("http://app.default.localhost:{}", ebb.http.port());
    let old = url.replace("app.", "old-app.");
    let create = [
        "service",
        "create",
        "app",
        "--image",
        "dev.local/hello:1",
        "--env",
        "TARGET=one",
        "--label",
        "team=a",
    ];
    ebb.ebb_says(&create);
    ebb.ebb_says(&["service", "update", "app", "--env", "TARGET=two"]);
    ebb.ebb_says(&["service", "update", "app", "--env", "TARGET=three"]);
    ebb.ebb_says(&[
        "service",
        "update",
        "app",
        "--traffic",
        "app-00002=30,@latest=70",
        "--tag",
        "app-00002=old",
    ]);
    let export = ["service", "export", "app", "--with-revisions"];
    let file = ebb.dir().join("app.yaml");
    fs::write(&file, ebb.ebb_says(&[&export[..], &["-o", "yaml"]].concat())).unwrap();
    let file = file.to_str().unwrap();
    let list = ebb.ebb_says(&[&export[..], &["--mode", "replay", "-o", "json"]].concat());
    let list: Value = serde_json::from_str(&list).unwrap();
    let gone = || {
        ebb.ebb_says(&["service", "delete", "app", "--wait"]);
        assert!(ebb.object("ksvc", "app").is_none());
    };
    let serves = || {
        assert_eq!(ebb.call(&old).body.trim(), "Hello two!");
        let answers: Vec<_> = (0..40).map(|_| ebb.call(&url).body.trim().to_owned()).collect();
        for answer in ["Hello two!", "Hello three!"] {
            assert!(answers.iter().any(|found| found == answer), "{answer} in {answers:?}");
        }
        let names = ebb.kubectl(&["get", "revisions", "-o", "jsonpath={.items[*].metadata.name}"]);
        assert_eq!(names, "app-r00002 app-r00003", "the first has no traffic and stays behind");
        assert_eq!(ebb.object("ksvc", "app").unwrap()["metadata"]["labels"]["team"], "a");
    };

    let error = ebb.ebb_fails(&["service", "import", file]);
    assert!(
        error.contains(
            "cannot import service 'app' in namespace 'default' because the service already exists"
        ),
        "{error}"
    );
    gone();
    let said = ebb.ebb_says(&["service", "import", file]);
    let ends =
        format!("Service 'app' imported to latest revision 'app-r00003' is available at URL:\n{url}\n");
    assert!(
        said.starts_with("Importing service 'app' in namespace 'default':\n\n") && said.ends_with(&ends),
        "{said}"
    );
    serves();
    // It goes on as any other, also where its numbers are again those of what was imported.
    let said = ebb.ebb_says(&["service", "update", "app", "--env", "TARGET=four"]);
    assert!(said.contains("Service 'app' updated to latest revision 'app-00002'"), "{said}");
    let answers: Vec<_> = (0..40).map(|_| ebb.call(&url).body.trim().to_owned()).collect();
    assert!(answers.iter().any(|answer| answer == "Hello four!"), "{answers:?}");

    gone();
    // One after the other, as each makes a revision of its own.
    for manifest in list["items"].as_array().unwrap() {
        ebb.apply(&manifest.to_string());
        let ready = until(|| {
            let app = ebb.object("ksvc", "app")?;
            let seen = app["status"]["observedGeneration"] == app["metadata"]["generation"];
            (seen && condition(&app, "ConfigurationsReady")?["status"] == "True").then_some(())
        });
        assert!(ready.is_some(), "{manifest}");
    }
    ebb.ready("app");
    serves();
    let client = ebb.dir().join("kubeconfig");
    let error = ebb.ebb_fails(&["service", "import", client.to_str().unwrap()]);
    assert!(
        error.contains("is not a file of `service export`: it says apiVersion \"v1\", kind \"Config\""),
        "{error}"
    );
}
