use std::collections::BTreeMap;
use std::time::Duration;

use dataplane::Limits;
use http::{Request, StatusCode, header};
use resources::networking::{HeaderMatch, HttpIngressPath};

use crate::rig::{App, Client, HOST, Rig, empty, get, instance, probe, revision, split};

/// A rig with a revision per name, each answering with its name.
async fn rig(names: &[&'static str]) -> (Rig, Vec<App>) {
    let (rig, mut apps) = (Rig::new().await, Vec::new());
    for &name in names {
        let app = App::saying(name).await;
        rig.handle.set_revision(revision(name), Default::default());
        rig.handle.set_instances(&revision(name), vec![app.instance()]);
        apps.push(app);
    }
    (rig, apps)
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let (rig, _apps) = rig(&["a"]).await;
    rig.route(HOST, &[("a", 100)]);
    let mut client = rig.client().await;
    // (host, status, part of the text)
    let cases = [
        ("other.default.localhost", StatusCode::NOT_FOUND, "other.default.localhost"),
        // Whether or not there is one of this name.
        ("hello.default.svc.cluster.local", StatusCode::NOT_FOUND, "--no-cluster-local"),
        ("Other.default.svc:8080", StatusCode::NOT_FOUND, "is for callers inside the cluster alone"),
        ("cluster.locality", StatusCode::NOT_FOUND, "no service answers for host"),
        ("bad host", StatusCode::BAD_REQUEST, "Host header"),
        ("Hello.Default.Localhost:8080", StatusCode::OK, "a"),
    ];
    for (host, status, part) in cases {
        let request = Request::get("/").header(header::HOST, host).body(empty()).unwrap();
        let reply = client.read(request).await;
        assert_eq!(reply.status, status, "{host}: {reply:?}");
        assert!(reply.body.contains(part), "{host}: {reply:?}");
    }
}

#[tokio::test]
async fn a_revision_that_was_not_told_yet_is_waited_for() {
    let app = App::saying("late").await;
    let rig = Rig::new().await;
    rig.route(HOST, &[("late", 100)]);
    let mut client = rig.client().await;
    let answer = tokio::spawn(async move { client.get("/").await });
    // Once a later request is answered, this one was read.
    assert_eq!(rig.client().await.read(probe()).await.status, StatusCode::OK);
    rig.handle.set_revision(revision("other"), Default::default());
    rig.handle.set_revision(revision("late"), Default::default());
    rig.handle.set_instances(&revision("late"), vec![app.instance()]);
    assert_eq!(answer.await.unwrap().body, "late");

    let rig = Rig::with(Limits { unknown_revision_max: Duration::from_millis(1), ..Limits::default() }).await;
    rig.route(HOST, &[("never", 100)]);
    let reply = rig.get("/").await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    assert_eq!(
        reply.body,
        "revision default/never is not known to the gateway: it is new, or was deleted; retry, or look with `kubectl get \
         revision never -n default`\n"
    );
}

#[tokio::test]
async fn two_hosts_are_none() {
    let (rig, apps) = rig(&["a"]).await;
    rig.route(HOST, &[("a", 100)]);
    let mut client = rig.client().await;
    for (target, second) in
        [("/".to_owned(), HOST), ("/".to_owned(), "other"), (format!("http://{HOST}/"), HOST)]
    {
        let request = Request::get(&target).header(header::HOST, HOST).header(header::HOST, second);
        let reply = client.read(request.body(empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{target} {second}: {reply:?}");
    }
    assert_eq!(apps[0].requests(), 0);
}

#[tokio::test]
async fn traffic_splits_by_share() {
    let (rig, apps) = rig(&["a", "b"]).await;
    rig.route(HOST, &[("a", 10), ("b", 90)]);
    let mut client = rig.client().await;
    for _ in 0..2_000 {
        assert_eq!(client.get("/").await.status, StatusCode::OK);
    }
    let share = apps[0].requests() as f64 / 20.0;
    assert!((7.0..13.0).contains(&share), "{share} % instead of 10 %");
    assert_eq!(apps[0].requests() + apps[1].requests(), 2_000);
}

#[tokio::test]
async fn paths_and_headers_choose() {
    let (rig, _apps) = rig(&["root", "foo", "foobar", "tagged"]).await;
    let path = |prefix: Option<&str>, name: &str| HttpIngressPath {
        path: prefix.map(Into::into),
        splits: vec![split(&(name, 100))],
        ..Default::default()
    };
    let exact = HeaderMatch { exact: "blue".into() };
    let tagged = HttpIngressPath {
        headers: BTreeMap::from([("Knative-Serving-Tag".to_owned(), exact)]),
        ..path(None, "tagged")
    };
    let paths = vec![path(None, "root"), path(Some("/foo"), "foo"), path(Some("/foo/bar"), "foobar"), tagged];
    rig.ingress(HOST, paths);
    let mut client = rig.client().await;
    let cases = [
        ("/", "", "root"),
        ("/asdf?foo=/foo", "", "root"),
        ("/foo", "", "foo"),
        ("/foo/baz", "", "foo"),
        ("/foo/bar?x=1", "", "foobar"),
        ("/", "blue", "tagged"),
        ("/", "green", "root"),
    ];
    for (path, tag, expect) in cases {
        let mut request = get(path);
        request.headers_mut().insert("knative-serving-tag", tag.parse().unwrap());
        assert_eq!(client.read(request).await.body, expect, "{path} tagged {tag:?}");
    }
}

/// The next gateway decides by what the client sent, not by what was made of it for an application.
#[tokio::test]
async fn who_is_handed_on_is_routed_as_it_came() {
    const ALIAS: &str = "www.example.com";
    let path = |name: &str| HttpIngressPath { splits: vec![split(&(name, 100))], ..Default::default() };
    let exact = HeaderMatch { exact: "blue".into() };
    let tagged = HttpIngressPath {
        headers: BTreeMap::from([("Knative-Serving-Tag".to_owned(), exact)]),
        ..path("tagged")
    };
    let (next, _apps) = rig(&["root", "tagged", "alias"]).await;
    next.ingress(HOST, vec![path("root"), tagged.clone()]);
    next.route(ALIAS, &[("alias", 100)]);
    let earlier = Rig::new().await;
    for name in ["root", "tagged"] {
        earlier.handle.set_revision(revision(name), Default::default());
    }
    earlier.ingress(HOST, vec![path("root"), tagged]);
    earlier.ingress(ALIAS, vec![HttpIngressPath { rewrite_host: Some(HOST.into()), ..path("root") }]);
    earlier.handle.hand_on(instance(next.address));
    let cases = [(HOST, "", "root"), (HOST, "blue", "tagged"), (ALIAS, "", "alias")];
    for mut client in [Client::http1(earlier.address).await, Client::http2(earlier.address).await] {
        for (host, tag, expect) in cases {
            let request = Request::get("/").header(header::HOST, host).header("knative-serving-tag", tag);
            let reply = client.read(request.body(empty()).unwrap()).await;
            assert_eq!(reply.body, expect, "{host} tagged {tag:?}");
        }
    }
}

#[tokio::test]
async fn a_new_table_counts_at_once() {
    let (rig, _apps) = rig(&["a", "b"]).await;
    let mut client = rig.client().await;
    for round in 0..20 {
        let name = ["a", "b"][round % 2];
        rig.route(HOST, &[(name, 100)]);
        assert_eq!(rig.handle.routes().number(), round as u64 + 1);
        assert_eq!(client.get("/").await.body, name);
    }
}

#[tokio::test]
async fn a_rewritten_host_is_routed_within_the_gateway() {
    let (rig, _apps) = rig(&["a"]).await;
    rig.route(HOST, &[("a", 100)]);
    let rewriting = |to: &str, from: &str| {
        let path = HttpIngressPath {
            rewrite_host: Some(to.into()),
            append_headers: [("K-Original-Host".to_owned(), from.to_owned())].into(),
            splits: vec![resources::networking::IngressSplit {
                service_name: "hello".into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        rig.ingress(from, vec![path]);
    };
    rewriting(HOST, "www.example.com");
    rewriting("pong.example.com", "ping.example.com");
    rewriting("ping.example.com", "pong.example.com");
    let mut client = rig.client().await;
    for (host, status) in
        [("www.example.com", StatusCode::OK), ("ping.example.com", StatusCode::LOOP_DETECTED)]
    {
        let request = Request::get("/").header(header::HOST, host).body(empty()).unwrap();
        assert_eq!(client.read(request).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn probes_are_answered_on_the_way() {
    let (rig, apps) = rig(&["a"]).await;
    rig.route(HOST, &[("a", 100)]);
    let mut client = rig.client().await;
    // (headers, status, K-Network-Hash, body)
    type Case = (&'static [(&'static str, &'static str)], u16, Option<&'static str>, &'static str);
    let cases: &[Case] = &[
        (&[("k-network-probe", "probe"), ("k-network-hash", "override")], 200, Some("cafe"), ""),
        (&[("k-network-probe", "probe"), ("k-network-hash", "beef")], 200, Some("beef"), ""),
        (&[("k-network-probe", "probe")], 400, None, "a probe needs the header K-Network-Hash\n"),
        (&[("k-network-probe", "activator")], 200, None, "activator"),
        (
            &[("k-network-probe", "x")],
            400,
            None,
            "a probe needs the header K-Network-Probe: probe or activator\n",
        ),
        (&[("user-agent", "kube-probe/1.34")], 200, None, ""),
        (&[("k-kubelet-probe", "yes")], 200, None, ""),
    ];
    for (headers, status, hash, body) in cases {
        let mut request = get("/healthz");
        for (name, value) in *headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let reply = client.read(request).await;
        let got = (reply.status.as_u16(), reply.header("k-network-hash"), &*reply.body);
        assert_eq!(got, (*status, *hash, *body), "{headers:?}");
    }
    assert_eq!(apps[0].requests(), 0);
}
