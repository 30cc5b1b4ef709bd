//! The `ebb` command beside a running platform, as its user types it.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::rig::{Ebb, Setup, docker_save, hello, need_kubectl, text, until};

#[test]
fn what_it_says_to_type_next_works() {
    if !need_kubectl("what_it_says_to_type_next_works") {
        return;
    }
    let bin = tempfile::tempdir().unwrap();
    let kubectl = Command::new("sh").args(["-c", "command -v \"${EBB_KUBECTL:-kubectl}\""]).output().unwrap();
    for (program, name) in [
        (text(&kubectl.stdout).trim(), "kubectl"),
        (env!("CARGO_BIN_EXE_ebb"), "ebb"),
        // Runs what follows it, and this user needs no more.
        ("/usr/bin/env", "sudo"),
    ] {
        symlink(program, bin.path().join(name)).unwrap();
    }
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    for environment in [&[][..], &[("SUDO_UID", "1000")]] {
        let ebb = Ebb::with(Setup { environment, ..Setup::default() });
        let said = ebb.said();
        let (_, next) = said.split_once("Next, in another terminal:").expect("it says what is next");
        let (next, _) = next.split_once("Ctrl-C").unwrap();
        let by_sudo = rustix::process::geteuid().is_root() && !environment.is_empty();
        assert_eq!(next.contains("sudo ebb kubeconfig"), by_sudo, "root's keys are root's: {next}");
        // The line that offers another command, too.
        let other =
            next.split_once("# or: ").map(|(_, other)| other.trim()).expect("it offers another command");
        let mut shell = ebb.command("sh");
        shell.args(["-exc", &format!("{next}\n{other}")]).env("PATH", &path).env_remove("KUBECONFIG");
        let output = shell.current_dir(&bin).output().unwrap();
        assert!(output.status.success(), "{said}{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "No services found.\n", "{}", text(&output.stderr));
    }
}

#[test]
fn images_come_and_go() {
    let ebb = Ebb::up();
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    hello(&file("oci.tar"), "dev.local/oci:1");
    docker_save(&file("docker.tar"), Some("dev.local/docker:1"));
    docker_save(&file("nameless.tar"), None);
    fs::write(file("garbage.tar"), "no archive: \u{7}secret".repeat(100)).unwrap();
    fs::write(file("empty.tar"), "").unwrap();
    let path = |name: &str| file(name).to_str().unwrap().to_owned();

    // What is loaded is said with its digest, and listed.
    for (arguments, name) in [
        (&["oci.tar"][..], "dev.local/oci:1"),
        (&["docker.tar"], "dev.local/docker:1"),
        (&["docker.tar", "--name", "dev.local/renamed:2"], "dev.local/renamed:2"),
        (&["nameless.tar", "--name", "named"], "docker.io/library/named:latest"),
    ] {
        let archive = path(arguments[0]);
        let said = ebb.ebb_says(&[&["image", "load", &archive], &arguments[1..]].concat());
        assert!(said.starts_with(&format!("Image '{name}' loaded (sha256:")), "{arguments:?}: {said}");
    }
    let mut load = ebb.command(env!("CARGO_BIN_EXE_ebb"));
    load.args(["image", "load", "-", "--name", "dev.local/piped:1"]).stdout(Stdio::piped());
    let output = load.stdin(File::open(file("oci.tar")).unwrap()).output().unwrap();
    assert!(text(&output.stdout).starts_with("Image 'dev.local/piped:1' loaded"), "{}", text(&output.stderr));

    let list = ebb.ebb_says(&["image", "list"]);
    let names: Vec<_> = list.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    let expect = [
        "REFERENCE",
        "dev.local/docker:1",
        "dev.local/hello:1",
        "dev.local/oci:1",
        "dev.local/piped:1",
        "dev.local/renamed:2",
        "docker.io/library/named:latest",
    ];
    assert_eq!(names, expect, "{list}");
    assert!(!list.contains("unknown") && list.lines().skip(1).all(|line| line.contains("kB")), "{list}");

    // What cannot be loaded is named, with the reason, and never shown.
    for (arguments, expect) in [
        (&["nameless.tar"][..], "has no name: give one with --name"),
        (&["garbage.tar"], "not a readable tar: no tar header where one must be"),
        (&["empty.tar"], "neither an OCI image layout nor a docker save"),
        (&["oci.tar", "--name", "A b"], "couldn't parse image reference \"A b\""),
        (&["nosuch.tar"], "No such file"),
    ] {
        let archive = path(arguments[0]);
        let error = ebb.ebb_fails(&[&["image", "load", &archive], &arguments[1..]].concat());
        assert!(error.contains(&archive) && error.contains(expect), "{arguments:?}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }

    // One that runs something stays, unless somebody insists.
    ebb.ebb_says(&["service", "create", "user", "--image", "dev.local/docker:1"]);
    let removed = ebb.ebb_says(&["image", "remove", "dev.local/docker:1", "dev.local/renamed:2"]);
    assert_eq!(removed, "Image 'dev.local/docker:1' removed.\nImage 'dev.local/renamed:2' removed.\n");
    let error = ebb.ebb_fails(&["image", "rm", "named", "dev.local/oci:1"]);
    let expect = "unable to remove image docker.io/library/named:latest (must force): it is used by revision default/user-00001;";
    assert!(error.contains(expect), "the last name of what docker:1 was: {error}");
    assert_eq!(ebb.ebb_says(&["image", "rm", "--force", "named"]), "Image 'named' removed.\n");
    let url = format!("http://user.default.localhost:{}", ebb.http.port());
    assert_eq!(ebb.call(&url).status, 200, "what runs goes on");
    assert_eq!(
        ebb.ebb_fails(&["image", "remove", "dev.local/oci:1", "nosuch"]),
        "Error: image dev.local/oci:1 is not in the store; `ebb image list` shows those that are\n\
         Error: image docker.io/library/nosuch:latest is not in the store; `ebb image list` shows those that are\n"
    );
}

#[test]
fn services_and_revisions_by_kns_commands() {
    if !need_kubectl("services_and_revisions_by_kns_commands") {
        return;
    }
    let ebb = Ebb::up();
    let manifest = ebb.dir().join("service.yaml");
    let declared = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: filed}\nspec:\n  template:\n    spec: {containers: [{image: 'dev.local/hello:1'}]}\n";
    fs::write(&manifest, declared).unwrap();
    let manifest = manifest.to_str().unwrap();
    let url = format!("http://filed.default.localhost:{}", ebb.http.port());

    let said = ebb.ebb_says(&["service", "create", "-f", manifest]);
    let created = format!(
        "Ready to serve.\n\nService 'filed' created to latest revision 'filed-00001' is available at URL:\n{url}\n"
    );
    assert!(said.starts_with("Creating service 'filed' in namespace 'default':\n\n"), "{said}");
    assert!(said.ends_with(&created), "{said}");
    let error = ebb.ebb_fails(&["service", "create", "-f", manifest]);
    assert!(error.contains("because the service already exists and no --force option was given"), "{error}");
    assert_eq!(ebb.call(&url).body.trim(), "Hello World!");
    let mut piped = ebb.command(env!("CARGO_BIN_EXE_ebb"));
    piped.args(["service", "create", "-f", "-"]).stdin(File::open(manifest).unwrap());
    let error = text(&piped.output().unwrap().stderr);
    assert!(error.contains("cannot create service 'filed'"), "{error}");
    let said = ebb.ebb_says(&["service", "create", "-f", manifest, "--force", "--env", "TARGET=force"]);
    assert!(said.starts_with("Replacing service 'filed'") && said.contains("'filed-00002'"), "{said}");
    assert_eq!(ebb.call(&url).body.trim(), "Hello force!");

    let list = ebb.ebb_says(&["revision", "list", "-s", "filed"]);
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<_> = list.lines().map(columns).collect();
    assert_eq!(rows[1][..4], ["filed-00002", "filed", "100%", "2"], "{list}");
    assert_eq!(rows[2][..3], ["filed-00001", "filed", "1"], "{list}");
    let described = ebb.ebb_says(&["revision", "describe", "filed-00001"]);
    for part in ["Name:       filed-00001\n", "Service:    filed\n", "Conditions:", "++ Ready"] {
        assert!(described.contains(part), "{part:?} in {described}");
    }
    let deleted = "Revision 'filed-00001' deleted in namespace 'default'.\n";
    assert_eq!(ebb.ebb_says(&["revision", "delete", "filed-00001"]), deleted);
    assert!(until(|| ebb.object("revision", "filed-00001").is_none().then_some(())).is_some());
    let error = ebb.ebb_fails(&["revision", "delete", "filed-00001"]);
    assert_eq!(error, "Error: revisions.serving.knative.dev \"filed-00001\" not found\n");

    // One that falls to zero tells of its way back.
    ebb.ebb_says(&["service", "create", "cold", "--image", "dev.local/hello:1", "--scale-window", "6s"]);
    ebb.at_zero("serving.knative.dev/service=cold");
    assert_eq!(ebb.call(&url.replace("filed", "cold")).status, 200);
    let described = ebb.ebb_says(&["service", "describe", "cold"]);
    let (_, starts) = described.split_once("Cold starts:").unwrap_or_else(|| panic!("{described}"));
    let rows: Vec<_> = starts.lines().skip(1).map(columns).collect();
    assert_eq!(rows[0][..3], ["AGE", "REVISION", "TOTAL"], "{described}");
    assert_eq!((rows[1][1].as_str(), rows[1].len()), ("cold-00001", rows[0].len()), "{described}");
    assert!(rows[1][2..].iter().all(|part| part.ends_with("ms")), "{described}");

    // A list is a list, whatever is in it.
    assert_eq!(ebb.ebb_says(&["service", "list", "nosuch"]), "No services found.\n");
    let deleted = ["cold", "filed"]
        .map(|name| format!("Service '{name}' successfully deleted in namespace 'default'.\n"))
        .concat();
    assert_eq!(ebb.ebb_says(&["service", "delete", "--all"]), deleted);
    let gone = until(|| (ebb.ebb_says(&["service", "list"]) == "No services found.\n").then_some(()));
    assert!(gone.is_some(), "{}", ebb.ebb_says(&["service", "list"]));
    assert_eq!(ebb.ebb_says(&["service", "delete", "--all"]), "No services found.\n");
}

#[test]
fn who_calls_a_service_that_is_not_ready_is_told_so() {
    if !need_kubectl("who_calls_a_service_that_is_not_ready_is_told_so") {
        return;
    }
    let ebb = Ebb::up();
    let create = ["service", "create", "late", "--image", "dev.local/none:1"];
    let error = ebb.ebb_fails(&[&create[..], &["--wait-window", "0"]].concat());
    assert!(error.contains("dev.local/none:1") && error.contains("`ebb service describe late`"), "{error}");
    let described = ebb.ebb_says(&["service", "describe", "late"]);
    assert!(described.contains("Try next:") && described.contains("ebb image load"), "{described}");
    ebb.ebb_says(&[
        "service",
        "create",
        "inside",
        "--image",
        "dev.local/none:1",
        "--cluster-local",
        "--no-wait",
    ]);
    let reconciled = until(|| ebb.object("route", "inside")?["status"]["url"].as_str().map(drop));
    assert!(reconciled.is_some());

    let port = ebb.http.port();
    let call = |host: &str| ebb.call(&format!("http://{host}:{port}"));
    let told =
        "service late in namespace default is not ready yet; `ebb service describe late -n default` says why";
    let answer =
        until(|| Some(call("late.default.localhost")).filter(|answer| answer.body.starts_with(told)));
    assert_eq!(answer.expect("it says that it is not ready").status, 404);
    // Nobody outside learns what is inside alone.
    for (host, expect) in [
        ("inside.default.localhost", "no service answers for host"),
        ("nosuch.default.localhost", "no service answers for host"),
        ("inside.default.svc.cluster.local", "is for callers inside the cluster alone"),
        ("nosuch.default.svc.cluster.local", "is for callers inside the cluster alone"),
    ] {
        let answer = call(host);
        assert!(answer.status == 404 && answer.body.contains(expect), "{host}: {}", answer.body);
    }
    ebb.load("dev.local/none:1");
    let url = ebb.ready("late");
    assert_eq!(ebb.call(&url).status, 200);
}

#[test]
fn a_kubeconfig_is_merged_when_asked_and_otherwise_left_alone() {
    if !need_kubectl("a_kubeconfig_is_merged_when_asked_and_otherwise_left_alone") {
        return;
    }
    let mut ebb = Ebb::up();
    // The rig's home is the data directory.
    let user = ebb.dir().join(".kube/config");
    fs::create_dir_all(user.parent().unwrap()).unwrap();
    let theirs = "apiVersion: v1\nkind: Config # mine\nclusters: [{name: prod, cluster: {server: 'https://127.0.0.1:9'}}]\ncontexts: [{name: prod, context: {cluster: prod, user: me}}]\nusers: [{name: me, user: {token: x}}]\ncurrent-context: prod\n";
    fs::write(&user, theirs).unwrap();
    let state =
        |path: &Path| (fs::read_to_string(path).unwrap(), path.metadata().unwrap().modified().unwrap());
    let before = state(&user);
    ebb.kill();
    ebb.restart();
    let data = ebb.dir().to_str().unwrap().to_owned();
    let printed = ebb.ebb_says(&["kubeconfig", "--data-dir", &data]);
    assert_eq!(printed, fs::read_to_string(ebb.dir().join("kubeconfig")).unwrap());
    ebb.ebb_says(&["service", "list"]);
    ebb.kubectl(&["get", "ns"]);
    assert!(ebb.stop(), "it ends well");
    ebb.restart();
    assert_eq!(state(&user), before, "nothing but --merge writes it");

    let mine = |program: &str, arguments: &[&str]| {
        let output = ebb.command(program).args(arguments).env_remove("KUBECONFIG").output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let merge = ["kubeconfig", "--merge", "--data-dir", &data];
    let said = mine(env!("CARGO_BIN_EXE_ebb"), &merge);
    assert!(said.contains(user.to_str().unwrap()) && said.contains("kubectl --context ebb"), "{said}");
    let kubectl = std::env::var("EBB_KUBECTL").unwrap_or_else(|_| "kubectl".into());
    let names =
        |what: &str| mine(&kubectl, &["config", "view", "-o", &format!("jsonpath={{.{what}[*].name}}")]);
    assert_eq!((names("contexts"), names("users")), ("ebb prod".into(), "ebb-admin me".into()));
    assert_eq!(mine(&kubectl, &["config", "current-context"]), "prod\n");
    assert!(mine(&kubectl, &["--context", "ebb", "get", "namespaces"]).contains("knative-serving"));
    assert_eq!(mine(env!("CARGO_BIN_EXE_ebb"), &["service", "list"]), "No services found.\n");
    let merged = fs::read_to_string(&user).unwrap();
    mine(env!("CARGO_BIN_EXE_ebb"), &merge);
    assert_eq!(fs::read_to_string(&user).unwrap(), merged, "merging again changes nothing");
}

#[test]
fn what_kubectl_create_sends_is_taken() {
    if !need_kubectl("what_kubectl_create_sends_is_taken") {
        return;
    }
    let ebb = Ebb::up();
    for (kind, arguments) in [
        ("namespace", &["create", "namespace", "made"][..]),
        ("configmap", &["create", "configmap", "made", "--from-literal=a=b"]),
        ("secret", &["create", "secret", "generic", "made", "--from-literal=a=b"]),
        ("serviceaccount", &["create", "serviceaccount", "made"]),
        ("role", &["create", "role", "made", "--verb=get", "--resource=pods"]),
        (
            "rolebinding",
            &["create", "rolebinding", "made", "--clusterrole=view", "--serviceaccount=default:made"],
        ),
        ("deployment", &["create", "deployment", "made", "--image=dev.local/hello:1", "--replicas=2"]),
        ("service", &["create", "service", "clusterip", "made", "--tcp=80:8080"]),
        ("pod", &["run", "made", "--image=dev.local/hello:1", "--env=A=b"]),
    ] {
        ebb.kubectl(arguments);
        assert!(ebb.object(kind, "made").is_some(), "{kind}");
    }
    // The role `view` is made of others, Knative's among them, by a controller.
    let may = |verb, resource: &str| {
        let account = "--as=system:serviceaccount:default:made";
        let output = ebb.try_kubectl(&["auth", "can-i", verb, resource, account], "");
        text(&output.stdout).trim() == "yes"
    };
    for resource in ["pods", "deployments.apps", "services.serving.knative.dev"] {
        assert!(until(|| may("list", resource).then_some(())).is_some(), "{resource}");
    }
    assert!(!may("list", "secrets") && !may("create", "pods"));
    assert_eq!(ebb.kubectl(&["create", "token", "made"]).split('.').count(), 3);
    ebb.kubectl(&["expose", "deployment", "made", "--name=exposed", "--port=80", "--target-port=8080"]);
    let exposed = ebb.object("service", "exposed").unwrap();
    assert_eq!(exposed["spec"]["selector"], serde_json::json!({"app": "made"}));
    ebb.kubectl(&["rollout", "status", "deployment", "made", "--timeout=30s"]);
}

#[test]
fn a_command_line_that_makes_no_sense_says_what_would() {
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_ebb")).args(arguments).output().unwrap();
    let groups = "Available sub-commands: backup, demo, image, kubeconfig, restore, revision, route, service, up, version";
    let services =
        "Available sub-commands: apply, create, delete, describe, export, import, list, update, wait";
    for (arguments, expect, command) in [
        (&["service"][..], format!("no sub-command given for 'ebb service'. {services}"), "ebb service"),
        (
            &["-n", "a", "ksvc", "lst"],
            format!("unknown sub-command 'lst' for 'ebb service'. {services}"),
            "ebb service",
        ),
        (&["srvice"], format!("unknown sub-command 'srvice' for 'ebb'. {groups}"), "ebb"),
        (&["up", "--data", "x"], "unexpected argument '--data' found".into(), "ebb up"),
        (
            &["image", "load", "a.tar", "--data-dir", "x"],
            "unexpected argument '--data-dir' found\n\n  tip: an Ebb that has its own --data-dir DIR is meant by --kubeconfig \
             DIR/kubeconfig\n"
                .into(),
            "ebb image load",
        ),
        (
            &["image", "load", "a.tar", "--tag", "b"],
            "unexpected argument '--tag' found\nRun 'ebb".into(),
            "ebb image load",
        ),
        (
            &["up", "--api", "6443"],
            "an IP address and a port are expected, as in 127.0.0.1:8080".into(),
            "ebb up",
        ),
        (&["up", "--domain", "my apps"], "a DNS name in lower case is expected".into(), "ebb up"),
        (&["demo", "--log", "a=b=c"], "`warn` or `info,node=debug` are filters".into(), "ebb demo"),
        (&["service", "describe"], "required arguments were not provided".into(), "ebb service describe"),
    ] {
        let output = run(arguments);
        let error = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {error}");
        let rest = error.strip_prefix("Error: ").unwrap_or_else(|| panic!("{arguments:?}: {error}"));
        assert!(rest.contains(&expect), "{arguments:?}: {error}");
        assert!(rest.ends_with(&format!("\nRun '{command} --help' for usage\n")), "{arguments:?}: {error}");
    }
    for (arguments, expect) in [
        (&["--version"][..], format!("ebb {}\n", env!("CARGO_PKG_VERSION"))),
        (&[], "Usage: ebb".into()),
        (&["service", "--help"], "Usage: ebb service".into()),
        (&["version"], format!("Version:      {}\n", env!("CARGO_PKG_VERSION"))),
    ] {
        let output = run(arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}");
        assert!(text(&output.stdout).contains(&expect), "{arguments:?}: {}", text(&output.stdout));
    }
    let version: Value = serde_json::from_slice(&run(&["version", "-o", "json"]).stdout).unwrap();
    assert_eq!(version["Version"], env!("CARGO_PKG_VERSION"));
}
