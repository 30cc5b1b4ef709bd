//! Where requests arrive, and who may send them: machines are network namespaces.

use std::{process::Command, sync::Arc};

use crate::rig::{Ebb, Host, Setup, need_kubectl, need_root, text};

/// curl as its user types it; what it prints, then the status by itself. Nothing when there is no answer.
fn curl(mut command: Command, arguments: &[&str]) -> Option<(String, String)> {
    command.args(["--silent", "--max-time", "10", "--write-out", "\n%{http_code}"]).args(arguments);
    let output = command.output().expect("curl is installed");
    let printed = text(&output.stdout);
    let (body, status) = printed.rsplit_once('\n')?;
    output.status.success().then(|| (body.trim().to_owned(), status.to_owned()))
}

fn ok(body: &str) -> Option<(String, String)> {
    Some((body.to_owned(), "200".to_owned()))
}

#[test]
fn requests_arrive_at_80_then_8080_and_urls_work_as_shown() {
    const NAME: &str = "requests_arrive_at_80_then_8080_and_urls_work_as_shown";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let host = Arc::new(Host::alone());
    let setup = Setup { host: Some(Arc::clone(&host)), flags: &[], runtime: "process", ..Setup::default() };
    let (first, mut second) = (Ebb::with(setup.clone()), Ebb::with(setup));
    for (ebb, url) in
        [(&first, "http://hello.default.localhost"), (&second, "http://hello.default.localhost:8080")]
    {
        let example = url.replace("hello.default", "NAME.NAMESPACE");
        assert!(ebb.said().contains(&format!(" {example}\n")), "{}", ebb.said());
        let said = ebb.ebb_says(&["service", "create", "hello", "--image", "dev.local/hello:1"]);
        assert!(said.ends_with(&format!("is available at URL:\n{url}\n")), "{said}");
        assert_eq!(curl(host.command("curl"), &[url]), ok("Hello World!"), "{url}");
    }
    assert!(!first.said().contains("port 80"), "{}", first.said());
    let held =
        format!("data directory {}); `--http ADDR` names", first.dir().canonicalize().unwrap().display());
    for part in ["(not at port 80, in use by another `ebb up` (process ", held.as_str()] {
        assert!(second.said().contains(part), "{part} in {}", second.said());
    }
    // The next one after it keeps its port, and says so.
    assert!(second.hand_over(), "it ends well");
    second.restart();
    let why = "(not at port 80: 8080 is kept from the last run; `--http ADDR` names another address)";
    assert!(second.said().contains(why), "{}", second.said());
    // A third one finds neither.
    let dir = tempfile::tempdir().unwrap();
    let mut third = host.command(env!("CARGO_BIN_EXE_ebb"));
    third.args(["up", "--runtime", "process", "--api", "127.0.0.1:0", "--data-dir"]).arg(dir.path());
    let output = third.output().unwrap();
    let error = text(&output.stderr);
    assert!(!output.status.success(), "{error}");
    for part in ["127.0.0.1:80", "127.0.0.1:8080", "--http"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_domain_opens_the_platform_to_other_machines() {
    const NAME: &str = "a_domain_opens_the_platform_to_other_machines";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    const SERVER: &str = "10.213.0.1";
    let (server, client) = Host::pair(SERVER, "10.213.0.2");
    let server = Arc::new(server);
    let setup = Setup { host: Some(Arc::clone(&server)), flags: &[], ..Setup::default() };
    // What another machine gets, when its DNS leads the name to the server.
    let call = |host: &str| {
        let resolve = format!("{host}:80:{SERVER}");
        curl(client.command("curl"), &["--resolve", &resolve, &format!("http://{host}/")])
    };
    let closed = Ebb::with(setup.clone());
    closed.ebb_says(&["service", "create", "hello", "--image", "dev.local/hello:1"]);
    assert_eq!(curl(server.command("curl"), &["http://hello.default.localhost"]), ok("Hello World!"));
    assert_eq!(call("hello.default.localhost"), None, "it is this machine's alone");
    drop(closed);

    let mut open = Ebb::with(Setup { flags: &["--domain", "apps.example"], ..setup });
    assert!(open.said().contains(" http://NAME.NAMESPACE.apps.example\n"), "{}", open.said());
    let said = open.ebb_says(&["service", "create", "hello", "--image", "dev.local/hello:1"]);
    assert!(said.ends_with("is available at URL:\nhttp://hello.default.apps.example\n"), "{said}");
    assert_eq!(call("hello.default.apps.example"), ok("Hello World!"));
    // Neither the API nor what is for callers inside.
    open.ebb_says(&["service", "create", "inside", "--image", "dev.local/hello:1", "--cluster-local"]);
    let inside = call("inside.default.svc.cluster.local").expect("the gateway answers");
    assert_eq!(inside.1, "404", "{inside:?}");
    let api = open.kubectl(&["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    let api = api.replace("127.0.0.1", SERVER);
    assert_eq!(curl(client.command("curl"), &["--insecure", &format!("{api}/healthz")]), None, "{api}");

    // The domain stays until another one is named.
    assert!(open.stop(), "it ends well");
    open.setup.flags = &[];
    open.restart();
    assert_eq!(call("hello.default.apps.example"), ok("Hello World!"));
}
